//! Layered graphs: a network and its mask as groups of nodes joined by bipartite blocks.
//!
//! [`LayeredGraph`] is a directed acyclic graph of node groups (inputs, hidden layers, outputs),
//! each pair of which at most one [`Block`] joins: the compressed rows of the kept weights of a
//! layer. Three counts run through it and must not be mixed up:
//!
//! - **edges** are kept *weights*, the numerator of the density;
//! - **links** are occurrences of a kept weight between two nodes. A weight has one link, but under
//!   [`Encoding::Unrolled`], where a convolution's weight has one at every position of its kernel
//!   and, after a pool, from every unit of the window; or none where it only ever meets padding;
//! - **pairs** are joined pairs of nodes, the edges of the simple graph that petgraph's algorithms
//!   and the exports see; a pair's weight is the largest |w| of its links. Under
//!   [`Encoding::Channel`] several weights (the taps of a kernel) may join the same two nodes, under
//!   [`Encoding::Unrolled`] only the weights behind a pool whose windows overlap.
//!
//! In a network that is no chain ([`crate::network::Wiring`]) a tensor may make several blocks, and
//! skips ([`Block::skip`]) carry the nodes of a group on to another: their links are pairs, but belong
//! to no weight, so that they count in components, paths and flow and never among the edges.
//!
//! petgraph's visit traits are implemented on `&LayeredGraph`, so that its algorithms run without a
//! copy; `petgraph::graph::DiGraph::from(&graph)` makes one where an algorithm needs it.

mod block;
mod encoding;
mod export;
pub mod generate;
mod layered;
mod visit;

pub use block::Block;
pub use encoding::Encoding;
pub use export::Format;
pub use layered::{LayeredGraph, Node, NodeGroup, Role};
pub use visit::{Edge, Edges, Neighbors, NodeReferences, PairEdges};

use thiserror::Error;

/// A graph cannot be built.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GraphError {
    /// A kept weight is NaN or infinite.
    #[error("layer `{layer}`: the kept weight at flat index {index} is {value}; weights must be finite numbers")]
    NotFinite {
        /// The layer.
        layer: String,
        /// The flat index, in the layout [out, in] or [out, in, kh, kw]; in a block built from
        /// entries, the entry.
        index: usize,
        /// The weight.
        value: f32,
    },
    /// An entry lies outside its block, or before the entry it follows.
    #[error("layer `{layer}`: entry {index} (row {row}, column {column}) {problem}")]
    Entry {
        /// The layer.
        layer: String,
        /// The number of the entry.
        index: usize,
        /// Its row, the target.
        row: usize,
        /// Its column, the source.
        column: usize,
        /// What is wrong and what would be right.
        problem: &'static str,
    },
    /// Groups and blocks do not make a layered graph.
    #[error("layered graph: {0}")]
    Structure(String),
    /// A graph larger than its 32-bit indices.
    #[error("layered graph: {count} {what}; at most 4294967294 fit")]
    TooLarge {
        /// `nodes`, `kept weights` or `links`.
        what: &'static str,
        /// How many there are.
        count: usize,
    },
    /// The links of a layer do not fit into memory.
    #[error(
        "layer `{layer}`: its {links} links need {bytes} bytes, more than there is memory; use the channel encoding"
    )]
    Memory {
        /// The layer.
        layer: String,
        /// The number of links.
        links: usize,
        /// The bytes they need.
        bytes: usize,
    },
}
