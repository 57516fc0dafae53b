//! The optima of the resamples as rows: the cloud of a landscape.

use serde::Serialize;

use super::CollapseFit;

/// The optimum of one resample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Resample {
    /// p_c.
    pub p_c: f64,
    /// 1/nu.
    pub inv_nu: f64,
    /// kappa/nu.
    pub kappa_over_nu: f64,
}

/// The optimum of every resample of a fit, in their order.
pub fn resampled(fit: &CollapseFit) -> impl Iterator<Item = Resample> {
    fit.bootstrap.iter().map(|&[p_c, inv_nu, kappa_over_nu]| Resample { p_c, inv_nu, kappa_over_nu })
}
