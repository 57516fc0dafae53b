//! Points of one size and one observable, and what their errors have in common.

use crate::scaling::curves::Curve;
use crate::scaling::resample::Resampling;

/// Points of one size and one observable.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) observable: usize,
    pub(crate) size: f64,
    pub(crate) ln_size: f64,
    pub(crate) control: Vec<f64>,
    pub(crate) value: Vec<f64>,
    pub(crate) error: Vec<f64>,
    pub(crate) deviations: Deviations,
}

/// Independent vectors over the points of a block, in their errors; the sum of their outer products is
/// the covariance of the points.
#[derive(Debug, Clone)]
pub(crate) enum Deviations {
    /// Each point alone.
    Points,
    /// All points together, by one error each.
    Runs,
    /// The distance of each replicate from the mean, over sqrt(n (n - 1)).
    Replicates(Vec<Vec<f64>>),
}

impl Block {
    /// The points of a curve that `keep` accepts; `None` where there are none.
    pub(crate) fn new(
        curve: &Curve,
        observable: usize,
        resampling: Resampling,
        keep: impl Fn(usize) -> bool,
    ) -> Option<Self> {
        let kept = curve.points().iter().enumerate().filter(|(j, _)| keep(*j)).map(|(_, point)| point);
        let points: Vec<_> = kept.collect();
        if points.is_empty() {
            return None;
        }
        let deviations = match resampling {
            Resampling::PointByPoint => Deviations::Points,
            Resampling::SharedRuns => Deviations::Runs,
            Resampling::Replicates => {
                let count = curve.replicates() as f64;
                let scale = 1.0 / (count * (count - 1.0)).sqrt();
                let mut all = vec![vec![0.0; points.len()]; curve.replicates()];
                for (j, point) in points.iter().enumerate() {
                    for &(replicate, value) in &point.samples {
                        all[replicate][j] = scale * (value - point.value) / point.error;
                    }
                }
                Deviations::Replicates(all)
            }
        };
        Some(Self {
            observable,
            size: curve.size(),
            ln_size: curve.size().ln(),
            control: points.iter().map(|point| point.control).collect(),
            value: points.iter().map(|point| point.value).collect(),
            error: points.iter().map(|point| point.error).collect(),
            deviations,
        })
    }

    /// How the deviations move quantities with these derivatives, one list for each quantity.
    pub(super) fn moves(&self, derivatives: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let along = |deviation: &[f64]| -> Vec<f64> {
            derivatives.iter().map(|one| one.iter().zip(deviation).map(|(a, b)| a * b).sum()).collect()
        };
        match &self.deviations {
            Deviations::Points => {
                (0..self.control.len()).map(|j| derivatives.iter().map(|one| one[j]).collect()).collect()
            }
            Deviations::Runs => vec![derivatives.iter().map(|one| one.iter().sum()).collect()],
            Deviations::Replicates(all) => all.iter().map(|deviation| along(deviation)).collect(),
        }
    }
}
