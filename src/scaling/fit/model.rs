//! The laws for one curve.

use serde::{Deserialize, Serialize};

use crate::scaling::ScalingError;

/// No law has more parameters.
pub(super) const MOST: usize = 4;
/// Points above p_c that a law with a transition keeps at least.
pub const MIN_ABOVE: usize = 4;
/// beta of the power law is searched here; an optimum at an edge is no fit.
pub const BETA_RANGE: [f64; 2] = [0.02, 10.0];
/// beta of the jump is searched here: what follows a jump is a nuisance, and lower values are jumps
/// themselves.
pub const JUMP_BETA_RANGE: [f64; 2] = [0.1, 3.0];
/// gamma of Rosenfeld's law is searched here.
pub const GAMMA_RANGE: [f64; 2] = [0.05, 20.0];
/// The exponent of the essential singularity, that of Berezinskii, Kosterlitz and Thouless.
pub const ESSENTIAL_EXPONENT: f64 = 0.5;

/// A law for a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// value = amplitude (p - p_c)^beta above p_c, 0 below: a continuous transition.
    PowerLaw,
    /// value = high / (1 + exp(-(ln p - ln p_0) / width)): a smooth rise without a transition.
    Logistic,
    /// value = 1 - eps(d), d the control and eps(d) = eps_np |(d - j p (eps_up/eps_np)^(1/gamma)) / (d - j p)|^gamma,
    /// j the imaginary unit: the error of pruned networks at density d (J. S. Rosenfeld, J. Frankle,
    /// M. Carbin and N. Shavit, arXiv:2006.10621), a smooth rise between two plateaus. The value must be
    /// a share of 1: an accuracy (eps is the error), P_inf, or m, where eps is the accuracy lost in units
    /// of A_dense - A_chance, so that eps_np is about 0 and eps_up about 1. Computed as
    /// ((eps_np^(2/gamma) d^2 + eps_up^(2/gamma) p^2) / (d^2 + p^2))^(gamma/2), the same for eps_np > 0
    /// and its limit at eps_np = 0. All four parameters are free (the paper measures eps_np).
    Rosenfeld,
    /// value = amplitude exp(-b (p - p_c)^(-1/2)) above p_c, 0 below: a transition of infinite order, as
    /// that of Berezinskii, Kosterlitz and Thouless (arXiv:2603.12316).
    EssentialSingularity,
    /// value = m0 + amplitude (p - p_c)^beta above p_c, 0 below, m0 > 0: a first-order or hybrid
    /// transition. Without rounding: a finite system's smooth step is no jump of one curve, and only
    /// several sizes tell whether it sharpens ([`crate::scaling::sharpening()`]). p_c lies anywhere between
    /// two points, so half their distance is in its systematic error.
    Jump,
}

impl Model {
    /// All laws.
    pub const ALL: [Self; 5] =
        [Self::PowerLaw, Self::Logistic, Self::Rosenfeld, Self::EssentialSingularity, Self::Jump];

