use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::*;
use crate::network::{Architecture, FeatureShape};
use crate::seed::Seeds;

fn example(architecture: &str, side: usize) -> Checkpoint {
    let network =
        Architecture::built_in(architecture).unwrap().network(1, FeatureShape::image(1, side, side), 3).unwrap();
    let mut stream = Seeds::new(3, 1).stream("test");
    let mut parameters = Parameters::initialise(&network, &mut stream);
    let mut mask = Mask::dense(&network);
    for layer in &mut mask.layers {
        layer.kept.mapv_inplace(|_| stream.uniform(0.0, 1.0) < 0.3);
    }
    mask.apply(&mut parameters).unwrap();
    // A kept weight of zero stays kept, and the sign of a zero survives.
    mask.layers[0].kept[if architecture == "fc4" { &[0, 0][..] } else { &[0, 0, 0, 0][..] }] = true;
    *parameters.layers[0].weight.iter_mut().next().unwrap() = -0.0;
    *parameters.layers[1].weight.iter_mut().zip(&mask.layers[1].kept).find(|(_, kept)| !**kept).unwrap().0 = -0.0;
    parameters.layers[0].bias.as_mut().unwrap()[0] = f32::MIN_POSITIVE / 4.0;
    parameters.layers[2].bias = None;
    let metadata = Metadata {
        dataset: Some("digits".into()),
        seed: Some(u64::MAX),
        level: Some(7),
        extra: [("null".to_owned(), "degrees \"quoted\"".to_owned())].into(),
        ..Metadata::default()
    };
    Checkpoint::new(network, parameters, mask, metadata).unwrap()
}

fn bits(checkpoint: &Checkpoint) -> Vec<u32> {
    let layers = &checkpoint.parameters.layers;
    layers
        .iter()
        .flat_map(|layer| layer.weight.iter().chain(layer.bias.iter().flatten()))
        .map(|w| w.to_bits())
        .collect()
}

#[test]
fn round_trip_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    for (architecture, side) in [("fc4", 4), ("cnn5", 16)] {
        let checkpoint = example(architecture, side);
        let path = folder.path().join(format!("{architecture}.safetensors"));
        checkpoint.write(&path).unwrap();
        let read = Checkpoint::read(&path).unwrap();
        assert_eq!(read, checkpoint);
        assert_eq!(bits(&read), bits(&checkpoint));
        assert!(bits(&read).contains(&(-0.0f32).to_bits()));
        assert_eq!(read.metadata.seed, Some(u64::MAX));
        assert_eq!(read.metadata.architecture.as_deref(), Some(architecture));
        assert_eq!(write::bytes(&read).unwrap(), std::fs::read(&path).unwrap());
    }
}

#[test]
fn the_header_is_what_the_format_promises() {
    let bytes = write::bytes(&example("fc4", 4)).unwrap();
    let length = u64::from_le_bytes(*bytes.first_chunk::<8>().unwrap()) as usize;
    assert_eq!(length % 8, 0);
    let header: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let names: Vec<&str> = header.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "__metadata__",
            "fc1.bias",
            "fc1.weight",
            "fc2.bias",
            "fc2.weight",
            "fc3.weight",
            "fc4.bias",
            "fc4.weight",
            "fc1.weight_mask",
            "fc2.weight_mask",
            "fc3.weight_mask",
            "fc4.weight_mask"
        ]
    );
    assert_eq!(header["fc1.weight"]["dtype"], "F32");
    assert_eq!(header["fc1.weight"]["shape"], serde_json::json!([4, 16]));
    assert_eq!(header["fc1.weight_mask"]["dtype"], "U8");
    let metadata = header["__metadata__"].as_object().unwrap();
    assert_eq!(metadata.len(), 1);
    let ours: serde_json::Value = serde_json::from_str(metadata["prunephase"].as_str().unwrap()).unwrap();
    let keys: Vec<&String> = ours.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        ["kind", "architecture", "width", "dataset", "seed", "level", "density", "version", "extra", "network"]
    );
    assert_eq!(ours["kind"], "level");
    assert_eq!(ours["level"], 7);
}

