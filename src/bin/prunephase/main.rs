//! The command line: parses, dispatches, prints one line for an error.

/// As that of the standard library, which panics where the reader of standard output has gone.
macro_rules! println {
    () => { crate::output::line(format_args!("")) };
    ($($argument:tt)*) => { crate::output::line(format_args!($($argument)*)) };
}

mod args;
#[cfg(any(feature = "train", test))]
mod chart;
mod collapse;
mod critical;
mod curves;
mod data;
#[cfg(feature = "train")]
mod demo;
mod examples;
mod fit;
mod graph;
mod inspect;
#[cfg(feature = "train")]
mod interrupt;
#[cfg(feature = "train")]
mod merge;
mod output;
mod percolate;
#[cfg(feature = "train")]
mod plan;
mod plot;
mod progress;
mod reading;
mod report;
#[cfg(feature = "train")]
mod retrain;
mod rewire;
#[cfg(feature = "train")]
mod run;
#[cfg(feature = "train")]
mod slurm;
#[cfg(feature = "train")]
mod status;
#[cfg(feature = "train")]
mod summary;
mod tail;
mod topology;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match args::Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("prunephase: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes, but for those that a message before them already tells.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for message in error.chain().map(|cause| cause.to_string().replace('\n', " ")) {
        if line.is_empty() {
            line = message;
        } else if !line.contains(&message) {
            line = format!("{line}: {message}");
        }
    }
    line
}
