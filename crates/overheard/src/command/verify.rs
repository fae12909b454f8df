//! `overheard verify`: whether a certificate of confinement holds.

use crate::exit::{Exit, Failure, Result};
use crate::output::{print, safe};
use clap::Args;
use overheard_model::Process;
use overheard_probe::confine::{Attempted, Broken, Certificate, SigningKey, Statement, default_path};
use overheard_probe::digest;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  overheard verify app.certificate.json
  overheard verify app.certificate.json app.pcapng
  overheard verify --key 9f…e1 app.certificate.json app.pcapng

Ends with 0 where it holds, with 1 where a byte of it or of the capture was changed, or another key than --key signed
it, and with 2 where it is no certificate: a changed byte that breaks its JSON leaves none.";

/// Far more than a certificate ever is.
const LONGEST: u64 = 64 << 20;

/// Places tried that are listed.
const SHOWN: usize = 40;

/// Check a certificate of confinement, and that a capture is the one it speaks of
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct VerifyArgs {
    /// The certificate that `overheard confine` wrote
    certificate: PathBuf,

    /// The capture that it speaks of
    capture: Option<PathBuf>,

    /// The key that must have signed it: 64 hexadecimal digits
    #[arg(long, value_name = "KEY", value_parser = key)]
    key: Option<String>,
}

impl VerifyArgs {
    pub fn run(self) -> Result<Exit> {
        let certificate = self.read()?;
        self.must_be_signed_by(&certificate)?;
        let capture = match &self.capture {
            Some(path) => matches(path, certificate.statement())?,
            None => "not checked: give it beside the certificate".into(),
        };
        let text = summary(certificate.statement(), &capture, &signer(certificate.key())) + LIMITS;
        print(|out| out.write_all(text.as_bytes()))?;
        Ok(Exit::Clear)
    }

    fn read(&self) -> Result<Certificate> {
        let path = self.certificate.display();
        let mut bytes = Vec::new();
        let read = File::open(&self.certificate).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes));
        read.map_err(|error| unreadable(&self.certificate, &error))?;
        Certificate::read(&bytes).map_err(|broken| match broken {
            Broken::Unknown(_) => Failure::new(format!("{path}: {broken}"))
                .hint("give the file that `overheard confine` wrote beside its capture, unchanged"),
            _ => Failure::finding(format!("{path}: {broken}"))
                .hint("trust nothing that it says; ask for the file as it was written"),
        })
    }

    fn must_be_signed_by(&self, certificate: &Certificate) -> Result<()> {
        match &self.key {
            Some(key) if key != certificate.key() => Err(Failure::finding(format!(
                "{}: signed by {}, which is another key than --key",
                self.certificate.display(),
                certificate.key()
            ))
            .hint("whoever signed it is not whom you expect")),
            _ => Ok(()),
        }
    }
}

fn key(text: &str) -> std::result::Result<String, String> {
    match text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("a key is 64 hexadecimal digits, as the certificate names it".into()),
    }
}

fn matches(path: &Path, statement: &Statement) -> Result<String> {
    let (hash, bytes) = File::open(path).and_then(digest::of).map_err(|error| unreadable(path, &error))?;
    if (&hash, bytes) == (&statement.capture.sha256, statement.capture.bytes) {
        return Ok("is the one it speaks of".into());
    }
    Err(Failure::finding(format!(
        "{}: not the capture that the certificate speaks of: {bytes} bytes with SHA-256 {hash}",
        path.display()
    ))
    .hint(format!(
        "the right one has {} bytes and SHA-256 {}",
        statement.capture.bytes, statement.capture.sha256
    )))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{}: {error}", path.display()))
        .hint("give a certificate, and the capture that was written with it, that you may read")
}

/// Whose key it is, as far as this machine can tell.
pub(super) fn signer(key: &str) -> String {
    let ours = default_path(|name| std::env::var_os(name)).and_then(|path| SigningKey::read(&path).ok());
    match ours.is_some_and(|ours| ours.public_hex() == key) {
        true => format!("{key}, this machine's key"),
        false => format!("{key}, not this machine's key: compare it with what its owner tells you"),
    }
}

pub(super) fn summary(statement: &Statement, capture: &str, signer: &str) -> String {
    let Statement { ran, proxy, began, ended, overheard, kernel, .. } = statement;
    let flows: u64 = statement.passed.iter().map(|passed| passed.flows).sum();
    let classes = many(statement.planted.len() as u64, "planted leak");
    let reached =
        if flows == 0 { "reached nobody, and could have reached nobody but" } else { "reached nobody but" };
    let mut text = format!(
        "The certificate holds: {} {reached} {}.\n\
         \n  program    SHA-256 {}\
         \n  run        {began} to {ended}, overheard {}, Linux {}\
         \n  tested     {classes}, each stopped and seen, before the program was started\
         \n             an abstract socket outside, which was out of reach\
         \n  passed     {}\n",
        safe(&ran.path),
        safe(&proxy.url),
        safe(&ran.sha256),
        safe(overheard),
        safe(kernel),
        passed(flows, proxy.unanswered),
    );
    text += &attempts(statement);
    text += &left(statement);
    for door in &statement.doors {
        text +=
            &format!("  door       {} {}: open, and not the network\n", safe(&door.kind), safe(&door.path));
    }
    let packets = many(statement.capture.packets, "packet");
    text + &format!("  capture    {packets}; {capture}\n  signed by  {signer}\n")
}

