//! One task: a replicate of a width, trained, pruned and measured level by level.

use std::sync::atomic::Ordering;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::checksums::{LevelChecksums, set_aside, set_damaged_aside};
use super::context::Context;
use super::event::Event;
use super::keep::Keep;
use super::order_parameter::order_parameter;
use super::recipe::Recipe;
use super::rows::{LevelRow, ObservationRow, TopologyRow};
use super::sections::WeightSource;
use super::{RunFolder, Study, StudyError, units};
use crate::checkpoint::paths::Task;
use crate::checkpoint::{Checkpoint, Kind, Metadata};
use crate::data::{Normalisation, Split};
use crate::files::FileError;
use crate::graph::LayeredGraph;
use crate::mask::{Density, Mask};
use crate::network::{Network, Parameters};
use crate::percolation;
use crate::pruning::{Schedule, prune};
use crate::seed::Seeds;
use crate::table;
use crate::topology::Measurement;
use crate::training::Evolution;

/// The tasks of a study with this architecture, by width, then by replicate.
pub fn tasks_of(study: &Study, architecture: &str) -> Vec<Task> {
    let of_width = |&width: &usize| {
        (0..study.network.replicates_of(width)).map(move |seed| Task {
            dataset: study.data.name.clone(),
            architecture: architecture.to_owned(),
            width,
            seed,
        })
    };
    study.network.widths.iter().flat_map(of_width).collect()
}

/// How many levels of a task are whole: both rows of every level before, and what the study keeps of it.
pub(super) fn levels_done(folder: &RunFolder, study: &Study, task: &Task) -> usize {
    let Rows { levels, .. } = Rows::done(folder, study, task);
    (0..levels.len()).take_while(|&level| study.keep.is_there(folder, task, level)).count()
}

/// The rows of a task's tables.
struct Rows {
    levels: Vec<LevelRow>,
    observations: Vec<ObservationRow>,
    topology: Vec<TopologyRow>,
}

impl Rows {
    /// The rows of the levels that are in every table; a table that cannot be read counts as not there, since
    /// its levels can be made again.
    fn done(folder: &RunFolder, study: &Study, task: &Task) -> Self {
        let mut levels: Vec<LevelRow> = table::read_rows(&folder.task_table(task, "levels")).unwrap_or_default();
        let read = table::read_rows::<ObservationRow>(&folder.task_table(task, "percolation"));
        let observations = read.unwrap_or_default();
        let in_order = levels.iter().enumerate().take_while(|(at, row)| row.level == *at).count();
        let mut done = in_order.min(observations.len());
        let mut topology: Vec<TopologyRow> = Vec::new();
        if !study.observables.topology.is_empty() {
            topology = table::read_rows(&folder.task_table(task, "topology")).unwrap_or_default();
            let has = |level: &usize| topology.iter().any(|row| row.level == *level);
            done = (0..done).take_while(has).count();
        }
        levels.truncate(done);
        let mut rows = Self { levels, observations, topology };
        rows.truncate(done);
        rows
    }

