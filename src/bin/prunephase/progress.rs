//! Progress of long work, on standard error, quiet where that is not a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Between redraws while nothing happens, so that the time goes on.
const TICK: Duration = Duration::from_millis(200);

/// A bar over `length` items, with the time left and a message; it goes away when it is dropped.
pub fn bar(length: u64, what: &str) -> ProgressBar {
    shown(ProgressBar::new(length), what, "{prefix} {bar:20} {pos}/{len}, {eta} left  {wide_msg}")
}

/// A spinner with the time gone by, for work whose end nobody knows; it goes away when it is dropped.
pub fn spinner(what: &str) -> ProgressBar {
    shown(ProgressBar::new_spinner(), what, "{spinner} {prefix}, {elapsed}  {wide_msg}")
}

/// The result of `work`, with a spinner meanwhile.
pub fn during<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let spinner = spinner(what);
    let done = work();
    spinner.finish_and_clear();
    done
}

fn shown(bar: ProgressBar, what: &str, template: &str) -> ProgressBar {
    if bar.is_hidden() {
        return bar;
    }
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(what.to_owned());
    bar.enable_steady_tick(TICK);
    bar
}
