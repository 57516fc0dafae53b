//! How long a pass over MNIST takes at several densities; beside PyTorch with `--peers PYTHON`.
//!
//! ```text
//! cargo bench --no-default-features --bench train -- [--peers PYTHON] [--rounds N] [--only TEXT] [--steps N]
//!     [--instructions SET] [--linear dense, rows or inputs] [--convolution taps or winners] [--densities D,D]
//!     [--curve]
//! ```
//!
//! One pass over the 60,000 training images in batches of 128 with Adam, on one thread, under global
//! magnitude masks of a trained network: one pass on all weights, then level after level of ratio 0.8 with
//! 100 steps each, down to the density. Ours and the peers take turns in one run; times are seconds of the
//! CPU, medians over the rounds. `--steps N` does N steps instead of the 468 of a pass and scales. A round of
//! ours is repeated until it has lasted three seconds, about as long as PyTorch's shortest pass: a process that slept
//! while others ran is a quarter slower at first, and training does not sleep. On a machine of two cores keep both
//! on one of them (`taskset -c 1 cargo bench ...`): a process that is moved between cores is slower, and a pass of ours
//! (cnn5, W = 1, density 0.1) took a quarter longer.
//! `--only TEXT` takes the cases whose name holds the text, `--instructions avx2` (or another set that the
//! processor has) the kernels of that set, `--linear` one kernel for all linear layers that can have it, `--convolution` one way
//! back of convolutions before a pooling, `--densities` other densities of all networks. The
//! images are looked for in `../shared/data` and where the programs look.
//!
//! `--curve` measures a whole pruning curve instead: 4 passes on all weights, then 40 levels of ratio 0.8 with
//! one pass each, trained here in full. Of each level and of the dense network `--steps N` steps are timed on
//! both sides, ours and PyTorch at its best taking turns, and the sum is 4 passes of the dense network and one of
//! each level.
//!
//! The floor of a layer is the larger of two times: its floating-point operations (two for each kept
//! weight, position and image, three times: forward, back to the inputs, gradient; the first layer has no
//! way back) over the rate of multiply-adds from registers, and its bytes (24 for each kept
//! weight and step: weight and state read and written) over the rate of reading and writing memory that
//! stays in the second cache, both measured in the same run. Kernels that skip the background of images
//! or all but the largest inputs of a pooling do less than that and can pass 100 %.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use prunephase::data::{self, Locations, Normalisation, Split};
use prunephase::mask::Mask;
use prunephase::network::{Architecture, Layer, Network, Parameters};
use prunephase::pruning::{Criterion, Scope, prune};
use prunephase::seed::Seeds;
use prunephase::training::sparse::{ConvolutionKernel, InstructionSet, LinearKernel, Options as Engine, Run, Trainer};
use prunephase::training::{Budget, Hyperparameters, Optimiser};
use support::{Options, extra_memory, median};

const ADAM: Hyperparameters =
    Hyperparameters { optimiser: Optimiser::Adam, learning_rate: 1e-3, momentum: 0.0, batch: 128 };
const CASES: [(&str, usize, &[f64]); 3] =
    [("fc4", 128, &[1.0, 0.1, 0.01, 0.001]), ("cnn5", 1, &[1.0, 0.1, 0.01]), ("cnn5", 4, &[1.0, 0.01])];

