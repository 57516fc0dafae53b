//! All integration tests in one binary.

#![allow(clippy::unwrap_used)]

mod arrows;
mod data;
mod inspect;
mod rewire_properties;
mod rewire_uniformity;
mod scaling;
