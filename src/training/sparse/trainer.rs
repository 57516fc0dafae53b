//! One training on the surviving weights: as the reference trainer does it, image by image.

use std::time::Duration;

use ndarray::{Array2, Axis};

use super::chain::{Batch, Chain};
use super::choice::{Kernels, LinearKernel};
use super::images::Images;
use super::optimiser::Rule;
use super::pool::MAX_KERNEL;
use super::shades::Shades;
use super::simd::{InstructionSet, LANES, floats};
use super::training_set::TrainingSet;
use crate::data::Dataset;
use crate::mask::Mask;
use crate::network::{Layer, Network, Parameters};
use crate::seed::Seeds;
use crate::training::{
    Budget, Hyperparameters, Metrics, Progress, TrainingError, check_data, check_trained, epoch_order, metrics_of,
};

/// Images a pass of the evaluation.
const EVALUATION_BATCH: usize = 128;

/// How the engine works; by default with the fastest instructions and by the rule of [`Kernels`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The instructions.
    pub instructions: InstructionSet,
    /// The kernels.
    pub kernels: Kernels,
}

impl Default for Options {
    fn default() -> Self {
        Self { instructions: InstructionSet::best(), kernels: Kernels::default() }
    }
}

/// Whether the engine can train `network`: its last layer must be linear, and no pooling wider than 15.
pub fn covers(network: &Network) -> bool {
    let wide = |layer: &Layer| matches!(layer, Layer::MaxPool { kernel, .. } if *kernel > MAX_KERNEL);
    matches!(network.layers.last(), Some(Layer::Linear(_))) && !network.layers.iter().any(wide)
}

fn check(network: &Network, data: &Dataset) -> Result<(), TrainingError> {
    if !covers(network) {
        return Err(TrainingError::Hyperparameter {
            name: "engine",
            value: "sparse".into(),
            expected: format!(
                "needs a linear last layer and no pooling wider than {MAX_KERNEL}, which {} has not",
                network.architecture
            ),
        });
    }
    if !data.images.is_standard_layout() {
        return Err(TrainingError::Hyperparameter {
            name: "data",
            value: data.name.clone(),
            expected: "must hold its images one after the other (row-major)".into(),
        });
    }
    check_data(network, data)
}

fn chain(
    network: &Network,
    parameters: &Parameters,
    mask: &Mask,
    batch: (usize, &Dataset),
    options: Options,
) -> Result<Chain, TrainingError> {
    parameters.check(network)?;
    mask.verify(parameters)?;
    Ok(Chain::new(network, parameters, mask, batch, options.instructions, options.kernels))
}

/// Trains networks of one description on one data set, on the surviving weights alone.
///
/// It offers what the trainer on burn does, with the same streams: both see the same images
/// in the same order, and their gradients agree to rounding.
///
/// ```
/// use prunephase::data::{Locations, load};
/// use prunephase::mask::Mask;
/// use prunephase::network::{Architecture, Parameters};
/// use prunephase::pruning::{Criterion, Scope, prune};
/// use prunephase::seed::Seeds;
/// use prunephase::training::{Budget, Hyperparameters, Optimiser, sparse};
///
/// let split = load("digits", &Locations::default())?;
/// let network = Architecture::built_in("fc4")?.network(8, split.train.shape, 10)?;
/// let seeds = Seeds::new(1, 0);
/// let initial = Parameters::initialise(&network, &mut seeds.stream("initialisation"));
/// let scores = Criterion::Magnitude.scores(&initial, &mut seeds.stream("scores"))?;
/// let mask = prune(&Mask::dense(&network), &scores, 1000, Scope::Global)?;
///
/// let adam = Hyperparameters { optimiser: Optimiser::Adam, learning_rate: 1e-2, momentum: 0.0, batch: 32 };
/// let trainer = sparse::Trainer::new(&network, &split.train, adam, sparse::Options::default())?;
/// let trained = trainer.train(&initial, &mask, Budget::Epochs(8.0), &seeds, "example", &mut |_| {})?;
/// mask.verify(&trained)?;
/// let metrics = sparse::evaluate(&network, &trained, &mask, &split.test, sparse::Options::default())?;
/// assert!(metrics.accuracy > 0.8, "{}", metrics.accuracy);
/// # Ok::<(), prunephase::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Trainer<'a> {
    network: &'a Network,
    data: TrainingSet<'a>,
    hyperparameters: Hyperparameters,
    options: Options,
}

impl<'a> Trainer<'a> {
    /// A trainer on the training set `data`.
    ///
    /// # Errors
    /// [`TrainingError`] where a hyperparameter is out of range, the images do not fit, or the engine does
    /// not cover the network.
    pub fn new(
        network: &'a Network,
        data: impl Into<TrainingSet<'a>>,
        hyperparameters: Hyperparameters,
        options: Options,
    ) -> Result<Self, TrainingError> {
        let data = data.into();
        hyperparameters.check(data.data().len())?;
        check(network, data.data())?;
        Ok(Self { network, data, hyperparameters, options })
    }

    /// The number of steps in a pass over the training set, the last incomplete batch dropped.
    pub fn steps_per_epoch(&self) -> usize {
        self.data.data().len() / self.hyperparameters.batch
    }

