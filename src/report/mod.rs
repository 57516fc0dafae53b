//! One page of HTML about a run, to be sent to somebody: verdicts, protocol, figures with their values, tables,
//! fits with both errors, warnings, versions and checksums.
//!
//! The page is made from saved tables alone and holds everything it shows: its policy forbids every request. The
//! same folder gives the same bytes.
//!
//! ```
//! use prunephase::figure::Style;
//! use prunephase::report;
//! let page = report::page("fixtures/figure/run".as_ref(), &Style::bundled())?;
//! assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<svg "));
//! # Ok::<(), prunephase::Error>(())
//! ```

mod error;
mod fits;
mod page;
mod run;
mod tables;
mod verdict;
mod warnings;

use std::path::Path;

pub use error::ReportError;

use crate::figure::Style;
use crate::files;

/// The page about a run folder. O(bytes of its tables), and the figures once or twice each.
///
/// # Errors
/// [`ReportError::Nothing`] where the folder has neither tables nor fits; other variants where one of them is
/// damaged or a figure cannot be drawn.
pub fn page(folder: &Path, style: &Style) -> Result<String, ReportError> {
    page::render(&run::Run::read(folder)?, style)
}

/// Writes the page about a run folder, whole or not at all.
///
/// # Errors
/// As of [`page()`], and where the file cannot be written; then nothing is.
pub fn write(folder: &Path, style: &Style, out: &Path) -> Result<(), ReportError> {
    let page = page(folder, style)?;
    Ok(files::write_atomically(out, |file| file.write_all(page.as_bytes()))?)
}
