//! Graphs made at random whose percolation is known, in the type that networks are swept in.
//!
//! - [`Lattice`]: periodic lattices of one, two and three dimensions, by bonds or by sites;
//! - [`LayeredRandom`]: chains of groups joined at random, with given densities, as a uniform mask
//!   of the whole, or sparse with a given mean degree.
//!
//! Their weights are ranks: all different, and in magnitude order the edges come in the random order
//! that the model asks for.

mod distinct;
mod lattice;
mod layered_random;
mod scores;

pub use lattice::{Lattice, Percolates};
pub use layered_random::LayeredRandom;
