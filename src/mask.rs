//! Masks: the kept weights of every layer, and the density.

use std::fmt;

use ndarray::{ArrayD, IxDyn, Zip};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::network::{Network, Parameters};

/// A mask does not fit, or a pruned weight came back.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MaskError {
    /// A density outside [0, 1].
    #[error("density {0}: must be a number from 0 to 1")]
    Density(f64),
    /// The mask's layers are not those of the parameters.
    #[error("mask: layer `{layer}` has shape {found:?}, the weights have {expected:?}")]
    Shape {
        /// The layer.
        layer: String,
        /// Shape in the mask, empty where the layer is missing.
        found: Vec<usize>,
        /// Shape of the weights.
        expected: Vec<usize>,
    },
    /// A pruned weight is not zero: the network regrew.
    #[error(
        "layer `{layer}`: {count} pruned weights are not zero (the first at flat index {first}): the mask was not kept"
    )]
    Regrown {
        /// The first such layer.
        layer: String,
        /// How many of its pruned weights are not zero.
        count: usize,
        /// The flat index of the first of them, in the layout [out, in] or [out, in, kh, kw].
        first: usize,
    },
}

/// Kept weights over the weights of the dense network, from 0 to 1; sparsity is 1 - density.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Density(f64);

impl Density {
    /// Nothing is pruned.
    pub const DENSE: Self = Self(1.0);

    /// A density from 0 to 1.
    ///
    /// # Errors
    /// [`MaskError::Density`] for any other value.
    pub fn new(value: f64) -> Result<Self, MaskError> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(MaskError::Density(value)) }
    }

    /// The density of `kept` out of `dense` weights; 0 where there are none.
    pub fn of(kept: usize, dense: usize) -> Self {
        debug_assert!(kept <= dense, "{kept} of {dense} weights kept");
        if dense == 0 {
            return Self(0.0);
        }
        Self(kept as f64 / dense as f64)
    }

    /// The number from 0 to 1.
    pub fn value(self) -> f64 {
        self.0
    }

    /// round(dense x density): how many of `dense` weights to keep.
    pub fn kept_of(self, dense: usize) -> usize {
        (dense as f64 * self.0).round() as usize
    }
}

impl TryFrom<f64> for Density {
    type Error = MaskError;

    fn try_from(value: f64) -> Result<Self, MaskError> {
        Self::new(value)
    }
}

impl From<Density> for f64 {
    fn from(density: Density) -> f64 {
        density.0
    }
}

impl fmt::Display for Density {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The kept weights of one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerMask {
    /// The layer's name.
    pub name: String,
    /// `true` where the weight is kept; [out, in], or [out, in, kh, kw].
    pub kept: ArrayD<bool>,
}

impl LayerMask {
    /// The number of kept weights.
    pub fn kept_count(&self) -> usize {
        self.kept.iter().filter(|&&kept| kept).count()
    }
}

/// The kept weights of a network, in the order of its layers. Biases are never pruned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mask {
    /// One entry a layer with weights.
    pub layers: Vec<LayerMask>,
}

impl Mask {
    /// Keeps everything.
    pub fn dense(network: &Network) -> Self {
        let layers = network
            .weight_layers()
            .map(|layer| LayerMask { kept: ArrayD::from_elem(IxDyn(&layer.shape), true), name: layer.name })
            .collect();
        Self { layers }
    }

    /// Keeps the weights that are not zero: for files without a mask.
    pub fn of_nonzero(parameters: &Parameters) -> Self {
        let layers = parameters
            .layers
            .iter()
            .map(|layer| LayerMask { name: layer.name.clone(), kept: layer.weight.mapv(|w| w != 0.0) })
            .collect();
        Self { layers }
    }

    /// The number of kept weights.
    pub fn kept(&self) -> usize {
        self.layers.iter().map(LayerMask::kept_count).sum()
    }

    /// The number of weights of the dense network.
    pub fn weights(&self) -> usize {
        self.layers.iter().map(|layer| layer.kept.len()).sum()
    }

    /// kept / weights.
    pub fn density(&self) -> Density {
        Density::of(self.kept(), self.weights())
    }

