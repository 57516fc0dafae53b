//! One training: fresh optimiser state, a budget of steps, the mask kept at every step.

use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData};
use ndarray::Array2;

use super::module::{Chain, ChainMask, values};
use super::{
    Budget, Device, Hyperparameters, Metrics, Optimiser, Progress, TrainingError, check_data, check_trained,
    epoch_order, metrics_of,
};
use crate::data::Dataset;
use crate::mask::Mask;
use crate::network::{Network, Parameters};
use crate::seed::Seeds;

/// Images a pass of the evaluation; only memory depends on it.
const EVALUATION_BATCH: usize = 1000;

/// Trains networks of one description on one data set.
#[derive(Debug, Clone, Copy)]
pub struct Trainer<'a> {
    network: &'a Network,
    data: &'a Dataset,
    hyperparameters: Hyperparameters,
    device: Device,
}

impl<'a> Trainer<'a> {
    /// A trainer on the training set `data`.
    ///
    /// # Errors
    /// [`TrainingError`] where a hyperparameter is out of range or the images do not fit.
    pub fn new(
        network: &'a Network,
        data: &'a Dataset,
        hyperparameters: Hyperparameters,
        device: Device,
    ) -> Result<Self, TrainingError> {
        hyperparameters.check(data.len())?;
        check_data(network, data)?;
        Ok(Self { network, data, hyperparameters, device })
    }

    /// The number of steps in a pass over the training set, the last incomplete batch dropped.
    pub fn steps_per_epoch(&self) -> usize {
        self.data.len() / self.hyperparameters.batch
    }

    /// Trains `parameters` for `budget` under `mask`, from a fresh optimiser state.
    ///
    /// Epoch e visits the training set in an order drawn from the stream `"{purpose}, epoch {e}"`
    /// of `seeds`. Pruned weights are set to zero before the first step and after each; debug
    /// builds assert so after each step, all builds at the end. The loss is the mean cross
    /// entropy of a batch.
    ///
    /// # Errors
    /// [`TrainingError::Diverged`] where a weight is not finite at the end;
    /// [`TrainingError::Mask`] where a pruned weight came back.
    pub fn train(
        &self,
        parameters: &Parameters,
        mask: &Mask,
        budget: Budget,
        seeds: &Seeds,
        purpose: &str,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Parameters, TrainingError> {
        let mut start = parameters.clone();
        mask.apply(&mut start)?;
        let device = self.device.autodiff();
        let mut chain = Chain::new(self.network, &start, &device)?;
        let chain_mask = ChainMask::new(mask, self.device);
        let mut optimiser = self.optimiser();
        let steps = budget.steps(self.steps_per_epoch());
        let mut order: Vec<usize> = Vec::new();
        for step in 0..steps {
            let (epoch, batch) = (step / self.steps_per_epoch(), step % self.steps_per_epoch());
            if batch == 0 {
                order = epoch_order(self.data, seeds, purpose, epoch);
            }
            let size = self.hyperparameters.batch;
            chain = self.step(chain, &mut optimiser, &order[batch * size..(batch + 1) * size], &device);
            chain = chain_mask.enforce(chain);
            if cfg!(debug_assertions) {
                chain_mask.verify(&chain, self.device)?;
            }
            progress(Progress { step: step + 1, steps });
        }
        let trained = chain.parameters(self.network, self.device)?;
        check_trained(&trained, mask, steps)?;
        Ok(trained)
    }

    fn optimiser(&self) -> ModuleOptimizer {
        match self.hyperparameters.optimiser {
            // burn's default epsilon is 1e-5.
            Optimiser::Adam => AdamConfig::new().with_epsilon(1e-8).init(),
            Optimiser::Sgd if self.hyperparameters.momentum == 0.0 => SgdConfig::new().init(),
            Optimiser::Sgd => {
                // burn's default dampening is 0.1.
                let momentum = MomentumConfig::new().with_momentum(self.hyperparameters.momentum).with_dampening(0.0);
                SgdConfig::new().with_momentum(Some(momentum)).init()
            }
        }
    }

    /// One optimiser step on the images with these indices; does not know of the mask.
    fn step(
        &self,
        chain: Chain,
        optimiser: &mut ModuleOptimizer,
        indices: &[usize],
        device: &burn::tensor::Device,
    ) -> Chain {
        let inputs = self.data.images.ncols();
        let mut images: Vec<f32> = Vec::with_capacity(indices.len() * inputs);
        let mut labels = Vec::with_capacity(indices.len());
        for &index in indices {
            images.extend(self.data.images.row(index));
            labels.push(i32::from(self.data.labels[index]));
        }
        let images = Tensor::<2>::from_data(TensorData::new(images, [indices.len(), inputs]), device);
        let labels = Tensor::<2, Int>::from_data(TensorData::new(labels, [indices.len(), 1]), device);
        let logits = chain.forward(self.network, images);
        let loss = log_softmax(logits, 1).gather(1, labels).mean().neg();
        let gradients = GradientsParams::from_grads(loss.backward(), &chain);
        optimiser.step(self.hyperparameters.learning_rate, chain, gradients)
    }
}

/// Logits [images, classes] of a masked network.
///
/// # Errors
/// [`TrainingError::Mask`] where a pruned weight is not zero; where shapes do not fit.
pub fn logits(
    network: &Network,
    parameters: &Parameters,
    mask: &Mask,
    data: &Dataset,
    device: Device,
) -> Result<Array2<f32>, TrainingError> {
    check_data(network, data)?;
    mask.verify(parameters)?;
    let plain = device.plain();
    let chain = Chain::new(network, parameters, &plain)?;
    let mut all = Vec::with_capacity(data.len() * network.classes);
    for images in data.images.axis_chunks_iter(ndarray::Axis(0), EVALUATION_BATCH) {
        let shape = [images.nrows(), images.ncols()];
        let images = Tensor::<2>::from_data(TensorData::new(images.iter().copied().collect(), shape), &plain);
        all.extend(values(chain.forward(network, images), device)?);
    }
    Array2::from_shape_vec((data.len(), network.classes), all).map_err(|error| device.error(error))
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
    device: Device,
) -> Result<Metrics, TrainingError> {
    let logits = logits(network, parameters, mask, data, device)?;
    metrics_of(&logits, data)
}

#[cfg(test)]
mod tests;
