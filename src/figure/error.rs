//! What can go wrong with a figure.

use std::path::PathBuf;

use thiserror::Error;

use crate::files::FileError;
use crate::table::TableError;

/// A figure could not be drawn.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FigureError {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A table is damaged, or lacks a column.
    #[error(transparent)]
    Table(#[from] TableError),
    /// What the figure is drawn from is not there.
    #[error("{figure}: {missing}")]
    Missing {
        /// The figure.
        figure: &'static str,
        /// What is missing, and where it was looked for.
        missing: String,
    },
    /// A JSON file is not what a fit writes.
    #[error("{}: {reason}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what would be right.
        reason: String,
    },
    /// A cell of a table holds what it may not.
    #[error("{}: {reason}", path.display())]
    Value {
        /// The table.
        path: PathBuf,
        /// The column, the cell and what would be right.
        reason: String,
    },
    /// A table holds no point that can be drawn.
    #[error("{}: no point to draw: {reason}", path.display())]
    NoPoints {
        /// The table.
        path: PathBuf,
        /// Why no row could be used.
        reason: String,
    },
    /// More curves than the style has markers and colours.
    #[error("{}: {found} curves, but the style tells only {most} apart: give it more colours and markers, or draw fewer", path.display())]
    TooManyCurves {
        /// The table.
        path: PathBuf,
        /// The curves in it.
        found: usize,
        /// The curves that can be told apart.
        most: usize,
    },
    /// The style file is wrong.
    #[error("{}: {reason}", path.display())]
    Style {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what would be right.
        reason: String,
    },
    /// No figure of that name exists.
    #[error("no figure `{name}`: there are {known}")]
    UnknownFigure {
        /// The name that was asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The drawing or its conversion failed.
    #[error("{figure}: cannot be drawn as {format}: {reason}")]
    Drawing {
        /// The figure.
        figure: String,
        /// The format.
        format: &'static str,
        /// What the renderer said.
        reason: String,
    },
}
