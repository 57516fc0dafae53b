//! Topology of a layered graph: numbers of its blocks, of its groups of nodes, and of the whole.
//!
//! [`measure`] runs families of metrics, each independent of the others and in a file of its own,
//! and gives one [`Measurement`] a number. Two counts must not be mixed up (see
//! [`graph`](crate::graph)): *edges* are kept weights, *pairs* are joined pairs of nodes, the edges
//! of the simple graph. Degrees are in pairs, strengths, signs, densities and paths over edges; in
//! a network of linear layers the two are the same. Where the unrolled encoding repeats a weight,
//! strengths, signs and paths run over its links.
//!
//! The layer of a metric is the block's name, the group's name where the metric is one of nodes
//! (a group bears the name of the layer that ends in it, so metrics of blocks and of groups have
//! different names), or [`WHOLE`].
//!
//! | family | of a block | of a group | of the whole |
//! | --- | --- | --- | --- |
//! | `degrees` (pairs) | `edges`, `pairs`, `in_degree_*`, `out_degree_*`, `in_isolated`, `out_isolated` | `units`, `total_degree_*`, `units_isolated`, `units_without_inputs`, `units_without_outputs`, `units_dead` | `edges`, `pairs`, `units`, `total_degree_*`, `units_isolated`, `units_dead` |
//! | `strength` (edges) | `in_strength_*`, `out_strength_*`, `negative_share`, `in_sign_imbalance`, `out_sign_imbalance` | | `negative_share`, `in_sign_imbalance`, `out_sign_imbalance` |
//! | `assortativity` (pairs) | `degree_assortativity`, `total_degree_assortativity` | `in_out_degree_correlation` | `degree_assortativity` |
//! | `clustering` (pairs) | `four_cycles`, `three_paths`, `robins_alexander` | | the same |
//! | `cores` (pairs) | | `core_mean`, `core_max` | `core_max`, `core_max_units`, `core_mean` |
//! | `paths` (edges) | | | `paths_exist`, `paths_ln`, `paths_ln_expected`, `paths_ln_weight` |
//! | `allocation` (edges) | `density`, `density_uniform`, `density_erdos_renyi`, `density_erdos_renyi_kernel`, `vanishes_at_edges`, `vanishes_at_density` | | `density`, `vanishes_at_edges`, `vanishes_at_density` |
//! | `betweenness` (pairs) | | `betweenness_*`, `directed_betweenness_*` | the same |
//! | `spectrum` (pairs, and weights) | `adjacency_sigma_1`, `adjacency_sigma_2`, `adjacency_gap`, the same of `weights`, `ramanujan_bound`, `ramanujan_difference` | | |
//! | `non_backtracking` (pairs) | | | `non_backtracking_radius` |
//! | `persistence` (pairs) | `neural_persistence`, `neural_persistence_normalised` | | their means over the blocks |
//!
//! `*` stands for `mean`, `second_moment`, `variance` (of the population), `max`, `min`, `gini`
//! ([`Summary`]). A quantity that is not defined on a graph (a correlation with a side that does not
//! vary, a logarithm of 0, a share of nothing) has no row, so that every value is a finite number.

mod adjacency;
mod allocation;
mod assortativity;
mod betweenness;
mod clustering;
mod cores;
mod degrees;
mod eigen;
mod error;
mod four_cycles;
mod measurement;
mod non_backtracking;
mod paths;
mod persistence;
mod spectrum;
mod strength;
mod summary;
#[cfg(test)]
mod testing;
mod undirected;

pub use allocation::{Allocation, vanishing};
pub use assortativity::degree_assortativity;
pub use betweenness::{Betweenness, PathDirection, betweenness};
pub use clustering::Clustering;
pub use cores::core_numbers;
pub use degrees::{DegreeCount, Degrees, Direction, alive, degree_counts};
pub use error::TopologyError;
pub use measurement::{Measurement, Measurements, THRESHOLDS, TopologyRow, WHOLE};
pub use non_backtracking::non_backtracking_radius;
pub use paths::Paths;
pub use persistence::{LayerPersistence, neural_persistence};
pub use spectrum::{BlockSpectrum, SingularValues, spectra};
pub use strength::Strengths;
pub use summary::Summary;

use crate::graph::LayeredGraph;
use crate::seed::Seeds;

/// What the families need beside the graph.
#[derive(Debug, Clone)]
pub struct Options {
    /// Random streams, for families that sample.
    pub seeds: Seeds,
    /// The shape of the weights of each layer by its name, [out, in] or [out, in, kh, kw]. A layer
    /// that is not named here is taken for a linear one with all the inputs that a row can have,
    /// which is right but for convolutions.
    pub shapes: Vec<(String, Vec<usize>)>,
}

