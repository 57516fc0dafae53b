//! The result of a fit, and its points.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::held_out::HeldOut;
use super::model::Model;
use crate::scaling::curves::Curve;
use crate::scaling::estimate::Estimate;
use crate::scaling::resample::Resampling;

/// One range of the systematic scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RangeRow {
    /// The law.
    pub model: Model,
    /// Lowest control.
    pub low: f64,
    /// Highest control.
    pub high: f64,
    /// Points in the range.
    pub points: usize,
    /// The parameters there, in the order of [`Model::parameters`].
    pub parameters: Vec<f64>,
    /// Their standard errors from the curvature of chi-square; `null` in JSON where infinite.
    pub errors: Vec<Option<f64>>,
    /// chi-square there.
    pub chi_square: f64,
    /// The weight in the systematic error, but for the factor of the errors; 0 where the fit is not
    /// sound.
    pub weight: f64,
}

impl RangeRow {
    pub(super) fn span(&self) -> [f64; 2] {
        [self.low, self.high]
    }
}

/// How the laws compare on one range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RangeWeights {
    /// Lowest control.
    pub low: f64,
    /// Highest control.
    pub high: f64,
    /// Points in the range.
    pub points: usize,
    /// Whether this is the range of the fit.
    pub chosen: bool,
    /// The law with the lowest AICc there.
    pub best: Model,
    /// The Akaike weight of every law there.
    pub weights: BTreeMap<Model, f64>,
    /// chi-square per degree of freedom of every law there.
    pub reduced: BTreeMap<Model, f64>,
}

/// One law, fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelFit {
    /// The law.
    pub name: Model,
    /// Its parameters by name.
    pub parameters: BTreeMap<String, Estimate>,
    /// AICc.
    pub aicc: f64,
    /// The Akaike weight among the laws fitted.
    pub weight: f64,
    /// The error on replicates that were not fitted; without at least three replicates there is none.
    pub held_out: Option<HeldOut>,
    /// The widest range scanned on which this law alone is acceptable.
    pub own_range: Option<[f64; 2]>,
    /// chi-square.
    pub chi_square: f64,
    /// Points fitted.
    pub points: usize,
    /// Searches started.
    pub starts: usize,
    /// Those that ended as low, within a chi-square of max(1, chi-square per degree of freedom), and
    /// within two combined errors in every parameter.
    pub reached: usize,
    /// Whether the parameters can be trusted.
    pub reliable: bool,
    /// Why not; empty where they can.
    pub reasons: Vec<String>,
}

impl ModelFit {
    /// The parameters in the order of [`Model::parameters`].
    pub fn values(&self) -> Vec<f64> {
        let value = |name: &&str| self.parameters.get(*name).map_or(f64::NAN, |estimate| estimate.value);
        self.name.parameters().iter().map(value).collect()
    }
}

/// All laws on one curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurveFit {
    /// The laws in the order asked for.
    pub models: Vec<ModelFit>,
    /// The law with the lowest AICc.
    pub best: Model,
    /// The system size.
    pub size: f64,
    /// The closed interval of the controls fitted.
    pub range: [f64; 2],
    /// Whether the range was given.
    pub range_given: bool,
    /// Points fitted.
    pub points: usize,
    /// The error given to every point of a curve without errors.
    pub assumed_error: Option<f64>,
    /// What stands below all laws but Rosenfeld's: the value of the first points; 0 without one.
    pub floor: f64,
    /// Whether the best law can be trusted.
    pub reliable: bool,
    /// Why not; empty where it can.
    pub reasons: Vec<String>,
    /// What the reader must know although the fit can be trusted.
    pub warnings: Vec<String>,
    /// How the resamples were drawn.
    pub resampling: Resampling,
    /// Resamples drawn.
    pub bootstraps: usize,
    /// What divides chi-square in AICc: max(1, the lowest chi-square per degree of freedom).
    pub overdispersion: f64,
    /// The laws on every range scanned.
    pub ranges: Vec<RangeWeights>,
    /// The systematic scan.
    pub scan: Vec<RangeRow>,
}

impl CurveFit {
    /// One law, if it was asked for.
    pub fn model(&self, model: Model) -> Option<&ModelFit> {
        self.models.iter().find(|fitted| fitted.name == model)
    }

    fn floor_of(&self, model: Model) -> f64 {
        if model.has_floor() { self.floor } else { 0.0 }
    }
}

/// A point of a curve beside a law, for figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FittedPoint {
    /// System size.
    pub size: f64,
    /// Control.
    pub control: f64,
    /// Value.
    pub value: f64,
    /// Its error.
    pub error: f64,
    /// The law.
    pub model: Model,
    /// Its value.
    pub fitted: f64,
    /// (value - fitted) / error.
    pub residual: f64,
    /// 1 where the point was fitted, else 0.
    pub used: u8,
}

/// All points of `curve` beside every law of `fit`, by law, controls ascending.
pub fn fitted_points(curve: &Curve, fit: &CurveFit) -> Vec<FittedPoint> {
    let [low, high] = fit.range;
    let mut rows = Vec::new();
    for model in &fit.models {
        let parameters = model.values();
        rows.extend(curve.points().iter().map(|point| {
            let fitted = fit.floor_of(model.name) + model.name.value(point.control, &parameters);
            let error = fit.assumed_error.unwrap_or(point.error);
            FittedPoint {
                size: curve.size(),
                control: point.control,
                value: point.value,
                error,
                model: model.name,
                fitted,
                residual: (point.value - fitted) / error,
                used: u8::from(low <= point.control && point.control <= high),
            }
        }));
    }
    rows
}

/// A law of a fit between its points, for figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LawPoint {
    /// System size.
    pub size: f64,
    /// The law.
    pub model: Model,
    /// Control.
    pub control: f64,
    /// The law's value.
    pub fitted: f64,
}

/// Every law of `fit` at `count` (at least 2) controls over its range, evenly spaced, in log where all
/// controls are above 0.
pub fn law_curves(fit: &CurveFit, count: usize) -> Vec<LawPoint> {
    let [low, high] = fit.range;
    let last = count.max(2) - 1;
    let control = |step: usize| match step as f64 / last as f64 {
        _ if step == last => high,
        share if low > 0.0 => low * (high / low).powf(share),
        share => low + (high - low) * share,
    };
    let mut rows = Vec::new();
    for model in &fit.models {
        let parameters = model.values();
        rows.extend((0..=last).map(control).map(|control| LawPoint {
            size: fit.size,
            model: model.name,
            control,
            fitted: fit.floor_of(model.name) + model.name.value(control, &parameters),
        }));
    }
    rows
}
