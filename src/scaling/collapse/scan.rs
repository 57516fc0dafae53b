//! The scan over the smallest size, the window and the objective.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::average::{errors_of, problem};
use super::search::{Outcome, best, faults, first_starts, follow};
use super::window::Window;
use crate::scaling::curves::Curves;
use crate::scaling::master::Correction;
use crate::scaling::minimise::Effort;
use crate::scaling::quality::{Dataset, Objective, Parameters};
use crate::scaling::resample::Resampling;

/// Without a window, it holds these shares of the smallest size's points, half of them on each side
/// of p_c; the last one only where points share their runs.
pub const WINDOW_SHARES: [f64; 5] = [0.15, 0.25, 0.4, 0.6, 1.0];
/// Points on each side of p_c at least, without a window.
pub const MIN_SIDE: usize = 4;
/// A choice of window and sizes is acceptable up to this many times max(1, the lowest S).
pub const ACCEPTABLE: f64 = 1.5;

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
    /// The correction to scaling that is fitted along.
    pub correction: Correction,
    /// p_c there.
    pub p_c: f64,
    /// 1/nu there.
    pub inv_nu: f64,
    /// kappa/nu there.
    pub kappa_over_nu: f64,
    /// The statistical error of p_c there.
    pub p_c_error: f64,
    /// Of 1/nu.
    pub inv_nu_error: f64,
    /// Of kappa/nu.
    pub kappa_over_nu_error: f64,
    /// S there, or chi-square for each degree of freedom of a least-squares fit.
    pub quality: f64,
    /// Points used.
    pub points: usize,
    /// The weight in the average.
    pub weight: f64,
}

impl ScanRow {
    /// Weight, value and error of a parameter.
    pub(super) fn law(&self, axis: usize) -> (f64, f64, f64) {
        let value = [self.p_c, self.inv_nu, self.kappa_over_nu][axis];
        let error = [self.p_c_error, self.inv_nu_error, self.kappa_over_nu_error][axis];
        (self.weight, value, error)
    }
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
}

/// The curves from each smallest size on, at least two sizes.
fn by_smallest_size(curves: &Curves) -> Vec<Curves> {
    let sizes = curves.sizes();
    sizes[..=sizes.len() - 2].iter().map(|&smallest| curves.from_size(smallest)).collect()
}

/// Without a window: all choices of the smallest size and the window's share of points, each
/// searched from a guess and a grid over everything and then from where the others ended.
pub(super) fn free_choices(curves: &Curves, guess: Option<Parameters>, resampling: Resampling) -> Vec<Choice> {
    // Points of shared runs are worth little, and a wide window costs little.
    let shares = if resampling == Resampling::SharedRuns { &WINDOW_SHARES[..] } else { &WINDOW_SHARES[..4] };
    let mut choices = Vec::new();
    for part in by_smallest_size(curves) {
        let points = part.curves()[0].points().len() as f64;
        let mut sides: Vec<usize> =
            shares.iter().map(|share| ((0.5 * share * points).round() as usize).max(MIN_SIDE)).collect();
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
/// whose S is at most [`ACCEPTABLE`] times max(1, the lowest S), the one with most points, or, where
/// points share their runs and their number says little, the one whose points determine the parameters
/// best, by the product of their errors in a least-squares fit. Where none is sound, the lowest S.
pub(super) fn chosen(choices: &[Choice], all_sizes: usize, resampling: Resampling) -> Option<&Choice> {
    let eligible = |choice: &&Choice| choice.curves.curves().len() >= all_sizes.min(3);
    let quality = |choice: &Choice| choice.outcome.as_ref().map_or(f64::INFINITY, |outcome| outcome.quality);
    let sound: Vec<&Choice> = choices.iter().filter(eligible).filter(|choice| choice.sound().is_some()).collect();
    let lowest = sound.iter().map(|choice| quality(choice)).fold(f64::INFINITY, f64::min);
    sound
        .into_par_iter()
        .filter(|choice| quality(choice) <= ACCEPTABLE * lowest.max(1.0))
        .map(|choice| {
            if resampling != Resampling::SharedRuns {
                let points = choice.outcome.as_ref().map_or(0, |outcome| outcome.set.count());
                return (-(points as f64), choice);
            }
            let errors = choice.outcome.as_ref().and_then(|outcome| {
                let window = choice.window.interval(&choice.data, outcome.at)?;
                let inv_nu = outcome.at.inv_nu;
                let problem = problem(&choice.curves, &choice.data, &outcome.set, resampling, window, inv_nu);
                errors_of(&problem, outcome.at)
            });
            (errors.map_or(f64::INFINITY, |errors| errors.iter().map(|error| error.ln()).sum()), choice)
        })
        .min_by(|a, b| a.0.total_cmp(&b.0).then(quality(a.1).total_cmp(&quality(b.1))))
        .map(|(_, choice)| choice)
        .or_else(|| {
            choices
                .iter()
                .filter(eligible)
                .filter(|choice| choice.outcome.is_some())
                .min_by(|a, b| quality(a).total_cmp(&quality(b)))
        })
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
