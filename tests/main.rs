//! All integration tests in one binary.

#![allow(clippy::unwrap_used)]

mod arrows;
mod claims;
mod data;
#[path = "bench/ensembles.rs"]
#[allow(dead_code)]
mod ensembles;
mod figure;
mod fit_rivals;
mod graph;
#[cfg(all(feature = "train", unix))]
mod guide;
mod hostile;
mod inspect;
mod ladder_results;
#[cfg(feature = "train")]
mod mnist_curve;
mod percolate;
mod percolation_peers;
#[cfg(feature = "train")]
mod pipeline;
mod plot;
mod pytorch;
mod report;
#[cfg(feature = "train")]
mod retention;
#[cfg(feature = "train")]
mod retrain_foreign;
mod rewire_command;
mod rewire_properties;
mod rewire_uniformity;
mod scaling;
mod score_order;
#[cfg(feature = "train")]
mod shards;
#[cfg(all(feature = "train", unix))]
mod slurm;
#[cfg(feature = "train")]
mod study_chain;
#[cfg(feature = "train")]
mod study_errors;
#[cfg(feature = "train")]
mod study_keys;
mod topology;
mod topology_command;
mod topology_spectra;
mod universality;
mod unrolled;
