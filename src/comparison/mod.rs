//! Retrained samples of a null model against their original.
//!
//! The samples k = 1..K and the training seeds s = 1..S are crossed: one seed gives all subnetworks
//! the same order of images and the same fresh weights, so that the differences
//! d_ks = accuracy(sample k, seed s) - accuracy(original, seed s) are paired. They are taken as
//! mean + sample's effect + seed's effect + rest ([`Effects`]); the error of their mean holds all
//! three, so that few seeds are not hidden by many samples.

mod effects;
mod rank;

use serde::{Deserialize, Serialize};

pub use effects::Effects;
pub use rank::{original_rank_p, signed_rank_p};

use crate::seed::Seeds;

/// One retraining: a row of `retraining.csv`, with its columns in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RetrainingRow {
    /// The checkpoint the samples were drawn from.
    pub checkpoint: String,
    /// kept / weights of the dense network.
    pub density: f64,
    /// `original`, or the null model.
    pub null: String,
    /// `kept`, `rewound` or `fresh`.
    pub weights: String,
    /// The sample; 0 for the original.
    pub sample: usize,
    /// The training seed.
    pub seed: u64,
    /// Share of test images whose class is predicted.
    pub accuracy: f64,
    /// Mean cross entropy, nats.
    pub loss: f64,
    /// Mean entropy of the softmax, nats.
    pub prediction_entropy: f64,
    /// Entropy of the histogram of predicted labels, nats.
    pub outcome_entropy: f64,
}

/// The name of the subnetwork that samples are compared with.
pub const ORIGINAL: &str = "original";

/// What is compared, and how closely.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Differences of accuracy below this count as equivalent.
    pub margin: f64,
    /// Resamples of the bootstrap.
    pub bootstrap: usize,
    /// Names the bootstrap's random stream.
    pub seed: u64,
}

impl Default for Options {
    /// A margin of 0.01, 2,000 resamples, seed 0.
    fn default() -> Self {
        Self { margin: 0.01, bootstrap: 2000, seed: 0 }
    }
}

/// What the samples of one null model, retrained from one kind of weights, show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Equivalent within the margin, and the interval does not hold 0.
    Close,
    /// Equivalent within the margin, and the interval holds 0.
    Equivalent,
    /// Not shown to be equivalent, and the interval does not hold 0.
    Different,
    /// Neither.
    Undecided,
}

/// One row of a table of comparisons, with its columns in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparisonRow {
    /// The checkpoint the samples were drawn from.
    pub checkpoint: String,
    /// Its density.
    pub density: f64,
    /// The null model.
    pub null: String,
    /// `kept`, `rewound` or `fresh`.
    pub weights: String,
    /// K, the number of samples.
    pub samples: usize,
    /// S, the number of training seeds.
    pub seeds: usize,
    /// Mean accuracy of the original.
    pub original: f64,
    /// Mean accuracy of the samples.
    pub mean: f64,
    /// `mean` - `original`.
    pub difference: f64,
    /// Its standard error; empty where there is one sample or one seed.
    pub error: Option<f64>,
    /// The lower end of its 95 % interval: the wider of the bootstrap's and of Student's t.
    pub low95: Option<f64>,
    /// The upper end.
    pub high95: Option<f64>,
    /// Probability that the original would rank so high or so low among the samples, were it one of
    /// them.
    pub rank_p: f64,
    /// Wilcoxon's signed-rank test of the samples' mean differences, exact; conditional on the
    /// original's own runs.
    pub signed_rank_p: Option<f64>,
    /// The margin of the equivalence test.
    pub margin: f64,
    /// Two one-sided t tests of |difference| below the margin: the larger p.
    pub equivalence_p: Option<f64>,
    /// At 5 %.
    pub verdict: Verdict,
}

