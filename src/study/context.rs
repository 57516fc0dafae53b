//! What all tasks of a run share.

use super::event::Event;
use super::{RunFolder, Study};
use crate::data::Split;
use crate::network::Architecture;
use crate::pruning::Schedule;
use crate::training::{Budget, Engine};

/// What all tasks of a run share.
pub(super) struct Context<'a> {
    pub study: &'a Study,
    pub folder: &'a RunFolder,
    pub split: &'a Split,
    pub architecture: &'a Architecture,
    pub schedule: Schedule,
    pub training_budget: Budget,
    pub fine_tuning_budget: Budget,
    pub engine: Engine,
    pub events: &'a (dyn Fn(&Event<'_>) + Sync),
}

impl Context<'_> {
    pub(super) fn tell(&self, event: &Event<'_>) {
        (self.events)(event);
    }
}
