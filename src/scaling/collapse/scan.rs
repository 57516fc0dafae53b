//! The scan over the smallest size, the window and the objective.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::search::{Outcome, best, converge, faults, first_starts, follow, starts_around};
use super::window::Window;
use crate::scaling::curves::Curves;
use crate::scaling::estimate::standard_deviation;
use crate::scaling::minimise::Effort;
use crate::scaling::quality::{Dataset, Objective, Parameters};
use crate::scaling::resample::{Resampling, resample};
use crate::seed::{Seeds, Stream};

/// Without a window, it holds these shares of the smallest size's points, half of them on each side
/// of p_c.
pub const WINDOW_SHARES: [f64; 5] = [0.15, 0.25, 0.4, 0.6, 0.9];
/// Points on each side of p_c at least, without a window.
pub const MIN_SIDE: usize = 4;
/// With a window given, the scan multiplies it with these.
pub const WINDOW_FACTORS: [f64; 4] = [0.5, 0.75, 1.0, 1.5];
/// A choice of window and sizes is acceptable up to this many times max(1, the lowest S).
pub const ACCEPTABLE: f64 = 1.5;
/// Resamples that tell which acceptable choice has the smallest errors.
const CHOICE_RESAMPLES: usize = 16;

/// One line of the systematic scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScanRow {
    /// The smallest size used.
    pub min_size: f64,
    /// The number of sizes used.
    pub sizes: usize,
    /// The window in x, lower edge.
    pub window_low: f64,
    /// Upper edge.
    pub window_high: f64,
    /// What each point is compared with.
    pub objective: Objective,
    /// p_c there.
    pub p_c: f64,
    /// 1/nu there.
    pub inv_nu: f64,
    /// kappa/nu there.
    pub kappa_over_nu: f64,
    /// S there (of its own objective).
    pub quality: f64,
    /// Points used.
    pub points: usize,
    /// The weight in the systematic error; 0 where the choice gives no sound collapse.
    pub weight: f64,
}

/// A choice of sizes and window with the best collapse found for it.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) curves: Curves,
    pub(super) data: Dataset,
    pub(super) window: Window,
    pub(super) objective: Objective,
    pub(super) outcome: Option<Outcome>,
}

impl Choice {
    pub(super) fn new(curves: &Curves, window: Window) -> Self {
        Self { curves: curves.clone(), data: Dataset::new(curves), window, objective: Objective::Pooled, outcome: None }
    }

    pub(super) fn with(self, objective: Objective) -> Self {
        Self { objective, ..self }
    }

    pub(super) fn sound(&self) -> Option<&Outcome> {
        self.outcome.as_ref().filter(|outcome| faults(&self.data, self.window, outcome).is_empty())
    }

    fn improve(&mut self, starts: &[Parameters], effort: Effort) {
        let mut outcomes: Vec<Outcome> =
            follow(&self.data, self.window, self.objective, starts, effort).into_iter().flatten().collect();
        outcomes.extend(self.outcome.take());
        self.outcome = best(&self.data, self.window, &outcomes).cloned();
    }

    /// Searches from `at` and from a few starts around it.
    fn improve_around(&mut self, at: Parameters, stream: &mut Stream) {
        // A likelihood is smooth and slow.
        let count = if self.objective == Objective::GaussianProcess { 0 } else { 5 };
        let mut starts = vec![at];
        starts.extend(starts_around(&self.data, self.window, at, count, stream));
        self.improve(&starts, Effort::COARSE);
    }

