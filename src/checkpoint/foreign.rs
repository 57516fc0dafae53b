//! Files of others: the chain of layers that their names and shapes allow.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use ndarray::{ArrayD, Zip};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::error::Problem;
use super::metadata::{Kind, Metadata};
use super::read::{Tensors, bias_of};
use super::{Checkpoint, MaskSource, values};
use crate::mask::{LayerMask, Mask};
use crate::network::{Activation, FeatureShape, Layer, LayerParameters, Linear, Network, Parameters};

/// The name of the architecture of a chain that was read from a foreign file.
const ARCHITECTURE: &str = "chain";

const SUFFIXES: [&str; 6] = ["weight", "weight_orig", "weight_mask", "bias", "bias_orig", "bias_mask"];

/// Compares names with the numbers in them by value: fc2 before fc10.
fn natural(a: &str, b: &str) -> Ordering {
    /// The leading run of digits or of other characters, and the rest.
    fn split(text: &str) -> (&str, &str, bool) {
        let digits = text.starts_with(|c: char| c.is_ascii_digit());
        let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
        (&text[..end], &text[end..], digits)
    }
    let (mut left, mut right) = (a, b);
    while !left.is_empty() && !right.is_empty() {
        let ((x, rest_x, number_x), (y, rest_y, number_y)) = (split(left), split(right));
        let order = if number_x && number_y {
            let (x, y) = (x.trim_start_matches('0'), y.trim_start_matches('0'));
            x.len().cmp(&y.len()).then(x.cmp(y))
        } else {
            x.cmp(y)
        };
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (rest_x, rest_y);
    }
    left.len().cmp(&right.len()).then(a.cmp(b))
}

/// One layer as found.
struct Found {
    name: String,
    weight: ArrayD<f32>,
    bias: Option<ndarray::Array1<f32>>,
    /// The mask in the file, if there is one.
    kept: Option<ArrayD<bool>>,
    from_orig: bool,
    rounded: bool,
}

impl Found {
    fn outputs(&self) -> usize {
        self.weight.shape()[0]
    }

    fn inputs(&self) -> usize {
        self.weight.shape()[1]
    }
}

/// Sets what a mask prunes to zero and leaves the bits of everything else.
fn masked<D: ndarray::Dimension>(values: &mut ndarray::Array<f32, D>, kept: &ndarray::Array<bool, D>) {
    Zip::from(values).and(kept).for_each(|value, &kept| {
        if !kept {
            *value = 0.0;
        }
    });
}

fn layer(name: String, mut parts: BTreeMap<&'static str, TensorView<'_>>) -> Result<Found, Problem> {
    let full = |suffix: &str| format!("{name}.{suffix}");
    let rounded = parts.iter().any(|(suffix, view)| !suffix.ends_with("mask") && view.dtype() == Dtype::F64);
    let (view, suffix) = match (parts.remove("weight"), parts.remove("weight_orig")) {
        (Some(_), Some(_)) => {
            return Err(Problem::tensor(
                full("weight_orig"),
                format!("stands beside `{name}.weight`; one of them is right"),
            ));
        }
        (Some(view), None) => (view, "weight"),
        (None, Some(view)) => (view, "weight_orig"),
        (None, None) => {
            let other = parts.keys().next().copied().unwrap_or_default();
            return Err(Problem::tensor(full("weight"), format!("is missing, though `{name}.{other}` is there")));
        }
    };
    let from_orig = suffix == "weight_orig";
    match *view.shape() {
        [outputs, inputs] if outputs > 0 && inputs > 0 => {}
        [_, _, _, _] => {
            return Err(Problem::Structure(format!(
                "layer `{name}` is a convolution, and the file does not hold its padding, stride and pooling; \
                 of files that prunephase did not write, chains of linear layers are read"
            )));
        }
        ref shape => {
            let message = format!("has shape {shape:?}; a linear layer needs [outputs, inputs], both at least 1");
            return Err(Problem::tensor(full(suffix), message));
        }
    }
    let mut weight = values::numbers(&full(suffix), &view)?;
    let kept = match parts.remove("weight_mask") {
        None if from_orig => {
            return Err(Problem::tensor(
                full("weight_mask"),
                format!("is missing, though `{name}.weight_orig` is there"),
            ));
        }
        None => None,
        Some(mask) => {
            values::check_shape(&full("weight_mask"), &mask, view.shape())?;
            Some(values::mask(&full("weight_mask"), &mask)?)
        }
    };
    if let Some(kept) = kept.as_ref().filter(|_| from_orig) {
        masked(&mut weight, kept);
    }
    let outputs = weight.shape()[0];
    let bias = match (parts.remove("bias"), parts.remove("bias_orig"), parts.remove("bias_mask")) {
        (None, None, None) => None,
        (Some(view), None, None) => Some(bias_of(&full("bias"), &view, outputs)?),
        (None, Some(view), Some(mask)) => {
            let mut bias = bias_of(&full("bias_orig"), &view, outputs)?;
            values::check_shape(&full("bias_mask"), &mask, &[outputs])?;
            let kept = values::mask(&full("bias_mask"), &mask)?;
            Zip::from(bias.view_mut().into_dyn()).and(&kept).for_each(|value, &kept| {
                if !kept {
                    *value = 0.0;
                }
            });
            Some(bias)
        }
        _ => {
            let message = "is not clear; either `bias` alone or `bias_orig` with `bias_mask` is right";
            return Err(Problem::tensor(full("bias"), message));
        }
    };
    Ok(Found { name, weight, bias, kept, from_orig, rounded })
}

/// Whether every layer takes what the one before it gives.
fn joins(layers: &[Found]) -> bool {
    layers.windows(2).all(|pair| pair[0].outputs() == pair[1].inputs())
}

