//! What a run tells while it goes on.

use super::rows::LevelRow;
use crate::checkpoint::paths::Task;
use crate::training::Progress;

/// What a run tells while it goes on; called from several threads.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// An optimiser step was done.
    Step {
        /// The task.
        task: &'a Task,
        /// The level.
        level: usize,
        /// How far its training is.
        progress: Progress,
    },
    /// A level was done, or was there already.
    Level {
        /// The task.
        task: &'a Task,
        /// What was measured.
        row: &'a LevelRow,
        /// The task's last level.
        last: usize,
        /// Whether it was there already.
        resumed: bool,
    },
    /// A retraining was done, or was there already.
    Retrained {
        /// Done so far.
        done: usize,
        /// In all.
        of: usize,
    },
    /// Something that a user should know.
    Warning(&'a str),
    /// A stage of the analysis begins.
    Stage(&'a str),
}
