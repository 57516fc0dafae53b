//! All integration tests in one binary.

#![allow(clippy::unwrap_used)]

mod arrows;
mod data;
mod figure;
mod graph;
mod inspect;
#[cfg(feature = "train")]
mod mnist_curve;
mod percolate;
#[cfg(feature = "train")]
mod pipeline;
mod plot;
mod rewire_command;
mod rewire_properties;
mod rewire_uniformity;
mod scaling;
mod topology_spectra;
