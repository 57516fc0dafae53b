//! What the way back of a convolution collects, and its sums.

use super::super::simd::{Kernel, LANES, Line, Simd};
use super::deltas::Deltas;
use super::spots::Spots;

/// What the way back collects.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Collected {
    /// The gradients of the outputs of a group.
    pub(super) deltas: Deltas,
    /// Where those of one output channel are not zero.
    pub(super) spots: Spots,
    /// The gradient of each tap over the batch, by lane.
    pub(super) parts: Vec<Line>,
    /// That of each bias.
    pub(super) bias_parts: Vec<Line>,
}

/// Lanes of `parts` summed, sixteen at a time.
pub(super) struct Fold<'a> {
    pub(super) parts: &'a mut [Line],
    pub(super) gradient: &'a mut [Line],
}

impl Kernel for Fold<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (parts, sums) in self.parts.chunks_mut(LANES).zip(self.gradient) {
            let mut lines = [s.zero(); LANES];
            for (line, part) in lines.iter_mut().zip(parts) {
                *line = s.load(part);
                *part = Line::ZERO;
            }
            s.store(sums, s.sums(lines));
        }
    }
}
