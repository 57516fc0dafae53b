//! `prunephase status`: what of a run is done and what is left.

use std::path::PathBuf;
use std::process::ExitCode;

use prunephase::study::{self, RunFolder};

use crate::examples;
use crate::output;

/// What of a run is done and what is left
#[derive(Debug, clap::Args)]
#[command(after_long_help = examples::STATUS)]
pub struct StatusArgs {
    /// The run folder
    dir: PathBuf,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &StatusArgs) -> anyhow::Result<ExitCode> {
    let status = study::status(&RunFolder::new(&args.dir))?;
    if args.json {
        println!("{}", serde_json::to_string(&status)?);
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = output::table(&["task", "levels done", "of", "state"]);
    for task in &status.tasks {
        let state = match &task.failed {
            _ if task.done == task.levels => "done".to_owned(),
            _ if task.running => "running".to_owned(),
            Some(why) => format!("failed: {why}"),
            None => "to do".to_owned(),
        };
        table.add_row([task.task.clone(), task.done.to_string(), task.levels.to_string(), state]);
    }
    println!("{table}");
    let done = status.tasks.iter().filter(|task| task.done == task.levels).count();
    let state = if status.finished { "finished" } else { "not finished" };
    println!("{}: {done} of {} tasks done, {state}", status.study, status.tasks.len());
    Ok(ExitCode::SUCCESS)
}
