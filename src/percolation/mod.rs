//! Percolation of a layered graph: the kept weights return one by one, in an order, and after each
//! the components and the flow from inputs to outputs are known exactly.
//!
//! s1 >= s2 >= ... are component sizes in nodes, N the number of nodes, isolated ones and all inputs
//! and outputs included.
//!
//! | observable | definition |
//! | --- | --- |
//! | P_inf | s1 / N |
//! | chi | sum over components but one largest of s^2 / N |
//! | active weight | lies on a directed path from an input to an output |
//! | output reached, input used | touches an active weight |
//! | dead unit | a hidden node that touches none |
//!
//! Where weights are shared ([`Encoding::Unrolled`](crate::graph::Encoding::Unrolled)) a weight
//! returns with all its links at once, and is active when one of them is; every number of edges, and
//! `active_edges`, counts weights.
//!
//! The components follow Newman and Ziff, Phys. Rev. E 64, 016706 (2001); the flow takes two passes
//! of max-min path strengths in ranks, O(edges) for the whole curve ([`Flow`]).

mod averages;
mod canonical;
mod cluster_numbers;
mod components;
mod edge_order;
mod flow;
mod joins;
mod key;
mod observables;
mod points;
mod scored;
mod shared;
mod sort;
mod sweep;
#[cfg(test)]
mod testing;
pub mod theory;

pub use averages::{AverageRow, Averages, Ensemble, Realisation};
pub use cluster_numbers::{ClusterBin, ClusterNumbers, ClusterRow, cluster_numbers};
pub use components::Components;
pub use edge_order::{Order, Ranking};
pub use flow::Flow;
pub use observables::{Curve, Observables, PercolationRow};
pub use points::Points;
pub use sweep::{Sweep, ensemble, observe, sweep, sweep_components};
