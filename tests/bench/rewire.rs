//! Proposals a second of the chains of the null models, and how fast they forget; beside other programs with
//! `--peers PYTHON`.
//!
//! ```text
//! cargo bench --no-default-features --bench rewire -- [--peers PYTHON] [--rounds N] [--only TEXT]
//! ```
//!
//! One layer, one thread, ours and the peers in turns; rates are millions of proposals a second of processor
//! time (on Linux; of the clock elsewhere), so that a busy machine counts less, though it still takes memory
//! and caches; medians over the rounds. Ours without setting up the chain, and all in: from the mask to sampled
//! masks of two million edges together (two masks at least) with the looks of `mixing.csv`. The peers without
//! building their graph, and each with as many proposals as it does in about a second. A peer that reports swaps
//! made instead of proposals is given those.
//!
//! A proposal of a swap looks at two edges. A round of global Curveball trades, ours and networkit's, looks at
//! every edge once: it counts as half a proposal an edge.
//!
//! tau is the longest of the integrated autocorrelation times that `mixing.csv` reports, in proposals an edge,
//! the mean of three chains (of one on the largest layer); tau over the rate is what a sample as good as independent costs. The peers are
//! taken to forget in as many proposals as our chain with the same moves.

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
use prunephase::rewire::{self, Autocorrelation, Chain, ChainKind, NullModel, Sampler, SwapOptions};
use prunephase::seed::Seeds;
use support::{Options, Peer, median};

/// What is measured; the first two are compared with the peers.
const CHAINS: [(NullModel, ChainKind); 4] = [
    (NullModel::Degrees, ChainKind::Swaps),
    (NullModel::Degrees, ChainKind::Curveball),
    (NullModel::SignedDegrees, ChainKind::Swaps),
    (NullModel::JointDegrees, ChainKind::Swaps),
];

/// A layer whose largest weights are kept, as magnitude pruning leaves them: normal weights times a factor of
/// the row and one of the column, both lognormal with deviation `skew`.
fn pruned(rows: usize, columns: usize, density: f64, skew: f64) -> (Mask, Parameters) {
    let mut stream = Seeds::new(2, 0).stream("bench mask");
    let mut factors = |count: usize| (0..count).map(|_| (skew * stream.normal()).exp()).collect::<Vec<_>>();
    let (of_row, of_column) = (factors(rows), factors(columns));
    let mut weight = ArrayD::zeros(IxDyn(&[rows, columns]));
    for (at, weight) in weight.iter_mut().enumerate() {
        *weight = (stream.normal() * of_row[at / columns] * of_column[at % columns]) as f32;
    }
    let mut magnitudes: Vec<f32> = weight.iter().map(|w| w.abs()).collect();
    magnitudes.sort_unstable_by(f32::total_cmp);
    let least = magnitudes[((1.0 - density) * magnitudes.len() as f64) as usize];
    weight.mapv_inplace(|w| if w.abs() >= least { w } else { 0.0 });
    with_mask(weight)
}

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
    with_mask(weight)
}

