//! All integration tests in one binary.

#![allow(clippy::unwrap_used)]

mod arrows;
mod rewire_command;
mod rewire_properties;
mod rewire_uniformity;