fn locations() -> Locations {
    Locations::from_environment(Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data")))
}

/// The engine that the command line asks for.
fn engine() -> Engine {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |name: &str| Some(&arguments[arguments.iter().position(|argument| argument == name)? + 1]);
    let mut engine = Engine::default();
    if let Some(name) = after("--instructions") {
        let mut sets = InstructionSet::available().into_iter();
        engine.instructions = sets.find(|set| set.to_string() == *name).unwrap();
    }
    engine.kernels.linear = after("--linear").map(|name| match name.as_str() {
        "dense" => LinearKernel::Dense,
        "rows" => LinearKernel::Rows,
        _ => LinearKernel::Inputs,
    });
    engine.kernels.convolution = after("--convolution").map(|name| match name.as_str() {
        "taps" => ConvolutionKernel::Taps,
        _ => ConvolutionKernel::Winners,
    });
    engine
}

/// Seconds of the CPU that this process has used; of the clock where the system does not tell.
fn cpu_seconds(start: Instant) -> f64 {
    // The kernel's count is brought up to date when the thread yields.
    std::thread::yield_now();
    let nanoseconds = fs::read_to_string("/proc/self/schedstat").ok();
    let nanoseconds = nanoseconds.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| start.elapsed().as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}

/// Seconds that a round of ours lasts at least.
const WARM: f64 = 3.0;

/// Seconds of `steps` steps, the mean over as many of them as last [`WARM`] seconds.
fn round(run: &mut Run<'_>, steps: usize, seeds: &Seeds, start: Instant) -> f64 {
    let before = cpu_seconds(start);
    let mut times = 0.0;
    loop {
        run.advance(steps, seeds, "bench", &mut |_| {});
        times += 1.0;
        let spent = cpu_seconds(start) - before;
        if spent >= WARM {
            return spent / times;
        }
    }
}

/// Operations a second of multiply-adds from registers, and bytes a second of w += a x in 512 KB.
fn rates(start: Instant) -> (f64, f64) {
    let engine = engine();
    let seconds = |work: &mut dyn FnMut()| {
        let before = cpu_seconds(start);
        work();
        cpu_seconds(start) - before
    };
    let mut best = (0.0f64, 0.0f64);
    for _ in 0..3 {
        let (mut operations, mut bytes) = (0.0, 0.0);
        let time = seconds(&mut || operations = black_box(engine.instructions.multiply_adds(20_000_000)));
        best.0 = best.0.max(operations / time);
        let time = seconds(&mut || bytes = black_box(engine.instructions.stream(512 << 10, 4000)));
        best.1 = best.1.max(bytes / time);
    }
    best
}

struct Case {
    name: String,
    network: Network,
    parameters: Parameters,
    mask: Mask,
}

/// Steps of each level on the way to the masks of the cases.
const LEVEL_STEPS: usize = 100;

/// A network trained on all weights, and its pruned levels.
struct Pruning<'a> {
    trainer: Trainer<'a>,
    network: Network,
    seeds: Seeds,
    parameters: Parameters,
    mask: Mask,
}

impl<'a> Pruning<'a> {
    fn new(network: &'a Network, split: &'a Split, passes: f64) -> Self {
        let seeds = Seeds::new(1, 0);
        let initial = Parameters::initialise(network, &mut seeds.stream("initialisation"));
        let mask = Mask::dense(network);
        let trainer = Trainer::new(network, &split.train, ADAM, engine()).unwrap();
        let parameters = trainer.train(&initial, &mask, Budget::Epochs(passes), &seeds, "dense", &mut |_| {}).unwrap();
        Self { trainer, network: network.clone(), seeds, parameters, mask }
    }

    /// Prunes to `kept` weights and trains.
    fn level(&mut self, kept: usize, budget: Budget) {
        let scores = Criterion::Magnitude.scores(&self.parameters, &mut self.seeds.stream("scores")).unwrap();
        self.mask = prune(&self.mask, &scores, kept, Scope::Global).unwrap();
        let purpose = format!("kept {kept}");
        let trained = self.trainer.train(&self.parameters, &self.mask, budget, &self.seeds, &purpose, &mut |_| {});
        self.parameters = trained.unwrap();
    }

    fn case(&self, name: String) -> Case {
        Case { name, network: self.network.clone(), parameters: self.parameters.clone(), mask: self.mask.clone() }
    }
}

fn cases(split: &Split, only: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let arguments: Vec<String> = std::env::args().collect();
    let given = arguments.iter().position(|argument| argument == "--densities");
    let given: Option<Vec<f64>> =
        given.map(|at| arguments[at + 1].split(',').map(|density| density.parse().unwrap()).collect());
    for (architecture, width, densities) in CASES {
        let densities = given.as_deref().unwrap_or(densities);
        let name = |density: f64| format!("{architecture} W = {width} at {density}");
        let wanted: Vec<f64> = densities.iter().copied().filter(|&density| name(density).contains(only)).collect();
        if wanted.is_empty() {
            continue;
        }
        let network = Architecture::built_in(architecture).unwrap().network(width, split.train.shape, 10).unwrap();
        let mut pruning = Pruning::new(&network, split, 1.0);
        let mut level = 1.0;
        for density in wanted {
            while level > density {
                level = f64::max(level * 0.8, density);
                let kept = (network.weights() as f64 * level).round() as usize;
                pruning.level(kept, Budget::Steps(LEVEL_STEPS));
            }
            cases.push(pruning.case(name(density)));
        }
    }
    cases
}

