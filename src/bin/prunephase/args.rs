//! The subcommands; each has its arguments and its `run` in a file of its own.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::data::{self, DataArgs};
use crate::inspect::{self, InspectArgs};
use crate::plot::{self, PlotArgs};

/// Neural-network pruning as a percolation transition.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Inspect(InspectArgs),
    Data(DataArgs),
    Plot(PlotArgs),
}

impl Cli {
    /// Runs the subcommand: exit 0 where it is done, 1 where it failed (2, wrong usage, is clap's).
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Inspect(args) => inspect::run(&args),
            Command::Data(args) => data::run(&args),
            Command::Plot(args) => plot::run(&args),
        }
    }
}
