//! The runner: tasks side by side, one thread each.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::context::Context;
use super::event::Event;
use super::lock::Lock;
use super::machine::Machine;
use super::parallel::in_parallel;
use super::shard::Shard;
use super::task::{run_task, tasks_of};
use super::{RunFolder, Study, StudyError, units};
use crate::checkpoint::paths::Task;
use crate::data::{self, Locations, Split};
use crate::files;
use crate::network::Architecture;
use crate::training::{Engine, TrainingSet};

/// How to run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Tasks side by side; results do not depend on it.
    pub jobs: NonZeroUsize,
    /// What trains.
    pub engine: Engine,
    /// Where data sets are looked for.
    pub locations: Locations,
    /// Stop every task after this level; a later run goes on.
    pub stop_after: Option<usize>,
    /// The part of the tasks to do; all where it is left out.
    pub shard: Option<Shard>,
    /// Once it is set, the levels and retrainings in hand are finished and nothing else is begun.
    pub stop: Arc<AtomicBool>,
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
/// an unbroken one. With `stop_after` the tables and fits are left for the run that finishes, with a
/// `shard` for [`merge`](super::merge()). Several runners may share a folder: each task is locked by
/// the one that works on it, for as long as that one lives.
///
/// # Errors
/// [`StudyError::OtherStudy`] where the folder belongs to another study, [`StudyError::OtherMachine`]
/// where results of this machine would differ from those in it in their last bits; [`StudyError::Stopped`];
/// [`StudyError::Tasks`] where tasks failed, after all others are done; missing data.
pub fn run(
    study: &Study,
    folder: &RunFolder,
    options: &RunOptions,
    events: &(dyn Fn(&Event<'_>) + Sync),
) -> crate::Result<()> {
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
    let machine = Machine::this(options.engine);
    {
        let _lock = folder.hold()?;
        folder.claim(study)?;
        machine.claim(folder)?;
    }
    let context = Context {
        study,
        folder,
        split: &split,
        train: TrainingSet::from(&split.train),
        architecture: &architecture,
        schedule,
        training_budget: study.training_budget().map_err(invalid)?,
        fine_tuning_budget: study.fine_tuning_budget().map_err(invalid)?,
        engine: options.engine,
        stop: &options.stop,
        events,
    };
    let mut tasks = tasks_of(study, &architecture.name);
    if let Some(shard) = options.shard {
        tasks = shard.select(tasks);
    }
    // The widest first, so that no long task is left for the end.
    tasks.reverse();
    run_tasks(&context, &tasks, options)?;
    if options.stop_after.is_some_and(|stop| stop < context.schedule.levels()) {
        return Ok(());
    }
    tasks.reverse();
    if let Some(section) = &study.retraining {
        events(&Event::Stage("retraining"));
        units::retrain(&context, section, &tasks, options)?;
    }
    if options.shard.is_some_and(|shard| shard.of() > 1) {
        return Ok(());
    }
    let _lock = folder.hold()?;
    for below in ["", "tables", "fits", "figures"] {
        files::remove_unfinished(&folder.root().join(below))?;
    }
    super::analyse(study, folder, &architecture.name, &machine, events)
}

fn is_stopped(error: &crate::Error) -> bool {
    matches!(error, crate::Error::Study(StudyError::Stopped))
}

/// Runs every task to its end. Tasks that other runners hold are waited for after all others, and
/// done where their runner gave up.
fn run_tasks(context: &Context<'_>, tasks: &[Task], options: &RunOptions) -> crate::Result<()> {
    let folder = context.folder;
    let attempt = |task: &Task, lock: Lock| {
        if options.stop.load(Ordering::Relaxed) {
            return Err(StudyError::Stopped.into());
        }
        let failure = folder.failure(task);
        // What a killed runner left half written, and what an earlier attempt said.
        files::remove_unfinished(&task.folder(folder.root()))?;
        files::remove_unfinished(&folder.task_tables(task))?;
        if failure.is_file() {
            std::fs::remove_file(&failure).map_err(|source| files::FileError::write(&failure, source))?;
        }
        let result = run_task(context, task, options.stop_after);
        drop(lock);
        if let Err(error) = &result
            && !is_stopped(error)
        {
            files::write_atomically(&failure, |file| writeln!(file, "{error}"))?;
        }
        result
    };
    let first = in_parallel(options.jobs, tasks, |task| match Lock::try_take(&folder.lock(task))? {
        Some(lock) => attempt(task, lock).map(|()| true),
        None => Ok(false),
    });
    let mut results = Vec::with_capacity(tasks.len());
    for (task, result) in tasks.iter().zip(first) {
        results.push(match result {
            Ok(false) => Lock::take(&folder.lock(task)).map_err(Into::into).and_then(|lock| attempt(task, lock)),
            done => done.map(|_| ()),
        });
    }
    let errors = tasks.iter().zip(results).filter_map(|(task, result)| result.err().map(|error| (task, error)));
    let (stopped, failed): (Vec<_>, Vec<_>) = errors.partition(|(_, error)| is_stopped(error));
    let mut failures = failed.into_iter();
    // A failure is said before that the run was stopped.
    match failures.next() {
        None if !stopped.is_empty() => Err(StudyError::Stopped.into()),
        None => Ok(()),
        Some((task, first)) => Err(StudyError::Tasks {
            failed: 1 + failures.count(),
            tasks: tasks.len(),
            task: task.to_string(),
            first: Box::new(first),
        }
        .into()),
    }
}