/// A whole curve of 4 dense passes and 40 levels, of which each is timed for `steps` steps.
fn curve(split: &Split, options: &Options, (architecture, width): (&str, usize), steps: usize, start: Instant) {
    let network = Architecture::built_in(architecture).unwrap().network(width, split.train.shape, 10).unwrap();
    let before = cpu_seconds(start);
    let mut pruning = Pruning::new(&network, split, 4.0);
    let folder = tempfile::tempdir().unwrap();
    let mut peers = options.peers("training.py", folder.path(), || {
        write(folder.path(), &pruning.case(String::new()), steps);
    });
    peers.retain(|peer| peer.name() == "best");
    let mut spent = cpu_seconds(start) - before;
    let (mut ours, mut theirs) = (0.0, 0.0);
    println!("{architecture} W = {width}: level, density, seconds a pass, PyTorch's");
    for level in 0..=40 {
        if level > 0 {
            let before = cpu_seconds(start);
            let kept = (network.weights() as f64 * 0.8f64.powi(level)).round() as usize;
            pruning.level(kept, Budget::Epochs(1.0));
            spent += cpu_seconds(start) - before;
        }
        let passes = if level == 0 { 4.0 } else { 1.0 };
        let scale = pruning.trainer.steps_per_epoch() as f64 / steps as f64;
        let mut run = pruning.trainer.start(&pruning.parameters, &pruning.mask).unwrap();
        write(folder.path(), &pruning.case(String::new()), steps);
        run.advance(3, &pruning.seeds, "bench", &mut |_| {});
        let (mut mine, mut other) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds {
            let before = cpu_seconds(start);
            run.advance(steps, &pruning.seeds, "bench", &mut |_| {});
            mine.push((cpu_seconds(start) - before) * scale);
            for peer in &mut peers {
                let line = if other.is_empty() { folder.path().to_str().unwrap() } else { "go" };
                other.extend(peer.ask(line).map(|milliseconds| milliseconds / 1e3 * scale));
            }
        }
        let mine = median(&mut mine);
        let other = if other.is_empty() { f64::NAN } else { median(&mut other) };
        let kept: usize = pruning.mask.layers.iter().map(|mask| mask.kept_count()).sum();
        println!("    {level:>2} {:>8.5} {mine:>8.4} {other:>8.3}", kept as f64 / network.weights() as f64);
        ours += passes * mine;
        theirs += passes * other;
    }
    println!(
        "    sum {ours:.2} s, PyTorch {theirs:.2} s, {:.1} times; the whole training here {spent:.2} s",
        theirs / ours
    );
}

fn write(folder: &Path, case: &Case, steps: usize) {
    let locations = locations();
    let folders = locations.folders().iter().flat_map(|folder| [folder.join("mnist"), folder.clone()]);
    let folders: Vec<PathBuf> = folders.collect();
    let file = |name: &str| folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    let description = serde_json::json!({
        "network": case.network,
        "images": file("train-images-idx3-ubyte.gz"),
        "labels": file("train-labels-idx1-ubyte.gz"),
        "batch": ADAM.batch,
        "steps": steps,
    });
    fs::write(folder.join("case.json"), description.to_string()).unwrap();
    let mut values: Vec<f32> = Vec::new();
    for (layer, mask) in case.parameters.layers.iter().zip(&case.mask.layers) {
        values.extend(&layer.weight);
        values.extend(mask.kept.iter().map(|&kept| f32::from(u8::from(kept))));
        values.extend(layer.bias.as_ref().unwrap());
    }
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(folder.join("values.bin"), bytes).unwrap();
}

/// Floating-point operations of an image and bytes of a step, of each layer with weights.
fn work(case: &Case) -> Vec<(f64, f64)> {
    let layers = case.network.layers.iter().filter_map(|layer| match layer {
        Layer::Linear(_) => Some(1),
        Layer::Convolution(convolution) => Some(convolution.output.height * convolution.output.width),
        Layer::MaxPool { .. } => None,
    });
    let of = |(at, positions): (usize, usize)| {
        let kept = case.mask.layers[at].kept_count() as f64;
        let passes = if at == 0 { 2.0 } else { 3.0 };
        (2.0 * passes * kept * positions as f64, 24.0 * kept)
    };
    layers.enumerate().map(of).collect()
}

