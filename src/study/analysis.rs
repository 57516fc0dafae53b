//! What follows the tasks of a run: tables, retraining, fits, manifest.

use super::event::Event;
use super::file::{RetrainingSection, WeightSource};
use super::manifest::write_manifest;
use super::parallel::in_parallel;
use super::retraining::{Retraining, RetrainingSample};
use super::rows::{LevelRow, MixingRow, ObservationRow};
use super::runner::RunOptions;
use super::task::tasks_of;
use super::{RunFolder, Study, StudyError, fits};
use crate::checkpoint::Checkpoint;
use crate::checkpoint::paths::Task;
use crate::comparison::{self, RetrainingRow, compare};
use crate::data::Split;
use crate::mask::Density;
use crate::network::Architecture;
use crate::rewire::{self, SwapOptions};
use crate::seed::Seeds;
use crate::table;
use crate::training::Budget;

/// Makes tables, retrainings, fits and the manifest of a run whose tasks are done.
///
/// # Errors
/// Where a task's files are missing or damaged, or a retraining fails. A fit that cannot be made
/// is not an error: its file says why.
pub fn analyse(
    study: &Study,
    folder: &RunFolder,
    split: &Split,
    architecture: &Architecture,
    options: &RunOptions,
    events: &(dyn Fn(&Event<'_>) + Sync),
) -> crate::Result<()> {
    let tasks = tasks_of(study, &architecture.name);
    let mut levels: Vec<LevelRow> = Vec::new();
    let mut observations: Vec<ObservationRow> = Vec::new();
    for task in &tasks {
        levels.extend(table::read_rows(&folder.task_table(task, "levels"))?);
        observations.extend(table::read_rows(&folder.task_table(task, "percolation"))?);
    }
    table::write_rows(&folder.table("levels"), &levels)?;
    table::write_rows(&folder.table("percolation"), &observations)?;
    if let Some(section) = &study.retraining {
        events(&Event::Stage("retraining"));
        retrain_all(study, section, folder, split, &tasks, &levels, options, events)?;
    }
    events(&Event::Stage("fits"));
    fits::fit_all(study, folder)?;
    write_manifest(folder, study, options.device)
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

#[allow(clippy::too_many_arguments)] // a private step of `analyse`, split off for its length
fn retrain_all(
    study: &Study,
    section: &RetrainingSection,
    folder: &RunFolder,
    split: &Split,
    tasks: &[Task],
    levels: &[LevelRow],
    options: &RunOptions,
    events: &(dyn Fn(&Event<'_>) + Sync),
) -> crate::Result<()> {
    let budget =
        study.retraining_budget(section).map_err(|message| StudyError::File { origin: study.name.clone(), message })?;
    let mut units: Vec<(&Task, usize)> = Vec::new();
    for task in tasks.iter().filter(|task| section.widths.contains(&task.width) && task.seed < section.replicates) {
        let nearest = section.densities.iter().filter_map(|&density| nearest_level(levels, task, density));
        let mut nearest: Vec<usize> = nearest.collect();
        nearest.sort_unstable();
        nearest.dedup();
        units.extend(nearest.into_iter().map(|level| (task, level)));
    }
    let mut rows: Vec<RetrainingRow> = Vec::new();
    let mut mixing = Vec::new();
    for (done, (task, level)) in units.iter().enumerate() {
        let unit = Unit { study, section, folder, split, task, level: *level, budget };
        let (unit_rows, unit_mixing) = unit.run(options)?;
        rows.extend(unit_rows);
        mixing.extend(unit_mixing);
        events(&Event::Retrained { done: done + 1, of: units.len() });
    }
    table::write_rows(&folder.table("retraining"), &rows)?;
    let compare_options = comparison::Options { seed: study.seed, ..comparison::Options::default() };
    table::write_rows(&folder.table("comparison"), compare(&rows, &compare_options))?;
    table::write_rows(&folder.table("mixing"), &mixing)?;
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
    /// The rows, made in parallel or read back where they were made before; and how the swap
    /// chains mixed.
    fn run(&self, options: &RunOptions) -> crate::Result<(Vec<RetrainingRow>, Vec<MixingRow>)> {
        let part = format!("retraining-level-{:02}", self.level);
        let rows_path = self.folder.task_table(self.task, &part);
        let mixing_path = self.folder.task_table(self.task, &format!("mixing-level-{:02}", self.level));
        if let (Ok(rows), Ok(mixing)) = (table::read_rows(&rows_path), table::read_rows(&mixing_path)) {
            return Ok((rows, mixing));
        }
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
            device: options.device,
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
        table::write_rows(&mixing_path, &mixing)?;
        table::write_rows(&rows_path, &rows)?;
        Ok((rows, mixing))
    }

    /// The original first, then the samples of every null model.
    fn samples(&self, checkpoint: &Checkpoint, name: &str) -> crate::Result<(Vec<RetrainingSample>, Vec<MixingRow>)> {
        let seeds = Seeds::new(self.study.seed, self.task.seed).within(name);
        let options = SwapOptions::new(self.section.swaps_per_edge)?;
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
