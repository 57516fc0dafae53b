//! The table of analysis/README.md is that of the saved comparisons.

use std::path::Path;

use prunephase::comparison::{self, ComparisonRow, RetrainingRow};
use prunephase::table;

use super::claims::degrees::{LADDERS, NULLS, ladders};

fn results(study: &str, name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("analysis/results").join(study).join(name)
}

/// `cargo test ladder_results -- --nocapture` prints every number that analysis/README.md quotes of it.
#[test]
fn the_ladder_of_the_analysis_is_that_of_its_saved_runs() {
    let analysis = Path::new(env!("CARGO_MANIFEST_DIR")).join("analysis");
    let tables = ladders(&analysis.join("results")).unwrap();
    println!("{tables}");
    let path = analysis.join("README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    assert!(readme.contains(tables.trim_end()), "analysis/README.md has other numbers:\n{tables}");
}

#[test]
fn the_comparisons_follow_from_the_saved_retrainings() {
    for study in LADDERS {
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
