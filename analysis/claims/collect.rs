//! From a finished run folder to the small tables that are kept under analysis/results.

use std::collections::BTreeMap;
use std::path::Path;

use prunephase::{files, table};
use serde::{Deserialize, Serialize};

use super::fluctuations;
use super::saved::{Graph, Outcome, Row, Saved};

#[derive(Deserialize)]
struct Metric {
    width: usize,
    level: usize,
    metric: String,
    value: f64,
}

#[derive(Deserialize)]
struct Time {
    seconds: f64,
}

/// Six significant digits: a tenth of the space, and far below every error.
pub fn short(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// The levels whose Lambda is positive and below that of all levels before: a control that falls.
pub fn falling_lambda(levels: &[Row]) -> impl Iterator<Item = &Row> {
    let mut lowest: BTreeMap<(usize, u64), f64> = BTreeMap::new();
    levels.iter().filter(move |row| {
        let Some(lambda) = row.lambda.filter(|_| row.m.is_some()) else { return false };
        let lowest = lowest.entry((row.width, row.seed)).or_insert(f64::INFINITY);
        let falls = lambda > 0.0 && lambda < *lowest;
        if falls {
            *lowest = lambda;
        }
        falls
    })
}

/// Writes levels.csv, percolation.csv, lambda.csv, fluctuations.csv, ratios.csv and manifest.json of a run to its
/// folder of results, with the tables of retraining where there are some.
pub fn collect(run: &Path, results: &Path) -> Outcome<()> {
    let name = run.file_name().ok_or("the run folder has no name")?;
    let out = results.join(name);
    let levels: Vec<Row> = table::read_rows(&run.join("tables/levels.csv"))?;
    let graphs: Vec<Graph> = table::read_rows(&run.join("tables/percolation.csv"))?;
    let metrics: Vec<Metric> = table::read_rows(&run.join("tables/topology.csv"))?;
    let mut lambda: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
    for row in metrics.iter().filter(|row| row.metric == "lambda") {
        lambda.entry((row.width, row.level)).or_default().push(row.value);
    }
    let mean = |values: &Vec<f64>| short(values.iter().sum::<f64>() / values.len() as f64);
    let row = |(row, graph): (Row, &Graph)| Row {
        density: short(row.density),
        loss: short(row.loss),
        prediction_entropy: short(row.prediction_entropy),
        outcome_entropy: short(row.outcome_entropy),
        m: row.m.map(short),
        weight_distance: short(row.weight_distance),
        weight_cosine: short(row.weight_cosine),
        sign_flips: short(row.sign_flips),
        mask_overlap: short(row.mask_overlap),
        mean_degree: short(graph.mean_degree),
        lambda: lambda.get(&(row.width, row.level)).map(mean),
        ..row
    };
    let levels: Vec<Row> = levels.into_iter().zip(&graphs).map(row).collect();
    let rounded = |graph: Graph| Graph {
        density: short(graph.density),
        mean_degree: short(graph.mean_degree),
        p_inf: short(graph.p_inf),
        chi: short(graph.chi),
        ..graph
    };
    let graphs: Vec<Graph> = graphs.into_iter().map(rounded).collect();
    table::write_rows(&out.join("levels.csv"), &levels)?;
    table::write_rows(&out.join("percolation.csv"), &graphs)?;
    table::write_rows(&out.join("lambda.csv"), by_lambda(&levels))?;
    let saved = Saved { levels, graphs };
    let (fluctuations, ratios) = fluctuations::rows(&saved);
    table::write_rows(&out.join("fluctuations.csv"), fluctuations)?;
    table::write_rows(&out.join("ratios.csv"), ratios)?;
    for name in ["retraining.csv", "comparison.csv"] {
        let from = run.join("tables").join(name);
        if from.is_file() {
            let bytes = files::read(&from)?;
            files::write_atomically(&out.join(name), |file| file.write_all(&bytes))?;
        }
    }
    write_manifest(run, &out)
}

/// A row of lambda.csv: m against Lambda.
#[derive(Serialize)]
struct ByLambda {
    width: usize,
    seed: u64,
    lambda: f64,
    m: f64,
}

/// m of the levels where Lambda is a control.
fn by_lambda(levels: &[Row]) -> Vec<ByLambda> {
    let row = |row: &Row| Some(ByLambda { width: row.width, seed: row.seed, lambda: row.lambda?, m: row.m? });
    falling_lambda(levels).filter_map(row).collect()
}

/// The run's manifest without the checksums of files that are not kept, with those of the run's tables and the
/// hours spent.
fn write_manifest(run: &Path, out: &Path) -> Outcome<()> {
    let mut manifest: serde_json::Value = serde_json::from_str(&files::read_text(&run.join("manifest.json"))?)?;
    let of_run = |name: &String| name.starts_with("tables/") && !name.starts_with("tables/tasks/");
    let kept: serde_json::Map<String, serde_json::Value> = match manifest["checksums"].as_object() {
        Some(all) => {
            all.iter().filter(|(name, _)| of_run(name)).map(|(name, sum)| (name.clone(), sum.clone())).collect()
        }
        None => return Err("manifest.json has no checksums".into()),
    };
    manifest["checksums"] = kept.into();
    let mut seconds = 0.0;
    for path in files::below(&run.join("log"))?.iter().filter(|path| path.extension().is_some_and(|it| it == "csv")) {
        let times: Vec<Time> = table::read_rows(path)?;
        seconds += times.iter().map(|row| row.seconds).sum::<f64>();
    }
    manifest["thread_hours"] = ((seconds / 36.0).round() / 100.0).into();
    let text = serde_json::to_string_pretty(&manifest)?;
    files::write_atomically(&out.join("manifest.json"), |file| writeln!(file, "{text}"))?;
    Ok(())
}
