//! `prunephase inspect`: what a checkpoint holds.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use comfy_table::CellAlignment;
use prunephase::checkpoint::{Checkpoint, MaskSource, Metadata};
use prunephase::mask::{Density, LayerMask};
use serde::Serialize;

use crate::output::{table, warn};

/// Show the layers of a checkpoint, what is kept of them, and where the mask came from.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// A checkpoint (.safetensors).
    checkpoint: PathBuf,
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
}

impl<'a> LayerRow<'a> {
    fn of(layer: &'a LayerMask) -> Self {
        Self { name: &layer.name, shape: layer.kept.shape(), kept: layer.kept_count(), dense: layer.kept.len() }
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
}

/// Runs the subcommand.
pub fn run(args: &InspectArgs) -> anyhow::Result<ExitCode> {
    let checkpoint = Checkpoint::read(&args.checkpoint)?;
    warn(&checkpoint.warnings);
    let mask = &checkpoint.mask;
    let inspection = Inspection {
        layers: mask.layers.iter().map(LayerRow::of).collect(),
        kept: mask.kept(),
        dense: mask.weights(),
        density: mask.density(),
        mask_source: checkpoint.mask_source,
        metadata: &checkpoint.metadata,
    };
    if args.json {
        println!("{}", serde_json::to_string(&inspection)?);
    } else {
        print(&inspection);
    }
    Ok(ExitCode::SUCCESS)
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
}
