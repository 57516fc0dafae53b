//! Scores of weights: the lowest are pruned first.

use serde::{Deserialize, Serialize};

use super::PruningError;
use crate::network::Parameters;
use crate::seed::Stream;

/// What decides which weights go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Criterion {
    /// The smallest |w| first.
    #[default]
    Magnitude,
    /// In a random order, drawn anew at each level.
    Random,
}

/// A non-negative score for every weight, layer by layer in flat order.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    pub(super) layers: Vec<Vec<f32>>,
}

impl Criterion {
    /// The scores of all weights, pruned ones included; `stream` is used by
    /// [`Criterion::Random`] alone.
    ///
    /// # Errors
    /// [`PruningError::NotFinite`] for a NaN or infinite weight.
    pub fn scores(self, parameters: &Parameters, stream: &mut Stream) -> Result<Scores, PruningError> {
        let layers = parameters
            .layers
            .iter()
            .map(|layer| {
                let score = |(index, &value): (usize, &f32)| match self {
                    _ if !value.is_finite() => Err(PruningError::NotFinite { layer: layer.name.clone(), index, value }),
                    Self::Magnitude => Ok(value.abs()),
                    Self::Random => Ok(stream.unit() as f32),
                };
                layer.weight.iter().enumerate().map(score).collect()
            })
            .collect::<Result<_, _>>()?;
        Ok(Scores { layers })
    }
}