    fn truncate(&mut self, levels: usize) {
        self.levels.truncate(levels);
        self.observations.truncate(levels);
        self.topology.retain(|row| row.level < levels);
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct TimeRow {
    level: usize,
    seconds: f64,
}

/// What a task works on.
struct Work<'a> {
    context: &'a Context<'a>,
    task: &'a Task,
    network: Network,
    schedule: Schedule,
    seeds: Seeds,
}

/// Runs what is left of a task, up to its last level or `stop_after`.
///
/// # Errors
/// [`StudyError::Stopped`] where the run was asked to stop, after the level in hand.
pub(super) fn run_task(context: &Context<'_>, task: &Task, stop_after: Option<usize>) -> crate::Result<()> {
    let Split { train, .. } = context.split;
    let Context { study, folder, architecture, .. } = *context;
    let work = Work {
        network: architecture.network(task.width, train.shape, train.classes)?,
        schedule: context.schedule.clone(),
        seeds: Seeds::new(study.seed, task.seed),
        context,
        task,
    };
    let last = stop_after.map_or(work.schedule.levels(), |stop| stop.min(work.schedule.levels()));
    // One damaged file hides others of later levels.
    while let Some(path) = set_damaged_aside(folder, task)? {
        context.tell_damaged(&path);
    }
    Recipe::of(study, architecture, task)?.claim(folder, task)?;
    let mut done = work.done()?;
    for row in &done.rows.levels {
        context.tell(&Event::Level { task, row, last, resumed: true });
    }
    let initial = if done.rows.levels.len() <= last || study.keep.initial() || !done.pending.is_empty() {
        Some(work.initial()?)
    } else {
        None
    };
    let mut times: Vec<TimeRow> = table::read_rows(&folder.log(task)).unwrap_or_default();
    for level in done.rows.levels.len()..=last {
        if context.stop.load(Ordering::Relaxed) {
            return Err(StudyError::Stopped.into());
        }
        let start = Instant::now();
        if let Some(initial) = &initial {
            work.make_level(level, initial, &mut done)?;
        }
        times.push(TimeRow { level, seconds: start.elapsed().as_secs_f64() });
        table::write_rows(&folder.log(task), &times)?;
        work.trim(level, &done.pending)?;
        if let Some(row) = done.rows.levels.last() {
            context.tell(&Event::Level { task, row, last, resumed: false });
        }
    }
    work.trim(last, &done.pending)
}

/// What is there of a task.
struct Done {
    rows: Rows,
    checksums: Vec<LevelChecksums>,
    /// The levels whose retrainings are not done.
    pending: Vec<usize>,
}

impl Work<'_> {
    /// What is there, up to the first level of which something is missing that is kept or needed: that level
    /// and all after it are made again.
    fn done(&self) -> crate::Result<Done> {
        let Self { context, task, schedule, .. } = self;
        let Context { study, folder, .. } = **context;
        let weights = self.network.weights();
        let density = |level| Density::of(schedule.kept(weights, level), weights).value();
        let densities: Vec<f64> = (0..=schedule.levels()).map(density).collect();
        let pending = units::pending(study, folder, task, &densities);
        let mut rows = Rows::done(folder, study, task);
        let (there, made) = (|level| task.level(folder.root(), level).is_file(), rows.levels.len());
        let whole =
            |&level: &usize| study.keep.is_there(folder, task, level) && (there(level) || !pending.contains(&level));
        let mut done = (0..made).take_while(whole).count();
        while done <= schedule.levels()
            && let Some(parent) = schedule.parent(done)
            && !there(parent)
        {
            done = parent;
        }
        let path = |name| folder.task_table(task, name);
        let mut checksums: Vec<LevelChecksums> = table::read_rows(&path("checksums")).unwrap_or_default();
        rows.truncate(done);
        if done < made {
            // In this order, so that at no moment a level counts as done whose checksum is not there.
            table::write_rows(&path("levels"), &rows.levels)?;
        }
        if done < checksums.len() {
            checksums.truncate(done);
            table::write_rows(&path("checksums"), &checksums)?;
        }
        let mut done = Done { rows, checksums, pending };
        self.settle_masks(&mut done)?;
        Ok(done)
    }

    /// Writes the masks that are kept alone and are not there yet, of levels made when all weights were kept;
    /// where no mask is kept alone, removes those that are there.
    fn settle_masks(&self, done: &mut Done) -> crate::Result<()> {
        let Self { context, task, schedule, .. } = self;
        let Context { study, folder, .. } = **context;
        let kept = study.keep == Keep::Masks;
        let mut changed = false;
        for sums in &mut done.checksums {
            let path = task.mask(folder.root(), sums.level);
            if kept && !path.is_file() {
                Checkpoint::read(&task.level(folder.root(), sums.level))?.write_mask(&path)?;
                sums.mask = LevelChecksums::of_mask(folder, task, sums.level)?;
                changed = true;
            } else if !kept && sums.mask.take().is_some() {
                changed = true;
            }
        }
        if changed {
            table::write_rows(&folder.task_table(task, "checksums"), &done.checksums)?;
        }
        if !kept {
            let masks = (0..=schedule.levels()).map(|level| task.mask(folder.root(), level));
            for path in masks.filter(|path| path.is_file()) {
                std::fs::remove_file(&path).map_err(|source| FileError::write(&path, source))?;
            }
        }
        Ok(())
    }

