//! Progress of long work, on standard error, quiet where that is not a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over `length` items, with the time left and a message.
pub fn bar(length: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    let template = format!("{what} {{bar:30}} {{pos}}/{{len}}, {{eta}} left  {{wide_msg}}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar
}