    fn check_shapes(&self, parameters: &Parameters) -> Result<(), MaskError> {
        let count = self.layers.len().max(parameters.layers.len());
        for index in 0..count {
            let (mask, weights) = (self.layers.get(index), parameters.layers.get(index));
            let found = mask.map_or(&[][..], |layer| layer.kept.shape());
            let expected = weights.map_or(&[][..], |layer| layer.weight.shape());
            if found != expected {
                let name = weights.map(|layer| &layer.name).or(mask.map(|layer| &layer.name));
                return Err(MaskError::Shape {
                    layer: name.cloned().unwrap_or_default(),
                    found: found.to_vec(),
                    expected: expected.to_vec(),
                });
            }
        }
        Ok(())
    }

    /// Sets the pruned weights to zero.
    ///
    /// # Errors
    /// [`MaskError::Shape`] where the layers do not fit.
    pub fn apply(&self, parameters: &mut Parameters) -> Result<(), MaskError> {
        self.check_shapes(parameters)?;
        for (mask, layer) in self.layers.iter().zip(&mut parameters.layers) {
            Zip::from(&mut layer.weight).and(&mask.kept).for_each(|w, &kept| {
                if !kept {
                    *w = 0.0;
                }
            });
        }
        Ok(())
    }

    /// Asserts that every pruned weight is zero.
    ///
    /// # Errors
    /// [`MaskError::Regrown`] where one is not (NaN is not zero); [`MaskError::Shape`].
    pub fn verify(&self, parameters: &Parameters) -> Result<(), MaskError> {
        self.check_shapes(parameters)?;
        for (mask, layer) in self.layers.iter().zip(&parameters.layers) {
            let mut regrown = mask
                .kept
                .iter()
                .zip(&layer.weight)
                .enumerate()
                .filter(|(_, (kept, w))| !**kept && **w != 0.0)
                .map(|(index, _)| index);
            if let Some(first) = regrown.next() {
                return Err(MaskError::Regrown { layer: layer.name.clone(), count: 1 + regrown.count(), first });
            }
        }
        Ok(())
    }

    /// Jaccard overlap with another mask of the same shapes: kept in both / kept in either; 1
    /// where neither keeps anything.
    pub fn jaccard(&self, other: &Self) -> f64 {
        let (mut both, mut either) = (0usize, 0usize);
        for (a, b) in self.layers.iter().zip(&other.layers) {
            for (&a, &b) in a.kept.iter().zip(&b.kept) {
                both += usize::from(a && b);
                either += usize::from(a || b);
            }
        }
        if either == 0 { 1.0 } else { both as f64 / either as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Architecture, FeatureShape};
    use crate::seed::Seeds;

    fn example() -> (Mask, Parameters) {
        let network = Architecture::built_in("fc4").unwrap().network(1, FeatureShape::image(1, 2, 2), 3).unwrap();
        let parameters = Parameters::initialise(&network, &mut Seeds::new(0, 0).stream("test"));
        let mut mask = Mask::dense(&network);
        mask.layers[1].kept[[0, 1]] = false;
        mask.layers[1].kept[[1, 2]] = false;
        (mask, parameters)
    }

    #[test]
    fn a_regrown_weight_is_found_and_named() {
        let (mask, mut parameters) = example();
        assert!(mask.verify(&parameters).is_err());
        mask.apply(&mut parameters).unwrap();
        mask.verify(&parameters).unwrap();
        parameters.layers[1].weight[[1, 2]] = 1e-30;
        assert_eq!(
            mask.verify(&parameters).unwrap_err().to_string(),
            "layer `fc2`: 1 pruned weights are not zero (the first at flat index 6): the mask was not kept"
        );
        parameters.layers[1].weight[[1, 2]] = f32::NAN;
        assert!(mask.verify(&parameters).is_err());
    }

    #[test]
    fn shapes_are_checked() {
        let (mut mask, parameters) = example();
        mask.layers.pop();
        assert!(matches!(mask.verify(&parameters), Err(MaskError::Shape { .. })));
    }

    #[test]
    fn density_counts_weights_alone() {
        let (mask, _) = example();
        assert_eq!(mask.weights(), 4 * 4 + 4 * 2 + 2 + 3);
        assert_eq!(mask.kept(), mask.weights() - 2);
        assert_eq!(mask.density().value(), 27.0 / 29.0);
        assert!(Density::new(1.5).is_err());
        assert!(Density::new(f64::NAN).is_err());
    }

    #[test]
    fn jaccard_overlap() {
        let (mask, parameters) = example();
        let dense = Mask::of_nonzero(&parameters);
        assert_eq!(mask.jaccard(&mask), 1.0);
        assert_eq!(mask.jaccard(&dense), 27.0 / 29.0);
    }
}