/// Puts the layers in the one order that their shapes allow, where there is exactly one.
fn by_shapes(layers: &mut [Found]) -> bool {
    let inputs: BTreeMap<usize, usize> = layers.iter().enumerate().map(|(at, layer)| (layer.inputs(), at)).collect();
    if inputs.len() < layers.len() {
        return false;
    }
    let Some(first) = layers.iter().position(|a| layers.iter().all(|b| b.outputs() != a.inputs())) else {
        return false;
    };
    let mut rank = vec![usize::MAX; layers.len()];
    let (mut at, mut next) = (first, 0);
    while rank[at] == usize::MAX {
        rank[at] = next;
        next += 1;
        match inputs.get(&layers[at].outputs()) {
            Some(&follower) => at = follower,
            None => break,
        }
    }
    if next < layers.len() {
        return false;
    }
    let ranks: BTreeMap<usize, usize> = layers.iter().map(Found::inputs).zip(rank).collect();
    layers.sort_by_key(|layer| ranks[&layer.inputs()]);
    joins(layers)
}

fn ordered(mut layers: Vec<Found>) -> Result<Vec<Found>, Problem> {
    layers.sort_by(|a, b| natural(&a.name, &b.name));
    if joins(&layers) {
        return Ok(layers);
    }
    let broken = layers.windows(2).find(|pair| pair[0].outputs() != pair[1].inputs());
    let message = broken.map_or_else(String::new, |pair| {
        format!(
            "layer `{}` gives {} outputs and `{}` takes {} inputs: neither the names nor the shapes put the layers in one \
             chain; name them in their order (fc1, fc2, ...)",
            pair[0].name,
            pair[0].outputs(),
            pair[1].name,
            pair[1].inputs()
        )
    });
    if by_shapes(&mut layers) { Ok(layers) } else { Err(Problem::Structure(message)) }
}

/// The network, parameters and mask of a state dict of linear layers. Names are taken in natural
/// order where the shapes then join, else in the only order that the shapes allow. ReLU is assumed
/// between the layers, which no graph depends on.
pub(super) fn infer(tensors: Tensors<'_>) -> Result<Checkpoint, Problem> {
    let mut groups: BTreeMap<String, BTreeMap<&'static str, TensorView<'_>>> = BTreeMap::new();
    for (name, view) in tensors {
        let known = name.rsplit_once('.').and_then(|(layer, suffix)| {
            SUFFIXES.iter().find(|known| **known == suffix).filter(|_| !layer.is_empty()).map(|known| (layer, *known))
        });
        let Some((layer, suffix)) = known else {
            let message = "is not the weight, bias or mask of a linear layer (NAME.weight, NAME.bias, NAME.weight_mask, NAME.weight_orig)";
            return Err(Problem::tensor(name, message));
        };
        groups.entry(layer.to_owned()).or_default().insert(suffix, view);
    }
    let layers = groups.into_iter().map(|(name, parts)| layer(name, parts)).collect::<Result<Vec<_>, _>>()?;
    let layers = ordered(layers)?;
    let (Some(first), Some(last)) = (layers.first(), layers.last()) else {
        return Err(Problem::Structure("holds no tensors; a checkpoint needs NAME.weight for every layer".into()));
    };
    let mut network = Network {
        architecture: ARCHITECTURE.to_owned(),
        width: 0,
        input: FeatureShape::image(first.inputs(), 1, 1),
        classes: last.outputs(),
        layers: Vec::new(),
    };
    let mask_source = if layers.iter().any(|layer| layer.from_orig) {
        MaskSource::WeightOrig
    } else if layers.iter().any(|layer| layer.kept.is_some()) {
        MaskSource::WeightMask
    } else {
        MaskSource::Nonzero
    };
    let mut warnings = Vec::new();
    let unmasked: Vec<&str> = layers
        .iter()
        .filter(|layer| layer.kept.is_none() && layer.weight.iter().any(|&w| w == 0.0))
        .map(|layer| layer.name.as_str())
        .collect();
    if mask_source == MaskSource::Nonzero {
        warnings.push("no masks in the file: the entries that are not zero are taken as kept".to_owned());
    } else if !unmasked.is_empty() {
        let names = unmasked.join("`, `");
        warnings.push(format!("no mask for layer `{names}`: the entries that are not zero are taken as kept"));
    }
    if layers.iter().any(|layer| layer.rounded) {
        warnings.push("numbers of type F64 were rounded to f32".to_owned());
    }
    let (mut parameters, mut mask) = (Parameters::default(), Mask::default());
    let count = layers.len();
    for (index, Found { name, weight, bias, kept, .. }) in layers.into_iter().enumerate() {
        network.layers.push(Layer::Linear(Linear {
            name: name.clone(),
            inputs: weight.shape()[1],
            outputs: weight.shape()[0],
            activation: if index + 1 < count { Activation::Relu } else { Activation::None },
        }));
        let kept = kept.unwrap_or_else(|| weight.mapv(|w| w != 0.0));
        mask.layers.push(LayerMask { name: name.clone(), kept });
        parameters.layers.push(LayerParameters { name, weight, bias });
    }
    let metadata = Metadata { kind: Kind::Foreign, density: Some(mask.density()), ..Metadata::default() };
    Ok(Checkpoint { network, parameters, mask, metadata, mask_source, warnings })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_compared_by_value() {
        let mut names = ["fc10", "fc9", "fc1", "fc", "10", "2", "a.2.b", "a.10.b", "fc01"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["2", "10", "a.2.b", "a.10.b", "fc", "fc01", "fc1", "fc9", "fc10"]);
        assert_eq!(natural("x99999999999999999999999", "x100000000000000000000000"), Ordering::Less);
    }
}
