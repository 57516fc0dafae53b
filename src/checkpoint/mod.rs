//! Checkpoints: one safetensors file holds the weights, biases and masks of a network.
//!
//! Tensors are `NAME.weight` (f32, [out, in] or [out, in, kh, kw], pruned entries 0),
//! `NAME.weight_mask` (u8, 1 where kept) and `NAME.bias` (f32, \[out\]); the header key `prunephase`
//! holds a JSON object with [`Metadata`] and the [`Network`]. In PyTorch such a file loads strictly
//! once the keys that end in `.weight_mask` are taken out. The same checkpoint is always the same
//! bytes.
//!
//! Read as well: safetensors state dicts of others that are a chain of linear layers, with masks
//! (`weight_mask`), with the pairs of torch.nn.utils.prune (`weight_orig` and `weight_mask`: the
//! weights are their product), or without, where the entries that are not zero are kept and a
//! warning says so.

mod error;
mod foreign;
mod metadata;
pub mod paths;
mod read;
mod scores;
mod values;
mod write;

use std::path::Path;

pub use error::{CheckpointError, Problem};
pub use metadata::{Kind, MaskSource, Metadata};
pub use scores::read_scores;

use crate::files;
use crate::mask::Mask;
use crate::network::{Network, Parameters};

/// A network with its weights and its mask.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// The layers and their shapes; of a foreign file a chain named `chain` with width 0, which
    /// stands for unknown.
    pub network: Network,
    /// Weights and biases; pruned weights are zero.
    pub parameters: Parameters,
    /// The kept weights.
    pub mask: Mask,
    /// What it says about itself.
    pub metadata: Metadata,
    /// Where the mask came from.
    pub mask_source: MaskSource,
    /// What a user should know about how the file was read, one line each.
    pub warnings: Vec<String>,
}

impl Checkpoint {
    /// A checkpoint of these parts. Architecture, width, density and version in `metadata` are
    /// set from them.
    ///
    /// # Errors
    /// [`CheckpointError::Parts`] where shapes or names do not fit, a weight is NaN or infinite, or
    /// a pruned weight is not zero.
    ///
    /// ```
    /// use prunephase::checkpoint::{Checkpoint, Metadata};
    /// use prunephase::mask::Mask;
    /// use prunephase::network::{Architecture, FeatureShape, Parameters};
    /// use prunephase::seed::Seeds;
    ///
    /// let network = Architecture::built_in("fc4")?.network(2, FeatureShape::image(1, 8, 8), 10)?;
    /// let mut parameters = Parameters::initialise(&network, &mut Seeds::new(1, 0).stream("initial"));
    /// let mut mask = Mask::dense(&network);
    /// mask.layers[0].kept[[0, 5]] = false;
    /// mask.apply(&mut parameters)?;
    /// let metadata = Metadata { seed: Some(1), level: Some(1), ..Metadata::default() };
    /// let checkpoint = Checkpoint::new(network, parameters, mask, metadata)?;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("level-01.safetensors");
    /// checkpoint.write(&path)?;
    /// assert_eq!(Checkpoint::read(&path)?, checkpoint);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(network: Network, parameters: Parameters, mask: Mask, metadata: Metadata) -> crate::Result<Self> {
        let metadata = write::completed(metadata, &network, &mask);
        let (mask_source, warnings) = (MaskSource::WeightMask, Vec::new());
        let checkpoint = Self { network, parameters, mask, metadata, mask_source, warnings };
        checkpoint.validate().map_err(CheckpointError::Parts)?;
        Ok(checkpoint)
    }

    /// Reads a checkpoint: a file that prunephase wrote, or a foreign chain of linear layers (see
    /// the [module](self)). Weights of type f16 and bf16 are converted exactly, those of type f64
    /// are rounded, with a warning.
    ///
    /// # Errors
    /// [`CheckpointError::In`] with the file and the tensor: a file cut short, a header that lies,
    /// a wrong type or shape, a missing tensor, NaN or infinity, a mask of anything but 0 and 1, a
    /// pruned weight that is not zero, layers that make no chain.
    pub fn read(path: &Path) -> crate::Result<Self> {
        let bytes = files::read(path).map_err(CheckpointError::File)?;
        let mut checkpoint = read::parse(&bytes).map_err(CheckpointError::at(path))?;
        for warning in &mut checkpoint.warnings {
            *warning = format!("{}: {warning}", path.display());
        }
        Ok(checkpoint)
    }

    /// Writes the file whole or not at all.
    ///
    /// # Errors
    /// [`CheckpointError::In`] as for [`Checkpoint::new`], before anything is written;
    /// [`CheckpointError::File`] where the disk refuses.
    pub fn write(&self, path: &Path) -> crate::Result<()> {
        let bytes = write::bytes(self).map_err(CheckpointError::at(path))?;
        files::write_atomically(path, |file| file.write_all(&bytes)).map_err(CheckpointError::File)?;
        Ok(())
    }

    /// Asserts that the parts fit and that nothing regrew.
    fn validate(&self) -> Result<(), Problem> {
        self.parameters.check(&self.network)?;
        for (weights, mask) in self.parameters.layers.iter().zip(&self.mask.layers) {
            if weights.name != mask.name {
                let message = format!("the mask of layer `{}` stands where `{}` is needed", mask.name, weights.name);
                return Err(Problem::Structure(message));
            }
        }
        for layer in &self.parameters.layers {
            values::check_finite(&format!("{}.weight", layer.name), &layer.weight)?;
            values::check_finite(&format!("{}.bias", layer.name), layer.bias.iter().flatten())?;
        }
        Ok(self.mask.verify(&self.parameters)?)
    }
}

#[cfg(test)]
mod tests;