    /// Trains, measures and saves a level.
    fn make_level(&self, level: usize, initial: &Parameters, done: &mut Done) -> crate::Result<()> {
        let Self { context, task, network, .. } = self;
        let (folder, test) = (context.folder, &context.split.test);
        let Done { rows: Rows { levels, observations, topology }, checksums, .. } = done;
        let (parameters, mask, previous) = self.train_level(level, initial)?;
        let metrics = context.engine.evaluate(network, &parameters, &mask, test)?;
        let evolution = Evolution::between(initial, &parameters, &mask, &previous);
        let dense_accuracy = levels.first().map_or(metrics.accuracy, |row| row.accuracy);
        let row = LevelRow {
            dataset: task.dataset.clone(),
            architecture: task.architecture.clone(),
            width: task.width,
            seed: task.seed,
            level,
            density: mask.density().value(),
            kept: mask.kept(),
            accuracy: metrics.accuracy,
            loss: metrics.loss,
            prediction_entropy: metrics.prediction_entropy,
            outcome_entropy: metrics.outcome_entropy,
            m: order_parameter(metrics.accuracy, test.largest_class_share(), dense_accuracy),
            weight_distance: evolution.distance,
            weight_cosine: evolution.cosine,
            sign_flips: evolution.sign_flips,
            mask_overlap: evolution.mask_overlap,
        };
        let encoding = context.study.observables.encoding;
        let graph = LayeredGraph::from_network(network, &parameters, &mask, encoding)?;
        let observation = self.observe(level, &graph, &mask);
        topology.extend(self.measure(level, &graph, &mask)?);
        let checkpoint = self.checkpoint(Some(level), &parameters, &mask)?;
        checkpoint.write(&task.level(folder.root(), level))?;
        if context.study.keep == Keep::Masks {
            checkpoint.write_mask(&task.mask(folder.root(), level))?;
        }
        observations.push(observation);
        table::write_rows(&folder.task_table(task, "percolation"), &*observations)?;
        if !topology.is_empty() {
            table::write_rows(&folder.task_table(task, "topology"), &*topology)?;
        }
        if let Some(observation) = observations.last() {
            checksums.push(LevelChecksums::of(folder, task, &row, observation, topology)?);
        }
        table::write_rows(&folder.task_table(task, "checksums"), &*checksums)?;
        levels.push(row);
        // This file last: a level counts as done when its row is here.
        table::write_rows(&folder.task_table(task, "levels"), &*levels)?;
        Ok(())
    }

    /// Removes the checkpoints that are not kept and that neither a level after `level` nor a retraining needs.
    fn trim(&self, level: usize, pending: &[usize]) -> crate::Result<()> {
        let next = level + 1;
        let more = next <= self.schedule.levels();
        let parent = self.schedule.parent(next).filter(|_| more);
        let Context { study, folder, .. } = self.context;
        let needed = |of| parent == Some(of) || pending.contains(&of);
        Ok(study.keep.trim(folder, self.task, level, needed, more || !pending.is_empty())?)
    }

    /// The weights at initialisation, and their checkpoint where it is not there or is damaged.
    fn initial(&self) -> crate::Result<Parameters> {
        let folder = self.context.folder;
        let path = self.task.initial(folder.root());
        let mut stream = self.seeds.stream(&format!("{}: initialisation", self.task));
        let parameters = Parameters::initialise(&self.network, &mut stream);
        if path.is_file() {
            if Checkpoint::read(&path).is_ok_and(|read| read.parameters == parameters) {
                return Ok(parameters);
            }
            self.context.tell_damaged(&path);
            set_aside(folder, path.clone())?;
        }
        self.checkpoint(None, &parameters, &Mask::dense(&self.network))?.write(&path)?;
        Ok(parameters)
    }

