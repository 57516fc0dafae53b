//! Exponents: data collapse over system sizes, and rival laws for one curve.
//!
//! Every number comes with two errors. The *statistical* one is the spread over resamples, each
//! fitted anew; the *systematic* one is the spread over choices that could have been made otherwise
//! (window, smallest size, objective, fit range, other optima that are consistent with themselves),
//! weighted by how well each choice fits. A fit that cannot be trusted says `reliable: false` and
//! why.
//!
//! - [`collapse::fit`]: finite-size scaling, x = (p - p_c) L^(1/nu), y = A L^(kappa/nu), by
//!   Houdayer and Hartmann's quality ([`quality()`]; Phys. Rev. B 70, 014418).
//! - [`collapse::fit_joint`]: several observables with one p_c and one nu, by least squares, and corrections to
//!   scaling.
//! - [`fit::fit`]: one curve, power law with p_c against its rivals, on the same points, by AICc and on
//!   replicates left out.
//! - [`sharpening()`]: whether the transition narrows as the size grows.
//! - [`crossings()`] and [`peaks()`]: pseudo-critical points, and where they go ([`extrapolate`]).
//! - [`fit_growth`]: how an observable grows with the size at p_c.
//! - [`fit_tail`], [`tail_chance`]: the exponent of a truncated power law of whole numbers, such as cluster sizes.
//! - [`Curves`]: the points, from a [`crate::table::Table`] or from rows, checked once.

use thiserror::Error;

use crate::table::TableError;

pub mod collapse;
mod crossings;
mod curves;
mod estimate;
mod fall;
pub mod fit;
mod gaussian;
mod growth;
mod levels;
mod linear;
mod master;
mod minimise;
mod named;
mod parabola;
mod peaks;
mod quality;
mod resample;
mod sharpening;
mod smooth;
mod spline;
mod tail;

pub use crossings::{Extrapolated, PseudoCritical, crossings, extrapolate};
pub use curves::{Columns, Curve, Curves, ERROR_FLOOR, ErrorSource, Point, Row};
pub use estimate::Estimate;
pub use fall::first_fall;
pub use gaussian::MAX_PROCESS_POINTS;
pub use growth::{ACCEPTABLE_CHANCE, GrowthFit, SizePoint, fit_growth};
pub use levels::first_of_equal_controls;
pub use master::Correction;
pub use named::Named;
pub use peaks::peaks;
pub use quality::{Objective, Parameters, Quality, quality};
pub use resample::Resampling;
pub use sharpening::{JUMP_STEP, Sharpening, SizeWidth, Transition, sharpening};
pub use smooth::smooth_quality;
pub use tail::{
    BinnedTail, CorrectedTail, MIN_OBSERVATIONS, SizeBin, TailChance, TailFit, choose_cutoffs, cutoff_spread,
    fit_binned, fit_tail, fit_tail_corrected, tail_chance,
};

/// Curves cannot be fitted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScalingError {
    /// The table lacks a column or a number.
    #[error(transparent)]
    Table(#[from] TableError),
    /// No observation at all.
    #[error("no rows to fit")]
    NoRows,
    /// Sizes and errors are above 0.
    #[error("{what} {value} at control {control}: a finite number above 0 is needed")]
    NotPositive {
        /// Size or error.
        what: &'static str,
        /// What it is.
        value: f64,
        /// Where.
        control: f64,
    },
    /// Controls and values are finite.
    #[error("{what} {value}: a finite number is needed")]
    NotFinite {
        /// Control or value.
        what: &'static str,
        /// What it is.
        value: f64,
    },
    /// Errors or replicates on a part of the rows.
    #[error("some rows have an error or a replicate and some have none: all or none must")]
    Mixed,
    /// The same point twice.
    #[error(
        "size {size}, control {control}{} stands there more than once: name the column that tells the rows apart (size, replicate), or average them",
        replicate.as_ref().map(|name| format!(", replicate {name}")).unwrap_or_default()
    )]
    Duplicate {
        /// Size.
        size: f64,
        /// Control.
        control: f64,
        /// Replicate, if any.
        replicate: Option<String>,
    },
    /// A point of one replicate has no error.
    #[error("size {size}, control {control}: 1 replicate, at least 2 are needed for an error")]
    OneReplicate {
        /// Size.
        size: f64,
        /// Control.
        control: f64,
    },
    /// All replicates agree at all points.
    #[error(
        "size {size}: all replicates agree at every control, so there is no error to fit with: give an error column"
    )]
    NoSpread {
        /// Size.
        size: f64,
    },
    /// No errors where they are needed.
    #[error("a collapse needs errors: name the column of standard errors (--error) or of replicates (--replicate)")]
    NoErrors,
    /// Fewer sizes than a collapse needs.
    #[error("{there} size in the table, at least {needed} are needed for a collapse")]
    TooFewSizes {
        /// How many there are.
        there: usize,
        /// How many are needed.
        needed: usize,
    },
    /// Fewer points than a fit needs.
    #[error("{what}: {there} points, at least {needed} are needed")]
    TooFewPoints {
        /// Where they are counted.
        what: String,
        /// How many there are.
        there: usize,
        /// How many are needed.
        needed: usize,
    },
    /// An option makes no sense.
    #[error("{what} {value}: {needed} is needed")]
    Option {
        /// The option.
        what: &'static str,
        /// Its value.
        value: String,
        /// What would be right.
        needed: &'static str,
    },
    /// No parameters put enough points of all sizes over one another.
    #[error(
        "no collapse found: nowhere do {points} points, {per_size} of each size, fall into the window with points of other sizes on both sides"
    )]
    NoCollapse {
        /// Points needed in all.
        points: usize,
        /// Points needed of each size.
        per_size: usize,
    },
    /// A model is not known.
    #[error("model `{0}` is not known; the models are power_law, logistic, rosenfeld, essential_singularity, jump")]
    UnknownModel(String),
    /// A model cannot be fitted to these controls.
    #[error("model `{model}`: control {control} in the fit range; it needs controls above 0")]
    ControlNotPositive {
        /// The model.
        model: &'static str,
        /// The control.
        control: f64,
    },
}
