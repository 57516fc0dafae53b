//! Networks as data: an [`Architecture`] describes layers in terms of a width W and the data; with
//! both given it becomes a [`Network`] of concrete shapes. The burn module, the mask, the graph
//! and the names in a checkpoint all follow from it, so that a new architecture is a new
//! description. Networks that are no chain have a [`Wiring`], made from a [`WiringDescription`]; they
//! are read and analysed, not trained.

mod architecture;
mod described;
mod description;
mod parameters;
mod shapes;
mod wiring;

pub use architecture::{Architecture, LayerDescription, Units};
pub use described::Described;
pub use description::{DescribedLayer, DescribedPart, Shapes, WiringDescription};
pub use parameters::{LayerParameters, Parameters};
pub use shapes::{Activation, Convolution, FeatureShape, Layer, Linear, Network, WeightLayer};
pub use wiring::{GroupRole, Skip, WiredBlock, WiredGroup, WiredLayer, Wiring};

use thiserror::Error;

/// A description does not make a network.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The description is not valid TOML or has wrong keys.
    #[error("{origin}: {message}")]
    Description {
        /// The file or the built-in name.
        origin: String,
        /// What is wrong, on one line.
        message: String,
    },
    /// No built-in architecture has that name.
    #[error("no architecture `{name}` is built in; there are {known}, or a path to a description (.toml)")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A number of units cannot be read.
    #[error("units `{text}`: must be a number, a multiple of the width (\"4W\") or \"classes\"")]
    Units {
        /// What was written.
        text: String,
    },
    /// The layers do not fit the data or each other.
    #[error("architecture {architecture}, W = {width}: {message}")]
    Shape {
        /// The architecture's name.
        architecture: String,
        /// The width.
        width: usize,
        /// Which layer, what is wrong and what would be right.
        message: String,
    },
    /// A network has attention heads, and nothing tells how many.
    #[error(
        "the number of attention heads is not in the shapes: give it with --heads, or `heads` in the description \
         (`{group}` has {units} units)"
    )]
    Heads {
        /// The group that is one for each head.
        group: String,
        /// The units of all heads together.
        units: usize,
    },
    /// Groups, blocks and tensors do not make a wired network.
    #[error("wiring: {0}")]
    Wiring(String),
    /// Parameters do not have the shapes of the network.
    #[error("layer `{layer}`: {what} has shape {found:?}, the network needs {expected:?}")]
    Parameters {
        /// The layer.
        layer: String,
        /// `weight` or `bias`.
        what: &'static str,
        /// The shape that was found.
        found: Vec<usize>,
        /// The shape that is needed.
        expected: Vec<usize>,
    },
}

/// What is wrong in a TOML text, with its line.
fn toml_error(origin: &str, text: &str, error: &toml::de::Error) -> NetworkError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    NetworkError::Description {
        origin: origin.to_owned(),
        message: format!("line {line}: {}", one_line(error.message())),
    }
}

/// A message with names of a description: names may hold line ends, and be long.
fn one_line(message: &str) -> String {
    message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(400).collect()
}
