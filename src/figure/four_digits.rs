//! Numbers for readers.

/// A number to four digits, as a reader wants to see it: an exponent where it is very small or large.
///
/// ```
/// use prunephase::figure::four_digits;
/// assert_eq!(four_digits(0.012_347), "0.01235");
/// assert_eq!(four_digits(1.5e-7), "1.500e-7");
/// ```
pub fn four_digits(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let magnitude = value.abs().log10().floor();
    if !(-4.0..6.0).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let digits = (3.0 - magnitude).clamp(0.0, 8.0) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits() {
        let cases = [(0.0, "0"), (1.0, "1"), (0.012_347, "0.01235"), (1234.56, "1235"), (-0.5, "-0.5")];
        for (value, text) in cases {
            assert_eq!(four_digits(value), text);
        }
        assert_eq!(four_digits(1.5e-7), "1.500e-7");
        assert_eq!(four_digits(99_999.7), "100000");
    }
}
