//! `prunephase plan`: the tasks of a study, core-hours and disk.

use std::path::PathBuf;
use std::process::ExitCode;

use prunephase::data::Locations;
use prunephase::study::{self, Study};

use crate::run::EngineArgs;
use crate::{examples, output, progress};

/// List the tasks of a study, and estimate core-hours and disk from rates measured on this machine
#[derive(Debug, clap::Args)]
#[command(after_long_help = examples::PLAN)]
pub struct PlanArgs {
    /// The study file
    study: PathBuf,
    #[command(flatten)]
    engine: EngineArgs,
    /// Where data sets are looked for first; then PRUNEPHASE_DATA, then the user's cache folder
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &PlanArgs) -> anyhow::Result<ExitCode> {
    let study = Study::read(&args.study)?;
    let locations = Locations::from_environment(args.data_dir.clone());
    let plan = progress::during("measuring", || study::plan(&study, &locations, args.engine.engine()))?;
    if args.json {
        println!("{}", serde_json::to_string(&plan)?);
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = output::table(&["task", "weights", "levels", "retrainings", "steps", "core-hours", "MB"]);
    let megabytes = |bytes: usize| format!("{:.1}", bytes as f64 / 1e6);
    for task in &plan.tasks {
        table.add_row([
            task.task.clone(),
            task.weights.to_string(),
            task.levels.to_string(),
            task.retrainings.to_string(),
            task.steps.to_string(),
            format!("{:.3}", task.core_hours),
            megabytes(task.bytes),
        ]);
    }
    println!("{table}");
    println!(
        "{}: {} tasks, about {:.2} core-hours on this machine, {} MB of checkpoints",
        plan.study,
        plan.tasks.len(),
        plan.core_hours,
        megabytes(plan.bytes)
    );
    Ok(ExitCode::SUCCESS)
}