fn print_layers(case: &Case, run: &mut Run<'_>, steps: usize, (operations, bytes): (f64, f64)) {
    let seeds = Seeds::new(1, 0);
    run.time_layers();
    run.advance(steps, &seeds, "bench", &mut |_| {});
    let times = run.layer_times();
    let work = work(case);
    for (at, (name, parts)) in times.iter().enumerate() {
        let total: f64 = parts.iter().map(|part| part.as_secs_f64()).sum::<f64>() / steps as f64;
        let parts: Vec<String> =
            parts.iter().map(|part| format!("{:>8.1}", part.as_secs_f64() / steps as f64 * 1e6)).collect();
        let kept = case
            .mask
            .layers
            .get(at)
            .map_or(String::new(), |mask| format!("{:.4}", mask.kept_count() as f64 / mask.kept.len() as f64));
        let share = work.get(at).map_or(String::new(), |&(flops, moved)| {
            let floor = (flops * ADAM.batch as f64 / operations).max(moved / bytes);
            format!("{:>5.0} %", 100.0 * floor / total)
        });
        println!("    {name:<24} {kept:>7} {} {:>8.1} {share}", parts.join(" "), total * 1e6);
    }
}

fn main() {
    let options = Options::read();
    let arguments: Vec<String> = std::env::args().collect();
    let given =
        arguments.iter().position(|argument| argument == "--steps").map(|at| arguments[at + 1].parse().unwrap());
    let mut split = match data::load("mnist", &locations()) {
        Ok(split) => split,
        Err(error) => {
            println!("skipped: {error}");
            return;
        }
    };
    split.normalise(Normalisation::MNIST).unwrap();
    let start = Instant::now();
    if arguments.iter().any(|argument| argument == "--curve") {
        for network in [("fc4", 128), ("cnn5", 1)] {
            if network.0.contains(&options.only) {
                curve(&split, &options, network, given.unwrap_or(20), start);
            }
        }
        return;
    }
    let rates = rates(start);
    println!(
        "{}; {:.0} GFLOP/s from registers, {:.0} GB/s from the second cache; medians of {} rounds",
        engine().instructions,
        rates.0 / 1e9,
        rates.1 / 1e9,
        options.rounds
    );
    println!("layers: density, microseconds a step forward, back, gradient and update, all; share of the floor\n");
    for case in cases(&split, &options.only) {
        let trainer = Trainer::new(&case.network, &split.train, ADAM, engine()).unwrap();
        let per_epoch = trainer.steps_per_epoch();
        let steps: usize = given.unwrap_or(per_epoch);
        let scale = per_epoch as f64 / steps as f64;
        let folder = tempfile::tempdir().unwrap();
        let mut peers = options.peers("training.py", folder.path(), || write(folder.path(), &case, steps));
        let seeds = Seeds::new(1, 0);
        let mut run = None;
        let memory = extra_memory(|| {
            let mut fresh = trainer.start(&case.parameters, &case.mask).unwrap();
            fresh.advance(steps.min(20), &seeds, "bench", &mut |_| {});
            run = Some(fresh.clone());
        }) / 2;
        let mut run = run.unwrap();
        let mut ours = Vec::new();
        let mut times: Vec<Vec<f64>> = vec![Vec::new(); peers.len()];
        for _ in 0..options.rounds {
            ours.push(round(&mut run, steps, &seeds, start) * scale);
            for (peer, times) in peers.iter_mut().zip(&mut times) {
                times.extend(peer.round().map(|milliseconds| milliseconds / 1e3 * scale));
            }
        }
        let median_ours = median(&mut ours);
        print!(
            "{:<22} {median_ours:>8.4} s ({:.4} to {:.4}), {} MB beside the data",
            case.name,
            ours[0],
            ours[ours.len() - 1],
            memory >> 20
        );
        for (peer, times) in peers.iter().zip(&mut times) {
            if times.is_empty() {
                print!("; {} did not finish", peer.name());
            } else {
                let theirs = median(times);
                let most = peer.result().split(' ').nth(1).unwrap_or_default();
                print!("; PyTorch {} {theirs:.3} s, {:.1} times, {most} MB in all", peer.name(), theirs / median_ours);
            }
        }
        println!();
        print_layers(&case, &mut run, steps, rates);
    }
}
