//! What a driver must know of a chat page, as TOML. `docs/drivers.md` has an example with every key.

use serde::{Deserialize, Serialize};

/// A chat page. Everything but the address is a CSS selector, in which the page's author named things.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Page {
    pub url: String,
    #[serde(default)]
    pub login: Vec<Step>,
    /// There once the login stands.
    pub ready: String,
    /// There once the login was refused.
    pub refused: Option<String>,
    /// Clicked before a message is written, with `{to}` for whoever it goes to.
    pub open: Option<String>,
    /// Where a message is written.
    pub input: String,
    /// Clicked to send it; without it, Enter is pressed.
    pub send: Option<String>,
    #[serde(flatten)]
    pub heard: Heard,
}

/// How messages stand on the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    pub message: String,
    /// Within a message; without it, nobody is named.
    pub from: Option<String>,
    /// Within a message; without it, all of it is text.
    pub text: Option<String>,
    /// What the messages are that the account wrote itself.
    pub own: Option<String>,
}

/// One step of a login: a click, or something that is filled in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Step {
    Click {
        click: String,
    },
    /// `{account}` and `{password}` stand for those that the driver was given.
    Fill {
        fill: String,
        with: String,
    },
}

impl Page {
    /// The error says what is wrong, and in which line.
    pub fn parse(text: &str) -> Result<Self, String> {
        // `flatten` forbids nothing: an unknown key is told from the list.
        const KEYS: [&str; 11] =
            ["url", "login", "ready", "refused", "open", "input", "send", "message", "from", "text", "own"];
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
        if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(format!("unknown key {key:?}; those are {}", KEYS.join(", ")));
        }
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// The selector of whoever is written to.
    pub(super) fn open(&self, to: &str) -> Option<String> {
        let quoted: String = to
            .chars()
            .map(|c| match c {
                '"' | '\'' | '\\' => format!("\\{c}"),
                // CSS Syntax, 4.3.7.
                c if c.is_control() => format!("\\{:x} ", u32::from(c)),
                c => c.to_string(),
            })
            .collect();
        Some(self.open.as_ref()?.replace("{to}", &quoted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r##"
        url = "http://127.0.0.1/"
        login = [{ fill = "#name", with = "{account}" }, { click = "#enter" }]
        ready = "#compose"
        open = 'li[data-name="{to}"]'
        input = "#compose"
        message = ".message"
    "##;

    #[test]
    fn a_page_is_read_and_what_is_unknown_refused() {
        let page = Page::parse(PAGE).unwrap();
        assert_eq!(page.login[1], Step::Click { click: "#enter".into() });
        assert_eq!(page.heard.message, ".message");
        assert!(Page::parse(&format!("{PAGE}\nmesage = 'x'")).unwrap_err().contains("mesage"));
        assert!(Page::parse("url = 'x'").unwrap_err().contains("ready"));
    }

    #[test]
    fn a_name_stays_within_its_selector() {
        let page = Page::parse(PAGE).unwrap();
        assert_eq!(page.open("bob").unwrap(), r#"li[data-name="bob"]"#);
        assert_eq!(page.open("\"], a[x=\"").unwrap(), r#"li[data-name="\"], a[x=\""]"#);
    }
}
