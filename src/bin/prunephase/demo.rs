//! `prunephase demo`: the whole pipeline on the digits built in.

use std::path::PathBuf;
use std::process::ExitCode;

use prunephase::study::{RunFolder, Study};

use crate::run::{Execution, execute};
use crate::{examples, plot, summary};

const STUDY: &str = include_str!("../../../analysis/demo.toml");

/// Run the whole pipeline on the digits built in, in seconds
#[derive(Debug, clap::Args)]
#[command(after_long_help = examples::DEMO)]
pub struct DemoArgs {
    /// The run folder
    #[arg(long, default_value = "prunephase-demo")]
    out: PathBuf,
    #[command(flatten)]
    execution: Execution,
}

/// Runs the command.
pub fn run(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let study = Study::parse("analysis/demo.toml", STUDY)?;
    let folder = RunFolder::new(&args.out);
    execute(&study, &folder, &args.execution.options())?;
    summary::print(&folder)?;
    println!("\nFigures:");
    // Another demo in the same folder begins its last stage by removing what is half written.
    let _lock = folder.hold()?;
    plot::draw_all(folder.root(), &folder.figures())
}
