//! The subcommands; each has its arguments and its `run` in a file of its own.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::collapse::{self, CollapseArgs};
use crate::data::{self, DataArgs};
#[cfg(feature = "train")]
use crate::demo::{self, DemoArgs};
use crate::fit::{self, FitArgs};
use crate::graph::{self, GraphArgs};
use crate::inspect::{self, InspectArgs};
#[cfg(feature = "train")]
use crate::merge::{self, MergeArgs};
use crate::percolate::{self, PercolateArgs};
#[cfg(feature = "train")]
use crate::plan::{self, PlanArgs};
use crate::plot::{self, PlotArgs};
use crate::report::{self, ReportArgs};
#[cfg(feature = "train")]
use crate::retrain::{self, RetrainArgs};
use crate::rewire::{self, RewireArgs};
#[cfg(feature = "train")]
use crate::run::{self, RunArgs};
#[cfg(feature = "train")]
use crate::slurm::{self, SlurmArgs};
#[cfg(feature = "train")]
use crate::status::{self, StatusArgs};
use crate::topology::{self, TopologyArgs};

/// Neural-network pruning as a percolation transition.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[cfg(feature = "train")]
    Demo(DemoArgs),
    #[cfg(feature = "train")]
    Run(RunArgs),
    #[cfg(feature = "train")]
    Plan(PlanArgs),
    #[cfg(feature = "train")]
    Status(StatusArgs),
    #[cfg(feature = "train")]
    Merge(MergeArgs),
    #[cfg(feature = "train")]
    Slurm(SlurmArgs),
    #[cfg(feature = "train")]
    Retrain(RetrainArgs),
    Inspect(InspectArgs),
    Graph(GraphArgs),
    Percolate(PercolateArgs),
    Topology(TopologyArgs),
    Rewire(RewireArgs),
    Data(DataArgs),
    Fit(FitArgs),
    Collapse(CollapseArgs),
    Plot(PlotArgs),
    Report(ReportArgs),
}

impl Cli {
    /// Runs the subcommand: exit 0 where it is done, 1 where it failed (2, wrong usage, is clap's).
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            #[cfg(feature = "train")]
            Command::Demo(args) => demo::run(&args),
            #[cfg(feature = "train")]
            Command::Run(args) => run::run(&args),
            #[cfg(feature = "train")]
            Command::Plan(args) => plan::run(&args),
            #[cfg(feature = "train")]
            Command::Slurm(args) => slurm::run(&args),
            #[cfg(feature = "train")]
            Command::Status(args) => status::run(&args),
            #[cfg(feature = "train")]
            Command::Merge(args) => merge::run(&args),
            #[cfg(feature = "train")]
            Command::Retrain(args) => retrain::run(&args),
            Command::Graph(args) => graph::run(&args),
            Command::Percolate(args) => percolate::run(&args),
            Command::Topology(args) => topology::run(&args),
            Command::Rewire(args) => rewire::run(&args),
            Command::Inspect(args) => inspect::run(&args),
            Command::Data(args) => data::run(&args),
            Command::Fit(args) => fit::run(&args),
            Command::Collapse(args) => collapse::run(&args),
            Command::Plot(args) => plot::run(&args),
            Command::Report(args) => report::run(&args),
        }
    }
}
