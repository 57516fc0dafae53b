//! All integration tests in one binary.

#![allow(clippy::unwrap_used)]

mod arrows;
mod graph;
mod percolate;
