//! How tables and warnings are printed.

use comfy_table::{ContentArrangement, Table, presets};

/// A table with spaces between the columns, which is never wrapped.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(header);
    table
}

/// One line on standard error a warning.
pub fn warn(warnings: &[String]) {
    for warning in warnings {
        eprintln!("prunephase: warning: {warning}");
    }
}
