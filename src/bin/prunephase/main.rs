//! The command line: parses, dispatches, prints one line for an error.

mod args;
mod graph;
mod percolate;
mod progress;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match args::Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("prunephase: {error:#}");
            ExitCode::FAILURE
        }
    }
}
