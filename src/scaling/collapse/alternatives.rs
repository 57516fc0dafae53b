//! Other optima of the same fit.

use super::result::Alternative;
use super::scan::Choice;
use super::search::{Outcome, faults};

/// Alternatives of less weight than this are false minima and not reported.
const MIN_WEIGHT: f64 = 1e-3;

/// The sound optima with other sets of points, each with the lowest S found for its set.
pub(super) fn alternatives(
    choice: &Choice,
    optimum: &Outcome,
    outcomes: &[Outcome],
    around: &[Option<Outcome>],
    weight: impl Fn(&Outcome) -> f64,
) -> Vec<Alternative> {
    let mut distinct: Vec<&Outcome> = Vec::new();
    let mut sorted: Vec<&Outcome> = outcomes.iter().collect();
    sorted.sort_by(|a, b| a.quality.total_cmp(&b.quality));
    for outcome in sorted {
        if outcome.set != optimum.set
            && distinct.iter().all(|other| other.set != outcome.set)
            && faults(&choice.data, choice.window, outcome).is_empty()
        {
            distinct.push(outcome);
        }
    }
    distinct
        .into_iter()
        .map(|outcome| Alternative {
            p_c: outcome.at.p_c,
            inv_nu: outcome.at.inv_nu,
            kappa_over_nu: outcome.at.kappa_over_nu,
            quality: outcome.quality,
            points: outcome.set.count(),
            consistent: outcome.consistent,
            reached: around.iter().flatten().filter(|other| other.set == outcome.set).count(),
            weight: weight(outcome),
        })
        .filter(|alternative| alternative.weight >= MIN_WEIGHT)
        .collect()
}
