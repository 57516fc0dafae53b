//! What can be wrong with a checkpoint.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::files::FileError;
use crate::mask::MaskError;
use crate::network::NetworkError;

/// A checkpoint could not be read, written or put together.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// Something is wrong in a file, or with what was to be written there.
    #[error("{}: {problem}", path.display())]
    In {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: Problem,
    },
    /// Network, parameters and mask do not make a checkpoint.
    #[error("checkpoint: {0}")]
    Parts(Problem),
}

impl CheckpointError {
    pub(super) fn at(path: &Path) -> impl FnOnce(Problem) -> Self + '_ {
        move |problem| Self::In { path: path.to_path_buf(), problem }
    }
}

/// What is wrong with a checkpoint, in one line, without the file's name.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Problem {
    /// The bytes are not those of a safetensors file.
    #[error("not a whole safetensors file: {0}")]
    Format(String),
    /// The bytes are not those of a file of torch.save.
    #[error("not a PyTorch file that can be read: {0}")]
    Torch(String),
    /// A file of a folder is no NumPy array that can be read.
    #[error("{file}: not a NumPy array that can be read: {message}")]
    Numpy {
        /// The file.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// Something is wrong with the file of masks.
    #[error("masks: {0}")]
    Masks(Box<Problem>),
    /// The metadata are wrong, or do not agree with the tensors.
    #[error("metadata `prunephase`: {0}")]
    Metadata(String),
    /// One tensor is missing or wrong.
    #[error("tensor `{tensor}` {message}")]
    Tensor {
        /// Its name in the file.
        tensor: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// The file does not say how its layers follow each other.
    #[error("{0}")]
    Structure(String),
    /// The parameters do not fit the network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The mask does not fit, or a pruned weight is not zero.
    #[error(transparent)]
    Mask(#[from] MaskError),
}

impl Problem {
    pub(super) fn tensor(tensor: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Tensor { tensor: tensor.into(), message: message.into() }
    }
}
