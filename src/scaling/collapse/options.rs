//! How to fit a collapse, and what it needs.

use crate::scaling::ScalingError;
use crate::scaling::curves::{Curves, ErrorSource};
use crate::scaling::quality::{Objective, Parameters};
use crate::scaling::resample::Resampling;

/// Points that every size must have in the table.
pub const MIN_POINTS_IN_TABLE: usize = 5;
/// How to fit a collapse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CollapseOptions {
    /// The window in x; `None`: found from the data.
    pub window: Option<[f64; 2]>,
    /// A starting guess, tried before the scan of the whole range of the data, which is made all the
    /// same: a guess never hides a better collapse.
    pub guess: Option<Parameters>,
    /// What is minimised, [`Objective::Pooled`] by default; without a window, the window is found
    /// with that all the same.
    pub objective: Objective,
    /// The number of starts around the optimum, at least 10.
    pub starts: usize,
    /// The number of resamples, at least 10.
    pub bootstraps: usize,
    /// How resamples are drawn; `None`: [`Resampling::for_curves`].
    pub resampling: Option<Resampling>,
    /// The seed of the starts and resamples.
    pub seed: u64,
}

impl Default for CollapseOptions {
    fn default() -> Self {
        Self {
            window: None,
            guess: None,
            objective: Objective::Pooled,
            starts: 40,
            bootstraps: 200,
            resampling: None,
            seed: 0,
        }
    }
}

pub(super) fn check(curves: &Curves, options: &CollapseOptions) -> Result<(), ScalingError> {
    let option = |what, value: String, needed| Err(ScalingError::Option { what, value, needed });
    if let Some([low, high]) = options.window
        && !(low.is_finite() && high.is_finite() && low < high)
    {
        return option("window", format!("{low},{high}"), "a finite lower edge below a finite upper edge");
    }
    if options.bootstraps < 10 {
        return option("bootstrap", options.bootstraps.to_string(), "a number of at least 10");
    }
    if options.starts < 10 {
        return option("starts", options.starts.to_string(), "a number of at least 10");
    }
    if let Some(guess) = options.guess
        && !guess.to_array().iter().all(|value| value.is_finite())
    {
        return option("guess", format!("{guess:?}"), "three finite numbers");
    }
    if options.resampling == Some(Resampling::Replicates) && curves.source() != ErrorSource::Replicates {
        return option("resampling", "replicates".into(), "a table with a column of replicates");
    }
    let there = curves.curves().len();
    if there < 2 {
        return Err(ScalingError::TooFewSizes { there, needed: 2 });
    }
    if curves.source() == ErrorSource::Unknown {
        return Err(ScalingError::NoErrors);
    }
    for curve in curves.curves() {
        let there = curve.points().len();
        if there < MIN_POINTS_IN_TABLE {
            let what = format!("size {}", curve.size());
            return Err(ScalingError::TooFewPoints { what, there, needed: MIN_POINTS_IN_TABLE });
        }
    }
    Ok(())
}
