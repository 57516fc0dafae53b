//! Checksums of a task's levels: what was damaged since is named, set aside and made again.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::RunFolder;
use super::recipe::Recipe;
use super::rows::{LevelRow, ObservationRow, TopologyRow};
use crate::checkpoint::paths::Task;
use crate::files::{self, FileError};
use crate::table;

/// BLAKE3 of what a level left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LevelChecksums {
    pub level: usize,
    /// Of the checkpoint file.
    pub checkpoint: String,
    /// Of the row of levels.csv, as it is written with its header.
    pub levels: String,
    /// Of the row of percolation.csv.
    pub percolation: String,
    /// Of the file with the mask alone, where there is one.
    #[serde(default)]
    pub mask: Option<String>,
    /// Of the level's rows of topology.csv, where the study measures any.
    #[serde(default)]
    pub topology: Option<String>,
}

impl LevelChecksums {
    /// Those of a level whose checkpoint is written.
    pub(super) fn of(
        folder: &RunFolder,
        task: &Task,
        row: &LevelRow,
        observation: &ObservationRow,
        topology: &[TopologyRow],
    ) -> crate::Result<Self> {
        let of_level: Vec<&TopologyRow> = topology.iter().filter(|one| one.level == row.level).collect();
        Ok(Self {
            level: row.level,
            checkpoint: files::checksum(&task.level(folder.root(), row.level))?,
            levels: of_row(row)?,
            percolation: of_row(observation)?,
            mask: Self::of_mask(folder, task, row.level)?,
            topology: (!of_level.is_empty()).then(|| of_rows(of_level)).transpose()?,
        })
    }

    /// Of a level's mask file, where there is one.
    pub(super) fn of_mask(folder: &RunFolder, task: &Task, level: usize) -> Result<Option<String>, FileError> {
        let path = task.mask(folder.root(), level);
        path.is_file().then(|| files::checksum(&path)).transpose()
    }
}

fn of_row<T: Serialize>(row: &T) -> crate::Result<String> {
    of_rows([row])
}

fn of_rows<T: Serialize>(rows: impl IntoIterator<Item = T>) -> crate::Result<String> {
    Ok(blake3::hash(&table::to_bytes(Path::new("row"), rows)?).to_hex().to_string())
}

/// Compares what is there of a task with its checksums, and sets the first damaged file aside in
/// `log/damaged/`, so that its level and those after it are made again; gives the path it had.
///
/// A level without a checksum was not finished, and is not looked at. O(bytes of the checkpoints).
///
/// # Errors
/// Where a file cannot be read or moved.
pub(super) fn set_damaged_aside(folder: &RunFolder, task: &Task) -> crate::Result<Option<PathBuf>> {
    let recipe = Recipe::path(folder, task);
    if recipe.is_file() && Recipe::there(folder, task).is_err() {
        return set_aside(folder, recipe);
    }
    let [sums, levels, percolation] = ["checksums", "levels", "percolation"].map(|name| folder.task_table(task, name));
    if !sums.is_file() && !levels.is_file() {
        return Ok(None);
    }
    // Without them nothing can be trusted.
    let known: Vec<LevelChecksums> = table::read_rows(&sums).unwrap_or_default();
    // levels.csv is written last: when a runner is killed the others may have a row more.
    let finished = table::read_rows::<LevelRow>(&levels).map_or(0, |rows| rows.len());
    if finished > known.len() {
        return set_aside(folder, if sums.is_file() { sums } else { levels });
    }
    if levels.is_file() && !is_intact::<LevelRow>(&levels, known.iter().map(|sums| &sums.levels)) {
        return set_aside(folder, levels);
    }
    if percolation.is_file() && !is_intact::<ObservationRow>(&percolation, known.iter().map(|sums| &sums.percolation)) {
        return set_aside(folder, percolation);
    }
    let topology = folder.task_table(task, "topology");
    if topology.is_file() && !is_topology_intact(&topology, &known) {
        return set_aside(folder, topology);
    }
    for sums in &known {
        let path = task.level(folder.root(), sums.level);
        if path.is_file() && files::checksum(&path)? != sums.checkpoint {
            return set_aside(folder, path);
        }
        let path = task.mask(folder.root(), sums.level);
        if sums.mask.is_some() && path.is_file() && LevelChecksums::of_mask(folder, task, sums.level)? != sums.mask {
            return set_aside(folder, path);
        }
    }
    Ok(None)
}

/// Moves a file of a run folder into `log/damaged/`, under its path in the folder; gives the path it had.
pub(super) fn set_aside(folder: &RunFolder, path: PathBuf) -> crate::Result<Option<PathBuf>> {
    let name = path.strip_prefix(folder.root()).unwrap_or(&path).to_string_lossy().replace(['/', '\\'], "-");
    let damaged = folder.root().join("log").join("damaged");
    let attempt = || {
        std::fs::create_dir_all(&damaged)?;
        std::fs::rename(&path, damaged.join(name))
    };
    attempt().map_err(|source| FileError::write(&path, source))?;
    Ok(Some(path))
}

/// Whether a table can be read and its rows have these hashes; it may have one row more.
fn is_intact<'a, T: Serialize + DeserializeOwned>(
    path: &Path,
    known: impl ExactSizeIterator<Item = &'a String>,
) -> bool {
    let Ok(rows) = table::read_rows::<T>(path) else { return false };
    rows.len() <= known.len() + 1
        && rows.iter().zip(known).all(|(row, known)| of_row(row).is_ok_and(|hash| hash == *known))
}

/// Whether the table can be read and the rows of each level have their hash; it may have one level more.
fn is_topology_intact(path: &Path, known: &[LevelChecksums]) -> bool {
    let Ok(rows) = table::read_rows::<TopologyRow>(path) else { return false };
    rows.iter().all(|row| row.level <= known.len())
        && known.iter().all(|sums| {
            let of_level: Vec<&TopologyRow> = rows.iter().filter(|row| row.level == sums.level).collect();
            of_level.is_empty() || of_rows(of_level).is_ok_and(|hash| sums.topology == Some(hash))
        })
}
