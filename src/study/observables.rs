//! What a study measures on the graph of every level.

use serde::{Deserialize, Serialize};

use super::lines::nearest;
use crate::graph::{Encoding, LayeredGraph};
use crate::percolation::theory::thresholds;
use crate::seed::Seeds;
use crate::topology::{self, FAMILIES, Measurement, WHOLE};

/// Beside the families of [`topology`]: what theory says of random graphs with the same joint degrees.
const THRESHOLDS: &str = "thresholds";

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

fn is_default(encoding: &Encoding) -> bool {
    *encoding == Encoding::default()
}

impl Observables {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

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
                let whole = |(metric, value): (&str, f64)| Measurement {
                    layer: WHOLE.to_owned(),
                    metric: metric.to_owned(),
                    value,
                };
                found.extend(thresholds(graph).into_iter().map(whole));
            } else if let Some(family) = FAMILIES.iter().find(|family| family.name == name) {
                found.extend(family.of(graph, &options)?);
            }
        }
        Ok(found)
    }
}
