//! The numbers of analysis/README.md, from saved tables and fits.
//!
//! ```sh
//! cargo run --no-default-features --example claims                       # prints every number that is quoted
//! cargo run --no-default-features --example claims -- collect RUN...     # run folders -> analysis/results
//! cargo run --no-default-features --example claims -- look STUDY...      # the fits of a second look
//! ```

use std::path::Path;
use std::process::ExitCode;

mod collect;
mod degrees;
mod fits;
mod fluctuations;
mod look;
mod passes;
mod protocols;
mod saved;
mod second_look;
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
            .and_then(|claims| Ok(claims + &degrees::ladders(&results())?))
            .map(|text| print!("{text}")),
        Some((verb, runs)) if verb == "collect" && !runs.is_empty() => {
            runs.iter().try_for_each(|run| collect::collect(Path::new(run), &results()))
        }
        Some((verb, studies)) if verb == "look" && !studies.is_empty() => {
            studies.iter().try_for_each(|study| look::look(&results(), study))
        }
        _ => Err("usage: claims, or claims collect RUN..., or claims look STUDY...".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("claims: {error}");
            ExitCode::FAILURE
        }
    }
}
