//! Where the time of a step goes.

use std::time::{Duration, Instant};

/// The way forward, the way back to the inputs, gradient and update.
pub(super) const FORWARD: usize = 0;
pub(super) const BACK: usize = 1;
pub(super) const UPDATE: usize = 2;

/// Times of each layer with weights, of reading the images, and of the loss, in this order.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    running: bool,
    last: Instant,
    pub(super) times: Vec<[Duration; 3]>,
}

impl Clock {
    pub(super) fn new(layers: usize) -> Self {
        Self { running: false, last: Instant::now(), times: vec![[Duration::ZERO; 3]; layers + 2] }
    }

    /// Begins to count.
    pub(super) fn start(&mut self) {
        self.running = true;
        self.times.fill([Duration::ZERO; 3]);
    }

    /// What follows is counted from now on.
    pub(super) fn begin(&mut self) {
        if self.running {
            self.last = Instant::now();
        }
    }

    /// The time since the last call belongs to this part of this layer.
    pub(super) fn lap(&mut self, layer: usize, part: usize) {
        if self.running {
            let now = Instant::now();
            self.times[layer][part] += now - self.last;
            self.last = now;
        }
    }

    pub(super) fn images(&self) -> usize {
        self.times.len() - 2
    }

    pub(super) fn loss(&self) -> usize {
        self.times.len() - 1
    }
}
