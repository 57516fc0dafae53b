//! Ctrl-C and a cluster's wish to end a job.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that is set by the first SIGINT, SIGTERM or SIGHUP; the second ends the program at once. What is
/// saved is whole either way.
///
/// # Errors
/// Where the system takes no handler, or it was set before.
pub fn flag() -> anyhow::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    ctrlc::set_handler(move || {
        if set.swap(true, Ordering::Relaxed) {
            process::exit(1);
        }
        eprintln!("stopping after the levels in hand; once more stops at once");
    })?;
    Ok(flag)
}
