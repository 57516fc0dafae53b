//! Keys of the study file that say what is measured, drawn and repeated.

use std::fs;
use std::path::Path;

use prunephase::checkpoint::Checkpoint;
use prunephase::study::{LevelRow, TopologyRow};
use prunephase::table;

use super::pipeline::{STUDY, assert_same_bytes, prunephase, succeed};

/// The good study with observables and figures, and without its retrainings.
pub fn measured() -> String {
    let (before, rest) = STUDY.split_once("[retraining]").unwrap();
    let (_, after) = rest.split_once("[fit]").unwrap();
    let figures = "figures = [\"order-parameter\", \"weight-evolution\", \"ladder\"]";
    let observables = "[observables]\ntopology = [\"thresholds\", \"assortativity\"]";
    format!("{figures}\n{before}\n{observables}\n[fit]{after}").replacen("replicates = 3", "replicates = [3, 1]", 1)
}

fn write(folder: &Path, text: &str) -> std::path::PathBuf {
    let path = folder.join("study.toml");
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_study_measures_and_draws_what_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let study = write(folder, &measured());
    let run = folder.join("run");
    let output = succeed(prunephase().arg("run").arg(&study).arg("--out").arg(&run));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("not drawn: ladder"), "{told}");
    for name in ["order-parameter", "weight-evolution"] {
        for extension in ["svg", "pdf", "png", "csv"] {
            assert!(run.join(format!("figures/{name}.{extension}")).is_file(), "{name}.{extension}");
        }
    }
    assert!(!run.join("figures/ladder.svg").exists() && !run.join("figures/collapse.svg").exists());

    // Three replicates of the first width, one of the second.
    let levels: Vec<LevelRow> = table::read_rows(&run.join("tables/levels.csv")).unwrap();
    let count = |width: usize| levels.iter().filter(|row| row.width == width && row.level == 0).count();
    assert_eq!((count(3), count(6)), (3, 1));

    // The numbers are those of the command on the checkpoint.
    let rows: Vec<TopologyRow> = table::read_rows(&run.join("tables/topology.csv")).unwrap();
    let checkpoint = run.join("checkpoints/digits-fc4-w3-s2/level-04.safetensors");
    let out = folder.join("topology.csv");
    let mut command = prunephase();
    command.arg("topology").arg(&checkpoint).args(["--metrics", "thresholds,assortativity", "--out"]).arg(&out);
    succeed(&mut command);
    let mut expected: Vec<prunephase::topology::TopologyRow> = table::read_rows(&out).unwrap();
    let mut found: Vec<_> = rows.iter().filter(|row| row.width == 3 && row.seed == 2 && row.level == 4).collect();
    assert!(found.iter().any(|row| row.metric == "lambda") && found.len() > 3, "{found:?}");
    found.sort_by(|a, b| (&a.layer, &a.metric).cmp(&(&b.layer, &b.metric)));
    expected.sort_by(|a, b| (&a.layer, &a.metric).cmp(&(&b.layer, &b.metric)));
    let key = |layer: &str, metric: &str, value: f64| (layer.to_owned(), metric.to_owned(), value);
    let found: Vec<_> = found.iter().map(|row| key(&row.layer, &row.metric, row.value)).collect();
    let expected: Vec<_> = expected.iter().map(|row| key(&row.layer, &row.metric, row.value)).collect();
    assert_eq!(found, expected);

    // Stopped, with a damaged table, in shards: the same bytes.
    let parts = [folder.join("part-1"), folder.join("part-2")];
    for (index, part) in parts.iter().enumerate() {
        let shard = format!("{}/2", index + 1);
        let shard = |command: &mut std::process::Command| {
            command.arg("run").arg(&study).arg("--out").arg(part).args(["--shard", &shard]).output().unwrap()
        };
        assert!(shard(prunephase().args(["--version"; 0])).status.success());
        let damaged = part.join("tables/tasks/digits-fc4-w3-s0/topology.csv");
        if damaged.is_file() {
            let text = fs::read_to_string(&damaged).unwrap();
            fs::write(&damaged, text.replacen("assortativity,0.", "assortativity,1.", 1)).unwrap();
            assert_ne!(fs::read_to_string(&damaged).unwrap(), text);
            let again = shard(&mut prunephase());
            assert!(again.status.success());
            let told = String::from_utf8_lossy(&again.stderr);
            assert!(told.contains("topology.csv"), "{told}");
        }
    }
    let merged = folder.join("merged");
    succeed(prunephase().arg("merge").args(&parts).arg("--out").arg(&merged));
    assert_same_bytes(&run, &merged);
}

#[test]
fn a_control_of_the_topology_is_fitted() {
    let folder = tempfile::tempdir().unwrap();
    let text = measured().replace("control = \"density\"", "control = \"lambda\"");
    let study = write(
        folder.path(),
        &text.replace("replicates = [3, 1]", "replicates = 3").replace("levels = 7", "levels = 10"),
    );
    let run = folder.path().join("run");
    succeed(prunephase().arg("run").arg(&study).arg("--out").arg(&run));
    let fit = fs::read_to_string(run.join("fits/fit.json")).unwrap();
    assert!(fit.contains("\"lambda\"") && fit.contains("\"models\""), "{fit}");
    let topology: Vec<TopologyRow> = table::read_rows(&run.join("tables/topology.csv")).unwrap();
    let points = fs::read_to_string(run.join("tables/fit.csv")).unwrap();
    let mean: Vec<f64> = topology
        .iter()
        .filter(|row| row.width == 6 && row.metric == "lambda" && row.level == 2)
        .map(|row| row.value)
        .collect();
    assert_eq!(mean.len(), 3);
    let mean = mean.iter().sum::<f64>() / 3.0;
    assert!(points.contains(&mean.to_string()), "{points}\nhas no {mean}");
}

/// Without a step of fine-tuning a level holds the weights that it starts from.
#[test]
fn levels_start_from_the_weights_before_or_from_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let still = measured().replacen("epochs = 1\n", "steps = 0\n", 1);
    for (weights, from) in [("kept", "level-00"), ("rewound", "initial")] {
        let text = still.replacen("ratio = 0.6", &format!("ratio = 0.6\nweights = \"{weights}\""), 1);
        let study = write(folder, &text);
        let run = folder.join(weights);
        succeed(prunephase().arg("run").arg(&study).arg("--out").arg(&run));
        let read = |name: &str| {
            Checkpoint::read(&run.join(format!("checkpoints/digits-fc4-w3-s0/{name}.safetensors"))).unwrap()
        };
        let (start, level) = (read(from), read("level-03"));
        for (index, layer) in level.mask.layers.iter().enumerate() {
            let (now, then) = (&level.parameters.layers[index], &start.parameters.layers[index]);
            for ((now, then), kept) in now.weight.iter().zip(&then.weight).zip(&layer.kept) {
                assert_eq!(*now, if *kept { *then } else { 0.0 });
            }
        }
        assert!(level.mask.kept() < start.mask.kept());
    }
}
