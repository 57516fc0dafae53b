//! The study file.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::StudyError;
use super::keep::Keep;
use super::lines::{line_of, with_nearest};
use super::observables::Observables;
use super::sections::{
    Collapse, DataSection, Fit, NetworkSection, PruningSection, RetrainingSection, TrainingSection, WeightSource,
    is_default,
};
use crate::figure::Kind;
use crate::files;
use crate::pruning::Schedule;
use crate::rewire::NullModel;
use crate::training::Budget;

/// What to train, prune, measure, rewire and fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Study {
    /// The study's name.
    pub name: String,
    /// The seed from which, with the replicate and the purpose, every random stream follows.
    #[serde(default)]
    pub seed: u64,
    /// Which checkpoints stay.
    #[serde(default, skip_serializing_if = "is_default")]
    pub keep: Keep,
    /// Drawn into `figures/` once all tables are made; one whose fit failed is not an error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<Kind>,
    /// The images.
    pub data: DataSection,
    /// The networks.
    pub network: NetworkSection,
    /// Training of the dense network, and what every later training shares with it.
    pub training: TrainingSection,
    /// Pruning and fine-tuning.
    pub pruning: PruningSection,
    /// What is measured on the graph of every level.
    #[serde(default, skip_serializing_if = "is_default")]
    pub observables: Observables,
    /// Retraining of rewired samples; none where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retraining: Option<RetrainingSection>,
    /// The power law of one width's order parameter; none where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit: Option<Fit>,
    /// The collapse over the widths; none where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collapse: Option<Collapse>,
}

fn budget(epochs: Option<f64>, steps: Option<usize>, section: &str) -> Result<Budget, String> {
    match (epochs, steps) {
        (Some(epochs), None) => {
            let budget = Budget::Epochs(epochs);
            let wrong = |_| format!("[{section}] epochs = {epochs}: must be a number from 0 to 1e6");
            budget.check("epochs").map(|()| budget).map_err(wrong)
        }
        (None, Some(steps)) => Ok(Budget::Steps(steps)),
        _ => Err(format!("[{section}] needs either `epochs` or `steps`")),
    }
}

/// An error of another module as one of a section, without that module's name.
fn in_section(section: &str, module: &str, error: &impl std::fmt::Display) -> String {
    let message = error.to_string();
    format!("[{section}] {}", message.strip_prefix(module).unwrap_or(&message))
}

impl Study {
    /// Reads and checks a study file.
    ///
    /// # Errors
    /// As [`Study::parse`], or where the file cannot be read.
    pub fn read(path: &Path) -> crate::Result<Self> {
        let text = files::read_text(path)?;
        Ok(Self::parse(&path.display().to_string(), &text)?)
    }