    /// The name in tables and options.
    pub fn name(self) -> &'static str {
        match self {
            Self::PowerLaw => "power_law",
            Self::Logistic => "logistic",
            Self::Rosenfeld => "rosenfeld",
            Self::EssentialSingularity => "essential_singularity",
            Self::Jump => "jump",
        }
    }

    /// The names of its parameters, in the order of their values.
    pub fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::PowerLaw => &["p_c", "beta", "amplitude"],
            Self::Logistic => &["p_0", "width", "high"],
            Self::Rosenfeld => &["p", "gamma", "eps_np", "eps_up"],
            Self::EssentialSingularity => &["p_c", "b", "amplitude"],
            Self::Jump => &["p_c", "beta", "m0", "amplitude"],
        }
    }

    /// The number k of its parameters.
    pub(super) fn count(self) -> usize {
        self.parameters().len()
    }

    /// How many of them, from the end, enter linearly.
    pub(super) fn linear(self) -> usize {
        match self {
            Self::PowerLaw | Self::Logistic | Self::EssentialSingularity => 1,
            Self::Rosenfeld => 0,
            Self::Jump => 2,
        }
    }

    /// How many of them, from the start, are searched.
    pub(super) fn searched(self) -> usize {
        self.count() - self.linear()
    }

    /// Whether a searched parameter is searched in its logarithm.
    pub(super) fn is_log(self, axis: usize) -> bool {
        match self {
            Self::PowerLaw | Self::EssentialSingularity | Self::Jump => axis == 1,
            Self::Logistic => true,
            Self::Rosenfeld => axis < 2,
        }
    }

    /// Whether the law needs controls above 0.
    pub(super) fn needs_positive(self) -> bool {
        matches!(self, Self::Logistic | Self::Rosenfeld)
    }

    /// Whether a floor stands below the law; Rosenfeld's has two plateaus of its own.
    pub(super) fn has_floor(self) -> bool {
        self != Self::Rosenfeld
    }

    /// Whether a parameter is a critical point, which may be 0 or near it.
    pub(super) fn is_critical_point(self, axis: usize) -> bool {
        axis == 0 && matches!(self, Self::PowerLaw | Self::EssentialSingularity | Self::Jump)
    }

    /// Whether a law is not determined without this parameter. The amplitude of a power law stands for
    /// the value one unit above p_c, often far away; eps_np may well be 0; what follows a jump is a
    /// nuisance.
    pub(super) fn needs(self, axis: usize) -> bool {
        match self {
            Self::PowerLaw | Self::EssentialSingularity | Self::Rosenfeld => axis < 2,
            Self::Logistic => true,
            Self::Jump => axis == 0 || axis == 2,
        }
    }

    /// The law at a control, with its parameters in the order of [`Model::parameters`]; missing ones
    /// count as 0. The logistic law's limit 0 stands for controls of 0 and below.
    ///
    /// ```
    /// use prunephase::scaling::fit::Model;
    /// assert_eq!(Model::PowerLaw.value(0.5, &[0.25, 0.5, 3.0]), 1.5);
    /// assert_eq!(Model::Jump.value(0.2, &[0.25, 0.5, 0.3, 3.0]), 0.0);
    /// // Far below p the error is eps_up, far above eps_np.
    /// let law = [0.01, 2.0, 0.05, 0.9];
    /// assert!((Model::Rosenfeld.value(1e-6, &law) - 0.1).abs() < 1e-6);
    /// assert!((Model::Rosenfeld.value(1e6, &law) - 0.95).abs() < 1e-6);
    /// ```
    pub fn value(self, control: f64, parameters: &[f64]) -> f64 {
        let mut padded = [0.0; MOST];
        parameters.iter().zip(&mut padded).for_each(|(value, place)| *place = *value);
        if self == Self::Rosenfeld {
            return 1.0 - rosenfeld(control, padded);
        }
        let basis = self.basis(control, padded[0], padded[1]);
        basis[0] * padded[2] + basis[1] * padded[3]
    }

    /// What the linear parameters multiply.
    pub(super) fn basis(self, control: f64, first: f64, second: f64) -> [f64; 2] {
        match self {
            Self::PowerLaw if control > first => [(control - first).powf(second), 0.0],
            Self::Logistic if control > 0.0 => [1.0 / (1.0 + (-(control / first).ln() / second).exp()), 0.0],
            Self::EssentialSingularity if control > first => {
                [(-second * (control - first).powf(-ESSENTIAL_EXPONENT)).exp(), 0.0]
            }
            Self::Jump if control > first => [1.0, (control - first).powf(second)],
            _ => [0.0; 2],
        }
    }
}

/// Rosenfeld's error at density d.
fn rosenfeld(d: f64, [p, gamma, eps_np, eps_up]: [f64; MOST]) -> f64 {
    let power = |eps: f64| if eps > 0.0 { eps.powf(2.0 / gamma) } else { 0.0 };
    ((power(eps_np) * d * d + power(eps_up) * p * p) / (d * d + p * p)).powf(0.5 * gamma)
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
