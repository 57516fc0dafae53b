//! One task: a replicate of a width, trained, pruned and measured level by level.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::checksums::{LevelChecksums, set_damaged_aside};
use super::context::Context;
use super::event::Event;
use super::order_parameter::order_parameter;
use super::rows::{LevelRow, ObservationRow};
use super::{RunFolder, Study};
use crate::checkpoint::paths::Task;
use crate::checkpoint::{Checkpoint, Kind, Metadata};
use crate::data::{Normalisation, Split};
use crate::graph::{Encoding, LayeredGraph};
use crate::mask::Mask;
use crate::network::{Network, Parameters};
use crate::percolation;
use crate::pruning::{Schedule, prune};
use crate::seed::Seeds;
use crate::table;
use crate::training::Evolution;

/// The tasks of a study with this architecture, by width, then by replicate.
pub fn tasks_of(study: &Study, architecture: &str) -> Vec<Task> {
    let of_width = |&width: &usize| {
        (0..study.network.replicates).map(move |seed| Task {
            dataset: study.data.name.clone(),
            architecture: architecture.to_owned(),
            width,
            seed,
        })
    };
    study.network.widths.iter().flat_map(of_width).collect()
}

/// How many levels of a task are whole: the checkpoint and both rows of every level before.
pub(super) fn levels_done(folder: &RunFolder, task: &Task) -> usize {
    let (levels, observations) = rows_done(folder, task);
    levels.len().min(observations.len())
}

/// The rows of the levels that are whole; a table that cannot be read counts as not there, since
/// its levels can be made again.
fn rows_done(folder: &RunFolder, task: &Task) -> (Vec<LevelRow>, Vec<ObservationRow>) {
    let read = table::read_rows::<LevelRow>(&folder.task_table(task, "levels"));
    let mut levels = read.unwrap_or_default();
    let read = table::read_rows::<ObservationRow>(&folder.task_table(task, "percolation"));
    let mut observations = read.unwrap_or_default();
    let checkpoints = (0..).take_while(|&level| task.level(folder.root(), level).is_file()).count();
    let in_order = levels.iter().enumerate().take_while(|(at, row)| row.level == *at).count();
    let done = checkpoints.min(in_order).min(observations.len());
    levels.truncate(done);
    observations.truncate(done);
    (levels, observations)
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
pub(super) fn run_task(context: &Context<'_>, task: &Task, stop_after: Option<usize>) -> crate::Result<()> {
    let Split { train, test, .. } = context.split;
    let work = Work {
        network: context.architecture.network(task.width, train.shape, train.classes)?,
        schedule: context.schedule.clone(),
        seeds: Seeds::new(context.study.seed, task.seed),
        context,
        task,
    };
    let last = stop_after.map_or(work.schedule.levels(), |stop| stop.min(work.schedule.levels()));
    // One damaged file hides others of later levels.
    while let Some(path) = set_damaged_aside(context.folder, task)? {
        let warning = format!("{}: damaged; set aside in log/damaged and made again", path.display());
        context.tell(&Event::Warning(&warning));
    }
    let initial = work.initial()?;
    let (mut levels, mut observations) = rows_done(context.folder, task);
    let mut checksums: Vec<LevelChecksums> =
        table::read_rows(&context.folder.task_table(task, "checksums")).unwrap_or_default();
    checksums.truncate(levels.len());
    let mut times: Vec<TimeRow> = table::read_rows(&context.folder.log(task)).unwrap_or_default();
    for row in &levels {
        context.tell(&Event::Level { task, row, last, resumed: true });
    }
    let chance = test.largest_class_share();
    for level in levels.len()..=last {
        let start = Instant::now();
        let (parameters, mask, previous) = work.train_level(level, &initial)?;
        let metrics = context.engine.evaluate(&work.network, &parameters, &mask, test)?;
        let evolution = Evolution::between(&initial, &parameters, &mask, &previous);
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
            m: order_parameter(metrics.accuracy, chance, dense_accuracy),
            weight_distance: evolution.distance,
            weight_cosine: evolution.cosine,
            sign_flips: evolution.sign_flips,
            mask_overlap: evolution.mask_overlap,
        };
        let observation = work.observe(level, &parameters, &mask)?;
        work.write_checkpoint(Some(level), &parameters, &mask)?;
        observations.push(observation);
        table::write_rows(&context.folder.task_table(task, "percolation"), &observations)?;
        if let Some(observation) = observations.last() {
            checksums.push(LevelChecksums::of(context.folder, task, &row, observation)?);
        }
        table::write_rows(&context.folder.task_table(task, "checksums"), &checksums)?;
        levels.push(row);
        // This file last: a level counts as done when its row is here.
        table::write_rows(&context.folder.task_table(task, "levels"), &levels)?;
        times.push(TimeRow { level, seconds: start.elapsed().as_secs_f64() });
        table::write_rows(&context.folder.log(task), &times)?;
        if let Some(row) = levels.last() {
            context.tell(&Event::Level { task, row, last, resumed: false });
        }
    }
    Ok(())
}

impl Work<'_> {
    /// The weights at initialisation, made and saved or read back.
    fn initial(&self) -> crate::Result<Parameters> {
        let path = self.task.initial(self.context.folder.root());
        if path.is_file() {
            let read = Checkpoint::read(&path)?;
            read.parameters.check(&self.network)?;
            return Ok(read.parameters);
        }
        let mut stream = self.seeds.stream(&format!("{}: initialisation", self.task));
        let parameters = Parameters::initialise(&self.network, &mut stream);
        self.write_checkpoint(None, &parameters, &Mask::dense(&self.network))?;
        Ok(parameters)
    }

    fn write_checkpoint(&self, level: Option<usize>, parameters: &Parameters, mask: &Mask) -> crate::Result<()> {
        let folder = self.context.folder;
        let path = match level {
            Some(level) => self.task.level(folder.root(), level),
            None => self.task.initial(folder.root()),
        };
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
        let checkpoint = Checkpoint::new(self.network.clone(), parameters.clone(), mask.clone(), metadata)?;
        checkpoint.write(&path)
    }

    /// Prunes (but at level 0) and trains; returns the trained parameters, the mask and the mask
    /// of the level before.
    fn train_level(&self, level: usize, initial: &Parameters) -> crate::Result<(Parameters, Mask, Mask)> {
        let Context { folder, study, split, engine, .. } = self.context;
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
                (parent.parameters, mask, parent.mask)
            }
        };
        let trainer = engine.trainer(&self.network, &split.train, study.training.hyperparameters())?;
        let budget = if level == 0 { self.context.training_budget } else { self.context.fine_tuning_budget };
        let purpose = format!("{}: shuffle, level {level}", self.task);
        let trained = trainer.train(&start, &mask, budget, &self.seeds, &purpose, &mut |progress| {
            self.context.tell(&Event::Step { task: self.task, level, progress });
        })?;
        Ok((trained, mask, previous))
    }

    fn observe(&self, level: usize, parameters: &Parameters, mask: &Mask) -> crate::Result<ObservationRow> {
        let graph = LayeredGraph::from_network(&self.network, parameters, mask, Encoding::Channel)?;
        let seen = percolation::observe(&graph);
        Ok(ObservationRow {
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
        })
    }
}
