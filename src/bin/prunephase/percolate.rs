//! `prunephase percolate`: components and flow along the order in which weights return.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Context, ensure};
use prunephase::checkpoint::Checkpoint;
use prunephase::graph::LayeredGraph;
use prunephase::percolation::{self, Order, Points};
use prunephase::table;

use crate::graph::EncodingName;
use crate::{output, progress};

/// Measure components and input-output flow of checkpoints along an order of their weights
#[derive(Debug, clap::Args)]
pub struct PercolateArgs {
    /// The checkpoints
    #[arg(required = true)]
    checkpoints: Vec<PathBuf>,
    /// The order in which the kept weights return: the largest |w| first, or at random
    #[arg(long, value_enum, default_value = "magnitude")]
    order: OrderName,
    /// Realisations of the random order
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    realisations: u64,
    /// Seed of the random order
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How many numbers of kept weights, spaced in log from 1 to all, or `all`
    #[arg(long, default_value = "200")]
    points: PointsArg,
    /// How a convolution becomes a graph
    #[arg(long, value_enum, default_value = "channel")]
    encoding: EncodingName,
    /// The table to write
    #[arg(long, value_name = "FILE.csv")]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum OrderName {
    Magnitude,
    Random,
}

#[derive(Debug, Clone)]
struct PointsArg(Points);

impl FromStr for PointsArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse::<usize>()) {
            ("all", _) => Ok(Self(Points::All)),
            (_, Ok(count)) if count >= 2 => Ok(Self(Points::Logarithmic(count))),
            _ => Err("must be `all` or a number of at least 2".into()),
        }
    }
}

/// Runs the command.
pub fn run(args: &PercolateArgs) -> anyhow::Result<ExitCode> {
    let (order, realisations) = match args.order {
        OrderName::Magnitude => (Order::Magnitude, 1),
        OrderName::Random => (Order::Random, args.realisations),
    };
    let bar = progress::bar(realisations * args.checkpoints.len() as u64, "curves");
    let mut rows = Vec::new();
    for path in &args.checkpoints {
        let read = Checkpoint::read(path)?;
        bar.suspend(|| output::warn(&read.warnings));
        let graph = LayeredGraph::from_network(&read.network, &read.parameters, &read.mask, args.encoding.into())
            .with_context(|| path.display().to_string())?;
        ensure!(graph.edges() > 0, "{}: keeps no weight, so there is no curve", path.display());
        let curves = percolation::ensemble(&graph, order, args.seed, realisations, &args.points.0, || bar.inc(1));
        let name = path.display().to_string();
        rows.extend(curves.iter().flat_map(|curve| curve.rows(&name)));
    }
    bar.finish_and_clear();
    table::write_rows(&args.out, &rows)?;
    eprintln!("prunephase: {} rows in {}", rows.len(), args.out.display());
    Ok(ExitCode::SUCCESS)
}
