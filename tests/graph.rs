//! `prunephase graph`.

use std::path::{Path, PathBuf};

use assert_cmd::cargo::cargo_bin_cmd;
use prunephase::checkpoint::{Checkpoint, Metadata};
use prunephase::mask::Mask;
use prunephase::network::{Architecture, FeatureShape, Parameters};
use prunephase::seed::Seeds;

/// A checkpoint that keeps about `share` of its weights at random.
pub fn checkpoint(architecture: &str, side: usize, share: f64) -> Checkpoint {
    let input = FeatureShape::image(1, side, side);
    let network = Architecture::built_in(architecture).unwrap().network(2, input, 10).unwrap();
    let mut parameters = Parameters::initialise(&network, &mut Seeds::new(1, 0).stream("initialisation"));
    let mut stream = Seeds::new(1, 0).stream("test mask");
    let mut mask = Mask::dense(&network);
    for layer in &mut mask.layers {
        layer.kept.mapv_inplace(|_| stream.unit() < share);
    }
    mask.apply(&mut parameters).unwrap();
    Checkpoint::new(network, parameters, mask, Metadata::default()).unwrap()
}

/// The same, in a file.
pub fn checkpoint_file(folder: &Path, architecture: &str, side: usize, share: f64) -> PathBuf {
    let path = folder.join(format!("{architecture}-{share}.safetensors"));
    checkpoint(architecture, side, share).write(&path).unwrap();
    path
}

#[test]
fn every_format_holds_every_pair() {
    let folder = tempfile::tempdir().unwrap();
    // A convolution's kept taps share an edge; a linear network's weights do not.
    for (architecture, side) in [("fc4", 8), ("cnn5", 28)] {
        let path = checkpoint_file(folder.path(), architecture, side, 0.05);
        let kept = checkpoint(architecture, side, 0.05).mask.kept();
        let write = |format: &str| {
            let out = folder.path().join(format!("graph.{format}"));
            let assert =
                cargo_bin_cmd!().arg("graph").arg(&path).args(["--format", format, "--out"]).arg(&out).assert();
            let output = assert.success().get_output().clone();
            assert!(output.stderr.is_empty());
            let summary = String::from_utf8(output.stdout).unwrap();
            assert!(summary.contains(&format!("{kept} kept weights")), "{summary}");
            std::fs::read_to_string(out).unwrap()
        };
        let rows = write("csv").lines().count() - 1;
        let json: serde_json::Value = serde_json::from_str(&write("json")).unwrap();
        assert_eq!(json["edges"].as_array().unwrap().len(), rows);
        assert_eq!(json["graph"]["edges"], kept);
        assert_eq!(rows < kept, architecture == "cnn5");
        let graphml = write("graphml");
        let document = resvg::usvg::roxmltree::Document::parse(&graphml).unwrap();
        let count = |tag| document.descendants().filter(|node| node.tag_name().name() == tag).count();
        assert_eq!((count("node"), count("edge")), (json["nodes"].as_array().unwrap().len(), rows));
    }
}

#[test]
fn wrong_input_writes_nothing_and_says_why_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let (missing, out) = (folder.path().join("missing.safetensors"), folder.path().join("graph.csv"));
    let assert = cargo_bin_cmd!().arg("graph").arg(&missing).args(["--format", "csv", "--out"]).arg(&out).assert();
    let message = String::from_utf8(assert.code(1).get_output().stderr.clone()).unwrap();
    assert!(message.starts_with("prunephase: ") && message.contains("missing.safetensors"), "{message}");
    assert_eq!(message.lines().count(), 1);
    assert!(!out.exists());
    for wrong in [["--format", "dot"], ["--encoding", "tensor"]] {
        cargo_bin_cmd!().arg("graph").arg(&missing).args(wrong).arg("--out").arg(&out).assert().code(2);
    }
}
