//! What trains: burn, or the own kernels for the surviving weights.

use std::fmt;
use std::str::FromStr;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::{Budget, Device, Hyperparameters, Metrics, Progress, TrainingError, TrainingSet, sparse, trainer};
use crate::data::Dataset;
use crate::mask::Mask;
use crate::network::{Network, Parameters};
use crate::seed::Seeds;

/// Which engine is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EngineChoice {
    /// [`sparse`] for the networks that it covers, burn for the others.
    #[default]
    Auto,
    /// [`sparse`] alone.
    Sparse,
    /// burn alone: the reference.
    Burn,
}

impl fmt::Display for EngineChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Auto => "auto",
            Self::Sparse => "sparse",
            Self::Burn => "burn",
        })
    }
}

impl FromStr for EngineChoice {
    type Err = TrainingError;

    fn from_str(text: &str) -> Result<Self, TrainingError> {
        [Self::Auto, Self::Sparse, Self::Burn].into_iter().find(|choice| choice.to_string() == text).ok_or_else(|| {
            TrainingError::Hyperparameter {
                name: "engine",
                value: text.to_owned(),
                expected: "must be auto, sparse or burn".into(),
            }
        })
    }
}

/// What trains and evaluates networks. Both engines see the same images in the same order and draw from
/// the same streams; their results agree up to rounding, which training amplifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Engine {
    /// Which engine.
    pub choice: EngineChoice,
    /// Where burn's tensors live, where burn is taken.
    pub device: Device,
}

impl Engine {
    /// burn on a device.
    pub fn burn(device: Device) -> Self {
        Self { choice: EngineChoice::Burn, device }
    }

    fn is_sparse(self, network: &Network) -> bool {
        match self.choice {
            EngineChoice::Auto => sparse::covers(network),
            EngineChoice::Sparse => true,
            EngineChoice::Burn => false,
        }
    }

    /// A trainer of `network` on the training set `data`.
    ///
    /// # Errors
    /// [`TrainingError`] where a hyperparameter is out of range, the images do not fit, or the engine asked
    /// for does not cover the network.
    pub fn trainer<'a>(
        self,
        network: &'a Network,
        data: impl Into<TrainingSet<'a>>,
        hyperparameters: Hyperparameters,
    ) -> Result<EngineTrainer<'a>, TrainingError> {
        Ok(EngineTrainer(if self.is_sparse(network) {
            Either::Sparse(sparse::Trainer::new(network, data, hyperparameters, sparse::Options::default())?)
        } else {
            Either::Burn(trainer::Trainer::new(network, data.into().data(), hyperparameters, self.device)?)
        }))
    }

    /// The metrics of a network on a data set.
    ///
    /// # Errors
    /// [`TrainingError`] where the mask is not kept, or shapes do not fit.
    pub fn evaluate(
        self,
        network: &Network,
        parameters: &Parameters,
        mask: &Mask,
        data: &Dataset,
    ) -> Result<Metrics, TrainingError> {
        if self.is_sparse(network) {
            sparse::evaluate(network, parameters, mask, data, sparse::Options::default())
        } else {
            trainer::evaluate(network, parameters, mask, data, self.device)
        }
    }

    /// The logits of a network, [image, class].
    ///
    /// # Errors
    /// As [`Engine::evaluate`].
    pub fn logits(
        self,
        network: &Network,
        parameters: &Parameters,
        mask: &Mask,
        data: &Dataset,
    ) -> Result<Array2<f32>, TrainingError> {
        if self.is_sparse(network) {
            sparse::logits(network, parameters, mask, data, sparse::Options::default())
        } else {
            trainer::logits(network, parameters, mask, data, self.device)
        }
    }
}

#[derive(Debug, Clone)]
enum Either<'a> {
    Sparse(sparse::Trainer<'a>),
    Burn(trainer::Trainer<'a>),
}

/// A trainer of either engine.
#[derive(Debug, Clone)]
pub struct EngineTrainer<'a>(Either<'a>);

