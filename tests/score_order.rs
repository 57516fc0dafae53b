//! Scores of a file of their own, on networks whose tensors are taken apart: split heads, grouped
//! convolutions, residual streams. A checkpoint whose weights are the scores percolates in the order of its
//! magnitudes exactly as the first one does in the order of the scores.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use assert_cmd::cargo::cargo_bin_cmd;
use prunephase::checkpoint::{Checkpoint, ReadOptions};
use prunephase::network::Described;
use prunephase::seed::Seeds;
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};

/// Writes f32 tensors.
fn write(path: &Path, tensors: &BTreeMap<String, (Vec<usize>, Vec<f32>)>) {
    let bytes: BTreeMap<&String, (Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, (shape, values))| (name, (shape.clone(), values.iter().flat_map(|v| v.to_le_bytes()).collect())))
        .collect();
    let views =
        bytes.iter().map(|(name, (shape, bytes))| (*name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    serialize_to_file(views, None, path).unwrap();
}

/// Rows of a percolate table without the columns that name the file and the order.
fn curve(checkpoint: &Path, more: &[&str], out: &Path) -> Vec<String> {
    let mut program = cargo_bin_cmd!("prunephase");
    program.arg("percolate").arg(checkpoint).args(more).args(["--points", "all", "--out"]).arg(out);
    program.assert().success();
    let text = std::fs::read_to_string(out).unwrap();
    assert!(text.starts_with("checkpoint,order,"));
    text.lines().skip(1).map(|line| line.splitn(3, ',').nth(2).unwrap().to_owned()).collect()
}

fn check(folder: &Path, checkpoint: &Checkpoint, name: &str) {
    let at = |end: &str| folder.join(format!("{name}-{end}"));
    let path = |path: &PathBuf| path.display().to_string();
    let mut stream = Seeds::new(1, 0).stream(name);
    let mut other = checkpoint.clone();
    let mut scores = BTreeMap::new();
    for layer in &mut other.parameters.layers {
        // Few values, so that ties are met too; none is zero.
        layer.weight.mapv_inplace(|_| 1.0 + stream.below(50) as f32);
        let values: Vec<f32> = layer.weight.iter().copied().collect();
        scores.insert(format!("{}.score", layer.name), (layer.weight.shape().to_vec(), values));
    }
    other.mask.apply(&mut other.parameters).unwrap();
    checkpoint.write(&at("own.safetensors")).unwrap();
    other.write(&at("scores-as-weights.safetensors")).unwrap();
    write(&at("scores.safetensors"), &scores);
    let file = path(&at("scores.safetensors"));
    let by_score = curve(&at("own.safetensors"), &["--order", "score", "--scores", &file], &at("a.csv"));
    let by_weight = curve(&at("scores-as-weights.safetensors"), &["--order", "magnitude"], &at("b.csv"));
    assert_eq!(by_score.len(), checkpoint.mask.kept(), "{name}");
    assert!(by_score == by_weight, "{name}");
    let own = curve(&at("own.safetensors"), &["--order", "magnitude"], &at("c.csv"));
    assert!(own != by_score, "{name}: the scores change nothing");
}

#[test]
fn scores_follow_their_weights_into_heads_and_streams() {
    let folder = tempfile::tempdir().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pytorch");
    let cases = [("gpt2.pt", Some("gpt2-masks.safetensors"), 4), ("vit.safetensors", None, 4), ("resnet.pth", None, 1)];
    for (file, masks, heads) in cases {
        let options = ReadOptions {
            masks: masks.map(|masks| fixtures.join(masks)),
            heads: (heads > 1).then_some(heads),
            ..ReadOptions::default()
        };
        let checkpoint = Checkpoint::read_with(&fixtures.join(file), &options).unwrap();
        check(folder.path(), &checkpoint, file);
    }
}

#[test]
fn scores_follow_their_weights_into_grouped_convolutions() {
    const DESCRIPTION: &str = r#"
        name = "grouped"
        output = "classes"
        [[parts]]
        layers = [
            { tensor = "stem.weight", from = "input", to = "a" },
            { tensor = "grouped.weight", from = "a", to = "b" },
            { tensor = "depthwise.weight", from = "b", to = "c" },
            { tensor = "head.weight", from = "c", to = "classes" },
        ]"#;
    let folder = tempfile::tempdir().unwrap();
    let description = folder.path().join("grouped.toml");
    std::fs::write(&description, DESCRIPTION).unwrap();
    let mut stream = Seeds::new(2, 0).stream("grouped");
    // 3 images' channels, 8 of the stem; 2 groups of 4 in 6; each of 12 reads one of 6.
    let shapes = [
        ("stem", vec![8, 3, 3, 3]),
        ("grouped", vec![6, 4, 3, 3]),
        ("depthwise", vec![12, 1, 3, 3]),
        ("head", vec![5, 12]),
    ];
    let tensors = shapes.map(|(name, shape)| {
        let values = (0..shape.iter().product())
            .map(|_| if stream.below(4) == 0 { stream.uniform(0.5, 1.0) as f32 } else { 0.0 })
            .collect();
        (format!("{name}.weight"), (shape, values))
    });
    let file = folder.path().join("grouped.safetensors");
    write(&file, &BTreeMap::from(tensors));
    let network = Described::load(&description.display().to_string()).unwrap();
    let options = ReadOptions { network: Some(network), ..ReadOptions::default() };
    let checkpoint = Checkpoint::read_with(&file, &options).unwrap();
    check(folder.path(), &checkpoint, "grouped");
}
