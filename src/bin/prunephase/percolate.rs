//! `prunephase percolate`: percolation curves of checkpoints.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::bail;
use clap::ValueEnum;
use prunephase::files;
use prunephase::percolation::theory::{TheoryRow, theory_rows};
use prunephase::percolation::{self, Curve, ensemble};
use prunephase::seed::Seeds;
use prunephase::table;

use crate::graph::{self, Encoding};
use crate::{output, progress};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Order {
    /// By descending |w|, ties by layer, then by flat index
    Magnitude,
    /// Uniformly at random, anew in every realisation
    Random,
}

impl From<Order> for percolation::Order {
    fn from(order: Order) -> Self {
        match order {
            Order::Magnitude => Self::Magnitude,
            Order::Random => Self::Random,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Points(percolation::Points);

impl FromStr for Points {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self(percolation::Points::All));
        }
        match text.parse() {
            Ok(count) if count >= 2 => Ok(Self(percolation::Points::Logarithmic(count))),
            _ => Err("must be a number from 2 on, or `all`".to_owned()),
        }
    }
}

/// Percolation curves of checkpoints: components and flow while the kept weights return
#[derive(Debug, clap::Args)]
pub struct PercolateArgs {
    /// The checkpoints
    #[arg(required = true, value_name = "CKPT")]
    checkpoints: Vec<PathBuf>,
    /// The order in which the kept weights return
    #[arg(long, default_value = "magnitude")]
    order: Order,
    /// Realisations of the random order; the magnitude order has one
    #[arg(long, value_name = "R", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    realisations: u64,
    /// The seed of the random order
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Numbers of kept weights, spaced in log from 1 to all, or `all` of them
    #[arg(long, value_name = "N or all", default_value = "200")]
    points: Points,
    /// What the nodes are
    #[arg(long, default_value = "channel")]
    encoding: Encoding,
    /// The table to write (CSV)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A second table to write (CSV): P_inf of large random graphs with the same joint degrees, at the
    /// same numbers of kept weights drawn at random
    #[arg(long, value_name = "FILE")]
    theory: Option<PathBuf>,
}

/// Runs `prunephase percolate`.
pub fn run(args: &PercolateArgs) -> anyhow::Result<ExitCode> {
    if args.theory.as_ref() == Some(&args.out) {
        bail!("{}: --out and --theory name the same file; two are needed", args.out.display());
    }
    let realisations = if args.order == Order::Magnitude { 1 } else { args.realisations };
    let mut curves: Vec<(String, Curve)> = Vec::new();
    let mut theory: Vec<TheoryRow> = Vec::new();
    let bar = progress::bar(args.checkpoints.len() as u64 * realisations, "percolating");
    for path in &args.checkpoints {
        let graph = bar.suspend(|| graph::read(path, args.encoding))?;
        let name = path.display().to_string();
        if graph.edges() == 0 {
            bar.suspend(|| output::warn(&[format!("{name}: no weight is kept, so there is no curve")]));
            bar.inc(realisations);
            continue;
        }
        let order = args.order.into();
        // Realisations of different checkpoints must be independent: curves of dense networks of one
        // shape would else be the same curve.
        let seed = Seeds::new(args.seed, 0).within(&files::checksum(path)?).stream("percolation").next_u64();
        let found = ensemble(&graph, order, seed, realisations, &args.points.0, || bar.inc(1));
        if args.theory.is_some() {
            theory.extend(theory_rows(&graph, &name, &args.points.0));
        }
        curves.extend(found.into_iter().map(|curve| (name.clone(), curve)));
    }
    bar.finish_and_clear();
    if curves.is_empty() {
        bail!("no weight is kept in any checkpoint: nothing is written to {}", args.out.display());
    }
    table::write_rows(&args.out, curves.iter().flat_map(|(name, curve)| curve.rows(name)))?;
    let rows: usize = curves.iter().map(|(_, curve)| curve.points.len()).sum();
    eprintln!("{}: {} curves, {rows} rows", args.out.display(), curves.len());
    if let Some(path) = &args.theory {
        table::write_rows(path, &theory)?;
        eprintln!("{}: {} rows of theory", path.display(), theory.len());
    }
    Ok(ExitCode::SUCCESS)
}
