//! The retrainings of a task: one unit a level that is near a density asked for.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use super::Study;
use super::StudyError;
use super::checksums::set_aside;
use super::context::Context;
use super::event::Event;
use super::folder::{RunFolder, write_json};
use super::lock::Lock;
use super::parallel::in_parallel;
use super::retraining::{Retraining, RetrainingSample};
use super::rows::{LevelRow, MixingRow};
use super::runner::RunOptions;
use super::sections::{RetrainingSection, WeightSource};
use crate::checkpoint::Checkpoint;
use crate::checkpoint::paths::Task;
use crate::comparison::RetrainingRow;
use crate::files::{self, FileError};
use crate::mask::Density;
use crate::rewire::{self, Sampler, SwapOptions};
use crate::seed::Seeds;
use crate::table;
use crate::training::Budget;

/// The levels of a task that are retrained, in ascending order; `densities` by level.
pub(super) fn units_of(section: &RetrainingSection, task: &Task, densities: &[f64]) -> Vec<usize> {
    if !section.widths.contains(&task.width) || task.seed >= section.replicates {
        return Vec::new();
    }
    let nearest = section.densities.iter().filter_map(|&density| nearest_level(densities, density));
    let mut nearest: Vec<usize> = nearest.collect();
    nearest.sort_unstable();
    nearest.dedup();
    nearest
}

/// The level whose density is nearest to `density` in its logarithm.
fn nearest_level(densities: &[f64], density: Density) -> Option<usize> {
    let distance = |level: &usize| (densities[*level].ln() - density.value().ln()).abs();
    (0..densities.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

/// The tables of a unit: the retrainings, and how the swap chains mixed.
fn tables(folder: &RunFolder, task: &Task, level: usize) -> [PathBuf; 2] {
    ["retraining", "mixing"].map(|name| folder.task_table(task, &format!("{name}-level-{level:02}")))
}

/// BLAKE3 of a unit's tables.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seal {
    retraining: String,
    mixing: String,
}

impl Seal {
    /// Where it is; written after the tables, and removed before they change.
    fn path(folder: &RunFolder, task: &Task, level: usize) -> PathBuf {
        folder.task_tables(task).join(format!("retraining-level-{level:02}.json"))
    }

    fn of([rows, mixing]: &[PathBuf; 2]) -> Result<Self, FileError> {
        Ok(Self { retraining: files::checksum(rows)?, mixing: files::checksum(mixing)? })
    }

    fn there(folder: &RunFolder, task: &Task, level: usize) -> Option<Self> {
        serde_json::from_str(&files::read_text(&Self::path(folder, task, level)).ok()?).ok()
    }
}

/// What is there of a unit, maybe of a study that retrained less.
type Rows = (Vec<RetrainingRow>, Vec<MixingRow>);

fn rows_there(folder: &RunFolder, task: &Task, level: usize) -> Option<Rows> {
    let seal = Seal::there(folder, task, level)?;
    let paths = tables(folder, task, level);
    if Seal::of(&paths).ok()? != seal {
        return None;
    }
    let [rows, mixing] = paths;
    Some((table::read_rows(&rows).ok()?, table::read_rows(&mixing).ok()?))
}

/// What names a retraining within a unit.
type Key = (String, usize, String, u64);

fn key_of(row: &RetrainingRow) -> Key {
    (row.null.clone(), row.sample, row.weights.clone(), row.seed)
}

/// The retrainings of a unit, in the order of its table.
fn wanted(section: &RetrainingSection) -> Vec<Key> {
    let originals = std::iter::once(("original".to_owned(), 0));
    let drawn = section.nulls.iter().flat_map(|null| (0..section.samples).map(|sample| (null.to_string(), sample)));
    let mut keys = Vec::new();
    for (null, sample) in originals.chain(drawn) {
        for weights in &section.weights {
            keys.extend((0..section.seeds).map(|seed| (null.clone(), sample, weights.name().to_owned(), seed)));
        }
    }
    keys
}

/// The rows of a unit that is done.
pub(super) fn retrained(section: &RetrainingSection, folder: &RunFolder, task: &Task, level: usize) -> Option<Rows> {
    rows_there(folder, task, level).filter(|(rows, _)| rows.iter().map(key_of).eq(wanted(section)))
}

/// The levels of a task whose retrainings are not all done; damaged tables count as not there.
pub(super) fn pending(study: &Study, folder: &RunFolder, task: &Task, densities: &[f64]) -> Vec<usize> {
    let Some(section) = &study.retraining else { return Vec::new() };
    let mut levels = units_of(section, task, densities);
    levels.retain(|&level| retrained(section, folder, task, level).is_none());
    levels
}

/// Makes the units of these tasks that are not done; every task's levels are.
pub(super) fn retrain(
    context: &Context<'_>,
    section: &RetrainingSection,
    tasks: &[Task],
    options: &RunOptions,
) -> crate::Result<()> {
    let Context { study, folder, .. } = *context;
    let budget =
        study.retraining_budget(section).map_err(|message| StudyError::File { origin: study.name.clone(), message })?;
    let mut units: Vec<(&Task, usize)> = Vec::new();
    for task in tasks {
        let levels: Vec<LevelRow> = table::read_rows(&folder.task_table(task, "levels"))?;
        let densities: Vec<f64> = levels.iter().map(|row| row.density).collect();
        units.extend(units_of(section, task, &densities).into_iter().map(|level| (task, level)));
    }
    for (done, &(task, level)) in units.iter().enumerate() {
        // Another runner of this folder may have made it, or be about to.
        let _lock = Lock::take(&folder.lock(task))?;
        if retrained(section, folder, task, level).is_none() {
            Unit { context, section, task, level, budget }.run(options.jobs)?;
        }
        context.tell(&Event::Retrained { done: done + 1, of: units.len() });
        if units.get(done + 1).is_none_or(|(next, _)| *next != task) {
            // What only the retrainings needed.
            let last = context.schedule.levels();
            study.keep.trim(folder, task, last, |_| false, false)?;
        }
    }
    Ok(())
}

/// The retrainings of one checkpoint.
struct Unit<'a> {
    context: &'a Context<'a>,
    section: &'a RetrainingSection,
    task: &'a Task,
    level: usize,
    budget: Budget,
}

