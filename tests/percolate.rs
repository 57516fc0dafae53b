//! `prunephase percolate`.

use std::path::Path;

use assert_cmd::cargo::cargo_bin_cmd;
use prunephase::checkpoint::Checkpoint;
use prunephase::percolation::theory::TheoryRow;
use prunephase::percolation::{Order, PercolationRow};
use prunephase::table;

use crate::graph::{checkpoint, checkpoint_file};

fn percolate(paths: &[&Path], more: &[&str], out: &Path) -> assert_cmd::assert::Assert {
    cargo_bin_cmd!().arg("percolate").args(paths).args(more).arg("--out").arg(out).assert()
}

fn stderr(assert: assert_cmd::assert::Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

#[test]
fn magnitude_order_of_two_checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (checkpoint_file(folder.path(), "fc4", 8, 0.3), checkpoint_file(folder.path(), "cnn5", 28, 0.05));
    let out = folder.path().join("new/curve.csv");
    let assert = percolate(&[&a, &b], &[], &out).success();
    assert!(assert.get_output().stdout.is_empty());
    assert_eq!(stderr(assert).lines().count(), 1);
    let text = std::fs::read_to_string(&out).unwrap();
    assert_eq!(
        text.lines().next().unwrap(),
        "checkpoint,order,realisation,edges,density,p_inf,s1,s2,chi,components,outputs_reached,inputs_used,active_edges"
    );
    let rows: Vec<PercolationRow> = table::read_rows(&out).unwrap();
    for (path, kept) in [(&a, checkpoint("fc4", 8, 0.3).mask.kept()), (&b, checkpoint("cnn5", 28, 0.05).mask.kept())] {
        let rows: Vec<_> = rows.iter().filter(|row| Path::new(&row.checkpoint) == path).collect();
        assert_eq!((rows[0].edges, rows[0].s1, rows[0].order, rows[0].realisation), (1, 2, Order::Magnitude, 0));
        assert_eq!(rows[rows.len() - 1].edges, kept);
        assert_eq!(rows[rows.len() - 1].density, Checkpoint::read(path).unwrap().mask.density().value());
        assert!(rows.len() <= 200);
    }
}

#[test]
fn random_order_is_a_function_of_the_seed_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = checkpoint_file(folder.path(), "fc4", 8, 0.3);
    let kept = checkpoint("fc4", 8, 0.3).mask.kept();
    let out = folder.path().join("curve.csv");
    let run = |seed: &str, threads: &str| {
        let more = ["--order", "random", "--realisations", "4", "--points", "all", "--seed", seed];
        cargo_bin_cmd!()
            .arg("percolate")
            .arg(&path)
            .args(more)
            .arg("--out")
            .arg(&out)
            .env("RAYON_NUM_THREADS", threads)
            .assert()
            .success();
        std::fs::read(&out).unwrap()
    };
    let one = run("3", "1");
    assert_eq!(one, run("3", "4"));
    assert_ne!(one, run("4", "1"));
    let rows: Vec<PercolationRow> = table::read_rows(&out).unwrap();
    assert_eq!(rows.len(), 4 * kept);
    // What all the kept weights make does not hang on their order.
    let last: Vec<_> = rows.iter().filter(|row| row.edges == kept).collect();
    assert!(last.windows(2).all(|pair| pair[0].s1 == pair[1].s1 && pair[0].active_edges == pair[1].active_edges));
}

#[test]
fn checkpoints_that_keep_nothing_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (none, some) = (checkpoint_file(folder.path(), "fc4", 8, 0.0), checkpoint_file(folder.path(), "fc4", 8, 0.5));
    let out = folder.path().join("curve.csv");
    let message = stderr(percolate(&[&none], &[], &out).code(1));
    assert!(message.contains("no weight is kept"), "{message}");
    assert!(!out.exists());
    let message = stderr(percolate(&[&none, &some], &[], &out).success());
    assert!(message.starts_with("prunephase: warning: ") && message.contains("fc4-0.safetensors"), "{message}");
    let rows: Vec<PercolationRow> = table::read_rows(&out).unwrap();
    assert!(rows.iter().all(|row| Path::new(&row.checkpoint) == some));
}

