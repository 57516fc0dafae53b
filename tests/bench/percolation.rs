//! How long a percolation sweep takes, and what memory; beside other programs with `--peers PYTHON`.
//!
//! ```text
//! RAYON_NUM_THREADS=1 cargo bench --no-default-features --bench percolation -- [--peers PYTHON] [--rounds N] [--only TEXT]
//! ```
//!
//! Ours and the peers take turns in one run; each time is the median over the rounds. A curve is kept
//! as ranges of equal values, by all. The sums over all numbers of kept weights of s1, s2 and the squares
//! are compared: they must be equal.

#![allow(clippy::unwrap_used)]

mod support;

use std::hint::black_box;
use std::time::Instant;

use prunephase::graph::LayeredGraph;
use prunephase::percolation::{Points, Ranking, Sweep, sweep_components};
use support::{Options, Peer, chain, chain_with, extra_memory, median, write_edges};

/// Milliseconds for which a measurement goes on.
const ROUND: f64 = 50.0;

/// s1, s2 and the sum of squares (but one largest) at every number of kept weights: one entry for each
/// range of numbers at which they are the same, with its end.
fn every_edge(graph: &LayeredGraph) -> Vec<(usize, u32, u32, u64)> {
    let mut curve = Vec::with_capacity(graph.nodes());
    sweep_components(graph, Ranking::Magnitude, |edges, components| {
        let (s1, s2) = (components.s1() as u32, components.s2() as u32);
        curve.push((*edges.end(), s1, s2, components.squares_but_largest()));
    });
    curve
}

fn sums(curve: &[(usize, u32, u32, u64)]) -> String {
    let (mut since, mut sums) = (0, [0; 3]);
    for &(end, s1, s2, squares) in curve {
        let count = (end - since) as u64;
        since = end;
        for (sum, value) in sums.iter_mut().zip([u64::from(s1), u64::from(s2), squares]) {
            *sum += count * value;
        }
    }
    sums.map(|sum| sum.to_string()).join(" ")
}

/// The whole curve with its flow, without keeping it.
fn with_flow(graph: &LayeredGraph) -> u64 {
    Sweep::new(graph, Ranking::Magnitude, &Points::All)
        .map(|seen| seen.squares_but_largest + (seen.active_edges + seen.outputs_reached + seen.inputs_used) as u64)
        .fold(0, u64::wrapping_add)
}

fn main() {
    let options = Options::read();
    let wide = [784, 1024, 1024, 512, 10];
    let cases = [
        ("784-1024-1024-512-10, dense", chain(&wide, 1.0)),
        ("the same, connected at the end", chain_with(&wide, 1.0, 1e-4)),
        ("the same at 10 %", chain(&wide, 0.1)),
        ("the same at 1 %", chain(&wide, 0.01)),
        ("784-3000-4000-1400-10, dense", chain(&[784, 3000, 4000, 1400, 10], 1.0)),
    ];
    println!("medians of {} rounds, ms; bytes an edge at the peak beside the graph\n", options.rounds);
    println!(
        "{:<30} {:>9} {:>9} {:>9} {:>9} {:>7} {:>7}",
        "graph", "edges", "s1 s2 chi", "sort+flow", "all", "bytes", "bytes"
    );
    println!("{:<30} {:>9} {:>9} {:>9} {:>9} {:>7} {:>7}", "", "", "(kept)", "", "(stream)", "(kept)", "(all)");
    let mut ratios = Vec::new();
    for (name, graph) in cases.iter().filter(|(name, _)| name.contains(&options.only)) {
        let folder = tempfile::tempdir().unwrap();
        let mut peers = options.peers("percolation.py", folder.path(), || write_edges(folder.path(), graph));
        let (mut components, mut flow, mut all) = (Vec::new(), Vec::new(), Vec::new());
        let memory = extra_memory(|| every_edge(graph));
        let memory_all = extra_memory(|| with_flow(graph));
        let mut times: Vec<Vec<f64>> = vec![Vec::new(); peers.len()];
        for _ in 0..options.rounds {
            components.push(time(|| every_edge(graph)));
            flow.push(time(|| Sweep::new(graph, Ranking::Magnitude, &Points::default())));
            all.push(time(|| with_flow(graph)));
            for (peer, times) in peers.iter_mut().zip(&mut times) {
                times.extend(peer.round());
            }
        }
        let bytes = |memory: usize| format!("{:.1}", memory as f64 / graph.edges() as f64);
        let ours = median(&mut components);
        println!(
            "{name:<30} {:>9} {:>9.2} {:>9.2} {:>9.2} {:>7} {:>7}",
            graph.edges(),
            ours,
            median(&mut flow),
            median(&mut all),
            bytes(memory),
            bytes(memory_all)
        );
        let expected = sums(&every_edge(graph));
        for (peer, times) in peers.iter_mut().zip(&mut times) {
            ratios.push(ratio(name, peer, times, ours, &expected));
        }
    }
    if !ratios.is_empty() {
        println!("\ns1, s2 and chi at every edge: time of the peer / ours\n{}", ratios.join("\n"));
    }
}

fn ratio(name: &str, peer: &Peer, times: &mut [f64], ours: f64, expected: &str) -> String {
    let line = format!("{name:<30} {:<22}", peer.name());
    if times.is_empty() {
        return format!("{line} did not finish");
    }
    let agrees = if peer.result() == expected { "same curve" } else { "ANOTHER CURVE" };
    format!("{line} {:>8.1}  {agrees}", median(times) / ours)
}

/// The median time in milliseconds of as many calls as take [`ROUND`] ms, one at least: as the peers do,
/// so that short calls too are warm.
fn time<T>(mut work: impl FnMut() -> T) -> f64 {
    let (round, mut times) = (Instant::now(), Vec::new());
    while times.is_empty() || round.elapsed().as_secs_f64() * 1e3 < ROUND {
        let start = Instant::now();
        black_box(work());
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    median(&mut times)
}
