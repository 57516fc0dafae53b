//! `prunephase slurm`: a study as a job array with a merge that waits for it.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf, absolute};
use std::process::{Command, ExitCode};

use anyhow::{Context, ensure};
use prunephase::network::Architecture;
use prunephase::study::{SlurmOptions, Study, tasks_of, write_slurm};

use crate::examples;

/// Write a Slurm job array, one task a shard, and a merge that waits for it; with --submit, submit both
#[derive(Debug, clap::Args)]
#[command(after_long_help = examples::SLURM)]
pub struct SlurmArgs {
    /// The study file
    study: PathBuf,
    /// The run folder: scripts and logs in slurm/, shards in shards/, and the merged run itself
    #[arg(long)]
    out: PathBuf,
    /// Submit the array and the merge
    #[arg(long)]
    submit: bool,
    /// Shards, at most one a training task of the study [default: one each, at most 1000]
    #[arg(long)]
    shards: Option<NonZeroUsize>,
    /// Trainings side by side in a shard, and its cores
    #[arg(long, default_value = "1")]
    jobs: NonZeroUsize,
    /// A limit of time for a shard, for example 4:00:00
    #[arg(long)]
    time: Option<String>,
    /// Memory of a shard, for example 2G
    #[arg(long)]
    mem: Option<String>,
    /// The partition
    #[arg(long)]
    partition: Option<String>,
    /// At most so many shards at a time
    #[arg(long)]
    array_limit: Option<NonZeroUsize>,
    /// Where data sets are looked for first; then PRUNEPHASE_DATA, then the user's cache folder
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &SlurmArgs) -> anyhow::Result<ExitCode> {
    let study = Study::read(&args.study)?;
    let tasks = tasks_of(&study, &Architecture::load(&study.network.architecture)?.name).len();
    let most = NonZeroUsize::new(tasks).context("the study has no tasks")?;
    let shards = args.shards.unwrap_or_else(|| most.min(NonZeroUsize::new(1000).unwrap_or(most)));
    ensure!(shards <= most, "--shards {shards}: the study has {tasks} tasks, so at most {tasks} shards");
    for (name, value) in [("--time", &args.time), ("--mem", &args.mem), ("--partition", &args.partition)] {
        let wrong = value.as_deref().filter(|value| value.is_empty() || value.contains(char::is_whitespace));
        ensure!(wrong.is_none(), "{name} `{}`: must be one word, as Slurm writes it", wrong.unwrap_or_default());
    }
    let run_arguments = match &args.data_dir {
        Some(folder) => vec!["--data-dir".to_owned(), absolute(folder)?.display().to_string()],
        None => Vec::new(),
    };
    let options = SlurmOptions {
        shards,
        jobs: args.jobs,
        time: args.time.clone(),
        memory: args.mem.clone(),
        partition: args.partition.clone(),
        array_limit: args.array_limit,
        run_arguments,
    };
    let program = std::env::current_exe()?;
    let scripts = write_slurm(&absolute(&args.study)?, &absolute(&args.out)?, &program, &options)?;
    if !args.submit {
        println!("{}\n{}", scripts.array.display(), scripts.merge.display());
        return Ok(ExitCode::SUCCESS);
    }
    let array = submit(&scripts.array, None)?;
    let merge = submit(&scripts.merge, Some(&array))?;
    println!("submitted: array {array} of {shards} shards, merge {merge} after it");
    Ok(ExitCode::SUCCESS)
}

/// Submits a script, after another job where one is given; its number.
fn submit(script: &Path, after: Option<&str>) -> anyhow::Result<String> {
    let mut command = Command::new("sbatch");
    command.arg("--parsable");
    if let Some(job) = after {
        command.arg(format!("--dependency=afterok:{job}"));
    }
    let output = command.arg(script).output().context("sbatch cannot be run: is Slurm installed here?")?;
    let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
    ensure!(output.status.success(), "sbatch refused {}: {said}", script.display());
    // `JOB` or `JOB;CLUSTER`.
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.trim().split(';').next().unwrap_or_default().to_owned())
}
