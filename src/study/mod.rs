//! Studies: one TOML file says what to train, prune, measure, rewire and fit; a runner does it,
//! level by level, and goes on where it was stopped.
//!
//! A run folder holds `study.json` (the study as it was understood), `machine.json`, `checkpoints/`, `tables/`,
//! `fits/`, `figures/`, `manifest.json` (versions, device, checksums) and `log/` (times), which no
//! comparison of bytes includes.

mod analysis;
mod checksums;
mod context;
mod event;
mod file;
mod fits;
mod folder;
mod keep;
mod lines;
mod lock;
mod machine;
mod manifest;
mod merge;
mod observables;
mod order_parameter;
mod parallel;
mod plan;
mod recipe;
mod replicates;
mod retraining;
mod rows;
mod runner;
mod sections;
mod shard;
mod slurm;
mod status;
mod task;
mod units;

pub use analysis::analyse;
pub use event::Event;
pub use file::Study;
pub use folder::RunFolder;
pub use keep::Keep;
pub use lock::Lock;
pub use machine::Machine;
pub use merge::{Merged, merge};
pub use observables::Observables;
pub use parallel::in_parallel;
pub use plan::{Plan, PlannedTask, plan};
pub use replicates::Replicates;
pub use retraining::{Retraining, RetrainingSample};
pub use rows::{LevelRow, ObservationRow, TopologyRow};

pub use crate::comparison::RetrainingRow;
pub use runner::{RunOptions, run};
pub use sections::{
    Collapse, DataSection, Fit, NetworkSection, PruningSection, RetrainingSection, TrainingSection, WeightSource,
};
pub use shard::Shard;
pub use slurm::{SlurmOptions, SlurmScripts, write_slurm};
pub use status::{Status, TaskStatus, status};
pub use task::tasks_of;

use std::path::PathBuf;

use thiserror::Error;

/// A study cannot be read or run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StudyError {
    /// The study file is not valid.
    #[error("{origin}: {message}")]
    File {
        /// The file.
        origin: String,
        /// The line, what is wrong and what would be right.
        message: String,
    },
    /// The folder holds the results of another study.
    #[error("{}: holds the results of another study ({difference} differs); take another folder", folder.display())]
    OtherStudy {
        /// The folder.
        folder: PathBuf,
        /// The first key that differs.
        difference: String,
    },
    /// The results of a task were made by another recipe.
    #[error("{}: these results were made otherwise ({difference} differs); take another folder", path.display())]
    OtherRecipe {
        /// The recipe of what is there.
        path: PathBuf,
        /// The first key that differs.
        difference: String,
    },
    /// The run was asked to stop.
    #[error("stopped: what was made is saved, and the same command goes on from there")]
    Stopped,
    /// The folder does not hold a run.
    #[error("{}: not a run folder: it has no study.json; `prunephase run STUDY.toml --out DIR` makes one", folder.display())]
    NotARun {
        /// The folder.
        folder: PathBuf,
    },
    /// A file of the run folder is not what the runner wrote.
    #[error("{}: {message}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The folder's results come from a machine that computes other last bits.
    #[error("{}: was run on another kind of machine ({difference}), whose results differ in their last bits; \
        finish it there, or take another folder", folder.display())]
    OtherMachine {
        /// The folder.
        folder: PathBuf,
        /// What differs, with both values.
        difference: String,
    },
    /// Two folders cannot be merged.
    #[error("{} and {}: {message}", first.display(), second.display())]
    Conflict {
        /// One folder, or a file in it.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// What differs.
        message: String,
    },
    /// A task is not done.
    #[error("{task}: {done} of {of} {what} are done; `prunephase run` with this folder goes on")]
    Unfinished {
        /// The task.
        task: String,
        /// `levels` or `retrained levels`.
        what: &'static str,
        /// How many are done.
        done: usize,
        /// How many there are.
        of: usize,
    },
    /// Not the name of a shard.
    #[error("shard `{text}`: must be I/N with I from 1 to N, for example 1/4")]
    Shard {
        /// What was given.
        text: String,
    },
    /// Tasks failed; the others are done.
    #[error("{failed} of {tasks} tasks failed; the first: {task}: {first}")]
    Tasks {
        /// How many failed.
        failed: usize,
        /// How many there are.
        tasks: usize,
        /// The first that failed.
        task: String,
        /// What it said.
        first: Box<crate::Error>,
    },
}