    fn checkpoint(&self, level: Option<usize>, parameters: &Parameters, mask: &Mask) -> crate::Result<Checkpoint> {
        let study = self.context.study;
        let Normalisation { mean, standard_deviation } = study.data.normalisation();
        let normalisation = [("mean", mean), ("standard_deviation", standard_deviation)];
        let metadata = Metadata {
            kind: if level.is_some() { Kind::Level } else { Kind::Initial },
            dataset: Some(self.task.dataset.clone()),
            seed: Some(self.task.seed),
            level,
            extra: normalisation.map(|(key, value)| (key.to_owned(), value.to_string())).into(),
            ..Metadata::default()
        };
        Checkpoint::new(self.network.clone(), parameters.clone(), mask.clone(), metadata)
    }

    /// Prunes (but at level 0) and trains; returns the trained parameters, the mask and the mask
    /// of the level before.
    fn train_level(&self, level: usize, initial: &Parameters) -> crate::Result<(Parameters, Mask, Mask)> {
        let Context { folder, study, train, engine, .. } = self.context;
        let (start, mask, previous) = match self.schedule.parent(level) {
            None => {
                let dense = Mask::dense(&self.network);
                (initial.clone(), dense.clone(), dense)
            }
            Some(parent) => {
                let parent = Checkpoint::read(&self.task.level(folder.root(), parent))?;
                let kept = self.schedule.kept(self.network.weights(), level);
                let mut stream = self.seeds.stream(&format!("{}: scores, level {level}", self.task));
                let scores = study.pruning.criterion.scores(&parent.parameters, &mut stream)?;
                let mask = prune(&parent.mask, &scores, kept, study.pruning.scope)?;
                let start = match study.pruning.weights {
                    WeightSource::Rewound => initial.clone(),
                    _ => parent.parameters,
                };
                (start, mask, parent.mask)
            }
        };
        let trainer = engine.trainer(&self.network, train, study.training.hyperparameters())?;
        let budget = if level == 0 { self.context.training_budget } else { self.context.fine_tuning_budget };
        let purpose = format!("{}: shuffle, level {level}", self.task);
        let trained = trainer.train(&start, &mask, budget, &self.seeds, &purpose, &mut |progress| {
            self.context.tell(&Event::Step { task: self.task, level, progress });
        })?;
        Ok((trained, mask, previous))
    }

    fn observe(&self, level: usize, graph: &LayeredGraph, mask: &Mask) -> ObservationRow {
        let seen = percolation::observe(graph);
        ObservationRow {
            dataset: self.task.dataset.clone(),
            architecture: self.task.architecture.clone(),
            width: self.task.width,
            seed: self.task.seed,
            level,
            density: mask.density().value(),
            edges: seen.edges,
            nodes: seen.nodes,
            mean_degree: 2.0 * seen.edges as f64 / seen.nodes as f64,
            p_inf: seen.p_inf(),
            s1: seen.s1,
            s2: seen.s2,
            chi: seen.chi(),
            components: seen.components,
            outputs_reached: seen.outputs_reached,
            inputs_used: seen.inputs_used,
            active_edges: seen.active_edges,
        }
    }

    /// The topology that the study asks for.
    fn measure(&self, level: usize, graph: &LayeredGraph, mask: &Mask) -> crate::Result<Vec<TopologyRow>> {
        let shapes = mask.layers.iter().map(|layer| (layer.name.clone(), layer.kept.shape().to_vec())).collect();
        let seeds = self.seeds.within(&format!("{}: topology, level {level}", self.task));
        let found = self.context.study.observables.measure(graph, shapes, seeds)?;
        let row = |one: Measurement| TopologyRow {
            dataset: self.task.dataset.clone(),
            architecture: self.task.architecture.clone(),
            width: self.task.width,
            seed: self.task.seed,
            level,
            density: mask.density().value(),
            layer: one.layer,
            metric: one.metric,
            value: one.value,
        };
        Ok(found.into_iter().map(row).collect())
    }
}
