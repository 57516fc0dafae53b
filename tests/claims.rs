//! analysis/README.md quotes what the saved tables of the claims give.

#[path = "../analysis/claims/degrees.rs"]
pub mod degrees;
#[path = "../analysis/claims/fits.rs"]
mod fits;
#[path = "../analysis/claims/fluctuations.rs"]
mod fluctuations;
#[path = "../analysis/claims/passes.rs"]
mod passes;
#[path = "../analysis/claims/protocols.rs"]
mod protocols;
#[path = "../analysis/claims/saved.rs"]
mod saved;
#[path = "../analysis/claims/second_look.rs"]
mod second_look;
#[path = "../analysis/claims/tables.rs"]
pub mod tables;
#[path = "../analysis/claims/universality.rs"]
mod universality;

use std::path::{Path, PathBuf};

use passes::{Measured, exponent};
use universality::{Exponents, equality, joint};

fn results() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("analysis/results")
}

/// `cargo run --no-default-features --example claims` prints them.
#[test]
fn every_table_of_the_analysis_follows_from_what_is_saved() {
    if !tables::PAIRS.iter().any(|(_, study)| results().join(study).join("levels.csv").is_file()) {
        println!("skipped: no run of a claim is saved yet");
        return;
    }
    let text = tables::all(&results()).unwrap();
    let readme = std::fs::read_to_string(results().join("../README.md")).unwrap();
    let mut compared = 0;
    for table in text.split("#### ").skip(1) {
        // A table without a row says nothing.
        if table.trim_end().lines().count() > 4 {
            assert!(readme.contains(table.trim_end()), "analysis/README.md has another table than\n{table}");
            compared += 1;
        }
    }
    assert!(compared > 5, "{compared} tables");
}

/// The tables of fluctuations are those of the saved levels.
#[test]
fn fluctuations_follow_from_the_saved_levels() {
    for (_, study) in tables::PAIRS {
        let Some(saved) = saved::Saved::read(&results(), study).unwrap() else { continue };
        let (rows, ratios) = fluctuations::rows(&saved);
        let bytes = |rows: Vec<u8>| String::from_utf8(rows).unwrap();
        let there = |name: &str| std::fs::read_to_string(results().join(study).join(name)).unwrap();
        let path = Path::new("rows.csv");
        assert_eq!(bytes(prunephase::table::to_bytes(path, rows).unwrap()), there("fluctuations.csv"), "{study}");
        assert_eq!(bytes(prunephase::table::to_bytes(path, ratios).unwrap()), there("ratios.csv"), "{study}");
    }
}

/// mean 2.5 and variance 5/3 of 1 to 4; the jackknife error of a mean is its standard error.
#[test]
fn the_jackknife_of_a_mean_is_its_standard_error() {
    let mean = |sample: &[f64]| sample.iter().sum::<f64>() / sample.len() as f64;
    let (value, error) = fluctuations::jackknife(&[1.0, 2.0, 3.0, 4.0], mean);
    assert_eq!(value, 2.5);
    assert!((error - (5.0f64 / 12.0).sqrt()).abs() < 1e-12);
}

#[test]
fn an_exponent_is_found_and_equal_exponents_are_told_from_others() {
    let points = [28.0, 56.0, 112.0, 224.0].map(|size: f64| {
        let value = 3.0 * size.powf(-0.5);
        (size, Measured { value, error: 0.01 * value })
    });
    assert!((exponent(&points).unwrap().exponent + 0.5).abs() < 1e-9);
    let at = |nu: f64, beta: f64| Exponents { at: [nu, beta], covariance: [[0.01, 0.004], [0.004, 0.01]] };
    let same = equality(&[at(0.7, 0.1), at(0.75, 0.12), at(0.68, 0.09)]).unwrap();
    assert!(same.chance > 0.5 && same.degrees_of_freedom == 4, "{same:?}");
    // Their distance is five errors across the correlation.
    let other = equality(&[at(0.7, 0.1), at(1.1, -0.3)]).unwrap();
    assert!(other.chance < 1e-4, "{other:?}");
    // By hand: d = (0.4, -0.4) of twice the covariance: d (2C)^-1 d = 0.32 / (2 (0.01 - 0.004)).
    assert!((other.chi_square - 0.32 / 0.012).abs() < 1e-9, "{other:?}");
    assert!(equality(&[at(0.7, 0.1)]).is_none());
    // By hand: weights 1 and 1/4, mean 1.2; (0.2)^2 + (0.8)^2 / 4 = 0.2.
    let measured = |value, error| Measured { value, error };
    let one = joint(&[measured(1.0, 1.0), measured(2.0, 2.0)]).unwrap();
    assert!((one.joint.value - 1.2).abs() < 1e-12 && (one.chi_square - 0.2).abs() < 1e-12, "{one:?}");
    assert!((one.joint.error - 0.8f64.sqrt()).abs() < 1e-12);
    assert!(joint(&[measured(1.0, 0.1), measured(2.0, 0.1)]).unwrap().chance < 1e-9);
}

#[test]
fn errors_are_written_in_the_last_digits() {
    assert_eq!(tables::bracket(0.012_341, 0.000_123), "0.01234(12)");
    assert_eq!(tables::bracket(123.4, 5.6), "123.4(56)");
}
