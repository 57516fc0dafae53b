//! One law on one range: the optimum, its errors and what speaks against it.

use std::ops::Range;

use rayon::prelude::*;

use super::model::{MOST, Model};
use super::result::{ModelFit, RangeRow};
use super::search::Optimum;
use super::{
    ACCEPTABLE, FEW_STARTS, FitOptions, MAX_EDGE, MAX_REDUCED, MAX_RELATIVE_ERROR, MIN_REACHED, aicc, lowest,
    points_of, reduced,
};
use crate::scaling::curves::Curve;
use crate::scaling::estimate::{Estimate, quality_weight, weighted_deviation};
use crate::scaling::minimise::Effort;
use crate::scaling::resample::{Resampling, resample_curve};
use crate::seed::Seeds;

/// A curve and the range on which laws are fitted to it.
pub(super) struct Task<'a> {
    pub curve: &'a Curve,
    pub values: &'a [f64],
    pub range: &'a Range<usize>,
    pub ranges: &'a [Range<usize>],
    pub resampling: Resampling,
    pub options: &'a FitOptions,
    pub seeds: Seeds,
}

impl Task<'_> {
    /// The law's fit, from its best fits of all ranges; its scan of ranges is added to `scan`.
    pub(super) fn fit(&self, model: Model, scanned: &[Option<Optimum>], scan: &mut Vec<RangeRow>) -> ModelFit {
        let Self { curve, options, .. } = *self;
        let points = points_of(curve, self.values, self.range);
        let n = self.range.len();
        let starts = points.starts(model, options.starts, &mut self.seeds.stream(&format!("fit starts {model}")));
        let ends = points.search(model, &starts, Effort::FINE);
        let none = Optimum { parameters: [0.0; MOST], chi_square: f64::INFINITY };
        let optimum = lowest(&ends).unwrap_or(none);
        let inflation = reduced(optimum.chi_square, n, model).max(1.0).sqrt();

        let resamples: Vec<(Optimum, bool)> = (0..options.bootstraps)
            .into_par_iter()
            .filter_map(|number| {
                let mut stream = self.seeds.stream(&format!("fit bootstrap {number}"));
                let values = resample_curve(curve, self.resampling, &mut stream);
                let points = points_of(curve, &values, self.range);
                let mut starts = points.starts(model, FEW_STARTS, &mut stream);
                starts.push(points.start_at(model, &optimum));
                let found = lowest(&points.search(model, &starts, Effort::COARSE))?;
                let at_edge = !points.faults(model, &found).is_empty();
                Some((found, at_edge))
            })
            .collect();

        let (mut acceptable, mut unsound) = (0, 0);
        let mut own = Vec::new();
        for (range, found) in self.ranges.iter().zip(scanned) {
            let Some(found) = found else { continue };
            let sound = points_of(curve, self.values, range).faults(model, found).is_empty();
            let ratio = reduced(found.chi_square, range.len(), model);
            if ratio <= ACCEPTABLE * inflation * inflation {
                acceptable += 1;
                unsound += usize::from(!sound);
            }
            let errors = points_of(curve, self.values, range).curvature_errors(model, found);
            own.push(RangeRow {
                model,
                low: curve.points()[range.start].control,
                high: curve.points()[range.end - 1].control,
                points: range.len(),
                parameters: found.parameters[..model.count()].to_vec(),
                errors: errors[..model.count()].iter().map(|error| error.is_finite().then_some(*error)).collect(),
                chi_square: found.chi_square,
                weight: if sound { quality_weight(ratio, inflation * inflation) } else { 0.0 },
            });
        }
        let span = [points.control[0], points.control[n - 1]];
        let own_errors = points.curvature_errors(model, &optimum);
        // Where the fit's own points leave a parameter open, every range counts in full.
        let own_errors = own_errors.map(|error| if error.is_finite() { error } else { f64::MAX.sqrt() });
        let mut estimates: Vec<Estimate> = (0..model.count())
            .map(|axis| {
                let cloud: Vec<f64> = resamples.iter().map(|(found, _)| found.parameters[axis]).collect();
                let value = optimum.parameters[axis];
                let systematic = weighted_deviation(own.iter().map(|row| {
                    // What a range cannot tell, it does not contradict: weights go with the variances.
                    let known = row.errors[axis].map_or(0.0, |error| (own_errors[axis] / error).powi(2).min(1.0));
                    (row.weight * known, row.parameters[axis] - value)
                }));
                // Between the points around it a jump may be anywhere.
                let gap = if model == Model::Jump && axis == 0 { 0.5 * points.gap(value) } else { 0.0 };
                Estimate::new(value, &cloud, inflation, systematic.hypot(gap))
            })
            .collect();
        let other_ranges = own.iter().filter(|row| row.weight > 0.0 && row.span() != span).count();
        scan.extend(own);

        let near = |other: &&Optimum| {
            other.chi_square - optimum.chi_square <= inflation * inflation
                && (0..model.count()).filter(|&axis| model != Model::Jump || model.needs(axis)).all(|axis| {
                    let distance = (other.parameters[axis] - optimum.parameters[axis]).abs();
                    distance <= 2.0 * estimates[axis].total() + 1e-9 * optimum.parameters[axis].abs()
                })
        };
        let reached = ends.iter().filter(near).count();
        let at_edge = resamples.iter().filter(|(_, at_edge)| *at_edge).count();

        let mut reasons = points.faults(model, &optimum);
        // The places of a jump are all tried, so the lowest is found whatever the others find.
        if model != Model::Jump && (reached as f64) < MIN_REACHED * options.starts as f64 {
            let percent = 100.0 * MIN_REACHED;
            reasons.push(format!(
                "{reached} of {} starts reach this optimum, at least {percent:.0} % are needed",
                options.starts
            ));
        }
        if at_edge as f64 > MAX_EDGE * options.bootstraps as f64 {
            reasons.push(format!(
                "{at_edge} of {} resamples run to the edge of the range searched, at most {:.0} % may",
                options.bootstraps,
                100.0 * MAX_EDGE
            ));
        }
        if 2 * unsound > acceptable {
            reasons.push(format!(
                "{unsound} of {acceptable} ranges that fit as well run to the edge of the range searched"
            ));
        }
        if other_ranges == 0 {
            reasons.push("no other range gives a sound fit: the systematic error is unknown".into());
        }
        if inflation * inflation > MAX_REDUCED {
            reasons.push(format!(
                "chi-square per degree of freedom is {:.1}, up to {MAX_REDUCED} is a fit",
                inflation * inflation
            ));
        }
        let [low, high] = span;
        for (axis, estimate) in estimates.iter_mut().enumerate() {
            // p_c may well be 0 or near it; it is measured against the controls fitted.
            let scale = if model.is_critical_point(axis) { high - low } else { estimate.value.abs() };
            // An unknown error must not look like none.
            if other_ranges == 0 {
                *estimate = estimate.widened(scale);
            }
            if model.needs(axis) && estimate.total() > MAX_RELATIVE_ERROR * scale {
                reasons.push(format!(
                    "{} = {:.4} is undetermined, its error is {:.4}",
                    model.parameters()[axis],
                    estimate.value,
                    estimate.total()
                ));
            }
        }
        ModelFit {
            name: model,
            parameters: model.parameters().iter().map(|name| (*name).to_owned()).zip(estimates).collect(),
            aicc: aicc(optimum.chi_square, n, model.count()),
            weight: 1.0,
            chi_square: optimum.chi_square,
            held_out: None,
            own_range: None,
            points: n,
            starts: starts.len(),
            reached,
            reliable: reasons.is_empty(),
            reasons,
        }
    }
}
