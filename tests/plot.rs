//! `prunephase plot`.

use std::fs;
use std::path::Path;

use assert_cmd::cargo::cargo_bin_cmd;

use crate::figure::{copy_of_fixture, fixture};

/// Runs `prunephase plot` and gives its exit code, the names of the files it printed and standard error.
fn plot(source: &Path, out: &Path, more: &[&str]) -> (i32, Vec<String>, String) {
    let output =
        cargo_bin_cmd!("prunephase").arg("plot").arg(source).arg("--out").arg(out).args(more).output().unwrap();
    let files = String::from_utf8(output.stdout).unwrap();
    let names = files.lines().map(|line| {
        let path = Path::new(line);
        assert!(path.is_file() && path.starts_with(out), "{line}");
        path.file_name().unwrap().to_string_lossy().into_owned()
    });
    (output.status.code().unwrap(), names.collect(), String::from_utf8(output.stderr).unwrap())
}

/// Every figure, in the order in which they are drawn.
const ALL: [&str; 15] = [
    "order-parameter",
    "susceptibility",
    "scaling",
    "rivals",
    "collapse",
    "landscape",
    "crossings",
    "shift",
    "cluster-numbers",
    "degrees",
    "network",
    "weight-evolution",
    "phase-diagram",
    "retraining",
    "ladder",
];

#[test]
fn all_figures_in_all_formats_by_default() {
    let out = tempfile::tempdir().unwrap();
    let (code, files, err) = plot(&fixture(), out.path(), &[]);
    assert_eq!((code, err.as_str()), (0, ""));
    let mut expected = Vec::new();
    for figure in ALL {
        expected.extend(["svg", "pdf", "png", "csv"].map(|extension| format!("{figure}.{extension}")));
    }
    assert_eq!(files, expected);
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), expected.len());
}

#[test]
fn figures_and_formats_can_be_chosen() {
    let out = tempfile::tempdir().unwrap();
    let chosen = ["--figure", "retraining", "--figure", "scaling", "--format", "png", "--format", "svg"];
    let (code, files, _) = plot(&fixture(), out.path(), &chosen);
    assert_eq!(code, 0);
    assert_eq!(
        files,
        ["retraining.svg", "retraining.png", "retraining.csv", "scaling.svg", "scaling.png", "scaling.csv"]
    );
}

#[test]
fn what_is_missing_is_told_and_the_rest_is_drawn() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    copy_of_fixture(folder.path());
    fs::remove_dir_all(folder.path().join("fits")).unwrap();
    fs::remove_file(folder.path().join("tables/percolation.csv")).unwrap();
    let (code, files, err) = plot(folder.path(), out.path(), &["--format", "svg"]);
    assert_eq!(code, 0);
    let drawn = ["degrees", "network", "weight-evolution", "phase-diagram", "retraining", "ladder"];
    let expected: Vec<String> =
        drawn.iter().flat_map(|name| ["svg", "csv"].map(|end| format!("{name}.{end}"))).collect();
    assert_eq!(files, expected);
    for (figure, missing) in [
        ("order-parameter", "no tables/percolation.csv in "),
        ("susceptibility", "no fits/peaks.json in "),
        ("scaling", "no fits/fit.json in "),
        ("rivals", "no fits/fit.json in "),
        ("collapse", "no fits/collapse.json in "),
        ("landscape", "no fits/collapse.json in "),
        ("crossings", "no fits/crossings.json in "),
        ("shift", "no fits/peaks.json and no fits/crossings.json in "),
        ("cluster-numbers", "no fits/tail.json in "),
    ] {
        let start = format!("prunephase: not drawn: {figure}: {missing}");
        assert_eq!(err.lines().filter(|line| line.starts_with(&start)).count(), 1, "{start}: {err}");
    }
    assert_eq!(err.lines().count(), 9, "{err}");
    // Asked for by name, the same is a failure.
    let (code, files, err) = plot(folder.path(), out.path(), &["--figure", "collapse"]);
    assert_eq!((code, files.len()), (1, 0));
    assert!(err.contains("no fits/collapse.json"), "{err}");
}

#[test]
fn a_damaged_table_fails_and_the_others_are_drawn() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    copy_of_fixture(folder.path());
    let path = folder.path().join("tables/levels.csv");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() - 20]).unwrap();
    let (code, files, err) = plot(folder.path(), out.path(), &["--format", "svg"]);
    assert_eq!(code, 1);
    assert!(err.lines().all(|line| line.contains("levels.csv")) && err.lines().count() == 3, "{err}");
    assert_eq!(files.len(), 24);
    assert!(!out.path().join("order-parameter.svg").exists());
}

#[test]
fn a_table_alone_is_enough() {
    let out = tempfile::tempdir().unwrap();
    let table = |name: &str| fixture().join("tables").join(name);
    let (code, files, err) = plot(&table("retraining.csv"), out.path(), &["--format", "svg"]);
    assert_eq!((code, files), (0, vec!["retraining.svg".to_owned(), "retraining.csv".to_owned()]), "{err}");
    // The fit of a table lies beside it or in the run's fits/.
    let (code, files, _) = plot(&table("fit.csv"), out.path(), &["--figure", "scaling", "--format", "pdf"]);
    assert_eq!((code, files), (0, vec!["scaling.pdf".to_owned(), "scaling.csv".to_owned()]));
    let folder = tempfile::tempdir().unwrap();
    fs::copy(table("retraining.csv"), folder.path().join("retraining.csv")).unwrap();
    let (code, files, _) = plot(folder.path(), out.path(), &["--format", "svg"]);
    assert_eq!((code, files.len()), (0, 2));
}

#[test]
fn style_preset_and_resolution_are_taken() {
    let out = tempfile::tempdir().unwrap();
    let style = out.path().join("journal.toml");
    fs::write(&style, "[presets.one-column]\nwidth-mm = 50.8\n").unwrap();
    let chosen = ["--figure", "shift", "--format", "png", "--format", "svg", "--dpi", "100", "--preset", "one-column"];
    let (code, _, err) = plot(&fixture(), out.path(), &[&chosen[..], &["--style", style.to_str().unwrap()]].concat());
    assert_eq!((code, err.as_str()), (0, ""));
    let picture = resvg::tiny_skia::Pixmap::load_png(out.path().join("shift.png")).unwrap();
    assert_eq!(picture.width(), 200);
    let svg = fs::read_to_string(out.path().join("shift.svg")).unwrap();
    assert!(svg.contains("--preset one-column --style journal.toml\n") && svg.contains("\nstyle journal.toml blake3 "));
}

#[test]
fn nothing_to_draw_and_wrong_usage() {
    let (empty, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (code, files, err) = plot(empty.path(), out.path(), &[]);
    assert_eq!((code, files.len()), (1, 0));
    assert_eq!(err.lines().count(), ALL.len() + 1, "{err}");
    let (code, _, err) = plot(&empty.path().join("none"), out.path(), &[]);
    assert_eq!((code, err.lines().count()), (1, 1));
    let (code, _, err) = plot(&fixture(), out.path(), &["--figure", "pie"]);
    assert_eq!(code, 2);
    assert!(err.contains(&format!("no figure `pie`: there are {}", ALL.join(", "))), "{err}");
    assert_eq!(plot(&fixture(), out.path(), &["--format", "gif"]).0, 2);
    let (code, _, err) = plot(&fixture(), out.path(), &["--preset", "wide"]);
    assert_eq!(code, 1);
    assert!(err.contains("no preset `wide`: there are dark, one-column, slide, two-column"), "{err}");
    assert_eq!(plot(&fixture(), out.path(), &["--dpi", "0"]).0, 2);
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
}