impl Unit<'_> {
    /// Makes the rows that are not there yet, in parallel, and how the swap chains mixed.
    fn run(&self, jobs: NonZeroUsize) -> crate::Result<()> {
        let Self { context, section, task, level, budget } = *self;
        let Context { study, folder, split, engine, .. } = *context;
        let there = self.there()?;
        let checkpoint = Checkpoint::read(&task.level(folder.root(), level))?;
        let initial = Checkpoint::read(&task.initial(folder.root()))?;
        // Names the checkpoint in tables and random streams.
        let name = format!("{task}-level-{level:02}");
        let (samples, mixing) = self.samples(&checkpoint, &name)?;
        let retraining = Retraining {
            network: &checkpoint.network,
            train: context.train.clone(),
            test: &split.test,
            hyperparameters: study.training.hyperparameters(),
            budget,
            engine,
            initial: Some(&initial.parameters),
            seed: study.seed,
            checkpoint: &name,
            part: &name,
        };
        let mut runs: Vec<(&RetrainingSample, WeightSource, u64)> = Vec::new();
        for sample in &samples {
            for &weights in &section.weights {
                runs.extend((0..section.seeds).map(|seed| (sample, weights, seed)));
            }
        }
        let rows = in_parallel(jobs, &runs, |&(sample, weights, seed)| {
            let key = (sample.null.clone(), sample.sample, weights.name().to_owned(), seed);
            if let Some(row) = there.get(&key) {
                return Ok(row.clone());
            }
            if context.stop.load(Ordering::Relaxed) {
                return Err(StudyError::Stopped.into());
            }
            retraining.run(sample, weights, seed)
        });
        let stopped =
            |result: &crate::Result<RetrainingRow>| matches!(result, Err(crate::Error::Study(StudyError::Stopped)));
        let is_stopped = rows.iter().any(stopped);
        let rows = rows.into_iter().filter(|result| !stopped(result)).collect::<crate::Result<Vec<_>>>()?;
        self.write(&rows, &mixing)?;
        if is_stopped { Err(StudyError::Stopped.into()) } else { Ok(()) }
    }

    /// The rows that are there and still belong to this recipe; damaged tables are set aside.
    fn there(&self) -> crate::Result<BTreeMap<Key, RetrainingRow>> {
        let Self { context, task, level, .. } = *self;
        let folder = context.folder;
        let seal = Seal::path(folder, task, level);
        if let Some((rows, _)) = rows_there(folder, task, level) {
            return Ok(rows.into_iter().map(|row| (key_of(&row), row)).collect());
        }
        if seal.is_file() {
            for path in tables(folder, task, level).into_iter().chain([seal]).filter(|path| path.is_file()) {
                context.tell_damaged(&path);
                set_aside(folder, path)?;
            }
        }
        Ok(BTreeMap::new())
    }

    fn write(&self, rows: &[RetrainingRow], mixing: &[MixingRow]) -> crate::Result<()> {
        let Self { context: Context { folder, .. }, task, level, .. } = *self;
        let (seal, paths) = (Seal::path(folder, task, level), tables(folder, task, level));
        if seal.is_file() {
            std::fs::remove_file(&seal).map_err(|source| FileError::write(&seal, source))?;
        }
        table::write_rows(&paths[1], mixing)?;
        table::write_rows(&paths[0], rows)?;
        write_json(&seal, &Seal::of(&paths)?)
    }

    /// The original first, then the samples of every null model.
    fn samples(&self, checkpoint: &Checkpoint, name: &str) -> crate::Result<(Vec<RetrainingSample>, Vec<MixingRow>)> {
        let seeds = Seeds::new(self.context.study.seed, self.task.seed).within(name);
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
            let sampler = Sampler::new(parameters, mask, null, &options)?;
            for sample in 0..self.section.samples {
                let rewire::Sample { mask, parameters, mixing: mut rows } = sampler.draw(&seeds, sample)?;
                rewire::record_autocorrelation(&mut rows, &times);
                samples.push(RetrainingSample { null: null.to_string(), sample, parameters, mask });
                mixing.extend(rows.into_iter().map(|row| MixingRow::new(name, null, row)));
            }
        }
        Ok((samples, mixing))
    }
}
