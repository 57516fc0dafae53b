//! Files of others: the network that their names and shapes allow, or that a description tells.

use std::collections::{BTreeMap, BTreeSet};

use super::chain::{self, Link};
use super::error::Problem;
use super::metadata::{Kind, Metadata};
use super::options::ReadOptions;
use super::parts::{self, Found, ParametersOf, Role};
use super::select::{Ignored, Selected};
use super::tensor::Tensors;
use super::{Carried, Checkpoint, Inspected, MaskSource, TensorInfo};
use crate::mask::{LayerMask, Mask};
use crate::network::{
    Activation, Described, FeatureShape, GroupRole, Layer, LayerParameters, Linear, Network, NetworkError, Parameters,
    Shapes, WiredBlock, WiredGroup, WiredLayer, Wiring, WiringDescription,
};

/// The name of the architecture of a chain that was read from a foreign file.
const ARCHITECTURE: &str = "chain";

/// A layer of the network and the tensor that holds it.
struct Wanted {
    name: String,
    tensor: String,
    transposed: bool,
}

fn wanted(network: &Network) -> Vec<Wanted> {
    if let Some(wiring) = &network.wiring {
        let layer = |layer: &WiredLayer| Wanted {
            name: layer.name.clone(),
            tensor: layer.tensor.clone(),
            transposed: layer.transposed,
        };
        return wiring.layers.iter().map(layer).collect();
    }
    let layer = |name: String| Wanted { tensor: format!("{name}.weight"), name, transposed: false };
    network.weight_layers().map(|found| layer(found.name)).collect()
}