    /// The product of the standard deviations of p_c, 1/nu and kappa/nu over a few resamples.
    fn spread(&self, resampling: Resampling, stream: impl Fn(usize) -> Stream + Sync) -> f64 {
        let Some(at) = self.outcome.as_ref().map(|outcome| outcome.at) else { return f64::INFINITY };
        let ends: Vec<[f64; 3]> = (0..CHOICE_RESAMPLES)
            .into_par_iter()
            .filter_map(|number| {
                let other = self.data.with_values(resample(&self.curves, resampling, &mut stream(number)));
                converge(&other, self.window, self.objective, at, None, Effort::COARSE)
            })
            .map(|outcome| outcome.at.to_array())
            .collect();
        if 2 * ends.len() < CHOICE_RESAMPLES {
            return f64::INFINITY;
        }
        let along = |axis: usize| ends.iter().map(|end| end[axis]).collect::<Vec<_>>();
        (0..3).map(|axis| standard_deviation(&along(axis))).product()
    }

    fn row(&self, weight: f64) -> Option<ScanRow> {
        let outcome = self.outcome.as_ref()?;
        let [window_low, window_high] = self.window.interval(&self.data, outcome.at)?;
        Some(ScanRow {
            min_size: self.curves.curves()[0].size(),
            sizes: self.curves.curves().len(),
            window_low,
            window_high,
            objective: self.objective,
            p_c: outcome.at.p_c,
            inv_nu: outcome.at.inv_nu,
            kappa_over_nu: outcome.at.kappa_over_nu,
            quality: outcome.quality,
            points: outcome.set.count(),
            weight,
        })
    }
}

/// The curves from each smallest size on, at least two sizes.
fn by_smallest_size(curves: &Curves) -> Vec<Curves> {
    let sizes = curves.sizes();
    sizes[..=sizes.len() - 2].iter().map(|&smallest| curves.from_size(smallest)).collect()
}

/// Without a window: all choices of the smallest size and the window's share of points, each
/// searched from a guess and a grid over everything and then from where the others ended.
pub(super) fn free_choices(curves: &Curves, guess: Option<Parameters>) -> Vec<Choice> {
    let mut choices = Vec::new();
    for part in by_smallest_size(curves) {
        let points = part.curves()[0].points().len() as f64;
        let mut sides: Vec<usize> =
            WINDOW_SHARES.iter().map(|share| ((0.5 * share * points).round() as usize).max(MIN_SIDE)).collect();
        sides.dedup();
        choices.extend(sides.into_iter().map(|side| Choice::new(&part, Window::Nearest(side))));
    }
    for choice in &mut choices {
        let starts = first_starts(&choice.data, choice.window, guess);
        choice.improve(&starts, Effort::COARSE);
    }
    let mut ends: Vec<Parameters> = Vec::new();
    for outcome in choices.iter().filter_map(Choice::sound) {
        let far = |other: &Parameters| {
            let near = |a: f64, b: f64, scale: f64| (a - b).abs() < 0.02 * scale;
            !(near(other.inv_nu, outcome.at.inv_nu, outcome.at.inv_nu)
                && near(other.kappa_over_nu, outcome.at.kappa_over_nu, 1.0)
                && near(other.p_c, outcome.at.p_c, outcome.at.p_c.abs()))
        };
        if ends.iter().all(far) {
            ends.push(outcome.at);
        }
    }
    for choice in &mut choices {
        choice.improve(&ends, Effort::COARSE);
    }
    choices
}

/// The rule without a window: of the sound choices with at least three sizes (or all there are)
/// whose S is at most [`ACCEPTABLE`] times max(1, the lowest S), the one with the smallest
/// statistical errors. Where none is sound, the lowest S.
pub(super) fn chosen(choices: &[Choice], all_sizes: usize, resampling: Resampling, seeds: Seeds) -> Option<&Choice> {
    let eligible = |choice: &&Choice| choice.curves.curves().len() >= all_sizes.min(3);
    let quality = |choice: &Choice| choice.outcome.as_ref().map_or(f64::INFINITY, |outcome| outcome.quality);
    let sound: Vec<&Choice> = choices.iter().filter(eligible).filter(|choice| choice.sound().is_some()).collect();
    let lowest = sound.iter().map(|choice| quality(choice)).fold(f64::INFINITY, f64::min);
    let acceptable = sound.into_iter().filter(|choice| quality(choice) <= ACCEPTABLE * lowest.max(1.0));
    let spreads = acceptable.enumerate().map(|(number, choice)| {
        let stream = |resample| seeds.stream(&format!("collapse choice {number} {resample}"));
        (choice.spread(resampling, stream), choice)
    });
    spreads.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, choice)| choice).or_else(|| {
        choices
            .iter()
            .filter(eligible)
            .filter(|choice| choice.outcome.is_some())
            .min_by(|a, b| quality(a).total_cmp(&quality(b)))
    })
}

