//! Architectures as descriptions in TOML: layers in terms of a width W and the data.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::NetworkError;
use super::shapes::{Activation, Convolution, FeatureShape, Layer, Linear, Network};
use crate::files;

const BUILT_IN: [(&str, &str); 2] =
    [("fc4", include_str!("descriptions/fc4.toml")), ("cnn5", include_str!("descriptions/cnn5.toml"))];

/// A number of units or channels: fixed, a multiple of the width, or the number of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "UnitsText", into = "String")]
pub enum Units {
    /// This many.
    Fixed(usize),
    /// This many times the width W.
    PerWidth(usize),
    /// As many as the data have classes.
    Classes,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum UnitsText {
    Number(usize),
    Text(String),
}

impl TryFrom<UnitsText> for Units {
    type Error = NetworkError;

    fn try_from(text: UnitsText) -> Result<Self, NetworkError> {
        match text {
            UnitsText::Number(n) => n.to_string().parse(),
            UnitsText::Text(text) => text.parse(),
        }
    }
}

impl From<Units> for String {
    fn from(units: Units) -> Self {
        units.to_string()
    }
}

impl FromStr for Units {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let parsed = match text.strip_suffix('W') {
            _ if text == "classes" => Some(Self::Classes),
            Some("") => Some(Self::PerWidth(1)),
            Some(factor) => factor.parse().ok().map(Self::PerWidth),
            None => text.parse().ok().map(Self::Fixed),
        };
        match parsed {
            Some(Self::Fixed(0) | Self::PerWidth(0)) | None => Err(NetworkError::Units { text: text.to_owned() }),
            Some(units) => Ok(units),
        }
    }
}

impl fmt::Display for Units {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(n) => write!(formatter, "{n}"),
            Self::PerWidth(1) => write!(formatter, "W"),
            Self::PerWidth(n) => write!(formatter, "{n}W"),
            Self::Classes => write!(formatter, "classes"),
        }
    }
}

impl Units {
    fn resolve(self, width: usize, classes: usize) -> usize {
        match self {
            Self::Fixed(n) => n,
            Self::PerWidth(n) => n.saturating_mul(width),
            Self::Classes => classes,
        }
    }
}

/// No map of a network has more units; what a description promises must not overflow a count.
const LARGEST_MAP: usize = 1 << 28;

fn one() -> usize {
    1
}

// serde calls it with a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_one(n: &usize) -> bool {
    *n == 1
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// One layer of a description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LayerDescription {
    /// Every unit is connected to every unit, or channel and position, before it.
    Linear {
        /// Names the tensors `NAME.weight` and `NAME.bias`.
        name: String,
        /// The number of outputs.
        units: Units,
        /// Applied to the outputs.
        #[serde(default, skip_serializing_if = "is_default")]
        activation: Activation,
    },
    /// A two-dimensional convolution with square kernel.
    Convolution {
        /// Names the tensors `NAME.weight` and `NAME.bias`.
        name: String,
        /// The number of output channels.
        units: Units,
        /// The side of the kernel.
        kernel: usize,
        /// Step between positions; 1 by default.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        stride: usize,
        /// Zeros added on each side; 0 by default.
        #[serde(default, skip_serializing_if = "is_default")]
        padding: usize,
        /// Applied to the outputs.
        #[serde(default, skip_serializing_if = "is_default")]
        activation: Activation,
    },
    /// The largest value of each square of side `kernel`.
    MaxPool {
        /// The side of the square.
        kernel: usize,
        /// Step between squares.
        stride: usize,
    },
}

/// A family of networks: layers in terms of a width W and the data's shape.
///
/// ```
/// use prunephase::network::{Architecture, FeatureShape};
/// let fc4 = Architecture::built_in("fc4")?;
/// let network = fc4.network(32, FeatureShape::image(1, 28, 28), 10)?;
/// assert_eq!(network.weights(), 784 * 128 + 128 * 64 + 64 * 32 + 32 * 10);
/// # Ok::<(), prunephase::network::NetworkError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// The name that tables and checkpoints carry.
    pub name: String,
    /// From the inputs to the outputs.
    pub layers: Vec<LayerDescription>,
}

