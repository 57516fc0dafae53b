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
//! The components follow Newman and Ziff, Phys. Rev. E 64, 016706 (2001); the flow takes two passes
//! of max-min path strengths in ranks, O(edges) for the whole curve ([`Flow`]).

mod cluster_numbers;
mod components;
mod curve;
mod edge_order;
mod flow;
mod points;
pub mod theory;

pub use cluster_numbers::{ClusterBin, ClusterNumbers, cluster_numbers};
pub use components::Components;
pub use curve::{Curve, Observables, PercolationRow, ensemble, observe, sweep};
pub use edge_order::Order;
pub use flow::Flow;
pub use points::Points;