/// Compares every null model of every checkpoint and kind of weights with the original. Runs whose
/// sample or seed is not complete (a seed that some sample or the original lacks) are left out; a
/// null model without a complete seed has no row. Rows in the order in which the groups first appear.
/// O(bootstrap x (K + S)) for each.
///
/// ```
/// use prunephase::comparison::{Options, RetrainingRow, Verdict, compare};
///
/// let run = |null: &str, sample: usize, seed: u64, accuracy: f64| RetrainingRow {
///     checkpoint: "a".into(), density: 0.02, null: null.into(), weights: "kept".into(), sample, seed, accuracy,
///     loss: 0.0, prediction_entropy: 0.0, outcome_entropy: 0.0,
/// };
/// let mut runs: Vec<RetrainingRow> = (0..4).map(|seed| run("original", 0, seed, 0.90 + 0.001 * seed as f64)).collect();
/// for sample in 0..6 {
///     runs.extend((0..4).map(|seed| run("degrees", sample, seed, 0.80 + 0.002 * (sample as u64 ^ seed) as f64)));
/// }
/// let row = &compare(&runs, &Options::default())[0];
/// assert_eq!((row.samples, row.seeds, row.verdict), (6, 4, Verdict::Different));
/// assert!(row.high95.is_some_and(|high| high < -0.05));
/// ```
pub fn compare(runs: &[RetrainingRow], options: &Options) -> Vec<ComparisonRow> {
    let key =
        |run: &RetrainingRow| (run.checkpoint.clone(), run.density.to_bits(), run.null.clone(), run.weights.clone());
    let mut groups: Vec<_> = Vec::new();
    for run in runs.iter().filter(|run| run.null != ORIGINAL) {
        if !groups.contains(&key(run)) {
            groups.push(key(run));
        }
    }
    groups
        .iter()
        .filter_map(|(checkpoint, density, null, weights)| {
            let of = |name: &str| -> Vec<&RetrainingRow> {
                runs.iter()
                    .filter(|run| {
                        run.checkpoint == *checkpoint
                            && run.density.to_bits() == *density
                            && run.null == name
                            && run.weights == *weights
                    })
                    .collect()
            };
            compare_one(&of(ORIGINAL), &of(null), options)
        })
        .collect()
}

fn compare_one(original: &[&RetrainingRow], samples: &[&RetrainingRow], options: &Options) -> Option<ComparisonRow> {
    let first = samples.first()?;
    let mut numbers: Vec<usize> = samples.iter().map(|run| run.sample).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let accuracy = |sample: usize, seed: u64| {
        samples.iter().find(|run| run.sample == sample && run.seed == seed).map(|run| run.accuracy)
    };
    let mut seeds: Vec<u64> = original.iter().map(|run| run.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    seeds.retain(|&seed| numbers.iter().all(|&sample| accuracy(sample, seed).is_some()));
    if seeds.is_empty() {
        return None;
    }
    let baseline: Vec<f64> =
        seeds.iter().filter_map(|&seed| original.iter().find(|run| run.seed == seed)).map(|run| run.accuracy).collect();
    let differences: Vec<Vec<f64>> = numbers
        .iter()
        .map(|&sample| {
            seeds.iter().zip(&baseline).filter_map(|(&seed, base)| Some(accuracy(sample, seed)? - base)).collect()
        })
        .collect();
    let mean_of = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let effects = Effects::of(&differences);
    let by_sample: Vec<f64> = differences.iter().map(|row| mean_of(row)).collect();
    let purpose = format!(
        "comparison, {}, density {}, null {}, weights {}",
        first.checkpoint, first.density, first.null, first.weights
    );
    let mut stream = Seeds::new(options.seed, 0).stream(&purpose);
    let interval = effects.interval95(options.bootstrap, &mut stream);
    let equivalence_p = effects.equivalence_p(options.margin);
    let outside = interval.is_some_and(|[low, high]| low > 0.0 || high < 0.0);
    let equivalent = equivalence_p.is_some_and(|p| p < 0.05);
    Some(ComparisonRow {
        checkpoint: first.checkpoint.clone(),
        density: first.density,
        null: first.null.clone(),
        weights: first.weights.clone(),
        samples: numbers.len(),
        seeds: seeds.len(),
        original: mean_of(&baseline),
        mean: mean_of(&baseline) + effects.mean,
        difference: effects.mean,
        error: effects.error,
        low95: interval.map(|ends| ends[0]),
        high95: interval.map(|ends| ends[1]),
        rank_p: original_rank_p(&by_sample),
        signed_rank_p: signed_rank_p(&by_sample),
        margin: options.margin,
        equivalence_p,
        verdict: match (equivalent, outside) {
            (true, true) => Verdict::Close,
            (true, false) => Verdict::Equivalent,
            (false, true) => Verdict::Different,
            (false, false) => Verdict::Undecided,
        },
    })
}

#[cfg(test)]
mod tests;
