//! The laws for one curve, and their least squares.

use serde::{Deserialize, Serialize};

use crate::scaling::ScalingError;
use crate::scaling::minimise::{Effort, FORBIDDEN, minimise};
use crate::seed::Stream;

/// Parameters of every law: two searched, one amplitude.
pub(super) const PARAMETERS: usize = 3;
/// Points above p_c that the power law keeps at least.
pub const MIN_ABOVE: usize = 4;
/// beta is searched here; an optimum at an edge is no fit.
pub const BETA_RANGE: [f64; 2] = [0.02, 10.0];
/// Nearer to an edge than this share of the range is at the edge.
const EDGE: f64 = 0.005;

/// A law for a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// value = amplitude (p - p_c)^beta above p_c, 0 below: a continuous transition.
    PowerLaw,
    /// value = high / (1 + exp(-(ln p - ln p_0) / width)): a smooth rise without a transition.
    Logistic,
}

impl Model {
    /// All laws.
    pub const ALL: [Self; 2] = [Self::PowerLaw, Self::Logistic];

    /// The name in tables and options.
    pub fn name(self) -> &'static str {
        match self {
            Self::PowerLaw => "power_law",
            Self::Logistic => "logistic",
        }
    }

    /// The names of its parameters, in the order of their values.
    pub fn parameters(self) -> [&'static str; PARAMETERS] {
        match self {
            Self::PowerLaw => ["p_c", "beta", "amplitude"],
            Self::Logistic => ["p_0", "width", "high"],
        }
    }

    /// The law at a control, with its parameters in the order of [`Model::parameters`]. The logistic
    /// law's limit 0 stands for controls of 0 and below.
    pub fn value(self, control: f64, parameters: [f64; PARAMETERS]) -> f64 {
        let [first, second, amplitude] = parameters;
        amplitude * self.shape(control, first, second)
    }

    fn shape(self, control: f64, first: f64, second: f64) -> f64 {
        match self {
            Self::PowerLaw if control > first => (control - first).powf(second),
            Self::Logistic if control > 0.0 => 1.0 / (1.0 + (-(control / first).ln() / second).exp()),
            Self::PowerLaw | Self::Logistic => 0.0,
        }
    }

    /// Search coordinates to the first two parameters.
    fn decoded(self, at: &[f64]) -> [f64; 2] {
        match self {
            Self::PowerLaw => [at[0], at[1].exp()],
            Self::Logistic => [at[0].exp(), at[1].exp()],
        }
    }

    fn encoded(self, first: f64, second: f64) -> [f64; 2] {
        match self {
            Self::PowerLaw => [first, second.ln()],
            Self::Logistic => [first.ln(), second.ln()],
        }
    }
}

impl std::fmt::Display for Model {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

impl std::str::FromStr for Model {
    type Err = ScalingError;

    fn from_str(text: &str) -> Result<Self, ScalingError> {
        let known = Self::ALL.into_iter().find(|model| model.name() == text);
        known.ok_or_else(|| ScalingError::UnknownModel(text.to_owned()))
    }
}

/// The points of a fit, controls ascending.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Points {
    pub(super) control: Vec<f64>,
    pub(super) value: Vec<f64>,
    /// 1 / error^2.
    pub(super) weight: Vec<f64>,
}

/// An optimum of a law.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Optimum {
    pub(super) parameters: [f64; PARAMETERS],
    pub(super) chi_square: f64,
}

impl Points {
    /// chi-square and the amplitude that makes it lowest, 0 where that would be negative.
    fn chi_square(&self, model: Model, first: f64, second: f64) -> (f64, f64) {
        let (mut vf, mut ff, mut vv) = (0.0, 0.0, 0.0);
        for ((&control, &value), &weight) in self.control.iter().zip(&self.value).zip(&self.weight) {
            let shape = model.shape(control, first, second);
            vf += weight * value * shape;
            ff += weight * shape * shape;
            vv += weight * value * value;
        }
        let amplitude = if ff > 0.0 { (vf / ff).max(0.0) } else { 0.0 };
        if amplitude == 0.0 {
            return (vv, 0.0);
        }
        // Summed again from the residuals: vv - vf^2/ff cancels where the fit is good.
        let residual = |((&control, &value), &weight): ((&f64, &f64), &f64)| {
            weight * (value - amplitude * model.shape(control, first, second)).powi(2)
        };
        (self.control.iter().zip(&self.value).zip(&self.weight).map(residual).sum(), amplitude)
    }

    /// Where the two search coordinates may go.
    pub(super) fn bounds(&self, model: Model) -> [[f64; 2]; 2] {
        let last = self.control.len() - 1;
        let (low, high) = (self.control[0], self.control[last]);
        match model {
            Model::PowerLaw => {
                let lowest = low - 0.5 * (high - low);
                // Controls that are never negative (densities, degrees) have no negative p_c.
                let lowest = if low >= 0.0 { lowest.max(0.0) } else { lowest };
                let highest = self.control[(last + 1).saturating_sub(MIN_ABOVE)];
                [[lowest, highest], BETA_RANGE.map(f64::ln)]
            }
            Model::Logistic => {
                let span = (high / low).ln();
                [[low.ln() - span, high.ln() + span], [(1e-3 * span).ln(), (10.0 * span).ln()]]
            }
        }
    }

