//! `prunephase percolate`: percolation curves of checkpoints.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::bail;
use clap::{CommandFactory, ValueEnum};
use indicatif::ProgressBar;
use prunephase::checkpoint::{self, read_scores};
use prunephase::graph::LayeredGraph;
use prunephase::percolation::theory::theory_rows;
use prunephase::percolation::{
    self, Averages, ClusterRow, Observables, PercolationRow, Points, Ranking, Realisation, Sweep, cluster_numbers,
};
use prunephase::seed::Seeds;
use prunephase::table::RowWriter;
use rayon::prelude::*;

use crate::args::Cli;
use crate::graph::{self, Encoding};
use crate::reading::ReadArgs;
use crate::{examples, output, progress};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Order {
    /// By descending |w|, ties by layer, then by flat index
    Magnitude,
    /// Uniformly at random, anew in every realisation
    Random,
    /// By descending score (--scores), ties by layer, then by flat index
    Score,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Ensemble {
    /// Every kept weight is there with the same probability (Newman and Ziff): smooth curves
    Canonical,
    /// Exactly so many kept weights are there
    Microcanonical,
}

impl From<Ensemble> for percolation::Ensemble {
    fn from(ensemble: Ensemble) -> Self {
        match ensemble {
            Ensemble::Canonical => Self::Canonical,
            Ensemble::Microcanonical => Self::Microcanonical,
        }
    }
}

fn points(text: &str) -> Result<Points, String> {
    if text == "all" {
        return Ok(Points::All);
    }
    match text.parse() {
        Ok(count) if count >= 2 => Ok(Points::Logarithmic(count)),
        _ => Err("must be a number from 2 on, or `all`".to_owned()),
    }
}

fn density(text: &str) -> Result<f64, String> {
    match f64::from_str(text) {
        Ok(density) if density > 0.0 && density <= 1.0 => Ok(density),
        _ => Err("a density is a number above 0 and at most 1".to_owned()),
    }
}

/// Percolation curves of checkpoints: components and flow while the kept weights return
#[derive(Debug, clap::Args)]
#[command(after_long_help = examples::PERCOLATE)]
pub struct PercolateArgs {
    /// The checkpoints
    #[arg(required = true, value_name = "CKPT")]
    checkpoints: Vec<PathBuf>,
    /// The order in which the kept weights return
    #[arg(long, default_value = "magnitude")]
    order: Order,
    /// The scores of the order `score`: a safetensors file with NAME.score or NAME.weight for each
    /// layer, of the shape of its weights; for all checkpoints
    #[arg(long, value_name = "FILE", required_if_eq("order", "score"))]
    scores: Option<PathBuf>,
    /// Realisations of the random order; the other orders have one
    #[arg(long, value_name = "R", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    realisations: u64,
    /// The seed of the random order
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Numbers of kept weights, spaced in log from 1 to all, or `all` of them
    #[arg(long, value_name = "N or all", default_value = "200", value_parser = points)]
    points: Points,
    /// What the nodes are
    #[arg(long, default_value = "channel")]
    encoding: Encoding,
    /// The table to write (CSV)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A second table to write (CSV): averages over the realisations of the random order with their
    /// errors, and the fluctuations chi_v, chi_fl, R and U4
    #[arg(long, value_name = "FILE")]
    averages: Option<PathBuf>,
    /// Which masks the averages are over
    #[arg(long, default_value = "canonical")]
    ensemble: Ensemble,
    /// A second table to write (CSV): the numbers of components by size, in bins of a factor of 2, one
    /// largest left out, at the densities of --at
    #[arg(long, value_name = "FILE", requires = "at")]
    clusters: Option<PathBuf>,
    /// Densities of --clusters, separated by commas
    #[arg(long, value_name = "DENSITY", value_delimiter = ',', requires = "clusters", value_parser = density)]
    at: Vec<f64>,
    /// A second table to write (CSV): P_inf of large random graphs with the same joint degrees, at the
    /// same numbers of kept weights drawn at random
    #[arg(long, value_name = "FILE")]
    theory: Option<PathBuf>,
    #[command(flatten)]
    reading: ReadArgs,
}

impl PercolateArgs {
    /// What clap cannot check; exit 2 with a line that says what would be right.
    fn check(&self) {
        let wrong =
            |message: &str| -> ! { Cli::command().error(clap::error::ErrorKind::ArgumentConflict, message).exit() };
        if self.averages.is_some() && self.order != Order::Random {
            wrong("--averages are over realisations of the random order; add --order random --realisations R");
        }
        if self.scores.is_some() && self.order != Order::Score {
            wrong("--scores is for --order score");
        }
        let outputs: Vec<&Path> =
            [Some(&self.out), self.averages.as_ref(), self.clusters.as_ref(), self.theory.as_ref()]
                .into_iter()
                .flatten()
                .map(PathBuf::as_path)
                .collect();
        if outputs.iter().enumerate().any(|(place, path)| outputs[..place].contains(path)) {
            wrong("two tables have the same file; each needs one of its own");
        }
    }
}

/// The tables that are written.
struct Tables {
    curves: RowWriter,
    averages: Option<RowWriter>,
    clusters: Option<RowWriter>,
    theory: Option<RowWriter>,
}

/// Runs `prunephase percolate`.
pub fn run(args: &PercolateArgs) -> anyhow::Result<ExitCode> {
    args.check();
    let open = |path: &Option<PathBuf>| path.as_deref().map(RowWriter::create).transpose();
    let mut tables = Tables {
        curves: RowWriter::create(&args.out)?,
        averages: open(&args.averages)?,
        clusters: open(&args.clusters)?,
        theory: open(&args.theory)?,
    };
    let realisations = if args.order == Order::Random { args.realisations } else { 1 };
    // Averages and cluster numbers go through every realisation once more.
    let passes = 1 + u64::from(args.averages.is_some()) + u64::from(args.clusters.is_some());
    let bar = progress::bar(args.checkpoints.len() as u64 * realisations * passes, "percolating");
    for path in &args.checkpoints {
        let name = path.display().to_string();
        bar.set_message(name.clone());
        let (graph, scores) = bar.suspend(|| read(args, path))?;
        if args.theory.is_some() && graph.has_skips() {
            bail!("{name}: --theory is of networks whose every link is a weight, and this one has skips; leave it out");
        }
        if graph.edges() == 0 {
            bar.suspend(|| output::warn(&[format!("{name}: no weight is kept, so there is no curve")]));
            bar.inc(realisations * passes);
            continue;
        }
        // Realisations of different checkpoints must be independent: curves of dense networks of one
        // shape would else be the same curve.
        let seed = Seeds::new(args.seed, 0).within(&checkpoint::checksum(path)?).stream("percolation").next_u64();
        let ranking = |realisation: u64| match args.order {
            Order::Magnitude => Ranking::Magnitude,
            Order::Random => Ranking::Random { seed, realisation },
            Order::Score => Ranking::Scores(&scores),
        };
        percolate(args, &name, &graph, &ranking, realisations, &bar, &mut tables)?;
    }
    bar.finish_and_clear();
    if tables.curves.rows() == 0 {
        bail!("no weight is kept in any checkpoint: nothing is written to {}", args.out.display());
    }
    let out = Some(args.out.clone());
    let all = [
        (Some(tables.curves), &out),
        (tables.averages, &args.averages),
        (tables.clusters, &args.clusters),
        (tables.theory, &args.theory),
    ];
    for (table, path) in all {
        if let (Some(table), Some(path)) = (table, path) {
            let rows = table.rows();
            table.finish()?;
            println!("{}: {rows} rows", path.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The graph of a checkpoint, and the scores of its kept weights where they are asked for.
fn read(args: &PercolateArgs, path: &Path) -> anyhow::Result<(LayeredGraph, Vec<f32>)> {
    let checkpoint = args.reading.read(path)?;
    output::warn(&checkpoint.warnings);
    let scores = args.scores.as_ref().map(|scores| read_scores(scores, &checkpoint.mask)).transpose()?;
    let scores = scores.map(|scores| graph::ordered(&checkpoint, scores)).transpose()?;
    Ok((graph::of(path, &checkpoint, args.encoding)?, scores.unwrap_or_default()))
}

/// More rows than this are not kept in memory before they are written.
const ROWS: u64 = 1 << 20;

/// Writes everything about one checkpoint.
fn percolate<'a>(
    args: &PercolateArgs,
    name: &str,
    graph: &LayeredGraph,
    ranking: &(impl Fn(u64) -> Ranking<'a> + Sync),
    realisations: u64,
    bar: &ProgressBar,
    tables: &mut Tables,
) -> anyhow::Result<()> {
    let averages = args.averages.is_some().then(|| Averages::new(graph, args.ensemble.into(), &args.points));
    let mut averaged: Vec<Realisation> = Vec::new();
    // At a density the number of weights is rounded; beyond the checkpoint's own there are none.
    let at: Vec<usize> = args.at.iter().map(|density| (density * graph.dense() as f64).round() as usize).collect();
    if let Some(beyond) = args.at.iter().zip(&at).find(|(_, number)| !(1..=graph.edges()).contains(*number)) {
        let have = graph.density();
        bar.suspend(|| output::warn(&[format!("{name}: no cluster numbers at density {}; it keeps {have}", beyond.0)]));
    }
    let rows = args.points.count(graph.edges()) as u64;
    let batch = (ROWS / rows.max(1)).clamp(1, realisations);
    let mut first = 0;
    while first < realisations {
        let these = first..(first + batch).min(realisations);
        if batch > 1 {
            let curves: Vec<Vec<Observables>> = these
                .clone()
                .into_par_iter()
                .map(|one| {
                    let curve = Sweep::new(graph, ranking(one), &args.points).collect();
                    bar.inc(1);
                    curve
                })
                .collect();
            for (realisation, curve) in these.clone().zip(curves) {
                write(&mut tables.curves, name, ranking(realisation), curve.into_iter())?;
            }
        } else {
            write(&mut tables.curves, name, ranking(first), Sweep::new(graph, ranking(first), &args.points))?;
            bar.inc(1);
        }
        if let Some(averages) = &averages {
            averaged.par_extend(these.clone().into_par_iter().map(|one| {
                let realisation = averages.realisation(ranking(one));
                bar.inc(1);
                realisation
            }));
        }
        if let Some(table) = &mut tables.clusters {
            let count = |one| {
                let numbers = cluster_numbers(graph, ranking(one), &at);
                bar.inc(1);
                (one, numbers)
            };
            let found: Vec<_> = these.clone().into_par_iter().map(count).collect();
            for (realisation, numbers) in found {
                let order = ranking(realisation).order();
                let rows =
                    numbers.iter().flat_map(|one| ClusterRow::rows(name, order, realisation, graph.dense(), one));
                rows.into_iter().try_for_each(|row| table.push(&row))?;
            }
        }
        first = these.end;
    }
    if let (Some(averages), Some(table)) = (&averages, &mut tables.averages) {
        averages.rows(name, &averaged).iter().try_for_each(|row| table.push(row))?;
    }
    if let Some(table) = &mut tables.theory {
        theory_rows(graph, name, &args.points).iter().try_for_each(|row| table.push(row))?;
    }
    Ok(())
}

fn write(
    table: &mut RowWriter,
    name: &str,
    ranking: Ranking<'_>,
    mut curve: impl Iterator<Item = Observables>,
) -> anyhow::Result<()> {
    curve.try_for_each(|seen| table.push(&PercolationRow::new(name, ranking.order(), ranking.realisation(), &seen)))?;
    Ok(())
}
