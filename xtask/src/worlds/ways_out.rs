//! Ways past a proxy: `worlds/leaks.toml`, seen with tcpdump at the vantage.

use super::World;
use anyhow::{Result, ensure};

/// Each class of `worlds/leaks/leak`, and what the wire shows of it and of nothing else.
const LEAKS: &[(&str, &str)] = &[
    ("dns", "udp dst port 53 and dst host 198.18.60.53"),
    ("dot", "tcp dst port 853"),
    ("doh", "tcp dst port 443"),
    ("ipv6", "ip6 and tcp"),
    ("quic", "udp dst port 443"),
    ("stun", "udp dst port 3478 and udp[12:4] = 0x2112a442"),
    ("mdns", "udp dst port 5353 and dst host 224.0.0.251"),
    ("ssdp", "udp dst port 1900 and dst host 239.255.255.250"),
    ("llmnr", "udp dst port 5355 and dst host 224.0.0.252"),
    ("ntp", "udp dst port 123 and udp[8] = 0x23"),
    ("icmp", "icmp[icmptype] = icmp-echo"),
    ("raw", "ip proto 253"),
    ("lan", "dst host 192.168.1.1"),
    ("link-local", "dst host 169.254.7.7"),
    ("metadata", "dst host 169.254.169.254"),
    ("multicast", "udp and dst host 239.1.2.3"),
    ("tcp", "tcp dst port 80 and dst host 198.18.60.53"),
    ("udp", "udp dst port 4321 and dst host 198.18.60.53"),
];

pub(super) fn proxies(world: &World) -> Result<()> {
    let script = "curl -sS --max-time 5 --proxy socks5h://socks.leaks.example:1080 http://www.leaks.example/
        curl -sS --max-time 5 --proxy http://http.leaks.example:8888 http://www.leaks.example/";
    let said = world.ask("home", script)?;
    ensure!(said == "from 198.18.10.80\n".repeat(2), "{said}");
    Ok(())
}

pub(super) fn leaks(world: &World) -> Result<()> {
    let listed = world.ask("home", "worlds/leaks/leak")?;
    let known: Vec<&str> = LEAKS.iter().map(|(class, _)| *class).collect();
    ensure!(listed.lines().eq(known.iter().copied()), "the script's classes are {listed}");
    // For each leak: what its own filter counts, and all others together.
    let counts = LEAKS.iter().map(|(class, filter)| {
        let others: Vec<String> = LEAKS
            .iter()
            .filter(|(other, _)| other != class)
            .map(|(_, filter)| format!("({filter})"))
            .collect();
        format!(
            "seen {class}; echo {class} $(count '{filter}') $(count '({}) and not ({filter})')\n",
            others.join(" or ")
        )
    });
    let script = format!(
        "file=/run/world/leak.pcap
        seen() {{
            tcpdump -Z root -U --immediate-mode -i eth0 -Q out -w $file 2>/run/world/tcpdump & watch=$!
            until grep -q listening /run/world/tcpdump; do sleep 0.02; done
            worlds/leaks/leak $1; sleep 0.2; kill -INT $watch; wait $watch
        }}
        count() {{ tcpdump -n -r $file \"$1\" 2>/dev/null | wc -l; }}
        {}",
        counts.collect::<String>()
    );
    let said = world.ask("home", &script)?;
    for line in said.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let [class, own, others] = fields[..] else { anyhow::bail!("{said}") };
        ensure!(own != "0", "{class}: nothing left");
        ensure!(others == "0", "{class}: {others} packets of other classes left too");
    }
    ensure!(said.lines().count() == LEAKS.len(), "{said}");
    Ok(())
}
