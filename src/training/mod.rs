//! Training with the mask kept at every step, and the metrics of a test set: on burn (dense
//! products and a mask, the reference), or on own kernels for the surviving weights alone
//! ([`sparse`], which every build has).
//!
//! Random numbers come from named streams alone (never from burn's process-wide generator), and
//! every operation runs on one thread, so that a training gives the same bytes whatever else the
//! process does.

#[cfg(feature = "train")]
mod device;
#[cfg(feature = "train")]
mod engine;
mod evolution;
mod hyperparameters;
mod metrics;
#[cfg(feature = "train")]
mod module;
mod progress;
pub mod sparse;
#[cfg(feature = "train")]
mod trainer;

#[cfg(feature = "train")]
pub use device::Device;
#[cfg(feature = "train")]
pub use engine::{Engine, EngineChoice, EngineTrainer};
pub use evolution::Evolution;
pub use hyperparameters::{Budget, Hyperparameters, Optimiser};
pub use metrics::Metrics;
pub use progress::Progress;
pub use sparse::TrainingSet;
#[cfg(feature = "train")]
pub use trainer::{Trainer, evaluate, logits};

use ndarray::Array2;
use thiserror::Error;

use crate::data::Dataset;
use crate::mask::Mask;
use crate::network::{Network, Parameters};
use crate::seed::Seeds;

/// Training cannot be done as asked, or failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// A hyperparameter out of its range.
    #[error("training: {name} = {value}: {expected}")]
    Hyperparameter {
        /// Its name in the study file.
        name: &'static str,
        /// What was given.
        value: String,
        /// What would be right.
        expected: String,
    },
    /// The data do not fit the network.
    #[error("data set {dataset}: images of {found} values, the network takes {expected}")]
    Data {
        /// The data set.
        dataset: String,
        /// Values of one image.
        found: usize,
        /// Inputs of the network.
        expected: usize,
    },
    /// The loss became NaN or infinite.
    #[error("training diverged: {what} is not finite after step {step}; a smaller learning rate may help")]
    Diverged {
        /// A layer's weights, or the loss.
        what: String,
        /// Steps done.
        step: usize,
    },
    /// The mask was not kept, or does not fit.
    #[error(transparent)]
    Mask(#[from] crate::mask::MaskError),
    /// The parameters do not fit the network.
    #[error(transparent)]
    Network(#[from] crate::network::NetworkError),
    /// The device gave back something else than was asked for: an error of this crate or of burn.
    #[cfg(feature = "train")]
    #[error("device {device}: {message}")]
    Device {
        /// The device.
        device: Device,
        /// What it said.
        message: String,
    },
}

/// The order in which an epoch visits the training set: both engines see the same images at the same step.
fn epoch_order(data: &Dataset, seeds: &Seeds, purpose: &str, epoch: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..data.len()).collect();
    seeds.stream(&format!("{purpose}, epoch {epoch}")).shuffle(&mut order);
    order
}

/// Checks what a training gives: all weights are finite, and the mask is kept.
fn check_trained(trained: &Parameters, mask: &Mask, step: usize) -> Result<(), TrainingError> {
    for layer in &trained.layers {
        if layer.weight.iter().any(|w| !w.is_finite()) {
            return Err(TrainingError::Diverged { what: format!("a weight of `{}`", layer.name), step });
        }
    }
    Ok(mask.verify(trained)?)
}

/// The metrics of logits [images, classes], all of which must be finite.
fn metrics_of(logits: &Array2<f32>, data: &Dataset) -> Result<Metrics, TrainingError> {
    if logits.iter().any(|logit| !logit.is_finite()) {
        return Err(TrainingError::Diverged { what: "a logit".into(), step: 0 });
    }
    Ok(Metrics::of(logits.view(), &data.labels))
}

fn check_data(network: &Network, data: &Dataset) -> Result<(), TrainingError> {
    if data.images.ncols() != network.input.size() {
        return Err(TrainingError::Data {
            dataset: data.name.clone(),
            found: data.images.ncols(),
            expected: network.input.size(),
        });
    }
    Ok(())
}
