//! Where a run keeps its files.

use std::path::{Path, PathBuf};

use super::lock::Lock;
use super::{Study, StudyError, recipe};
use crate::checkpoint::paths::Task;
use crate::files;

/// The folder of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    root: PathBuf,
}

impl RunFolder {
    /// The run folder at `root`, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The study as it was understood.
    pub fn study_file(&self) -> PathBuf {
        self.root.join("study.json")
    }

    /// The folders below `shards/`, by name.
    ///
    /// # Errors
    /// Where `shards/` cannot be read.
    pub fn shards(&self) -> crate::Result<Vec<Self>> {
        let below = self.root.join("shards");
        if !below.is_dir() {
            return Ok(Vec::new());
        }
        let failed = |source| files::FileError::read(&below, source);
        let entries = std::fs::read_dir(&below).map_err(failed)?;
        let mut found =
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
        found.sort();
        Ok(found.into_iter().map(Self::new).collect())
    }

    /// The machine on which it was run, see [`Machine`](super::Machine).
    pub fn machine_file(&self) -> PathBuf {
        self.root.join("machine.json")
    }

    /// Versions, device and checksums.
    pub fn manifest(&self) -> PathBuf {
        self.root.join("manifest.json")
    }

    /// A table of the whole run, for example `levels`.
    pub fn table(&self, name: &str) -> PathBuf {
        self.root.join("tables").join(format!("{name}.csv"))
    }

    /// The tables that one task wrote.
    pub fn task_tables(&self, task: &Task) -> PathBuf {
        self.root.join("tables").join("tasks").join(task.to_string())
    }

    /// The part of a table that one task wrote.
    pub fn task_table(&self, task: &Task, name: &str) -> PathBuf {
        self.task_tables(task).join(format!("{name}.csv"))
    }

    /// A fit's result, for example `collapse`.
    pub fn fit(&self, name: &str) -> PathBuf {
        self.root.join("fits").join(format!("{name}.json"))
    }

    /// Where figures go.
    pub fn figures(&self) -> PathBuf {
        self.root.join("figures")
    }

    /// The times of one task; no comparison of bytes includes them.
    pub fn log(&self, task: &Task) -> PathBuf {
        self.root.join("log").join(format!("{}.csv", task))
    }

    /// The lock of one task; the runner that works on it holds it.
    pub(super) fn lock(&self, task: &Task) -> PathBuf {
        self.root.join("log").join(format!("{task}.lock"))
    }

    /// The lock of study.json, machine.json and the tables of the whole run.
    pub(super) fn analysis_lock(&self) -> PathBuf {
        self.root.join("log").join("analysis.lock")
    }

    /// Keeps other runners from the tables and figures of the whole run until the lock is dropped; waits where one is
    /// at them.
    ///
    /// # Errors
    /// [`FileError`](crate::files::FileError) where the lock cannot be made.
    pub fn hold(&self) -> Result<Lock, crate::files::FileError> {
        Lock::take(&self.analysis_lock())
    }

    /// Why a task failed when it was last tried; not there otherwise.
    pub fn failure(&self, task: &Task) -> PathBuf {
        self.root.join("log").join(format!("{task}.failed"))
    }

    /// The study that this folder holds.
    ///
    /// # Errors
    /// [`StudyError::NotARun`] without a study.json; [`StudyError::Damaged`] where it does not parse.
    pub fn study(&self) -> crate::Result<Study> {
        let path = self.study_file();
        if !path.is_file() {
            return Err(StudyError::NotARun { folder: self.root.clone() }.into());
        }
        let text = files::read_text(&path)?;
        let study = serde_json::from_str(&text)
            .map_err(|error| StudyError::Damaged { path, message: format!("not a study: {error}") })?;
        Ok(study)
    }

    /// Claims the folder for `study`: writes study.json, or checks that the results of the one there are
    /// results of `study` too. It may have more widths, replicates, levels and retrainings, other fits and
    /// another name, and keep other checkpoints.
    ///
    /// # Errors
    /// [`StudyError::OtherStudy`] with the first key that differs.
    pub fn claim(&self, study: &Study) -> crate::Result<()> {
        let path = self.study_file();
        if path.is_file() {
            let there = self.study()?;
            if there == *study {
                return Ok(());
            }
            if let Some(difference) = recipe::difference(&there, study).or_else(|| lacking(study, &there)) {
                return Err(StudyError::OtherStudy { folder: self.root.clone(), difference }.into());
            }
            // Its tables are those of the smaller study, until the run is finished again.
            let manifest = self.manifest();
            if manifest.is_file() {
                std::fs::remove_file(&manifest).map_err(|source| files::FileError::write(&manifest, source))?;
            }
        }
        write_json(&path, study)
    }
}

/// The first key by which a study has less than another with the same recipes: results of the other would
/// belong to no task or retraining of it.
fn lacking(study: &Study, other: &Study) -> Option<String> {
    fn has_all<T: PartialEq>(mine: &[T], theirs: &[T]) -> bool {
        theirs.iter().all(|value| mine.contains(value))
    }
    let mut checks = vec![
        ("network.replicates", has_replicates(study, other)),
        ("network.widths", has_all(&study.network.widths, &other.network.widths)),
        ("pruning.levels", study.pruning.levels >= other.pruning.levels),
    ];
    match (&study.retraining, &other.retraining) {
        (_, None) => {}
        (None, Some(_)) => checks.push(("retraining", false)),
        (Some(mine), Some(theirs)) => checks.extend([
            ("retraining.widths", has_all(&mine.widths, &theirs.widths)),
            ("retraining.replicates", mine.replicates >= theirs.replicates),
            ("retraining.densities", has_all(&mine.densities, &theirs.densities)),
            ("retraining.nulls", has_all(&mine.nulls, &theirs.nulls)),
            ("retraining.samples", mine.samples >= theirs.samples),
            ("retraining.seeds", mine.seeds >= theirs.seeds),
            ("retraining.weights", has_all(&mine.weights, &theirs.weights)),
            ("retraining.swaps-per-edge", mine.swaps_per_edge == theirs.swaps_per_edge),
            ("retraining.chain", mine.chain == theirs.chain),
            ("retraining.epochs", mine.epochs == theirs.epochs),
            ("retraining.steps", mine.steps == theirs.steps),
        ]),
    }
    checks.into_iter().find(|(_, holds)| !holds).map(|(key, _)| key.to_owned())
}

/// Whether a study has, of every width of another, at least its replicates.
fn has_replicates(study: &Study, other: &Study) -> bool {
    let lacks = |&width: &usize| {
        study.network.widths.contains(&width) && study.network.replicates_of(width) < other.network.replicates_of(width)
    };
    !other.network.widths.iter().any(lacks)
}

/// Writes `value` as indented JSON, whole or not at all.
pub(super) fn write_json<T: serde::Serialize>(path: &Path, value: &T) -> crate::Result<()> {
    let damaged = |error: serde_json::Error| StudyError::Damaged {
        path: path.to_path_buf(),
        message: format!("cannot be written as JSON: {error}"),
    };
    let mut text = serde_json::to_string_pretty(value).map_err(damaged)?;
    text.push('\n');
    files::write_atomically(path, |file| file.write_all(text.as_bytes()))?;
    Ok(())
}
