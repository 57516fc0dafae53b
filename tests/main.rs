//! All integration tests in one binary.

#![allow(clippy::unwrap_used)]

mod arrows;
mod data;
mod graph;
mod inspect;
mod percolate;
