//! The table of analysis/README.md is that of the saved comparisons.

use std::fmt::Write;
use std::path::Path;

use prunephase::comparison::{self, ComparisonRow, RetrainingRow};
use prunephase::table;

const STUDIES: [&str; 2] = ["ladder-mnist", "ladder-fashion-mnist"];
const NULLS: [&str; 7] =
    ["joint-degrees", "signed-degrees", "degrees", "in-degrees", "out-degrees", "layer-density", "edges"];

fn results(study: &str, name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("analysis/results").join(study).join(name)
}

/// The difference with the larger half of its 95 % interval in brackets, both in units of 0.001.
fn cell(row: &ComparisonRow) -> String {
    let half = row.low95.zip(row.high95).map(|(low, high)| (row.difference - low).max(high - row.difference));
    let half = half.map_or("-".to_owned(), |half| format!("{:.0}", half * 1e3));
    format!("{:+.3}({half})", row.difference)
}

fn tables() -> String {
    let mut text = String::new();
    for study in STUDIES {
        let rows: Vec<ComparisonRow> = table::read_rows(&results(study, "comparison.csv")).unwrap();
        writeln!(text, "`{study}`\n\n| density | weights | original | {} |", NULLS.join(" | ")).unwrap();
        writeln!(text, "|{}", " --- |".repeat(NULLS.len() + 3)).unwrap();
        let mut groups: Vec<(f64, &str)> = rows.iter().map(|row| (row.density, row.weights.as_str())).collect();
        groups.dedup();
        let mut seen: Vec<(f64, &str)> = Vec::new();
        for (density, weights) in groups {
            if seen.contains(&(density, weights)) {
                continue;
            }
            seen.push((density, weights));
            let of = |null: &str| {
                let mut found =
                    rows.iter().filter(|row| row.density == density && row.weights == weights && row.null == null);
                found.next().unwrap_or_else(|| panic!("{study}: no {null} at {density}"))
            };
            let cells: Vec<String> = NULLS.iter().map(|null| cell(of(null))).collect();
            let original = of("degrees").original;
            writeln!(text, "| {density:.4} | {weights} | {original:.3} | {} |", cells.join(" | ")).unwrap();
        }
        text.push('\n');
    }
    text
}

/// `cargo test ladder_results -- --nocapture` prints every number that analysis/README.md quotes of it.
#[test]
fn the_ladder_of_the_analysis_is_that_of_its_saved_runs() {
    let tables = tables();
    println!("{tables}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("analysis/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    assert!(readme.contains(tables.trim_end()), "analysis/README.md has other numbers:\n{tables}");
}

#[test]
fn the_comparisons_follow_from_the_saved_retrainings() {
    for study in STUDIES {
        let runs: Vec<RetrainingRow> = table::read_rows(&results(study, "retraining.csv")).unwrap();
        let saved: Vec<ComparisonRow> = table::read_rows(&results(study, "comparison.csv")).unwrap();
        let options = comparison::Options { seed: 1, ..comparison::Options::default() };
        assert_eq!(comparison::compare(&runs, &options), saved, "{study}");
        // Five samples of three seeds, each rung, weights and density; the original with as many seeds.
        assert_eq!(saved.len(), 4 * 3 * NULLS.len());
        assert!(saved.iter().all(|row| (row.samples, row.seeds) == (5, 3)));
        assert_eq!(runs.len(), 4 * 3 * 3 * (1 + 5 * NULLS.len()));
    }
}
