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
    assert_eq!(String::from_utf8_lossy(&assert.get_output().stdout).lines().count(), 1);
    assert_eq!(stderr(assert), "");
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
    let assert = percolate(&[&paths[0], &paths[1]], &more, &out).success();
    assert_eq!(String::from_utf8_lossy(&assert.get_output().stdout).lines().count(), 2);
    assert_eq!(stderr(assert), "");
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
    assert!(stderr(percolate(&[&paths[0]], &same, &out).code(2)).contains("same file"));
}

/// The rows of a table by column.
fn columns(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv_of(path);
    let header = reader.headers().unwrap().iter().map(str::to_owned).collect();
    (header, reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect())
}

fn csv_of(path: &Path) -> csv::Reader<std::fs::File> {
    csv::Reader::from_path(path).unwrap()
}

#[test]
fn averages_follow_from_the_realisations() {
    let folder = tempfile::tempdir().unwrap();
    let path = checkpoint_file(folder.path(), "fc4", 8, 0.3);
    let (out, averages) = (folder.path().join("curve.csv"), folder.path().join("averages.csv"));
    let more = ["--order", "random", "--realisations", "7", "--points", "12", "--ensemble"];
    let both = |ensemble: &str| {
        let more: Vec<&str> =
            more.iter().copied().chain([ensemble, "--averages", averages.to_str().unwrap()]).collect();
        percolate(&[&path], &more, &out).success();
        columns(&averages)
    };
    let (header, micro) = both("microcanonical");
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    let rows: Vec<PercolationRow> = table::read_rows(&out).unwrap();
    for row in &micro {
        let edges: f64 = row[at("edges")].parse().unwrap();
        let p_inf: Vec<f64> = rows.iter().filter(|one| one.edges as f64 == edges).map(|one| one.p_inf).collect();
        assert_eq!(p_inf.len(), 7);
        let mean = p_inf.iter().sum::<f64>() / 7.0;
        let variance = p_inf.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / 6.0;
        let close = |name: &str, expected: f64| {
            let found: f64 = row[at(name)].parse().unwrap();
            assert!((found - expected).abs() < 1e-9 * (1.0 + expected), "{name}: {found} {expected}");
        };
        close("p_inf", mean);
        close("p_inf_error", (variance / 7.0).sqrt());
        let nodes = (rows[0].s1 as f64 / rows[0].p_inf).round();
        close("chi_v", variance * nodes);
        close("r", 1.0 + variance * 6.0 / 7.0 / (mean * mean));
    }
    // The canonical curve runs through the same numbers and is another one between its ends.
    let (_, canonical) = both("canonical");
    assert_eq!(canonical.len(), micro.len());
    let middle = canonical.len() / 2;
    assert_ne!(canonical[middle][at("p_inf")], micro[middle][at("p_inf")]);
    let (last, end) = (&canonical[canonical.len() - 1], &micro[micro.len() - 1]);
    assert_eq!((&last[at("p_inf")], &last[at("phi")]), (&end[at("p_inf")], &"1.0".to_owned()));
}

#[test]
fn cluster_numbers_hold_all_nodes_but_the_largest_component() {
    let folder = tempfile::tempdir().unwrap();
    let path = checkpoint_file(folder.path(), "fc4", 8, 0.3);
    let (out, clusters) = (folder.path().join("curve.csv"), folder.path().join("clusters.csv"));
    let more = ["--clusters", clusters.to_str().unwrap(), "--at", "0.02,0.05,0.9", "--points", "all"];
    let text = stderr(percolate(&[&path], &more, &out).success());
    assert!(text.contains("no cluster numbers at density 0.9; it keeps 0."), "{text}");
    let (header, rows) = columns(&clusters);
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let expected = ["checkpoint", "order", "realisation", "edges", "density", "size_low", "size_high", "count", "n_s"];
    assert_eq!(header, expected);
    let curve: Vec<PercolationRow> = table::read_rows(&out).unwrap();
    for seen in curve.iter().filter(|seen| rows.iter().any(|row| row[3] == seen.edges.to_string())) {
        let count: usize = rows
            .iter()
            .filter(|row| row[3] == seen.edges.to_string())
            .map(|row| row[7].parse::<usize>().unwrap())
            .sum();
        assert_eq!(count, seen.components - 1);
    }
    let densities: std::collections::BTreeSet<&str> = rows.iter().map(|row| row[4].as_str()).collect();
    assert_eq!(densities.len(), 2);
}

#[test]
fn scores_of_a_file_rank_the_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = checkpoint_file(folder.path(), "fc4", 8, 0.3);
    let (by_score, by_magnitude) = (folder.path().join("score.csv"), folder.path().join("magnitude.csv"));
    // |w| as the score: the same curve. `NAME.weight` would be the signed weights.
    let mut checkpoint = Checkpoint::read(&path).unwrap();
    for layer in &mut checkpoint.parameters.layers {
        layer.weight.mapv_inplace(f32::abs);
    }
    let scores = folder.path().join("scores.safetensors");
    checkpoint.write(&scores).unwrap();
    percolate(&[&path], &["--order", "score", "--scores", scores.to_str().unwrap()], &by_score).success();
    percolate(&[&path], &[], &by_magnitude).success();
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    assert_eq!(text(&by_score).replace(",score,", ",magnitude,"), text(&by_magnitude));
    // The signed weights are another order.
    percolate(&[&path], &["--order", "score", "--scores", path.to_str().unwrap()], &by_score).success();
    assert_ne!(text(&by_score).replace(",score,", ",magnitude,"), text(&by_magnitude));
}

#[test]
fn wrong_usage_is_refused_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("curve.csv");
    let none = Path::new("nowhere.safetensors");
    let cases: [(&[&str], &str); 6] = [
        (&["--averages", "a.csv"], "add --order random"),
        (&["--scores", "s.safetensors"], "--scores is for --order score"),
        (&["--order", "score"], "--scores"),
        (&["--clusters", "c.csv"], "--at"),
        (&["--clusters", "c.csv", "--at", "1.5"], "a density is a number above 0 and at most 1"),
        (&["--theory", out.to_str().unwrap()], "each needs one of its own"),
    ];
    for (more, message) in cases {
        let assert = percolate(&[none], more, &out).code(2);
        let text = stderr(assert);
        assert!(text.contains(message), "{more:?}: {text}");
    }
    assert!(!out.exists());
}
