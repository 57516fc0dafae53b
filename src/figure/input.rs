//! What a figure is drawn from: tables and JSON files, with their checksums.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::error::FigureError;
use super::kind::Kind;
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

/// The files of a figure: all that it needs are there.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sources {
    pub levels: Option<Found>,
    pub percolation: Option<Found>,
    pub table: Option<Found>,
    pub fit: Option<Found>,
}

/// A file by its path and its name within the folder.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    path: PathBuf,
    name: String,
}

impl Found {
    fn within(folder: &Path, name: &str) -> Option<Self> {
        let path = folder.join(name);
        path.is_file().then(|| Self { path, name: name.to_owned() })
    }

    fn alone(path: &Path) -> Self {
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
    fn failure(&self) -> Result<Option<String>, FigureError> {
        let (value, _): (serde_json::Value, _) = self.json()?;
        Ok(value.get("failed").map(|reason| {
            let reason = reason.as_str().map_or_else(|| reason.to_string(), str::to_owned);
            format!("{}: the fit failed: {}", self.name, reason.replace('\n', " "))
        }))
    }
}

/// What is missing, in one line.
pub(super) type Missing = String;

fn lacking(folder: &Path, names: &[&str]) -> Missing {
    format!("no {} in {}", names.join(" and no "), folder.display())
}

/// The files of a figure in a run folder, or what is missing.
fn in_folder(kind: Kind, folder: &Path) -> Result<Sources, Missing> {
    let need = |names: &[&str]| -> Result<Vec<Found>, Missing> {
        let found: Vec<Option<Found>> = names.iter().map(|name| Found::within(folder, name)).collect();
        let absent: Vec<&str> =
            names.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(name, _)| *name).collect();
        if absent.is_empty() { Ok(found.into_iter().flatten().collect()) } else { Err(lacking(folder, &absent)) }
    };
    let fitted = |name: &str| -> Result<Sources, Missing> {
        // A run has them in two folders; `fit --out` and `collapse --out` write both into one.
        let both = [
            [format!("fits/{name}.json"), format!("tables/{name}.csv")],
            [format!("{name}.json"), format!("{name}.csv")],
        ];
        for [json, table] in &both {
            let fit = Found::within(folder, json);
            // A fit that failed has no table: its own reason says more than the missing table.
            if let Some(Ok(Some(failure))) = fit.as_ref().map(Found::failure) {
                return Err(failure);
            }
            let table = Found::within(folder, table);
            if fit.is_some() && table.is_some() {
                return Ok(Sources { table, fit, ..Sources::default() });
            }
        }
        need(&[&both[0][0], &both[0][1]]).map(|_| Sources::default())
    };
    // A run has it among its tables; `retrain --out` writes it into the folder itself.
    let one_of = |name: &str| -> Result<Sources, Missing> {
        let names = [format!("tables/{name}"), name.to_owned()];
        let table = names.iter().find_map(|name| Found::within(folder, name));
        let table = table.ok_or_else(|| format!("no {} or {} in {}", names[0], names[1], folder.display()))?;
        Ok(Sources { table: Some(table), ..Sources::default() })
    };
    match kind {
        Kind::OrderParameter => {
            let mut found = need(&["tables/levels.csv", "tables/percolation.csv"])?;
            let percolation = found.pop();
            Ok(Sources { levels: found.pop(), percolation, ..Sources::default() })
        }
        Kind::Scaling => fitted("fit"),
        Kind::Collapse => fitted("collapse"),
        Kind::Retraining => one_of("retraining.csv"),
        Kind::Ladder => one_of("comparison.csv"),
    }
}

/// The columns that tell a table of a figure.
fn columns_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::OrderParameter => &["density", "m", "prediction_entropy", "outcome_entropy"],
        Kind::Scaling => &["control", "value", "model", "fitted", "residual", "used"],
        Kind::Collapse => &["size", "control", "value", "x", "y", "used"],
        Kind::Retraining => &["checkpoint", "density", "null", "weights", "accuracy"],
        Kind::Ladder => &["density", "null", "weights", "difference", "low95", "high95", "samples", "margin"],
    }
}

/// The columns of a percolation curve.
const PERCOLATION: [&str; 4] = ["density", "p_inf", "chi", "outputs_reached"];

/// The files of a figure that is drawn from one table, or what is missing.
fn of_table(kind: Kind, path: &Path) -> Result<Sources, Missing> {
    let found = Found::alone(path);
    let input = found.table().map_err(|error| error.to_string())?;
    let absent = |columns: &[&str]| -> Vec<String> {
        columns.iter().filter(|column| !input.table.has(column)).map(|&column| column.to_owned()).collect()
    };
    if kind == Kind::OrderParameter && absent(&PERCOLATION).is_empty() {
        return Ok(Sources { percolation: Some(found), ..Sources::default() });
    }
    let lacks = absent(columns_of(kind));
    if !lacks.is_empty() {
        return Err(format!("{} has no column {}", path.display(), lacks.join(", ")));
    }
    match kind {
        Kind::OrderParameter => Ok(Sources { levels: Some(found), ..Sources::default() }),
        Kind::Retraining | Kind::Ladder => Ok(Sources { table: Some(found), ..Sources::default() }),
        Kind::Scaling | Kind::Collapse => {
            let beside = path.with_extension("json");
            let of_run = path.parent().and_then(Path::parent).zip(beside.file_name());
            let of_run = of_run.map(|(run, name)| run.join("fits").join(name));
            let json = [Some(beside.clone()), of_run].into_iter().flatten().find(|path| path.is_file());
            let json = json.ok_or_else(|| format!("no {}", beside.display()))?;
            let fit = Found::alone(&json);
            if let Ok(Some(failure)) = fit.failure() {
                return Err(failure);
            }
            Ok(Sources { table: Some(found), fit: Some(fit), ..Sources::default() })
        }
    }
}

/// The files of a figure in a run folder or beside a table, or what is missing.
pub(super) fn sources(kind: Kind, path: &Path) -> Result<Sources, Missing> {
    if path.is_dir() {
        in_folder(kind, path)
    } else if path.is_file() {
        of_table(kind, path)
    } else {
        Err(format!("no file or folder {}", path.display()))
    }
}
