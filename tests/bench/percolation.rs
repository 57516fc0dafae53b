//! How long a percolation sweep takes, and what memory; beside other programs with `--peers PYTHON`.
//!
//! ```text
//! RAYON_NUM_THREADS=1 cargo bench --no-default-features --bench percolation -- [--peers PYTHON] [--rounds N] [--only TEXT]
//! ```
//!
//! Ours and the peers take turns in one run; each time is the median over the rounds. The sums over
//! all numbers of kept weights of s1, s2 and the squares are compared: they must be equal.

#![allow(clippy::unwrap_used)]

mod support;

use std::hint::black_box;
use std::time::Instant;

use prunephase::graph::LayeredGraph;
use prunephase::percolation::{Points, Ranking, Sweep, sweep_components};
use support::{Options, Peer, chain, chain_with, extra_memory, median, write_edges};

/// s1, s2 and the sum of squares (but one largest) at every number of kept weights, in three arrays.
fn every_edge(graph: &LayeredGraph) -> (Vec<u32>, Vec<u32>, Vec<u64>) {
    let edges = graph.edges();
    let mut curve = (Vec::with_capacity(edges), Vec::with_capacity(edges), Vec::with_capacity(edges));
    sweep_components(graph, Ranking::Magnitude, |edges, components| {
        curve.0.resize(*edges.end(), components.s1() as u32);
        curve.1.resize(*edges.end(), components.s2() as u32);
        curve.2.resize(*edges.end(), components.squares_but_largest());
    });
    curve
}

fn sums(curve: &(Vec<u32>, Vec<u32>, Vec<u64>)) -> String {
    let s1: u64 = curve.0.iter().map(|&size| u64::from(size)).sum();
    let s2: u64 = curve.1.iter().map(|&size| u64::from(size)).sum();
    let squares: u64 = curve.2.iter().sum();
    format!("{s1} {s2} {squares}")
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

/// Milliseconds.
fn time<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    black_box(work());
    start.elapsed().as_secs_f64() * 1e3
}
