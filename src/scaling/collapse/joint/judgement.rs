//! The systematic error of a joint collapse, and why it cannot be trusted.

use super::super::search::KAPPA_LIMIT;
use super::super::systematic::{Moved, from_sizes, spread};
use super::super::{MAX_RELATIVE_ERROR, MIN_REACHED};
use super::JointOptions;
use super::result::JointChoice;
use super::task::{Found, Task};
use crate::scaling::estimate::Estimate;
use crate::scaling::master::Correction;

/// A larger chi-square for each degree of freedom is no collapse.
const MAX_REDUCED: f64 = 10.0;
/// The systematic error of one parameter.
pub(super) fn systematic(scan: &[JointChoice], best: &Found, sizes: &[f64], task: &Task<'_>, axis: usize) -> f64 {
    let value = best.solution.theta[axis];
    let pair = |choice: &JointChoice| (choice.weight, choice.of(axis) - value);
    let own = || scan.iter().filter(|choice| choice.min_size == sizes[0]);
    let same_window = |choice: &&JointChoice| choice.window_low == task.window[0];
    let windows = spread(own().filter(|choice| !same_window(choice)).map(pair));
    let curves = spread(own().filter(same_window).map(pair));
    let smaller = || scan.iter().filter(|choice| choice.min_size != sizes[0]);
    let from_size = if task.correction == Correction::None {
        let moved: Vec<Moved> = smaller()
            .map(|choice| Moved {
                min_size: choice.min_size,
                weight: choice.weight,
                share: (choice.points as f64 / best.solution.points as f64).min(1.0),
                by: choice.of(axis) - value,
            })
            .collect();
        from_sizes(sizes, sizes[0], task.omega, &moved)
    } else {
        spread(smaller().map(pair))
    };
    [windows, curves, from_size].into_iter().fold(0.0, f64::hypot)
}

/// Why a fit cannot be trusted.
pub(super) fn reasons(
    task: &Task<'_>,
    options: &JointOptions,
    quality: f64,
    reached: usize,
    (all, judged): (&[Estimate], &[f64]),
    unknown: bool,
) -> Vec<String> {
    let mut reasons = Vec::new();
    if (reached as f64) < MIN_REACHED * options.starts as f64 {
        let needed = 100.0 * MIN_REACHED;
        reasons.push(format!(
            "{reached} of {} starts reach this optimum, at least {needed:.0} % are needed",
            options.starts
        ));
    }
    if quality > MAX_REDUCED {
        reasons
            .push(format!("chi-square for each degree of freedom is {quality:.2}, up to {MAX_REDUCED} is a collapse"));
    }
    if judged[1] > MAX_RELATIVE_ERROR * all[1].value.abs() {
        reasons.push(format!("1/nu = {:.3} is undetermined, its error is {:.3}", all[1].value, judged[1]));
    }
    for ((estimate, &error), (name, _)) in all[2..].iter().zip(&judged[2..]).zip(&task.curves) {
        let value = estimate.value;
        if value.abs() > 0.98 * KAPPA_LIMIT || error > MAX_RELATIVE_ERROR * value.abs().max(0.5) {
            reasons.push(format!("kappa/nu of {name} = {value:.3} is undetermined, its error is {error:.3}"));
        }
    }
    if unknown {
        reasons.push("no other smallest size or window can be fitted: the systematic error is unknown".into());
    }
    reasons
}
