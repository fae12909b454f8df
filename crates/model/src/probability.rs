//! P-values as people read them, the same in every sentence.
//!
//! Promises: a p-value is never rounded to 0; one that is not finite prints as `–`.

/// A p-value or q-value: `0.5`, `0.031`, `0.0004`, `<0.0001`.
pub fn probability(p: f64) -> String {
    match p {
        p if !p.is_finite() => "–".into(),
        p if p < 0.0001 => "<0.0001".into(),
        p if p < 0.001 => format!("{p:.4}"),
        p if p < 0.1 => format!("{p:.3}"),
        p => format!("{p:.2}").trim_end_matches('0').trim_end_matches('.').into(),
    }
}

/// `p` with its sign of relation: `q=0.031`, `p<0.0001`.
pub fn probability_of(letter: char, p: f64) -> String {
    let value = probability(p);
    if value.starts_with('<') { format!("{letter}{value}") } else { format!("{letter}={value}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_p_value_is_never_nothing() {
        assert_eq!(probability(0.5), "0.5");
        assert_eq!(probability(1.0), "1");
        assert_eq!(probability(0.0306), "0.031");
        assert_eq!(probability(0.000_31), "0.0003");
        assert_eq!(probability_of('q', 1e-12), "q<0.0001");
        assert_eq!(probability(f64::NAN), "–");
    }
}