impl Architecture {
    /// The names of the descriptions built in.
    pub fn built_in_names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// A description built in: `fc4` or `cnn5`.
    ///
    /// # Errors
    /// [`NetworkError::Unknown`] with the names there are.
    pub fn built_in(name: &str) -> Result<Self, NetworkError> {
        let (name, text) = BUILT_IN.iter().find(|(known, _)| *known == name).ok_or_else(|| NetworkError::Unknown {
            name: name.to_owned(),
            known: Self::built_in_names().collect::<Vec<_>>().join(", "),
        })?;
        Self::parse(name, text)
    }

    /// A description built in, or one from a file whose name ends in `.toml`.
    ///
    /// # Errors
    /// [`NetworkError::Unknown`], or what [`Architecture::parse`] finds in the file.
    pub fn load(name_or_path: &str) -> crate::Result<Self> {
        if name_or_path.ends_with(".toml") {
            let text = files::read_text(Path::new(name_or_path))?;
            return Ok(Self::parse(name_or_path, &text)?);
        }
        Ok(Self::built_in(name_or_path)?)
    }

    /// Reads a description; `origin` is only named in errors.
    ///
    /// # Errors
    /// [`NetworkError::Description`] with the line where TOML or a key is wrong, or where two
    /// layers have one name or none has weights.
    pub fn parse(origin: &str, text: &str) -> Result<Self, NetworkError> {
        let wrong = |message: String| NetworkError::Description {
            origin: origin.to_owned(),
            message: super::one_line(&message),
        };
        let architecture: Self = toml::from_str(text).map_err(|error| super::toml_error(origin, text, &error))?;
        let mut names = std::collections::BTreeSet::new();
        for layer in &architecture.layers {
            if let LayerDescription::Linear { name, .. } | LayerDescription::Convolution { name, .. } = layer
                && !names.insert(name.as_str())
            {
                return Err(wrong(format!("two layers are named `{name}`; each needs a name of its own")));
            }
        }
        if names.is_empty() {
            return Err(wrong("no layer has weights; add a linear or a convolution layer".into()));
        }
        Ok(architecture)
    }

    /// The names of the layers with weights, in order.
    pub fn weight_names(&self) -> Vec<&str> {
        let name = |layer| match layer {
            &LayerDescription::Linear { ref name, .. } | &LayerDescription::Convolution { ref name, .. } => {
                Some(name.as_str())
            }
            LayerDescription::MaxPool { .. } => None,
        };
        self.layers.iter().filter_map(name).collect()
    }

    /// The width with which layer `name` has `outputs` outputs; `None` where its units do not depend on the
    /// width, or no width gives that number.
    pub fn width_for(&self, name: &str, outputs: usize) -> Option<usize> {
        self.layers.iter().find_map(|layer| match layer {
            LayerDescription::Linear { name: own, units: Units::PerWidth(factor), .. }
            | LayerDescription::Convolution { name: own, units: Units::PerWidth(factor), .. }
                if own == name && outputs.is_multiple_of(*factor) =>
            {
                Some(outputs / factor)
            }
            _ => None,
        })
    }