    /// Follows the starts, given in search coordinates; the results are in their order.
    pub(super) fn search(&self, model: Model, starts: &[[f64; 2]], effort: Effort) -> Vec<Optimum> {
        let bounds = self.bounds(model);
        let steps = bounds.map(|[low, high]| 0.1 * (high - low));
        let cost = |at: &[f64]| {
            let beyond = (0..2).map(|axis| {
                let [low, high] = bounds[axis];
                ((low - at[axis]).max(0.0) + (at[axis] - high).max(0.0)) / (high - low)
            });
            let beyond: f64 = beyond.sum();
            if beyond > 0.0 {
                return FORBIDDEN * (1.0 + beyond);
            }
            let [first, second] = model.decoded(at);
            self.chi_square(model, first, second).0
        };
        starts
            .iter()
            .map(|start| {
                let (found, chi_square) = minimise(&cost, start, &steps, effort);
                let [first, second] = model.decoded(&found);
                let (_, amplitude) = self.chi_square(model, first, second);
                Optimum { parameters: [first, second, amplitude], chi_square }
            })
            .collect()
    }

    /// The standard errors of the parameters from the curvature of chi-square (J^T W J inverted, J by
    /// differences); infinite where the points do not determine them.
    pub(super) fn curvature_errors(&self, model: Model, optimum: &Optimum) -> [f64; PARAMETERS] {
        let at = optimum.parameters;
        let span = self.control[self.control.len() - 1] - self.control[0];
        let scales = match model {
            Model::PowerLaw => [span, at[1], at[2]],
            Model::Logistic => at,
        };
        let mut matrix = [[0.0; PARAMETERS]; PARAMETERS];
        for (&control, &weight) in self.control.iter().zip(&self.weight) {
            let slope: [f64; PARAMETERS] = std::array::from_fn(|axis| {
                let step = 1e-5 * scales[axis];
                let (mut above, mut below) = (at, at);
                above[axis] += step;
                below[axis] -= step;
                // In units of the scales, so that the matrix is well conditioned.
                (model.value(control, above) - model.value(control, below)) / 2e-5
            });
            for row in 0..PARAMETERS {
                for column in 0..PARAMETERS {
                    matrix[row][column] += weight * slope[row] * slope[column];
                }
            }
        }
        let minor = |a: usize, b: usize| matrix[a][a] * matrix[b][b] - matrix[a][b] * matrix[b][a];
        let determinant = matrix[0][0] * minor(1, 2)
            - matrix[0][1] * (matrix[1][0] * matrix[2][2] - matrix[1][2] * matrix[2][0])
            + matrix[0][2] * (matrix[1][0] * matrix[2][1] - matrix[1][1] * matrix[2][0]);
        let minors = [minor(1, 2), minor(0, 2), minor(0, 1)];
        std::array::from_fn(|axis| {
            let variance = minors[axis] / determinant;
            if variance > 0.0 && variance.is_finite() { variance.sqrt() * scales[axis].abs() } else { f64::INFINITY }
        })
    }

    /// Starts all over the bounds.
    pub(super) fn starts(&self, model: Model, count: usize, stream: &mut Stream) -> Vec<[f64; 2]> {
        let bounds = self.bounds(model);
        let mut start = || bounds.map(|[low, high]| low + (high - low) * stream.uniform(0.02, 0.98));
        (0..count).map(|_| start()).collect()
    }

    /// An optimum as a start.
    pub(super) fn start_at(&self, model: Model, optimum: &Optimum) -> [f64; 2] {
        let [first, second, _] = optimum.parameters;
        let coded = model.encoded(first, second);
        let bounds = self.bounds(model);
        // Exactly on an edge a simplex could step outside only.
        std::array::from_fn(|axis| {
            let [low, high] = bounds[axis];
            let margin = 1e-6 * (high - low);
            coded[axis].clamp(low + margin, high - margin)
        })
    }

    /// What speaks against an optimum being a fit of the law.
    pub(super) fn faults(&self, model: Model, optimum: &Optimum) -> Vec<String> {
        let mut faults = Vec::new();
        let [first, second, amplitude] = optimum.parameters;
        let coded = model.encoded(first, second);
        let bounds = self.bounds(model);
        for axis in 0..2 {
            let [low, high] = bounds[axis];
            let margin = EDGE * (high - low);
            if !(coded[axis] > low + margin && coded[axis] < high - margin) {
                let name = model.parameters()[axis];
                let edges = [low, high].map(|edge| match (model, axis) {
                    (Model::PowerLaw, 0) => edge,
                    _ => edge.exp(),
                });
                faults.push(format!(
                    "{name} = {:.5} is at the edge of the range searched, {:.5} to {:.5}",
                    optimum.parameters[axis], edges[0], edges[1]
                ));
            }
        }
        if amplitude <= 0.0 {
            faults.push("the values do not rise with the control: no positive amplitude fits".into());
        }
        faults
    }
}
