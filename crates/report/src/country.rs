//! English short names of countries, for sentences and headings.
//!
//! Source: ISO 3166-1 alpha-2; common short names where the official one is longer. `countries.txt`
//! holds one `CODE Name` a line, sorted.

static COUNTRIES: &str = include_str!("countries.txt");

/// `China` for `CN`; nothing for an unassigned code.
pub(crate) fn name(code: &str) -> Option<&'static str> {
    COUNTRIES.lines().find_map(|line| line.strip_prefix(code)?.strip_prefix(' '))
}

/// What a place's label means: `CN China`, `CN/AU? China or Australia`, `anycast`.
pub(crate) fn titled(label: &str) -> String {
    let codes = label.trim_end_matches('?').trim_end_matches(" impossible");
    let names: Vec<&str> = codes.split('/').filter_map(name).collect();
    if names.is_empty() { label.to_owned() } else { format!("{label} {}", names.join(" or ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_get_their_names() {
        assert_eq!(name("LU"), Some("Luxembourg"));
        assert_eq!(name("L"), None);
        assert_eq!(name("XX"), None);
        assert_eq!(titled("CN/AU?"), "CN/AU? China or Australia");
        assert_eq!(titled("AU impossible"), "AU impossible Australia");
        assert_eq!(titled("anycast"), "anycast");
        assert_eq!(COUNTRIES.lines().count(), 249);
    }
}