    /// The network of this family with width `width` for data of shape `input` and `classes`
    /// classes.
    ///
    /// # Errors
    /// [`NetworkError::Shape`] where a layer has more than 2^28 units, a kernel is larger than its padded input, a stride is 0, a
    /// convolution follows a linear layer, or the last layer has not as many outputs as classes.
    pub fn network(&self, width: usize, input: FeatureShape, classes: usize) -> Result<Network, NetworkError> {
        let wrong = |message: String| NetworkError::Shape {
            architecture: super::one_line(&self.name),
            width,
            message: super::one_line(&message),
        };
        if width == 0 {
            return Err(wrong("the width must be at least 1".into()));
        }
        let mut shape = input;
        let mut flat = false;
        let mut layers = Vec::new();
        for layer in &self.layers {
            match layer {
                LayerDescription::Linear { name, units, activation } => {
                    let outputs = units.resolve(width, classes);
                    layers.push(Layer::Linear(Linear {
                        name: name.clone(),
                        inputs: shape.size(),
                        outputs,
                        activation: *activation,
                    }));
                    shape = FeatureShape::image(outputs, 1, 1);
                    flat = true;
                }
                LayerDescription::Convolution { name, units, kernel, stride, padding, activation } => {
                    if flat {
                        return Err(wrong(format!(
                            "convolution `{name}` follows a linear layer; convolutions must come first"
                        )));
                    }
                    let channels = units.resolve(width, classes);
                    let next = shape
                        .slide(*kernel, *stride, *padding)
                        .map_err(|message| wrong(format!("convolution `{name}`: {message}")))?
                        .with_channels(channels);
                    layers.push(Layer::Convolution(Convolution {
                        name: name.clone(),
                        input: shape,
                        output: next,
                        kernel: *kernel,
                        stride: *stride,
                        padding: *padding,
                        activation: *activation,
                    }));
                    shape = next;
                }
                LayerDescription::MaxPool { kernel, stride } => {
                    if flat {
                        return Err(wrong("a pooling layer follows a linear layer; pooling needs feature maps".into()));
                    }
                    let next =
                        shape.slide(*kernel, *stride, 0).map_err(|message| wrong(format!("pooling: {message}")))?;
                    layers.push(Layer::MaxPool { input: shape, output: next, kernel: *kernel, stride: *stride });
                    shape = next;
                }
            }
            if shape.size() > LARGEST_MAP {
                let (channels, height, width) = (shape.channels, shape.height, shape.width);
                let map = format!("a layer has {channels} x {height} x {width} units");
                return Err(wrong(format!("{map}; at most {LARGEST_MAP} are built")));
            }
        }
        if shape.size() != classes {
            return Err(wrong(format!(
                "the last layer has {} outputs, the data {classes} classes; give it units = \"classes\"",
                shape.size()
            )));
        }
        Ok(Network { architecture: self.name.clone(), width, input, classes, layers, wiring: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cnn5_at_width_one_is_lenet5() {
        let network = Architecture::built_in("cnn5").unwrap().network(1, FeatureShape::image(1, 28, 28), 10).unwrap();
        let shapes: Vec<_> = network.weight_layers().map(|layer| layer.shape).collect();
        assert_eq!(shapes, [vec![6, 1, 5, 5], vec![16, 6, 5, 5], vec![120, 400], vec![84, 120], vec![10, 84]]);
        assert_eq!(network.weights(), 150 + 2400 + 48000 + 10080 + 840);
        assert_eq!(network.hidden_units(), 6 * 28 * 28 + 16 * 10 * 10 + 120 + 84);
    }

    #[test]
    fn a_kernel_larger_than_its_input_is_named() {
        let error = Architecture::built_in("cnn5").unwrap().network(1, FeatureShape::image(1, 8, 8), 10).unwrap_err();
        assert_eq!(
            error.to_string(),
            "architecture cnn5, W = 1: convolution `conv2`: a kernel of 5 does not fit the padded input of 4 x 4"
        );
    }

    #[test]
    fn wrong_descriptions_are_refused_in_one_line() {
        let cases = [
            ("name = \"a\"\nlayers = []", "no layer has weights"),
            ("name = \"a\"\n[[layers]]\nkind = \"linear\"\nname = \"x\"\nunits = \"W4\"", "units `W4`"),
            ("name = \"a\"\n[[layers]]\nkind = \"linear\"\nname = \"x\"\nunits = 0", "units `0`"),
            ("name = \"a\"\n[[layers]]\nkind = \"linear\"\nname = \"x\"\nunits = 2\nsize = 3", "unknown field `size`"),
            (
                "name = \"a\"\n[[layers]]\nkind = \"linear\"\nname = \"x\"\nunits = 2\n[[layers]]\nkind = \"linear\"\nname = \"x\"\nunits = 2",
                "two layers are named `x`",
            ),
        ];
        for (text, expected) in cases {
            let message = Architecture::parse("my.toml", text).unwrap_err().to_string();
            assert!(message.starts_with("my.toml: "), "{message}");
            assert!(message.contains(expected), "{message} should contain {expected}");
            assert!(!message.contains('\n'), "{message}");
        }
    }

    #[test]
    fn a_third_architecture_is_a_description() {
        let text = "name = \"two\"\n[[layers]]\nkind = \"linear\"\nname = \"a\"\nunits = \"3W\"\nactivation = \"tanh\"\n\
                    [[layers]]\nkind = \"linear\"\nname = \"b\"\nunits = \"classes\"\n";
        let network = Architecture::parse("two", text).unwrap().network(2, FeatureShape::image(1, 8, 8), 10).unwrap();
        assert_eq!(network.weights(), 64 * 6 + 6 * 10);
        assert_eq!(network.hidden_units(), 6);
    }
}