#[test]
fn wrong_usage_is_2_and_wrong_input_is_1_and_both_write_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = checkpoint_file(folder.path(), "fc4", 8, 0.5);
    let out = folder.path().join("curve.csv");
    for wrong in [
        &["--points", "1"][..],
        &["--points", "many"],
        &["--realisations", "0", "--order", "random"],
        &["--order", "degree"],
        &["--encoding", "tensor"],
    ] {
        percolate(&[&path], wrong, &out).code(2);
    }
    cargo_bin_cmd!().arg("percolate").arg("--out").arg(&out).assert().code(2);
    // The second file is broken: nothing is written of the first one either.
    let broken = folder.path().join("broken.safetensors");
    std::fs::write(&broken, b"not a checkpoint").unwrap();
    let message = stderr(percolate(&[&path, &broken], &[], &out).code(1));
    assert!(message.starts_with("prunephase: ") && message.contains("broken.safetensors"), "{message}");
    assert_eq!(message.lines().count(), 1);
    assert!(!out.exists());
}

/// Thirty dense networks of one shape have one graph: were their random orders the same as well,
/// their thirty curves would be one and its error bar 0.
#[test]
fn random_orders_of_different_checkpoints_are_independent() {
    let folder = tempfile::tempdir().unwrap();
    let mut network = checkpoint("fc4", 8, 1.0);
    let paths: Vec<_> = (0..2)
        .map(|seed| {
            let path = folder.path().join(format!("{seed}.safetensors"));
            network.metadata.seed = Some(seed);
            network.write(&path).unwrap();
            path
        })
        .collect();
    let out = folder.path().join("curve.csv");
    percolate(&[&paths[0], &paths[1]], &["--order", "random"], &out).success();
    let rows: Vec<PercolationRow> = table::read_rows(&out).unwrap();
    let sizes = |path: &Path| -> Vec<usize> {
        rows.iter().filter(|row| Path::new(&row.checkpoint) == path).map(|row| row.s1).collect()
    };
    assert_ne!(sizes(&paths[0]), sizes(&paths[1]));
}

/// The dense fc4 of width 8 is large enough for theory and random order to agree roughly, and the two
/// tables stand at the same numbers of kept weights.
#[test]
fn theory_stands_beside_the_curve() {
    let folder = tempfile::tempdir().unwrap();
    let paths = [checkpoint_file(folder.path(), "fc4", 8, 1.0), checkpoint_file(folder.path(), "cnn5", 28, 0.05)];
    let (out, theory) = (folder.path().join("curve.csv"), folder.path().join("theory.csv"));
    let more = ["--order", "random", "--realisations", "10", "--points", "60", "--theory", theory.to_str().unwrap()];
    let message = stderr(percolate(&[&paths[0], &paths[1]], &more, &out).success());
    assert_eq!(message.lines().count(), 2);
    let text = std::fs::read_to_string(&theory).unwrap();
    assert_eq!(text.lines().next().unwrap(), "checkpoint,edges,density,phi,p_inf");
    let rows: Vec<PercolationRow> = table::read_rows(&out).unwrap();
    let theory: Vec<TheoryRow> = table::read_rows(&theory).unwrap();
    for path in &paths {
        let of = |name: &str| Path::new(name) == path;
        let curve: Vec<_> = rows.iter().filter(|row| of(&row.checkpoint)).collect();
        let theory: Vec<_> = theory.iter().filter(|row| of(&row.checkpoint)).collect();
        assert_eq!(curve.len(), 10 * theory.len());
        let kept = theory.last().unwrap().edges as f64;
        for (index, row) in theory.iter().enumerate() {
            let same: Vec<_> = curve.iter().filter(|point| point.edges == row.edges).collect();
            assert_eq!((same.len(), same[0].density, row.phi), (10, row.density, row.edges as f64 / kept));
            assert!(index == 0 || row.p_inf >= theory[index - 1].p_inf - 1e-9);
            let mean = same.iter().map(|point| point.p_inf).sum::<f64>() / 10.0;
            if mean > 0.5 {
                assert!((mean - row.p_inf).abs() < 0.05, "{path:?} {} {mean} {}", row.edges, row.p_inf);
            }
        }
        assert!((theory.last().unwrap().p_inf - curve.last().unwrap().p_inf).abs() < 0.02);
    }
    let same = ["--theory", out.to_str().unwrap()];
    assert!(stderr(percolate(&[&paths[0]], &same, &out).code(1)).contains("same file"));
}
