//! Reading: from bytes to a checkpoint, whatever the bytes are.

use ndarray::{Array1, ArrayD, Ix1};
use safetensors::{Dtype, SafeTensorError};

use super::container::{Container, Loaded};
use super::error::Problem;
use super::metadata::{Header, Metadata};
use super::options::ReadOptions;
use super::select::{self, Selected};
use super::tensor::{RawTensor, Tensors};
use super::{Carried, Checkpoint, Inspected, MaskSource, TensorInfo, foreign, values};
use crate::mask::{LayerMask, Mask};
use crate::network::{
    Architecture, Convolution, FeatureShape, Layer, LayerDescription, LayerParameters, Linear, Network, Parameters,
    Units, WeightLayer,
};

/// The header key of our metadata.
pub(super) const KEY: &str = "prunephase";

/// No unit count, side or channel count of a network in a header is larger; no feature map has
/// more than `LARGEST_MAP` units. A header that lies about them must not allocate the memory.
const LARGEST: usize = 1 << 20;
const LARGEST_MAP: usize = 1 << 28;

/// A text without line ends, cut where a hostile file has made it long.
pub(super) fn one_line(text: impl ToString) -> String {
    text.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

pub(super) fn format_problem(bytes: &[u8], error: SafeTensorError) -> Problem {
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
        // Of tensors that overlap the parser names one or the other, as it happens.
        (SafeTensorError::InvalidOffset(_), _) => "the offsets of its tensors overlap or leave gaps".to_owned(),
        (error, _) => one_line(error),
    })
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
pub(super) fn bias_of(name: &str, view: &RawTensor<'_>, outputs: usize) -> Result<Array1<f32>, Problem> {
    values::check_shape(name, view, &[outputs])?;
    let flat = values::numbers(name, view)?.into_dimensionality::<Ix1>();
    flat.map_err(|error| Problem::tensor(name, format!("is not one row of numbers: {error}")))
}

/// The layers of a network of ours and the tensors that hold them, the mask's beside it.
fn tensors_of(network: &Network) -> Vec<(WeightLayer, String, String, bool)> {
    let wired = network.wiring.iter().flat_map(|wiring| &wiring.layers);
    let mut wired: Vec<_> = wired.map(|layer| (layer.tensor.clone(), layer.transposed)).collect();
    wired.reverse();
    network
        .weight_layers()
        .map(|layer| {
            let (tensor, transposed) = wired.pop().unwrap_or_else(|| (format!("{}.weight", layer.name), false));
            let mask = mask_name(&tensor);
            (layer, tensor, mask, transposed)
        })
        .collect()
}

/// The name of the mask of a tensor: it ends in `.weight_mask`, whatever the tensor's name does.
pub(super) fn mask_name(tensor: &str) -> String {
    if tensor.ends_with(".weight") { format!("{tensor}_mask") } else { format!("{tensor}.weight_mask") }
}

