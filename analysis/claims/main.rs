//! The numbers of analysis/README.md, from saved tables and fits.
//!
//! ```sh
//! cargo run --no-default-features --example claims                       # prints every number that is quoted
//! cargo run --no-default-features --example claims -- collect RUN...     # run folders -> analysis/results
//! ```

use std::path::Path;
use std::process::ExitCode;

mod collect;
mod fluctuations;
mod passes;
mod saved;
mod tables;
mod universality;

/// Where the results are.
fn results() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("analysis/results")
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        None => tables::all(&results())
            .and_then(|claims| Ok(claims + &tables::ladders(&results())?))
            .map(|text| print!("{text}")),
        Some((verb, runs)) if verb == "collect" && !runs.is_empty() => {
            runs.iter().try_for_each(|run| collect::collect(Path::new(run), &results()))
        }
        _ => Err("usage: claims, or claims collect RUN...".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("claims: {error}");
            ExitCode::FAILURE
        }
    }
}
