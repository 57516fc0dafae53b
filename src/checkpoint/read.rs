//! Reading: from bytes to a checkpoint, whatever the bytes are.

use std::collections::BTreeMap;

use ndarray::{Array1, ArrayD, Ix1};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};

use super::error::Problem;
use super::metadata::{Header, Metadata};
use super::{Checkpoint, MaskSource, foreign, values};
use crate::mask::{LayerMask, Mask};
use crate::network::{
    Architecture, Convolution, FeatureShape, Layer, LayerDescription, LayerParameters, Linear, Network, Parameters,
    Units,
};

/// The header key of our metadata.
pub(super) const KEY: &str = "prunephase";

/// No unit count, side or channel count of a network in a header is larger; no feature map has
/// more than `LARGEST_MAP` units. A header that lies about them must not allocate the memory.
const LARGEST: usize = 1 << 20;
const LARGEST_MAP: usize = 1 << 28;

/// Tensors by name, taken out as they are used.
pub(super) type Tensors<'a> = BTreeMap<String, TensorView<'a>>;

pub(super) fn one_line(text: impl ToString) -> String {
    text.to_string().chars().flat_map(|c| if c.is_control() { vec![' '] } else { vec![c] }).collect()
}

fn format_problem(bytes: &[u8], error: SafeTensorError) -> Problem {
    let length = bytes.len();
    let header = bytes.first_chunk::<8>().map(|size| u64::from_le_bytes(*size));
    Problem::Format(match (error, header) {
        (_, None) => format!("{length} bytes; the length of its header alone takes 8"),
        (SafeTensorError::HeaderTooLarge | SafeTensorError::InvalidHeaderLength, Some(header)) => {
            format!("its first 8 bytes promise a header of {header} bytes, but the file has {length}")
        }
        (SafeTensorError::MetadataIncompleteBuffer, _) => {
            format!("its tensors do not end where the file of {length} bytes does: cut short, or bytes were added")
        }
        (error, _) => one_line(error),
    })
}

pub(super) fn tensors_of(bytes: &[u8]) -> Result<Tensors<'_>, Problem> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| format_problem(bytes, error))?;
    let tensors: Tensors<'_> = file.tensors().into_iter().collect();
    if let Some(name) = tensors.keys().find(|name| name.chars().any(char::is_control)) {
        return Err(Problem::tensor(name.escape_debug().to_string(), "has control characters in its name"));
    }
    Ok(tensors)
}

/// Our metadata, where the file has them.
fn header_of(bytes: &[u8]) -> Result<Option<Header>, Problem> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| format_problem(bytes, error))?;
    let Some(text) = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY)) else { return Ok(None) };
    serde_json::from_str(text).map(Some).map_err(|error| Problem::Metadata(one_line(error)))
}

/// Refuses a network whose shapes do not follow from each other: the same layers are built anew
/// from their own kernels, strides and units, and must come out the same.
fn check_network(network: &Network) -> Result<(), Problem> {
    let wrong = |message: String| Err(Problem::Metadata(message));
    let mut numbers = vec![network.classes, network.width];
    let shape = |shape: &FeatureShape| [shape.channels, shape.height, shape.width];
    numbers.extend(shape(&network.input));
    // Padding adds up from layer to layer, so its sum is bounded too.
    let mut padded = 0usize;
    let mut descriptions = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for layer in &network.layers {
        descriptions.push(match layer {
            Layer::Linear(Linear { name, outputs, activation, .. }) => {
                numbers.push(*outputs);
                names.push(name);
                LayerDescription::Linear { name: name.clone(), units: Units::Fixed(*outputs), activation: *activation }
            }
            Layer::Convolution(Convolution { name, output, kernel, stride, padding, activation, .. }) => {
                numbers.extend([output.channels, *kernel, *stride]);
                names.push(name);
                padded = padded.saturating_add(*padding);
                LayerDescription::Convolution {
                    name: name.clone(),
                    units: Units::Fixed(output.channels),
                    kernel: *kernel,
                    stride: *stride,
                    padding: *padding,
                    activation: *activation,
                }
            }
            Layer::MaxPool { kernel, stride, .. } => {
                numbers.extend([*kernel, *stride]);
                LayerDescription::MaxPool { kernel: *kernel, stride: *stride }
            }
        });
    }
    numbers.push(padded);
    if let Some(number) = numbers.iter().find(|&&number| number > LARGEST) {
        return wrong(format!("the network has a size of {number}; at most {LARGEST} is read"));
    }
    if let Some(name) = names.iter().find(|name| name.is_empty() || name.chars().any(char::is_control)) {
        return wrong(format!("a layer is named `{}`; a name needs printable characters", name.escape_debug()));
    }
    if network.architecture.chars().any(char::is_control) {
        return wrong("the architecture's name has control characters".into());
    }
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return wrong(format!("two layers are named `{}`; each needs a name of its own", pair[0]));
    }
    if names.is_empty() {
        return wrong("the network has no layer with weights".into());
    }
    let built = Architecture { name: network.architecture.clone(), layers: descriptions }.network(
        network.width.max(1),
        network.input,
        network.classes,
    )?;
    if built.layers != network.layers {
        return wrong("the shapes of the network's layers do not follow from each other".into());
    }
    let map = |layer: &Layer| match layer {
        Layer::Linear(linear) => linear.inputs,
        Layer::Convolution(Convolution { input, output, .. }) | Layer::MaxPool { input, output, .. } => {
            input.size().max(output.size())
        }
    };
    match network.layers.iter().map(map).find(|&size| size > LARGEST_MAP) {
        Some(size) => wrong(format!("the network has a feature map of {size} units; at most {LARGEST_MAP} are read")),
        None => Ok(()),
    }
}

