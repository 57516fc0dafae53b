//! What follows the tasks of a run, without training: tables, comparison, fits, manifest.

use super::event::Event;
use super::fits;
use super::folder::RunFolder;
use super::machine::Machine;
use super::manifest::write_manifest;
use super::rows::{LevelRow, ObservationRow, TopologyRow};
use super::task::tasks_of;
use super::units::{retrained, units_of};
use super::{Study, StudyError};
use crate::comparison::{self, compare};
use crate::figure::{self, Format, Style};
use crate::table;

/// Makes the tables, fits and the manifest of a run whose tasks are done. O(rows), nothing is trained:
/// the same bytes, whichever runners made the tasks.
///
/// # Errors
/// [`StudyError::Unfinished`] where levels or retrainings are missing; where a task's files are damaged.
/// A fit that cannot be made is not an error: its file says why.
pub fn analyse(
    study: &Study,
    folder: &RunFolder,
    architecture: &str,
    machine: &Machine,
    events: &(dyn Fn(&Event<'_>) + Sync),
) -> crate::Result<()> {
    let tasks = tasks_of(study, architecture);
    let invalid = |message| StudyError::File { origin: study.name.clone(), message };
    let wanted = study.schedule().map_err(invalid)?.levels() + 1;
    let mut levels: Vec<LevelRow> = Vec::new();
    let mut observations: Vec<ObservationRow> = Vec::new();
    let mut topology: Vec<TopologyRow> = Vec::new();
    for task in &tasks {
        let done = super::task::levels_done(folder, study, task);
        if done < wanted {
            return Err(StudyError::Unfinished { task: task.to_string(), what: "levels", done, of: wanted }.into());
        }
        levels.extend(table::read_rows(&folder.task_table(task, "levels"))?);
        observations.extend(table::read_rows(&folder.task_table(task, "percolation"))?);
        if !study.observables.topology.is_empty() {
            topology.extend(table::read_rows(&folder.task_table(task, "topology"))?);
        }
    }
    table::write_rows(&folder.table("levels"), &levels)?;
    table::write_rows(&folder.table("percolation"), &observations)?;
    if !topology.is_empty() {
        table::write_rows(&folder.table("topology"), &topology)?;
    }
    if let Some(section) = &study.retraining {
        let (mut rows, mut mixing) = (Vec::new(), Vec::new());
        for task in &tasks {
            let of_task = levels.iter().filter(|row| row.width == task.width && row.seed == task.seed);
            let units = units_of(section, task, &of_task.map(|row| row.density).collect::<Vec<_>>());
            for (done, &level) in units.iter().enumerate() {
                let Some((unit_rows, unit_mixing)) = retrained(section, folder, task, level) else {
                    let (task, what) = (task.to_string(), "retrained levels");
                    return Err(StudyError::Unfinished { task, what, done, of: units.len() }.into());
                };
                rows.extend(unit_rows);
                mixing.extend(unit_mixing);
            }
        }
        table::write_rows(&folder.table("retraining"), &rows)?;
        let options = comparison::Options { seed: study.seed, ..comparison::Options::default() };
        table::write_rows(&folder.table("comparison"), compare(&rows, &options))?;
        table::write_rows(&folder.table("mixing"), &mixing)?;
    }
    events(&Event::Stage("fits"));
    fits::fit_all(study, folder)?;
    draw_figures(study, folder, events);
    write_manifest(folder, study, machine)
}

/// Draws the figures that the study names; why one was not drawn is told, since its fit may have failed.
fn draw_figures(study: &Study, folder: &RunFolder, events: &(dyn Fn(&Event<'_>) + Sync)) {
    if !study.figures.is_empty() {
        events(&Event::Stage("figures"));
    }
    for &kind in &study.figures {
        if let Err(error) = figure::draw(kind, folder.root(), &Style::bundled(), &Format::ALL, &folder.figures()) {
            events(&Event::Warning(&format!("not drawn: {error}")));
        }
    }
}
