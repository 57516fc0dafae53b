//! Points of one size that may share their runs or replicates.

/// What the errors of a size's points have in common.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shared {
    /// Nothing.
    Nothing,
    /// This share of their variance: the correlation of any two points.
    Common(f64),
    /// The correlation of every point with the one before it (that of the first is not used), the
    /// points forming a chain, measured over replicates.
    Chain(Vec<f64>),
    /// The same, assumed: chi-square is then no count of points.
    AssumedChain(Vec<f64>),
}

/// Points of one size and one observable.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) observable: usize,
    pub(crate) ln_size: f64,
    pub(crate) control: Vec<f64>,
    pub(crate) value: Vec<f64>,
    pub(crate) error: Vec<f64>,
    pub(crate) shared: Shared,
    /// The distance of every replicate from the mean, point by point; empty without replicates.
    pub(crate) deviations: Vec<Vec<f64>>,
}

impl Block {
    /// How many independent points the block is worth: all of them once a known correlation is taken
    /// out.
    pub(crate) fn worth(&self) -> f64 {
        match &self.shared {
            Shared::AssumedChain(links) => 1.0 + links.iter().skip(1).map(|link| 1.0 - link).sum::<f64>(),
            _ => self.control.len() as f64,
        }
    }

    /// Divides by the errors and takes the correlation out.
    pub(super) fn whiten(&self, values: &mut [f64]) {
        let n = values.len() as f64;
        for (value, error) in values.iter_mut().zip(&self.error) {
            *value /= error;
        }
        match &self.shared {
            Shared::Nothing => {}
            Shared::Common(share) => {
                let mean = values.iter().sum::<f64>() / n;
                let (own, common) = ((1.0 - share).sqrt(), (1.0 + (n - 1.0) * share).sqrt());
                for value in values {
                    *value = (*value - mean) / own + mean / common;
                }
            }
            Shared::Chain(links) | Shared::AssumedChain(links) => {
                for j in (1..values.len()).rev() {
                    values[j] = (values[j] - links[j] * values[j - 1]) / (1.0 - links[j] * links[j]).sqrt();
                }
            }
        }
    }
}
