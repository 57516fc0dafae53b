//! `prunephase merge`: one run folder from shards.

use std::path::PathBuf;
use std::process::ExitCode;

use prunephase::study::{self, Event, RunFolder};

use crate::{examples, output, progress, summary};

/// One run folder from the folders of shards, in any order: the same bytes as one run
#[derive(Debug, clap::Args)]
#[command(after_long_help = examples::MERGE)]
pub struct MergeArgs {
    /// Run folders of one study
    #[arg(required = true, value_name = "DIR")]
    sources: Vec<PathBuf>,
    /// The merged folder; what it holds already is merged too
    #[arg(long)]
    out: PathBuf,
}

/// Runs the command: exit 1 where tasks are missing or unfinished, after the rest is merged.
pub fn run(args: &MergeArgs) -> anyhow::Result<ExitCode> {
    let spinner = progress::spinner("merging");
    let merged = study::merge(&args.sources, &args.out, &|event| match event {
        Event::Warning(warning) => spinner.suspend(|| output::warn(&[(*warning).to_owned()])),
        Event::Stage(stage) => spinner.set_prefix((*stage).to_owned()),
        _ => {}
    })?;
    spinner.finish_and_clear();
    if let Some(unfinished) = merged.unfinished {
        let (tasks, of) = (merged.tasks, merged.of);
        output::warn(&[format!("{tasks} of {of} tasks were merged, tables and fits were not made: {unfinished}")]);
        return Ok(ExitCode::FAILURE);
    }
    summary::print(&RunFolder::new(&args.out))?;
    Ok(ExitCode::SUCCESS)
}
