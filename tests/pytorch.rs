//! Checkpoints of PyTorch, in both directions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use assert_cmd::cargo::cargo_bin_cmd;
use ndarray::ArrayD;
use prunephase::checkpoint::{Checkpoint, Metadata};
use prunephase::mask::Mask;
use prunephase::network::{Activation, Architecture, FeatureShape, Layer, Parameters};
use prunephase::seed::Seeds;
use prunephase::table::Table;
use serde_json::Value;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pytorch")
}

/// Runs the program on a fixture with its options; exit code, standard output, standard error.
fn run(command: &str, entry: &Value, more: &[&str]) -> (i32, String, String) {
    let mut program = cargo_bin_cmd!("prunephase");
    program.arg(command).current_dir(fixtures()).arg(entry["file"].as_str().unwrap());
    let options = entry["options"].as_array().unwrap().iter().map(|option| option.as_str().unwrap());
    let output = program.args(options).args(more).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn expected() -> BTreeMap<String, Value> {
    let text = std::fs::read_to_string(fixtures().join("expected.json")).unwrap();
    let all: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(all.len(), 10);
    all
}

#[test]
fn inspect_finds_what_the_generator_put_there() {
    for (name, entry) in expected() {
        let (code, out, err) = run("inspect", &entry, &["--json"]);
        assert_eq!(code, 0, "{name}: {err}");
        assert!(err.lines().count() <= 1, "{name}: {err}");
        let found: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(found["mask_source"], entry["mask_source"], "{name}");
        let (layers, wanted) = (found["layers"].as_array().unwrap(), entry["layers"].as_array().unwrap());
        assert_eq!(layers.len(), wanted.len(), "{name}");
        for (layer, wanted) in layers.iter().zip(wanted) {
            for key in ["name", "shape", "kept", "dense"] {
                assert_eq!(layer[key], wanted[key], "{name}: {wanted}");
            }
        }
    }
}

#[test]
fn inspect_tells_what_it_left_out() {
    let all = expected();
    let ignored = |name: &str| {
        let (_, out, _) = run("inspect", &all[name], &["--json"]);
        let found: Value = serde_json::from_str(&out).unwrap();
        let one = |one: &Value| (one["name"].as_str().unwrap().to_owned(), one["what"].as_str().unwrap().to_owned());
        found["ignored"].as_array().unwrap().iter().map(one).collect::<BTreeMap<_, _>>()
    };
    let nested = ignored("nested");
    assert!(nested["optimizer_state_dict.state.0"].contains("3 tensors under another key"), "{nested:?}");
    let resnet = ignored("resnet");
    assert_eq!(resnet["layer2.0.downsample.1.running_mean"], "normalisation");
    let gpt2 = ignored("gpt2");
    assert_eq!((gpt2["transformer.wte.weight"].as_str(), gpt2["lm_head.weight"].as_str()), ("embedding", "embedding"));
    assert_eq!(gpt2["transformer.h.0.attn.bias"], "no layer's weight");
    let (_, out, _) = run("inspect", &all["resnet"], &[]);
    assert!(out.contains("ignored, normalisation: bn1.bias, "), "{out}");
    assert!(out.contains("layer2.0.conv1.weight_orig"), "{out}");
}

#[test]
fn percolation_is_that_of_scipy() {
    let folder = tempfile::tempdir().unwrap();
    for (name, entry) in expected() {
        let out = folder.path().join(format!("{name}.csv"));
        let (code, _, err) = run("percolate", &entry, &["--points", "all", "--out", out.to_str().unwrap()]);
        assert_eq!(code, 0, "{name}: {err}");
        let table = Table::read(&out).unwrap();
        let edges = table.numbers("edges").unwrap();
        for point in entry["curve"].as_array().unwrap() {
            for (column, value) in point.as_object().unwrap() {
                let row = edges.iter().position(|&k| k == point["edges"].as_f64().unwrap()).unwrap();
                let (found, value) = (table.numbers(column).unwrap()[row], value.as_f64().unwrap());
                assert!((found - value).abs() < 1e-9 * value.max(1.0), "{name}: {column} {found} {value} at {point}");
            }
        }
    }
}

#[test]
fn topology_is_that_of_numpy() {
    let folder = tempfile::tempdir().unwrap();
    for (name, entry) in expected() {
        let out = folder.path().join(format!("{name}.csv"));
        let (code, _, err) = run("topology", &entry, &["--out", out.to_str().unwrap()]);
        assert_eq!(code, 0, "{name}: {err}");
        let table = Table::read(&out).unwrap();
        let (layers, metrics) = (table.texts("layer").unwrap(), table.texts("metric").unwrap());
        let values = table.numbers("value").unwrap();
        let find = |layer: &str, metric: &str| {
            (0..values.len()).find(|&row| layers[row] == layer && metrics[row] == metric).map(|row| values[row])
        };
        for (metric, value) in entry["topology"].as_object().unwrap() {
            let (found, value) = (find("whole", metric), value.as_f64());
            let same = match (found, value) {
                (Some(found), Some(value)) => (found - value).abs() <= 1e-9 * value.abs().max(1.0),
                (found, value) => found.is_none() && value.is_none(),
            };
            assert!(same, "{name}: {metric} {found:?} {value:?}");
        }
        assert!(!layers.iter().any(|layer| layer.starts_with("stream.0-")), "{name}");
    }
}

/// The numbers of kept weights of each output and of each input of an output.
fn degrees(kept: &ArrayD<bool>) -> (Vec<usize>, Vec<usize>) {
    let outputs = kept.shape()[0];
    let fan_in = kept.len() / outputs;
    let (mut rows, mut columns) = (vec![0; outputs], vec![0; fan_in]);
    for (index, _) in kept.iter().enumerate().filter(|(_, kept)| **kept) {
        rows[index / fan_in] += 1;
        columns[index % fan_in] += 1;
    }
    (rows, columns)
}

#[test]
fn samples_keep_the_degrees_and_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    for (name, entry) in expected() {
        let out = folder.path().join(&name);
        let more = ["--null", "degrees", "--samples", "1", "--seed", "3", "--out", out.to_str().unwrap()];
        let (code, _, err) = run("rewire", &entry, &more);
        assert_eq!(code, 0, "{name}: {err}");
        let path = out.join("sample-0000.safetensors");
        let sample = Checkpoint::read(&path).unwrap();
        let again = folder.path().join("again.safetensors");
        sample.write(&again).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(&again).unwrap(), "{name}: not bit for bit");
        for (layer, wanted) in sample.mask.layers.iter().zip(entry["layers"].as_array().unwrap()) {
            assert_eq!(layer.kept_count() as u64, wanted["kept"].as_u64().unwrap(), "{name}: {}", layer.name);
        }
        let curve = out.join("curve.csv");
        let program =
            cargo_bin_cmd!("prunephase").arg("percolate").arg(&path).arg("--out").arg(&curve).output().unwrap();
        assert!(program.status.success(), "{name}");
        let table = Table::read(&curve).unwrap();
        let last = entry["curve"].as_array().unwrap().last().unwrap()["edges"].as_f64().unwrap();
        assert_eq!(table.numbers("edges").unwrap().last(), Some(&last), "{name}");
    }
    let original = Checkpoint::read(&fixtures().join("resnet.pth")).unwrap();
    let sample = Checkpoint::read(&folder.path().join("resnet/sample-0000.safetensors")).unwrap();
    assert_ne!(original.mask, sample.mask);
    assert_eq!(original.carried, sample.carried);
    for (a, b) in original.mask.layers.iter().zip(&sample.mask.layers) {
        assert_eq!(degrees(&a.kept), degrees(&b.kept), "{}", a.name);
    }
}

