//! The order of null models and weights in figures, and which densities are one.

/// From the mask itself to the loosest null model.
pub(super) const NULLS: [&str; 8] =
    ["original", "joint-degrees", "signed-degrees", "degrees", "in-degrees", "out-degrees", "layer-density", "edges"];
pub(super) const WEIGHTS: [&str; 3] = ["kept", "rewound", "fresh"];
/// Densities closer than this, relatively, are one: widths round the number of kept weights differently.
const SAME_DENSITY: f64 = 0.02;

/// The names that occur: known ones in their order, then the others by name.
pub(super) fn in_order<'t>(texts: &[&'t str], known: &[&str]) -> Vec<&'t str> {
    let mut names: Vec<&str> = Vec::new();
    for &text in texts {
        if !names.contains(&text) {
            names.push(text);
        }
    }
    names.sort_by_key(|&name| (known.iter().position(|&other| other == name).unwrap_or(known.len()), name));
    names
}

/// The densities as ranges of values that count as one, from the largest to the smallest.
pub(super) fn densities(values: &[f64]) -> Vec<(f64, f64)> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|one, other| other.total_cmp(one));
    let mut ranges: Vec<(f64, f64)> = Vec::new();
    for value in sorted {
        match ranges.last_mut() {
            Some((low, _)) if value >= *low * (1.0 - SAME_DENSITY) => *low = value,
            _ => ranges.push((value, value)),
        }
    }
    ranges
}
