//! Countries: their two-letter codes and English short names.
//!
//! Source: ISO 3166-1 alpha-2, and XK for Kosovo, which databases of places use; common short names
//! where the official one is longer. `countries.txt` holds one `CODE Name` a line, sorted.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

static COUNTRIES: &str = include_str!("countries.txt");

/// An ISO 3166-1 alpha-2 code, upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country([u8; 2]);

impl Country {
    /// The English short name; nothing for a code that is not assigned.
    pub fn name(self) -> Option<&'static str> {
        COUNTRIES.lines().find_map(|line| line.strip_prefix(self.as_str())?.strip_prefix(' '))
    }

    /// A code that a person typed, where a mistyped one must not pass for a country that nobody
    /// contacts. Databases may use codes of their own and are not held to this.
    pub fn assigned(text: &str) -> Result<Self, String> {
        let country: Self = text.parse()?;
        match (country.name(), country.as_str()) {
            (Some(_), _) => Ok(country),
            (None, "UK") => Err("UK is no ISO 3166 code: the United Kingdom is GB".into()),
            (None, code) => Err(format!("{code} is no country in ISO 3166")),
        }
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("??")
    }
}

impl FromStr for Country {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Ok(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
            }
            _ => Err(format!("{text:?} is no ISO 3166 alpha-2 code: two letters, such as CN or LU")),
        }
    }
}

impl TryFrom<String> for Country {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.as_str().to_owned()
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_code_and_a_name_in_order() {
        let codes: Vec<&str> = COUNTRIES.lines().filter_map(|line| Some(line.split_once(' ')?.0)).collect();
        assert_eq!(codes.len(), 250);
        assert!(codes.is_sorted() && codes.iter().all(|code| code.parse::<Country>().is_ok()));
    }

    #[test]
    fn a_mistyped_country_is_no_country() {
        assert_eq!(Country::assigned("lu").map(Country::name), Ok(Some("Luxembourg")));
        assert!(Country::assigned("UK").unwrap_err().contains("GB"));
        assert!(Country::assigned("ZZ").is_err());
    }
}