/// A chain of linear layers. ReLU is assumed between the layers, which no graph depends on.
fn linear_chain(links: &[Link<'_>]) -> Network {
    let last = links.len() - 1;
    let layer = |(index, link): (usize, &Link<'_>)| {
        Layer::Linear(Linear {
            name: link.name.to_owned(),
            inputs: link.shape[1],
            outputs: link.shape[0],
            activation: if index < last { Activation::Relu } else { Activation::None },
        })
    };
    Network {
        architecture: ARCHITECTURE.to_owned(),
        width: 0,
        input: FeatureShape::image(links[0].shape[1], 1, 1),
        classes: links[last].shape[0],
        layers: links.iter().enumerate().map(layer).collect(),
        wiring: None,
    }
}

/// A chain with convolutions whose maps are not known: its channels, wired.
fn channel_chain(links: &[Link<'_>]) -> Network {
    let mut wiring = Wiring { layers: Vec::new(), groups: Vec::new(), blocks: Vec::new(), skips: Vec::new() };
    let group = |name: &str, size: usize, role| WiredGroup { name: name.to_owned(), size, role };
    wiring.groups.push(group("input", links[0].shape[1], GroupRole::Input));
    for (index, link) in links.iter().enumerate() {
        let role = if index + 1 == links.len() { GroupRole::Output } else { GroupRole::Hidden };
        let before = wiring.groups[index].size;
        let span = link.shape[1..].iter().product::<usize>() / before.max(1);
        let (name, shape) = (link.name.to_owned(), link.shape.to_vec());
        wiring.groups.push(group(link.name, shape[0], role));
        wiring.layers.push(WiredLayer {
            tensor: format!("{name}.weight"),
            name: name.clone(),
            transposed: false,
            shape,
        });
        wiring.blocks.push(WiredBlock {
            name,
            layer: index,
            source: index,
            target: index + 1,
            rows: vec![0],
            first_column: 0,
            span,
            groups: 1,
        });
    }
    Network::wired(ARCHITECTURE, wiring)
}

/// The descriptions built in whose layers are exactly those of the file, with their networks.
fn built_in_that_fit(
    shapes: &Shapes,
    layers: &BTreeSet<&str>,
    heads: Option<usize>,
) -> Vec<(String, Result<Wiring, NetworkError>)> {
    let mut found = Vec::new();
    for description in WiringDescription::built_in_names().filter_map(WiringDescription::built_in) {
        let Ok(description) = description else { continue };
        match description.wiring(shapes, heads) {
            Ok(wiring) => {
                let own: BTreeSet<&str> = wiring.layers.iter().map(|layer| layer.tensor.as_str()).collect();
                if own == *layers {
                    found.push((description.name, Ok(wiring)));
                }
            }
            Err(error @ NetworkError::Heads { .. }) => found.push((description.name, Err(error))),
            Err(_) => {}
        }
    }
    found
}

/// The network of a state dict, and what a user should know about how it was found.
fn network(
    shapes: &Shapes,
    roles: &BTreeMap<&str, Role>,
    options: &ReadOptions,
    warnings: &mut Vec<String>,
) -> Result<Network, Problem> {
    let layers: BTreeSet<&str> = roles.iter().filter(|(_, role)| role.is_layer()).map(|(name, _)| *name).collect();
    match &options.network {
        Some(Described::Wired(description)) => {
            let wiring = description.wiring(shapes, options.heads)?;
            return Ok(Network::wired(description.name.clone(), wiring));
        }
        Some(Described::Chain(architecture)) => return described_chain(architecture, shapes, options),
        None => {}
    }
    if layers.is_empty() {
        let message = if shapes.is_empty() {
            "holds no tensors; a checkpoint needs NAME.weight for every layer".to_owned()
        } else {
            format!(
                "none of its {} tensors is the weight of a layer (NAME.weight, [out, in] or [out, in, kh, kw])",
                shapes.len()
            )
        };
        return Err(Problem::Structure(message));
    }
    let mut fits = built_in_that_fit(shapes, &layers, options.heads);
    if fits.len() > 1 {
        let names: Vec<&str> = fits.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join("`, `");
        return Err(Problem::Structure(format!("its names fit the networks `{names}`; choose one with --network")));
    }
    if let Some((name, wiring)) = fits.pop() {
        let wiring = wiring?;
        warnings.push(format!("read as the network `{name}` by its names; --network FILE describes another"));
        return Ok(Network::wired(name, wiring));
    }
    let odd = roles.iter().find(|(_, role)| matches!(role, Role::OtherConvolution(_)));
    if let Some((name, role)) = odd {
        let message = format!(
            "has shape {:?}, a {}, which is not read; a description of the other layers leaves it out (--network FILE)",
            shapes[*name],
            role.what()
        );
        return Err(Problem::tensor(*name, message));
    }
    let mut links = Vec::new();
    for &name in &layers {
        let shape = &shapes[name];
        if shape.contains(&0) {
            let message = format!("has shape {shape:?}; a layer needs inputs and outputs, both at least 1");
            return Err(Problem::tensor(name, message));
        }
        let Some(layer) = name.strip_suffix(".weight") else {
            let message = "is part of an attention layer, which no chain has; describe the network (--network FILE)";
            return Err(Problem::tensor(name, message));
        };
        links.push(Link { name: layer, shape });
    }
    let links = chain::ordered(links).map_err(Problem::Structure)?;
    for (name, _) in roles.iter().filter(|(_, role)| **role == Role::Embedding) {
        warnings.push(format!("tensor `{name}` is taken for an embedding and left out"));
    }
    let names: Vec<&str> = links.iter().take(6).map(|link| link.name).collect();
    let more = if links.len() > 6 { ", ..." } else { "" };
    if links.iter().all(|link| link.shape.len() == 2) {
        // Blocks that repeat, and normalisations, are often signs of skips, which no tensor shows.
        let repeats =
            |name: &str| name.split('.').rev().skip(1).any(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        if links.iter().any(|link| repeats(link.name)) || roles.values().any(|role| *role == Role::Norm) {
            warnings.push(format!(
                "read as a chain of {} layers ({}{more}); if there are skips between them, describe them (--network FILE)",
                links.len(),
                names.join(", ")
            ));
        }
        return Ok(linear_chain(&links));
    }
    warnings.push(format!(
        "read as a chain of {} layers ({}{more}) without padding, stride, pooling and skips, which the file does not \
         hold; --network FILE tells them",
        links.len(),
        names.join(", ")
    ));
    Ok(channel_chain(&links))
}

/// A chain that a description tells, with its padding, strides and pools.
fn described_chain(
    architecture: &crate::network::Architecture,
    shapes: &Shapes,
    options: &ReadOptions,
) -> Result<Network, Problem> {
    let of = |name: &str| {
        let tensor = format!("{name}.weight");
        shapes.get(&tensor).filter(|shape| matches!(shape.len(), 2 | 4)).ok_or_else(|| {
            let message = "is missing or no layer's weight, though the description has this layer";
            Problem::tensor(tensor.clone(), message)
        })
    };
    let names = architecture.weight_names();
    let (Some(first), Some(last)) = (names.first(), names.last()) else {
        return Err(Problem::Structure("the description has no layer with weights".into()));
    };
    let (first, classes) = (of(first)?, of(last)?[0]);
    let input = match (options.input, first.len()) {
        (Some(input), _) => input,
        (None, 2) => FeatureShape::image(first[1], 1, 1),
        (None, _) => {
            let message =
                "the first layer is a convolution, and no file holds the size of its images: give --input CxHxW";
            return Err(Problem::Structure(message.into()));
        }
    };
    let mut width = 1;
    for name in &names {
        width = architecture.width_for(name, of(name)?[0]).unwrap_or(width).max(width);
    }
    Ok(architecture.network(width, input, classes)?)
}

fn describe(
    parameters: &ParametersOf<'_>,
    roles: &BTreeMap<&str, Role>,
    network: &Network,
) -> (Vec<TensorInfo>, Vec<Ignored>) {
    let used: BTreeSet<String> = wanted(network).into_iter().map(|layer| layer.tensor).collect();
    let bias_of = |name: &str| name.strip_suffix("bias").is_some_and(|layer| used.contains(&format!("{layer}weight")));
    let (mut tensors, mut ignored) = (Vec::new(), Vec::new());
    for (name, parameter) in parameters {
        let role = roles.get(name.as_str()).copied().unwrap_or(Role::Other);
        let what = if used.contains(name) {
            "weight"
        } else if bias_of(name) {
            "bias"
        } else {
            let reason = match role {
                Role::Linear | Role::Convolution => format!("{} outside the network", role.what()),
                Role::Bias | Role::Other => "no layer's weight".to_owned(),
                role => role.what().to_owned(),
            };
            ignored.push(Ignored { name: name.clone(), what: reason });
            role.what()
        };
        let dtype = |tensor: &super::tensor::RawTensor<'_>| tensor.dtype().to_string();
        let shown = if parameter.from_orig { format!("{name}_orig") } else { name.clone() };
        let info = |name: String, tensor, part: &str| TensorInfo {
            name,
            dtype: dtype(tensor),
            shape: tensor.shape().to_vec(),
            part: part.to_owned(),
        };
        tensors.push(info(shown, &parameter.value, what));
        if let Some((mask_name, mask)) = &parameter.mask {
            tensors.push(info(mask_name.clone(), mask, "mask"));
        }
    }
    (tensors, ignored)
}

/// Reads a state dict; `masks` are the tensors of a mask file.
pub(super) fn infer<'a>(
    selected: Selected<'a>,
    masks: Option<Tensors<'a>>,
    options: &ReadOptions,
) -> Result<Inspected, Problem> {
    let Selected { tensors, ignored: outside, mut warnings } = selected;
    let mut parameters = parts::parameters(tensors)?;
    if let Some(masks) = masks {
        parts::add_masks(&mut parameters, masks).map_err(|problem| Problem::Masks(Box::new(problem)))?;
    }
    let roles = parts::roles(&parameters);
    let shapes: Shapes = parameters.iter().map(|(name, one)| (name.clone(), one.shape().to_vec())).collect();
    let network = network(&shapes, &roles, options, &mut warnings)?;
    let (tensors, mut ignored) = describe(&parameters, &roles, &network);
    let left: Vec<&str> = ignored
        .iter()
        .filter(|one| roles.get(one.name.as_str()).is_some_and(|role| role.is_layer()))
        .map(|one| one.name.as_str())
        .collect();
    if !left.is_empty() {
        let more = if left.len() > 5 { format!(" and {} more", left.len() - 5) } else { String::new() };
        let names = left[..left.len().min(5)].join("`, `");
        warnings.push(format!("not in the described network, so left out: `{names}`{more}"));
    }
    ignored.splice(0..0, outside);
    drop(roles);
    let mut layers = Vec::new();
    for layer in wanted(&network) {
        let found = parts::take(&mut parameters, &layer.tensor, layer.transposed)?;
        layers.push((layer.name, found));
    }
    let mask_source = mask_source(&layers);
    warn(&layers, mask_source, &mut warnings);
    let (mut values, mut mask) = (Parameters::default(), Mask::default());
    for (name, Found { weight, bias, kept, .. }) in layers {
        let kept = kept.unwrap_or_else(|| weight.mapv(|w| w != 0.0));
        mask.layers.push(LayerMask { name: name.clone(), kept });
        values.layers.push(LayerParameters { name, weight, bias });
    }
    let mut carried = Vec::new();
    if options.carry {
        for (name, parameter) in parameters {
            carried.push(Carried(name, parts::carried(parameter)?));
        }
    }
    let metadata = Metadata { kind: Kind::Foreign, density: Some(mask.density()), ..Metadata::default() };
    let checkpoint = Checkpoint { network, parameters: values, mask, metadata, mask_source, warnings, carried };
    Ok(Inspected { checkpoint, tensors, ignored })
}

fn mask_source(layers: &[(String, Found)]) -> MaskSource {
    let any = |test: fn(&Found) -> bool| layers.iter().any(|(_, found)| test(found));
    if any(|found| found.masked_apart) {
        MaskSource::MaskFile
    } else if any(|found| found.from_orig) {
        MaskSource::WeightOrig
    } else if any(|found| found.kept.is_some()) {
        MaskSource::WeightMask
    } else {
        MaskSource::Nonzero
    }
}

fn warn(layers: &[(String, Found)], source: MaskSource, warnings: &mut Vec<String>) {
    let unmasked: Vec<&str> = layers
        .iter()
        .filter(|(_, found)| found.kept.is_none() && found.weight.iter().any(|&w| w == 0.0))
        .map(|(name, _)| name.as_str())
        .collect();
    if source == MaskSource::Nonzero {
        warnings.push("no masks in the file: the entries that are not zero are taken as kept".to_owned());
    } else if !unmasked.is_empty() {
        let names = unmasked.join("`, `");
        warnings.push(format!("no mask for layer `{names}`: the entries that are not zero are taken as kept"));
    }
    if layers.iter().any(|(_, found)| found.rounded) {
        warnings.push("numbers of type F64 were rounded to f32".to_owned());
    }
}
