//! What a place's label means, in words.

use overheard_model::Country;

/// `China` for `CN`; nothing for an unassigned code.
pub(crate) fn name(code: &str) -> Option<&'static str> {
    code.parse::<Country>().ok()?.name()
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
    }
}
