//! The result of a joint collapse.

use serde::{Deserialize, Serialize};

use crate::scaling::estimate::Estimate;
use crate::scaling::master::Correction;
use crate::scaling::quality::Parameters;
use crate::scaling::resample::Resampling;

/// One observable of a joint fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JointObservable {
    /// Its name.
    pub name: String,
    /// Its exponent.
    pub kappa_over_nu: Estimate,
    /// Points used.
    pub points: usize,
    /// What its points were taken to have in common.
    pub resampling: Resampling,
}

/// An amplitude of a correction, with its statistical error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Amplitude {
    /// `b NAME` or `a`.
    pub name: String,
    /// The value at the smallest size used: the correction is this times (L/L_min)^-omega.
    pub value: f64,
    /// Its statistical error.
    pub statistical: f64,
}

/// Another choice of smallest size, window or master curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JointChoice {
    /// The smallest size used.
    pub min_size: f64,
    /// The number of sizes used.
    pub sizes: usize,
    /// The window in x, lower edge.
    pub window_low: f64,
    /// Upper edge.
    pub window_high: f64,
    /// Intervals of the master curves.
    pub intervals: usize,
    /// p_c there.
    pub p_c: f64,
    /// 1/nu there.
    pub inv_nu: f64,
    /// kappa/nu of every observable there.
    pub kappa_over_nu: Vec<f64>,
    /// chi-square for each degree of freedom there.
    pub quality: f64,
    /// Points used.
    pub points: usize,
    /// The weight in the systematic error.
    pub weight: f64,
}

impl JointChoice {
    /// p_c, 1/nu, kappa/nu of every observable.
    pub(super) fn of(&self, axis: usize) -> f64 {
        match axis {
            0 => self.p_c,
            1 => self.inv_nu,
            _ => self.kappa_over_nu[axis - 2],
        }
    }
}

/// A point of a joint collapse, for figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JointPoint {
    /// The observable's name.
    pub observable: String,
    /// System size.
    pub size: f64,
    /// Control.
    pub control: f64,
    /// Value.
    pub value: f64,
    /// Error of the value.
    pub error: f64,
    /// (p - p_c) L^(1/nu) - a (L/L_min)^-omega.
    pub x: f64,
    /// A L^(kappa/nu) / (1 + b (L/L_min)^-omega).
    pub y: f64,
    /// Its error.
    pub y_error: f64,
    /// The master curve there.
    pub master: f64,
    /// (y - master) / y_error.
    pub residual: f64,
}

/// A collapse by least squares with its errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JointFit {
    /// The critical point.
    pub p_c: Estimate,
    /// 1/nu.
    pub inv_nu: Estimate,
    /// kappa/nu of the first observable.
    pub kappa_over_nu: Estimate,
    /// All observables, in their order.
    pub observables: Vec<JointObservable>,
    /// The correction that was fitted along.
    pub correction: Correction,
    /// Its exponent.
    pub omega: f64,
    /// Its amplitudes.
    pub amplitudes: Vec<Amplitude>,
    /// Names of the rows and columns of `covariance`.
    pub parameters: Vec<String>,
    /// The statistical covariance of all parameters.
    pub covariance: Vec<Vec<f64>>,
    /// chi-square for each degree of freedom.
    pub quality: f64,
    /// chi-square.
    pub chi_square: f64,
    /// Points in chi-square.
    pub points: usize,
    /// Intervals of the master curves.
    pub intervals: usize,
    /// Searches started around the optimum.
    pub starts: usize,
    /// Those that ended there.
    pub reached: usize,
    /// Whether the result can be trusted.
    pub reliable: bool,
    /// Why not.
    pub reasons: Vec<String>,
    /// What the reader must know although the fit can be trusted.
    pub warnings: Vec<String>,
    /// The window in x.
    pub window: [f64; 2],
    /// Whether it was given.
    pub window_given: bool,
    /// The sizes used.
    pub sizes: Vec<f64>,
    /// The other choices of the systematic scan.
    pub scan: Vec<JointChoice>,
    /// The points of the fit.
    #[serde(skip)]
    pub scaled: Vec<JointPoint>,
}

impl JointFit {
    /// The three parameters of one observable.
    pub fn parameters_of(&self, observable: usize) -> Option<Parameters> {
        let kappa_over_nu = self.observables.get(observable)?.kappa_over_nu.value;
        Some(Parameters { p_c: self.p_c.value, inv_nu: self.inv_nu.value, kappa_over_nu })
    }
}
