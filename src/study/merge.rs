//! One run folder from shards.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::analysis::analyse;
use super::event::Event;
use super::machine::Machine;
use super::task::{levels_done, tasks_of};
use super::{RunFolder, StudyError};
use crate::checkpoint::paths::Task;
use crate::files::{self, FileError};
use crate::network::Architecture;

/// What [`merge`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The tasks that are somewhere.
    pub tasks: usize,
    /// The tasks of the study.
    pub of: usize,
    /// Why tables and fits could not be made, where tasks are not finished.
    pub unfinished: Option<String>,
}

/// Merges the folders of shards into `out`, which may hold some of the tasks itself, and makes tables,
/// fits and manifest where all tasks are finished: the bytes of one run. The order of the folders does
/// not matter; `log/` is taken along.
///
/// Of a task that is in several folders the one with the most levels is taken, and what the others hold
/// of it must be the same bytes, but for tables of fewer levels.
///
/// # Errors
/// [`StudyError::Conflict`] where two folders differ in the study, in the kind of machine, or in a file of
/// one task; then `out` holds no new file. [`StudyError::NotARun`].
pub fn merge(sources: &[PathBuf], out: &Path, events: &(dyn Fn(&Event<'_>) + Sync)) -> crate::Result<Merged> {
    let mut folders: Vec<RunFolder> = sources.iter().map(RunFolder::new).collect();
    let out = RunFolder::new(out);
    // First, so that of equals its own files stay and nothing is copied again.
    folders.retain(|folder| *folder != out);
    if out.study_file().is_file() {
        folders.insert(0, out.clone());
    }
    let [first, others @ ..] = &folders[..] else {
        return Err(StudyError::NotARun { folder: out.root().to_path_buf() }.into());
    };
    let (study, machine) = (first.study()?, machine_of(first)?);
    for other in others {
        let conflict = |message| StudyError::Conflict {
            first: first.root().to_path_buf(),
            second: other.root().to_path_buf(),
            message,
        };
        if other.study()? != study {
            return Err(conflict("hold different studies".to_owned()).into());
        }
        if let Some(difference) = machine.difference(&machine_of(other)?) {
            return Err(conflict(format!("were run on different kinds of machine ({difference})")).into());
        }
    }
    let architecture = Architecture::load(&study.network.architecture)?;
    let tasks = tasks_of(&study, &architecture.name);
    // All is compared before anything is written.
    let mut copies = Vec::new();
    let mut found = 0;
    for task in &tasks {
        let mut holders: Vec<&RunFolder> =
            folders.iter().filter(|folder| task.folder(folder.root()).is_dir()).collect();
        holders.sort_by_key(|folder| std::cmp::Reverse((levels_done(folder, &study, task), retrained(folder, task))));
        let Some((best, rest)) = holders.split_first() else { continue };
        found += 1;
        for other in rest {
            agree(best, other, task)?;
        }
        // Retrained levels may be spread over folders of equal levels.
        let mut taken = BTreeMap::new();
        for holder in std::iter::once(best).chain(rest) {
            for name in files_of(holder, task)? {
                taken.entry(name).or_insert(holder.root());
            }
        }
        let sources = taken.into_iter().map(|(name, root)| (root.join(&name), out.root().join(name)));
        copies.extend(sources.filter(|(source, target)| source != target));
    }
    let _lock = out.hold()?;
    out.claim(&study)?;
    machine.claim(&out)?;
    for (source, target) in copies {
        copy(&source, &target)?;
    }
    files::sync_all_below(out.root())?;
    let unfinished = match analyse(&study, &out, &architecture.name, &machine, events) {
        Ok(()) => None,
        Err(crate::Error::Study(error @ StudyError::Unfinished { .. })) => Some(error.to_string()),
        Err(error) => return Err(error),
    };
    Ok(Merged { tasks: found, of: tasks.len(), unfinished })
}

fn machine_of(folder: &RunFolder) -> crate::Result<Machine> {
    let damaged =
        || StudyError::Damaged { path: folder.machine_file(), message: "is missing: nothing was run here".into() };
    Ok(Machine::of_folder(folder)?.ok_or_else(damaged)?)
}

/// The number of tables of retrained levels.
fn retrained(folder: &RunFolder, task: &Task) -> usize {
    let below = files::below(&folder.task_tables(task)).unwrap_or_default();
    below.iter().filter(|path| path.to_string_lossy().contains("-level-")).count()
}

/// The names within the folder of everything a task left.
fn files_of(folder: &RunFolder, task: &Task) -> Result<Vec<PathBuf>, FileError> {
    let mut paths = vec![folder.log(task)];
    paths.retain(|path| path.is_file());
    for below in [task.folder(folder.root()), folder.task_tables(task)] {
        if below.is_dir() {
            paths.extend(files::below(&below)?.into_iter().filter(|path| !files::is_unfinished(path)));
        }
    }
    Ok(paths.iter().filter_map(|path| path.strip_prefix(folder.root()).ok()).map(Path::to_path_buf).collect())
}

/// Checks that what `less` holds of a task is what `more` holds.
fn agree(more: &RunFolder, less: &RunFolder, task: &Task) -> crate::Result<()> {
    let log = Path::new("log");
    for name in files_of(less, task)?.into_iter().filter(|name| !name.starts_with(log)) {
        let (first, second) = (more.root().join(&name), less.root().join(&name));
        if !first.is_file() {
            continue;
        }
        let (one, two) = (files::read(&first)?, files::read(&second)?);
        // A table of fewer levels is the beginning of one of more.
        let grows = name
            .file_stem()
            .is_some_and(|stem| ["levels", "percolation", "topology", "checksums"].iter().any(|name| stem == *name));
        if one != two && !(grows && one.starts_with(&two)) {
            let message = format!("differ in what {task} gave: one of them is damaged, or not of this study");
            return Err(StudyError::Conflict { first, second, message }.into());
        }
    }
    Ok(())
}

fn copy(source: &Path, target: &Path) -> Result<(), FileError> {
    let mut from = std::fs::File::open(source).map_err(|error| FileError::read(source, error))?;
    files::write_unsynced(target, |file| std::io::copy(&mut from, file).map(|_| ()))
}
