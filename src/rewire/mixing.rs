//! Whether a chain has forgotten its start, and warnings where it has not or cannot.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::autocorrelation::Autocorrelation;
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
    /// Proposals so far over the layer's kept weights. A round of Curveball looks at every edge once, a
    /// proposal of a swap at two: of that chain this is half the number of rounds.
    pub proposals_per_edge: Option<f64>,
    /// Proposals so far, accepted or not; of Curveball the edges looked at, in pairs.
    pub proposals: u64,
    /// Swaps made so far; of Curveball the edges dealt out anew (those that their row does not share with the
    /// one it trades with), in pairs.
    pub accepted: u64,
    /// Edges shared with the start over the edges of the start, from 0 to 1.
    pub overlap: Option<f64>,
    /// What a uniform draw has on average for `overlap`. Exact, but under `degrees` and
    /// `signed-degrees` an estimate from the random graph of maximum entropy with the same mean degrees.
    pub overlap_random: Option<f64>,
    /// Pearson's correlation, over the edges, of the target's in-degree and the source's
    /// out-degree; none where one of them is the same for all edges.
    pub assortativity: Option<f64>,
    /// Pearson's correlation, over the edges, of the target's and the source's number, a row's and a
    /// column's place in the layer; none where one of them is the same for all edges.
    pub place_correlation: Option<f64>,
    /// Edges shared with the start that have their sign of the start, over the edges of the start; only
    /// where the null model keeps signs.
    pub sign_overlap: Option<f64>,
    /// What a uniform draw has on average for `sign_overlap`, an estimate as that of `overlap`.
    pub sign_overlap_random: Option<f64>,
    /// The share of the layer's edges that are the same in every realisation, sign included where the
    /// null model keeps signs (then at least this share).
    pub forced: Option<f64>,
    /// The integrated autocorrelation time of the overlap with the start (where the null model keeps
    /// signs, of `sign_overlap`) in proposals an edge: see [`super::Autocorrelation`]. Like the next two
    /// it belongs to the layer and stands in the last row of each sample, where it was measured.
    pub tau_overlap: Option<f64>,
    /// That of the assortativity.
    pub tau_assortativity: Option<f64>,
    /// That of the correlation of places.
    pub tau_place_correlation: Option<f64>,
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
    /// A statistic of this layer forgets too slowly for the length of the chains.
    TooShort {
        /// The layer.
        layer: String,
        /// The slowest statistic, a column of the table.
        statistic: &'static str,
        /// Its integrated autocorrelation time, proposals an edge.
        tau: f64,
        /// The length of the chains, proposals an edge.
        length: f64,
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
            Self::TooShort { layer, statistic, tau, length } => write!(
                formatter,
                "layer `{layer}`: the autocorrelation time of its {statistic} is {tau:.1} proposals an edge, the \
                 chains are {length} long; at least {:.0} swaps per edge are needed",
                (LENGTHS * tau).ceil()
            ),
        }
    }
}

/// Autocorrelation times that a chain must be long at least: what is left of the start after three is
/// about exp(-6), since a time is twice that of a decay.
const LENGTHS: f64 = 3.0;

/// Writes autocorrelation times into the last row of each sample.
pub fn record_autocorrelation(rows: &mut [MixingRow], times: &[Autocorrelation]) {
    for at in 0..rows.len() {
        let next = rows.get(at + 1).map(|next| (next.sample, next.layer.clone()));
        let row = &mut rows[at];
        if next.is_some_and(|(sample, layer)| sample == row.sample && layer == row.layer) {
            continue;
        }
        if let Some(of_layer) = times.iter().find(|times| times.layer == row.layer) {
            row.tau_overlap = of_layer.overlap;
            row.tau_assortativity = of_layer.assortativity;
            row.tau_place_correlation = of_layer.place_correlation;
        }
    }
}

