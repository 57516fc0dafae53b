//! `prunephase retrain`: retrains samples and their original with the same budget.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use anyhow::{Context, bail, ensure};
use comfy_table::Table;
use prunephase::checkpoint::Checkpoint;
use prunephase::comparison::{self, ComparisonRow, RetrainingRow, compare};
use prunephase::data::{self, Normalisation, Split};
use prunephase::network::{Network, Parameters};
use prunephase::study::{Machine, Retraining, RetrainingSample, WeightSource, in_parallel};
use prunephase::table;
use prunephase::training::{Budget, Hyperparameters, Optimiser};
use serde::{Deserialize, Serialize};

use crate::reading::LayoutArgs;
use crate::run::Execution;
use crate::{examples, output, progress};

/// Retrain samples of a checkpoint, and the checkpoint itself with the same budget
#[derive(Debug, clap::Args)]
#[command(after_long_help = examples::RETRAIN)]
pub struct RetrainArgs {
    /// The original checkpoint
    checkpoint: PathBuf,
    /// The folder of samples that `prunephase rewire` wrote
    #[arg(long, value_name = "DIR")]
    masks: PathBuf,
    /// From which weights, one or several of kept, rewound, fresh
    #[arg(long, value_delimiter = ',', required = true)]
    weights: Vec<Weights>,
    /// The checkpoint with the weights at initialisation, for rewound weights
    #[arg(long, value_name = "FILE")]
    rewind: Option<PathBuf>,
    /// Budget of each retraining, in passes over the training set [default: 1]
    #[arg(long, conflicts_with = "steps")]
    epochs: Option<f64>,
    /// Budget of each retraining, in optimiser steps
    #[arg(long)]
    steps: Option<usize>,
    /// Update rule
    #[arg(long, value_enum, default_value = "adam")]
    optimiser: OptimiserName,
    /// Constant learning rate
    #[arg(long, default_value_t = 1e-3)]
    learning_rate: f64,
    /// SGD's momentum
    #[arg(long, default_value_t = 0.9)]
    momentum: f64,
    /// Images a step
    #[arg(long, default_value_t = 128)]
    batch: usize,
    /// Training seeds of each sample
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// The seed that, with the training seed, gives the order of images and the fresh weights
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Differences of accuracy below this count as equivalent
    #[arg(long, default_value_t = 0.01, value_parser = margin)]
    margin: f64,
    /// The data set, where it is not the one that the checkpoint names
    #[arg(long, value_name = "NAME")]
    data: Option<String>,
    /// Mean of the normalisation, where it is not the one that the checkpoint names
    #[arg(long)]
    mean: Option<f64>,
    /// Standard deviation of the normalisation, where it is not the one that the checkpoint names
    #[arg(long)]
    standard_deviation: Option<f64>,
    /// A file of the original's masks, by the names of the weights
    #[arg(long, value_name = "FILE")]
    original_masks: Option<PathBuf>,
    #[command(flatten)]
    layout: LayoutArgs,
    #[command(flatten)]
    execution: Execution,
    /// Where retraining.csv and comparison.csv go; what is there already is not done again
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

fn margin(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(margin) if margin > 0.0 && margin < 1.0 => Ok(margin),
        _ => Err("a margin of accuracy is a number between 0 and 1, such as 0.01".to_owned()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Weights {
    Kept,
    Rewound,
    Fresh,
}

impl From<Weights> for WeightSource {
    fn from(weights: Weights) -> Self {
        match weights {
            Weights::Kept => Self::Kept,
            Weights::Rewound => Self::Rewound,
            Weights::Fresh => Self::Fresh,
        }
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum OptimiserName {
    Adam,
    Sgd,
}

/// What determines the rows of retraining.csv; kept beside it, so that rows of another command are
/// never mixed in.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    checkpoint: String,
    samples: Vec<String>,
    rewind: Option<String>,
    original_masks: Option<String>,
    network: Network,
    hyperparameters: Hyperparameters,
    budget: Budget,
    seed: u64,
    dataset: String,
    normalisation: Normalisation,
    machine: Machine,
}

/// Runs the command.
pub fn run(args: &RetrainArgs) -> anyhow::Result<ExitCode> {
    let original = args.layout.read(&args.checkpoint, args.original_masks.as_deref())?;
    if original.network.wiring.is_some() {
        bail!(
            "{}: network `{}` is wired by its names and shapes; only chains whose layers are known are trained here",
            args.checkpoint.display(),
            original.network.architecture
        );
    }
    let files = sample_files(&args.masks)?;
    let samples = read_samples(&original, &files)?;
    let initial = initial(args, &original)?;
    let (settings, split) = settings(args, &original, &files)?;
    let settings_path = args.out.join("retraining.json");
    let table_path = args.out.join("retraining.csv");
    let done = rows_done(&settings_path, &table_path, &settings)?;

    let name = args.checkpoint.display().to_string();
    let retraining = Retraining {
        network: &original.network,
        train: (&split.train).into(),
        test: &split.test,
        hyperparameters: settings.hyperparameters,
        budget: settings.budget,
        engine: args.execution.options().engine,
        initial: initial.as_ref(),
        seed: args.seed,
        checkpoint: &name,
        part: &settings.checkpoint,
    };
    let mut runs: Vec<(&RetrainingSample, WeightSource, u64)> = Vec::new();
    for sample in &samples {
        for &weights in &args.weights {
            runs.extend((0..args.seeds).map(|seed| (sample, weights.into(), seed)));
        }
    }
    let text = serde_json::to_string_pretty(&settings)?;
    prunephase::files::write_atomically(&settings_path, |file| file.write_all(text.as_bytes()))?;
    let rows = retrain(&retraining, &runs, done, args.execution.options().jobs, &table_path)?;
    let options = comparison::Options { margin: args.margin, seed: args.seed, ..comparison::Options::default() };
    let compared = compare(&rows, &options);
    table::write_rows(&args.out.join("comparison.csv"), &compared)?;
    println!("{}", comparison_table(&compared));
    println!(
        "difference: mean accuracy of the samples less that of the original; rank p: signed ranks of the samples' \
         differences; equal p: that the difference is {} or more",
        args.margin
    );
    Ok(ExitCode::SUCCESS)
}

fn sample_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "safetensors") {
            files.push(path);
        }
    }
    files.sort();
    ensure!(!files.is_empty(), "{}: no samples (.safetensors); `prunephase rewire` writes them", folder.display());
    Ok(files)
}

/// The original, then the samples in the order of their names.
fn read_samples(original: &Checkpoint, files: &[PathBuf]) -> anyhow::Result<Vec<RetrainingSample>> {
    let mut samples = vec![RetrainingSample {
        null: "original".into(),
        sample: 0,
        parameters: original.parameters.clone(),
        mask: original.mask.clone(),
    }];
    for (index, path) in files.iter().enumerate() {
        let read = Checkpoint::read(path)?;
        read.parameters
            .check(&original.network)
            .with_context(|| format!("{}: not a sample of this checkpoint", path.display()))?;
        let extra = &read.metadata.extra;
        samples.push(RetrainingSample {
            null: extra.get("null_model").cloned().unwrap_or_else(|| "sample".into()),
            sample: extra.get("sample").and_then(|text| text.parse().ok()).unwrap_or(index),
            parameters: read.parameters,
            mask: read.mask,
        });
    }
    Ok(samples)
}

fn initial(args: &RetrainArgs, original: &Checkpoint) -> anyhow::Result<Option<Parameters>> {
    let Some(path) = &args.rewind else {
        ensure!(
            !args.weights.contains(&Weights::Rewound),
            "--weights rewound needs --rewind FILE, the weights at initialisation (initial.safetensors of a run)"
        );
        return Ok(None);
    };
    let read = args.layout.read(path, None)?;
    read.parameters.check(&original.network).with_context(|| path.display().to_string())?;
    Ok(Some(read.parameters))
}

fn settings(args: &RetrainArgs, original: &Checkpoint, files: &[PathBuf]) -> anyhow::Result<(Settings, Split)> {
    let metadata = &original.metadata;
    let number = |key: &str| metadata.extra.get(key).and_then(|text| text.parse::<f64>().ok());
    let Some(dataset) = args.data.clone().or_else(|| metadata.dataset.clone()) else {
        bail!("{}: does not name its data set; give --data NAME", args.checkpoint.display());
    };
    let mean = args.mean.or_else(|| number("mean")).unwrap_or(0.0);
    let standard_deviation = args.standard_deviation.or_else(|| number("standard_deviation")).unwrap_or(1.0);
    let normalisation = Normalisation { mean, standard_deviation };
    let mut split = data::load(&dataset, &args.execution.options().locations)?;
    split.normalise(normalisation)?;
    output::warn(&split.warnings);
    let hyperparameters = Hyperparameters {
        optimiser: match args.optimiser {
            OptimiserName::Adam => Optimiser::Adam,
            OptimiserName::Sgd => Optimiser::Sgd,
        },
        learning_rate: args.learning_rate,
        momentum: args.momentum,
        batch: args.batch,
    };
    hyperparameters.check(split.train.len())?;
    let budget = args.steps.map_or(Budget::Epochs(args.epochs.unwrap_or(1.0)), Budget::Steps);
    budget.check("epochs")?;
    let checksum = |path: &PathBuf| prunephase::files::checksum(path);
    let settings = Settings {
        checkpoint: checksum(&args.checkpoint)?,
        samples: files.iter().map(checksum).collect::<Result<_, _>>()?,
        rewind: args.rewind.as_ref().map(checksum).transpose()?,
        original_masks: args.original_masks.as_ref().map(checksum).transpose()?,
        network: original.network.clone(),
        hyperparameters,
        budget,
        seed: args.seed,
        dataset,
        normalisation,
        machine: Machine::this(args.execution.options().engine),
    };
    Ok((settings, split))
}

/// The rows of an earlier run of the same command.
fn rows_done(settings_path: &Path, table_path: &Path, settings: &Settings) -> anyhow::Result<Vec<RetrainingRow>> {
    if !settings_path.is_file() {
        ensure!(
            !table_path.is_file(),
            "{}: is in the way, and no retraining.json says where it came from",
            table_path.display()
        );
        return Ok(Vec::new());
    }
    let text = prunephase::files::read_text(settings_path)?;
    let there: Settings = serde_json::from_str(&text).with_context(|| settings_path.display().to_string())?;
    ensure!(
        &there == settings,
        "{}: holds retrainings with other samples, data or settings; take another folder",
        settings_path.parent().unwrap_or(settings_path).display()
    );
    if table_path.is_file() { Ok(table::read_rows(table_path)?) } else { Ok(Vec::new()) }
}

/// Does what is not in `done`, saving after each; returns the rows in the order of `runs`.
fn retrain(
    retraining: &Retraining<'_>,
    runs: &[(&RetrainingSample, WeightSource, u64)],
    done: Vec<RetrainingRow>,
    jobs: NonZeroUsize,
    table_path: &Path,
) -> anyhow::Result<Vec<RetrainingRow>> {
    let find = |rows: &[RetrainingRow], (sample, weights, seed): &(&RetrainingSample, WeightSource, u64)| {
        let same = |row: &&RetrainingRow| {
            row.null == sample.null && row.sample == sample.sample && row.weights == weights.name() && row.seed == *seed
        };
        rows.iter().find(same).cloned()
    };
    let left: Vec<_> = runs.iter().filter(|run| find(&done, run).is_none()).copied().collect();
    let bar = progress::bar(left.len() as u64, "retrainings");
    let rows = Mutex::new(done);
    let results = in_parallel(jobs, &left, |(sample, weights, seed)| -> anyhow::Result<()> {
        let row = retraining.run(sample, *weights, *seed)?;
        bar.inc(1);
        let (density, accuracy) = (row.density, row.accuracy);
        bar.set_message(format!("density {density:.4}, accuracy {accuracy:.3}, {} {}", row.null, row.weights));
        let mut rows = rows.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        rows.push(row);
        // In the order of `runs`, whatever finishes first.
        let ordered: Vec<_> = runs.iter().filter_map(|run| find(&rows, run)).collect();
        Ok(table::write_rows(table_path, &ordered)?)
    });
    results.into_iter().collect::<anyhow::Result<Vec<()>>>()?;
    bar.finish_and_clear();
    let rows = rows.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok(runs.iter().filter_map(|run| find(&rows, run)).collect())
}

/// Every null model beside the original: the printed table.
fn comparison_table(rows: &[ComparisonRow]) -> Table {
    let header = [
        "null",
        "weights",
        "samples",
        "seeds",
        "original",
        "mean",
        "difference",
        "95 % interval",
        "rank p",
        "equal p",
        "verdict",
    ];
    let mut table = output::table(&header);
    let number =
        |value: Option<f64>, digits: usize| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"));
    for row in rows {
        let interval = match (row.low95, row.high95) {
            (Some(low), Some(high)) => format!("{low:+.4} to {high:+.4}"),
            _ => "-".to_owned(),
        };
        table.add_row([
            row.null.clone(),
            row.weights.clone(),
            row.samples.to_string(),
            row.seeds.to_string(),
            format!("{:.4}", row.original),
            format!("{:.4}", row.mean),
            format!("{:+.4}", row.difference),
            interval,
            number(row.signed_rank_p, 3),
            number(row.equivalence_p, 3),
            format!("{:?}", row.verdict).to_lowercase(),
        ]);
    }
    table
}
