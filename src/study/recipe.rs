//! What determines a task's results, and its hash: the task's identity.

use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::folder::write_json;
use super::{RunFolder, Study, StudyError};
use crate::checkpoint::paths::Task;
use crate::files;
use crate::network::Architecture;

/// All that the levels of a task follow from, beside the machine: the study's seed, the data and their
/// normalisation, the layers, the width, the replicate, training, pruning and observables.
///
/// Options that have their default are left out, so that an option that a later version adds changes no
/// hash; so is the number of levels, since no level depends on those after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Recipe {
    /// BLAKE3 of `recipe` as JSON with sorted keys.
    pub hash: String,
    recipe: Value,
}

impl Recipe {
    /// That of one task of a study.
    pub(super) fn of(study: &Study, architecture: &Architecture, task: &Task) -> Result<Self, StudyError> {
        let failed =
            |error: serde_json::Error| StudyError::File { origin: study.name.clone(), message: error.to_string() };
        let mut recipe = shared(study).map_err(failed)?;
        recipe.insert("layers".into(), serde_json::to_value(&architecture.layers).map_err(failed)?);
        recipe.insert("width".into(), task.width.into());
        recipe.insert("replicate".into(), task.seed.into());
        let recipe = sorted(Value::Object(recipe));
        Ok(Self { hash: blake3::hash(recipe.to_string().as_bytes()).to_hex().to_string(), recipe })
    }

    /// Where a run folder holds it.
    pub(super) fn path(folder: &RunFolder, task: &Task) -> PathBuf {
        folder.task_tables(task).join("recipe.json")
    }

    /// That which the results in a folder were made by; `None` where there are none.
    ///
    /// # Errors
    /// [`StudyError::Damaged`] where the file cannot be read.
    pub(super) fn there(folder: &RunFolder, task: &Task) -> crate::Result<Option<Self>> {
        let path = Self::path(folder, task);
        if !path.is_file() {
            return Ok(None);
        }
        let text = files::read_text(&path)?;
        let recipe = serde_json::from_str(&text)
            .map_err(|error| StudyError::Damaged { path, message: format!("not a recipe: {error}") })?;
        Ok(Some(recipe))
    }

    /// Claims the task's results for this recipe: writes it, or checks that the one there is the same.
    ///
    /// # Errors
    /// [`StudyError::OtherRecipe`] with the first key that differs.
    pub(super) fn claim(&self, folder: &RunFolder, task: &Task) -> crate::Result<()> {
        match Self::there(folder, task)? {
            None => write_json(&Self::path(folder, task), self),
            Some(there) if there.hash == self.hash => Ok(()),
            Some(there) => {
                let difference = first_difference(&there.recipe, &self.recipe).unwrap_or_else(|| "hash".into());
                let path = Self::path(folder, task);
                Err(StudyError::OtherRecipe { path, difference }.into())
            }
        }
    }
}

/// The part of the recipe that all tasks of a study share, as far as the study file says it.
fn shared(study: &Study) -> Result<Map<String, Value>, serde_json::Error> {
    let mut recipe = Map::new();
    if study.seed != 0 {
        recipe.insert("seed".into(), study.seed.into());
    }
    recipe.insert("data".into(), without_defaults(&study.data)?.into());
    recipe.insert("training".into(), without_defaults(&study.training)?.into());
    let mut pruning = without_defaults(&study.pruning)?;
    pruning.remove("levels");
    recipe.insert("pruning".into(), pruning.into());
    let observables = without_defaults(&study.observables)?;
    if !observables.is_empty() {
        recipe.insert("observables".into(), observables.into());
    }
    Ok(recipe)
}

/// The dotted name of the first key in which the recipes of two studies' tasks differ.
pub(super) fn difference(a: &Study, b: &Study) -> Option<String> {
    if a.network.architecture != b.network.architecture {
        return Some("network.architecture".into());
    }
    let recipe = |study| shared(study).map(|recipe| sorted(recipe.into())).ok();
    first_difference(&recipe(a)?, &recipe(b)?)
}

