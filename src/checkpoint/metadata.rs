//! What a checkpoint says about itself.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::mask::Density;
use crate::network::Network;

/// What a checkpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// A network after training at one level of a schedule.
    #[default]
    Level,
    /// The weights before training.
    Initial,
    /// A random subnetwork drawn from a null model.
    Sample,
    /// A file that prunephase did not write.
    Foreign,
}

/// Where the mask of a checkpoint came from; shown as `weight_mask`, `weight_orig`, `mask_file` or `nonzero`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum MaskSource {
    /// Tensors `NAME.weight_mask` beside `NAME.weight`.
    #[serde(rename = "weight_mask")]
    WeightMask,
    /// Pairs `NAME.weight_orig` and `NAME.weight_mask`, as torch.nn.utils.prune saves them.
    #[serde(rename = "weight_orig")]
    WeightOrig,
    /// A file of masks beside that of the weights.
    #[serde(rename = "mask_file")]
    MaskFile,
    /// No mask in the file: the entries that are not zero.
    #[serde(rename = "nonzero")]
    Nonzero,
}

impl fmt::Display for MaskSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::WeightMask => "weight_mask",
            Self::WeightOrig => "weight_orig",
            Self::MaskFile => "mask_file",
            Self::Nonzero => "nonzero",
        })
    }
}

/// What a checkpoint says about itself. [`super::Checkpoint::new`] fills in architecture, width,
/// density and version; a foreign file leaves unknown what it does not say.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Metadata {
    /// What it is.
    #[serde(default)]
    pub kind: Kind,
    /// The name of the architecture.
    #[serde(default)]
    pub architecture: Option<String>,
    /// The width W.
    #[serde(default)]
    pub width: Option<usize>,
    /// The data set it was trained on.
    #[serde(default)]
    pub dataset: Option<String>,
    /// The seed of the replicate.
    #[serde(default)]
    pub seed: Option<u64>,
    /// The step of the schedule; 0 is dense, none for initial weights.
    #[serde(default)]
    pub level: Option<usize>,
    /// Kept weights over dense weights, always that of the mask.
    #[serde(default)]
    pub density: Option<Density>,
    /// The version of prunephase that wrote it.
    #[serde(default)]
    pub version: Option<String>,
    /// Anything more, such as the null model and the sample's number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
}

/// The JSON of the header key `prunephase`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    #[serde(flatten)]
    pub metadata: Metadata,
    pub network: Network,
    /// Tensors that belong to no layer and are carried along.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<String>,
}
