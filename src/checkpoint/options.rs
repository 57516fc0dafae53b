//! How files of others are read.

use std::path::PathBuf;

use crate::network::{Described, FeatureShape};

/// What a file does not say about itself, or says twice.
///
/// ```no_run
/// use prunephase::checkpoint::{Checkpoint, ReadOptions};
/// let options = ReadOptions { key: Some("ema".into()), ..ReadOptions::default() };
/// let checkpoint = Checkpoint::read_with("model.pt".as_ref(), &options)?;
/// # Ok::<(), prunephase::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ReadOptions {
    /// The keys that lead to the state dict, with dots; of a file without dictionaries, what stands
    /// before its names.
    pub key: Option<String>,
    /// A file of masks.
    pub masks: Option<PathBuf>,
    /// How the layers follow each other.
    pub network: Option<Described>,
    /// The shape of one image, for a chain that begins with a convolution.
    pub input: Option<FeatureShape>,
    /// The number of attention heads.
    pub heads: Option<usize>,
    /// Whether tensors that are no layer's are kept, to be written back; true by default.
    pub carry: bool,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { key: None, masks: None, network: None, input: None, heads: None, carry: true }
    }
}

impl ReadOptions {
    /// The option that a file of our own, which says everything, has no use for.
    pub(super) fn idle(&self) -> Option<&'static str> {
        let given = [
            (self.key.is_some(), "--key"),
            (self.masks.is_some(), "--masks"),
            (self.network.is_some(), "--network"),
            (self.input.is_some(), "--input"),
            (self.heads.is_some(), "--heads"),
        ];
        given.into_iter().find(|(given, _)| *given).map(|(_, name)| name)
    }
}