/// A section's keys but those that may be left out without a change.
pub(super) fn without_defaults<T>(section: &T) -> Result<Map<String, Value>, serde_json::Error>
where
    T: Serialize + DeserializeOwned + PartialEq,
{
    let Value::Object(all) = serde_json::to_value(section)? else { return Ok(Map::new()) };
    let needed = |key: &String| {
        let mut rest = all.clone();
        rest.remove(key);
        serde_json::from_value::<T>(rest.into()).map_or(true, |parsed| parsed != *section)
    };
    Ok(all.iter().filter(|(key, _)| needed(key)).map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// The same value with the keys of every object in order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<(String, Value)> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(pairs.into_iter().collect())
        }
        Value::Array(values) => values.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// The dotted name of the first key in which two values differ.
pub(super) fn first_difference(a: &Value, b: &Value) -> Option<String> {
    fn walk(name: &str, a: &Value, b: &Value) -> Option<String> {
        if a == b {
            return None;
        }
        if let (Some(a), Some(b)) = (a.as_object(), b.as_object()) {
            let keys: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            return keys.into_iter().find_map(|key| {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                walk(&name, a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null))
            });
        }
        Some(name.to_owned())
    }
    walk("", a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUDY: &str = r#"
name = "test"
[data]
name = "digits"
[network]
architecture = "fc4"
widths = [4, 8]
replicates = 2
[training]
optimiser = "adam"
learning-rate = 1e-3
batch = 64
epochs = 2
[pruning]
ratio = 0.8
levels = 5
epochs = 0.5
"#;

    fn hash(text: &str, width: usize, seed: u64) -> String {
        let study = Study::parse("test", text).unwrap();
        let architecture = Architecture::load(&study.network.architecture).unwrap();
        let task = Task { dataset: "digits".into(), architecture: "fc4".into(), width, seed };
        Recipe::of(&study, &architecture, &task).unwrap().hash
    }

    #[test]
    fn a_task_keeps_its_hash_when_its_results_do() {
        // Written down: results of earlier versions are found by it.
        let known = hash(STUDY, 4, 0);
        assert_eq!(known, "20de355ba91b419d1a4fe30fef9c7bad27345df1f51547b4e74248ff25ba493a");
        let same = [
            ("name = \"test\"", "name = \"other\"\nseed = 0\nkeep = \"none\""),
            ("[4, 8]", "[2, 4, 16]"),
            ("replicates = 2", "replicates = 30"),
            ("replicates = 2", "replicates = [3, 1]"),
            ("name = \"test\"", "name = \"test\"\nfigures = [\"collapse\"]"),
            ("epochs = 0.5", "epochs = 0.5\nweights = \"kept\"\n[observables]\nencoding = \"channel\""),
            ("levels = 5", "levels = 40\nscope = \"global\"\ncriterion = \"magnitude\""),
            ("batch = 64", "momentum = 0.0\nbatch = 64"),
        ];
        for (from, to) in same {
            assert_eq!(hash(&STUDY.replacen(from, to, 1), 4, 0), known, "{to}");
        }
        let other = [
            ("name = \"test\"", "name = \"test\"\nseed = 1"),
            ("\"digits\"", "\"digits\"\nmean = 0.1"),
            ("\"fc4\"", "\"cnn5\""),
            ("\"adam\"", "\"sgd\""),
            ("batch = 64", "momentum = 0.5\nbatch = 64"),
            ("epochs = 2", "epochs = 3"),
            ("ratio = 0.8", "ratio = 0.7"),
            ("ratio = 0.8\nlevels = 5", "one-shot = [0.5]"),
            ("epochs = 0.5", "steps = 5"),
            ("epochs = 0.5", "epochs = 0.5\nweights = \"rewound\""),
            ("epochs = 0.5", "epochs = 0.5\n[observables]\nencoding = \"unrolled\""),
            ("epochs = 0.5", "epochs = 0.5\n[observables]\ntopology = [\"cores\"]"),
            ("epochs = 0.5", "epochs = 0.5\nscope = \"layer\""),
        ];
        for (from, to) in other {
            assert_ne!(hash(&STUDY.replacen(from, to, 1), 4, 0), known, "{to}");
        }
        assert_ne!(hash(STUDY, 8, 0), known);
        assert_ne!(hash(STUDY, 4, 1), known);
    }
}
