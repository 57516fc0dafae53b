//! Claim 4: the accuracy of samples of the null models less that of their original.

use std::fmt::Write;
use std::path::Path;

use prunephase::comparison::ComparisonRow;
use prunephase::table;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::saved::Outcome;
use super::tables::head;

/// The studies of one network each.
pub const LADDERS: [&str; 2] = ["ladder-mnist", "ladder-fashion-mnist"];

/// From the tightest to the loosest.
pub const NULLS: [&str; 7] =
    ["joint-degrees", "signed-degrees", "degrees", "in-degrees", "out-degrees", "layer-density", "edges"];

/// The difference with the larger half of its 95 % interval in brackets, in units of 0.001.
fn difference(row: &ComparisonRow) -> String {
    let half = row.low95.zip(row.high95).map(|(low, high)| (row.difference - low).max(high - row.difference));
    let half = half.map_or("-".to_owned(), |half| format!("{:.0}", half * 1e3));
    format!("{:+.3}({half})", row.difference)
}

/// The ladders far above p_c, each of one network.
pub fn ladders(results: &Path) -> Outcome<String> {
    let mut text = String::new();
    for study in LADDERS {
        let rows: Vec<ComparisonRow> = table::read_rows(&results.join(study).join("comparison.csv"))?;
        writeln!(text, "`{study}`\n\n| density | weights | original | {} |", NULLS.join(" | "))?;
        writeln!(text, "|{}", " --- |".repeat(NULLS.len() + 3))?;
        let mut seen: Vec<(f64, &str)> = Vec::new();
        for row in &rows {
            let key = (row.density, row.weights.as_str());
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
            let of = |null: &str| {
                let found = rows.iter().find(|row| (row.density, row.weights.as_str()) == key && row.null == null);
                found.ok_or_else(|| format!("{study}: no {null} at {}", key.0))
            };
            let cells = NULLS.iter().map(|null| of(null).map(difference)).collect::<Result<Vec<_>, _>>()?;
            let original = of("degrees")?.original;
            writeln!(text, "| {:.4} | {} | {original:.3} | {} |", key.0, key.1, cells.join(" | "))?;
        }
        text.push('\n');
    }
    Ok(text)
}

/// What a level of pruning gives: the differences of each network, of one null model and one kind of weights.
struct Level<'t> {
    rows: Vec<&'t ComparisonRow>,
}

impl<'t> Level<'t> {
    /// Of every level and kind of weights, from the densest on; a checkpoint is named after its network and level.
    fn all(rows: &'t [ComparisonRow]) -> Vec<(&'t str, Self)> {
        let mut found: Vec<((&str, &str), Self)> = Vec::new();
        for row in rows {
            let level = row.checkpoint.rsplit("-level-").next().unwrap_or("");
            let key = (level, row.weights.as_str());
            match found.iter_mut().find(|(other, _)| *other == key) {
                Some((_, there)) => there.rows.push(row),
                None => found.push((key, Self { rows: vec![row] })),
            }
        }
        found.into_iter().map(|((_, weights), level)| (weights, level)).collect()
    }

    /// One difference a network, in the order of the networks.
    fn of(&self, null: &str) -> Vec<f64> {
        self.rows.iter().filter(|row| row.null == null).map(|row| row.difference).collect()
    }

    fn mean(&self, of: impl Fn(&ComparisonRow) -> f64) -> f64 {
        let rows: Vec<f64> = self.rows.iter().filter(|row| row.null == "degrees").map(|row| of(row)).collect();
        rows.iter().sum::<f64>() / rows.len() as f64
    }
}

/// A mean over networks with Student's error.
struct OverNetworks {
    mean: f64,
    error: f64,
    networks: usize,
}

impl OverNetworks {
    fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        Self { mean, error: (variance / n).sqrt(), networks: values.len() }
    }

    fn student(&self) -> Outcome<StudentsT> {
        Ok(StudentsT::new(0.0, 1.0, self.networks as f64 - 1.0)?)
    }

    /// Half of the 95 % interval.
    fn half(&self) -> Outcome<f64> {
        Ok(self.error * self.student()?.inverse_cdf(0.975))
    }

    /// The larger p of two one-sided tests that the mean lies within the margin.
    fn equivalence(&self, margin: f64) -> Outcome<f64> {
        let law = self.student()?;
        let beyond = |distance: f64| {
            if self.error > 0.0 { law.sf(distance / self.error) } else { f64::from(u8::from(distance <= 0.0)) }
        };
        Ok(beyond(margin - self.mean).max(beyond(margin + self.mean)))
    }
}

/// Claim 4 near and below p_c: the ladder over networks, and what it says by the criterion of its study file.
pub fn over_networks(text: &mut String, results: &Path) -> Outcome<()> {
    let path = results.join("claim-4-degrees/comparison.csv");
    if !path.is_file() {
        return Ok(());
    }
    let rows: Vec<ComparisonRow> = table::read_rows(&path)?;
    let levels = Level::all(&rows);
    let networks = levels.first().map_or(0, |(_, level)| level.of("degrees").len());
    let columns = [&["density", "weights", "original"], &NULLS[..]].concat();
    let title = "Accuracy of samples less that of their original, near and below p_c";
    head(text, &format!("{title}: means over {networks} networks"), &columns)?;
    for (weights, level) in &levels {
        let cell = |null: &&str| {
            let over = OverNetworks::of(&level.of(null));
            Ok(format!("{:+.3}({:.0})", over.mean, over.half()? * 1e3))
        };
        let cells = NULLS.iter().map(cell).collect::<Outcome<Vec<_>>>()?;
        let (density, original) = (level.mean(|row| row.density), level.mean(|row| row.original));
        writeln!(text, "| {density:.5} | {weights} | {original:.3} | {} |", cells.join(" | "))?;
    }
    text.push('\n');
    let columns = [
        "density",
        "weights",
        "degrees less original",
        "without one network",
        "p of equivalence",
        "same degrees, same learning?",
        "degrees less layer-density",
        "degrees matter?",
    ];
    head(text, "Claim 4 by its criterion: equivalence within 0.01", &columns)?;
    for (weights, level) in &levels {
        let (samples, looser) = (level.of("degrees"), level.of("layer-density"));
        let (over, loose) = (OverNetworks::of(&samples), OverNetworks::of(&looser));
        let half = over.half()?;
        let chance = over.equivalence(level.mean(|row| row.margin))?;
        let verdict = match () {
            () if chance < 0.05 => "confirmed",
            () if over.mean.abs() > half => "refuted",
            () => "undecided",
        };
        let without = (0..samples.len()).map(|out| {
            let rest = samples.iter().enumerate().filter(|(at, _)| *at != out).map(|(_, value)| value);
            rest.sum::<f64>() / (samples.len() as f64 - 1.0)
        });
        let (low, high) =
            without.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), mean| (low.min(mean), high.max(mean)));
        let (gain, error) = (over.mean - loose.mean, half.hypot(loose.half()?));
        let matter = if gain > error { "yes" } else { "not shown" };
        writeln!(
            text,
            "| {:.5} | {weights} | {:+.3}({:.0}) | {low:+.3} to {high:+.3} | {chance:.3} | {verdict} | {gain:+.3}({:.0}) | {matter} |",
            level.mean(|row| row.density),
            over.mean,
            half * 1e3,
            error * 1e3
        )?;
    }
    text.push('\n');
    Ok(())
}
