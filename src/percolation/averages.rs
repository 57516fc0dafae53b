//! Averages over realisations of a random order, and their fluctuations.

use serde::{Deserialize, Serialize};

use super::canonical::Binomials;
use super::{Observables, Points, Ranking, Sweep};
use crate::graph::LayeredGraph;

/// Which masks are averaged over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ensemble {
    /// Every kept weight is there with probability phi, independently: the averages of the sweep at
    /// every number n of weights, weighted with the binomial distribution of n (Newman and Ziff, Phys.
    /// Rev. E 64, 016706 (2001)). Curves are smooth in phi.
    Canonical,
    /// Exactly n kept weights are there.
    Microcanonical,
}

/// What is averaged: s1, s1^2, s1^4, s2, the sum of squares, outputs, inputs, active weights.
pub(super) const QUANTITIES: usize = 8;

/// The quantities of one point; powers of s1 / N, which do not overflow.
pub(super) fn quantities(seen: &Observables) -> [f64; QUANTITIES] {
    let p_inf = seen.p_inf();
    [
        p_inf,
        p_inf.powi(2),
        p_inf.powi(4),
        seen.s2 as f64,
        seen.chi(),
        seen.outputs_reached as f64,
        seen.inputs_used as f64,
        seen.active_edges as f64,
    ]
}

/// The averages of one realisation at several points.
#[derive(Debug, Clone, PartialEq)]
pub struct Realisation(Vec<[f64; QUANTITIES]>);

/// The averages over realisations at one point, with their standard errors (delete-one jackknife);
/// errors are `None` where there is one realisation, and what is not defined is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AverageRow {
    /// The checkpoint, as it was named.
    pub checkpoint: String,
    /// Which masks are averaged over.
    pub ensemble: Ensemble,
    /// The number of realisations.
    pub realisations: u64,
    /// The share of the kept weights that is there, or its expectation.
    pub phi: f64,
    /// The number of weights that are there, or its expectation.
    pub edges: f64,
    /// [`AverageRow::edges`] / weights of the dense network.
    pub density: f64,
    /// The mean of s1 / N.
    pub p_inf: f64,
    /// Its standard error.
    pub p_inf_error: Option<f64>,
    /// The mean of s2, in nodes.
    pub s2: f64,
    /// Its standard error.
    pub s2_error: Option<f64>,
    /// The mean of chi.
    pub chi: f64,
    /// Its standard error.
    pub chi_error: Option<f64>,
    /// var(s1) / N, over the ensemble: grows as chi does.
    pub chi_v: Option<f64>,
    /// Its standard error.
    pub chi_v_error: Option<f64>,
    /// `var(s1) / <s1>`: grows with (beta + gamma) / nu.
    pub chi_fl: Option<f64>,
    /// Its standard error.
    pub chi_fl_error: Option<f64>,
    /// `R = <s1^2> / <s1>^2`.
    pub r: f64,
    /// Its standard error.
    pub r_error: Option<f64>,
    /// `U4 = 1 - <s1^4> / (3 <s1^2>^2)`.
    pub u4: f64,
    /// Its standard error.
    pub u4_error: Option<f64>,
    /// The mean number of outputs reached.
    pub outputs_reached: f64,
    /// Its standard error.
    pub outputs_reached_error: Option<f64>,
    /// The mean number of inputs used.
    pub inputs_used: f64,
    /// Its standard error.
    pub inputs_used_error: Option<f64>,
    /// The mean number of active weights.
    pub active_edges: f64,
    /// Its standard error.
    pub active_edges_error: Option<f64>,
}

/// The points at which a graph is averaged.
#[derive(Debug, Clone)]
pub struct Averages<'a> {
    graph: &'a LayeredGraph,
    ensemble: Ensemble,
    numbers: Vec<usize>,
    binomials: Binomials,
}

impl<'a> Averages<'a> {
    /// At these numbers of kept weights; in the canonical ensemble at phi = number / kept, the
    /// probability with which that number is expected. In the canonical ensemble 8 bytes for each
    /// number within about 8 standard deviations of each point.
    pub fn new(graph: &'a LayeredGraph, ensemble: Ensemble, points: &Points) -> Self {
        let numbers = points.numbers(graph.edges());
        let expected = if ensemble == Ensemble::Canonical { numbers.as_slice() } else { &[] };
        Self { graph, ensemble, binomials: Binomials::new(graph.edges(), expected), numbers }
    }

