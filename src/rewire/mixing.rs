//! Whether a chain has forgotten its start, and warnings where it has not or cannot.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::freedom::LayerFreedom;

/// One layer of one sample at one point of its chain: a row of `mixing.csv`.
///
/// The first row of a layer is the start, the last the sample. Null models without a chain have
/// just these two, and the second has no `proposals_per_edge`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MixingRow {
    /// The sample, from 0.
    pub sample: usize,
    /// The layer's name.
    pub layer: String,
    /// Proposals so far over the layer's kept weights.
    pub proposals_per_edge: Option<f64>,
    /// Proposals so far, accepted or not.
    pub proposals: u64,
    /// Swaps made so far.
    pub accepted: u64,
    /// Edges shared with the start over the edges of the start, from 0 to 1.
    pub overlap: Option<f64>,
    /// What a uniform draw has on average for `overlap`. Exact, but under `degrees` an estimate
    /// from the random graph of maximum entropy with the same mean degrees.
    pub overlap_random: Option<f64>,
    /// Pearson's correlation, over the edges, of the target's in-degree and the source's
    /// out-degree; none where one of them is the same for all edges.
    pub assortativity: Option<f64>,
}

/// Why samples may not say what they seem to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// Every realisation has the same edges in this layer.
    NothingToDraw {
        /// The layer.
        layer: String,
        /// Its kept weights.
        edges: usize,
    },
    /// At least half of the layer's edges are the same in every realisation.
    MostlyForced {
        /// The layer and its counts.
        freedom: LayerFreedom,
    },
    /// The chains of this layer made no swap although there are other realisations.
    NoSwapAccepted {
        /// The layer.
        layer: String,
        /// Proposals of all samples.
        proposals: u64,
    },
    /// The samples still remember the start.
    NotMixed {
        /// The layer.
        layer: String,
        /// The mean overlap of the samples with the start.
        overlap: f64,
        /// What uniform draws would have.
        expected: f64,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingToDraw { layer, edges } => {
                write!(formatter, "layer `{layer}`: all {edges} edges are the same in every realisation")
            }
            Self::MostlyForced { freedom: LayerFreedom { layer, edges, forced } } => {
                write!(formatter, "layer `{layer}`: {forced} of {edges} edges are the same in every realisation")
            }
            Self::NoSwapAccepted { layer, proposals } => write!(
                formatter,
                "layer `{layer}`: none of {proposals} proposals was accepted; more swaps per edge are needed"
            ),
            Self::NotMixed { layer, overlap, expected } => write!(
                formatter,
                "layer `{layer}`: overlap with the start is {overlap:.3} on average, uniform draws would have \
                 {expected:.3}; more swaps per edge are needed"
            ),
        }
    }
}

/// What `rows`, of any number of samples of one null model, warn of. `freedom` is that of the mask
/// under this null model, from [`super::freedom()`].
///
/// A layer counts as not mixed where the mean overlap of its samples exceeds the expected one by
/// 0.05 and by five standard errors. Layers without edges warn of nothing.
pub fn warnings(freedom: &[LayerFreedom], rows: &[MixingRow]) -> Vec<Warning> {
    freedom.iter().filter(|layer| layer.edges > 0).filter_map(|layer| warning(layer, rows)).collect()
}

fn warning(freedom: &LayerFreedom, rows: &[MixingRow]) -> Option<Warning> {
    let layer = freedom.layer.clone();
    if freedom.forced == freedom.edges {
        return Some(Warning::NothingToDraw { layer, edges: freedom.edges });
    }
    let of_layer: Vec<&MixingRow> = rows.iter().filter(|row| row.layer == layer).collect();
    // The last row of each sample.
    let ends: Vec<&MixingRow> = of_layer
        .iter()
        .enumerate()
        .filter(|(index, row)| of_layer.get(index + 1).is_none_or(|next| next.sample != row.sample))
        .map(|(_, row)| *row)
        .collect();
    let proposals: u64 = ends.iter().map(|row| row.proposals).sum();
    if proposals > 0 && ends.iter().all(|row| row.accepted == 0) {
        return Some(Warning::NoSwapAccepted { layer, proposals });
    }
    if proposals > 0 {
        let (overlaps, expected): (Vec<f64>, Vec<f64>) =
            ends.iter().filter_map(|row| row.overlap.zip(row.overlap_random)).unzip();
        let count = overlaps.len().max(1) as f64;
        let (overlap, expected) = (overlaps.iter().sum::<f64>() / count, expected.iter().sum::<f64>() / count);
        let error = (expected * (1.0 - expected) / freedom.edges as f64 / count).sqrt();
        if overlap > expected + (5.0 * error).max(0.05) {
            return Some(Warning::NotMixed { layer, overlap, expected });
        }
    }
    (2 * freedom.forced >= freedom.edges).then(|| Warning::MostlyForced { freedom: freedom.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(sample: usize, accepted: u64, overlap: f64) -> MixingRow {
        MixingRow {
            sample,
            layer: "a".into(),
            proposals_per_edge: Some(10.0),
            proposals: 1000,
            accepted,
            overlap: Some(overlap),
            overlap_random: Some(0.2),
            assortativity: None,
        }
    }

    #[test]
    fn each_warning_has_its_cause() {
        let warn = |edges, forced, rows: &[MixingRow]| {
            let freedom = LayerFreedom { layer: "a".into(), edges, forced };
            warnings(&[freedom], rows).iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(warn(100, 0, &[row(0, 0, 1.0), row(0, 500, 0.2), row(1, 0, 1.0), row(1, 480, 0.22)]), "");
        assert_eq!(warn(0, 0, &[]), "");
        assert_eq!(warn(100, 100, &[row(0, 0, 1.0)]), "layer `a`: all 100 edges are the same in every realisation");
        assert_eq!(warn(100, 60, &[row(0, 50, 0.2)]), "layer `a`: 60 of 100 edges are the same in every realisation");
        assert!(warn(100, 0, &[row(0, 0, 1.0), row(1, 0, 1.0)]).contains("none of 2000 proposals"));
        let late = warn(10_000, 0, &[row(0, 0, 1.0), row(0, 50, 0.3), row(1, 50, 0.28)]);
        assert!(late.contains("overlap with the start is 0.290 on average"), "{late}");
        // The start of a sample is not its end.
        assert_eq!(warn(10_000, 0, &[row(0, 0, 1.0), row(0, 50, 0.2)]), "");
    }
}