/// What `rows`, of any number of samples of one null model, warn of. `freedom` is that of the mask
/// under this null model, from [`super::freedom()`]; `times` may be empty.
///
/// A layer counts as not mixed where the mean overlap of its samples (where the null model keeps signs,
/// of edges and signs) exceeds the expected one by 0.05 and by five standard errors, and its chain as
/// too short where it is shorter than three of its autocorrelation times. Layers without edges warn of
/// nothing.
pub fn warnings(freedom: &[LayerFreedom], rows: &[MixingRow], times: &[Autocorrelation]) -> Vec<Warning> {
    freedom.iter().filter(|layer| layer.edges > 0).filter_map(|layer| warning(layer, rows, times)).collect()
}

fn warning(freedom: &LayerFreedom, rows: &[MixingRow], times: &[Autocorrelation]) -> Option<Warning> {
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
        let overlap_of = |row: &&MixingRow| {
            row.sign_overlap.zip(row.sign_overlap_random).or_else(|| row.overlap.zip(row.overlap_random))
        };
        let (overlaps, expected): (Vec<f64>, Vec<f64>) = ends.iter().filter_map(overlap_of).unzip();
        let count = overlaps.len().max(1) as f64;
        let (overlap, expected) = (overlaps.iter().sum::<f64>() / count, expected.iter().sum::<f64>() / count);
        let error = (expected * (1.0 - expected).max(0.0) / freedom.edges as f64 / count).sqrt();
        if overlap > expected + (5.0 * error).max(0.05) {
            return Some(Warning::NotMixed { layer, overlap, expected });
        }
        let slowest = times.iter().find(|times| times.layer == layer).and_then(Autocorrelation::longest);
        let length = ends.iter().filter_map(|row| row.proposals_per_edge).fold(0.0, f64::max);
        if let Some((statistic, tau)) = slowest.filter(|(_, tau)| LENGTHS * tau > length) {
            return Some(Warning::TooShort { layer, statistic, tau, length });
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
            place_correlation: None,
            sign_overlap: None,
            sign_overlap_random: None,
            forced: None,
            tau_overlap: None,
            tau_assortativity: None,
            tau_place_correlation: None,
        }
    }

    #[test]
    fn each_warning_has_its_cause() {
        let warn = |edges, forced, rows: &[MixingRow]| {
            let freedom = LayerFreedom { layer: "a".into(), edges, forced };
            warnings(&[freedom], rows, &[]).iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
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
    #[test]
    fn slow_statistics_are_recorded_and_warned_of() {
        let time = |overlap, assortativity| Autocorrelation {
            layer: "a".into(),
            overlap: Some(overlap),
            assortativity,
            place_correlation: None,
            length: 100.0,
        };
        let freedom = [LayerFreedom { layer: "a".into(), edges: 100, forced: 0 }];
        let mut rows = [row(0, 0, 1.0), row(0, 50, 0.2), row(1, 0, 1.0), row(1, 50, 0.2)];
        assert_eq!(warnings(&freedom, &rows, &[time(1.5, Some(3.3))]), []);
        let slow = [time(1.5, Some(4.0))];
        assert_eq!(
            warnings(&freedom, &rows, &slow)[0].to_string(),
            "layer `a`: the autocorrelation time of its assortativity is 4.0 proposals an edge, the chains are 10 \
             long; at least 12 swaps per edge are needed"
        );
        record_autocorrelation(&mut rows, &slow);
        assert_eq!(rows.each_ref().map(|row| row.tau_assortativity), [None, Some(4.0), None, Some(4.0)]);
        assert_eq!(rows[1].tau_overlap, Some(1.5));
    }

    #[test]
    fn signs_that_stay_are_warned_of() {
        let mut end = row(0, 50, 0.2);
        (end.sign_overlap, end.sign_overlap_random) = (Some(0.5), Some(0.1));
        let freedom = [LayerFreedom { layer: "a".into(), edges: 100_000, forced: 0 }];
        assert!(matches!(warnings(&freedom, &[end], &[])[0], Warning::NotMixed { overlap: 0.5, .. }));
    }
}
