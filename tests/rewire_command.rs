//! `prunephase rewire`.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use prunephase::checkpoint::{Checkpoint, Kind, Metadata};
use prunephase::files;
use prunephase::mask::Mask;
use prunephase::network::{Architecture, FeatureShape, Parameters};
use prunephase::rewire::{MixingRow, NullModel};
use prunephase::seed::Seeds;
use prunephase::table::{self, Table};

/// A checkpoint of an architecture with a random mask of each layer's density.
fn write_checkpoint(path: &Path, architecture: &str, densities: &[f64]) -> Checkpoint {
    let side = if architecture == "cnn5" { 28 } else { 8 };
    let network = Architecture::built_in(architecture).unwrap().network(1, FeatureShape::image(1, side, side), 10);
    let network = network.unwrap();
    let mut parameters = Parameters::initialise(&network, &mut Seeds::new(1, 0).stream("test"));
    let mut mask = Mask::dense(&network);
    let mut stream = Seeds::new(2, 0).stream("test");
    for (layer, density) in mask.layers.iter_mut().zip(densities.iter().cycle()) {
        layer.kept.mapv_inplace(|_| stream.unit() < *density);
    }
    mask.apply(&mut parameters).unwrap();
    let metadata = Metadata { dataset: Some("digits".into()), seed: Some(4), level: Some(9), ..Metadata::default() };
    let checkpoint = Checkpoint::new(network, parameters, mask, metadata).unwrap();
    checkpoint.write(path).unwrap();
    checkpoint
}

fn rewire(checkpoint: &Path, null: &str, samples: &str, seed: &str, out: &Path) -> Command {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("prunephase");
    command.arg("rewire").arg(checkpoint).args(["--null", null, "--samples", samples, "--seed", seed]);
    command.arg("--out").arg(out);
    command
}

fn stderr(command: &mut Command) -> String {
    String::from_utf8(command.assert().get_output().stderr.clone()).unwrap()
}

fn files_of(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn samples_are_checkpoints_with_the_surviving_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("level-09.safetensors");
    let source = write_checkpoint(&path, "cnn5", &[0.5, 0.3, 0.1]);
    for null in NullModel::ALL.iter().map(|null| null.name()) {
        let swaps = null.parse::<NullModel>().unwrap().uses_swaps();
        let out = folder.path().join(null);
        let output = rewire(&path, null, "3", "5", &out).assert().success().get_output().clone();
        assert!(String::from_utf8_lossy(&output.stdout).ends_with("weights kept in each\n"));
        let names: Vec<String> = files_of(&out).into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            ["mixing.csv", "sample-0000.safetensors", "sample-0001.safetensors", "sample-0002.safetensors"]
        );
        let samples: Vec<Checkpoint> =
            names[1..].iter().map(|name| Checkpoint::read(&out.join(name)).unwrap()).collect();
        assert_ne!(samples[0].mask, samples[1].mask);
        for (number, sample) in samples.iter().enumerate() {
            assert_eq!(sample.network, source.network);
            assert_eq!(sample.mask.kept(), source.mask.kept());
            assert_ne!(sample.mask, source.mask);
            let values = |checkpoint: &Checkpoint| {
                let weights = checkpoint.parameters.layers.iter().flat_map(|layer| &layer.weight);
                let mut bits: Vec<u32> = weights.filter(|w| **w != 0.0).map(|w| w.to_bits()).collect();
                bits.sort_unstable();
                bits
            };
            assert_eq!(values(sample), values(&source));
            for (a, b) in sample.parameters.layers.iter().zip(&source.parameters.layers) {
                assert_eq!(a.bias, b.bias);
            }
            let metadata = &sample.metadata;
            assert_eq!((metadata.kind, metadata.dataset.as_deref()), (Kind::Sample, Some("digits")));
            assert_eq!((metadata.seed, metadata.level), (Some(4), Some(9)));
            let extra = |key: &str| metadata.extra.get(key).map(String::as_str);
            assert_eq!(extra("null_model"), Some(null));
            assert_eq!(extra("sample"), Some(number.to_string().as_str()));
            assert_eq!(extra("rewire_seed"), Some("5"));
            assert_eq!(extra("source_blake3"), Some(files::checksum(&path).unwrap().as_str()));
            assert_eq!(extra("swaps_per_edge"), swaps.then_some("10"));
            assert_eq!(extra("signs"), (null == "signed-degrees").then_some("kept weights"));
        }
        let rows: Vec<MixingRow> = table::read_rows(&out.join("mixing.csv")).unwrap();
        let each = if swaps { 8 } else { 2 };
        for row in &rows {
            let end = row.proposals_per_edge == Some(10.0);
            assert_eq!(row.tau_overlap.is_some(), end, "{row:?}");
            assert_eq!(row.sign_overlap.is_some(), null == "signed-degrees");
            assert!(row.forced.is_some_and(|share| (0.0..=1.0).contains(&share)));
        }
        assert_eq!(rows.len(), 3 * 5 * each);
        assert!(rows.windows(2).all(|pair| pair[0].sample <= pair[1].sample));
    }
    let table = Table::read(&folder.path().join("degrees/mixing.csv")).unwrap();
    assert_eq!(
        table.columns().join(","),
        "sample,layer,proposals_per_edge,proposals,accepted,overlap,overlap_random,assortativity,\
         place_correlation,sign_overlap,sign_overlap_random,forced,tau_overlap,tau_assortativity,\
         tau_place_correlation"
    );
    assert_eq!(table.numbers("proposals_per_edge").unwrap()[..3], [0.0, 0.5, 1.0]);
}

