//! The sections of a study file.

use serde::{Deserialize, Serialize};

use super::replicates::Replicates;
use crate::data::Normalisation;
use crate::mask::Density;
use crate::pruning::{Criterion, Scope};
use crate::rewire::{ChainKind, NullModel};
use crate::training::{Hyperparameters, Optimiser};

/// The images and their normalisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DataSection {
    /// `digits`, `mnist`, `fashion-mnist`, `kmnist`, `kmnist-10k`, `mnist-10k`.
    pub name: String,
    /// Subtracted from values in [0, 1].
    #[serde(default)]
    pub mean: f64,
    /// Divided by, after the mean is subtracted.
    #[serde(default = "one")]
    pub standard_deviation: f64,
}

impl DataSection {
    /// What is subtracted and divided by.
    pub fn normalisation(&self) -> Normalisation {
        Normalisation { mean: self.mean, standard_deviation: self.standard_deviation }
    }
}

fn one() -> f64 {
    1.0
}

/// The networks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NetworkSection {
    /// `fc4`, `cnn5`, or the path of a description.
    pub architecture: String,
    /// The widths W.
    pub widths: Vec<usize>,
    /// The number of replicates, of all widths or one number a width; their seeds are 0, 1, ...
    pub replicates: Replicates,
}

impl NetworkSection {
    /// The number of replicates of a width; 0 of one that is not among the widths.
    pub fn replicates_of(&self, width: usize) -> u64 {
        self.widths.iter().position(|&of| of == width).map_or(0, |index| self.replicates.of(index))
    }
}

/// Training of the dense network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TrainingSection {
    /// `adam` or `sgd`.
    pub optimiser: Optimiser,
    /// Constant.
    pub learning_rate: f64,
    /// SGD's momentum.
    #[serde(default)]
    pub momentum: f64,
    /// Images a step.
    pub batch: usize,
    /// Passes over the training set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<f64>,
    /// Optimiser steps, instead of epochs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
}

impl TrainingSection {
    /// What all trainings of the study share.
    pub fn hyperparameters(&self) -> Hyperparameters {
        Hyperparameters {
            optimiser: self.optimiser,
            learning_rate: self.learning_rate,
            momentum: self.momentum,
            batch: self.batch,
        }
    }
}

/// Pruning, and fine-tuning after each level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PruningSection {
    /// `magnitude` or `random`.
    #[serde(default)]
    pub criterion: Criterion,
    /// `global` or `layer`.
    #[serde(default)]
    pub scope: Scope,
    /// The weights that fine-tuning starts from: `kept`, those of the level before, or `rewound`, those at
    /// initialisation.
    #[serde(default, skip_serializing_if = "is_default")]
    pub weights: WeightSource,
    /// Density ratio of a level to the one before; with `levels`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// The number of levels after the dense one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<usize>,
    /// Instead of `ratio` and `levels`: one-shot pruning of the dense network to each of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_shot: Option<Vec<Density>>,
    /// Fine-tuning of a level, in passes over the training set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<f64>,
    /// Fine-tuning of a level in optimiser steps, instead of epochs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
}

/// From which weights a subnetwork is retrained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WeightSource {
    /// The surviving values; in a sample, each layer's values permuted.
    #[default]
    Kept,
    /// The values at initialisation.
    Rewound,
    /// A new initialisation.
    Fresh,
}

impl WeightSource {
    /// `kept`, `rewound` or `fresh`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Rewound => "rewound",
            Self::Fresh => "fresh",
        }
    }
}

/// Retraining of rewired samples beside the original.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RetrainingSection {
    /// The widths, among those of the networks.
    pub widths: Vec<usize>,
    /// How many replicates of each width.
    pub replicates: u64,
    /// The levels with the nearest densities are taken.
    pub densities: Vec<Density>,
    /// Null models.
    pub nulls: Vec<NullModel>,
    /// Samples of each null model.
    pub samples: usize,
    /// Training seeds of each sample.
    #[serde(default = "one_seed")]
    pub seeds: u64,
    /// Proposals of a double edge swap, an edge.
    #[serde(default = "ten")]
    pub swaps_per_edge: f64,
    /// The chain that draws from the null model `degrees`; the others have one each.
    #[serde(default, skip_serializing_if = "is_default")]
    pub chain: ChainKind,
    /// From which weights.
    pub weights: Vec<WeightSource>,
    /// Passes over the training set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<f64>,
    /// Optimiser steps, instead of epochs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
}

/// Whether a key says what holds without it: it is left out of what a study's hash is taken of, so that new keys
/// change no old hash.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn one_seed() -> u64 {
    1
}

fn ten() -> f64 {
    10.0
}

/// A fit of one width's curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Fit {
    /// The width.
    pub width: usize,
    /// A column of levels.csv or percolation.csv (`density`, `kept`, `mean_degree`), or a metric of the whole in
    /// topology.csv (`lambda`).
    pub control: String,
    /// A column of levels.csv or percolation.csv, for example `m` or `p_inf`.
    pub value: String,
    /// Resamples.
    #[serde(default = "two_hundred")]
    pub bootstrap: usize,
}

/// A collapse of the curves of all widths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Collapse {
    /// A column of levels.csv or percolation.csv (`density`, `kept`, `mean_degree`), or a metric of the whole in
    /// topology.csv (`lambda`).
    pub control: String,
    /// A column of levels.csv or percolation.csv, for example `m` or `p_inf`.
    pub value: String,
    /// Range of the scaled control; chosen by the fit's rule where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<[f64; 2]>,
    /// Resamples.
    #[serde(default = "two_hundred")]
    pub bootstrap: usize,
}

fn two_hundred() -> usize {
    200
}
