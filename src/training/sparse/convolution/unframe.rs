//! The gradients of outputs that no pooling follows, as the ways back read them.

use super::super::frame::Frame;
use super::super::rows::Finish;
use super::super::simd::{Kernel, Line, Simd};
use super::deltas::Deltas;

/// deltas = finish(from), out of its frame; adds the gradients of the biases.
pub(super) struct Unframe<'a> {
    pub(super) frame: Frame,
    pub(super) from: &'a [Line],
    pub(super) finish: Finish<'a>,
    pub(super) deltas: &'a mut Deltas,
    pub(super) bias_parts: &'a mut [Line],
}

impl Kernel for Unframe<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Frame { channels, height, width, .. } = self.frame;
        for channel in 0..channels {
            let mut sum = s.zero();
            for y in 0..height {
                let (at, to) = (self.frame.at(channel, y, 0), self.deltas.at(channel, y));
                for (x, to) in self.deltas.lines[to..to + width].iter_mut().enumerate() {
                    let d = self.finish.apply(s, s.load(&self.from[at + x]), at + x);
                    sum = s.add(sum, d);
                    s.store(to, d);
                }
            }
            if let Some(part) = self.bias_parts.get_mut(channel) {
                let sum = s.add(s.load(part), sum);
                s.store(part, sum);
            }
        }
    }
}
