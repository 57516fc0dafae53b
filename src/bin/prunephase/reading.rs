//! The options with which all commands read checkpoints.

use std::path::{Path, PathBuf};

use clap::Args;
use prunephase::checkpoint::{Checkpoint, Inspected, ReadOptions};
use prunephase::network::{Described, FeatureShape};

/// What a file that prunephase did not write does not say, but where its masks are
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Files of others")]
pub struct LayoutArgs {
    /// The keys that lead to the state dict in a .pt file, with dots; else what stands before its names
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// How the layers follow each other: a description (.toml), or one built in: fc4, cnn5, resnet,
    /// resnet-bottleneck, resnet20, gpt2, vit, torchvision-vit
    #[arg(long, value_name = "FILE or NAME")]
    network: Option<String>,
    /// The shape of one image, for a described chain that begins with a convolution
    #[arg(long, value_name = "CxHxW", value_parser = shape)]
    input: Option<FeatureShape>,
    /// The number of attention heads
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    heads: Option<u16>,
}

/// What a file that prunephase did not write does not say
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Files of others")]
pub struct ReadArgs {
    #[command(flatten)]
    layout: LayoutArgs,
    /// A file of masks, by the names of the weights
    #[arg(long, value_name = "FILE")]
    masks: Option<PathBuf>,
}

fn shape(text: &str) -> Result<FeatureShape, String> {
    let sizes: Option<Vec<usize>> =
        text.split('x').map(|size| size.parse().ok().filter(|size| (1..=1 << 14).contains(size))).collect();
    match sizes.as_deref() {
        Some(&[channels, height, width]) => Ok(FeatureShape::image(channels, height, width)),
        _ => Err("must be channels x height x width, such as 3x32x32, each from 1 to 16384".to_owned()),
    }
}

impl LayoutArgs {
    fn options(&self, masks: Option<&Path>, carry: bool) -> anyhow::Result<ReadOptions> {
        Ok(ReadOptions {
            key: self.key.clone(),
            masks: masks.map(Path::to_path_buf),
            network: self.network.as_deref().map(Described::load).transpose()?,
            input: self.input,
            heads: self.heads.map(usize::from),
            carry,
        })
    }

    /// Reads a checkpoint whose masks may be in a file of their own.
    #[cfg(feature = "train")]
    pub fn read(&self, path: &Path, masks: Option<&Path>) -> anyhow::Result<Checkpoint> {
        Ok(Checkpoint::read_with(path, &self.options(masks, false)?)?)
    }
}

impl ReadArgs {
    fn options(&self, carry: bool) -> anyhow::Result<ReadOptions> {
        self.layout.options(self.masks.as_deref(), carry)
    }

    /// Reads a checkpoint for its graph.
    pub fn read(&self, path: &Path) -> anyhow::Result<Checkpoint> {
        Ok(Checkpoint::read_with(path, &self.options(false)?)?)
    }

    /// Reads a checkpoint with everything that is to be written back.
    pub fn read_whole(&self, path: &Path) -> anyhow::Result<Checkpoint> {
        Ok(Checkpoint::read_with(path, &self.options(true)?)?)
    }

    /// Reads a checkpoint and what its file holds.
    pub fn inspect(&self, path: &Path) -> anyhow::Result<Inspected> {
        Ok(Checkpoint::inspect(path, &self.options(false)?)?)
    }
}