#[test]
fn files_that_are_no_state_dict_say_what_to_do() {
    let refused = |file: &str| {
        let output = cargo_bin_cmd!("prunephase").arg("inspect").arg(fixtures().join(file)).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{file}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused("legacy.pt").contains("format before 1.6"));
    assert!(refused("whole.pt").contains("`project.MLP`, a whole pickled model; save its model.state_dict()"));
    assert!(refused("script.pt").contains("a TorchScript archive"));
    assert!(refused("gpt2.pt").contains("give it with --heads"));
}

#[test]
fn a_description_tells_what_shapes_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cnn.toml");
    let text = "name = \"mine\"\n\
        [[layers]]\nkind = \"convolution\"\nname = \"features.0\"\nunits = 6\nkernel = 3\npadding = 1\nactivation = \"relu\"\n\
        [[layers]]\nkind = \"max-pool\"\nkernel = 2\nstride = 2\n\
        [[layers]]\nkind = \"convolution\"\nname = \"features.3\"\nunits = 8\nkernel = 3\n\
        [[layers]]\nkind = \"linear\"\nname = \"classifier.0\"\nunits = 12\nactivation = \"relu\"\n\
        [[layers]]\nkind = \"linear\"\nname = \"classifier.2\"\nunits = \"classes\"\n";
    std::fs::write(&path, text).unwrap();
    let graph = |options: &[&str]| {
        let mut program = cargo_bin_cmd!("prunephase");
        program.arg("percolate").arg(fixtures().join("cnn.pt")).args(["--encoding", "unrolled", "--out"]);
        let output = program.arg(folder.path().join("a.csv")).args(options).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, err) = graph(&[]);
    assert!(code == 1 && err.contains("do not tell padding, stride and pooling"), "{err}");
    let network = ["--network", path.to_str().unwrap()];
    let (code, err) = graph(&network);
    assert!(code == 1 && err.contains("give --input CxHxW"), "{err}");
    let (code, err) = graph(&[network[0], network[1], "--input", "3x8x8"]);
    assert_eq!(code, 0, "{err}");
    let (code, err) = graph(&[network[0], network[1], "--input", "3x9x40"]);
    assert!(code == 1 && err.contains("layer `classifier.0`"), "{err}");
}