impl EngineTrainer<'_> {
    /// The number of steps in a pass over the training set, the last incomplete batch dropped.
    pub fn steps_per_epoch(&self) -> usize {
        match &self.0 {
            Either::Sparse(trainer) => trainer.steps_per_epoch(),
            Either::Burn(trainer) => trainer.steps_per_epoch(),
        }
    }

    /// Trains `parameters` for `budget` under `mask`, from a fresh optimiser state, as
    /// [`Trainer::train`](super::Trainer::train).
    ///
    /// # Errors
    /// As there.
    pub fn train(
        &self,
        parameters: &Parameters,
        mask: &Mask,
        budget: Budget,
        seeds: &Seeds,
        purpose: &str,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Parameters, TrainingError> {
        match &self.0 {
            Either::Sparse(trainer) => trainer.train(parameters, mask, budget, seeds, purpose, progress),
            Either::Burn(trainer) => trainer.train(parameters, mask, budget, seeds, purpose, progress),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Locations, load};
    use crate::network::Architecture;
    use crate::pruning::{Criterion, Scope, prune};
    use crate::training::Optimiser;

    /// Padding, stride, a pool after one convolution and none after the other.
    const CONVOLUTIONS: &str = r#"
name = "convolutions"
[[layers]]
kind = "convolution"
name = "conv1"
units = "6W"
kernel = 3
padding = 1
activation = "relu"
[[layers]]
kind = "max-pool"
kernel = 2
stride = 2
[[layers]]
kind = "convolution"
name = "conv2"
units = "10W"
kernel = 2
stride = 2
activation = "tanh"
[[layers]]
kind = "linear"
name = "fc"
units = "classes"
"#;

    /// |a - b| / |b| over all weights and biases.
    fn distance(a: &Parameters, b: &Parameters) -> f64 {
        let pairs = || {
            a.layers.iter().zip(&b.layers).flat_map(|(a, b)| {
                let weights = a.weight.iter().zip(b.weight.iter());
                let biases = a.bias.iter().flatten().zip(b.bias.iter().flatten());
                weights.chain(biases).map(|(&a, &b)| (f64::from(a), f64::from(b)))
            })
        };
        let square = |f: fn((f64, f64)) -> f64| pairs().map(f).map(|x| x * x).sum::<f64>().sqrt();
        square(|(a, b)| a - b) / square(|(_, b)| b)
    }

    #[test]
    fn one_step_of_both_engines_is_the_same_to_rounding() {
        let split = load("digits", &Locations::default()).unwrap();
        let seeds = Seeds::new(5, 0);
        let fc4 = Architecture::built_in("fc4").unwrap();
        let convolutions = Architecture::parse("convolutions", CONVOLUTIONS).unwrap();
        for (architecture, width, kept) in
            [(&fc4, 8, 1.0), (&fc4, 8, 0.2), (&fc4, 16, 0.03), (&convolutions, 1, 1.0), (&convolutions, 2, 0.15)]
        {
            let network = architecture.network(width, split.train.shape, 10).unwrap();
            let initial = Parameters::initialise(&network, &mut seeds.stream("initialisation"));
            let scores = Criterion::Magnitude.scores(&initial, &mut seeds.stream("scores")).unwrap();
            let kept = (network.weights() as f64 * kept) as usize;
            let mask = prune(&Mask::dense(&network), &scores, kept, Scope::Global).unwrap();
            let mut start = initial.clone();
            mask.apply(&mut start).unwrap();
            for optimiser in [Optimiser::Sgd, Optimiser::Adam] {
                let hyperparameters = Hyperparameters { optimiser, learning_rate: 0.01, momentum: 0.0, batch: 64 };
                let after = |choice| {
                    let engine = Engine { choice, device: Device::default() };
                    let trainer = engine.trainer(&network, &split.train, hyperparameters).unwrap();
                    trainer.train(&start, &mask, Budget::Steps(1), &seeds, "step", &mut |_| {}).unwrap()
                };
                let (sparse, burn) = (after(EngineChoice::Sparse), after(EngineChoice::Burn));
                let moved = distance(&sparse, &start);
                // Adam divides by |gradient|: where that is of the size of its rounding, steps differ.
                let most = if optimiser == Optimiser::Adam { 2e-2 } else { 1e-5 };
                let apart = distance(&sparse, &burn);
                assert!(moved > 0.0 && apart <= most * moved, "{optimiser:?} {kept}: {apart} apart, {moved} moved");
            }
            let [sparse, burn] = [EngineChoice::Sparse, EngineChoice::Burn].map(|choice| {
                Engine { choice, device: Device::default() }.logits(&network, &start, &mask, &split.test).unwrap()
            });
            let largest = burn.iter().fold(0f32, |most, logit| most.max(logit.abs()));
            assert!(sparse.iter().zip(&burn).all(|(a, b)| (a - b).abs() <= 1e-5 * largest.max(1.0)));
        }
    }
}
