//! Templates of servers' commands and files.
//!
//! `@dir@` is the server's own folder, `@shared@` the folder that the command at the vantage sees too, `@world@` the
//! folder of the world's file, `@v4:HOST@` and `@v6:HOST@` a host's first address of a family. A line with
//! `@address@` is repeated for every address of the server's hosts; `@socket@` is the same with IPv6 in brackets.
//! Anything else between two `@` is left as it is: addresses of mail and the like.

use super::plan::World;
use std::net::IpAddr;
use std::path::Path;

/// What templates of one server can name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Template<'a> {
    pub world: &'a World,
    pub dir: &'a Path,
    pub shared: &'a Path,
    pub addresses: &'a [IpAddr],
}

impl Template<'_> {
    /// A file's text.
    pub fn fill(&self, text: &str) -> Result<String, String> {
        let repeated = text.split_inclusive('\n').flat_map(|line| self.repeat(line));
        self.name(&repeated.collect::<String>())
    }

    /// A command's words: a word with `@address@` is repeated.
    pub fn words(&self, words: &[String]) -> Result<Vec<String>, String> {
        words.iter().flat_map(|word| self.repeat(word)).map(|word| self.name(&word)).collect()
    }

    fn repeat(&self, line: &str) -> Vec<String> {
        if !line.contains("@address@") && !line.contains("@socket@") {
            return vec![line.to_owned()];
        }
        let filled = |address: &IpAddr| {
            let socket = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
            line.replace("@address@", &address.to_string()).replace("@socket@", &socket)
        };
        self.addresses.iter().map(filled).collect()
    }

    fn name(&self, text: &str) -> Result<String, String> {
        let folders = [("@dir@", self.dir), ("@shared@", self.shared), ("@world@", &self.world.folder)];
        let mut text = folders
            .iter()
            .fold(text.to_owned(), |text, (word, folder)| text.replace(word, &folder.to_string_lossy()));
        for (family, wanted) in [("@v4:", true), ("@v6:", false)] {
            while let Some((before, rest)) = text.split_once(family) {
                let (host, after) = rest.split_once('@').ok_or(format!("{family}… has no end"))?;
                let hosts = [host.to_owned()];
                let address = self.world.addresses(&hosts).find(|address| address.is_ipv4() == wanted);
                let address = address.ok_or(format!("{family}{host}@: no host has such an address"))?;
                text = format!("{before}{address}{after}");
            }
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        let world = r#"
            seed = 1
            dns = "log"
            vantage.home = { country = "NL", addresses = ["198.18.0.10"] }
            host.log = { country = "CN", addresses = ["198.18.60.5", "2001:2:0:60::5"] }
        "#;
        let world: World = toml::from_str(world).unwrap();
        let addresses = world.host["log"].addresses.clone();
        let (dir, shared) = (Path::new("/d"), Path::new("/s"));
        Template { world: &world, dir, shared, addresses: &addresses }.fill(text)
    }

    #[test]
    fn lines_are_repeated_for_every_address() {
        let text = "listen @socket@:80;\nroot @dir@/www;\n";
        assert_eq!(
            filled(text).unwrap(),
            "listen 198.18.60.5:80;\nlisten [2001:2:0:60::5]:80;\nroot /d/www;\n"
        );
    }

    #[test]
    fn hosts_are_known_by_name_and_mail_is_left_alone() {
        assert_eq!(filled("a@b.example, @v6:log@ c@d").unwrap(), "a@b.example, 2001:2:0:60::5 c@d");
        assert!(filled("@v4:lag@").unwrap_err().contains("@v4:lag@"));
    }
}
