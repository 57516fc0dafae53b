//! `prunephase run`: train, prune, fine-tune, measure; resumes what is there.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use prunephase::data::Locations;
use prunephase::study::{self, Event, RunFolder, RunOptions, Shard, Study, tasks_of};
use prunephase::training::{Device, Engine, EngineChoice};

use crate::{examples, interrupt, output, progress, summary};

/// Train, prune, fine-tune and measure a study; resumes what is there
#[derive(Debug, clap::Args)]
#[command(after_long_help = examples::RUN)]
pub struct RunArgs {
    /// The study file
    study: PathBuf,
    /// The run folder; what is done in it is not done again
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    execution: Execution,
    /// Do the I-th of N parts of the tasks, I from 1 to N; `merge` makes one folder of all parts
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Stop every task after this level; a later run goes on
    #[arg(long, value_name = "LEVEL")]
    stop_after_level: Option<usize>,
}

/// What trains, for every command that trains.
#[derive(Debug, Clone, clap::Args)]
pub struct EngineArgs {
    /// What trains: sparse (own kernels for the surviving weights), burn (the reference), or auto: sparse
    /// for the networks it covers
    #[arg(long, default_value = "auto")]
    engine: EngineChoice,
    /// Where burn's tensors live: flex, or ndarray in a build with that feature
    #[arg(long, default_value = "flex")]
    device: Device,
}

impl EngineArgs {
    /// The engine.
    pub fn engine(&self) -> Engine {
        Engine { choice: self.engine, device: self.device }
    }
}

/// How to execute, for every command that trains.
#[derive(Debug, Clone, clap::Args)]
pub struct Execution {
    /// Trainings side by side, one thread each; results do not depend on it [default: the cores]
    #[arg(long)]
    pub jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    engine: EngineArgs,
    /// Where data sets are looked for first; then PRUNEPHASE_DATA, then the user's cache folder
    #[arg(long)]
    pub data_dir: Option<PathBuf>,
}

impl Execution {
    /// The options of a run, to its end.
    pub fn options(&self) -> RunOptions {
        RunOptions {
            jobs: self.jobs.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN),
            engine: self.engine.engine(),
            locations: Locations::from_environment(self.data_dir.clone()),
            stop_after: None,
            shard: None,
            stop: Arc::default(),
        }
    }
}

/// Runs the command.
pub fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let study = Study::read(&args.study)?;
    let folder = RunFolder::new(&args.out);
    let options = RunOptions { stop_after: args.stop_after_level, shard: args.shard, ..args.execution.options() };
    execute(&study, &folder, &options)?;
    if let Some(shard) = args.shard.filter(|shard| shard.of() > 1) {
        println!("shard {shard} is done; with the others: prunephase merge DIR... --out DIR");
    } else if folder.manifest().is_file() {
        summary::print(&folder)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs a study with a progress bar.
pub fn execute(study: &Study, folder: &RunFolder, options: &RunOptions) -> anyhow::Result<()> {
    let levels = study.schedule().map_err(anyhow::Error::msg)?.levels();
    let levels = options.stop_after.map_or(levels, |stop| stop.min(levels)) + 1;
    let tasks =
        (0..tasks_of(study, "").len()).filter(|&task| options.shard.is_none_or(|shard| shard.holds(task))).count();
    let bar = progress::bar((tasks * levels) as u64, "levels");
    let options = RunOptions { stop: interrupt::flag()?, ..options.clone() };
    let (made, there) = (AtomicUsize::new(0), AtomicUsize::new(0));
    study::run(study, folder, &options, &|event| match event {
        Event::Level { task, row, last, resumed } => {
            if *resumed { &there } else { &made }.fetch_add(1, Ordering::Relaxed);
            if *resumed {
                // Resumed levels take no time: they would make the time left far too short.
                bar.set_length(bar.length().unwrap_or(0).saturating_sub(1));
            } else {
                bar.inc(1);
            }
            let (level, density, accuracy) = (row.level, row.density, row.accuracy);
            bar.set_message(format!("density {density:.4}, accuracy {accuracy:.3}, {task} level {level}/{last}"));
        }
        Event::Retrained { done, of } => {
            bar.set_length(*of as u64);
            bar.set_position(*done as u64);
        }
        Event::Warning(warning) => bar.suspend(|| output::warn(&[(*warning).to_owned()])),
        Event::Stage(stage) => {
            // The time left is that of the stage.
            bar.reset();
            bar.set_prefix((*stage).to_owned());
            bar.set_message("");
        }
        _ => {}
    })?;
    bar.finish_and_clear();
    let there = there.into_inner();
    if there > 0 {
        println!("{} levels made, {there} were there already", made.into_inner());
    }
    Ok(())
}
