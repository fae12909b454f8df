//! Numbers and lists in the sentences of findings and warnings.

/// `a, b, c and 4 more`.
pub(crate) fn listed<S: AsRef<str>>(names: &[S], shown: usize) -> String {
    let first: Vec<&str> = names.iter().take(shown).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(shown) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// `1 run`, `8 runs`.
pub(crate) fn runs_text(runs: u64) -> String {
    if runs == 1 { "1 run".into() } else { format!("{runs} runs") }
}
