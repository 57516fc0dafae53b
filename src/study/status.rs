//! What of a run is done and what is left.

use serde::Serialize;

use super::lock::Lock;
use super::task::{levels_done, tasks_of};
use super::{RunFolder, StudyError};
use crate::checkpoint::paths::Task;
use crate::files;
use crate::network::Architecture;

/// One task's part of a [`Status`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskStatus {
    /// The task.
    pub task: String,
    /// Levels done, the dense one included.
    pub done: usize,
    /// Levels in all, the dense one included.
    pub levels: usize,
    /// Whether a runner works on it now, as far as this machine can see.
    pub running: bool,
    /// Why it failed when it was last tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// What of a run is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The study's name.
    pub study: String,
    /// By width, then by replicate.
    pub tasks: Vec<TaskStatus>,
    /// Whether tables, fits and manifest are written.
    pub finished: bool,
}

/// Reads what is done in a run folder, and in the folders of its shards below `shards/`: of a task that is
/// in several, where it is furthest.
///
/// # Errors
/// [`StudyError::NotARun`], [`StudyError::Damaged`].
pub fn status(folder: &RunFolder) -> crate::Result<Status> {
    let mut folders = folder.shards()?;
    folders.insert(0, folder.clone());
    folders.retain(|folder| folder.study_file().is_file());
    let study = folders.first().unwrap_or(folder).study()?;
    let architecture = Architecture::load(&study.network.architecture)?;
    let invalid = |message| StudyError::File { origin: study.name.clone(), message };
    let levels = study.schedule().map_err(invalid)?.levels() + 1;
    let of_task = |task: &Task| TaskStatus {
        task: task.to_string(),
        done: folders.iter().map(|folder| levels_done(folder, &study, task)).max().unwrap_or(0),
        levels,
        running: folders.iter().any(|folder| Lock::is_held(&folder.lock(task))),
        failed: folders
            .iter()
            .find_map(|folder| files::read_text(&folder.failure(task)).ok())
            .map(|text| text.trim_end().to_owned()),
    };
    let tasks = tasks_of(&study, &architecture.name).iter().map(of_task).collect();
    Ok(Status { study: study.name, tasks, finished: folder.manifest().is_file() })
}
