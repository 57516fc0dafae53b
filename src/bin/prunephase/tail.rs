//! `prunephase fit --tail`: tau of a table of cluster numbers.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use prunephase::files::write_atomically;
use prunephase::scaling::{SizeBin, tail_chance};
use prunephase::table::{Table, write_rows};

use crate::curves::ResultArgs;
use crate::progress;

/// A whole number of a table.
fn whole(number: f64, column: &str) -> anyhow::Result<u64> {
    if number >= 0.0 && number.fract() == 0.0 && number < 9e15 {
        Ok(number as u64)
    } else {
        bail!("column `{column}` has {number}: a whole number of at least 0 is needed")
    }
}

fn bins(table: &Table) -> anyhow::Result<Vec<SizeBin>> {
    if table.has("edges") {
        let mut edges = table.texts("edges")?;
        edges.sort_unstable();
        edges.dedup();
        if edges.len() > 1 {
            bail!("column `edges` holds {} numbers of kept weights: tau is fitted at one of them", edges.len());
        }
    }
    let names = if table.has("size_low") { ["size_low", "size_high"] } else { ["size", "size"] };
    let (low, high) = (table.numbers(names[0])?, table.numbers(names[1])?);
    let count = table.numbers("count")?;
    // Realisations and checkpoints add up.
    let mut sums: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    for row in 0..table.rows() {
        let range = (whole(low[row], names[0])?, whole(high[row], names[1])?);
        *sums.entry(range).or_insert(0) += whole(count[row], "count")?;
    }
    Ok(sums.into_iter().map(|((low, high), count)| SizeBin { low, high, count }).collect())
}

/// Fits the tail; exits with 1 where a power law is not plausible.
pub fn run(path: &Path, range: Option<[f64; 2]>, result: &ResultArgs) -> anyhow::Result<ExitCode> {
    let place = || path.display().to_string();
    let table = Table::read(path)?;
    let bins = bins(&table).with_context(place)?;
    let cutoffs = range.map(|[low, high]| [low.max(0.0).ceil() as u64, high.max(0.0).floor() as u64]);
    let find = || tail_chance(&bins, cutoffs, result.bootstrap, result.seed);
    let found = progress::during("fitting the tail", find).with_context(place)?;
    if let Some(folder) = &result.out {
        write_rows(&folder.join("tail.csv"), &bins)?;
        let text = serde_json::to_string_pretty(&found)?;
        write_atomically(&folder.join("tail.json"), |file| writeln!(file, "{text}"))?;
    }
    if result.json {
        println!("{}", serde_json::to_string(&found)?);
    } else {
        let (fit, origin) = (found.fit, if found.chosen { "chosen" } else { "given" });
        println!("tau = {:.4} +- {:.4}, {} components", fit.tau, fit.error, fit.observations);
        println!("sizes {} to {} ({origin}), Kolmogorov-Smirnov distance {:.4}", fit.s_min, fit.s_max, fit.ks);
        let verdict = if found.plausible { "plausible" } else { "NOT PLAUSIBLE" };
        println!("p-value {:.3} +- {:.3}: a power law is {verdict}", found.p_value, found.p_value_error);
    }
    Ok(if found.plausible { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