    /// Reads a study; `origin` is only named in errors.
    ///
    /// # Errors
    /// [`StudyError::File`] with the line where TOML or a key is wrong, or with the value that is
    /// out of range.
    pub fn parse(origin: &str, text: &str) -> Result<Self, StudyError> {
        let wrong = |message| StudyError::File { origin: origin.to_owned(), message };
        let study: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            wrong(format!("line {line}: {}", with_nearest(&error.message().replace('\n', " "))))
        })?;
        study.check().map_err(|message| {
            wrong(line_of(text, &message).map_or(message.clone(), |line| format!("line {line}: {message}")))
        })?;
        Ok(study)
    }

    fn check(&self) -> Result<(), String> {
        self.training_budget()?;
        self.fine_tuning_budget()?;
        self.schedule()?.check().map_err(|error| in_section("pruning", "schedule: ", &error))?;
        let rising = self.network.widths.windows(2).all(|pair| pair[0] < pair[1]);
        if self.network.widths.is_empty() || !rising || self.network.widths[0] == 0 {
            return Err("[network] widths must be positive and rise, for example [8, 16, 32]".into());
        }
        self.network.replicates.check(&self.network.widths).map_err(|message| format!("[network] {message}"))?;
        if self.pruning.weights == WeightSource::Fresh {
            return Err("[pruning] weights = \"fresh\": must be \"kept\" or \"rewound\"".into());
        }
        self.observables.check().map_err(|message| format!("[observables] {message}"))?;
        let mut figures = self.figures.clone();
        figures.sort_unstable();
        if let Some(twice) = figures.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("figures names {} twice", twice[0]));
        }
        // The largest training set has 60,000 images; the runner checks against the real number.
        let largest = self.training.hyperparameters().check(60_000);
        largest.map_err(|error| in_section("training", "training: ", &error))?;
        let DataSection { mean, standard_deviation, .. } = self.data;
        if !mean.is_finite() {
            return Err(format!("[data] mean = {mean}: must be a finite number"));
        }
        if !(standard_deviation > 0.0 && standard_deviation.is_finite()) {
            return Err(format!("[data] standard-deviation = {standard_deviation}: must be positive and finite"));
        }
        if let Some(retraining) = &self.retraining {
            self.retraining_budget(retraining)?;
            if let Some(width) = retraining.widths.iter().find(|width| !self.network.widths.contains(width)) {
                return Err(format!("[retraining] width {width} is not among the widths of [network]"));
            }
            if !is_default(&retraining.chain) && !retraining.nulls.contains(&NullModel::Degrees) {
                return Err(format!(
                    "[retraining] chain = \"{}\": it draws from null model `degrees`, which is not among nulls",
                    retraining.chain
                ));
            }
            for &width in &retraining.widths {
                let there = self.network.replicates_of(width);
                if retraining.replicates > there {
                    let wanted = retraining.replicates;
                    return Err(format!("[retraining] replicates = {wanted}: [network] has {there} of width {width}"));
                }
            }
        }
        if let Some(fit) = &self.fit
            && !self.network.widths.contains(&fit.width)
        {
            return Err(format!("[fit] width {} is not among the widths of [network]", fit.width));
        }
        if self.collapse.is_some() && self.network.widths.len() < 2 {
            return Err("[collapse] needs at least two widths in [network]".into());
        }
        Ok(())
    }

    /// The pruning schedule.
    ///
    /// # Errors
    /// Where neither or both of its forms are given.
    pub fn schedule(&self) -> Result<Schedule, String> {
        match (self.pruning.ratio, self.pruning.levels, &self.pruning.one_shot) {
            (Some(ratio), Some(levels), None) => Ok(Schedule::Geometric { ratio, levels }),
            (None, None, Some(densities)) => Ok(Schedule::OneShot { densities: densities.clone() }),
            _ => Err("[pruning] needs `ratio` and `levels`, or `one-shot` alone".into()),
        }
    }

    /// The budget of the dense network.
    ///
    /// # Errors
    /// Where not exactly one of epochs and steps is given.
    pub fn training_budget(&self) -> Result<Budget, String> {
        budget(self.training.epochs, self.training.steps, "training")
    }

    /// The budget of a level.
    ///
    /// # Errors
    /// As [`Study::training_budget`].
    pub fn fine_tuning_budget(&self) -> Result<Budget, String> {
        budget(self.pruning.epochs, self.pruning.steps, "pruning")
    }

    /// The budget of a retraining.
    ///
    /// # Errors
    /// As [`Study::training_budget`].
    pub fn retraining_budget(&self, section: &RetrainingSection) -> Result<Budget, String> {
        budget(section.epochs, section.steps, "retraining")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
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

    #[test]
    fn a_good_study_parses() {
        let study = Study::parse("good.toml", GOOD).unwrap();
        assert_eq!(study.schedule().unwrap(), Schedule::Geometric { ratio: 0.8, levels: 5 });
        assert_eq!(study.fine_tuning_budget().unwrap(), Budget::Epochs(0.5));
    }

    #[test]
    fn wrong_studies_are_refused_in_one_line() {
        let cases = [
            (GOOD.replace("batch", "batsch"), "line 12: unknown field `batsch`"),
            (GOOD.replace("ratio = 0.8", "ratio = 1.8"), "ratio = 1.8: must lie between 0 and 1"),
            (GOOD.replace("epochs = 0.5", ""), "[pruning] needs either `epochs` or `steps`"),
            (GOOD.replace("epochs = 0.5", "epochs = -1"), "[pruning] epochs = -1"),
            (GOOD.replace("[4, 8]", "[8, 4]"), "[network] widths must be positive and rise"),
            (GOOD.replace("levels = 5", "one-shot = [0.5]"), "[pruning] needs `ratio` and `levels`, or `one-shot`"),
            (GOOD.replace("1e-3", "-1"), "learning-rate = -1: must lie in (0, 100]"),
            (GOOD.replace("\"adam\"", "\"adamm\""), "line 10: unknown variant `adamm`"),
            (GOOD.replace("replicates = 2", "replicates = 0"), "replicates = 0: must be at least 1"),
            (format!("{GOOD}[fit]\nwidth = 5\ncontrol = \"density\"\nvalue = \"m\"\n"), "[fit] width 5 is not among"),
        ];
        for (text, expected) in cases {
            let message = Study::parse("bad.toml", &text).unwrap_err().to_string();
            assert!(message.starts_with("bad.toml: ") && message.contains(expected), "{message}\nnot: {expected}");
            assert!(!message.contains('\n'), "{message}");
        }
    }
}
