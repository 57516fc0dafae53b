//! `prunephase topology`: degrees, strengths, correlations, clustering, cores, paths and densities of
//! the layers of checkpoints.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::builder::PossibleValuesParser;
use comfy_table::CellAlignment;
use prunephase::checkpoint;
use prunephase::percolation::theory::thresholds;
use prunephase::seed::Seeds;
use prunephase::table;
use prunephase::topology::{self, FAMILIES, Measurement, Options, THRESHOLDS, TopologyRow, WHOLE};
use serde::Serialize;

use crate::graph::{self, Encoding};
use crate::reading::ReadArgs;
use crate::{examples, output, progress};

/// Topology of checkpoints: metrics of each layer and of the whole network
#[derive(Debug, clap::Args)]
#[command(after_long_help = examples::TOPOLOGY)]
pub struct TopologyArgs {
    /// The checkpoints
    #[arg(required = true, value_name = "CKPT")]
    checkpoints: Vec<PathBuf>,
    /// The table to write (CSV): checkpoint, layer, metric, value
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A table of the degree distributions to write (CSV): checkpoint, layer, direction, degree, nodes
    #[arg(long, value_name = "FILE")]
    degrees: Option<PathBuf>,
    /// The families of metrics to measure; all by default
    #[arg(long, value_name = "FAMILY", value_delimiter = ',', value_parser = families())]
    metrics: Vec<String>,
    /// The seed of metrics that sample
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// What the nodes are
    #[arg(long, default_value = "channel")]
    encoding: Encoding,
    #[command(flatten)]
    reading: ReadArgs,
    /// Print one JSON object instead of the table of a few metrics
    #[arg(long)]
    json: bool,
}

fn families() -> PossibleValuesParser {
    FAMILIES.iter().map(|family| family.name).chain([THRESHOLDS]).collect::<Vec<_>>().into()
}

/// One row of the table of degree distributions.
#[derive(Serialize)]
struct DegreeRow<'a> {
    checkpoint: &'a str,
    layer: &'a str,
    direction: topology::Direction,
    degree: u32,
    nodes: usize,
}

/// What was found in one checkpoint.
#[derive(Serialize)]
struct Found {
    checkpoint: String,
    metrics: Vec<Measurement>,
    #[serde(skip)]
    degrees: Vec<topology::DegreeCount>,
    /// The blocks, in their order.
    #[serde(skip)]
    layers: Vec<String>,
}

#[derive(Serialize)]
struct All<'a> {
    checkpoints: &'a [Found],
}

/// Runs `prunephase topology`.
pub fn run(args: &TopologyArgs) -> anyhow::Result<ExitCode> {
    let wanted = |name: &str| args.metrics.is_empty() || args.metrics.iter().any(|one| one == name);
    let chosen: Vec<_> = FAMILIES.iter().filter(|family| wanted(family.name)).collect();
    let mut all = Vec::with_capacity(args.checkpoints.len());
    let families = chosen.len() + usize::from(wanted(THRESHOLDS));
    let bar = progress::bar((args.checkpoints.len() * families) as u64, "measuring");
    for path in &args.checkpoints {
        let name = path.display().to_string();
        let checkpoint = args.reading.read(path)?;
        bar.suspend(|| output::warn(&checkpoint.warnings));
        let graph = graph::of(path, &checkpoint, args.encoding)?;
        let options = Options {
            // Samples of different checkpoints must be independent.
            seeds: Seeds::new(args.seed, 0).within(&checkpoint::checksum(path)?),
            shapes: checkpoint
                .mask
                .layers
                .iter()
                .map(|layer| (layer.name.clone(), layer.kept.shape().to_vec()))
                .collect(),
        };
        let mut metrics = Vec::new();
        for family in &chosen {
            bar.set_message(family.name);
            let measured = family.of(&graph, &options);
            metrics.extend(measured.with_context(|| name.clone())?);
            bar.inc(1);
        }
        if wanted(THRESHOLDS) {
            bar.set_message(THRESHOLDS);
            metrics.extend(thresholds(&graph).into_iter().map(|(metric, value)| Measurement::whole(metric, value)));
            bar.inc(1);
        }
        let degrees = if args.degrees.is_some() { topology::degree_counts(&graph) } else { Vec::new() };
        let layers =
            graph.blocks().iter().filter(|block| !block.is_skip()).map(|block| block.name().to_owned()).collect();
        all.push(Found { checkpoint: name, metrics, degrees, layers });
    }
    bar.finish_and_clear();
    let rows = || all.iter().flat_map(|found| found.metrics.iter().map(|one| one.row(&found.checkpoint)));
    table::write_rows::<TopologyRow>(&args.out, rows())?;
    if let Some(path) = &args.degrees {
        table::write_rows(path, all.iter().flat_map(degree_rows))?;
    }
    if args.json {
        println!("{}", serde_json::to_string(&All { checkpoints: &all })?);
    } else {
        all.iter().for_each(print);
        println!("{}: {} rows of {} checkpoints", args.out.display(), rows().count(), all.len());
    }
    Ok(ExitCode::SUCCESS)
}

fn degree_rows(found: &Found) -> impl Iterator<Item = DegreeRow<'_>> {
    found.degrees.iter().map(|count| DegreeRow {
        checkpoint: &found.checkpoint,
        layer: &count.layer,
        direction: count.direction,
        degree: count.degree,
        nodes: count.nodes,
    })
}

/// A few metrics a layer: (heading, metric, digits after the point).
const SHOWN: &[(&str, &str, usize)] = &[
    ("kept", "edges", 0),
    ("density", "density", 6),
    ("<k in>", "in_degree_mean", 2),
    ("<k out>", "out_degree_mean", 2),
    ("assortativity", "degree_assortativity", 4),
    ("clustering", "robins_alexander", 4),
    ("negative", "negative_share", 4),
    ("dead units", "units_dead", 0),
    ("max core", "core_max", 0),
    ("ln paths", "paths_ln", 3),
    ("Lambda", "lambda", 3),
    ("non-backtracking", "non_backtracking_radius", 3),
];

fn print(found: &Found) {
    println!("{}", found.checkpoint);
    let value = |layer: &str, metric: &str| {
        found.metrics.iter().find(|one| one.layer == layer && one.metric == metric).map(|one| one.value)
    };
    let layers: Vec<&str> = found.layers.iter().map(String::as_str).chain([WHOLE]).collect();
    let shown: Vec<_> =
        SHOWN.iter().filter(|(_, metric, _)| layers.iter().any(|layer| value(layer, metric).is_some())).collect();
    let header: Vec<&str> = ["layer"].into_iter().chain(shown.iter().map(|(heading, ..)| *heading)).collect();
    let mut table = output::table(&header);
    for layer in layers {
        let cells = shown.iter().map(|&&(_, metric, digits)| {
            value(layer, metric).map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
        });
        table.add_row([layer.to_owned()].into_iter().chain(cells));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{}", table.trim_fmt());
}