/// The numbers of a bias of `outputs` entries.
pub(super) fn bias_of(name: &str, view: &TensorView<'_>, outputs: usize) -> Result<Array1<f32>, Problem> {
    values::check_shape(name, view, &[outputs])?;
    let flat = values::numbers(name, view)?.into_dimensionality::<Ix1>();
    flat.map_err(|error| Problem::tensor(name, format!("is not one row of numbers: {error}")))
}

/// A file with our metadata: every tensor must be there, in its type and shape, and no other.
fn ours(header: Header, mut tensors: Tensors<'_>) -> Result<Checkpoint, Problem> {
    let Header { metadata, network } = header;
    check_network(&network)?;
    let mut take = |name: &str| tensors.remove(name);
    let mut parameters = Parameters::default();
    let mut mask = Mask::default();
    for layer in network.weight_layers() {
        let missing = |name: &str| {
            Problem::tensor(name, format!("is missing; the metadata describe it with shape {:?}", layer.shape))
        };
        let name = format!("{}.weight", layer.name);
        let view = take(&name).ok_or_else(|| missing(&name))?;
        values::check_type(&name, &view, Dtype::F32)?;
        values::check_shape(&name, &view, &layer.shape)?;
        let weight: ArrayD<f32> = values::numbers(&name, &view)?;
        let name = format!("{}.weight_mask", layer.name);
        let view = take(&name).ok_or_else(|| missing(&name))?;
        values::check_type(&name, &view, Dtype::U8)?;
        values::check_shape(&name, &view, &layer.shape)?;
        let kept = values::mask(&name, &view)?;
        let name = format!("{}.bias", layer.name);
        let bias = match take(&name) {
            None => None,
            Some(view) => {
                values::check_type(&name, &view, Dtype::F32)?;
                Some(bias_of(&name, &view, layer.outputs())?)
            }
        };
        mask.layers.push(LayerMask { name: layer.name.clone(), kept });
        parameters.layers.push(LayerParameters { name: layer.name, weight, bias });
    }
    if let Some(name) = tensors.keys().next() {
        return Err(Problem::tensor(name, "belongs to no layer of the network in the metadata"));
    }
    // serde_json may be off by the last bit of a float.
    if let Some(said) = metadata.density
        && (said.value() - mask.density().value()).abs() > 1e-12
    {
        let message = format!("density is {said}, but the masks keep {} of the weights", mask.density());
        return Err(Problem::Metadata(message));
    }
    let metadata = Metadata { density: Some(mask.density()), ..metadata };
    Ok(Checkpoint { network, parameters, mask, metadata, mask_source: MaskSource::WeightMask, warnings: Vec::new() })
}

pub(super) fn parse(bytes: &[u8]) -> Result<Checkpoint, Problem> {
    let tensors = tensors_of(bytes)?;
    let checkpoint = match header_of(bytes)? {
        Some(header) => ours(header, tensors)?,
        None => foreign::infer(tensors)?,
    };
    checkpoint.validate()?;
    Ok(checkpoint)
}
