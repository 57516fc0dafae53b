//! The result of a fit, and its points.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::model::{Model, PARAMETERS};
use crate::scaling::curves::Curve;
use crate::scaling::estimate::Estimate;
use crate::scaling::resample::Resampling;

/// One range of the systematic scan.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
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
    pub parameters: [f64; PARAMETERS],
    /// Their standard errors from the curvature of chi-square; `null` in JSON where infinite.
    pub errors: [Option<f64>; PARAMETERS],
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
    pub fn values(&self) -> [f64; PARAMETERS] {
        self.name.parameters().map(|name| self.parameters.get(name).map_or(f64::NAN, |estimate| estimate.value))
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
    /// The systematic scan.
    pub scan: Vec<RangeRow>,
}

impl CurveFit {
    /// One law, if it was asked for.
    pub fn model(&self, model: Model) -> Option<&ModelFit> {
        self.models.iter().find(|fitted| fitted.name == model)
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
            let fitted = model.name.value(point.control, parameters);
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
