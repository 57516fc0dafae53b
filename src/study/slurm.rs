//! Scripts for Slurm: an array of shards, and a merge that waits for them.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use crate::files;

/// What Slurm is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlurmOptions {
    /// The number of shards N: tasks of the array.
    pub shards: NonZeroUsize,
    /// Trainings side by side in a shard, and cores of it.
    pub jobs: NonZeroUsize,
    /// A limit of time, as Slurm writes it.
    pub time: Option<String>,
    /// Memory of a shard, as Slurm writes it.
    pub memory: Option<String>,
    /// The partition.
    pub partition: Option<String>,
    /// At most so many shards at a time.
    pub array_limit: Option<NonZeroUsize>,
    /// More arguments for `run`, for example `--data-dir DIR`.
    pub run_arguments: Vec<String>,
}

/// The scripts of a study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlurmScripts {
    /// The job array: shard I of N runs into `OUT/shards/I`.
    pub array: PathBuf,
    /// The merge into `OUT`.
    pub merge: PathBuf,
}

/// A word as the shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Writes `OUT/slurm/array.sh` and `OUT/slurm/merge.sh` for the program at `program`. Paths should be
/// absolute: a job starts elsewhere. A shard that is preempted is queued again, and goes on from its last
/// saved level.
///
/// # Errors
/// Where a script cannot be written.
///
/// ```
/// use std::num::NonZeroUsize;
/// use prunephase::study::{SlurmOptions, write_slurm};
/// let out = tempfile::tempdir()?;
/// let options = SlurmOptions {
///     shards: NonZeroUsize::new(8).unwrap(), jobs: NonZeroUsize::MIN, time: Some("2:00:00".into()), memory: None,
///     partition: None, array_limit: NonZeroUsize::new(4), run_arguments: Vec::new(),
/// };
/// let scripts = write_slurm("study.toml".as_ref(), out.path(), "/bin/prunephase".as_ref(), &options)?;
/// let array = std::fs::read_to_string(scripts.array)?;
/// assert!(array.contains("#SBATCH --array=1-8%4") && array.contains("#SBATCH --time=2:00:00"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_slurm(
    study: &Path,
    out: &Path,
    program: &Path,
    options: &SlurmOptions,
) -> Result<SlurmScripts, files::FileError> {
    let text = |path: &Path| quoted(&path.display().to_string());
    let (shards, jobs) = (options.shards, options.jobs);
    let log = out.join("slurm");
    let limit = options.array_limit.map(|limit| format!("%{limit}")).unwrap_or_default();
    let mut asked = vec![
        format!("--array=1-{shards}{limit}"),
        "--requeue".to_owned(),
        format!("--cpus-per-task={jobs}"),
        "--job-name=prunephase".to_owned(),
        format!("--output={}/shard-%a.log", log.display()),
        "--open-mode=append".to_owned(),
    ];
    asked.extend(options.time.iter().map(|time| format!("--time={time}")));
    asked.extend(options.memory.iter().map(|memory| format!("--mem={memory}")));
    asked.extend(options.partition.iter().map(|partition| format!("--partition={partition}")));
    let header = |asked: &[String]| {
        let lines = asked.iter().map(|line| format!("#SBATCH {line}\n"));
        format!("#!/bin/sh\n{}set -eu\nexport RAYON_NUM_THREADS=1\n", lines.collect::<String>())
    };
    let more: String = options.run_arguments.iter().map(|argument| format!(" {}", quoted(argument))).collect();
    let array = format!(
        "{}exec {} run {} --out {}/shards/$SLURM_ARRAY_TASK_ID --shard $SLURM_ARRAY_TASK_ID/{shards} --jobs {jobs}{more}\n",
        header(&asked),
        text(program),
        text(study),
        text(out),
    );
    let mut asked = vec![
        "--job-name=prunephase-merge".to_owned(),
        "--cpus-per-task=1".to_owned(),
        format!("--output={}/merge.log", log.display()),
    ];
    asked.extend(options.partition.iter().map(|partition| format!("--partition={partition}")));
    let merge = format!("{}exec {} merge {}/shards/* --out {}\n", header(&asked), text(program), text(out), text(out));
    let scripts = SlurmScripts { array: log.join("array.sh"), merge: log.join("merge.sh") };
    for (path, script) in [(&scripts.array, array), (&scripts.merge, merge)] {
        files::write_atomically(path, |file| file.write_all(script.as_bytes()))?;
    }
    Ok(scripts)
}
