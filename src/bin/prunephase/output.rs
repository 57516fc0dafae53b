//! How tables and warnings are printed.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

use comfy_table::{ContentArrangement, Table, presets};

/// A table with spaces between the columns, which is never wrapped.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(header);
    table
}

/// A line on standard output. Where its reader has gone (`| head`) the rest of it is not missed, and the work goes
/// on; any other error ends the program.
pub fn line(text: Arguments<'_>) {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("prunephase: standard output cannot be written: {error}");
            std::process::exit(1);
        }
        _ => {}
    }
}

/// One line on standard error a warning.
pub fn warn(warnings: &[String]) {
    for warning in warnings {
        eprintln!("prunephase: warning: {warning}");
    }
}
