//! The search for collapses that are consistent with themselves.

use rayon::prelude::*;

use super::window::{PointSet, Window};
use crate::scaling::gaussian::Process;
use crate::scaling::minimise::{Effort, FORBIDDEN, minimise};
use crate::scaling::quality::{Dataset, Objective, Parameters};
use crate::seed::Stream;

/// 1/nu is searched here; an optimum at an edge is no collapse.
pub const INV_NU_RANGE: [f64; 2] = [0.05, 5.0];
/// |kappa/nu| is searched up to here.
pub const KAPPA_LIMIT: f64 = 10.0;
/// Curves of different sizes must differ this many times more before scaling than after.
pub const MIN_GAIN: f64 = 4.0;
/// With a larger S the curves do not fall on one another.
pub const MAX_QUALITY: f64 = 10.0;
/// A point set may lose this share of its brackets while the parameters move.
const MAX_LOST: f64 = 0.25;
/// Selections of one search at most.
const MAX_ROUNDS: usize = 40;

/// Where a search ended.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) at: Parameters,
    pub(super) quality: f64,
    pub(super) set: PointSet,
    /// Whether the set is the one that its own optimum selects; else the search went in circles
    /// and this is the circle's lowest member.
    pub(super) consistent: bool,
}

fn cost(data: &Dataset, set: &PointSet, objective: Objective, at: Parameters) -> f64 {
    let outside = |value: f64, [low, high]: [f64; 2]| (low - value).max(0.0) + (value - high).max(0.0);
    let violation = outside(at.inv_nu, INV_NU_RANGE) + outside(at.kappa_over_nu, [-KAPPA_LIMIT, KAPPA_LIMIT]);
    if violation > 0.0 {
        return FORBIDDEN * (1.0 + violation);
    }
    match data.quality(at, objective, |number, _| set.contains(number)) {
        Some(found) if found.points as f64 >= (1.0 - MAX_LOST) * set.count() as f64 => found.s,
        Some(found) => FORBIDDEN * (1.0 - found.points as f64 / set.count() as f64),
        None => FORBIDDEN,
    }
}

/// The usual first edges of the simplex: a tenth of the window at the largest size, 5 % of 1/nu.
fn wide_steps(data: &Dataset, window: Window, at: Parameters) -> [f64; 3] {
    let [low, high] = window.interval(data, at).unwrap_or([-1.0, 1.0]);
    let largest = data.series[data.series.len() - 1].ln_size;
    [0.1 * (high - low) * (-largest * at.inv_nu).exp(), 0.05 * at.inv_nu, 0.03 + 0.03 * at.kappa_over_nu.abs()]
}

/// The steps of a search are over when the parameters move by less than this share of the first
/// edges of the simplex.
const STILL: f64 = 1e-3;

/// With soft edges: optimises with the weights fixed, takes the weights of the optimum, and repeats
/// until it stays.
fn converge_smooth(data: &Dataset, window: Window, start: Parameters, effort: Effort) -> Option<Outcome> {
    let mut at = start;
    let mut round = 0;
    loop {
        let weights = data.soft_weights(at, window.interval(data, at)?);
        let needed = (1.0 - MAX_LOST) * data.soft_quality(at, &weights)?.1;
        let function = |values: &[f64]| {
            let at = Parameters::from_slice(values);
            let allowed =
                (INV_NU_RANGE[0]..=INV_NU_RANGE[1]).contains(&at.inv_nu) && at.kappa_over_nu.abs() <= KAPPA_LIMIT;
            let found = if allowed { data.soft_quality(at, &weights) } else { None };
            found.filter(|&(_, compared)| compared >= needed).map_or(FORBIDDEN, |(s, _)| s)
        };
        let steps = wide_steps(data, window, at);
        let shrink = if round == 0 { 1.0 } else { 0.3 };
        let (found, quality) = minimise(&function, &at.to_array(), &steps.map(|step| step * shrink), effort);
        if quality >= FORBIDDEN {
            return None;
        }
        let still = (0..3).all(|axis| (found[axis] - at.to_array()[axis]).abs() < STILL * steps[axis]);
        at = Parameters::from_slice(&found);
        round += 1;
        if still || round >= MAX_ROUNDS {
            return Some(Outcome { at, quality, set: PointSet::select(data, window, at)?, consistent: still });
        }
    }
}

