//! Checking the files of a data set against the official checksums.

use std::fmt;
use std::path::PathBuf;

use super::error::DataError;
use super::idx::{Idx, md5_of};
use super::locations::{self, Locations};
use super::{digits, sets};
use crate::files;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileState {
    /// The official bytes.
    Good,
    /// Other bytes than the official ones.
    Wrong {
        /// The md5 of the decompressed bytes.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// Not an IDX file, or a damaged one.
    Damaged(String),
    /// A well-formed file for whose decompressed bytes no official checksum is known.
    Unknown {
        /// The md5 of the decompressed bytes.
        found: String,
    },
    /// No such file.
    Missing,
}

impl fmt::Display for FileState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good => write!(formatter, "ok"),
            Self::Wrong { found, expected } => write!(formatter, "wrong: md5 {found}, not {expected}"),
            Self::Damaged(message) => write!(formatter, "wrong: {message}"),
            Self::Unknown { found } => {
                write!(formatter, "not verified: md5 {found}; only the official .gz has a known md5, keep that")
            }
            Self::Missing => write!(formatter, "missing"),
        }
    }
}

/// One file of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileCheck {
    /// Its official name, without `.gz`.
    pub file: String,
    /// Where it is; none where it is missing or built in.
    pub path: Option<PathBuf>,
    /// What was found.
    pub state: FileState,
}

fn check(file: &sets::OfficialFile, bytes: &[u8]) -> FileState {
    let idx = match Idx::parse(bytes) {
        Ok(idx) => idx,
        Err(message) => return FileState::Damaged(message),
    };
    let found = idx.md5();
    match (file.md5, file.md5_gz) {
        (Some(expected), _) if found == expected => FileState::Good,
        (Some(expected), _) => FileState::Wrong { found, expected: expected.to_owned() },
        (None, Some(expected)) if md5_of(bytes) == expected => FileState::Good,
        (None, _) => FileState::Unknown { found },
    }
}

/// Compares every file that the set `name` needs with the official md5, one entry a file.
///
/// # Errors
/// [`DataError::Unknown`]; a file that is missing, wrong or damaged is an entry and no error.
pub fn verify(name: &str, locations: &Locations) -> Result<Vec<FileCheck>, DataError> {
    let Some((source, wanted)) = sets::origin(name)?.files() else {
        let entry = |(file, good): (&str, bool)| FileCheck {
            file: file.to_owned(),
            path: None,
            state: if good { FileState::Good } else { FileState::Damaged("the built-in bytes were changed".into()) },
        };
        return Ok(digits::verify().into_iter().map(entry).collect());
    };
    let found = locations::find(locations, source, &wanted);
    let entry = |(file, path): (&&sets::OfficialFile, Option<PathBuf>)| FileCheck {
        file: file.name.to_owned(),
        state: match &path {
            None => FileState::Missing,
            Some(path) => match files::read(path) {
                Ok(bytes) => check(file, &bytes),
                Err(error) => FileState::Damaged(error.to_string()),
            },
        },
        path,
    };
    Ok(wanted.iter().zip(found.paths).map(entry).collect())
}
