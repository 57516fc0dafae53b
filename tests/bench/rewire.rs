//! Proposals a second of the chains of the null models, beside other programs with `--peers PYTHON`.
//!
//! ```text
//! cargo bench --no-default-features --bench rewire -- [--peers PYTHON] [--rounds N] [--only TEXT]
//! ```
//!
//! One layer, one thread, ours and the peers in turns; rates are millions of proposals a second of processor
//! time (on Linux; of the clock elsewhere), so that a busy machine counts less, though it still takes memory
//! and caches; medians over the rounds. Ours without setting up the chain, and all in: from the mask to the sampled mask with the
//! looks of `mixing.csv`. The peers without building their graph, and each with as many proposals as it does
//! in about a second. A peer that reports swaps made instead of proposals is given those.

#![allow(clippy::unwrap_used)]

#[path = "support/mod.rs"]
mod support;

use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use ndarray::{ArrayD, IxDyn};
use prunephase::mask::{LayerMask, Mask};
use prunephase::network::{LayerParameters, Parameters};
use prunephase::rewire::{self, Chain, NullModel, SwapOptions};
use prunephase::seed::Seeds;
use support::{Options, Peer, median};

const NULLS: [NullModel; 3] = [NullModel::Degrees, NullModel::SignedDegrees, NullModel::JointDegrees];

/// A layer each of whose weights is kept with probability `density`, and weights of both signs.
fn layer(rows: usize, columns: usize, density: f64) -> (Mask, Parameters) {
    let mut stream = Seeds::new(1, 0).stream("bench mask");
    let mut weight = ArrayD::zeros(IxDyn(&[rows, columns]));
    weight.mapv_inplace(|_: f32| {
        let random = stream.unit();
        if random < density / 2.0 {
            -1.0
        } else if random < density {
            1.0
        } else {
            0.0
        }
    });
    let kept = weight.mapv(|w| w != 0.0);
    let mask = Mask { layers: vec![LayerMask { name: "fc1".into(), kept }] };
    (mask, Parameters { layers: vec![LayerParameters { name: "fc1".into(), weight, bias: None }] })
}

/// `edges.bin`: source and target as u32, each array after the other, targets behind the sources.
fn write_edges(folder: &Path, layer: &LayerMask) {
    let columns = layer.kept.shape()[1];
    let mut file = BufWriter::new(std::fs::File::create(folder.join("edges.bin")).unwrap());
    let kept = || layer.kept.iter().enumerate().filter(|(_, kept)| **kept).map(|(cell, _)| cell);
    kept().for_each(|cell| file.write_all(&((cell % columns) as u32).to_le_bytes()).unwrap());
    kept().for_each(|cell| file.write_all(&((columns + cell / columns) as u32).to_le_bytes()).unwrap());
    file.flush().unwrap();
    std::fs::write(folder.join("nodes.txt"), format!("{columns} {}", layer.kept.shape()[0])).unwrap();
}

fn main() {
    // The work is done by the thread whose time is taken.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(run);
}

fn run() {
    let options = Options::read();
    let cases = [
        ("784 x 1024 at 1 %", 1024, 784, 0.01),
        ("784 x 1024 at 10 %", 1024, 784, 0.1),
        ("8192 x 8192 at 30 %", 8192, 8192, 0.3),
    ];
    println!("millions of proposals a second, medians of {} rounds\n", options.rounds);
    println!("{:<22} {:>10} {:<16} {:>8} {:>8} {:>9}", "layer", "edges", "null model", "chain", "all in", "accepted");
    let mut ratios = Vec::new();
    for (name, rows, columns, density) in cases.into_iter().filter(|(name, ..)| name.contains(&options.only)) {
        let (mask, parameters) = layer(rows, columns, density);
        let folder = tempfile::tempdir().unwrap();
        let mut peers = options.peers("rewire.py", folder.path(), || write_edges(folder.path(), &mask.layers[0]));
        let edges = mask.kept() as f64;
        // At least 20 million proposals a round.
        let per_edge = (2e7 / edges).max(2.0);
        let mut chains = NULLS.map(|null| {
            let weight = &parameters.layers[0].weight;
            Chain::new(&mask.layers[0], Some(weight), null, &SwapOptions::default(), &Seeds::new(1, 0)).unwrap()
        });
        let (mut ours, mut all_in) = (vec![Vec::new(); 3], vec![Vec::new(); 3]);
        let mut theirs = vec![Vec::new(); peers.len()];
        for round in 0..options.rounds {
            for (at, chain) in chains.iter_mut().enumerate() {
                let before = chain.proposals();
                let start = now();
                chain.advance(per_edge);
                ours[at].push(rate((chain.proposals() - before) as f64, start));
                let options = SwapOptions::new(10.0).unwrap();
                let seeds = Seeds::new(1, 0);
                let samples = (2e6 / edges).ceil();
                let start = now();
                for _ in 0..samples as usize {
                    black_box(if NULLS[at].keeps_signs() {
                        rewire::draw(&parameters, &mask, NULLS[at], &seeds, round, &options).unwrap().mask
                    } else {
                        rewire::sample(&mask, NULLS[at], &seeds, round, &options).unwrap().0
                    });
                }
                all_in[at].push(rate(samples * 10.0 * edges, start));
            }
            for (peer, theirs) in peers.iter_mut().zip(&mut theirs) {
                theirs.extend(peer_rate(peer));
            }
        }
        let degrees = median(&mut ours[0].clone());
        for (at, null) in NULLS.into_iter().enumerate() {
            println!(
                "{name:<22} {edges:>10} {null:<16} {:>8.1} {:>8.1} {:>9.3}",
                median(&mut ours[at]),
                median(&mut all_in[at]),
                chains[at].accepted() as f64 / chains[at].proposals() as f64
            );
        }
        let all_in = median(&mut all_in[0]);
        for (peer, theirs) in peers.iter().zip(&mut theirs) {
            ratios.push(if theirs.is_empty() {
                format!("{name:<22} {:<24} did not finish", peer.name())
            } else {
                let rate = median(theirs);
                format!("{name:<22} {:<24} {rate:>8.3} {:>8.1} {:>8.1}", peer.name(), degrees / rate, all_in / rate)
            });
        }
    }
    if !ratios.is_empty() {
        println!("\n{:<22} {:<24} {:>8} {:>8} {:>8}", "layer", "peer", "M/s", "ours", "all in");
        println!("(of `degrees`: its rate over the peer's)\n{}", ratios.join("\n"));
    }
}

/// Seconds of processor time of this thread, and of the clock.
fn now() -> (Option<f64>, Instant) {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|text| text.parse::<f64>().ok());
    (nanoseconds.map(|n| n / 1e9), Instant::now())
}

fn rate(proposals: f64, (processor, clock): (Option<f64>, Instant)) -> f64 {
    let seconds = now().0.zip(processor).map_or_else(|| clock.elapsed().as_secs_f64(), |(end, start)| end - start);
    proposals / seconds / 1e6
}

/// The peer answers with its seconds and its proposals.
fn peer_rate(peer: &mut Peer) -> Option<f64> {
    let milliseconds = peer.round()?;
    Some(peer.result().trim().parse::<f64>().ok()? / milliseconds / 1e3)
}
