//! What is saved of a study: one row a level and replicate.

use std::collections::BTreeMap;
use std::path::Path;

use prunephase::table;
use serde::{Deserialize, Serialize};

/// Any of the errors on the way; only its text is shown.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// One level of one replicate, with its graph: `levels.csv`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    pub dataset: String,
    pub architecture: String,
    pub width: usize,
    pub seed: u64,
    pub level: usize,
    pub density: f64,
    pub kept: usize,
    pub accuracy: f64,
    pub loss: f64,
    pub prediction_entropy: f64,
    pub outcome_entropy: f64,
    pub m: Option<f64>,
    pub weight_distance: f64,
    pub weight_cosine: f64,
    pub sign_flips: f64,
    pub mask_overlap: f64,
    /// 2 edges / nodes; no column of a run's own table, as lambda.
    #[serde(default)]
    pub mean_degree: f64,
    /// The mean over the replicates of the level.
    #[serde(default)]
    pub lambda: Option<f64>,
}

/// The graph of a level: `percolation.csv`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Graph {
    pub dataset: String,
    pub architecture: String,
    pub width: usize,
    pub seed: u64,
    pub level: usize,
    pub density: f64,
    pub edges: usize,
    pub nodes: usize,
    pub mean_degree: f64,
    pub p_inf: f64,
    pub s1: usize,
    pub s2: usize,
    pub chi: f64,
    pub components: usize,
    pub outputs_reached: usize,
    pub inputs_used: usize,
    pub active_edges: usize,
}

/// A study's rows.
pub struct Saved {
    pub levels: Vec<Row>,
    pub graphs: Vec<Graph>,
}

impl Saved {
    /// `None` where nothing is saved of the study yet.
    pub fn read(results: &Path, study: &str) -> Outcome<Option<Self>> {
        let at = |name: &str| results.join(study).join(name);
        if !at("levels.csv").is_file() {
            return Ok(None);
        }
        Ok(Some(Self {
            levels: table::read_rows(&at("levels.csv"))?,
            graphs: table::read_rows(&at("percolation.csv"))?,
        }))
    }

    /// The same without these replicates and widths.
    pub fn only(&self, keep: impl Fn(usize, u64) -> bool) -> Self {
        Self {
            levels: self.levels.iter().filter(|row| keep(row.width, row.seed)).cloned().collect(),
            graphs: self.graphs.iter().filter(|row| keep(row.width, row.seed)).cloned().collect(),
        }
    }

    pub fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self.levels.iter().map(|row| row.width).collect();
        widths.sort_unstable();
        widths.dedup();
        widths
    }

    /// Hidden units (channels of convolutions): nodes but inputs and outputs, of 28 x 28 images of ten classes.
    pub fn hidden(&self, width: usize) -> usize {
        let of = self.graphs.iter().find(|row| row.width == width);
        of.map_or(0, |row| row.nodes - 10 - if row.architecture == "fc4" { 784 } else { 1 })
    }

    /// By replicate, a value of each level, NaN where it has none.
    pub fn by_replicate(&self, width: usize, value: impl Fn(&Row, &Graph) -> f64) -> BTreeMap<u64, Vec<f64>> {
        let mut found: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for (row, graph) in self.levels.iter().zip(&self.graphs).filter(|(row, _)| row.width == width) {
            found.entry(row.seed).or_default().push(value(row, graph));
        }
        found
    }

    /// A control of each level, the mean over replicates.
    pub fn control(&self, width: usize, control: impl Fn(&Row) -> f64) -> Vec<f64> {
        let columns = self.by_replicate(width, |row, _| control(row));
        means(&columns.values().collect::<Vec<_>>())
    }
}

/// The mean of each level.
pub fn means(replicates: &[&Vec<f64>]) -> Vec<f64> {
    let levels = replicates.iter().map(|values| values.len()).min().unwrap_or(0);
    (0..levels)
        .map(|level| replicates.iter().map(|values| values[level]).sum::<f64>() / replicates.len() as f64)
        .collect()
}
