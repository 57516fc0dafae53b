//! The result of a collapse, and its scaled points.

use serde::{Deserialize, Serialize};

use super::scan::{Choice, ScanRow};
use super::window::{PointSet, Window};
use crate::scaling::curves::Curves;
use crate::scaling::estimate::Estimate;
use crate::scaling::quality::{Dataset, Objective, Parameters};
use crate::scaling::resample::Resampling;

/// Another optimum that is consistent with itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    /// p_c there.
    pub p_c: f64,
    /// 1/nu there.
    pub inv_nu: f64,
    /// kappa/nu there.
    pub kappa_over_nu: f64,
    /// S there.
    pub quality: f64,
    /// Points used.
    pub points: usize,
    /// Whether its set of points is the one that it selects; else the lowest of a circle.
    pub consistent: bool,
    /// How many of the starts ended here.
    pub reached: usize,
    /// The weight in the systematic error.
    pub weight: f64,
}

/// A collapse with its errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CollapseFit {
    /// The critical point.
    pub p_c: Estimate,
    /// 1/nu.
    pub inv_nu: Estimate,
    /// kappa/nu.
    pub kappa_over_nu: Estimate,
    /// S at the optimum.
    pub quality: f64,
    /// The lowest S of the same points with the control not scaled, 1/nu = 0.
    pub unscaled_quality: Option<f64>,
    /// Points in S.
    pub points: usize,
    /// Searches started around the optimum.
    pub starts: usize,
    /// Those that ended within two combined errors of it, in every parameter.
    pub reached: usize,
    /// Whether the result can be trusted.
    pub reliable: bool,
    /// Why not; empty where it can.
    pub reasons: Vec<String>,
    /// What the reader must know although the fit can be trusted.
    pub warnings: Vec<String>,
    /// Whether the set of points is the one that the optimum selects.
    pub consistent: bool,
    /// What was minimised; `quality` is the pooled S with a Gaussian process.
    pub objective: Objective,
    /// The window in x.
    pub window: [f64; 2],
    /// Whether the window was given.
    pub window_given: bool,
    /// The sizes used.
    pub sizes: Vec<f64>,
    /// How the resamples were drawn.
    pub resampling: Resampling,
    /// Other optima, the lowest S first.
    pub alternatives: Vec<Alternative>,
    /// The systematic scan.
    pub scan: Vec<ScanRow>,
    /// Resamples asked for.
    pub bootstraps: usize,
    /// p_c, 1/nu and kappa/nu of each resample that could be fitted.
    pub bootstrap: Vec<[f64; 3]>,
}

impl CollapseFit {
    /// The three parameters at the optimum.
    pub fn parameters(&self) -> Parameters {
        Parameters { p_c: self.p_c.value, inv_nu: self.inv_nu.value, kappa_over_nu: self.kappa_over_nu.value }
    }
}

/// A point of a collapse, for figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScaledPoint {
    /// System size.
    pub size: f64,
    /// Control.
    pub control: f64,
    /// Value.
    pub value: f64,
    /// Error of the value.
    pub error: f64,
    /// (p - p_c) L^(1/nu).
    pub x: f64,
    /// A L^(kappa/nu).
    pub y: f64,
    /// error L^(kappa/nu).
    pub y_error: f64,
    /// 1 where the point is in S, else 0 (outside the window, not bracketed, or its size left out).
    pub used: u8,
    /// The master curve there, from the points of the other sizes around it; of points in S.
    pub master: Option<f64>,
    /// (y - master) over the error of the difference; the mean of its squares is the pooled S.
    pub residual: Option<f64>,
}

/// All points of `curves`, scaled with the fit's parameters, sizes then controls ascending.
pub fn scaled_points(curves: &Curves, fit: &CollapseFit) -> Vec<ScaledPoint> {
    let at = fit.parameters();
    let choice = Choice::new(&curves.from_size(fit.sizes[0]), Window::Fixed(fit.window));
    let set = PointSet::select(&choice.data, choice.window, at);
    let left_out = curves.curves().len() - choice.curves.curves().len();
    let mut masters: Vec<Option<(f64, f64)>> = vec![None; choice.data.total()];
    if let Some(set) = &set {
        let keep = |number: usize, _| set.contains(number);
        choice.data.visit(at, Objective::Pooled, keep, |number, _, _, line| masters[number] = line.at_zero());
    }
    let mut scaled = Vec::new();
    for (index, curve) in curves.curves().iter().enumerate() {
        let (x_scale, y_scale) = (curve.size().powf(at.inv_nu), curve.size().powf(at.kappa_over_nu));
        for (j, point) in curve.points().iter().enumerate() {
            let number = index.checked_sub(left_out).map(|own| choice.data.offsets[own] + j);
            let used = number.is_some_and(|number| set.as_ref().is_some_and(|set| set.contains(number)));
            let master = number.and_then(|number| masters[number]);
            let (y, y_error) = (point.value * y_scale, point.error * y_scale);
            scaled.push(ScaledPoint {
                size: curve.size(),
                control: point.control,
                value: point.value,
                error: point.error,
                x: (point.control - at.p_c) * x_scale,
                y,
                y_error,
                used: u8::from(used),
                master: master.map(|(value, _)| value),
                residual: master.map(|(value, variance)| (y - value) / (y_error * y_error + variance).sqrt()),
            });
        }
    }
    scaled
}

/// S at a point of the plane of p_c and 1/nu, for figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LandscapePoint {
    /// p_c.
    pub p_c: f64,
    /// 1/nu.
    pub inv_nu: f64,
    /// kappa/nu, that of the fit.
    pub kappa_over_nu: f64,
    /// S over the points in the window there; empty where no point can be compared.
    pub quality: Option<f64>,
    /// The number of these points.
    pub points: usize,
}

/// Cells of the landscape in each direction on either side of the optimum.
const LANDSCAPE: i32 = 20;

/// The pooled S on a grid of 41 x 41 points around the fit, to four combined errors in p_c and 1/nu,
/// with kappa/nu of the fit. The hard window selects anew at each point, so the landscape shows its
/// jumps. O(1681 x points x sizes).
pub fn landscape(curves: &Curves, fit: &CollapseFit) -> Vec<LandscapePoint> {
    let curves = curves.from_size(fit.sizes[0]);
    let data = Dataset::new(&curves);
    let [low, high] = fit.window;
    let step = |error: f64| 4.0 * error / f64::from(LANDSCAPE);
    let mut grid = Vec::new();
    for row in -LANDSCAPE..=LANDSCAPE {
        for column in -LANDSCAPE..=LANDSCAPE {
            let p_c = fit.p_c.value + f64::from(row) * step(fit.p_c.total());
            let inv_nu = fit.inv_nu.value + f64::from(column) * step(fit.inv_nu.total());
            let kappa_over_nu = fit.kappa_over_nu.value;
            let at = Parameters { p_c, inv_nu, kappa_over_nu };
            let found = data.quality(at, Objective::Pooled, |_, x| low <= x && x <= high);
            let (quality, points) = (found.map(|found| found.s), found.map_or(0, |found| found.points));
            grid.push(LandscapePoint { p_c, inv_nu, kappa_over_nu, quality, points });
        }
    }
    grid
}
