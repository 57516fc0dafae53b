//! The key `chain` of a study: which chain draws from `degrees`.

use std::fs;

use super::pipeline::{STUDY, prunephase, succeed};

/// A run of the study with these lines more in [retraining], in a folder of that name.
fn run(folder: &std::path::Path, more: &str, out: &str) -> std::process::Command {
    let study = folder.join("study.toml");
    let text =
        STUDY.replacen("steps = 5", &format!("steps = 5\n{more}"), 1).replacen("widths = [3, 6]", "widths = [6]", 1);
    // One width has no collapse.
    fs::write(&study, &text[..text.find("[collapse]").unwrap()]).unwrap();
    let mut command = prunephase();
    command.arg("run").arg(&study).arg("--out").arg(folder.join(out));
    command
}

#[test]
fn a_study_chooses_the_chain_of_degrees() {
    let folder = tempfile::tempdir().unwrap();
    let table = |out: &str, name: &str| fs::read_to_string(folder.path().join(out).join("tables").join(name)).unwrap();
    succeed(&mut run(folder.path(), "chain = \"curveball\"\nswaps-per-edge = 1.3", "traded"));
    // Three rounds are the first that make 1.3 proposals an edge.
    let of_degrees = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.contains(",degrees,")).map(ToOwned::to_owned).collect()
    };
    let mixing = of_degrees(&table("traded", "mixing.csv"));
    let ends = mixing.iter().filter(|line| line.contains(",1.5,")).count();
    assert!(ends > 0 && mixing.iter().all(|line| !line.contains(",1.3,")), "{mixing:?}");
    let manifest = fs::read_to_string(folder.path().join("traded/manifest.json")).unwrap();
    assert!(manifest.contains("\"chain\": \"curveball\""), "{manifest}");

    // Swaps written out are what a study without the key does, to the byte.
    succeed(&mut run(folder.path(), "swaps-per-edge = 1.3", "usual"));
    succeed(&mut run(folder.path(), "chain = \"swaps\"\nswaps-per-edge = 1.3", "written-out"));
    for name in ["mixing.csv", "retraining.csv"] {
        assert_eq!(table("usual", name), table("written-out", name));
        // The other null model has a chain in neither.
        let others = |out: &str| -> Vec<String> {
            table(out, name).lines().filter(|line| line.contains(",layer-density,")).map(ToOwned::to_owned).collect()
        };
        assert_eq!(others("usual"), others("traded"));
    }
    assert_ne!(of_degrees(&table("usual", "mixing.csv")), mixing);
    let manifest = fs::read_to_string(folder.path().join("written-out/manifest.json")).unwrap();
    assert!(!manifest.contains("\"chain\""), "{manifest}");

    // Samples of one chain do not mix with those of the other.
    let other = run(folder.path(), "swaps-per-edge = 1.3", "traded").output().unwrap();
    let message = String::from_utf8_lossy(&other.stderr);
    assert_eq!(other.status.code(), Some(1), "{message}");
    assert!(message.contains("retraining.chain"), "{message}");
}
