//! Where data sets are looked for.

use std::env;
use std::path::{Path, PathBuf};

use super::error::DataError;
use super::sets::{OfficialFile, Source};

/// Folders that may hold data sets, in the order in which they are tried; a set's files are in
/// `FOLDER/SET/` or in `FOLDER/` itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Locations {
    folders: Vec<PathBuf>,
}

impl Locations {
    /// These folders alone.
    pub fn new(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        let mut unique = Vec::new();
        for folder in folders {
            if !unique.contains(&folder) {
                unique.push(folder);
            }
        }
        Self { folders: unique }
    }

    /// `data_dir` (the option `--data-dir`), then the environment's `PRUNEPHASE_DATA`, then
    /// `prunephase` in the user's cache folder (`XDG_CACHE_HOME`, else `HOME/.cache`).
    pub fn from_environment(data_dir: Option<PathBuf>) -> Self {
        let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let cache = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
        let folders = [data_dir, variable("PRUNEPHASE_DATA"), cache.map(|cache| cache.join("prunephase"))];
        Self::new(folders.into_iter().flatten())
    }

    /// The folders, in order.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }
}

/// The file, plain or gzipped, where it is in `folder`.
fn in_folder(folder: &Path, file: &OfficialFile) -> Option<PathBuf> {
    [file.name.to_owned(), format!("{}.gz", file.name)].iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

/// What was found: one folder, and the path of each file that is in it.
pub(super) struct Found {
    pub paths: Vec<Option<PathBuf>>,
    /// Every folder that was looked into.
    looked: Vec<PathBuf>,
}

/// The first folder that has all `files`, else the one that has most of them: files of one set are
/// never taken from different folders.
pub(super) fn find(locations: &Locations, source: &Source, files: &[&OfficialFile]) -> Found {
    let looked: Vec<PathBuf> =
        locations.folders.iter().flat_map(|folder| [folder.join(source.folder), folder.clone()]).collect();
    let mut best = vec![None; files.len()];
    let count = |paths: &[Option<PathBuf>]| paths.iter().flatten().count();
    for folder in &looked {
        let paths: Vec<_> = files.iter().map(|file| in_folder(folder, file)).collect();
        if count(&paths) > count(&best) {
            best = paths;
        }
    }
    Found { paths: best, looked }
}

impl Found {
    /// The paths, where none is missing.
    ///
    /// # Errors
    /// [`DataError::Missing`].
    pub fn all(
        self,
        name: &str,
        source: &Source,
        files: &[&OfficialFile],
        locations: &Locations,
    ) -> Result<Vec<PathBuf>, DataError> {
        let missing: Vec<String> = files
            .iter()
            .zip(&self.paths)
            .filter(|(_, path)| path.is_none())
            .map(|(file, _)| format!("{}[.gz]", file.name))
            .collect();
        if missing.is_empty() {
            return Ok(self.paths.into_iter().flatten().collect());
        }
        let partly = self.paths.iter().flatten().next().and_then(|path| path.parent().map(Path::to_path_buf));
        let into = partly.or_else(|| locations.folders.first().map(|folder| folder.join(source.folder)));
        let into =
            into.map_or_else(|| "a folder given by --data-dir".to_owned(), |folder| folder.display().to_string());
        let looked: Vec<String> = self.looked.iter().map(|folder| folder.display().to_string()).collect();
        let short = if name == "kmnist" { ", or use kmnist-10k, which needs the test files alone" } else { "" };
        Err(DataError::Missing {
            name: name.to_owned(),
            files: missing.join(", "),
            looked: if looked.is_empty() { "any folder, for none is given".into() } else { looked.join(", ") },
            remedy: format!("download from {} into {into}{short}", source.url),
        })
    }
}
