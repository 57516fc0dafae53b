//! Times assortativity, clustering and core numbers of random masks, and those of other libraries.
//!
//! `cargo bench --no-default-features --bench topology -- [--peers PYTHON] [--rounds N]`, where PYTHON
//! is an interpreter with `tests/bench/peers/requirements.txt`. One thread each; the two sides take
//! turns, so that a busy machine slows both.

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use prunephase::graph::{Block, LayeredGraph, Role};
use prunephase::seed::Seeds;
use prunephase::topology::{Clustering, core_numbers, degree_assortativity};

/// (graph, metric, who) to the times and the last value.
type Times = BTreeMap<(String, String, String), (Vec<f64>, f64)>;
type Metric = (&'static str, fn(&LayeredGraph) -> f64);

const OURS: &str = "prunephase";
const REPEATS: usize = 7;
const METRICS: &[Metric] = &[
    ("assortativity", |graph| degree_assortativity(graph).unwrap_or(f64::NAN)),
    ("clustering", |graph| Clustering::of(graph).robins_alexander().unwrap_or(f64::NAN)),
    ("cores", |graph| core_numbers(graph).iter().map(|&core| f64::from(core)).sum()),
];

/// A chain whose weights are each kept with probability `density`.
fn chain(sizes: &[usize], density: f64) -> Result<LayeredGraph, Box<dyn Error>> {
    let mut stream = Seeds::new(1, 0).stream("bench mask");
    let mut blocks = Vec::new();
    for (index, pair) in sizes.windows(2).enumerate() {
        let (columns, rows) = (pair[0], pair[1]);
        let all = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column, 1.0)));
        let kept: Vec<_> = all.filter(|_| stream.unit() < density).collect();
        blocks.push(Block::new(format!("fc{}", index + 1), (index, columns), (index + 1, rows), rows * columns, kept)?);
    }
    let groups =
        sizes.iter().enumerate().map(|(index, &size)| (format!("g{index}"), size, Role::of_group(index, sizes.len())));
    Ok(LayeredGraph::new(groups, blocks)?)
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn ask_peers(python: &str, folder: &Path, times: &mut Times) -> Result<(), Box<dyn Error>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/peers/topology.py");
    let output = Command::new(python).arg(script).arg(folder).arg(REPEATS.to_string()).output()?;
    if !output.status.success() {
        return Err(format!("{python}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    for line in String::from_utf8(output.stdout)?.lines() {
        let [graph, metric, peer, seconds, value] = line.split(',').collect::<Vec<_>>()[..] else {
            return Err(format!("{python}: unexpected line `{line}`").into());
        };
        let own = times.entry((graph.to_owned(), metric.to_owned(), peer.to_owned())).or_default();
        own.0.push(seconds.parse()?);
        own.1 = value.parse().unwrap_or(f64::NAN);
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo bench` adds --bench of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let option = |name: &str| arguments.iter().position(|argument| argument == name).map(|at| arguments.get(at + 1));
    let python = option("--peers").map(|path| path.ok_or("--peers needs the path of a Python")).transpose()?;
    let rounds: usize = option("--rounds").flatten().map_or(Ok(3), |rounds| rounds.parse())?;

    let folder = tempfile::tempdir()?;
    let mut graphs = Vec::new();
    for (name, sizes) in [("wide", &[784, 1024, 1024, 512, 10][..]), ("lenet", &[784, 300, 100, 10])] {
        for percent in [1, 10, 100] {
            let graph = chain(sizes, f64::from(percent) / 100.0)?;
            let name = format!("{name}-{percent:03}%");
            // Dense graphs are for us alone.
            if percent < 100 {
                let bytes: Vec<u8> =
                    graph.weights().flat_map(|(_, a, b)| [a.to_le_bytes(), b.to_le_bytes()]).flatten().collect();
                std::fs::write(folder.path().join(format!("{name}.edges")), bytes)?;
                std::fs::write(folder.path().join(format!("{name}.nodes")), graph.nodes().to_string())?;
            }
            graphs.push((name, graph));
        }
    }
    let mut times = Times::new();
    for _ in 0..rounds {
        for (name, graph) in &graphs {
            for (metric, measure) in METRICS {
                let own = times.entry((name.clone(), (*metric).to_owned(), OURS.to_owned())).or_default();
                for _ in 0..REPEATS {
                    let start = Instant::now();
                    own.1 = black_box(measure(black_box(graph)));
                    own.0.push(start.elapsed().as_secs_f64());
                }
            }
        }
        if let Some(python) = python {
            ask_peers(python, folder.path(), &mut times)?;
        }
    }
    println!("{:<12} {:<14} {:<11} {:>12} {:>8}  value", "graph", "metric", "who", "median ms", "ratio");
    for ((graph, metric, who), (seconds, value)) in &times {
        let ours = times.get(&(graph.clone(), metric.clone(), OURS.to_owned())).map_or(f64::NAN, |own| median(&own.0));
        let own = median(seconds);
        println!("{graph:<12} {metric:<14} {who:<11} {:>12.4} {:>8.2}  {value}", own * 1e3, own / ours);
    }
    Ok(())
}
