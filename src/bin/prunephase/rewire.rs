//! `prunephase rewire`: random subnetworks of a checkpoint, ready to retrain.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use prunephase::checkpoint::{self, Checkpoint, Kind, Metadata};
use prunephase::files::FileError;
use prunephase::rewire::{self, ChainKind, MixingRow, NullModel, Sampler, SwapOptions};
use prunephase::seed::Seeds;
use prunephase::table;
use rayon::prelude::*;

use crate::examples;
use crate::output::warn;
use crate::progress;
use crate::reading::ReadArgs;

/// Draw random subnetworks that share part of a checkpoint's structure.
///
/// Writes sample-0000.safetensors and so on, with the surviving weights of each layer permuted onto
/// its new places, and mixing.csv, which tells for each sample and layer how far the chain went
/// from the start. Samples are drawn in parallel (RAYON_NUM_THREADS); the files are the same for
/// any number of threads.
#[derive(Debug, clap::Args)]
#[command(after_long_help = examples::REWIRE)]
pub struct RewireArgs {
    /// The checkpoint.
    checkpoint: PathBuf,
    /// What the samples keep: edges (the number of kept weights in the whole network),
    /// layer-density (in each layer), in-degrees or out-degrees (of every unit), degrees (both, by the
    /// chain of --chain in each layer), signed-degrees (both, for each sign), joint-degrees (both, and
    /// how many edges there are between sources of each out-degree and targets of each in-degree).
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
    /// The chain that draws from `degrees`: swaps (double edge swaps) or curveball (global Curveball trades,
    /// whose rounds look at every edge once and count as half a proposal an edge; faster where more than a few
    /// per cent of a layer are kept).
    #[arg(long, value_name = "CHAIN", default_value_t)]
    chain: ChainKind,
    /// Rewire each place (kh, kw) of a convolution's kernel for itself; for null models with swaps.
    #[arg(long)]
    keep_taps: bool,
    /// The folder for the samples and mixing.csv; it may not hold samples of another command.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    reading: ReadArgs,
}

impl RewireArgs {
    fn options(&self) -> SwapOptions {
        self.swaps_per_edge.keeping_taps(self.keep_taps).by(self.chain)
    }
}

fn swap_options(text: &str) -> Result<SwapOptions, String> {
    let per_edge = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    SwapOptions::new(per_edge).map_err(|error| error.to_string())
}

/// Draws, writes and reports.
pub fn run(args: &RewireArgs) -> anyhow::Result<ExitCode> {
    if args.keep_taps && !args.null.uses_swaps() {
        let swapped: Vec<String> =
            NullModel::ALL.iter().filter(|null| null.uses_swaps()).map(ToString::to_string).collect();
        eprintln!(
            "prunephase: --keep-taps: null model `{}` makes no swaps; it goes with {}",
            args.null,
            swapped.join(", ")
        );
        return Ok(ExitCode::from(2));
    }
    if args.options().chain(args.null) != args.chain {
        eprintln!(
            "prunephase: --chain {}: it draws from null model `degrees` alone, not from `{}`",
            args.chain, args.null
        );
        return Ok(ExitCode::from(2));
    }
    let source = args.reading.read_whole(&args.checkpoint)?;
    let checksum = checkpoint::checksum(&args.checkpoint)?;
    refuse_other_samples(args, &source, &checksum)?;
    warn(&source.warnings);
    let (mask, signs, options) = (&source.mask, Some(&source.parameters), args.options());
    let freedom = rewire::freedom(mask, signs, args.null, &options)?;
    let times = progress::during("autocorrelation times", || {
        rewire::autocorrelation(mask, signs, args.null, &seeds(args, &checksum), &options)
    })
    .with_context(|| format!("rewiring {}", args.checkpoint.display()))?;

    let sampler = Sampler::new(&source.parameters, mask, args.null, &options)?;
    let progress = progress::bar(args.samples.into(), "samples");
    let rows = (0..args.samples as usize)
        .into_par_iter()
        .map(|sample| {
            let rows = draw(args, &source, &checksum, &sampler, sample)?;
            progress.inc(1);
            Ok(rows)
        })
        .collect::<prunephase::Result<Vec<_>>>();
    progress.finish_and_clear();
    let mut rows = rows.with_context(|| format!("rewiring {}", args.checkpoint.display()))?.concat();
    rewire::record_autocorrelation(&mut rows, &times);
    table::write_rows(&args.out.join("mixing.csv"), &rows)?;

    warn(&rewire::warnings(&freedom, &rows, &times).iter().map(ToString::to_string).collect::<Vec<_>>());
    let (kept, weights) = (source.mask.kept(), source.mask.weights());
    println!(
        "{} of null model `{}` in {}, {kept} of {weights} weights kept in each",
        if args.samples == 1 { "1 sample".to_owned() } else { format!("{} samples", args.samples) },
        args.null,
        args.out.display()
    );
    Ok(ExitCode::SUCCESS)
}

/// Samples of another null model, seed, checkpoint or number of swaps must not mix with the new
/// ones; those of the same command, which a killed run left, are drawn again to the same bytes.
fn refuse_other_samples(args: &RewireArgs, source: &Checkpoint, checksum: &str) -> anyhow::Result<()> {
    let folder = &args.out;
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(FileError::read(folder, error).into()),
    };
    for entry in entries {
        let path = entry.map_err(|error| FileError::read(folder, error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !(name.starts_with("sample-") && path.extension() == Some(OsStr::new("safetensors"))) {
            continue;
        }
        let there = Checkpoint::read(&path)?.metadata.extra;
        let number = there.get("sample").and_then(|text| text.parse::<usize>().ok());
        let ours = number.filter(|&number| number < args.samples as usize && name == file_name(number));
        if ours.is_none_or(|number| there != metadata(args, source, checksum, number).extra) {
            bail!(
                "{} holds samples of another command ({name}); remove them or choose another folder",
                folder.display()
            );
        }
    }
    Ok(())
}

fn file_name(sample: usize) -> String {
    format!("sample-{sample:04}.safetensors")
}

fn metadata(args: &RewireArgs, source: &Checkpoint, checksum: &str, sample: usize) -> Metadata {
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
    if args.chain != ChainKind::default() {
        say("chain", args.chain.to_string());
    }
    if args.keep_taps {
        say("keep_taps", "true".to_owned());
    }
    if args.null.keeps_signs() {
        // Where rewound and fresh weights take theirs from.
        say("signs", "kept weights".to_owned());
    }
    metadata
}

/// Different checkpoints have different streams.
fn seeds(args: &RewireArgs, checksum: &str) -> Seeds {
    Seeds::new(args.seed, 0).within(checksum)
}

/// Draws and writes one sample.
fn draw(
    args: &RewireArgs,
    source: &Checkpoint,
    checksum: &str,
    sampler: &Sampler<'_>,
    sample: usize,
) -> prunephase::Result<Vec<MixingRow>> {
    let drawn = sampler.draw(&seeds(args, checksum), sample)?;
    let metadata = metadata(args, source, checksum, sample);
    let path = args.out.join(file_name(sample));
    Checkpoint::new(source.network.clone(), drawn.parameters, drawn.mask, metadata)?.carrying(source).write(&path)?;
    Ok(drawn.mixing)
}
