//! Retraining of a subnetwork from kept, rewound or fresh weights.

use super::sections::WeightSource;
use crate::comparison::RetrainingRow;
use crate::data::Dataset;
use crate::mask::Mask;
use crate::network::{Network, Parameters};
use crate::rewire::{self, NullModel};
use crate::seed::Seeds;
use crate::training::{Budget, Engine, Hyperparameters, TrainingError, TrainingSet};

/// A subnetwork to retrain: the original, or a sample of a null model.
#[derive(Debug, Clone)]
pub struct RetrainingSample {
    /// `original`, or the null model.
    pub null: String,
    /// The sample's number; 0 for the original.
    pub sample: usize,
    /// Weights for [`WeightSource::Kept`], and biases; in samples of a null model that keeps signs also
    /// the signs of rewound and fresh weights.
    pub parameters: Parameters,
    /// The kept weights.
    pub mask: Mask,
}

impl RetrainingSample {
    /// Whether rewound and fresh weights take the signs of [`Self::parameters`]: in samples of a null
    /// model that keeps signs.
    fn keeps_signs(&self) -> bool {
        self.null.parse().is_ok_and(NullModel::keeps_signs)
    }
}

/// Retrains the subnetworks of one checkpoint, all with the same budget and, for one training
/// seed, the same order of images and the same fresh weights.
#[derive(Debug)]
pub struct Retraining<'a> {
    /// The network.
    pub network: &'a Network,
    /// The training set, normalised.
    pub train: TrainingSet<'a>,
    /// The test set, normalised alike.
    pub test: &'a Dataset,
    /// As in the training of the checkpoint.
    pub hyperparameters: Hyperparameters,
    /// The same for all.
    pub budget: Budget,
    /// What trains.
    pub engine: Engine,
    /// The weights at initialisation, for [`WeightSource::Rewound`].
    pub initial: Option<&'a Parameters>,
    /// The seed of the study or of the command.
    pub seed: u64,
    /// The checkpoint's name in the table.
    pub checkpoint: &'a str,
    /// What names the checkpoint's random streams: no two checkpoints may share them.
    pub part: &'a str,
}

impl Retraining<'_> {
    /// Retrains `sample` from `weights` with the training seed `seed` and measures it. Samples of a null
    /// model that keeps signs take |w| from the rewound or fresh weights and the sign from the sample.
    ///
    /// # Errors
    /// [`TrainingError`] where training fails, or where rewound weights are asked for and none
    /// are given.
    pub fn run(&self, sample: &RetrainingSample, weights: WeightSource, seed: u64) -> crate::Result<RetrainingRow> {
        let seeds = Seeds::new(self.seed, seed).within(self.part);
        let mut start = match weights {
            WeightSource::Kept => sample.parameters.clone(),
            WeightSource::Rewound => self.initial.cloned().ok_or_else(|| TrainingError::Hyperparameter {
                name: "weights",
                value: "rewound".into(),
                expected: "needs the weights at initialisation".into(),
            })?,
            WeightSource::Fresh => {
                let mut stream = seeds.stream("fresh weights");
                Parameters::initialise(self.network, &mut stream)
            }
        };
        if weights != WeightSource::Kept && sample.keeps_signs() {
            start = rewire::with_signs_of(&start, &sample.parameters)?;
        }
        sample.mask.apply(&mut start)?;
        let trainer = self.engine.trainer(self.network, &self.train, self.hyperparameters)?;
        let trained = trainer.train(&start, &sample.mask, self.budget, &seeds, "shuffle, retraining", &mut |_| {})?;
        let metrics = self.engine.evaluate(self.network, &trained, &sample.mask, self.test)?;
        Ok(RetrainingRow {
            checkpoint: self.checkpoint.to_owned(),
            density: sample.mask.density().value(),
            null: sample.null.clone(),
            weights: weights.name().to_owned(),
            sample: sample.sample,
            seed,
            accuracy: metrics.accuracy,
            loss: metrics.loss,
            prediction_entropy: metrics.prediction_entropy,
            outcome_entropy: metrics.outcome_entropy,
        })
    }
}