#[test]
fn the_bytes_depend_on_neither_threads_nor_the_number_of_samples() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    write_checkpoint(&path, "fc4", &[0.3]);
    let draw = |samples: &str, seed: &str, threads: &str, out: &str| {
        let out = folder.path().join(out);
        rewire(&path, "degrees", samples, seed, &out).env("RAYON_NUM_THREADS", threads).assert().success();
        files_of(&out)
    };
    let one = draw("4", "7", "1", "one");
    assert_eq!(one, draw("4", "7", "3", "three"));
    assert_eq!(one[1..3], draw("2", "7", "2", "fewer")[1..]);
    assert_ne!(one[1].1, draw("1", "8", "1", "other")[1].1);
}

#[test]
fn a_folder_with_other_samples_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    write_checkpoint(&path, "fc4", &[0.3]);
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("notes.txt"), "other files do not matter").unwrap();
    rewire(&path, "degrees", "2", "1", &out).assert().success();
    let before = files_of(&out);
    // The same command again, as after a kill: the same bytes.
    fs::remove_file(out.join("sample-0001.safetensors")).unwrap();
    rewire(&path, "degrees", "2", "1", &out).assert().success();
    assert_eq!(files_of(&out), before);
    let mut again = rewire(&path, "edges", "3", "1", &out);
    again.assert().code(1);
    let message = stderr(&mut again);
    assert!(
        message.starts_with(&format!("prunephase: {} holds samples of another command (", out.display())),
        "{message}"
    );
    assert_eq!(message.lines().count(), 1);
    assert_eq!(files_of(&out), before);
}

#[test]
fn bad_input_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (good, cut) = (folder.path().join("good.safetensors"), folder.path().join("cut.safetensors"));
    write_checkpoint(&good, "fc4", &[0.3]);
    let bytes = fs::read(&good).unwrap();
    fs::write(&cut, &bytes[..bytes.len() - 3]).unwrap();
    let out = folder.path().join("out");
    for path in [&cut, &folder.path().join("missing.safetensors")] {
        let mut command = rewire(path, "degrees", "2", "1", &out);
        command.assert().code(1);
        let message = stderr(&mut command);
        assert!(message.contains(path.to_str().unwrap()) && message.lines().count() == 1, "{message}");
    }
    rewire(&good, "degree", "2", "1", &out).assert().code(2);
    rewire(&good, "degrees", "0", "1", &out).assert().code(2);
    for wrong in ["0", "-1", "nan", "many"] {
        let mut command = rewire(&good, "degrees", "2", "1", &out);
        command.arg(format!("--swaps-per-edge={wrong}")).assert().code(2);
    }
    assert!(!out.exists());
    // A file where the folder should be.
    rewire(&good, "degrees", "2", "1", &cut).assert().code(1);
    assert_eq!(fs::read(&cut).unwrap().len(), bytes.len() - 3);
}

