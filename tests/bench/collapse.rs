//! Times a collapse with its resamples, and fssa's objective under scipy's Nelder-Mead.
//!
//! ```text
//! cargo bench --no-default-features --profile dev --bench collapse -- --peers PYTHON [--rounds N] [--bootstraps B]
//! ```
//!
//! PYTHON is an interpreter with `tests/bench/peers/requirements.txt`. Two-dimensional site percolation,
//! L = 128, 256, 512, window [-1, 1], from the folder `shared/reference` beside the project or above it.
//! Our time is that of the whole fit (starts, probes, resamples, systematic error); the peer's that of
//! its resamples alone, each from the published optimum. Each side draws B resamples by the same rule.
//! One thread each; the two sides take turns.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use prunephase::scaling::collapse::{self, CollapseOptions};
use prunephase::scaling::{Curves, Row};
use prunephase::seed::Seeds;

fn argument(name: &str) -> Option<String> {
    let mut arguments = std::env::args();
    arguments.by_ref().find(|argument| argument == name)?;
    arguments.next()
}

fn rows(folder: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut rows = Vec::new();
    for size in [128, 256, 512] {
        let text = std::fs::read_to_string(folder.join(format!("percolation-2d-site/orderParam_L{size}.dat")))?;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let numbers = line.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
            let [control, value, error] = numbers[..] else { continue };
            rows.push(Row { size: f64::from(size), control, value, error: Some(error), replicate: None });
        }
    }
    Ok(rows)
}

fn list(values: &[f64]) -> String {
    values.iter().map(|value| format!("{value:.2e}")).collect::<Vec<_>>().join(" ")
}

fn main() -> Result<(), Box<dyn Error>> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("shared/reference"));
    let Some(folder) = found.into_iter().find(|folder| folder.is_dir()) else {
        println!("skipped: no folder shared/reference beside the project or above it");
        return Ok(());
    };
    let bootstraps: usize = argument("--bootstraps").map_or(Ok(100), |text| text.parse())?;
    let rounds: usize = argument("--rounds").map_or(Ok(3), |text| text.parse())?;
    let rows = rows(&folder)?;
    let curves = Curves::from_rows(rows.clone())?;
    let scratch = tempfile::tempdir()?;
    let (data, resamples) = (scratch.path().join("data.csv"), scratch.path().join("resamples.csv"));
    let mut text = String::from("size,control,value,error\n");
    for row in &rows {
        writeln!(text, "{},{},{},{}", row.size, row.control, row.value, row.error.unwrap_or(0.0))?;
    }
    std::fs::write(&data, text)?;
    let mut text = String::new();
    let mut stream = Seeds::new(1, 0).stream("bench resamples");
    for _ in 0..bootstraps {
        let values = rows.iter().map(|row| (row.value + row.error.unwrap_or(0.0) * stream.normal()).to_string());
        writeln!(text, "{}", values.collect::<Vec<_>>().join(","))?;
    }
    std::fs::write(&resamples, text)?;

    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let options = CollapseOptions { window: Some([-1.0, 1.0]), bootstraps, ..Default::default() };
        let start = Instant::now();
        let fit = pool.install(|| collapse::fit(&curves, &options))?;
        ours.push(start.elapsed().as_secs_f64());
        let spread = [fit.p_c, fit.inv_nu, fit.kappa_over_nu].map(|estimate| estimate.statistical);
        println!("round {round}: prunephase {:.3} s, sigma {}, S = {:.6}", ours[round], list(&spread), fit.quality);
        let Some(python) = argument("--peers") else { continue };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/peers/collapse.py");
        let numbers = ["0.592686", "0.748386", "0.104841", "-1", "1"];
        let output = Command::new(python)
            .env("OMP_NUM_THREADS", "1")
            .env("OPENBLAS_NUM_THREADS", "1")
            .arg(script)
            .args([&data, &resamples])
            .args(numbers)
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        let text = String::from_utf8(output.stdout)?;
        let numbers = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        theirs.push(numbers[0]);
        println!(
            "round {round}: fssa {:.3} s for {} resamples, {} evaluations, sigma {}",
            numbers[0],
            numbers[1],
            numbers[2],
            list(&numbers[3..])
        );
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied()
    };
    if let (Some(ours), Some(theirs)) = (median(&mut ours), median(&mut theirs)) {
        println!("median: prunephase {ours:.3} s, fssa {theirs:.3} s, a share of {:.4}", ours / theirs);
    }
    Ok(())
}
