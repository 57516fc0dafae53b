//! What a figure is drawn from: tables and JSON files, with their checksums.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::error::FigureError;
use crate::files;
use crate::table::Table;

/// A file that was read.
#[derive(Debug, Clone)]
pub(super) struct Provenance {
    /// Its name within the folder, the same on every machine.
    pub name: String,
    pub checksum: String,
}

/// A table that was read.
#[derive(Debug)]
pub(super) struct Input {
    pub table: Table,
    pub provenance: Provenance,
}

/// A file by its path and its name within the folder.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    path: PathBuf,
    name: String,
}

impl Found {
    pub fn within(folder: &Path, name: &str) -> Option<Self> {
        let path = folder.join(name);
        path.is_file().then(|| Self { path, name: name.to_owned() })
    }

    pub fn alone(path: &Path) -> Self {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self { path: path.to_path_buf(), name }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    fn bytes(&self) -> Result<(Vec<u8>, Provenance), FigureError> {
        let bytes = files::read(&self.path)?;
        let checksum = blake3::hash(&bytes).to_hex().to_string();
        Ok((bytes, Provenance { name: self.name.clone(), checksum }))
    }

    /// Whether it may be JSON, by its name.
    pub fn is_json(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension == "json")
    }

    /// Reads it as a table.
    pub fn table(&self) -> Result<Input, FigureError> {
        let (bytes, provenance) = self.bytes()?;
        Ok(Input { table: Table::parse(&self.path, &bytes)?, provenance })
    }

    /// Reads it as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<(T, Provenance), FigureError> {
        let (bytes, provenance) = self.bytes()?;
        let value = serde_json::from_slice(&bytes)
            .map_err(|error| FigureError::Json { path: self.path.clone(), reason: error.to_string() })?;
        Ok((value, provenance))
    }

    /// Why the fit behind a JSON file failed, where it did.
    pub fn failure(&self) -> Result<Option<String>, FigureError> {
        let (value, _): (serde_json::Value, _) = self.json()?;
        Ok(value.get("failed").map(|reason| {
            let reason = reason.as_str().map_or_else(|| reason.to_string(), str::to_owned);
            format!("{}: the fit failed: {}", self.name, reason.replace('\n', " "))
        }))
    }
}
