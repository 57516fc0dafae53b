//! Retraining of a checkpoint that others wrote: the reading options are taken, and it is the same network.

use std::fs;
use std::path::Path;
use std::process::Output;

use prunephase::files;
use safetensors::SafeTensors;

use super::pipeline::{prunephase, study_file, succeed};

/// The accuracies of retraining.csv; retraining of no step leaves what was read.
fn accuracies(folder: &Path) -> Vec<String> {
    let table = fs::read_to_string(folder.join("retraining.csv")).unwrap();
    let column = table.lines().next().unwrap().split(',').position(|name| name == "accuracy").unwrap();
    table.lines().skip(1).map(|line| line.split(',').nth(column).unwrap().to_owned()).collect()
}

#[test]
fn the_reading_options_make_the_same_network() {
    let folder = tempfile::tempdir().unwrap();
    let study = study_file(folder.path());
    let at = |name: &str| folder.path().join(name);
    succeed(prunephase().arg("run").arg(&study).arg("--out").arg(at("run")));
    let native = at("run/checkpoints/digits-fc4-w6-s0/level-02.safetensors");

    // As a state dict with dense weights, prefixed names and the masks in another file.
    let bytes = fs::read(&native).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let all: Vec<_> = tensors.tensors();
    let is_mask = |name: &str| name.ends_with(".weight_mask");
    let weights =
        all.iter().filter(|(name, _)| !is_mask(name)).map(|(name, view)| (format!("module.{name}"), view.clone()));
    let masks = all.iter().filter(|(name, _)| is_mask(name));
    let masks = masks.map(|(name, view)| (format!("module.{}", name.replace("_mask", "")), view.clone()));
    fs::write(at("weights.safetensors"), safetensors::serialize(weights, None).unwrap()).unwrap();
    fs::write(at("masks.safetensors"), safetensors::serialize(masks, None).unwrap()).unwrap();

    let rewire = ["--null", "degrees", "--samples", "2", "--seed", "5"];
    succeed(prunephase().arg("rewire").arg(&native).args(rewire).arg("--out").arg(at("samples")));
    let retrain = |checkpoint: &Path, more: &[&str], out: &str| -> Output {
        let mut command = prunephase();
        command.arg("retrain").arg(checkpoint).arg("--masks").arg(at("samples")).args(["--weights", "kept"]);
        command.args(["--steps", "0", "--data", "digits", "--mean", "0.3", "--standard-deviation", "0.37"]);
        command.args(more).arg("--out").arg(at(out)).output().unwrap()
    };
    assert!(retrain(&native, &[], "native").status.success());
    let masks = at("masks.safetensors").display().to_string();
    let options = ["--network", "fc4", "--original-masks", &masks];
    let foreign = retrain(&at("weights.safetensors"), &options, "foreign");
    assert!(foreign.status.success(), "{}", String::from_utf8_lossy(&foreign.stderr));
    assert_eq!(accuracies(&at("foreign")), accuracies(&at("native")));
    assert_eq!(accuracies(&at("native")).len(), 3);

    // With other masks they are other results: refused, nothing changed.
    let before = files::checksum(&at("foreign/retraining.csv")).unwrap();
    let refused = retrain(&at("weights.safetensors"), &["--network", "fc4"], "foreign");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("take another folder"));
    assert_eq!(files::checksum(&at("foreign/retraining.csv")).unwrap(), before);
}
