//! From where weights are pruned.

use serde::{Deserialize, Serialize};

use crate::mask::Mask;

/// Whether the weights of all layers compete, or each layer keeps its share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// One order over the whole network.
    #[default]
    Global,
    /// The same density in every layer, to within one weight.
    Layer,
}

impl Scope {
    /// How many weights each layer keeps; `None` where they all compete.
    ///
    /// Each layer's share of `kept` is proportional to its dense size, rounded by the largest
    /// remainder (ties to the first layer), so that the sum is exactly `kept`; what a layer no
    /// longer has goes to the others.
    pub(super) fn quotas(self, mask: &Mask, kept: usize) -> Option<Vec<usize>> {
        match self {
            Self::Global => return None,
            Self::Layer => {}
        }
        let left: Vec<usize> = mask.layers.iter().map(|layer| layer.kept_count()).collect();
        let sizes: Vec<u128> = mask.layers.iter().map(|layer| layer.kept.len() as u128).collect();
        let total: u128 = sizes.iter().sum::<u128>().max(1);
        // Integers, so that equal remainders are equal.
        let share = |size: u128| (kept as u128 * size / total, kept as u128 * size % total);
        let mut quotas: Vec<usize> =
            sizes.iter().zip(&left).map(|(&size, &left)| (share(size).0 as usize).min(left)).collect();
        let mut by_remainder: Vec<usize> = (0..sizes.len()).collect();
        by_remainder.sort_by_key(|&layer| (std::cmp::Reverse(share(sizes[layer]).1), layer));
        let mut missing = kept - quotas.iter().sum::<usize>();
        while missing > 0 {
            let before = missing;
            for &layer in &by_remainder {
                if missing > 0 && quotas[layer] < left[layer] {
                    quotas[layer] += 1;
                    missing -= 1;
                }
            }
            if missing == before {
                break;
            }
        }
        Some(quotas)
    }
}
