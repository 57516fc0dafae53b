//! Percolation of the random graph with the joint degrees of a layered graph, and of uniform masks,
//! in the limit of many nodes.
//!
//! Every block gives two types of edges, walked up or down. What follows an edge hangs on the group
//! at which it arrives and on the block through which it came, so the theory is a branching process
//! of several types: [`branching`] holds the mean numbers, [`lambda`] its spectral radius,
//! [`giant_component`] the solution of its equations. [`UniformMask`] is the same for masks that keep
//! each weight of the dense network with one probability.
//!
//! The graph need not be a chain. What is left out: loops, and correlations between the degrees of
//! joined nodes. Where a trained network departs from it, these are at work.

mod joint_degrees;
mod message_passing;
mod root;
mod spectral_radius;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod threshold;
mod uniform_mask;

pub use joint_degrees::{BlockPairs, DegreeClass, Direction, EdgeType, GroupDegrees, JointDegrees};
pub use message_passing::{GiantComponent, TheoryRow, giant_component, theory_rows};
pub use threshold::{branching, lambda, phi_c, thresholds};
pub use uniform_mask::UniformMask;
