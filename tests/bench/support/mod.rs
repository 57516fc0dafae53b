//! What the benches share: graphs, medians, memory, and programs to compare with.

#![allow(dead_code, clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use prunephase::graph::{Block, LayeredGraph, Role};
use prunephase::seed::Seeds;

/// The command line of a bench.
pub struct Options {
    /// How often everything is measured.
    pub rounds: usize,
    /// The cases whose name holds this.
    pub only: String,
    python: Option<PathBuf>,
}

impl Options {
    /// Reads `--rounds N` (5 by default), `--only TEXT` and `--peers PYTHON`.
    pub fn read() -> Self {
        let mut options = Self { rounds: 5, only: String::new(), python: None };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--rounds" => options.rounds = arguments.next().unwrap().parse().unwrap(),
                "--only" => options.only = arguments.next().unwrap(),
                "--peers" => options.python = Some(arguments.next().unwrap().into()),
                _ => {}
            }
        }
        options
    }

    /// The peers that `script` knows, each a process of its own; none without `--peers`.
    pub fn peers(&self, script: &str, folder: &Path, write: impl FnOnce()) -> Vec<Peer> {
        let Some(python) = &self.python else { return Vec::new() };
        write();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/peers").join(script);
        let names = Command::new(python).arg(&script).arg("--list").output().unwrap();
        let names = String::from_utf8(names.stdout).unwrap();
        names.lines().map(|name| Peer::start(python, &script, name, folder)).collect()
    }
}

/// Another program, which answers each line with its seconds and its result, or ends where it does
/// not finish in time.
pub struct Peer {
    name: String,
    child: Child,
    answers: std::io::Lines<BufReader<std::process::ChildStdout>>,
    result: String,
}

impl Peer {
    fn start(python: &Path, script: &Path, name: &str, folder: &Path) -> Self {
        let mut command = Command::new(python);
        for threads in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"] {
            command.env(threads, "1");
        }
        command.arg(script).arg(name).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { name: name.to_owned(), child, answers, result: String::new() }
    }

    /// The peer's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it found, in the last round.
    pub fn result(&self) -> &str {
        &self.result
    }

    /// One round's time in milliseconds.
    pub fn round(&mut self) -> Option<f64> {
        self.ask("go")
    }

    /// The same, of what `line` asks for.
    pub fn ask(&mut self, line: &str) -> Option<f64> {
        writeln!(self.child.stdin.as_mut()?, "{line}").ok()?;
        let answer = self.answers.next()?.ok()?;
        let (seconds, result) = answer.split_once(' ')?;
        self.result = result.to_owned();
        Some(seconds.parse::<f64>().ok()? * 1e3)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A chain of linear layers with normal weights of variance 1 / inputs, of which the `share` with
/// the largest magnitude is kept.
pub fn chain(sizes: &[usize], share: f64) -> LayeredGraph {
    chain_with(sizes, share, 1.0)
}

/// The same, with the weights of the first input scaled: where they are tiny, the graph is connected
/// at its last weights alone.
pub fn chain_with(sizes: &[usize], share: f64, scale: f32) -> LayeredGraph {
    let mut stream = Seeds::new(1, 0).stream("bench weights");
    let mut layers: Vec<Vec<f32>> = sizes
        .windows(2)
        .map(|pair| (0..pair[0] * pair[1]).map(|_| (stream.normal() / (pair[0] as f64).sqrt()) as f32).collect())
        .collect();
    layers[0].iter_mut().step_by(sizes[0]).for_each(|w| *w *= scale);
    let mut magnitudes: Vec<f32> = layers.iter().flatten().map(|w| w.abs()).collect();
    let kept = (magnitudes.len() as f64 * share).round() as usize;
    magnitudes.sort_unstable_by(|a, b| b.total_cmp(a));
    let least = magnitudes[kept - 1];
    let blocks = layers.iter().zip(sizes.windows(2)).enumerate().map(|(index, (weights, pair))| {
        let entries = weights.iter().enumerate().filter(|(_, w)| w.abs() >= least);
        let entries = entries.map(|(flat, &w)| (flat / pair[0], flat % pair[0], w));
        Block::new(format!("fc{index}"), (index, pair[0]), (index + 1, pair[1]), weights.len(), entries).unwrap()
    });
    let role = |index| Role::of_group(index, sizes.len());
    let groups = sizes.iter().enumerate().map(|(index, &size)| (format!("g{index}"), size, role(index)));
    LayeredGraph::new(groups, blocks.collect()).unwrap()
}

/// `edges.bin` (source and target as u32 and |w| as f32, each array after the other) and `nodes.txt`.
pub fn write_edges(folder: &Path, graph: &LayeredGraph) {
    let mut file = BufWriter::new(fs::File::create(folder.join("edges.bin")).unwrap());
    for (_, source, _) in graph.weights() {
        file.write_all(&source.to_le_bytes()).unwrap();
    }
    for (_, _, target) in graph.weights() {
        file.write_all(&target.to_le_bytes()).unwrap();
    }
    for (weight, _, _) in graph.weights() {
        file.write_all(&weight.to_le_bytes()).unwrap();
    }
    file.flush().unwrap();
    fs::write(folder.join("nodes.txt"), graph.nodes().to_string()).unwrap();
}

/// The median.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

/// The most memory that `work` and its result take, in bytes.
pub fn extra_memory<T>(work: impl FnOnce() -> T) -> usize {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let result = work();
    let most = MEMORY.peak_usage();
    drop(result);
    most - before
}
