//! Neural-network pruning as a percolation transition.
//!
//! prunephase trains and prunes networks (or reads their checkpoints), turns them into layered
//! graphs, measures percolation along the order in which magnitude pruning removes weights,
//! draws random subnetworks that keep the degree of every node, fits critical exponents and data
//! collapses, and draws the figures. It follows, tests and extends D. Pesce, Y.-H. He and
//! G. Caldarelli, "Phase Transitions in Neural Networks Pruning", arXiv:2602.15224 (2026).
//!
//! # Map of the modules
//!
//! Arrows run downward only; a test reads the `use` lines and fails where one turns.
//!
//! | module | holds | follows |
//! | --- | --- | --- |
#![cfg_attr(feature = "train", doc = "| [`study`] | the study file, its tasks, the runner | |")]
//! | [`report`] | one page of HTML about a run | |
//! | [`figure`] | figures from saved tables | |
//! | [`scaling`] | exponents and data collapse | Houdayer and Hartmann, Phys. Rev. B 70, 014418 |
//! | [`comparison`] | retrained samples against their original | Schuirmann, doi:10.1007/BF01068419 |
//! | [`rewire`] | null models of a mask | Ryser; Rao, Jana and Bandyopadhyay, Sankhya A 58, 225 |
//! | [`percolation`] | the sweep and the flow from inputs to outputs | Newman and Ziff, Phys. Rev. E 64, 016706 |
//! | [`topology`] | degrees, strengths, assortativity, clustering, cores, paths, allocation | Newman, Phys. Rev. Lett. 89, 208701; Robins and Alexander, Comput. Math. Organ. Theory 10, 69; Evci et al., arXiv:1911.11134 |
//! | [`graph`] | [`graph::LayeredGraph`] and petgraph's traits | |
//! | [`training`] | training on burn or on the surviving weights alone, metrics | Kingma and Ba, arXiv:1412.6980 |
//! | [`pruning`] | criteria, scope, schedules | Han et al., arXiv:1506.02626; Frankle and Carbin, arXiv:1803.03635 |
//! | [`checkpoint`] | safetensors files with masks | |
//! | [`data`] | image data sets | LeCun et al., Proc. IEEE 86, 2278 |
//! | [`mask`] | the kept weights, density | |
//! | [`network`] | architectures as descriptions, parameters | LeCun et al., Proc. IEEE 86, 2278 (LeNet-5) |
//! | [`table`], [`files`], [`seed`] | tidy CSV, files written whole or not at all, named random streams | |
//!
//! # Words
//!
//! *Density* is the number of kept weights over the number of weights of the dense network; biases
//! are never counted and never pruned. *Sparsity* is 1 - density. A *level* is one step of a
//! pruning schedule, a *replicate* is one seed.

pub mod checkpoint;
pub mod comparison;
pub mod data;
pub mod error;
pub mod figure;
pub mod files;
pub mod graph;
pub mod mask;
pub mod network;
pub mod percolation;
pub mod pruning;
pub mod report;
pub mod rewire;
pub mod scaling;
pub mod seed;
#[cfg(feature = "train")]
pub mod study;
pub mod table;
pub mod topology;
pub mod training;

pub use error::{Error, Result};
