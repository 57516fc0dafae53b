use super::*;
use crate::scaling::curves::Row;
use crate::scaling::quality::quality;
use std::path::{Path, PathBuf};

/// The published data, looked for beside the project and its ancestors.
fn reference() -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/reference"))
        .find(|folder| folder.is_dir());
    if found.is_none() {
        eprintln!("skipped: no folder shared/reference beside {} or above", env!("CARGO_MANIFEST_DIR"));
    }
    found
}

fn site(sizes: &[u32]) -> Option<Curves> {
    let folder = reference()?.join("percolation-2d-site");
    let mut rows = Vec::new();
    for &size in sizes {
        let text = std::fs::read_to_string(folder.join(format!("orderParam_L{size}.dat"))).unwrap();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let numbers: Vec<f64> = line.split_whitespace().map(|word| word.parse().unwrap()).collect();
            let [control, value, error] = numbers[..] else { continue };
            rows.push(Row { size: f64::from(size), control, value, error: Some(error), replicate: None });
        }
    }
    Some(Curves::from_rows(rows).unwrap())
}

const PUBLISHED: Parameters = Parameters { p_c: 0.592686, inv_nu: 0.748386, kappa_over_nu: 0.104841 };

#[test]
fn quality_of_the_published_collapse() {
    let Some(curves) = site(&[128, 256, 512]) else { return };
    let found = quality(&curves, PUBLISHED, [-1.0, 1.0]).unwrap();
    assert_eq!(found.points, 64);
    assert!((found.s / 0.748_123_279_153_5 - 1.0).abs() < 1e-10, "{found:?}");
    let exact = Parameters { p_c: 0.592746, inv_nu: 0.75, kappa_over_nu: 0.1041667 };
    let found = quality(&curves, exact, [-1.0, 1.0]).unwrap();
    assert_eq!(found.points, 64);
    assert!((found.s / 1.182_268_532_052_2 - 1.0).abs() < 1e-10, "{found:?}");
}

#[test]
fn explore() {
    for (sizes, window, boots) in [
        (&[128, 256, 512][..], Some([-1.0, 1.0]), 1000),
        (&[128, 256, 512][..], None, 200),
        (&[8, 16, 32, 64, 128, 256, 512][..], None, 200),
        (&[32, 64, 128, 256, 512][..], Some([-1.0, 1.0]), 200),
    ] {
        let Some(curves) = site(sizes) else { return };
        let start = std::time::Instant::now();
        let fit = fit(&curves, &CollapseOptions { window, bootstraps: boots, ..Default::default() });
        let Ok(mut fit) = fit else {
            println!("{sizes:?} {fit:?}");
            continue;
        };
        fit.bootstrap.clear();
        for row in &fit.scan {
            println!("   {row:?}");
        }
        fit.scan.clear();
        println!("{sizes:?} {:?} {fit:#?}", start.elapsed());
    }
}
