//! Wrong study files and what they are told: one snapshot of all messages.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::pipeline::{STUDY, prunephase};

/// What is wrong, what of the good study is replaced, and by what.
const WRONG: &[(&str, &str, &str)] = &[
    ("no section closed", "[data]", "[data"),
    ("a string without its end", "name = \"tiny\"", "name = \"tiny"),
    ("a key twice", "seed = 3", "seed = 3\nseed = 4"),
    ("an unknown section", "[fit]", "[fitt]"),
    ("an unknown key", "batch = 64", "batsch = 64"),
    ("two letters swapped", "epochs = 4", "eopchs = 4"),
    ("a key of nothing near", "batch = 64", "batch = 64\ncolour = 1"),
    ("no name", "name = \"tiny\"", ""),
    ("no data", "name = \"digits\"", ""),
    ("a number as a name", "name = \"digits\"", "name = 7"),
    ("a seed below zero", "seed = 3", "seed = -3"),
    ("a deviation of zero", "standard-deviation = 0.37", "standard-deviation = 0.0"),
    ("an infinite mean", "mean = 0.3", "mean = inf"),
    ("falling widths", "widths = [3, 6]", "widths = [6, 3]"),
    ("no widths", "widths = [3, 6]", "widths = []"),
    ("a width of zero", "widths = [3, 6]", "widths = [0, 6]"),
    ("a width as text", "widths = [3, 6]", "widths = [\"3\", 6]"),
    ("no replicates", "replicates = 3", "replicates = 0"),
    ("an unknown optimiser", "\"adam\"", "\"adamw\""),
    ("a rate below zero", "learning-rate = 1e-2", "learning-rate = -1e-2"),
    ("a rate as text", "learning-rate = 1e-2", "learning-rate = \"fast\""),
    ("no images in a batch", "batch = 64", "batch = 0"),
    ("neither epochs nor steps", "epochs = 4\n", ""),
    ("both epochs and steps", "epochs = 4", "epochs = 4\nsteps = 100"),
    ("epochs below zero", "epochs = 1\n", "epochs = -1\n"),
    ("a ratio above one", "ratio = 0.6", "ratio = 1.6"),
    ("a ratio of zero", "ratio = 0.6", "ratio = 0.0"),
    ("no levels", "levels = 7\n", ""),
    ("two schedules", "levels = 7", "levels = 7\none-shot = [0.5]"),
    ("an unknown criterion", "ratio = 0.6", "criterion = \"magnitudes\"\nratio = 0.6"),
    ("an unknown scope", "ratio = 0.6", "scope = \"world\"\nratio = 0.6"),
    ("a density above one", "densities = [0.2]", "densities = [20]"),
    ("an unknown null model", "\"degrees\", \"layer-density\"", "\"degree\", \"layer-density\""),
    ("an unknown chain", "steps = 5", "steps = 5\nchain = \"curveballs\""),
    (
        "a chain of a null model that is not drawn",
        "\"degrees\", \"layer-density\"]",
        "\"layer-density\"]\nchain = \"curveball\"",
    ),
    ("unknown weights", "\"kept\", \"rewound\", \"fresh\"", "\"keep\""),
    ("a retrained width that is not trained", "[retraining]\nwidths = [6]", "[retraining]\nwidths = [5]"),
    ("more retrained replicates than there are", "replicates = 1", "replicates = 9"),
    ("a fit of a width that is not trained", "width = 6", "width = 5"),
    ("an unknown figure", "seed = 3", "seed = 3\nfigures = [\"order-parametre\"]"),
    ("a figure twice", "seed = 3", "seed = 3\nfigures = [\"collapse\", \"collapse\"]"),
    ("an unknown family", "[fit]", "[observables]\ntopology = [\"assortativty\"]\n[fit]"),
    ("an unknown encoding", "[fit]", "[observables]\nencoding = \"unroled\"\n[fit]"),
    ("levels from fresh weights", "ratio = 0.6", "ratio = 0.6\nweights = \"fresh\""),
    ("replicates of one width of two", "replicates = 3", "replicates = [3]"),
    ("no replicates of a width", "replicates = 3", "replicates = [3, 0]"),
    ("replicates as text", "replicates = 3", "replicates = \"three\""),
    ("a collapse of one width", "widths = [3, 6]", "widths = [6]"),
];

/// `PRUNEPHASE_BLESS=1 cargo test study_errors` writes the snapshot anew: read it before it is committed.
#[test]
fn every_wrong_study_gets_one_line_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.toml");
    let mut snapshot = String::new();
    for (what, from, to) in WRONG {
        assert!(STUDY.contains(from), "{what}: the good study has no {from:?}");
        fs::write(&path, STUDY.replacen(from, to, 1)).unwrap();
        let output = prunephase().arg("run").arg(&path).arg("--out").arg(folder.path().join("run")).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).replace(&path.display().to_string(), "study.toml");
        assert_eq!(output.status.code(), Some(1), "{what}: {message}");
        assert!(message.starts_with("prunephase: study.toml: line "), "{what}: {message}");
        assert_eq!(message.lines().count(), 1, "{what}: {message}");
        assert!(!folder.path().join("run").exists(), "{what}: something was written");
        write!(snapshot, "{what}\n    {message}").unwrap();
    }
    assert!(WRONG.len() >= 30);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/study-errors.txt");
    if std::env::var_os("PRUNEPHASE_BLESS").is_some() {
        fs::write(&golden, &snapshot).unwrap();
    }
    assert_eq!(snapshot, fs::read_to_string(&golden).unwrap_or_default());
}