#[test]
fn python_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    example("fc4", 4).write(&path).unwrap();
    let script = "import sys\ntry:\n from safetensors.numpy import load_file\nexcept ImportError:\n sys.exit(77)\n\
                  t=load_file(sys.argv[1])\nprint(sorted(t)[0], t['fc1.weight'].shape, t['fc1.weight_mask'].dtype)";
    match Command::new("python3").args(["-c", script]).arg(&path).output() {
        Ok(output) if output.status.success() => {
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "fc1.bias (4, 16) uint8");
        }
        Ok(output) if output.status.code() == Some(77) => eprintln!("skipped: python has no safetensors"),
        Err(_) => eprintln!("skipped: no python3"),
        Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
    }
}

#[test]
fn a_regrown_network_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    let mut checkpoint = example("fc4", 4);
    let at = checkpoint.mask.layers[1].kept.iter().position(|kept| !kept).unwrap();
    *checkpoint.parameters.layers[1].weight.iter_mut().nth(at).unwrap() = 1e-20;
    let message = checkpoint.write(&path).unwrap_err().to_string();
    assert!(message.contains("a.safetensors: layer `fc2`: 1 pruned weights are not zero"), "{message}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    let mut checkpoint = example("fc4", 4);
    checkpoint.parameters.layers[3].bias.as_mut().unwrap()[1] = f32::NAN;
    let message = checkpoint.write(&path).unwrap_err().to_string();
    assert!(message.ends_with("tensor `fc4.bias` holds NaN at flat index 1; it must hold finite numbers"), "{message}");
    let mut checkpoint = example("fc4", 4);
    checkpoint.mask.layers[0].name = "other".into();
    assert!(checkpoint.write(&path).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

fn parse(bytes: &[u8]) -> Result<Checkpoint, Problem> {
    read::parse(&Loaded::File(bytes.to_vec()), None, &ReadOptions::default()).map(|found| found.checkpoint)
}

/// Named tensors that a test changes before it writes them.
#[derive(Default, Clone)]
struct Raw {
    tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
    metadata: HashMap<String, String>,
}

impl Raw {
    fn of(checkpoint: &Checkpoint) -> Self {
        let bytes = write::bytes(checkpoint).unwrap();
        let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let mut tensors: Vec<_> =
            file.iter().map(|(n, t)| (n.to_owned(), t.dtype(), t.shape().to_vec(), t.data().to_vec())).collect();
        tensors.sort_by(|a, b| a.0.cmp(&b.0));
        Self { tensors, metadata: header.metadata().clone().unwrap() }
    }

    fn floats(mut self, name: &str, shape: &[usize], values: &[f32]) -> Self {
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensors.push((name.to_owned(), Dtype::F32, shape.to_vec(), data));
        self
    }

    fn get(&mut self, name: &str) -> &mut (String, Dtype, Vec<usize>, Vec<u8>) {
        self.tensors.iter_mut().find(|tensor| tensor.0 == name).unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        let views = self.tensors.iter().map(|(n, t, s, d)| (n.as_str(), TensorView::new(*t, s.clone(), d).unwrap()));
        let metadata = (!self.metadata.is_empty()).then(|| self.metadata.clone());
        safetensors::serialize(views, metadata).unwrap()
    }

    fn parse(&self) -> Result<Checkpoint, String> {
        parse(&self.bytes()).map_err(|problem| {
            let text = problem.to_string();
            assert!(!text.contains('\n'), "{text}");
            text
        })
    }

    fn refused(&self, expected: &str) {
        let message = self.parse().unwrap_err();
        assert!(message.contains(expected), "`{message}` should contain `{expected}`");
    }
}

#[test]
fn wrong_tensors_are_named() {
    let raw = Raw::of(&example("fc4", 4));
    raw.parse().unwrap();

    let mut wrong = raw.clone();
    wrong.tensors.retain(|tensor| tensor.0 != "fc2.weight");
    wrong.refused("tensor `fc2.weight` is missing; the metadata describe it with shape [2, 4]");
    let mut wrong = raw.clone();
    wrong.tensors.retain(|tensor| tensor.0 != "fc2.weight_mask");
    wrong.refused("tensor `fc2.weight_mask` is missing");
    let mut wrong = raw.clone();
    wrong.get("fc1.weight").2 = vec![16, 4];
    wrong.refused("tensor `fc1.weight` has shape [16, 4]; it must be [4, 16]");
    let mut wrong = raw.clone();
    wrong.get("fc1.weight_mask").2 = vec![64];
    wrong.refused("tensor `fc1.weight_mask` has shape [64]; it must be [4, 16]");
    let mut wrong = raw.clone();
    wrong.get("fc1.weight").1 = Dtype::I32;
    wrong.refused("tensor `fc1.weight` has type I32; it must be F32");
    let mut wrong = raw.clone();
    wrong.get("fc1.weight_mask").3[5] = 2;
    wrong.refused("tensor `fc1.weight_mask` holds 2 at flat index 5; a mask holds 0 (pruned) and 1 (kept)");
    for value in [f32::NAN, f32::INFINITY] {
        let mut wrong = raw.clone();
        wrong.get("fc1.weight").3[8..12].copy_from_slice(&value.to_le_bytes());
        wrong.refused(&format!("tensor `fc1.weight` holds {value} at flat index 2"));
    }
    let mut wrong = raw.clone();
    let pruned = wrong.get("fc1.weight_mask").3.iter().position(|&m| m == 0).unwrap();
    wrong.get("fc1.weight").3[4 * pruned..4 * pruned + 4].copy_from_slice(&1f32.to_le_bytes());
    wrong.refused("layer `fc1`: 1 pruned weights are not zero");
    raw.clone().floats("fc9.bias", &[1], &[0.0]).refused("tensor `fc9.bias` belongs to no layer");
}

#[test]
fn metadata_that_lie_are_refused() {
    let raw = Raw::of(&example("cnn5", 16));
    let json = raw.metadata["prunephase"].clone();
    let with = |from: &str, to: &str| {
        assert!(json.contains(from), "{from} in {json}");
        let mut wrong = raw.clone();
        wrong.metadata.insert("prunephase".into(), json.replacen(from, to, 1));
        wrong
    };
    with("\"density\":0.", "\"density\":0.9").refused("density is 0.9");
    with("\"density\":0.", "\"density\":7.").refused("metadata `prunephase`: density 7");
    with("\"padding\":2", "\"padding\":1").refused("do not follow from each other");
    with("\"padding\":2", "\"padding\":99999999999").refused("at most 1048576 is read");
    with("\"kernel\":5", "\"kernel\":0").refused("kernel and stride must be at least 1");
    with("\"kernel\":5", "\"kernel\":18446744073709551615").refused("at most 1048576 is read");
    with("\"name\":\"conv2\"", "\"name\":\"conv1\"").refused("two layers are named `conv1`");
    with("\"name\":\"conv2\"", "\"name\":\"a\\nb\"").refused("a layer is named `a\\nb`");
    with("\"kind\":\"level\"", "\"kind\":\"a\\nb\"").refused("unknown variant");
    with("{", "[").refused("metadata `prunephase`: ");
    with("\"input\":{\"channels\":1,\"height\":16", "\"input\":{\"channels\":1,\"height\":17").refused("metadata");
}

fn chain(names: &[&str], sizes: &[usize]) -> Raw {
    let mut raw = Raw::default();
    for (index, name) in names.iter().enumerate() {
        let (inputs, outputs) = (sizes[index], sizes[index + 1]);
        let values: Vec<f32> = (1..=inputs * outputs).map(|i| i as f32).collect();
        raw = raw.floats(&format!("{name}.weight"), &[outputs, inputs], &values);
        raw = raw.floats(&format!("{name}.bias"), &[outputs], &vec![0.5; outputs]);
    }
    raw
}

fn names(checkpoint: &Checkpoint) -> Vec<String> {
    checkpoint.network.weight_layers().map(|layer| layer.name).collect()
}

#[test]
fn foreign_chains_by_name() {
    let order = ["fc1", "fc2", "fc3", "fc4", "fc5", "fc6", "fc7", "fc8", "fc9", "fc10"];
    let read = chain(&order, &[4; 11]).parse().unwrap();
    assert_eq!(names(&read), order);
    let order = ["net.0", "net.2", "net.10"];
    let mut raw = chain(&order, &[6, 3, 3, 2]);
    raw.get("net.2.weight").3[..4].copy_from_slice(&(-0.0f32).to_le_bytes());
    let read = raw.parse().unwrap();
    assert_eq!(names(&read), order);
    assert_eq!(read.network.input, FeatureShape::image(6, 1, 1));
    assert_eq!(read.network.classes, 2);
    assert_eq!(read.mask_source, MaskSource::Nonzero);
    assert_eq!(read.warnings.len(), 1);
    assert_eq!(read.mask.kept(), read.mask.weights() - 1);
    assert_eq!(read.metadata.kind, Kind::Foreign);
    assert_eq!(read.metadata.width, None);
    // What was read can be written as ours and read again.
    let bytes = write::bytes(&read).unwrap();
    let again = parse(&bytes).unwrap();
    assert_eq!((&again.network, &again.parameters, &again.mask), (&read.network, &read.parameters, &read.mask));
}

#[test]
fn foreign_chains_by_shape_only_where_one_order_is_possible() {
    let read = chain(&["input", "hidden", "decide"], &[6, 5, 4, 3]).parse().unwrap();
    assert_eq!(names(&read), ["input", "hidden", "decide"]);
    assert_eq!(names(&chain(&["z", "b", "a"], &[6, 4, 4, 3]).parse().unwrap()), ["z", "b", "a"]);
    let twice = chain(&["z", "c", "b", "a"], &[6, 4, 4, 4, 3]);
    twice.refused("both `z, b, c, a` and `z, c, b, a` are possible; name them in their order");
    // Where both orders join, the names decide.
    assert_eq!(names(&chain(&["b", "a"], &[6, 4, 6]).parse().unwrap()), ["a", "b"]);
    let apart = chain(&["a"], &[6, 5]).floats("b.weight", &[2, 4], &[1.0; 8]);
    apart.refused("layer `a` gives 5 outputs and `b` takes 4 inputs");
}

#[test]
fn the_pairs_of_torch_prune_are_multiplied() {
    let raw = chain(&["fc2"], &[2, 2]).floats("fc1.weight_orig", &[2, 2], &[1.0, 2.0, -0.0, -4.0]).floats(
        "fc1.weight_mask",
        &[2, 2],
        &[1.0, 0.0, 1.0, 1.0],
    );
    let read = raw.parse().unwrap();
    assert_eq!(read.mask_source, MaskSource::WeightOrig);
    assert_eq!(read.warnings, Vec::<String>::new());
    let weight: Vec<u32> = read.parameters.layers[0].weight.iter().map(|w| w.to_bits()).collect();
    assert_eq!(weight, [1.0f32, 0.0, -0.0, -4.0].map(f32::to_bits));
    assert_eq!(read.mask.layers[0].kept_count(), 3);
    assert_eq!(read.mask.layers[1].kept_count(), 4);

    let mut wrong = raw.clone();
    wrong.tensors.retain(|tensor| tensor.0 != "fc1.weight_mask");
    wrong.refused("tensor `fc1.weight_mask` is missing, though `fc1.weight_orig` is there");
    let mut wrong = raw.clone();
    wrong.get("fc1.weight_mask").3[4..8].copy_from_slice(&0.5f32.to_le_bytes());
    wrong.refused("tensor `fc1.weight_mask` holds 0.5 at flat index 1");
    raw.floats("fc1.weight", &[2, 2], &[1.0; 4]).refused("`fc1.weight_orig` stands beside `fc1.weight`");
}

#[test]
fn foreign_files_that_are_no_chain() {
    let raw = chain(&["fc"], &[3, 2]);
    let apart = raw.clone().floats("conv.weight", &[2, 1, 3, 3], &[1.0; 18]);
    apart.refused("layer `conv` gives 2 outputs and `fc` takes 3 inputs: neither the names nor the shapes");
    raw.clone().floats("conv.weight", &[2, 1, 3], &[1.0; 6]).refused("a convolution in 1 dimension, which is not read");
    raw.clone().floats("empty.weight", &[0, 2], &[]).refused("both at least 1");
    raw.floats("fc.weight_mask", &[3, 2], &[1.0; 6]).refused("`fc.weight_mask` has shape [3, 2]; it must be [2, 3]");
    Raw::default().floats("x.bias", &[2], &[1.0; 2]).refused("none of its 1 tensors is the weight of a layer");
    Raw::default().refused("holds no tensors");
}

#[test]
fn what_is_no_layer_is_carried_and_written_back() {
    let norm = chain(&["fc1", "fc2"], &[3, 3, 2])
        .floats("norm.weight", &[3], &[2.0; 3])
        .floats("norm.bias", &[3], &[1.0; 3])
        .floats("norm.running_mean", &[3], &[0.5; 3]);
    let read = norm.parse().unwrap();
    assert_eq!(names(&read), ["fc1", "fc2"]);
    let carried: Vec<&str> = read.carried.iter().map(Carried::name).collect();
    assert_eq!(carried, ["norm.bias", "norm.running_mean", "norm.weight"]);
    assert_eq!(read.carried[2].parts().2, [2.0f32; 3].map(f32::to_le_bytes).concat());
    let again = parse(&write::bytes(&read).unwrap()).unwrap();
    assert_eq!(again.carried, read.carried);
    let mut lies = Raw::of(&read);
    lies.tensors.retain(|tensor| tensor.0 != "norm.bias");
    lies.refused("tensor `norm.bias` is missing; the metadata name it");
}

#[test]
fn a_chain_that_may_have_skips_is_told() {
    let repeated = chain(&["blocks.0.fc1", "blocks.0.fc2", "blocks.1.fc1"], &[4; 4]).parse().unwrap();
    assert!(repeated.warnings[0].contains("a chain of 3 layers (blocks.0.fc1, "), "{:?}", repeated.warnings);
    let plain = chain(&["net.0", "net.2"], &[4; 3]).parse().unwrap();
    assert_eq!(plain.warnings.len(), 1, "{:?}", plain.warnings);
}

#[test]
fn fused_projections_keep_their_names() {
    let layer = |name: &str| format!("encoder.layers.encoder_layer_0.{name}");
    let ones = |count: usize| (1..=count).map(|n| n as f32).collect::<Vec<_>>();
    let mut mask = vec![1.0; 48];
    mask[0] = 0.0;
    let raw = Raw::default()
        .floats("conv_proj.weight", &[4, 3, 2, 2], &ones(48))
        .floats(&layer("self_attention.in_proj_weight_orig"), &[12, 4], &ones(48))
        .floats(&layer("self_attention.in_proj_weight_mask"), &[12, 4], &mask)
        .floats(&layer("self_attention.in_proj_bias"), &[12], &ones(12))
        .floats(&layer("self_attention.out_proj.weight"), &[4, 4], &ones(16))
        .floats(&layer("mlp.0.weight"), &[8, 4], &ones(32))
        .floats(&layer("mlp.3.weight"), &[4, 8], &ones(32))
        .floats("heads.head.weight", &[2, 4], &ones(8));
    raw.refused("give it with --heads");
    let options = ReadOptions { heads: Some(2), ..ReadOptions::default() };
    let read = Checkpoint::from_bytes(raw.bytes(), &options).unwrap();
    assert_eq!(read.network.architecture, "torchvision-vit");
    assert_eq!((read.mask.kept(), read.mask.weights()), (183, 184));
    let bytes = write::bytes(&read).unwrap();
    let (tensors, _) = container::safetensors_of(&bytes).unwrap();
    let fused = layer("self_attention.in_proj_weight");
    assert!(tensors.contains_key(&fused) && tensors.contains_key(&format!("{fused}.weight_mask")));
    assert!(tensors.contains_key(&layer("self_attention.in_proj_bias")));
    let again = parse(&bytes).unwrap();
    assert_eq!((again.network, again.parameters, again.mask), (read.network, read.parameters, read.mask));
}

#[test]
fn a_chain_with_convolutions_is_read_by_channels() {
    let raw = chain(&["fc"], &[2 * 9, 4]).floats("conv.weight", &[2, 3, 3, 3], &[1.0; 54]);
    let read = raw.parse().unwrap();
    assert_eq!(names(&read), ["conv", "fc"]);
    assert!(
        read.warnings[0].contains("a chain of 2 layers (conv, fc) without padding, stride, pooling and skips"),
        "{:?}",
        read.warnings
    );
    assert_eq!((read.network.input.size(), read.network.classes), (3, 4));
    let again = parse(&write::bytes(&read).unwrap()).unwrap();
    assert_eq!((&again.network, &again.parameters), (&read.network, &read.parameters));
}

#[test]
fn f64_is_rounded_with_a_warning() {
    let mut raw = Raw::default();
    let data = [1.0f64, 0.1, -3.0, 0.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    raw.tensors.push(("fc.weight".into(), Dtype::F64, vec![2, 2], data));
    let read = raw.parse().unwrap();
    assert_eq!(read.warnings.len(), 2);
    assert!(read.warnings[1].contains("F64"));
    assert_eq!(read.parameters.layers[0].weight[[0, 1]], 0.1f32);
}

#[test]
fn every_truncation_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("cut.safetensors");
    let bytes = write::bytes(&example("fc4", 2)).unwrap();
    for length in (0..bytes.len()).step_by(7).chain([8, bytes.len() - 1]) {
        std::fs::write(&path, &bytes[..length]).unwrap();
        let message = Checkpoint::read(&path).unwrap_err().to_string();
        assert!(message.contains("cut.safetensors: not a whole safetensors file: "), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    std::fs::write(&path, &longer).unwrap();
    assert!(Checkpoint::read(&path).unwrap_err().to_string().contains("bytes were added"));
    assert!(
        Checkpoint::read(Path::new("no/such.safetensors")).unwrap_err().to_string().contains("no/such.safetensors")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn mutated_bytes_never_panic_and_never_break_a_mask(
        foreign in any::<bool>(),
        mutations in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 1..6),
        in_header in any::<bool>(),
    ) {
        let mut bytes = if foreign {
            chain(&["fc1", "fc2"], &[4, 3, 2]).bytes()
        } else {
            write::bytes(&example("cnn5", 16)).unwrap()
        };
        let header = 8 + u64::from_le_bytes(*bytes.first_chunk::<8>().unwrap()) as usize;
        for (index, byte, kind) in mutations {
            if bytes.is_empty() { break; }
            let at = index.index(if in_header { header.min(bytes.len()) } else { bytes.len() });
            match kind {
                // Digits turn numbers into other numbers instead of breaking the JSON.
                0 => bytes[at] = if bytes[at].is_ascii_digit() { b'0' + byte % 10 } else { byte },
                1 => bytes.insert(at, byte),
                _ => { bytes.remove(at); }
            }
        }
        match parse(&bytes) {
            Ok(read) => { prop_assert!(read.mask.verify(&read.parameters).is_ok()); prop_assert!(write::bytes(&read).is_ok()); }
            Err(problem) => prop_assert!(!problem.to_string().contains('\n'), "{}", problem),
        }
    }

    #[test]
    fn numbers_in_the_metadata_never_panic(
        at in any::<prop::sample::Index>(),
        number in prop_oneof![0..40u64, Just(1 << 20), Just((1 << 20) + 1), any::<u64>()],
    ) {
        let mut raw = Raw::of(&example("cnn5", 16));
        let json = raw.metadata["prunephase"].clone();
        let digits: Vec<(usize, usize)> = json.char_indices()
            .filter(|(i, c)| c.is_ascii_digit() && json[..*i].ends_with(':'))
            .map(|(i, _)| (i, i + json[i..].find(|c: char| !c.is_ascii_digit()).unwrap()))
            .collect();
        let (start, end) = digits[at.index(digits.len())];
        raw.metadata.insert("prunephase".into(), format!("{}{number}{}", &json[..start], &json[end..]));
        let _ = raw.parse();
    }
}