/// With a window given: the smallest size and the window's width varied, from the optimum `at`.
pub(super) fn fixed_choices(
    curves: &Curves,
    [low, high]: [f64; 2],
    objective: Objective,
    at: Parameters,
    seeds: Seeds,
) -> Vec<Choice> {
    let mut choices = Vec::new();
    for (left_out, part) in by_smallest_size(curves).into_iter().enumerate() {
        for factor in WINDOW_FACTORS {
            if left_out == 0 && factor == 1.0 {
                continue;
            }
            let mut choice = Choice::new(&part, Window::Fixed([low * factor, high * factor])).with(objective);
            let mut stream = seeds.stream(&format!("collapse scan, {left_out} sizes left out, factor {factor}"));
            choice.improve_around(at, &mut stream);
            choices.push(choice);
        }
    }
    choices
}

/// Without a window: the same choices followed from the optimum `at`. What a choice with few points
/// finds elsewhere, another branch that fits them by chance, is no error of this optimum.
pub(super) fn local_choices(choices: &[Choice], objective: Objective, at: Parameters, seeds: Seeds) -> Vec<Choice> {
    choices
        .iter()
        .enumerate()
        .map(|(number, choice)| {
            let mut choice = Choice { outcome: None, objective, ..choice.clone() };
            choice.improve_around(at, &mut seeds.stream(&format!("collapse scan {number}")));
            choice
        })
        .collect()
}

/// Of the choices that the rule without a window may take, searched over everything: how many give
/// a sound collapse, and how many of these lie within `limits` of `at`.
pub(super) fn agreement(choices: &[Choice], all_sizes: usize, at: Parameters, limits: [f64; 3]) -> (usize, usize) {
    let (at, mut sound, mut agree) = (at.to_array(), 0, 0);
    for outcome in choices.iter().filter(|c| c.curves.curves().len() >= all_sizes.min(3)).filter_map(Choice::sound) {
        let other = outcome.at.to_array();
        sound += 1;
        agree += usize::from((0..3).all(|axis| (other[axis] - at[axis]).abs() <= limits[axis]));
    }
    (sound, agree)
}

/// The rows of the scan, with the fit's own sizes and window under the other objectives as the last
/// (with two sizes, pairwise is pooled).
pub(super) fn rows(
    choices: &[Choice],
    fitted: &Choice,
    reference: &Outcome,
    weight: impl Fn(&Outcome) -> f64,
) -> Vec<ScanRow> {
    let mut rows: Vec<ScanRow> = choices
        .iter()
        .filter_map(|choice| {
            let weight = choice.sound().map_or(0.0, &weight);
            choice.row(weight)
        })
        .collect();
    let all = [Objective::Pooled, Objective::Pairwise, Objective::Smooth, Objective::GaussianProcess];
    let pairs = fitted.curves.curves().len() == 2;
    let others: Vec<Choice> = all
        .into_par_iter()
        .filter(|&objective| objective != fitted.objective && !(pairs && objective == Objective::Pairwise))
        .map(|objective| {
            let mut other = fitted.clone().with(objective);
            other.outcome = follow(&other.data, other.window, objective, &[reference.at], Effort::COARSE)
                .into_iter()
                .flatten()
                .next();
            other
        })
        .collect();
    for other in others {
        let weight = other.sound().map_or(0.0, &weight);
        rows.extend(other.row(weight));
    }
    rows
}
