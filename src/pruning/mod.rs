//! Pruning: which weights go ([`Criterion`]), from where ([`Scope`]), and how many at each level
//! ([`Schedule`]). Biases are never pruned.
//!
//! Magnitude pruning follows Han et al., arXiv:1506.02626; the iterative schedule with a constant
//! ratio a level follows Frankle and Carbin, arXiv:1803.03635.

mod criterion;
mod schedule;
mod scope;

pub use criterion::{Criterion, Scores};
pub use schedule::Schedule;
pub use scope::Scope;

use thiserror::Error;

use crate::mask::Mask;

/// Pruning cannot be done as asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PruningError {
    /// More weights are asked for than are left.
    #[error("cannot keep {asked} weights: only {left} are left; ask for {left} or fewer")]
    TooMany {
        /// Weights to keep.
        asked: usize,
        /// Weights that the mask still keeps.
        left: usize,
    },
    /// A weight is NaN or infinite.
    #[error("layer `{layer}`: the weight at flat index {index} is {value}; magnitudes must be finite")]
    NotFinite {
        /// The layer.
        layer: String,
        /// Its flat index in the layout [out, in] or [out, in, kh, kw].
        index: usize,
        /// NaN or an infinity.
        value: f32,
    },
    /// A schedule whose numbers make no sense.
    #[error("schedule: {0}")]
    Schedule(String),
}

/// Prunes `mask` down to exactly `kept` weights: those with the highest scores stay.
///
/// Ties are broken by layer, then by the flat index in the layout [out, in] or [out, in, kh, kw]:
/// the first stays. A weight that `mask` has pruned never comes back. O(weights).
///
/// # Errors
/// [`PruningError::TooMany`] where `mask` keeps fewer than `kept` weights.
///
/// ```
/// use prunephase::mask::Mask;
/// use prunephase::network::{Architecture, FeatureShape, Parameters};
/// use prunephase::pruning::{prune, Criterion, Scope};
/// use prunephase::seed::Seeds;
///
/// let network = Architecture::built_in("fc4")?.network(2, FeatureShape::image(1, 4, 4), 10)?;
/// let parameters = Parameters::initialise(&network, &mut Seeds::new(0, 0).stream("initialisation"));
/// let scores = Criterion::Magnitude.scores(&parameters, &mut Seeds::new(0, 0).stream("scores"))?;
/// let mask = prune(&Mask::dense(&network), &scores, 20, Scope::Global)?;
/// assert_eq!(mask.kept(), 20);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn prune(mask: &Mask, scores: &Scores, kept: usize, scope: Scope) -> Result<Mask, PruningError> {
    let left = mask.kept();
    if kept > left {
        return Err(PruningError::TooMany { asked: kept, left });
    }
    let quotas = scope.quotas(mask, kept);
    let mut pruned = mask.clone();
    match quotas {
        None => {
            let mut order: Vec<(u64, usize, usize)> = Vec::with_capacity(left);
            for (layer, (layer_mask, layer_scores)) in mask.layers.iter().zip(&scores.layers).enumerate() {
                candidates(layer, &layer_mask.kept, layer_scores, &mut order);
            }
            remove_lowest(&mut pruned, order, kept);
        }
        Some(quotas) => {
            for (layer, quota) in quotas.into_iter().enumerate() {
                let mut order = Vec::new();
                candidates(layer, &mask.layers[layer].kept, &scores.layers[layer], &mut order);
                remove_lowest(&mut pruned, order, quota);
            }
        }
    }
    Ok(pruned)
}

/// Sort keys of the kept weights of one layer: first the score, the highest first, then the layer
/// and the flat index.
fn candidates(layer: usize, kept: &ndarray::ArrayD<bool>, scores: &[f32], order: &mut Vec<(u64, usize, usize)>) {
    for (index, (&kept, &score)) in kept.iter().zip(scores).enumerate() {
        if kept {
            // The bits of non-negative floats order as the floats do.
            order.push((u64::from(!score.to_bits()), layer, index));
        }
    }
}

