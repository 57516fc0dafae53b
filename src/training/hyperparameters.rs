//! What a training is told.

use serde::{Deserialize, Serialize};

use super::TrainingError;

/// The update rule; its state is fresh at the start of every training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimiser {
    /// Kingma and Ba, arXiv:1412.6980, with beta = (0.9, 0.999) and epsilon = 1e-8.
    Adam,
    /// Stochastic gradient descent: v <- momentum v + g, w <- w - rate v, without dampening.
    Sgd,
}

/// How long to train.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Budget {
    /// Passes over the training set; a fraction is rounded to whole steps.
    Epochs(f64),
    /// Optimiser steps.
    Steps(usize),
}

impl Budget {
    /// The number of steps, with `per_epoch` steps in a pass.
    pub fn steps(self, per_epoch: usize) -> usize {
        match self {
            Self::Epochs(epochs) => (epochs * per_epoch as f64).round() as usize,
            Self::Steps(steps) => steps,
        }
    }

    /// Checks the number; `name` is its key in the study file.
    ///
    /// # Errors
    /// [`TrainingError::Hyperparameter`] for negative, infinite or NaN epochs.
    pub fn check(self, name: &'static str) -> Result<(), TrainingError> {
        match self {
            Self::Epochs(epochs) if !(0.0..=1e6).contains(&epochs) => Err(TrainingError::Hyperparameter {
                name,
                value: epochs.to_string(),
                expected: "must be a number of epochs from 0 to 1e6".into(),
            }),
            _ => Ok(()),
        }
    }
}

/// What every training of a study shares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Hyperparameters {
    /// The update rule.
    pub optimiser: Optimiser,
    /// The learning rate, constant, in (0, 100].
    pub learning_rate: f64,
    /// SGD's momentum, in [0, 1); Adam does not use it.
    pub momentum: f64,
    /// Images a step; the last incomplete batch of an epoch is dropped.
    pub batch: usize,
}

impl Hyperparameters {
    /// Checks the ranges, and the batch against the number of training images.
    ///
    /// # Errors
    /// [`TrainingError::Hyperparameter`] with the value that is out of range.
    pub fn check(&self, training_images: usize) -> Result<(), TrainingError> {
        let wrong =
            |name, value: String, expected: String| Err(TrainingError::Hyperparameter { name, value, expected });
        if !(self.learning_rate > 0.0 && self.learning_rate <= 100.0) {
            return wrong("learning-rate", self.learning_rate.to_string(), "must lie in (0, 100]".into());
        }
        if !(0.0..1.0).contains(&self.momentum) {
            return wrong("momentum", self.momentum.to_string(), "must lie in [0, 1)".into());
        }
        if self.batch == 0 || self.batch > training_images {
            return wrong(
                "batch",
                self.batch.to_string(),
                format!("must lie between 1 and the {training_images} training images"),
            );
        }
        Ok(())
    }
}
