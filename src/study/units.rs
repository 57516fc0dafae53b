//! The retrainings of a task: one unit a level that is near a density asked for.

use std::path::PathBuf;

use super::event::Event;
use super::file::{RetrainingSection, WeightSource};
use super::folder::RunFolder;
use super::lock::Lock;
use super::parallel::in_parallel;
use super::retraining::{Retraining, RetrainingSample};
use super::rows::{LevelRow, MixingRow};
use super::runner::RunOptions;
use super::{Study, StudyError};
use crate::checkpoint::Checkpoint;
use crate::checkpoint::paths::Task;
use crate::comparison::RetrainingRow;
use crate::data::Split;
use crate::mask::Density;
use crate::rewire::{self, SwapOptions};
use crate::seed::Seeds;
use crate::table;
use crate::training::Budget;

/// The levels of a task that are retrained, in ascending order.
pub(super) fn units_of(section: &RetrainingSection, task: &Task, levels: &[LevelRow]) -> Vec<usize> {
    if !section.widths.contains(&task.width) || task.seed >= section.replicates {
        return Vec::new();
    }
    let nearest = section.densities.iter().filter_map(|&density| nearest_level(levels, task, density));
    let mut nearest: Vec<usize> = nearest.collect();
    nearest.sort_unstable();
    nearest.dedup();
    nearest
}

/// The level of a task whose density is nearest to `density` in its logarithm.
fn nearest_level(levels: &[LevelRow], task: &Task, density: Density) -> Option<usize> {
    let distance = |row: &LevelRow| (row.density.ln() - density.value().ln()).abs();
    levels
        .iter()
        .filter(|row| row.width == task.width && row.seed == task.seed)
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
        .map(|row| row.level)
}

/// The tables of a unit: the retrainings, and how the swap chains mixed.
fn tables(folder: &RunFolder, task: &Task, level: usize) -> [PathBuf; 2] {
    ["retraining", "mixing"].map(|name| folder.task_table(task, &format!("{name}-level-{level:02}")))
}

/// The rows of a unit that is done.
pub(super) fn retrained(folder: &RunFolder, task: &Task, level: usize) -> Option<(Vec<RetrainingRow>, Vec<MixingRow>)> {
    let [rows, mixing] = tables(folder, task, level);
    Some((table::read_rows(&rows).ok()?, table::read_rows(&mixing).ok()?))
}

/// Makes the units of these tasks that are not done; every task's levels are.
pub(super) fn retrain(
    study: &Study,
    section: &RetrainingSection,
    folder: &RunFolder,
    split: &Split,
    tasks: &[Task],
    options: &RunOptions,
    events: &(dyn Fn(&Event<'_>) + Sync),
) -> crate::Result<()> {
    let budget =
        study.retraining_budget(section).map_err(|message| StudyError::File { origin: study.name.clone(), message })?;
    let mut units: Vec<(&Task, usize)> = Vec::new();
    for task in tasks {
        let levels: Vec<LevelRow> = table::read_rows(&folder.task_table(task, "levels"))?;
        units.extend(units_of(section, task, &levels).into_iter().map(|level| (task, level)));
    }
    for (done, &(task, level)) in units.iter().enumerate() {
        // Another runner of this folder may have made it, or be about to.
        let _lock = Lock::take(&folder.lock(task))?;
        if retrained(folder, task, level).is_none() {
            Unit { study, section, folder, split, task, level, budget }.run(options)?;
        }
        events(&Event::Retrained { done: done + 1, of: units.len() });
    }
    Ok(())
}

/// The retrainings of one checkpoint.
struct Unit<'a> {
    study: &'a Study,
    section: &'a RetrainingSection,
    folder: &'a RunFolder,
    split: &'a Split,
    task: &'a Task,
    level: usize,
    budget: Budget,
}

impl Unit<'_> {
    /// Makes the rows, in parallel, and how the swap chains mixed.
    fn run(&self, options: &RunOptions) -> crate::Result<()> {
        let checkpoint = Checkpoint::read(&self.task.level(self.folder.root(), self.level))?;
        let initial = Checkpoint::read(&self.task.initial(self.folder.root()))?;
        // Names the checkpoint in tables and random streams.
        let name = format!("{}-level-{:02}", self.task, self.level);
        let (samples, mixing) = self.samples(&checkpoint, &name)?;
        let retraining = Retraining {
            network: &checkpoint.network,
            split: self.split,
            hyperparameters: self.study.training.hyperparameters(),
            budget: self.budget,
            engine: options.engine,
            initial: Some(&initial.parameters),
            seed: self.study.seed,
            checkpoint: &name,
            part: &name,
        };
        let mut runs: Vec<(&RetrainingSample, WeightSource, u64)> = Vec::new();
        for sample in &samples {
            for &weights in &self.section.weights {
                runs.extend((0..self.section.seeds).map(|seed| (sample, weights, seed)));
            }
        }
        let rows = in_parallel(options.jobs, &runs, |(sample, weights, seed)| retraining.run(sample, *weights, *seed))
            .into_iter()
            .collect::<crate::Result<Vec<_>>>()?;
        let [rows_path, mixing_path] = tables(self.folder, self.task, self.level);
        table::write_rows(&mixing_path, &mixing)?;
        table::write_rows(&rows_path, &rows)?;
        Ok(())
    }

    /// The original first, then the samples of every null model.
    fn samples(&self, checkpoint: &Checkpoint, name: &str) -> crate::Result<(Vec<RetrainingSample>, Vec<MixingRow>)> {
        let seeds = Seeds::new(self.study.seed, self.task.seed).within(name);
        let options = SwapOptions::new(self.section.swaps_per_edge)?.by(self.section.chain);
        let mut samples = vec![RetrainingSample {
            null: "original".into(),
            sample: 0,
            parameters: checkpoint.parameters.clone(),
            mask: checkpoint.mask.clone(),
        }];
        let mut mixing = Vec::new();
        for &null in &self.section.nulls {
            let (parameters, mask) = (&checkpoint.parameters, &checkpoint.mask);
            let times = rewire::autocorrelation(mask, Some(parameters), null, &seeds, &options)?;
            for sample in 0..self.section.samples {
                let rewire::Sample { mask, parameters, mixing: mut rows } =
                    rewire::draw(parameters, mask, null, &seeds, sample, &options)?;
                rewire::record_autocorrelation(&mut rows, &times);
                samples.push(RetrainingSample { null: null.to_string(), sample, parameters, mask });
                mixing.extend(rows.into_iter().map(|row| MixingRow::new(name, null, row)));
            }
        }
        Ok((samples, mixing))
    }
}
