//! How well a law foretells replicates that it was not fitted to.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::floor::floor_of;
use super::law::Task;
use super::model::Model;
use super::result::ModelFit;
use super::search::Optimum;
use super::{FEW_STARTS, lowest, points_of};
use crate::scaling::minimise::Effort;

/// Replicates are left out one by one up to this number of them, else in this many groups.
const FOLDS: usize = 10;
/// Fewer replicates give no held-out error.
const MIN_REPLICATES: usize = 3;

/// The error of a law on replicates that were left out.
///
/// The law is fitted to the mean of the other replicates on the same points with the same weights, and
/// the mean over the points of a left-out replicate of ((value - law) / sigma)^2 is taken, sigma the
/// standard deviation of one replicate there (the point's error times the square root of their number).
/// A perfect law has about 1. All laws meet the same replicates, and what the points of a replicate
/// share cancels in the differences between laws; their errors are over replicates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// The mean over replicates.
    pub error: f64,
    /// Its standard error over replicates.
    pub standard_error: f64,
    /// How much larger than that of the law with the smallest, 0 for that one.
    pub difference: f64,
    /// The standard error of the difference, over replicates.
    pub difference_error: f64,
}

/// Adds the held-out errors where there are replicates enough.
pub(super) fn measure(task: &Task<'_>, models: &mut [ModelFit]) {
    let replicates = task.curve.replicates();
    if replicates < MIN_REPLICATES {
        return;
    }
    let scores: Vec<Vec<f64>> = models.iter().map(|model| scores(task, model, replicates)).collect();
    let mean = |values: &[f64]| {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let square: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        (mean, (square / (n - 1.0) / n).sqrt())
    };
    let Some(best) = scores.iter().min_by(|a, b| mean(a).0.total_cmp(&mean(b).0)) else { return };
    for (model, own) in models.iter_mut().zip(&scores) {
        let (error, standard_error) = mean(own);
        let differences: Vec<f64> = own.iter().zip(best).map(|(own, best)| own - best).collect();
        let (difference, difference_error) = mean(&differences);
        model.held_out = Some(HeldOut { error, standard_error, difference, difference_error });
    }
}

/// The error on every replicate, from fits without it.
fn scores(task: &Task<'_>, fitted: &ModelFit, replicates: usize) -> Vec<f64> {
    let model = fitted.name;
    let mut at = Optimum { parameters: Default::default(), chi_square: fitted.chi_square };
    fitted.values().iter().zip(&mut at.parameters).for_each(|(value, place)| *place = *value);
    let floor = if model.has_floor() { floor_of(task.curve) } else { 0.0 };
    let folds = replicates.min(FOLDS);
    let by_fold: Vec<Option<Optimum>> = (0..folds)
        .into_par_iter()
        .map(|fold| {
            let mut values = task.values.to_vec();
            for (value, point) in values.iter_mut().zip(task.curve.points()) {
                let rest = || point.samples.iter().filter(|(replicate, _)| replicate % folds != fold);
                let number = rest().count();
                // A point that no other replicate has keeps its value.
                if number > 0 {
                    *value = rest().map(|(_, value)| value).sum::<f64>() / number as f64;
                }
            }
            let points = points_of(task.curve, &values, task.range);
            let mut starts = points.starts(model, FEW_STARTS, &mut task.seeds.stream(&format!("fit fold {fold}")));
            starts.push(points.start_at(model, &at));
            lowest(&points.search(model, &starts, Effort::COARSE))
        })
        .collect();
    (0..replicates)
        .filter_map(|replicate| {
            let law = by_fold[replicate % folds]?;
            let (mut sum, mut number) = (0.0, 0.0);
            for point in &task.curve.points()[task.range.clone()] {
                for (_, value) in point.samples.iter().filter(|(own, _)| *own == replicate) {
                    let variance = point.error.powi(2) * point.samples.len() as f64;
                    sum += (value - floor - model.value(point.control, &law.parameters)).powi(2) / variance;
                    number += 1.0;
                }
            }
            (number > 0.0).then(|| sum / number)
        })
        .collect()
}

/// A word where left-out replicates speak against the law with the lowest AICc.
pub(super) fn warning(models: &[ModelFit], best: Model) -> Option<String> {
    let own = models.iter().find(|model| model.name == best)?.held_out?;
    let other = models.iter().find(|model| model.held_out.is_some_and(|held_out| held_out.difference == 0.0))?;
    (own.difference > 2.0 * own.difference_error).then(|| {
        format!(
            "on replicates left out {} is better than {best}, by {:.3} +- {:.3} a point",
            other.name, own.difference, own.difference_error
        )
    })
}