/// The Gaussian process, from where the pooled S leads; its set of points is made consistent with
/// its own optimum. The quality of the outcome is the pooled S there.
fn converge_process(data: &Dataset, window: Window, start: Parameters, effort: Effort) -> Option<Outcome> {
    let mut at = converge(data, window, Objective::Pooled, start, None, Effort::COARSE)?.at;
    let mut set = PointSet::select(data, window, at)?;
    let mut theta = None;
    for round in 1.. {
        let process = Process::new(data, |number| set.contains(number));
        let [a, b, c] = at.to_array();
        let [d, e, f] = theta.unwrap_or_else(|| process.guess(at));
        let function = |values: &[f64]| {
            let at = Parameters::from_slice(values);
            let allowed =
                (INV_NU_RANGE[0]..=INV_NU_RANGE[1]).contains(&at.inv_nu) && at.kappa_over_nu.abs() <= KAPPA_LIMIT;
            let cost = if allowed { process.cost(at, [values[3], values[4], values[5]]) } else { None };
            cost.unwrap_or(FORBIDDEN)
        };
        let [p_c, inv_nu, kappa] = wide_steps(data, window, at).map(|step| 0.3 * step);
        let steps = [p_c, inv_nu, kappa, 0.5, 0.3, 0.5];
        let (found, cost) = minimise(&function, &[a, b, c, d, e, f], &steps, effort);
        if cost >= FORBIDDEN {
            return None;
        }
        at = Parameters::from_slice(&found);
        theta = Some([found[3], found[4], found[5]]);
        let next = PointSet::select(data, window, at)?;
        let consistent = next == set;
        if consistent || round >= MAX_PROCESS_ROUNDS {
            let quality = data.quality(at, Objective::Pooled, |number, _| next.contains(number))?.s;
            return Some(Outcome { at, quality, set: next, consistent });
        }
        set = next;
    }
    None
}

/// Selections of one search with a Gaussian process at most.
const MAX_PROCESS_ROUNDS: usize = 6;

/// Optimises with the set of points fixed, selects the set anew at the optimum, and repeats until
/// the set stays, or comes back (a circle). `steps` are the first edges of the simplex, wide ones
/// without: S has kinks and jumps where points change their brackets, and small edges find the
/// local optima between them that wide ones step over.
pub(super) fn converge(
    data: &Dataset,
    window: Window,
    objective: Objective,
    start: Parameters,
    steps: Option<[f64; 3]>,
    effort: Effort,
) -> Option<Outcome> {
    match objective {
        Objective::Smooth => return converge_smooth(data, window, start, effort),
        Objective::GaussianProcess => return converge_process(data, window, start, effort),
        Objective::Pooled | Objective::Pairwise => {}
    }
    let mut at = start;
    let mut set = PointSet::select(data, window, at)?;
    let mut history: Vec<Outcome> = Vec::new();
    let mut shrink = 1.0;
    loop {
        let edges = steps.unwrap_or_else(|| wide_steps(data, window, at)).map(|step| step * shrink);
        let function = |values: &[f64]| cost(data, &set, objective, Parameters::from_slice(values));
        let (found, quality) = minimise(&function, &at.to_array(), &edges, effort);
        if quality >= FORBIDDEN {
            return None;
        }
        at = Parameters::from_slice(&found);
        if steps.is_none() {
            shrink = 0.3;
        }
        let next = PointSet::select(data, window, at)?;
        let consistent = next == set;
        history.push(Outcome { at, quality, set, consistent });
        if consistent {
            return history.pop();
        }
        let back = history.iter().position(|outcome| outcome.set == next);
        if back.is_some() || history.len() >= MAX_ROUNDS {
            return history.drain(back.unwrap_or(0)..).min_by(|a, b| a.quality.total_cmp(&b.quality));
        }
        set = next;
    }
}

