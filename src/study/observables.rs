//! What a study measures on the graph of every level.

use serde::{Deserialize, Serialize};

use super::lines::nearest;
use super::sections::is_default;
use crate::graph::{Encoding, LayeredGraph};
use crate::percolation::theory::thresholds;
use crate::seed::Seeds;
use crate::topology::{self, FAMILIES, Measurement, THRESHOLDS};

/// Percolation and flow are always measured; this says on which graph, and what else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Observables {
    /// What the nodes are: `channel` or `unrolled`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub encoding: Encoding,
    /// Families of [`topology::FAMILIES`], and `thresholds` for Lambda and the thresholds of theory: rows of
    /// `tables/topology.csv`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topology: Vec<String>,
}

impl Observables {
    /// Checks the names of the families.
    pub(super) fn check(&self) -> Result<(), String> {
        let known = || FAMILIES.iter().map(|family| family.name).chain([THRESHOLDS]);
        for (at, name) in self.topology.iter().enumerate() {
            if !known().any(|family| family == name) {
                let all = known().collect::<Vec<_>>().join(", ");
                let near = nearest(name, known()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                return Err(format!("topology: unknown family `{name}`, expected some of {all}{near}"));
            }
            if self.topology[..at].contains(name) {
                return Err(format!("topology names `{name}` twice"));
            }
        }
        Ok(())
    }

    /// The numbers of the families, in the order in which they are named.
    ///
    /// # Errors
    /// As [`topology::Family::of`].
    pub(super) fn measure(
        &self,
        graph: &LayeredGraph,
        shapes: Vec<(String, Vec<usize>)>,
        seeds: Seeds,
    ) -> crate::Result<Vec<Measurement>> {
        let options = topology::Options { seeds, shapes };
        let mut found = Vec::new();
        for name in &self.topology {
            if name == THRESHOLDS {
                found.extend(thresholds(graph).into_iter().map(|(metric, value)| Measurement::whole(metric, value)));
            } else if let Some(family) = FAMILIES.iter().find(|family| family.name == name) {
                found.extend(family.of(graph, &options)?);
            }
        }
        Ok(found)
    }
}
