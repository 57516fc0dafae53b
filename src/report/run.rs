//! What a run folder holds.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::ReportError;
use crate::files;
use crate::table::Table;

/// A run folder's files, as far as a report needs them.
pub(super) struct Run {
    pub folder: PathBuf,
    pub study: Option<Value>,
    pub manifest: Option<Value>,
    /// The fits by name: the files of `fits/`.
    pub fits: Vec<(String, Value)>,
}

impl Run {
    pub fn read(folder: &Path) -> Result<Self, ReportError> {
        let manifest = json(&folder.join("manifest.json"))?;
        let study = match json(&folder.join("study.json"))? {
            None => manifest.as_ref().and_then(|manifest| manifest.get("study")).cloned(),
            study => study,
        };
        let mut fits = Vec::new();
        for path in files_in(&folder.join("fits"), "json") {
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            if let Some(fit) = json(&path)? {
                fits.push((name, fit));
            }
        }
        let run = Self { folder: folder.to_path_buf(), study, manifest, fits };
        if run.fits.is_empty() && run.checksums()?.is_empty() {
            return Err(ReportError::Nothing { folder: folder.to_path_buf() });
        }
        Ok(run)
    }

    /// A table by name, where it is there: in `tables/`, or beside the manifest.
    pub fn table(&self, name: &str) -> Result<Option<Table>, ReportError> {
        let name = format!("{name}.csv");
        let path =
            [self.folder.join("tables").join(&name), self.folder.join(&name)].into_iter().find(|path| path.is_file());
        Ok(path.map(|path| Table::read(&path)).transpose()?)
    }

    /// The study's name, or the folder's.
    pub fn name(&self) -> String {
        let own = self.study.as_ref().and_then(|study| study.get("name")).and_then(Value::as_str);
        let folder = || self.folder.file_name().map(|name| name.to_string_lossy().into_owned());
        own.map(str::to_owned).or_else(folder).unwrap_or_else(|| "run".into())
    }

    /// Every table and fit with its BLAKE3 checksum, by its path in the folder.
    pub fn checksums(&self) -> Result<Vec<(String, String)>, ReportError> {
        let mut sums = Vec::new();
        for (below, extension) in [("", "csv"), ("tables", "csv"), ("fits", "json")] {
            for path in files_in(&self.folder.join(below), extension) {
                let name = path.strip_prefix(&self.folder).unwrap_or(&path).display().to_string();
                sums.push((name, files::checksum(&path)?));
            }
        }
        Ok(sums)
    }
}

/// The files of a folder with this extension, by name; none where there is no folder.
fn files_in(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.is_file() && path.extension().is_some_and(|found| found == extension)).collect();
    paths.sort();
    paths
}

fn json(path: &Path) -> Result<Option<Value>, ReportError> {
    if !path.is_file() {
        return Ok(None);
    }
    let text = files::read_text(path)?;
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| ReportError::Json { path: path.to_path_buf(), message: format!("not JSON: {error}") })
}
