//! `prunephase inspect`: what a checkpoint holds.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use comfy_table::CellAlignment;
use prunephase::checkpoint::{Kind, MaskSource, Metadata, TensorInfo};
use prunephase::mask::{Density, LayerMask};
use serde::Serialize;

use crate::examples;
use crate::output::{table, warn};
use crate::reading::ReadArgs;

/// Show the layers of a checkpoint, what is kept of them, and where the mask came from.
#[derive(Debug, Args)]
#[command(after_long_help = examples::INSPECT)]
pub struct InspectArgs {
    /// A checkpoint: safetensors, .pt or .pth, or a folder of .npy.
    checkpoint: PathBuf,
    #[command(flatten)]
    reading: ReadArgs,
    /// List every tensor too, with its type, its shape and what it is; always done for files of others.
    #[arg(long)]
    tensors: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct LayerRow<'a> {
    name: &'a str,
    shape: &'a [usize],
    kept: usize,
    dense: usize,
    density: Density,
}

impl<'a> LayerRow<'a> {
    fn of(layer: &'a LayerMask) -> Self {
        let (kept, dense) = (layer.kept_count(), layer.kept.len());
        Self { name: &layer.name, shape: layer.kept.shape(), kept, dense, density: Density::of(kept, dense) }
    }
}

#[derive(Serialize)]
struct Inspection<'a> {
    layers: Vec<LayerRow<'a>>,
    kept: usize,
    dense: usize,
    density: Density,
    mask_source: MaskSource,
    metadata: &'a Metadata,
    network: &'a str,
    tensors: Vec<TensorRow<'a>>,
    ignored: Vec<IgnoredRow<'a>>,
}

#[derive(Serialize)]
struct TensorRow<'a> {
    name: &'a str,
    dtype: &'a str,
    shape: &'a [usize],
    part: &'a str,
}

#[derive(Serialize)]
struct IgnoredRow<'a> {
    name: &'a str,
    what: &'a str,
}

/// Runs the subcommand.
pub fn run(args: &InspectArgs) -> anyhow::Result<ExitCode> {
    let found = args.reading.inspect(&args.checkpoint)?;
    let checkpoint = &found.checkpoint;
    warn(&checkpoint.warnings);
    let mask = &checkpoint.mask;
    let inspection = Inspection {
        layers: mask.layers.iter().map(LayerRow::of).collect(),
        kept: mask.kept(),
        dense: mask.weights(),
        density: mask.density(),
        mask_source: checkpoint.mask_source,
        metadata: &checkpoint.metadata,
        network: &checkpoint.network.architecture,
        tensors: found.tensors.iter().map(TensorRow::of).collect(),
        ignored: found.ignored.iter().map(|one| IgnoredRow { name: &one.name, what: &one.what }).collect(),
    };
    if args.json {
        println!("{}", serde_json::to_string(&inspection)?);
    } else {
        print(&inspection);
        if args.tensors || inspection.metadata.kind == Kind::Foreign {
            println!();
            print_tensors(&inspection.tensors);
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl<'a> TensorRow<'a> {
    fn of(info: &'a TensorInfo) -> Self {
        Self { name: &info.name, dtype: &info.dtype, shape: &info.shape, part: &info.part }
    }
}

/// What is left out, with how many tensors there are of each kind.
fn print_ignored(ignored: &[IgnoredRow<'_>]) {
    let mut kinds: Vec<(&str, Vec<&str>)> = Vec::new();
    for one in ignored {
        match kinds.iter_mut().find(|(what, _)| *what == one.what) {
            Some((_, names)) => names.push(one.name),
            None => kinds.push((one.what, vec![one.name])),
        }
    }
    for (what, names) in kinds {
        let shown = names[..names.len().min(3)].join(", ");
        let more = if names.len() > 3 { format!(" and {} more", names.len() - 3) } else { String::new() };
        println!("ignored, {what}: {shown}{more}");
    }
}

/// The shapes and types of the tensors.
fn print_tensors(tensors: &[TensorRow<'_>]) {
    let mut table = table(&["tensor", "type", "shape", "part"]);
    for one in tensors {
        let shape: Vec<String> = one.shape.iter().map(usize::to_string).collect();
        table.add_row([one.name.to_owned(), one.dtype.to_owned(), shape.join(" x "), one.part.to_owned()]);
    }
    println!("{}", table.trim_fmt());
}

fn print(inspection: &Inspection<'_>) {
    let mut table = table(&["layer", "shape", "kept", "dense", "density"]);
    let mut add = |name: &str, shape: String, kept: usize, dense: usize| {
        let density = format!("{:.6}", Density::of(kept, dense).value());
        table.add_row([name.to_owned(), shape, kept.to_string(), dense.to_string(), density]);
    };
    for layer in &inspection.layers {
        let shape: Vec<String> = layer.shape.iter().map(usize::to_string).collect();
        add(layer.name, shape.join(" x "), layer.kept, layer.dense);
    }
    add("total", String::new(), inspection.kept, inspection.dense);
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{}", table.trim_fmt());
    println!("mask from {}", inspection.mask_source);
    print_ignored(&inspection.ignored);
}
