//! `prunephase merge`: one run folder from shards.

use std::path::PathBuf;
use std::process::ExitCode;

use prunephase::study::{self, RunFolder};

use crate::{output, summary};

/// One run folder from the folders of shards, in any order: the same bytes as one run
#[derive(Debug, clap::Args)]
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
    let merged = study::merge(&args.sources, &args.out, &|_| {})?;
    if let Some(unfinished) = merged.unfinished {
        let (tasks, of) = (merged.tasks, merged.of);
        output::warn(&[format!("{tasks} of {of} tasks were merged, tables and fits were not made: {unfinished}")]);
        return Ok(ExitCode::FAILURE);
    }
    summary::print(&RunFolder::new(&args.out))?;
    Ok(ExitCode::SUCCESS)
}
