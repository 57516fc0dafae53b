//! Runs of a study: in parts, side by side; and the commands that follow, one after another.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Small enough for seconds, with every section.
pub const STUDY: &str = r#"
name = "tiny"
seed = 3

[data]
name = "digits"
mean = 0.3
standard-deviation = 0.37

[network]
architecture = "fc4"
widths = [3, 6]
replicates = 3

[training]
optimiser = "adam"
learning-rate = 1e-2
batch = 64
epochs = 4

[pruning]
ratio = 0.6
levels = 7
epochs = 1

[retraining]
widths = [6]
replicates = 1
densities = [0.2]
nulls = ["degrees", "layer-density"]
samples = 2
weights = ["kept", "rewound", "fresh"]
steps = 5

[fit]
width = 6
control = "density"
value = "m"
bootstrap = 20

[collapse]
control = "density"
value = "m"
bootstrap = 20
"#;

pub fn prunephase() -> Command {
    Command::new(assert_cmd::cargo::cargo_bin!("prunephase"))
}

pub fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    output
}

pub fn study_file(folder: &Path) -> PathBuf {
    let path = folder.join("tiny.toml");
    fs::write(&path, STUDY).unwrap();
    path
}

/// The bytes of every file below `folder` but those of log/.
pub fn bytes_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_path_buf();
            if path.is_dir() {
                if name != Path::new("log") {
                    walk(root, &path, found);
                }
            } else {
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

pub fn assert_same_bytes(a: &Path, b: &Path) {
    let (a, b) = (bytes_below(a), bytes_below(b));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (name, bytes) in &a {
        assert!(bytes == &b[name], "{} differs", name.display());
    }
    assert!(a.keys().any(|name| name.ends_with("manifest.json")), "no manifest: the run did not finish");
    assert!(a.len() > 30, "only {} files", a.len());
}

#[test]
fn in_parts_and_with_any_number_of_jobs_a_run_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let study = study_file(folder.path());
    let run = |name: &str, more: &[&str]| {
        let mut command = prunephase();
        command.arg("run").arg(&study).arg("--out").arg(folder.path().join(name)).args(more);
        command
    };
    succeed(&mut run("whole", &["--jobs", "1"]));

    // Stopped after level 5, then resumed with another number of jobs.
    succeed(&mut run("parts", &["--stop-after-level", "5"]));
    assert!(!folder.path().join("parts/manifest.json").exists());
    let status = succeed(prunephase().arg("status").arg(folder.path().join("parts")).arg("--json"));
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["finished"], false);
    assert_eq!(status["tasks"][0]["done"], 6);
    assert_eq!(status["tasks"][0]["levels"], 8);
    succeed(&mut run("parts", &["--jobs", "2"]));
    assert_same_bytes(&folder.path().join("whole"), &folder.path().join("parts"));

    // A finished run again: nothing changes.
    succeed(&mut run("whole", &[]));
    assert_same_bytes(&folder.path().join("whole"), &folder.path().join("parts"));
}

#[test]
fn another_study_in_the_same_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let study = study_file(folder.path());
    let out = folder.path().join("run");
    succeed(prunephase().arg("run").arg(&study).arg("--out").arg(&out).args(["--stop-after-level", "0"]));
    let before = bytes_below(&out);
    fs::write(&study, STUDY.replace("learning-rate = 1e-2", "learning-rate = 2e-2")).unwrap();
    let output = prunephase().arg("run").arg(&study).arg("--out").arg(&out).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("another study (training.learning-rate differs)"), "{message}");
    assert_eq!(bytes_below(&out), before);
}

#[test]
fn wrong_input_gets_one_line_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let cases = [
        (STUDY.replace("\"digits\"", "\"mnist\""), "train-images-idx3-ubyte"),
        (STUDY.replace("\"digits\"", "\"minst\""), "minst"),
        (STUDY.replace("\"fc4\"", "\"fc5\""), "no architecture `fc5` is built in; there are fc4, cnn5"),
        (STUDY.replace("\"fc4\"", "\"cnn5\""), "a kernel of 5 does not fit the padded input of 4 x 4"),
        (STUDY.replace("batch = 64", "batch = 5000"), "batch = 5000: must lie between 1 and the"),
        (STUDY.replace("levels = 7", "levels = 40"), "keeps none of the"),
        (STUDY.replace("ratio", "rato"), "unknown field `rato`"),
    ];
    for (text, expected) in cases {
        let study = folder.path().join("wrong.toml");
        fs::write(&study, text).unwrap();
        let output = prunephase()
            .arg("run")
            .arg(&study)
            .arg("--out")
            .arg(&out)
            .arg("--data-dir")
            .arg(&empty)
            .env("PRUNEPHASE_DATA", &empty)
            .env("XDG_CACHE_HOME", &empty)
            .output()
            .unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains(expected), "{message}\nnot: {expected}");
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(!out.exists(), "{expected}: something was written");
    }
    let usage = prunephase().arg("run").output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
}

