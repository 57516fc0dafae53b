//! What can go wrong while a graph is measured.

use thiserror::Error;

/// A graph cannot be measured.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum TopologyError {
    /// An iteration did not reach its tolerance.
    #[error(
        "{place}: the {what} did not converge in {steps} products with the matrix (relative residual {residual:e}, \
         needed {tolerance:e}); the value is not given"
    )]
    NotConverged {
        /// The layer or the whole.
        place: String,
        /// What was computed.
        what: &'static str,
        /// How many products with the matrix were spent.
        steps: usize,
        /// The relative residual that was reached.
        residual: f64,
        /// The one that was needed.
        tolerance: f64,
    },
}
