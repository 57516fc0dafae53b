//! All integration tests in one binary.

#![allow(clippy::unwrap_used)]

mod arrows;
mod data;
mod figure;
mod inspect;
mod plot;
mod rewire_properties;
mod rewire_uniformity;
