//! What a study will cost, from rates measured on this machine.

use std::time::Instant;

use serde::Serialize;

use super::keep::Keep;
use super::recipe::Recipe;
use super::runner::load_data;
use super::task::tasks_of;
use super::{Study, StudyError};
use crate::data::Locations;
use crate::mask::Mask;
use crate::network::{Architecture, Network, Parameters};
use crate::seed::Seeds;
use crate::training::{Budget, Engine, EngineTrainer};

/// Steps are measured for at least this long, in seconds.
const MEASURED: f64 = 0.3;
/// Bytes of a weight in a checkpoint: its value and its mask.
const BYTES_A_WEIGHT: usize = 5;
/// Bytes of a checkpoint's header, roughly.
const HEADER: usize = 2048;

/// One task's part of a [`Plan`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedTask {
    /// The task.
    pub task: String,
    /// The hash of all that its results follow from: tasks with the same hash have the same results.
    pub recipe: String,
    /// Weights of the dense network.
    pub weights: usize,
    /// Levels, the dense one included.
    pub levels: usize,
    /// Retrainings of rewired samples and originals, at most: densities that share a level count twice.
    pub retrainings: usize,
    /// Optimiser steps of all trainings.
    pub steps: usize,
    /// Estimated core-hours.
    pub core_hours: f64,
    /// Estimated bytes of the checkpoints that stay.
    pub bytes: usize,
}

/// What a study will cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The study's name.
    pub study: String,
    /// By width, then by replicate.
    pub tasks: Vec<PlannedTask>,
    /// Estimated core-hours of all tasks.
    pub core_hours: f64,
    /// Estimated bytes of all checkpoints that stay.
    pub bytes: usize,
}

/// Seconds of one dense optimiser step, and of one evaluation on the test set.
struct Rates {
    step: f64,
    evaluation: f64,
}

/// Lists the tasks of a study and estimates their cost: a few dense steps and one evaluation are timed for
/// each width, and every step is taken to cost as much, whatever the density. Trains about a second a
/// width, writes nothing.
///
/// # Errors
/// Where the data are missing or the study cannot be run with them.
pub fn plan(study: &Study, locations: &Locations, engine: Engine) -> crate::Result<Plan> {
    let invalid = |message| StudyError::File { origin: study.name.clone(), message };
    let architecture = Architecture::load(&study.network.architecture)?;
    let split = load_data(study, locations)?;
    let schedule = study.schedule().map_err(invalid)?;
    let (dense, fine) = (study.training_budget().map_err(invalid)?, study.fine_tuning_budget().map_err(invalid)?);
    let levels = schedule.levels() + 1;
    let mut plan = Plan { study: study.name.clone(), tasks: Vec::new(), core_hours: 0.0, bytes: 0 };
    let all = tasks_of(study, &architecture.name);
    for &width in &study.network.widths {
        let network = architecture.network(width, split.train.shape, split.train.classes)?;
        schedule.check_for(network.weights())?;
        let trainer = engine.trainer(&network, &split.train, study.training.hyperparameters())?;
        let per_epoch = trainer.steps_per_epoch();
        let parameters = Parameters::initialise(&network, &mut Seeds::new(0, 0).stream("plan"));
        let rates = measure(&network, &trainer, &parameters, || {
            engine.evaluate(&network, &parameters, &Mask::dense(&network), &split.test).map(|_| ())
        })?;
        for task in all.iter().filter(|task| task.width == width) {
            let mut steps = dense.steps(per_epoch) + (levels - 1) * fine.steps(per_epoch);
            let mut retrainings = 0;
            if let Some(section) = &study.retraining
                && section.widths.contains(&width)
                && task.seed < section.replicates
            {
                let samples = 1 + section.nulls.len() * section.samples;
                retrainings = section.densities.len() * samples * section.weights.len() * section.seeds as usize;
                steps += retrainings * study.retraining_budget(section).map_err(invalid)?.steps(per_epoch);
            }
            let seconds = steps as f64 * rates.step + (levels + retrainings) as f64 * rates.evaluation;
            let bytes = kept_bytes(study.keep, levels, parameters.weights());
            plan.core_hours += seconds / 3600.0;
            plan.bytes += bytes;
            plan.tasks.push(PlannedTask {
                task: task.to_string(),
                recipe: Recipe::of(study, &architecture, task)?.hash,
                weights: network.weights(),
                levels,
                retrainings,
                steps,
                core_hours: seconds / 3600.0,
                bytes,
            });
        }
    }
    Ok(plan)
}

/// The bytes of the checkpoints that stay of a task.
fn kept_bytes(keep: Keep, levels: usize, weights: usize) -> usize {
    let whole = weights * BYTES_A_WEIGHT + HEADER;
    match keep {
        // The initial weights and every level.
        Keep::All => (levels + 1) * whole,
        Keep::Levels => levels * whole,
        Keep::Masks => levels * (weights + HEADER),
        Keep::None => 0,
    }
}

fn measure(
    network: &Network,
    trainer: &EngineTrainer<'_>,
    parameters: &Parameters,
    evaluation: impl Fn() -> Result<(), crate::training::TrainingError>,
) -> crate::Result<Rates> {
    let mask = Mask::dense(network);
    let train = |steps: usize| -> crate::Result<f64> {
        let start = Instant::now();
        trainer.train(parameters, &mask, Budget::Steps(steps), &Seeds::new(0, 0), "plan", &mut |_| {})?;
        Ok(start.elapsed().as_secs_f64())
    };
    // The first call also warms up; what does not grow with the steps is subtracted.
    let mut steps = 2;
    train(steps)?;
    let (mut few, mut seconds) = (train(steps)?, 0.0);
    while seconds < MEASURED {
        few = few.min(train(2)?);
        steps *= 2;
        seconds = train(steps)?;
    }
    let step = (seconds - few).max(0.0) / (steps - 2) as f64;
    let start = Instant::now();
    evaluation()?;
    Ok(Rates { step, evaluation: start.elapsed().as_secs_f64() })
}