fn remove_lowest(mask: &mut Mask, mut order: Vec<(u64, usize, usize)>, kept: usize) {
    if kept < order.len() {
        order.select_nth_unstable(kept);
        for &(_, layer, index) in &order[kept..] {
            if let Some(entry) = mask.layers[layer].kept.as_slice_mut().and_then(|slice| slice.get_mut(index)) {
                *entry = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Architecture, FeatureShape, Network, Parameters};
    use crate::seed::Seeds;
    use proptest::prelude::*;

    fn network() -> Network {
        Architecture::built_in("fc4").unwrap().network(2, FeatureShape::image(1, 3, 3), 4).unwrap()
    }

    fn parameters(seed: u64, distinct: u64) -> Parameters {
        let network = network();
        let mut stream = Seeds::new(seed, 0).stream("test");
        let mut parameters = Parameters::initialise(&network, &mut stream);
        for layer in &mut parameters.layers {
            layer.weight.mapv_inplace(|w| {
                let size = (1 + stream.below(distinct)) as f32 / 8.0;
                if w < 0.0 { -size } else { size }
            });
        }
        parameters
    }

    /// (|w|, layer, index) of every weight, largest first, ties by layer and index.
    fn sorted(parameters: &Parameters) -> Vec<(f32, usize, usize)> {
        let mut all = Vec::new();
        for (l, layer) in parameters.layers.iter().enumerate() {
            all.extend(layer.weight.iter().enumerate().map(|(i, w)| (w.abs(), l, i)));
        }
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        all
    }

    proptest! {
        #[test]
        fn global_magnitude_keeps_exactly_the_first_of_the_order(seed in 0u64..1000, distinct in 1u64..6, share in 0.0..1.0f64) {
            let parameters = parameters(seed, distinct);
            let dense = Mask::dense(&network());
            let kept = (share * dense.weights() as f64) as usize;
            let mut stream = Seeds::new(seed, 0).stream("scores");
            let scores = Criterion::Magnitude.scores(&parameters, &mut stream).unwrap();
            let mask = prune(&dense, &scores, kept, Scope::Global).unwrap();
            prop_assert_eq!(mask.kept(), kept);
            let sorted = sorted(&parameters);
            for (rank, &(_, layer, index)) in sorted.iter().enumerate() {
                prop_assert_eq!(mask.layers[layer].kept.as_slice().unwrap()[index], rank < kept);
            }
        }

        #[test]
        fn levels_are_nested_and_exact_in_both_scopes(seed in 0u64..1000, distinct in 1u64..6, layerwise: bool, random: bool) {
            let scope = if layerwise { Scope::Layer } else { Scope::Global };
            let criterion = if random { Criterion::Random } else { Criterion::Magnitude };
            let parameters = parameters(seed, distinct);
            let mut mask = Mask::dense(&network());
            let dense = mask.weights();
            for level in 1..30 {
                let kept = (dense as f64 * 0.8f64.powi(level)).round() as usize;
                let mut stream = Seeds::new(seed, 0).stream(&format!("scores {level}"));
                let scores = criterion.scores(&parameters, &mut stream).unwrap();
                let next = prune(&mask, &scores, kept, scope).unwrap();
                prop_assert_eq!(next.kept(), kept);
                for (before, after) in mask.layers.iter().zip(&next.layers) {
                    for (&before, &after) in before.kept.iter().zip(&after.kept) {
                        prop_assert!(before || !after, "a pruned weight came back");
                    }
                    if layerwise {
                        let fair = after.kept.len() as f64 * kept as f64 / dense as f64;
                        prop_assert!((after.kept_count() as f64 - fair).abs() < 2.0);
                    }
                }
                mask = next;
            }
        }
    }

    #[test]
    fn more_than_is_left_is_refused() {
        let parameters = parameters(0, 4);
        let mut stream = Seeds::new(0, 0).stream("scores");
        let scores = Criterion::Magnitude.scores(&parameters, &mut stream).unwrap();
        let mask = prune(&Mask::dense(&network()), &scores, 5, Scope::Global).unwrap();
        let error = prune(&mask, &scores, 6, Scope::Global).unwrap_err();
        assert_eq!(error.to_string(), "cannot keep 6 weights: only 5 are left; ask for 5 or fewer");
        assert_eq!(prune(&mask, &scores, 0, Scope::Layer).unwrap().kept(), 0);
    }

    #[test]
    fn a_nan_weight_has_no_magnitude() {
        let mut parameters = parameters(0, 4);
        parameters.layers[2].weight[[0, 1]] = f32::NAN;
        let mut stream = Seeds::new(0, 0).stream("scores");
        let error = Criterion::Magnitude.scores(&parameters, &mut stream).unwrap_err();
        assert!(error.to_string().starts_with("layer `fc3`: the weight at flat index 1 is NaN"), "{error}");
    }
}