impl Default for Options {
    fn default() -> Self {
        Self { seeds: Seeds::new(0, 0), shapes: Vec::new() }
    }
}

/// A family of metrics that are measured together.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// Measures it; the error is of a family whose iteration does not converge.
    pub measure: fn(&LayeredGraph, &Options) -> Result<Vec<Measurement>, TopologyError>,
}

/// All families, in the order of their rows.
pub const FAMILIES: &[Family] = &[
    Family { name: "degrees", measure: |graph, options| Ok(degrees::measure(graph, options)) },
    Family { name: "strength", measure: |graph, options| Ok(strength::measure(graph, options)) },
    Family { name: "assortativity", measure: |graph, options| Ok(assortativity::measure(graph, options)) },
    Family { name: "clustering", measure: |graph, options| Ok(clustering::measure(graph, options)) },
    Family { name: "cores", measure: |graph, options| Ok(cores::measure(graph, options)) },
    Family { name: "paths", measure: |graph, options| Ok(paths::measure(graph, options)) },
    Family { name: "allocation", measure: |graph, options| Ok(allocation::measure(graph, options)) },
    Family { name: "betweenness", measure: |graph, options| Ok(betweenness::measure(graph, options)) },
    Family { name: "spectrum", measure: spectrum::measure },
    Family { name: "non_backtracking", measure: non_backtracking::measure },
    Family { name: "persistence", measure: |graph, options| Ok(persistence::measure(graph, options)) },
];

/// Measures all [`FAMILIES`]; see the [module](self) for the metrics.
///
/// ```
/// use prunephase::graph::{Encoding, LayeredGraph};
/// use prunephase::mask::Mask;
/// use prunephase::network::{Architecture, FeatureShape, Parameters};
/// use prunephase::seed::Seeds;
/// use prunephase::topology::{Options, WHOLE, measure};
///
/// let network = Architecture::built_in("fc4")?.network(2, FeatureShape::image(1, 8, 8), 10)?;
/// let parameters = Parameters::initialise(&network, &mut Seeds::new(0, 0).stream("initialisation"));
/// let graph = LayeredGraph::from_network(&network, &parameters, &Mask::dense(&network), Encoding::Channel)?;
/// let found = measure(&graph, &Options::default())?;
/// let clustering = found.iter().find(|one| one.layer == WHOLE && one.metric == "robins_alexander");
/// assert!(clustering.is_some_and(|one| one.value > 0.0 && one.value < 1.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`TopologyError::NotConverged`].
pub fn measure(graph: &LayeredGraph, options: &Options) -> Result<Vec<Measurement>, TopologyError> {
    let mut all = Vec::new();
    for family in FAMILIES {
        all.extend(family.of(graph, options)?);
    }
    Ok(all)
}

impl Family {
    /// Measures it, without rows of the skips between groups ([`crate::graph::Block::skip`]): they have no weights.
    /// Their pairs count in what is measured on groups and on the whole.
    ///
    /// # Errors
    /// As its `measure`.
    pub fn of(&self, graph: &LayeredGraph, options: &Options) -> Result<Vec<Measurement>, TopologyError> {
        let mut found = (self.measure)(graph, options)?;
        if graph.has_skips() {
            let skips: std::collections::BTreeSet<&str> =
                graph.blocks().iter().filter(|block| block.is_skip()).map(crate::graph::Block::name).collect();
            found.retain(|one| !skips.contains(one.layer.as_str()));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A row is found by its layer and metric alone, whatever families ran before.
        #[test]
        fn rows_are_finite_and_named_once(graph in testing::graphs()) {
            let found = measure(&graph, &Options::default()).unwrap();
            let mut keys: Vec<_> = found.iter().map(|one| (&one.layer, &one.metric)).collect();
            prop_assert!(found.iter().all(|one| one.value.is_finite()));
            keys.sort();
            prop_assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "{:?}", keys);
        }
    }

    #[test]
    fn a_network_whose_groups_bear_the_names_of_its_layers_has_every_row_once() {
        use crate::graph::Encoding;
        use crate::network::{Architecture, FeatureShape, Parameters};
        let network = Architecture::built_in("cnn5").unwrap().network(1, FeatureShape::image(1, 28, 28), 10).unwrap();
        let parameters = Parameters::initialise(&network, &mut Seeds::new(0, 0).stream("initialisation"));
        let mask = crate::mask::Mask::dense(&network);
        let graph = LayeredGraph::from_network(&network, &parameters, &mask, Encoding::Channel).unwrap();
        let found = measure(&graph, &Options::default()).unwrap();
        let mut keys: Vec<_> = found.iter().map(|one| (&one.layer, &one.metric)).collect();
        keys.sort();
        assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "{keys:?}");
    }
}
