//! Where tensors live: the one file that names burn's devices.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::TrainingError;

/// A device of burn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Device {
    /// burn-flex, on the CPU.
    #[default]
    Flex,
    /// burn-ndarray, on the CPU: an independent implementation to compare with, slow for
    /// convolutions.
    #[cfg(feature = "ndarray")]
    Ndarray,
}

impl Device {
    /// burn's device without gradients.
    #[allow(deprecated)] // burn 0.22 deprecates burn-ndarray; see the variant for why it stays.
    pub(super) fn plain(self) -> burn::tensor::Device {
        match self {
            Self::Flex => burn::tensor::Device::flex(),
            #[cfg(feature = "ndarray")]
            Self::Ndarray => burn::tensor::Device::ndarray(),
        }
    }

    /// burn's device with gradients.
    pub(super) fn autodiff(self) -> burn::tensor::Device {
        self.plain().autodiff()
    }

    pub(super) fn error(self, error: impl fmt::Display) -> TrainingError {
        TrainingError::Device { device: self, message: error.to_string() }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Flex => "flex",
            #[cfg(feature = "ndarray")]
            Self::Ndarray => "ndarray",
        })
    }
}

impl FromStr for Device {
    type Err = TrainingError;

    fn from_str(text: &str) -> Result<Self, TrainingError> {
        match text {
            "flex" => Ok(Self::Flex),
            #[cfg(feature = "ndarray")]
            "ndarray" => Ok(Self::Ndarray),
            _ => Err(TrainingError::Hyperparameter {
                name: "device",
                value: text.to_owned(),
                expected: "must be flex, or ndarray in a build with the feature `ndarray`".into(),
            }),
        }
    }
}
