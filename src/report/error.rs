//! What can go wrong with a report.

use std::path::PathBuf;

use thiserror::Error;

use crate::figure::FigureError;
use crate::files::FileError;
use crate::table::TableError;

/// What can go wrong with a report.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The folder has nothing to report.
    #[error("{}: no tables and no fits here; give a finished run folder", folder.display())]
    Nothing {
        /// The folder.
        folder: PathBuf,
    },
    /// A file is not the JSON that it should be.
    #[error("{}: {message}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The page could not be put together.
    #[error("the page could not be made: {0}")]
    Page(String),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A table is damaged.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A figure cannot be drawn though its tables are there.
    #[error(transparent)]
    Figure(#[from] FigureError),
}
