//! `prunephase rewire`: random subnetworks of a checkpoint, ready to retrain.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use prunephase::checkpoint::{Checkpoint, Kind, Metadata};
use prunephase::files::{self, FileError};
use prunephase::rewire::{self, MixingRow, NullModel, SwapOptions};
use prunephase::seed::Seeds;
use prunephase::table;
use rayon::prelude::*;

use crate::output::warn;

/// Draw random subnetworks that share part of a checkpoint's structure.
///
/// Writes sample-0000.safetensors and so on, with the surviving weights of each layer permuted onto
/// its new places, and mixing.csv, which tells for each sample and layer how far the swaps went
/// from the start. Samples are drawn in parallel (RAYON_NUM_THREADS); the files are the same for
/// any number of threads.
#[derive(Debug, clap::Args)]
pub struct RewireArgs {
    /// The checkpoint (safetensors).
    checkpoint: PathBuf,
    /// What the samples keep: edges (the number of kept weights in the whole network),
    /// layer-density (in each layer), in-degrees or out-degrees (of every unit), degrees (both, by
    /// double edge swaps in each layer).
    #[arg(long)]
    null: NullModel,
    /// How many samples to draw.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    samples: u32,
    /// Seed of the random streams.
    #[arg(long)]
    seed: u64,
    /// Proposals of swaps, accepted or not, for each kept weight.
    #[arg(long, value_name = "X", default_value = "10", value_parser = swap_options)]
    swaps_per_edge: SwapOptions,
    /// The folder for the samples and mixing.csv; it may not hold samples already.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

fn swap_options(text: &str) -> Result<SwapOptions, String> {
    let per_edge = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    SwapOptions::new(per_edge).map_err(|error| error.to_string())
}

/// Draws, writes and reports.
pub fn run(args: &RewireArgs) -> anyhow::Result<ExitCode> {
    refuse_samples(&args.out)?;
    let source = Checkpoint::read(&args.checkpoint)?;
    let checksum = files::checksum(&args.checkpoint)?;
    warn(&source.warnings);
    let freedom = rewire::freedom(&source.mask, args.null)?;

    let progress = ProgressBar::new(args.samples.into());
    let rows = (0..args.samples as usize)
        .into_par_iter()
        .map(|sample| {
            let rows = draw(args, &source, &checksum, sample)?;
            progress.inc(1);
            Ok(rows)
        })
        .collect::<prunephase::Result<Vec<_>>>();
    progress.finish_and_clear();
    let rows = rows.with_context(|| format!("rewiring {}", args.checkpoint.display()))?.concat();
    table::write_rows(&args.out.join("mixing.csv"), &rows)?;

    warn(&rewire::warnings(&freedom, &rows).iter().map(ToString::to_string).collect::<Vec<_>>());
    let (kept, weights) = (source.mask.kept(), source.mask.weights());
    eprintln!(
        "prunephase: {} of null model `{}` in {}, {kept} of {weights} weights kept in each",
        if args.samples == 1 { "1 sample".to_owned() } else { format!("{} samples", args.samples) },
        args.null,
        args.out.display()
    );
    Ok(ExitCode::SUCCESS)
}

/// Samples of another null model, seed or checkpoint must not mix with the new ones.
fn refuse_samples(folder: &Path) -> anyhow::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(FileError::read(folder, error).into()),
    };
    for entry in entries {
        let name = entry.map_err(|error| FileError::read(folder, error))?.file_name();
        let text = name.to_string_lossy();
        let sample = text.starts_with("sample-") && Path::new(&name).extension() == Some(OsStr::new("safetensors"));
        if sample || text == "mixing.csv" {
            bail!("{} holds samples already ({text}); remove them or choose another folder", folder.display());
        }
    }
    Ok(())
}

/// Draws and writes one sample.
fn draw(args: &RewireArgs, source: &Checkpoint, checksum: &str, sample: usize) -> prunephase::Result<Vec<MixingRow>> {
    let seeds = Seeds::new(args.seed, 0);
    let (mask, rows) = rewire::sample(&source.mask, args.null, &seeds, sample, &args.swaps_per_edge)?;
    let parameters = rewire::kept_weights(&source.parameters, &source.mask, &mask, args.null, &seeds, sample)?;
    let mut metadata = Metadata { kind: Kind::Sample, ..source.metadata.clone() };
    let mut say = |key: &str, value: String| metadata.extra.insert(key.to_owned(), value);
    say("null_model", args.null.to_string());
    say("sample", sample.to_string());
    say("rewire_seed", args.seed.to_string());
    say("source_blake3", checksum.to_owned());
    say("weights", "kept".to_owned());
    if args.null.uses_swaps() {
        say("swaps_per_edge", args.swaps_per_edge.per_edge().to_string());
    }
    let path = args.out.join(format!("sample-{sample:04}.safetensors"));
    Checkpoint::new(source.network.clone(), parameters, mask, metadata)?.write(&path)?;
    Ok(rows)
}
