//! Where the lines of a group's feature maps lie.

use crate::network::FeatureShape;

/// Feature maps of sixteen images, `[channel][row][column]`, with a frame of zeros for the padding of
/// the convolution that reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) padding: usize,
}

impl Frame {
    /// The maps of `shape` with only `channels` of its channels.
    pub(super) fn new(shape: FeatureShape, channels: usize, padding: usize) -> Self {
        Self { channels, height: shape.height, width: shape.width, padding }
    }

    /// Lines from one row to the next.
    pub(super) fn row(&self) -> usize {
        self.width + 2 * self.padding
    }

    /// Lines from one channel to the next.
    pub(super) fn channel(&self) -> usize {
        (self.height + 2 * self.padding) * self.row()
    }

    /// Lines of a group.
    pub(super) fn lines(&self) -> usize {
        self.channels * self.channel()
    }

    /// The line of a position inside the frame.
    pub(super) fn at(&self, channel: usize, y: usize, x: usize) -> usize {
        channel * self.channel() + (y + self.padding) * self.row() + x + self.padding
    }
}