/// The lowest S of the same points without scaling the control (1/nu = 0), whatever kappa/nu: what
/// 1/nu and p_c have to beat. Sizes that differ by a factor alone collapse here already.
pub(super) fn unscaled_quality(data: &Dataset, outcome: &Outcome) -> Option<f64> {
    let quality = |kappa_over_nu: f64| {
        let at = Parameters { inv_nu: 0.0, kappa_over_nu, ..outcome.at };
        data.quality(at, Objective::Pooled, |number, _| outcome.set.contains(number)).map(|found| found.s)
    };
    let centre = outcome.at.kappa_over_nu;
    let grid = (-10..=10).map(|n| centre + 0.1 * f64::from(n)).chain([0.0]);
    let (start, _) = grid.filter_map(|kappa| Some((kappa, quality(kappa)?))).min_by(|a, b| a.1.total_cmp(&b.1))?;
    let cost = |values: &[f64]| quality(values[0]).unwrap_or(FORBIDDEN);
    let (_, lowest) = minimise(&cost, &[start], &[0.03], Effort { tolerance: 1e-4, iterations: 60 });
    Some(lowest)
}

/// What speaks against an outcome being a collapse; empty for a sound one.
pub(super) fn faults(data: &Dataset, window: Window, outcome: &Outcome) -> Vec<String> {
    let mut faults = Vec::new();
    let at = outcome.at;
    let [low, high] = INV_NU_RANGE;
    if at.inv_nu < low * 1.02 || at.inv_nu > high * 0.98 {
        faults.push(format!("1/nu = {:.3} is at the edge of the range searched, {low} to {high}", at.inv_nu));
    }
    if at.kappa_over_nu.abs() > 0.98 * KAPPA_LIMIT {
        faults.push(format!("kappa/nu = {:.3} is at the edge of the range searched", at.kappa_over_nu));
    }
    let covers_zero = window.interval(data, at).is_some_and(|[low, high]| low < 0.0 && high > 0.0);
    if covers_zero && outcome.set.sizes_around(data, at.p_c) < 2 {
        faults.push(format!("p_c = {:.6} has points on both sides for fewer than 2 sizes", at.p_c));
    }
    if outcome.quality > MAX_QUALITY {
        faults.push(format!(
            "S = {:.2}: the points scatter {:.1} times their errors, S up to {MAX_QUALITY} is a collapse; try a narrower window or leave out the smallest sizes",
            outcome.quality,
            outcome.quality.sqrt()
        ));
    }
    if let Some(unscaled) = unscaled_quality(data, outcome)
        && unscaled < MIN_GAIN * outcome.quality
    {
        faults.push(format!(
            "scaling hardly brings the curves together: S = {:.3} against {unscaled:.3} without scaling the control, a ratio of {MIN_GAIN} is needed",
            outcome.quality
        ));
    }
    faults
}

/// kappa/nu from the values at p_c alone: minus the slope of ln A(p_c) against ln L.
pub(super) fn kappa_at(data: &Dataset, p_c: f64) -> Option<f64> {
    let mut points = Vec::new();
    for one in &data.series {
        let above = one.control.partition_point(|&control| control < p_c);
        if above == 0 || above == one.control.len() {
            continue;
        }
        let share = (p_c - one.control[above - 1]) / (one.control[above] - one.control[above - 1]);
        let value = one.value[above - 1] + share * (one.value[above] - one.value[above - 1]);
        if value <= 0.0 {
            return None;
        }
        points.push((one.ln_size, value.ln()));
    }
    if points.len() < 2 {
        return None;
    }
    let n = points.len() as f64;
    let (mean_x, mean_y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / n, y + point.1 / n));
    let (xy, xx) = points.iter().fold((0.0, 0.0), |(xy, xx), point| {
        (xy + (point.0 - mean_x) * (point.1 - mean_y), xx + (point.0 - mean_x).powi(2))
    });
    Some((-xy / xx).clamp(-0.9 * KAPPA_LIMIT, 0.9 * KAPPA_LIMIT))
}

/// Candidates for p_c and 1/nu in the grid scan.
const GRID: [usize; 2] = [28, 10];
/// Local minima of the grid that are followed.
const FOLLOWED: usize = 12;

