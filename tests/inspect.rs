//! `prunephase inspect`.

use std::collections::HashMap;
use std::path::Path;

use assert_cmd::cargo::cargo_bin_cmd;
use prunephase::checkpoint::{Checkpoint, Metadata};
use prunephase::mask::Mask;
use prunephase::network::{Architecture, FeatureShape, Parameters};
use prunephase::seed::Seeds;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

/// Runs `prunephase inspect` and gives its exit code, standard output and standard error.
fn inspect(path: &Path, more: &[&str]) -> (i32, String, String) {
    let output = cargo_bin_cmd!("prunephase").arg("inspect").arg(path).args(more).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn pruned_cnn5(path: &Path) {
    let network = Architecture::built_in("cnn5").unwrap().network(1, FeatureShape::image(1, 28, 28), 10).unwrap();
    let mut parameters = Parameters::initialise(&network, &mut Seeds::new(1, 0).stream("initial"));
    let mut mask = Mask::dense(&network);
    mask.layers[0].kept.iter_mut().take(50).for_each(|kept| *kept = false);
    mask.layers[4].kept.fill(false);
    mask.apply(&mut parameters).unwrap();
    let metadata = Metadata { seed: Some(1), level: Some(3), ..Metadata::default() };
    Checkpoint::new(network, parameters, mask, metadata).unwrap().write(path).unwrap();
}

#[test]
fn json_has_the_keys_of_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    pruned_cnn5(&path);
    let (code, out, err) = inspect(&path, &["--json"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let layer = |name: &str, shape: &[usize], kept: usize, dense: usize| serde_json::json!({"name": name, "shape": shape, "kept": kept, "dense": dense, "density": kept as f64 / dense as f64});
    let expected = [
        layer("conv1", &[6, 1, 5, 5], 100, 150),
        layer("conv2", &[16, 6, 5, 5], 2400, 2400),
        layer("fc1", &[120, 400], 48000, 48000),
        layer("fc2", &[84, 120], 10080, 10080),
        layer("fc3", &[10, 84], 0, 840),
    ];
    assert_eq!(json["layers"].as_array().unwrap()[..], expected);
    assert_eq!(json["density"], (61470.0 - 890.0) / 61470.0);
    assert_eq!(json["mask_source"], "weight_mask");
    assert_eq!(json["metadata"]["level"], 3);
}

#[test]
fn the_table_has_a_row_a_layer_and_a_total() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    pruned_cnn5(&path);
    let (code, out, _) = inspect(&path, &[]);
    assert_eq!(code, 0);
    let rows: Vec<String> = out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(rows[0], "layer shape kept dense density");
    assert_eq!(rows[1], "conv1 6 x 1 x 5 x 5 100 150 0.666667");
    assert_eq!(rows[5], "fc3 10 x 84 0 840 0.000000");
    assert_eq!(rows[6], "total 60580 61470 0.985521");
    assert_eq!(rows[7], "mask from weight_mask");
    assert_eq!(rows.len(), 8);
}

#[test]
fn a_foreign_file_without_masks_warns_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("foreign.safetensors");
    let bytes: Vec<u8> = [1.0f32, 0.0, -0.0, 2.0, 3.0, 4.0].iter().flat_map(|w| w.to_le_bytes()).collect();
    let tensors = HashMap::from([
        ("fc1.weight", TensorView::new(Dtype::F32, vec![3, 2], &bytes).unwrap()),
        ("fc2.weight", TensorView::new(Dtype::F32, vec![1, 3], &bytes[12..]).unwrap()),
    ]);
    std::fs::write(&path, safetensors::serialize(tensors, None).unwrap()).unwrap();
    let (code, out, err) = inspect(&path, &["--json"]);
    assert_eq!(code, 0);
    assert_eq!(err.lines().count(), 1, "{err}");
    assert!(err.contains("foreign.safetensors: no masks in the file"), "{err}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["mask_source"], "nonzero");
    assert_eq!(json["layers"][0]["kept"], 4);
}

#[test]
fn what_cannot_be_read_is_one_line_and_exit_1() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.safetensors");
    pruned_cnn5(&path);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let missing = folder.path().join("missing.safetensors");
    for path in [&path, &missing] {
        let (code, out, err) = inspect(path, &["--json"]);
        assert_eq!((code, out.as_str()), (1, ""));
        assert_eq!(err.lines().count(), 1, "{err}");
        assert!(err.starts_with("prunephase: "), "{err}");
        assert!(err.contains(&path.display().to_string()), "{err}");
        assert_eq!(err.matches("os error").count(), usize::from(path == &missing), "{err}");
    }
}
