//! Topology of a layered graph: betweenness, spectra and persistence.

mod adjacency;
mod betweenness;
mod eigen;
mod error;
mod non_backtracking;
mod persistence;
mod spectrum;
#[cfg(test)]
mod testing;

pub use betweenness::{Betweenness, PathDirection, betweenness};
pub use error::TopologyError;
pub use non_backtracking::{non_backtracking_radius, non_backtracking_rows};
pub use persistence::{LayerPersistence, neural_persistence, persistence_rows};
pub use spectrum::{BlockSpectrum, SingularValues, spectra, spectrum_rows};