/// Starts from a grid scan over the whole range of the control (its quantiles over all points),
/// 1/nu from 0.12 to 3 in log and kappa/nu around the slope of the values at p_c: the lowest local
/// minima of S, those first whose points differ between sizes before scaling.
fn grid_starts(data: &Dataset, window: Window) -> Vec<Parameters> {
    let mut controls: Vec<f64> = data.series.iter().flat_map(|one| one.control.iter().copied()).collect();
    controls.sort_by(f64::total_cmp);
    let [rows, columns] = GRID;
    let cells: Vec<Option<(f64, Parameters, bool)>> = (0..rows * columns)
        .into_par_iter()
        .map(|cell| {
            let (row, column) = (cell / columns, cell % columns);
            let share = (row as f64 + 0.5) / rows as f64;
            let p_c = super::super::estimate::quantile(&controls, share)?;
            let inv_nu = 0.12 * (3.0f64 / 0.12).powf(column as f64 / (columns - 1) as f64);
            let kappas: Vec<f64> = match kappa_at(data, p_c) {
                Some(slope) => [-0.25, -0.08, 0.0, 0.08, 0.25].iter().map(|shift| slope + shift).collect(),
                None => (-6..=6).map(|n| 0.4 * f64::from(n)).collect(),
            };
            let at = |kappa_over_nu| Parameters { p_c, inv_nu, kappa_over_nu };
            let set = PointSet::select(data, window, at(0.0))?;
            let quality = |at| data.quality(at, Objective::Pooled, |number, _| set.contains(number)).map(|q| q.s);
            let (best, kappa) = kappas
                .iter()
                .filter_map(|&kappa| Some((quality(at(kappa))?, kappa)))
                .min_by(|a, b| a.0.total_cmp(&b.0))?;
            let unscaled = quality(Parameters { p_c, inv_nu: 0.0, kappa_over_nu: 0.0 });
            Some((best, at(kappa), unscaled.is_none_or(|s| s > 2.0)))
        })
        .collect();
    let value = |row: usize, column: usize| cells[row * columns + column].as_ref().map_or(f64::INFINITY, |c| c.0);
    let mut minima: Vec<(f64, Parameters, bool)> = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            let Some(cell) = cells[row * columns + column] else { continue };
            let beaten = (row.saturating_sub(1)..=(row + 1).min(rows - 1))
                .any(|r| (column.saturating_sub(1)..=(column + 1).min(columns - 1)).any(|c| value(r, c) < cell.0));
            if !beaten {
                minima.push(cell);
            }
        }
    }
    minima.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.total_cmp(&b.0)));
    minima.into_iter().take(FOLLOWED).map(|(_, at, _)| at).collect()
}

/// The first starts: a guess, if there is one, and those of the grid scan.
pub(super) fn first_starts(data: &Dataset, window: Window, guess: Option<Parameters>) -> Vec<Parameters> {
    guess.into_iter().chain(grid_starts(data, window)).collect()
}

/// Starts around a collapse: p_c up to 0.3 of the window's width (at the smallest size) away, 1/nu
/// and kappa/nu up to 30 % (at least 0.05).
pub(super) fn starts_around(
    data: &Dataset,
    window: Window,
    at: Parameters,
    count: usize,
    stream: &mut Stream,
) -> Vec<Parameters> {
    let [low, high] = window.interval(data, at).unwrap_or([-1.0, 1.0]);
    let width = (high - low) * (-data.series[0].ln_size * at.inv_nu).exp();
    (0..count)
        .map(|_| Parameters {
            p_c: at.p_c + 0.3 * width * stream.uniform(-1.0, 1.0),
            inv_nu: at.inv_nu * (1.0 + 0.3 * stream.uniform(-1.0, 1.0)),
            kappa_over_nu: at.kappa_over_nu + (0.3 * at.kappa_over_nu.abs()).max(0.05) * stream.uniform(-1.0, 1.0),
        })
        .collect()
}

/// Follows all starts, in parallel; the results are in the order of the starts.
pub(super) fn follow(
    data: &Dataset,
    window: Window,
    objective: Objective,
    starts: &[Parameters],
    effort: Effort,
) -> Vec<Option<Outcome>> {
    starts.par_iter().map(|&start| converge(data, window, objective, start, None, effort)).collect()
}

/// The best outcome: a sound one before one with faults, one that is consistent with itself before
/// a circle, then the lowest S.
pub(super) fn best<'a>(
    data: &Dataset,
    window: Window,
    outcomes: impl IntoIterator<Item = &'a Outcome>,
) -> Option<&'a Outcome> {
    outcomes
        .into_iter()
        .map(|outcome| (!faults(data, window, outcome).is_empty(), !outcome.consistent, outcome))
        .min_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.quality.total_cmp(&b.2.quality)))
        .map(|(_, _, outcome)| outcome)
}