#[test]
fn every_command_of_the_pipeline() {
    let folder = tempfile::tempdir().unwrap();
    let study = study_file(folder.path());
    let at = |name: &str| folder.path().join(name);
    let run = succeed(prunephase().arg("run").arg(&study).arg("--out").arg(at("run")));
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(text.contains("density at m = 1/2") && text.contains("Mean accuracy after retraining"), "{text}");

    let checkpoint = at("run/checkpoints/digits-fc4-w6-s0/level-03.safetensors");
    let percolate = |order: &str, out: &str| {
        let mut command = prunephase();
        command.arg("percolate").arg(&checkpoint).args(["--order", order, "--realisations", "3", "--points", "all"]);
        succeed(command.arg("--out").arg(at(out)));
    };
    percolate("random", "random.csv");
    percolate("magnitude", "magnitude.csv");
    let curve = fs::read_to_string(at("magnitude.csv")).unwrap();
    assert!(curve.starts_with(
        "checkpoint,order,realisation,edges,density,p_inf,s1,s2,chi,components,outputs_reached,inputs_used,active_edges"
    ));
    // The end of the curve is what the run measured at that level.
    let last = curve.lines().last().unwrap().split(',').map(str::to_owned).collect::<Vec<_>>();
    let table = fs::read_to_string(at("run/tables/percolation.csv")).unwrap();
    let level = table.lines().find(|line| line.starts_with("digits,fc4,6,0,3,")).unwrap();
    let level: Vec<_> = level.split(',').collect();
    assert_eq!(last[3], level[6], "edges");
    assert_eq!(last[6], level[10], "s1");
    assert_eq!(last[12], level[16], "active edges");

    succeed(prunephase().arg("graph").arg(&checkpoint).args(["--format", "graphml"]).arg("--out").arg(at("g.graphml")));
    assert!(fs::read_to_string(at("g.graphml")).unwrap().contains("<graphml"));

    let rewire = ["--null", "degrees", "--samples", "2", "--seed", "5"];
    succeed(prunephase().arg("rewire").arg(&checkpoint).args(rewire).arg("--out").arg(at("samples")));
    let mut retrain = prunephase();
    retrain.arg("retrain").arg(&checkpoint).arg("--masks").arg(at("samples"));
    retrain.args(["--weights", "kept,rewound,fresh", "--steps", "3", "--seeds", "2"]);
    retrain.arg("--rewind").arg(at("run/checkpoints/digits-fc4-w6-s0/initial.safetensors"));
    retrain.arg("--out").arg(at("retrained"));
    succeed(&mut retrain);
    let rows = fs::read(at("retrained/retraining.csv")).unwrap();
    assert_eq!(String::from_utf8_lossy(&rows).lines().count(), 1 + 3 * 3 * 2);
    // Again with some rows taken away: the same table.
    let text = String::from_utf8_lossy(&rows).into_owned();
    let some: Vec<&str> = text.lines().take(8).collect();
    fs::write(at("retrained/retraining.csv"), some.join("\n") + "\n").unwrap();
    succeed(&mut retrain);
    assert_eq!(fs::read(at("retrained/retraining.csv")).unwrap(), rows);

    let plots = succeed(prunephase().arg("plot").arg(at("run")).arg("--out").arg(at("figures")));
    let listed = String::from_utf8_lossy(&plots.stdout).into_owned();
    for figure in ["order-parameter", "retraining"] {
        for format in ["svg", "pdf", "png", "csv"] {
            assert!(at("figures").join(format!("{figure}.{format}")).is_file(), "{figure}.{format}: {listed}");
        }
    }

    // Fits may be unreliable on networks this small: exit 1, but the result is printed.
    for command in ["fit", "collapse"] {
        let output = prunephase()
            .arg(command)
            .arg(at("run/tables/levels.csv"))
            .args(["--size", "width", "--control", "density", "--value", "m", "--replicate", "seed"])
            .args(["--bootstrap", "20", "--json"])
            .output()
            .unwrap();
        let code = output.status.code().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(code == 0 || code == 1, "{message}");
        if !output.stdout.is_empty() {
            let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            assert!(json.is_object());
        } else {
            assert!(message.starts_with("prunephase: "), "{message}");
        }
    }
}