/// The logits of a network, in f64.
fn logits(checkpoint: &Checkpoint, image: &[f32]) -> Vec<f64> {
    let mut values: Vec<f64> = image.iter().map(|&x| f64::from(x)).collect();
    let mut parameters = checkpoint.parameters.layers.iter();
    let activate = |x: f64, activation: Activation| match activation {
        Activation::Relu => x.max(0.0),
        Activation::Tanh => x.tanh(),
        Activation::None => x,
    };
    for layer in &checkpoint.network.layers {
        values = match layer {
            Layer::Linear(linear) => {
                let own = parameters.next().unwrap();
                let row = |out: usize| {
                    let sum: f64 = (0..linear.inputs).map(|i| f64::from(own.weight[[out, i]]) * values[i]).sum();
                    activate(sum + own.bias.as_ref().map_or(0.0, |bias| f64::from(bias[out])), linear.activation)
                };
                (0..linear.outputs).map(row).collect()
            }
            Layer::Convolution(c) => {
                let own = parameters.next().unwrap();
                let mut out = Vec::with_capacity(c.output.size());
                for (channel, y, x) in places(c.output) {
                    let mut sum = own.bias.as_ref().map_or(0.0, |bias| f64::from(bias[channel]));
                    for (from, dy, dx) in places(FeatureShape::image(c.input.channels, c.kernel, c.kernel)) {
                        let at = |at: usize, tap: usize, side: usize| {
                            (at * c.stride + tap).checked_sub(c.padding).filter(|&at| at < side)
                        };
                        if let (Some(y), Some(x)) = (at(y, dy, c.input.height), at(x, dx, c.input.width)) {
                            let value = values[(from * c.input.height + y) * c.input.width + x];
                            sum += f64::from(own.weight[[channel, from, dy, dx]]) * value;
                        }
                    }
                    out.push(activate(sum, c.activation));
                }
                out
            }
            Layer::MaxPool { input, output, kernel, stride } => places(*output)
                .map(|(channel, y, x)| {
                    let window = places(FeatureShape::image(1, *kernel, *kernel));
                    let value = |(_, dy, dx)| {
                        values[(channel * input.height + y * stride + dy) * input.width + x * stride + dx]
                    };
                    window.map(value).fold(f64::NEG_INFINITY, f64::max)
                })
                .collect(),
        };
    }
    values
}

fn places(shape: FeatureShape) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..shape.size()).map(move |i| (i / (shape.height * shape.width), i / shape.width % shape.height, i % shape.width))
}

/// A Python with torch, from PRUNEPHASE_TORCH_PYTHON or `python3`.
fn torch_python() -> Option<String> {
    let python = std::env::var("PRUNEPHASE_TORCH_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let works = Command::new(&python).args(["-c", "import torch, safetensors.torch"]).output();
    works.is_ok_and(|output| output.status.success()).then_some(python)
}

#[test]
fn pytorch_loads_our_files_strictly_and_computes_our_logits() {
    let Some(python) = torch_python() else {
        eprintln!("skipped: no Python with torch and safetensors (PRUNEPHASE_TORCH_PYTHON)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for (name, width) in [("fc4", 3), ("cnn5", 1)] {
        let network = Architecture::built_in(name).unwrap().network(width, FeatureShape::image(1, 28, 28), 10).unwrap();
        let mut stream = Seeds::new(7, 0).stream("test");
        let mut parameters = Parameters::initialise(&network, &mut stream);
        let mut mask = Mask::dense(&network);
        for layer in &mut mask.layers {
            layer.kept.mapv_inplace(|_| stream.unit() < 0.3);
        }
        mask.apply(&mut parameters).unwrap();
        let checkpoint = Checkpoint::new(network, parameters, mask, Metadata::default()).unwrap();
        let path = folder.path().join(format!("{name}.safetensors"));
        checkpoint.write(&path).unwrap();
        let inputs: Vec<f32> = (0..4 * 784).map(|_| stream.uniform(-1.0, 1.0) as f32).collect();
        let found: Vec<Vec<f64>> = inputs.chunks(784).map(|image| logits(&checkpoint, image)).collect();
        let json = serde_json::json!({ "inputs": inputs, "logits": found });
        std::fs::write(folder.path().join(format!("{name}.json")), json.to_string()).unwrap();
        let samples = folder.path().join(format!("{name}-samples"));
        let mut program = cargo_bin_cmd!("prunephase");
        program.arg("rewire").arg(&path).args(["--null", "degrees", "--samples", "1", "--seed", "1", "--out"]);
        program.arg(samples).assert().success();
    }
    for name in ["resnet", "gpt2"] {
        let samples = folder.path().join(format!("{name}-samples"));
        let more = ["--null", "degrees", "--samples", "1", "--seed", "1", "--out", samples.to_str().unwrap()];
        assert_eq!(run("rewire", &expected()[name], &more).0, 0);
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pytorch/load_back.py");
    let output = Command::new(python).arg(script).arg(folder.path()).arg(fixtures()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
