//! `prunephase topology`.

use std::path::Path;

use assert_cmd::cargo::cargo_bin_cmd;
use prunephase::table::{self, Table};
use prunephase::topology::TopologyRow;

use crate::graph::{checkpoint, checkpoint_file};

fn topology(paths: &[&Path], more: &[&str], out: &Path) -> assert_cmd::assert::Assert {
    cargo_bin_cmd!().arg("topology").args(paths).args(more).arg("--out").arg(out).assert()
}

fn stdout(assert: assert_cmd::assert::Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

fn value(rows: &[TopologyRow], path: &Path, layer: &str, metric: &str) -> f64 {
    let of = |row: &&TopologyRow| Path::new(&row.checkpoint) == path && row.layer == layer && row.metric == metric;
    rows.iter().find(of).unwrap_or_else(|| panic!("no {metric} of {layer}")).value
}

#[test]
fn two_checkpoints_in_one_tidy_table() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (checkpoint_file(folder.path(), "fc4", 8, 0.3), checkpoint_file(folder.path(), "cnn5", 28, 0.05));
    let (out, degrees) = (folder.path().join("new/topology.csv"), folder.path().join("degrees.csv"));
    let printed = stdout(topology(&[&a, &b], &["--degrees", degrees.to_str().unwrap()], &out).success());
    assert!(printed.contains("fc4-0.3.safetensors") && printed.contains("clustering"), "{printed}");
    let text = std::fs::read_to_string(&out).unwrap();
    assert_eq!(text.lines().next().unwrap(), "checkpoint,layer,metric,value");
    let rows: Vec<TopologyRow> = table::read_rows(&out).unwrap();
    for (path, checkpoint) in [(&a, checkpoint("fc4", 8, 0.3)), (&b, checkpoint("cnn5", 28, 0.05))] {
        assert_eq!(value(&rows, path, "whole", "edges"), checkpoint.mask.kept() as f64);
        assert_eq!(value(&rows, path, "whole", "density"), checkpoint.mask.density().value());
        for layer in &checkpoint.mask.layers {
            assert_eq!(value(&rows, path, &layer.name, "edges"), layer.kept_count() as f64);
        }
    }
    // The kernels are seen: layers below density 1 share one factor of (sum of sides) / (product of sides).
    let factors: Vec<f64> = checkpoint("cnn5", 28, 0.05)
        .mask
        .layers
        .iter()
        .map(|layer| (layer, value(&rows, &b, &layer.name, "density_erdos_renyi_kernel")))
        .filter(|&(_, density)| density < 1.0)
        .map(|(layer, density)| density * layer.kept.len() as f64 / layer.kept.shape().iter().sum::<usize>() as f64)
        .collect();
    assert!(factors.len() > 1 && factors.iter().all(|factor| (factor / factors[0] - 1.0).abs() < 1e-12), "{factors:?}");
    let counts = Table::read(&degrees).unwrap();
    assert_eq!(counts.columns(), ["checkpoint", "layer", "direction", "degree", "nodes"]);
    // Every pair is counted once from below and once from above.
    let sums = |direction: &str, path: &Path| -> f64 {
        let (degree, nodes) = (counts.numbers("degree").unwrap(), counts.numbers("nodes").unwrap());
        let (paths, directions) = (counts.texts("checkpoint").unwrap(), counts.texts("direction").unwrap());
        (0..counts.rows())
            .filter(|&row| directions[row] == direction && Path::new(paths[row]) == path)
            .map(|row| degree[row] * nodes[row])
            .sum()
    };
    for path in [&a, &b] {
        let pairs = value(&rows, path, "whole", "pairs");
        assert_eq!((sums("in", path), sums("out", path)), (pairs, pairs));
    }
}

#[test]
fn json_holds_the_numbers_of_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = checkpoint_file(folder.path(), "fc4", 8, 0.3);
    let out = folder.path().join("topology.csv");
    let printed = stdout(topology(&[&path], &["--json", "--metrics", "paths,cores"], &out).success());
    let json: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let metrics = json["checkpoints"][0]["metrics"].as_array().unwrap();
    let rows: Vec<TopologyRow> = table::read_rows(&out).unwrap();
    assert_eq!(metrics.len(), rows.len());
    for (metric, row) in metrics.iter().zip(&rows) {
        assert_eq!((metric["layer"].as_str(), metric["metric"].as_str()), (Some(&*row.layer), Some(&*row.metric)));
        assert_eq!(metric["value"].as_f64(), Some(row.value));
    }
    assert!(rows.iter().all(|row| row.metric.starts_with("paths") || row.metric.starts_with("core")));
}

#[test]
fn a_checkpoint_that_keeps_nothing_still_has_its_units() {
    let folder = tempfile::tempdir().unwrap();
    let path = checkpoint_file(folder.path(), "fc4", 8, 0.0);
    let out = folder.path().join("topology.csv");
    topology(&[&path], &[], &out).success();
    let rows: Vec<TopologyRow> = table::read_rows(&out).unwrap();
    assert_eq!(value(&rows, &path, "whole", "paths_exist"), 0.0);
    assert_eq!(value(&rows, &path, "whole", "units_isolated"), value(&rows, &path, "whole", "units"));
}

#[test]
fn wrong_usage_is_2_and_wrong_input_is_1_and_both_write_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = checkpoint_file(folder.path(), "fc4", 8, 0.5);
    let out = folder.path().join("topology.csv");
    topology(&[&path], &["--metrics", "spectacle"], &out).code(2);
    topology(&[&path], &["--encoding", "tensor"], &out).code(2);
    topology(&[], &[], &out).code(2);
    let broken = folder.path().join("broken.safetensors");
    std::fs::write(&broken, b"not a checkpoint").unwrap();
    let assert = topology(&[&path, &broken], &[], &out).code(1);
    let message = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(message.starts_with("prunephase: ") && message.contains("broken.safetensors"), "{message}");
    assert!(!out.exists());
}