    /// Trains `parameters` for `budget` under `mask`, from a fresh optimiser state.
    ///
    /// Epoch e visits the training set in an order drawn from the stream `"{purpose}, epoch {e}"`
    /// of `seeds`. The loss is the mean cross entropy of a batch. Pruned weights are set to zero
    /// before the first step and never touched.
    ///
    /// # Errors
    /// [`TrainingError::Diverged`] where a weight is not finite at the end; where shapes do not fit.
    pub fn train(
        &self,
        parameters: &Parameters,
        mask: &Mask,
        budget: Budget,
        seeds: &Seeds,
        purpose: &str,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Parameters, TrainingError> {
        let mut run = self.start(parameters, mask)?;
        let steps = budget.steps(self.steps_per_epoch());
        run.advance(steps, seeds, purpose, &mut |step| progress(Progress { step, steps }));
        run.parameters()
    }

    /// A training that has not done its first step.
    ///
    /// # Errors
    /// Where shapes do not fit.
    pub fn start(&self, parameters: &Parameters, mask: &Mask) -> Result<Run<'a>, TrainingError> {
        let mut start = parameters.clone();
        mask.apply(&mut start)?;
        let batch = (self.hyperparameters.batch, self.data.data());
        let chain = chain(self.network, &start, mask, batch, self.options)?;
        Ok(Run { trainer: self.clone(), chain, start, mask: mask.clone(), step: 0, order: Vec::new() })
    }
}

/// A training that can be stopped after any step and go on, to the bytes of an unbroken one; a clone
/// keeps weights and optimiser as they are.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    trainer: Trainer<'a>,
    chain: Chain,
    start: Parameters,
    mask: Mask,
    step: usize,
    order: Vec<usize>,
}

impl Run<'_> {
    /// Steps done.
    pub fn steps(&self) -> usize {
        self.step
    }

    /// Does `steps` more steps; `done` is told the number of all steps after each. `seeds` and `purpose`
    /// are as in [`Trainer::train`].
    pub fn advance(&mut self, steps: usize, seeds: &Seeds, purpose: &str, done: &mut dyn FnMut(usize)) {
        let Trainer { data, hyperparameters, .. } = &self.trainer;
        let shades = data.shades();
        let data = data.data();
        let per_epoch = self.trainer.steps_per_epoch();
        for _ in 0..steps {
            let (epoch, batch) = (self.step / per_epoch, self.step % per_epoch);
            if batch == 0 {
                self.order = epoch_order(data, seeds, purpose, epoch);
            }
            self.step += 1;
            let size = hyperparameters.batch;
            let indices = &self.order[batch * size..(batch + 1) * size];
            let pixels = data.images.ncols();
            let images = data.images.as_slice().unwrap_or_default();
            let image = |index: usize| index * pixels..(index + 1) * pixels;
            let images = match shades {
                Some(Shades { bytes, scale }) => {
                    Images::Bytes(indices.iter().map(|&index| &bytes[image(index)]).collect(), *scale)
                }
                None => Images::Floats(indices.iter().map(|&index| &images[image(index)]).collect()),
            };
            let batch = Batch { images, labels: indices.iter().map(|&index| data.labels[index]).collect() };
            self.chain.step(&batch, Rule::at(hyperparameters, self.step));
            done(self.step);
        }
    }

    /// The weights and biases now.
    ///
    /// # Errors
    /// [`TrainingError::Diverged`] where a weight is not finite.
    pub fn parameters(&self) -> Result<Parameters, TrainingError> {
        let mut trained = self.start.clone();
        self.chain.write(&mut trained);
        check_trained(&trained, &self.mask, self.step)?;
        Ok(trained)
    }

    /// Begins to count where the time goes.
    pub fn time_layers(&mut self) {
        self.chain.clock.start();
    }

    /// The times since [`Run::time_layers`]: forward, back to the inputs, gradient and update, of each
    /// layer with weights (poolings count to the convolution before), then of reading the images and
    /// of the loss.
    pub fn layer_times(&self) -> Vec<(String, [Duration; 3])> {
        let names = self.start.layers.iter().map(|layer| layer.name.clone());
        let names = names.chain(["images".to_owned(), "loss".to_owned()]);
        names.zip(self.chain.clock.times.iter().copied()).collect()
    }

    /// The kernel of each linear layer.
    pub fn linear_kernels(&self) -> Vec<LinearKernel> {
        self.chain.linear_kernels().collect()
    }

    /// The kept weights of each layer that are trained: those to units from which a path of kept weights
    /// leads to an output.
    pub fn active_weights(&self) -> Vec<usize> {
        self.chain.active_weights()
    }
}

/// Logits [images, classes] of a masked network.
///
/// # Errors
/// [`TrainingError::Mask`] where a pruned weight is not zero; where shapes do not fit or the engine
/// does not cover the network.
pub fn logits(
    network: &Network,
    parameters: &Parameters,
    mask: &Mask,
    data: &Dataset,
    options: Options,
) -> Result<Array2<f32>, TrainingError> {
    check(network, data)?;
    let batch = EVALUATION_BATCH.min(data.len().max(1));
    let mut chain = chain(network, parameters, mask, (batch, data), options)?;
    let stride = batch.div_ceil(LANES) * LANES;
    let mut all = Array2::zeros((data.len(), network.classes));
    let chunks = data.images.axis_chunks_iter(Axis(0), batch).zip(all.axis_chunks_iter_mut(Axis(0), batch));
    for (images, mut rows) in chunks {
        let standard = images.as_standard_layout();
        let pixels = images.ncols();
        let images = Images::Floats(standard.as_slice().unwrap_or_default().chunks_exact(pixels).collect());
        let logits = floats(chain.forward(&images));
        for ((image, class), logit) in rows.indexed_iter_mut() {
            *logit = logits[class * stride + image];
        }
    }
    Ok(all)
}

/// The metrics of a masked network on a test set.
///
/// # Errors
/// As [`logits`]; [`TrainingError::Diverged`] where a logit is not finite.
pub fn evaluate(
    network: &Network,
    parameters: &Parameters,
    mask: &Mask,
    data: &Dataset,
    options: Options,
) -> Result<Metrics, TrainingError> {
    let logits = logits(network, parameters, mask, data, options)?;
    metrics_of(&logits, data)
}