/// A file with our metadata: every tensor must be there, in its type and shape, and no other.
fn ours(header: Header, mut tensors: Tensors<'_>, carry: bool) -> Result<Checkpoint, Problem> {
    let Header { metadata, network, carried: names } = header;
    match &network.wiring {
        Some(wiring) if network.layers.is_empty() => {
            wiring.check()?;
            if network.architecture.chars().any(char::is_control) {
                return Err(Problem::Metadata("the architecture's name has control characters".into()));
            }
        }
        Some(_) => return Err(Problem::Metadata("the network has layers and a wiring; one of them is right".into())),
        None => check_network(&network)?,
    }
    let mut take = |name: &str| tensors.remove(name);
    let mut parameters = Parameters::default();
    let mut mask = Mask::default();
    for (layer, tensor, mask_name, transposed) in tensors_of(&network) {
        let mut shape = layer.shape.clone();
        if transposed {
            shape.reverse();
        }
        let missing =
            |name: &str| Problem::tensor(name, format!("is missing; the metadata describe it with shape {shape:?}"));
        let view = take(&tensor).ok_or_else(|| missing(&tensor))?;
        values::check_type(&tensor, &view, Dtype::F32)?;
        values::check_shape(&tensor, &view, &shape)?;
        let weight: ArrayD<f32> = values::numbers(&tensor, &view)?;
        let view = take(&mask_name).ok_or_else(|| missing(&mask_name))?;
        values::check_type(&mask_name, &view, Dtype::U8)?;
        values::check_shape(&mask_name, &view, &shape)?;
        let kept = values::mask(&mask_name, &view)?;
        let (weight, kept) = if transposed {
            (
                weight.reversed_axes().as_standard_layout().into_owned(),
                kept.reversed_axes().as_standard_layout().into_owned(),
            )
        } else {
            (weight, kept)
        };
        let bias = match tensor.strip_suffix("weight").filter(|layer| layer.ends_with('.')) {
            None => None,
            Some(stem) => {
                let name = format!("{stem}bias");
                take(&name)
                    .map(|view| {
                        values::check_type(&name, &view, Dtype::F32)?;
                        bias_of(&name, &view, layer.outputs())
                    })
                    .transpose()?
            }
        };
        mask.layers.push(LayerMask { name: layer.name.clone(), kept });
        parameters.layers.push(LayerParameters { name: layer.name, weight, bias });
    }
    let mut carried = Vec::new();
    for name in names {
        let tensor = tensors.remove(&name).ok_or_else(|| Problem::tensor(&name, "is missing; the metadata name it"))?;
        if carry {
            carried.push(Carried(name, tensor.into_owned()));
        }
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
    let (mask_source, warnings) = (MaskSource::WeightMask, Vec::new());
    Ok(Checkpoint { network, parameters, mask, metadata, mask_source, warnings, carried })
}

/// What the tensors of a file of ours are.
fn described(tensors: &Tensors<'_>, carried: &[String]) -> Vec<TensorInfo> {
    let part = |name: &str| match name {
        name if carried.iter().any(|carried| carried == name) => "carried along",
        name if name.ends_with(".weight_mask") => "mask",
        name if name.ends_with(".bias") => "bias",
        _ => "weight",
    };
    let info = |(name, tensor): (&String, &RawTensor<'_>)| TensorInfo {
        name: name.clone(),
        dtype: tensor.dtype().to_string(),
        shape: tensor.shape().to_vec(),
        part: part(name).to_owned(),
    };
    tensors.iter().map(info).collect()
}

/// Reads what a file holds; `masks` is a file of masks.
pub(super) fn parse(loaded: &Loaded, masks: Option<&Loaded>, options: &ReadOptions) -> Result<Inspected, Problem> {
    let mut container = loaded.parse()?;
    let inspected = match container.metadata.take() {
        Some(text) => {
            let header: Header = serde_json::from_str(&text).map_err(|error| Problem::Metadata(one_line(error)))?;
            if let Some(option) = options.idle() {
                let message =
                    format!("{option} is for files of others; this one was written by prunephase and says everything");
                return Err(Problem::Structure(message));
            }
            let tensors = select::all(container)?;
            let tensor_infos = described(&tensors, &header.carried);
            let ignored = Vec::new();
            Inspected { checkpoint: ours(header, tensors, options.carry)?, tensors: tensor_infos, ignored }
        }
        None => {
            let selected = select::select(container, options.key.as_deref(), loaded.len())?;
            let masks = masks.map(mask_tensors).transpose().map_err(|problem| Problem::Masks(Box::new(problem)))?;
            foreign::infer(selected, masks, options)?
        }
    };
    inspected.checkpoint.validate()?;
    Ok(inspected)
}

/// The tensors of a file of masks.
fn mask_tensors(loaded: &Loaded) -> Result<Tensors<'_>, Problem> {
    let container: Container<'_> = loaded.parse()?;
    if container.metadata.is_some() {
        // Of a checkpoint of ours, such as a sample of `rewire`: its masks alone.
        let mut tensors = select::all(container)?;
        tensors.retain(|name, _| name.ends_with("weight_mask"));
        return Ok(tensors);
    }
    let Selected { tensors, .. } = select::select(container, None, loaded.len())?;
    Ok(tensors)
}
