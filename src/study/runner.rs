//! The runner: tasks side by side, one thread each.

use std::num::NonZeroUsize;
use std::time::SystemTime;

use super::context::Context;
use super::event::Event;
use super::parallel::in_parallel;
use super::task::{run_task, tasks_of};
use super::{RunFolder, Study, StudyError};
use crate::data::{self, Locations, Split};
use crate::files;
use crate::network::Architecture;
use crate::training::Device;

/// How to run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Tasks side by side; results do not depend on it.
    pub jobs: NonZeroUsize,
    /// Where tensors live.
    pub device: Device,
    /// Where data sets are looked for.
    pub locations: Locations,
    /// Stop every task after this level; a later run goes on.
    pub stop_after: Option<usize>,
}

/// The data of a study, normalised as it says.
pub(super) fn load_data(study: &Study, locations: &Locations) -> crate::Result<Split> {
    let mut split = data::load(&study.data.name, locations)?;
    split.normalise(study.data.normalisation())?;
    Ok(split)
}

/// Trains, prunes, fine-tunes and measures every task of `study` that is not done in `folder`,
/// then makes the tables and the fits.
///
/// Each level is saved whole before the next begins, and a level depends on its parent's saved
/// weights and on named random streams alone, so a stopped or killed run goes on to the bytes of
/// an unbroken one. With `stop_after` the tables and fits are left for the run that finishes.
///
/// # Errors
/// [`StudyError::OtherStudy`] where the folder belongs to another study;
/// [`StudyError::Tasks`] where tasks failed, after all others are done; missing data.
pub fn run(
    study: &Study,
    folder: &RunFolder,
    options: &RunOptions,
    events: &(dyn Fn(&Event<'_>) + Sync),
) -> crate::Result<()> {
    let started = SystemTime::now();
    let invalid = |message| StudyError::File { origin: study.name.clone(), message };
    let architecture = Architecture::load(&study.network.architecture)?;
    let split = load_data(study, &options.locations)?;
    for warning in &split.warnings {
        events(&Event::Warning(warning));
    }
    study.training.hyperparameters().check(split.train.len())?;
    let schedule = study.schedule().map_err(invalid)?;
    for &width in &study.network.widths {
        let network = architecture.network(width, split.train.shape, split.train.classes)?;
        schedule.check_for(network.weights())?;
    }
    folder.claim(study)?;
    let context = Context {
        study,
        folder,
        split: &split,
        architecture: &architecture,
        schedule,
        training_budget: study.training_budget().map_err(invalid)?,
        fine_tuning_budget: study.fine_tuning_budget().map_err(invalid)?,
        device: options.device,
        events,
    };
    let mut tasks = tasks_of(study, &architecture.name);
    // The widest first, so that no long task is left for the end.
    tasks.reverse();
    let results = in_parallel(options.jobs, &tasks, |task| run_task(&context, task, options.stop_after));
    let mut failures = tasks.iter().zip(results).filter_map(|(task, result)| result.err().map(|error| (task, error)));
    if let Some((task, first)) = failures.next() {
        return Err(StudyError::Tasks {
            failed: 1 + failures.count(),
            tasks: tasks.len(),
            task: task.to_string(),
            first: Box::new(first),
        }
        .into());
    }
    if options.stop_after.is_some_and(|stop| stop < context.schedule.levels()) {
        return Ok(());
    }
    files::remove_unfinished(folder.root(), started)?;
    super::analyse(study, folder, &split, &architecture, options, events)
}