/// What a certificate must not be taken for: `docs/methods/confine.md` has all of it.
pub(super) const LIMITS: &str = "
It proves what crossed this room's one door in this run. It does not prove what the proxy passed on, what went through
a door that is listed as open, or what another run would do. What was stopped never said what it would have spoken: a
class is told from addresses and ports, and DNS over HTTPS from those of well-known resolvers alone.
";

/// How the proxy was met.
fn passed(flows: u64, unanswered: u64) -> String {
    let refused = || format!("{} that it refused or did not answer", many(unanswered, "flow"));
    match (flows, unanswered) {
        (0, 0) => "nothing: the app did not ask for the proxy".into(),
        (0, _) => format!("nothing: the proxy was asked for, {}", refused()),
        (_, 0) => format!("{} to the proxy", many(flows, "flow")),
        _ => format!("{} to the proxy, and {}", many(flows, "flow"), refused()),
    }
}

/// What else was tried, as far as it was seen.
fn attempts(statement: &Statement) -> String {
    let Statement { attempted, unlisted_attempts, unseen, .. } = statement;
    let mut text = listed(attempted);
    if *unlisted_attempts > 0 {
        text += &format!("  attempted  {} to further places\n", many(*unlisted_attempts, "packet"));
    }
    if text.is_empty() {
        let seen = if *unseen == 0 { "" } else { " that was seen" };
        text += &format!("  attempted  nothing else{seen}\n");
    }
    if *unseen > 0 {
        let unseen = many(*unseen, "packet");
        text += &format!("  unseen     {unseen} that the room's own device dropped: nothing of them left\n");
    }
    text
}

/// Programs that the app left behind.
fn left(statement: &Statement) -> String {
    if statement.left.is_empty() {
        return String::new();
    }
    let still: u64 = statement.left.iter().map(|left| left.processes).sum();
    let names: Vec<String> =
        statement.left.iter().map(|left| format!("{} ({})", left.name, left.processes)).collect();
    format!(
        "  left       {} still ran when the app had ended, and went with the room: {}\n",
        many(still, "program"),
        safe(&names.join(", "))
    )
}

/// All in their order where they are few, else those that most packets went to.
fn listed(attempted: &[Attempted]) -> String {
    let mut shown: Vec<&Attempted> = attempted.iter().collect();
    if shown.len() > SHOWN {
        shown.sort_by_key(|attempted| std::cmp::Reverse(attempted.packets));
        shown.truncate(SHOWN);
    }
    let mut text: String = shown.iter().map(|attempted| attempt(attempted)).collect();
    if attempted.len() > SHOWN {
        let more = many((attempted.len() - SHOWN) as u64, "more place");
        text += &format!("  attempted  {more}, with fewer packets: they are in the certificate\n");
    }
    text
}

fn attempt(attempted: &Attempted) -> String {
    let Attempted { class, transport, address, port, country, packets, processes } = attempted;
    let packets = many(*packets, "packet");
    let country = country.map_or_else(|| "country unknown".into(), |country| country.to_string());
    let by: Vec<String> = processes.iter().map(Process::to_string).collect();
    let by = if by.is_empty() { "unknown".into() } else { safe(&by.join("; ")).into_owned() };
    format!(
        "  attempted  {class}: {packets}, {transport} to {address} port {port} ({country}), stopped; by {by}\n"
    )
}

fn many(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use overheard_model::Transport;
    use overheard_probe::gateway::Class;

    #[test]
    fn of_many_places_tried_those_with_most_packets_are_listed() {
        let tried = |packets: u64| Attempted {
            class: Class::OtherUdp,
            transport: Transport::Udp,
            address: [198, 18, 0, 1].into(),
            port: packets as u16,
            country: None,
            packets,
            processes: Vec::new(),
        };
        let lines = |many: u64| {
            let text = listed(&(1..=many).map(tried).collect::<Vec<_>>());
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let (few, many) = (lines(SHOWN as u64), lines(3000));
        assert_eq!((few.len(), many.len()), (SHOWN, SHOWN + 1));
        assert!(few[0].contains(" 1 packet,") && many[0].contains(" 3000 packets,"), "{few:?} {many:?}");
        assert_eq!(
            many[SHOWN],
            "  attempted  2960 more places, with fewer packets: they are in the certificate"
        );
    }
}
