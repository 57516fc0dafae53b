//! A fit with the names of what was fitted.

use serde::Serialize;

/// A fit, written with the names of its control and its value: a figure needs them for its axes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Named<'a, F> {
    /// The column of the control parameter.
    pub control: &'a str,
    /// The column of the observable.
    pub value: &'a str,
    /// What was fitted; its keys stand beside the names.
    #[serde(flatten)]
    pub fit: F,
}
