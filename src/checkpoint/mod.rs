//! Checkpoints: one safetensors file holds the weights, biases and masks of a network.
//!
//! Tensors are `NAME.weight` (f32, [out, in] or [out, in, kh, kw], pruned entries 0),
//! `NAME.weight_mask` (u8, 1 where kept) and `NAME.bias` (f32, \[out\]); the header key `prunephase`
//! holds a JSON object with [`Metadata`] and the [`Network`]. In PyTorch such a file loads strictly
//! once the keys that end in `.weight_mask` are taken out. The same checkpoint is always the same
//! bytes.
//!
//! Read as well, with [`ReadOptions`] for what they do not say: files of others in safetensors, of
//! torch.save (.pt, .pth; by a reader of our own that executes nothing), and folders of .npy; nested
//! under `state_dict`, `model_state_dict`, `model` or a key given, with the prefixes `module.` and
//! `_orig_mod.`; with masks (`weight_mask`), with the pairs of torch.nn.utils.prune (`weight_orig` and
//! `weight_mask`: the weights are their product), with a file of masks, or without, where the entries
//! that are not zero are kept and a warning says so. The network is the chain of linear and convolution
//! layers that names and shapes allow, one of the descriptions built in whose names these are, or the
//! one that is given ([`crate::network::WiringDescription`]).
//!
//! Whatever a file holds, reading it takes at most 128 times its size in memory beside a fixed megabyte;
//! a file of weights takes about three times (its bytes, the weights in f32 and the mask; five in f16).

mod chain;
mod container;
mod error;
mod foreign;
mod metadata;
mod options;
mod parts;
pub mod paths;
mod pickle;
mod read;
mod scores;
mod select;
mod tensor;
mod values;
mod write;
mod zip;

use std::path::Path;

pub use error::{CheckpointError, Problem};
pub use metadata::{Kind, MaskSource, Metadata};
pub use options::ReadOptions;
pub use scores::read_scores;
pub use select::Ignored;

use container::Loaded;
use safetensors::Dtype;
use tensor::RawTensor;

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
    /// Tensors that belong to no layer, such as those of normalisations; they are written back as they
    /// were.
    pub carried: Vec<Carried>,
}

/// A tensor that belongs to no layer, with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried(String, RawTensor<'static>);

impl Carried {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Its type, its shape, and its bytes row by row.
    pub fn parts(&self) -> (Dtype, &[usize], &[u8]) {
        (self.1.dtype(), self.1.shape(), self.1.data())
    }
}

/// One tensor of a file, for [`Checkpoint::inspect`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name in the file, without the prefixes of wrappers.
    pub name: String,
    /// The type of its numbers.
    pub dtype: String,
    /// Its shape in the file.
    pub shape: Vec<usize>,
    /// What it is: `weight`, `mask`, `bias`, or what it was taken for.
    pub part: String,
}

/// A checkpoint, and everything that its file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspected {
    /// What was read.
    pub checkpoint: Checkpoint,
    /// The tensors of the state dict.
    pub tensors: Vec<TensorInfo>,
    /// What is no part of the network, and why.
    pub ignored: Vec<Ignored>,
}

/// The BLAKE3 checksum of a checkpoint, in hexadecimal: of a folder, that of its .npy files' names and
/// checksums.
///
/// # Errors
/// [`CheckpointError::File`].
pub fn checksum(path: &Path) -> Result<String, CheckpointError> {
    if !path.is_dir() {
        return Ok(files::checksum(path)?);
    }
    let Loaded::Folder(files) = Loaded::read(path)? else { return Ok(files::checksum(path)?) };
    let mut hasher = blake3::Hasher::new();
    for (name, bytes) in &files {
        hasher.update(name.as_bytes()).update(&[0]).update(blake3::hash(bytes).as_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
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
        let carried = Vec::new();
        let checkpoint = Self { network, parameters, mask, metadata, mask_source, warnings, carried };
        checkpoint.validate().map_err(CheckpointError::Parts)?;
        Ok(checkpoint)
    }

    /// Carries the tensors along that belong to no layer of `source`, a checkpoint of the same network.
    #[must_use]
    pub fn carrying(self, source: &Self) -> Self {
        Self { carried: source.carried.clone(), ..self }
    }

    /// Reads a checkpoint: a file that prunephase wrote, or one of others (see the [module](self)) that
    /// needs no option. Weights of type f16 and bf16 are converted exactly, those of type f64
    /// are rounded, with a warning.
    ///
    /// # Errors
    /// [`CheckpointError::In`] with the file and the tensor: a file cut short, a header that lies,
    /// a wrong type or shape, a missing tensor, NaN or infinity, a mask of anything but 0 and 1, a
    /// pruned weight that is not zero, layers that make no chain.
    pub fn read(path: &Path) -> crate::Result<Self> {
        Self::read_with(path, &ReadOptions::default())
    }

    /// Reads a checkpoint as the options say.
    ///
    /// # Errors
    /// As [`Checkpoint::read`]; also where an option does not fit the file, or the file needs one that
    /// is not given: the message names it.
    pub fn read_with(path: &Path, options: &ReadOptions) -> crate::Result<Self> {
        Self::inspect(path, options).map(|inspected| inspected.checkpoint)
    }

    /// Reads a checkpoint and tells what its file holds.
    ///
    /// # Errors
    /// As [`Checkpoint::read_with`].
    pub fn inspect(path: &Path, options: &ReadOptions) -> crate::Result<Inspected> {
        let loaded = Loaded::read(path).map_err(CheckpointError::File)?;
        let masks = options.masks.as_deref().map(Loaded::read).transpose().map_err(CheckpointError::File)?;
        let found = read::parse(&loaded, masks.as_ref(), options);
        let mut inspected = found.map_err(|problem| match (&options.masks, problem) {
            (Some(masks), Problem::Masks(problem)) => CheckpointError::In { path: masks.clone(), problem: *problem },
            (_, problem) => CheckpointError::In { path: path.to_path_buf(), problem },
        })?;
        for warning in &mut inspected.checkpoint.warnings {
            *warning = format!("{}: {warning}", path.display());
        }
        Ok(inspected)
    }

    /// Reads the bytes of a file, without a path to name.
    ///
    /// # Errors
    /// As [`Checkpoint::read_with`], in [`CheckpointError::Parts`].
    pub fn from_bytes(bytes: Vec<u8>, options: &ReadOptions) -> Result<Self, CheckpointError> {
        let found = read::parse(&Loaded::File(bytes), None, options).map_err(CheckpointError::Parts)?;
        Ok(found.checkpoint)
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

    /// Writes the masks alone, as `NAME.weight_mask`: a file for `--masks`.
    ///
    /// # Errors
    /// As [`Checkpoint::write`].
    pub fn write_mask(&self, path: &Path) -> crate::Result<()> {
        let bytes = write::mask_bytes(self).map_err(CheckpointError::at(path))?;
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
