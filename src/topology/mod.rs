//! Topology of a layered graph: betweenness, spectra and persistence.

mod adjacency;
mod betweenness;
#[cfg(test)]
mod testing;

pub use betweenness::{Betweenness, PathDirection, betweenness};
