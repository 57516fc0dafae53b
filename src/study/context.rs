//! What all tasks of a run share.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::event::Event;
use super::{RunFolder, Study};
use crate::data::Split;
use crate::network::Architecture;
use crate::pruning::Schedule;
use crate::training::{Budget, Engine, TrainingSet};

/// What all tasks of a run share.
pub(super) struct Context<'a> {
    pub study: &'a Study,
    pub folder: &'a RunFolder,
    pub split: &'a Split,
    /// The training images of `split`, in the form that all tasks share.
    pub train: TrainingSet<'a>,
    pub architecture: &'a Architecture,
    pub schedule: Schedule,
    pub training_budget: Budget,
    pub fine_tuning_budget: Budget,
    pub engine: Engine,
    /// Set where the run is asked to stop after what is in hand.
    pub stop: &'a AtomicBool,
    pub events: &'a (dyn Fn(&Event<'_>) + Sync),
}

impl Context<'_> {
    pub(super) fn tell_damaged(&self, path: &Path) {
        let warning = format!("{}: damaged; set aside in log/damaged and made again", path.display());
        self.tell(&Event::Warning(&warning));
    }

    pub(super) fn tell(&self, event: &Event<'_>) {
        (self.events)(event);
    }
}
