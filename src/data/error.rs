//! What can be wrong with a data set.

use std::path::PathBuf;

use thiserror::Error;

use crate::files::FileError;

/// A data set could not be found or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// No data set has that name.
    #[error("no data set `{name}`; there are {known}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// Files are missing.
    #[error("{name}: no {files} in {looked}; {remedy}")]
    Missing {
        /// The data set.
        name: String,
        /// The missing files.
        files: String,
        /// Every folder that was looked into.
        looked: String,
        /// How to get them.
        remedy: String,
    },
    /// A file is not what it should be.
    #[error("{}: {message}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong and what would be right.
        message: String,
    },
    /// A normalisation that divides by nothing.
    #[error("normalisation: standard deviation {standard_deviation}, mean {mean}; it must be above 0, and both finite")]
    Normalisation {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        standard_deviation: f64,
    },
}
