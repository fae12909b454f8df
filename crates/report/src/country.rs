//! What a place's label means, in words.

use overheard_model::Country;

/// `China` for `CN`; nothing for an unassigned code.
pub(crate) fn name(code: &str) -> Option<&'static str> {
    code.parse::<Country>().ok()?.name()
}

/// `China (CN)`, or the code alone where it is unassigned.
pub(crate) fn spelled(code: &str) -> String {
    name(code).map_or_else(|| code.to_owned(), |name| format!("{name} ({code})"))
}

/// The country of a label that is neither disputed nor impossible.
pub(crate) fn certain(label: &str) -> Option<Country> {
    label.parse().ok()
}

/// What a place's label means: `CN China`, `CN/AU? China or Australia`, `anycast`.
pub fn titled(label: &str) -> String {
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
    }
}
