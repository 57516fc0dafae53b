//! How long exact betweenness takes; beside other programs with `--peers PYTHON`.
//!
//! ```text
//! RAYON_NUM_THREADS=1 cargo bench --no-default-features --bench betweenness -- [--peers PYTHON] [--rounds N] [--only TEXT]
//! ```
//!
//! Ours and the peers take turns in one run, on the same uniform random masks; each time is the median
//! over the rounds. Sum and maximum over the nodes are compared: they must agree to 1e-9. Ours starts
//! from the layered graph, the peers from their own type, whose making is not timed. Short runs are
//! repeated until 5 ms are full.

#![allow(clippy::unwrap_used)]

mod support;

use std::hint::black_box;
use std::time::Instant;

use prunephase::graph::{Block, LayeredGraph, Role};
use prunephase::seed::Seeds;
use prunephase::topology::{PathDirection, betweenness};
use support::{Options, median, write_edges};

/// A chain of linear layers of which each weight is kept with the probability `density`.
fn uniform(sizes: &[usize], density: f64) -> LayeredGraph {
    let mut stream = Seeds::new(1, 0).stream("bench mask");
    let blocks = sizes.windows(2).enumerate().map(|(index, pair)| {
        let cells = pair[0] * pair[1];
        let kept: Vec<_> = (0..cells).filter(|_| stream.unit() < density).collect();
        let entries = kept.into_iter().map(|flat| (flat / pair[0], flat % pair[0], 1.0));
        Block::new(format!("fc{index}"), (index, pair[0]), (index + 1, pair[1]), cells, entries).unwrap()
    });
    let blocks = blocks.collect();
    let groups = sizes.iter().enumerate().map(|(index, &size)| (format!("g{index}"), size, Role::Hidden));
    LayeredGraph::new(groups, blocks).unwrap()
}

fn main() {
    let options = Options::read();
    let (narrow, wide) = ([784, 300, 100, 10], [784, 1024, 1024, 512, 10]);
    let cases = [
        ("784-300-100-10 at 1 %", uniform(&narrow, 0.01)),
        ("784-300-100-10 at 10 %", uniform(&narrow, 0.1)),
        ("784-1024-1024-512-10 at 1 %", uniform(&wide, 0.01)),
        ("784-1024-1024-512-10 at 10 %", uniform(&wide, 0.1)),
    ];
    println!("medians of {} rounds, ms\n", options.rounds);
    println!("{:<30} {:>8} {:<11} {:<11} {:>10} {:>8}", "graph", "pairs", "paths", "", "ms", "/ ours");
    for (name, graph) in cases.iter().filter(|(name, _)| name.contains(&options.only)) {
        let folder = tempfile::tempdir().unwrap();
        let mut peers = options.peers("betweenness.py", folder.path(), || write_edges(folder.path(), graph));
        let kinds = [(PathDirection::Undirected, "undirected"), (PathDirection::Directed, "directed")];
        let mut ours = [Vec::new(), Vec::new()];
        let mut theirs: Vec<Vec<f64>> = vec![Vec::new(); peers.len()];
        // Once beforehand: the pool of threads starts with its first work.
        let expected = kinds.map(|(direction, _)| betweenness(graph, direction).values);
        for _ in 0..options.rounds {
            for (&(direction, _), ours) in kinds.iter().zip(&mut ours) {
                ours.push(time(|| betweenness(graph, direction)));
            }
            for (peer, times) in peers.iter_mut().zip(&mut theirs) {
                times.extend(peer.round());
            }
        }
        let ours = ours.map(|mut times| median(&mut times));
        for ((_, kind), ours) in kinds.iter().zip(ours) {
            println!("{name:<30} {:>8} {kind:<11} {:<11} {ours:>10.3} {:>8.1}", graph.pairs(), "prunephase", 1.0);
        }
        for (peer, times) in peers.iter().zip(&mut theirs) {
            let (program, kind) = peer.name().split_once(' ').unwrap();
            let index = kinds.iter().position(|&(_, other)| other == kind).unwrap();
            print!("{name:<30} {:>8} {kind:<11} {program:<11} ", graph.pairs());
            if times.is_empty() {
                println!("{:>10}", "not run");
                continue;
            }
            let their = median(times);
            let verdict = if agrees(peer.result(), &expected[index]) { "" } else { "  OTHER VALUES" };
            println!("{their:>10.3} {:>8.1}{verdict}", their / ours[index]);
        }
    }
}

/// Whether a peer's sum and maximum are ours.
fn agrees(result: &str, values: &[f64]) -> bool {
    let ours = [values.iter().sum::<f64>(), values.iter().copied().fold(0.0, f64::max)];
    let theirs: Vec<f64> = result.split(' ').map(|number| number.parse().unwrap()).collect();
    theirs.iter().zip(ours).all(|(their, our)| (their - our).abs() <= 1e-9 * (1.0 + our))
}

/// Milliseconds of one run: of the mean of as many runs as fill 5 ms.
fn time<T>(work: impl Fn() -> T) -> f64 {
    let start = Instant::now();
    let mut runs = 0;
    while runs == 0 || start.elapsed().as_secs_f64() < 5e-3 {
        black_box(work());
        runs += 1;
    }
    start.elapsed().as_secs_f64() * 1e3 / f64::from(runs)
}
