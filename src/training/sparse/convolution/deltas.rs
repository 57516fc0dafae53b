//! The gradients of the outputs of a convolution for one group, in the layout that both ways back read.

use super::super::frame::Frame;
use super::super::simd::Line;

/// `[channel][row][column]`, and after each row as many zeros as the kernel reaches beyond it: these are before
/// the next row too. What is never written stays zero.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Deltas {
    pub(super) lines: Vec<Line>,
    /// Lines from one row to the next.
    pub(super) row: usize,
    /// Lines from one channel to the next; 0 where one channel at a time is held.
    channel: usize,
    /// Zeros before the first row.
    lead: usize,
    /// The rows that are held.
    held: usize,
}

impl Deltas {
    /// All of a group, before a way back with this kernel.
    pub(super) fn whole(output: Frame, kernel: usize) -> Self {
        let lead = kernel - 1;
        let row = output.width + lead;
        let channel = output.height * row;
        let lines = vec![Line::ZERO; lead + output.channels * channel];
        Self { lines, row, channel, lead, held: output.height }
    }

    /// `held` rows of one channel, each in the place of the one that many rows before.
    pub(super) fn band(output: Frame, held: usize) -> Self {
        let row = output.width;
        Self { lines: vec![Line::ZERO; held * row], row, channel: 0, lead: 0, held }
    }

    /// The first line of a row.
    #[inline(always)]
    pub(super) fn at(&self, channel: usize, y: usize) -> usize {
        self.lead + channel * self.channel + y % self.held * self.row
    }

    /// The line of the output that a tap takes to the input's first position, `kernel - 1` rows too far on.
    pub(super) fn tap(&self, channel: usize, (ky, kx): (usize, usize), kernel: usize) -> usize {
        channel * self.channel + (kernel - 1 - ky) * self.row + kernel - 1 - kx
    }
}