fn with_mask(weight: ArrayD<f32>) -> (Mask, Parameters) {
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
        ("784 x 1024 at 1 %", 1024, 784, 0.01, None),
        ("784 x 1024 at 10 %", 1024, 784, 0.1, None),
        ("784 x 1024 at 5 %, skewed", 1024, 784, 0.05, Some(1.0)),
        ("8192 x 8192 at 30 %", 8192, 8192, 0.3, None),
    ];
    println!("millions of proposals a second, medians of {} rounds; tau in proposals an edge\n", options.rounds);
    println!(
        "{:<26} {:>9} {:<20} {:>8} {:>8} {:>8} {:>6} {:>12}",
        "layer", "edges", "chain", "chain", "all in", "accepted", "tau", "ns an edge"
    );
    let mut ratios = Vec::new();
    for (name, rows, columns, density, skew) in cases.into_iter().filter(|(name, ..)| name.contains(&options.only)) {
        let (mask, parameters) = match skew {
            Some(skew) => pruned(rows, columns, density, skew),
            None => layer(rows, columns, density),
        };
        let folder = tempfile::tempdir().unwrap();
        let mut peers = options.peers("rewire.py", folder.path(), || write_edges(folder.path(), &mask.layers[0]));
        let edges = mask.kept() as f64;
        // At least 20 million proposals a round.
        let per_edge = (2e7 / edges).max(2.0);
        let mut chains = CHAINS.map(|(null, kind)| {
            let weight = &parameters.layers[0].weight;
            let options = SwapOptions::default().by(kind);
            Chain::new(&mask.layers[0], Some(weight), null, &options, &Seeds::new(1, 0)).unwrap()
        });
        let (mut ours, mut all_in) = (vec![Vec::new(); CHAINS.len()], vec![Vec::new(); CHAINS.len()]);
        let mut theirs = vec![Vec::new(); peers.len()];
        for _ in 0..options.rounds {
            for (at, (chain, (null, kind))) in chains.iter_mut().zip(CHAINS).enumerate() {
                let before = chain.proposals();
                let start = now();
                chain.advance(per_edge);
                ours[at].push(rate((chain.proposals() - before) as f64, start));
                let options = SwapOptions::new(10.0).unwrap().by(kind);
                let seeds = Seeds::new(1, 0);
                let samples = (2e6 / edges).ceil().max(2.0);
                let start = now();
                let sampler = Sampler::new(&parameters, &mask, null, &options).unwrap();
                for number in 0..samples as usize {
                    black_box(sampler.sample(&seeds, number).unwrap());
                }
                all_in[at].push(rate(samples * 10.0 * edges, start));
            }
            for (peer, theirs) in peers.iter_mut().zip(&mut theirs) {
                theirs.extend(peer_rate(peer));
            }
        }
        let rates: Vec<f64> = ours.iter_mut().map(|rates| median(rates)).collect();
        let all_in: Vec<f64> = all_in.iter_mut().map(|rates| median(rates)).collect();
        let taus = CHAINS.map(|(null, kind)| tau(&mask, &parameters, null, kind));
        for (at, (null, kind)) in CHAINS.into_iter().enumerate() {
            let chain = if kind == ChainKind::Curveball { format!("{null}, {kind}") } else { null.to_string() };
            println!(
                "{name:<26} {edges:>9} {chain:<20} {:>8.1} {:>8.1} {:>8.3} {:>6.2} {:>12.2}",
                rates[at],
                all_in[at],
                chains[at].accepted() as f64 / chains[at].proposals() as f64,
                taus[at],
                taus[at] / rates[at] * 1e3
            );
        }
        let fastest = |values: &[f64]| values[..2].iter().copied().fold(0.0, f64::max);
        let effective: Vec<f64> = rates.iter().zip(taus).map(|(rate, tau)| rate / tau).collect();
        for (peer, theirs) in peers.iter().zip(&mut theirs) {
            // Our chain with the same moves.
            let like = usize::from(peer.name().contains("curveball"));
            ratios.push(if theirs.is_empty() {
                format!("{name:<26} {:<20} did not finish", peer.name())
            } else {
                let rate = median(theirs);
                format!(
                    "{name:<26} {:<20} {rate:>8.3} {:>8.1} {:>8.1} {:>8.1} {:>8.1} {:>8.1}",
                    peer.name(),
                    rates[like] / rate,
                    all_in[like] / rate,
                    fastest(&rates) / rate,
                    fastest(&all_in) / rate,
                    fastest(&effective) / (rate / taus[like])
                )
            });
        }
    }
    if !ratios.is_empty() {
        println!(
            "\n{:<26} {:<20} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
            "layer", "peer", "M/s", "like", "all in", "fastest", "all in", "sample"
        );
        println!("(of `degrees`, over the peer's rate: our chain with the same moves; the faster of our chains in");
        println!("proposals; and in samples as good as independent)\n{}", ratios.join("\n"));
    }
}

/// The mean over three chains of the longest autocorrelation time; over one chain of a large layer, and not of
/// null models that no peer has.
fn tau(mask: &Mask, parameters: &Parameters, null: NullModel, kind: ChainKind) -> f64 {
    let large = mask.kept() > 10_000_000;
    if large && null != NullModel::Degrees {
        return f64::NAN;
    }
    let chains = if large { 1 } else { 3 };
    let options = SwapOptions::default().by(kind);
    let longest = |seed: u64| {
        let times = rewire::autocorrelation(mask, Some(parameters), null, &Seeds::new(seed, 0), &options).unwrap();
        times.first().and_then(Autocorrelation::longest).map_or(f64::NAN, |(_, tau)| tau)
    };
    (0..chains).map(longest).sum::<f64>() / chains as f64
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
