//! Nelder and Mead's simplex (argmin's), with restarts, in units that the caller states.

use argmin::core::{CostFunction, Error, Executor, State};
use argmin::solver::neldermead::NelderMead;

/// A cost that stands for "not allowed": finite, since argmin gives up on NaN, and far above any
/// cost of a fit.
pub(crate) const FORBIDDEN: f64 = 1e15;

/// How many fresh simplices at most after the first: the objectives here have kinks and small
/// jumps, where a simplex can collapse early.
const RESTARTS: usize = 3;

/// How far a search goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// A simplex ends where the standard deviation of its costs falls below this.
    pub(crate) tolerance: f64,
    /// Iterations of one simplex at most.
    pub(crate) iterations: u64,
}

impl Effort {
    /// For the fit itself.
    pub(crate) const FINE: Self = Self { tolerance: 1e-10, iterations: 600 };
    /// For resamples, where 1/100 of an error bar is enough.
    pub(crate) const COARSE: Self = Self { tolerance: 1e-6, iterations: 250 };
}

struct Scaled<'a, F> {
    cost: &'a F,
    origin: &'a [f64],
    steps: &'a [f64],
}

impl<F> Scaled<'_, F> {
    fn at(&self, unit: &[f64]) -> Vec<f64> {
        unit.iter().zip(self.origin).zip(self.steps).map(|((u, origin), step)| origin + u * step).collect()
    }
}

impl<F: Fn(&[f64]) -> f64> CostFunction for &Scaled<'_, F> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, unit: &Vec<f64>) -> Result<f64, Error> {
        let cost = (self.cost)(&self.at(unit));
        Ok(if cost.is_finite() { cost.min(FORBIDDEN * 1e3) } else { FORBIDDEN * 1e3 })
    }
}

fn one_simplex<F: Fn(&[f64]) -> f64>(cost: &F, start: &[f64], steps: &[f64], effort: Effort) -> (Vec<f64>, f64) {
    let scaled = Scaled { cost, origin: start, steps };
    let mut simplex = vec![vec![0.0; start.len()]];
    for axis in 0..start.len() {
        let mut corner = vec![0.0; start.len()];
        corner[axis] = 1.0;
        simplex.push(corner);
    }
    let here = (start.to_vec(), cost(start));
    let Ok(solver) = NelderMead::new(simplex).with_sd_tolerance(effort.tolerance) else { return here };
    let run = Executor::new(&scaled, solver).configure(|state| state.max_iters(effort.iterations)).timer(false).run();
    let Ok(run) = run else { return here };
    let best_cost = run.state().get_best_cost();
    match run.state().get_best_param() {
        Some(best) if best_cost.is_finite() && best_cost < here.1 => (scaled.at(best), best_cost),
        _ => here,
    }
}

/// The lowest point found from `start` with first simplex edges `steps`; a fresh, smaller simplex is
/// tried around each result until it brings nothing. Never worse than `start`.
pub(crate) fn minimise<F: Fn(&[f64]) -> f64>(
    cost: &F,
    start: &[f64],
    steps: &[f64],
    effort: Effort,
) -> (Vec<f64>, f64) {
    let (mut best, mut best_cost) = one_simplex(cost, start, steps, effort);
    for restart in 0..RESTARTS {
        // Alternating signs, so that a restart looks to the other side.
        let sign = if restart % 2 == 0 { -0.3 } else { 0.3 };
        let smaller: Vec<f64> = steps.iter().map(|step| step * sign).collect();
        let (found, found_cost) = one_simplex(cost, &best, &smaller, effort);
        let gained = best_cost - found_cost;
        (best, best_cost) = (found, found_cost);
        if gained <= 100.0 * effort.tolerance {
            break;
        }
    }
    (best, best_cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_bottom_of_a_curved_valley() {
        let rosenbrock = |v: &[f64]| (1.0 - v[0]).powi(2) + 100.0 * (v[1] - v[0] * v[0]).powi(2);
        let (best, cost) = minimise(&rosenbrock, &[-1.2, 1.0], &[0.3, 0.3], Effort::FINE);
        assert!(cost < 1e-8, "{cost}");
        assert!((best[0] - 1.0).abs() < 1e-3 && (best[1] - 1.0).abs() < 1e-3, "{best:?}");
    }

    #[test]
    fn forbidden_and_undefined_regions_do_not_stop_it() {
        let walled = |v: &[f64]| if v[0] < 0.0 { f64::NAN } else { (v[0] - 0.01).powi(2) + v[1] * v[1] };
        let (best, _) = minimise(&walled, &[1.0, 1.0], &[0.7, 0.7], Effort::FINE);
        assert!((best[0] - 0.01).abs() < 1e-4, "{best:?}");
        let nothing = |_: &[f64]| f64::INFINITY;
        assert_eq!(minimise(&nothing, &[1.0], &[0.1], Effort::FINE).0, [1.0]);
    }
}