#[test]
fn layers_that_leave_nothing_to_draw_and_short_chains_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    let source = write_checkpoint(&path, "fc4", &[0.3, 1.0, 0.0, 1.0]);
    let message = stderr(&mut rewire(&path, "degrees", "1", "1", &folder.path().join("full")));
    let dense = source.mask.layers[1].kept_count();
    assert!(
        message.contains(&format!(
            "prunephase: warning: layer `fc2`: all {dense} edges are the same in every realisation\n"
        )),
        "{message}"
    );
    assert!(message.contains("layer `fc4`: all"), "{message}");
    assert!(!message.contains("layer `fc1`") && !message.contains("layer `fc3`"), "{message}");
    let mut short = rewire(&path, "degrees", "8", "1", &folder.path().join("short"));
    let message = stderr(short.args(["--swaps-per-edge", "0.1"]));
    assert!(message.contains("layer `fc1`: overlap with the start is 0."), "{message}");
}

#[test]
fn taps_are_kept_on_demand_and_samples_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    let source = write_checkpoint(&path, "cnn5", &[0.5]);
    let out = folder.path().join("out");
    rewire(&path, "degrees", "1", "1", &out).arg("--keep-taps").assert().success();
    let sample = Checkpoint::read(&out.join("sample-0000.safetensors")).unwrap();
    assert_eq!(sample.metadata.extra.get("keep_taps").map(String::as_str), Some("true"));
    // Kept weights of each filter at each place of the first kernel.
    let of_places = |checkpoint: &Checkpoint| {
        let kept = checkpoint.mask.layers[0].kept.mapv(u32::from);
        kept.sum_axis(ndarray::Axis(1))
    };
    assert_eq!(of_places(&sample), of_places(&source));
    assert_ne!(sample.mask, source.mask);
    // Without taps kept these are samples of another command.
    rewire(&path, "degrees", "1", "1", &out).assert().code(1);
    let mut direct = rewire(&path, "edges", "1", "1", &folder.path().join("direct"));
    let message = stderr(direct.arg("--keep-taps"));
    assert!(message.contains("--keep-taps: null model `edges` makes no swaps"), "{message}");
    direct.assert().code(2);
}

#[test]
fn the_chain_of_degrees_is_chosen_and_samples_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    write_checkpoint(&path, "fc4", &[0.3]);
    let draw = |chain: &str, threads: &str, out: &str| {
        let out = folder.path().join(out);
        let mut command = rewire(&path, "degrees", "2", "1", &out);
        command.args(["--chain", chain]).env("RAYON_NUM_THREADS", threads).assert().success();
        files_of(&out)
    };
    let traded = draw("curveball", "1", "one");
    assert_eq!(traded, draw("curveball", "3", "three"));
    let sample = Checkpoint::read(&folder.path().join("one/sample-0000.safetensors")).unwrap();
    assert_eq!(sample.metadata.extra.get("chain").map(String::as_str), Some("curveball"));
    let rows: Vec<MixingRow> = table::read_rows(&folder.path().join("one/mixing.csv")).unwrap();
    let end = rows.iter().rfind(|row| row.layer == "fc1").unwrap();
    assert!((end.overlap.unwrap() - end.overlap_random.unwrap()).abs() < 0.1, "{end:?}");
    assert!(end.tau_overlap.is_some_and(|tau| tau < 5.0), "{end:?}");
    // The usual chain writes what it writes without the option, and its samples are another command's.
    let usual = draw("swaps", "1", "swaps");
    assert_ne!(usual, traded);
    rewire(&path, "degrees", "2", "1", &folder.path().join("usual")).assert().success();
    assert_eq!(files_of(&folder.path().join("usual")), usual);
    rewire(&path, "degrees", "2", "1", &folder.path().join("one")).assert().code(1);
    let mut other = rewire(&path, "joint-degrees", "2", "1", &folder.path().join("joint"));
    let message = stderr(other.args(["--chain", "curveball"]));
    assert!(message.contains("draws from null model `degrees` alone, not from `joint-degrees`"), "{message}");
    other.assert().code(2);
    let mut unknown = rewire(&path, "degrees", "2", "1", &folder.path().join("unknown"));
    unknown.args(["--chain", "swap"]).assert().code(2);
}