    /// The averages along one order. O(edges, and numbers near the points).
    ///
    /// # Panics
    /// As [`Sweep::new`].
    pub fn realisation(&self, ranking: Ranking<'_>) -> Realisation {
        Realisation(match self.ensemble {
            Ensemble::Canonical => {
                let mut sweep = Sweep::new(self.graph, ranking, &Points::All);
                let empty = quantities(&sweep.empty());
                self.binomials.averages(std::iter::once(empty).chain(sweep.by_ref().map(|seen| quantities(&seen))))
            }
            Ensemble::Microcanonical => {
                let points = Points::At(self.numbers.clone());
                Sweep::new(self.graph, ranking, &points).map(|seen| quantities(&seen)).collect()
            }
        })
    }

    /// The averages over realisations, by ascending number of weights. Moments first, ratios after;
    /// the variance has the factor R / (R - 1) of independent realisations. Empty without
    /// realisations. O(points x realisations).
    pub fn rows(&self, checkpoint: &str, realisations: &[Realisation]) -> Vec<AverageRow> {
        if realisations.is_empty() {
            return Vec::new();
        }
        let count = realisations.len() as f64;
        let nodes = self.graph.nodes() as f64;
        let row = |(point, &number): (usize, &usize)| {
            let mut sum = [0.0; QUANTITIES];
            for realisation in realisations {
                for (sum, value) in sum.iter_mut().zip(&realisation.0[point]) {
                    *sum += value;
                }
            }
            let all = Derived::of(sum.map(|sum| sum / count), count, nodes);
            let without: Vec<Derived> = realisations
                .iter()
                .filter(|_| realisations.len() > 1)
                .map(|realisation| {
                    let mut rest = sum;
                    for (rest, value) in rest.iter_mut().zip(&realisation.0[point]) {
                        *rest = (*rest - value) / (count - 1.0);
                    }
                    Derived::of(rest, count - 1.0, nodes)
                })
                .collect();
            // The delete-one jackknife: (R - 1) / R times the sum of squares about the mean.
            let error = |of: &dyn Fn(&Derived) -> Option<f64>| -> Option<f64> {
                let values: Vec<f64> = without.iter().map(of).collect::<Option<_>>()?;
                if values.is_empty() {
                    return None;
                }
                let mean = values.iter().sum::<f64>() / count;
                let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
                Some((squares * (count - 1.0) / count).sqrt())
            };
            let dense = self.graph.dense() as f64;
            AverageRow {
                checkpoint: checkpoint.to_owned(),
                ensemble: self.ensemble,
                realisations: realisations.len() as u64,
                phi: number as f64 / self.graph.edges() as f64,
                edges: number as f64,
                density: number as f64 / dense,
                p_inf: all.mean[0],
                p_inf_error: error(&|of| Some(of.mean[0])),
                s2: all.mean[3],
                s2_error: error(&|of| Some(of.mean[3])),
                chi: all.mean[4],
                chi_error: error(&|of| Some(of.mean[4])),
                chi_v: all.chi_v,
                chi_v_error: error(&|of| of.chi_v),
                chi_fl: all.chi_fl,
                chi_fl_error: error(&|of| of.chi_fl),
                r: all.r,
                r_error: error(&|of| Some(of.r)),
                u4: all.u4,
                u4_error: error(&|of| Some(of.u4)),
                outputs_reached: all.mean[5],
                outputs_reached_error: error(&|of| Some(of.mean[5])),
                inputs_used: all.mean[6],
                inputs_used_error: error(&|of| Some(of.mean[6])),
                active_edges: all.mean[7],
                active_edges_error: error(&|of| Some(of.mean[7])),
            }
        };
        self.numbers.iter().enumerate().map(row).collect()
    }
}

/// What follows from means.
struct Derived {
    mean: [f64; QUANTITIES],
    chi_v: Option<f64>,
    chi_fl: Option<f64>,
    r: f64,
    u4: f64,
}

impl Derived {
    fn of(mean: [f64; QUANTITIES], count: f64, nodes: f64) -> Self {
        let [first, second, fourth, ..] = mean;
        let chi_v = (count > 1.0).then(|| (second - first * first).max(0.0) * count / (count - 1.0) * nodes);
        Self {
            mean,
            chi_v,
            chi_fl: chi_v.map(|chi_v| chi_v / first),
            r: second / (first * first),
            u4: 1.0 - fourth / (3.0 * second * second),
        }
    }
}

#[cfg(test)]
mod tests;
