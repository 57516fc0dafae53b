//! What each tensor of a state dict is: a parameter, its mask, or what is left out.

use std::collections::BTreeMap;

use ndarray::{Array1, ArrayD, Zip};
use safetensors::Dtype;

use super::error::Problem;
use super::read::bias_of;
use super::tensor::{RawTensor, Tensors};
use super::values;

/// One parameter: its values, and its mask where the file has one.
pub(super) struct Parameter<'a> {
    pub value: RawTensor<'a>,
    /// Whether it was NAME_orig, as torch.nn.utils.prune saves it: the mask is still to be applied.
    pub from_orig: bool,
    /// The name and the tensor of its mask.
    pub mask: Option<(String, RawTensor<'a>)>,
    /// Whether the mask is from a file of its own.
    pub masked_apart: bool,
}

impl Parameter<'_> {
    pub(super) fn shape(&self) -> &[usize] {
        self.value.shape()
    }
}

/// Parameters by name.
pub(super) type ParametersOf<'a> = BTreeMap<String, Parameter<'a>>;

/// Joins tensors with their masks.
pub(super) fn parameters(mut tensors: Tensors<'_>) -> Result<ParametersOf<'_>, Problem> {
    let names: Vec<String> = tensors.keys().cloned().collect();
    let mut found = ParametersOf::new();
    for name in names.iter().filter_map(|name| name.strip_suffix("_orig").filter(|name| !name.is_empty())) {
        if tensors.contains_key(name) {
            return Err(Problem::tensor(
                format!("{name}_orig"),
                format!("stands beside `{name}`; one of them is right"),
            ));
        }
        let mask_name = format!("{name}_mask");
        let Some(mask) = tensors.remove(&mask_name) else {
            return Err(Problem::tensor(mask_name, format!("is missing, though `{name}_orig` is there")));
        };
        if let Some(value) = tensors.remove(&format!("{name}_orig")) {
            let mask = Some((mask_name, mask));
            found.insert(name.to_owned(), Parameter { value, from_orig: true, mask, masked_apart: false });
        }
    }
    let mut masks = BTreeMap::new();
    for name in &names {
        // The second form is ours, of tensors whose names do not end in `.weight`.
        let bases = [name.strip_suffix("_mask"), name.strip_suffix(".weight_mask")];
        let base = bases.into_iter().flatten().find(|base| tensors.contains_key(*base));
        match (base, tensors.contains_key(name)) {
            (Some(base), true) if name.ends_with("weight_mask") || tensors[base].shape() == tensors[name].shape() => {
                if let Some(mask) = tensors.remove(name) {
                    masks.insert(base.to_owned(), (name.clone(), mask));
                }
            }
            (None, true) if name.ends_with(".weight_mask") => {
                let base = name.strip_suffix("_mask").unwrap_or_default();
                return Err(Problem::tensor(base, format!("is missing, though `{name}` is there")));
            }
            _ => {}
        }
    }
    for (name, value) in tensors {
        let mask = masks.remove(&name);
        found.insert(name, Parameter { value, from_orig: false, mask, masked_apart: false });
    }
    Ok(found)
}

/// Gives parameters the masks of a file of their own. Its names are those of the parameters, perhaps with
/// `_mask` or without `.weight`, perhaps behind a prefix that all of them share.
pub(super) fn add_masks<'a>(parameters: &mut ParametersOf<'a>, masks: Tensors<'a>) -> Result<(), Problem> {
    if masks.is_empty() {
        return Err(Problem::Structure("holds no masks".into()));
    }
    for (name, mask) in masks {
        let bare = name.strip_suffix("_mask").or(name.strip_suffix(".mask")).unwrap_or(&name);
        let exact = [bare.to_owned(), format!("{bare}.weight")];
        let found = exact.iter().find(|name| parameters.contains_key(*name)).cloned().or_else(|| {
            let ends = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.ends_with('.'));
            let mut fits = parameters.keys().filter(|own| ends(own, bare) || ends(bare, own));
            fits.next().filter(|_| fits.next().is_none()).cloned()
        });
        let Some(own) = found else {
            return Err(Problem::tensor(
                name,
                "belongs to no tensor of the checkpoint; a mask has the name of its weights",
            ));
        };
        let Some(parameter) = parameters.get_mut(&own) else { continue };
        if parameter.mask.is_some() {
            return Err(Problem::tensor(name, format!("is a second mask of `{own}`, which has one already")));
        }
        values::check_shape(&name, &mask, parameter.shape())?;
        parameter.mask = Some((name, mask));
        parameter.masked_apart = true;
    }
    Ok(())
}

/// What a parameter is to a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Linear,
    Convolution,
    /// A layer of a kind that is not read, in so many dimensions.
    OtherConvolution(usize),
    Bias,
    Norm,
    Embedding,
    Other,
}

impl Role {
    pub(super) fn is_layer(self) -> bool {
        matches!(self, Self::Linear | Self::Convolution)
    }

    pub(super) fn what(self) -> &'static str {
        match self {
            Self::Linear => "linear layer",
            Self::Convolution => "convolution",
            Self::OtherConvolution(1) => "convolution in 1 dimension",
            Self::OtherConvolution(_) => "convolution in 3 dimensions",
            Self::Bias => "bias",
            Self::Norm => "normalisation",
            Self::Embedding => "embedding",
            Self::Other => "other",
        }
    }
}

fn is_embedding(name: &str) -> bool {
    name.to_lowercase().split('.').any(|part| {
        part.contains("embed")
            || matches!(part, "wte" | "wpe" | "emb")
            || part.ends_with("_emb")
            || part.starts_with("emb_")
    })
}

/// The role of each parameter, by names and shapes.
pub(super) fn roles<'p>(parameters: &'p ParametersOf<'_>) -> BTreeMap<&'p str, Role> {
    let mut roles = BTreeMap::new();
    for (name, parameter) in parameters {
        let layer = name.strip_suffix(".weight").filter(|layer| !layer.is_empty());
        let fused = name.ends_with(".in_proj_weight");
        let role = match (parameter.shape().len(), layer) {
            (2, Some(_)) if is_embedding(name) => Role::Embedding,
            (2, Some(_)) => Role::Linear,
            (2, None) if fused => Role::Linear,
            (3, Some(_)) => Role::OtherConvolution(1),
            (4, Some(_)) => Role::Convolution,
            (5, Some(_)) => Role::OtherConvolution(3),
            (1, Some(_)) => Role::Norm,
            _ if name.ends_with(".running_mean") || name.ends_with(".running_var") => Role::Norm,
            _ if name.ends_with(".num_batches_tracked") => Role::Norm,
            (1, None) if name.ends_with("bias") => Role::Bias,
            _ if is_embedding(name) => Role::Embedding,
            _ => Role::Other,
        };
        roles.insert(name.as_str(), role);
    }
    // An output layer tied to the embedding is that embedding.
    let embeddings: Vec<&RawTensor<'_>> =
        roles.iter().filter(|(_, role)| **role == Role::Embedding).map(|(name, _)| &parameters[*name].value).collect();
    for (name, role) in roles.iter_mut().filter(|(_, role)| **role == Role::Linear) {
        let own = &parameters[*name].value;
        if embeddings
            .iter()
            .any(|one| one.shape() == own.shape() && one.dtype() == own.dtype() && one.data() == own.data())
        {
            *role = Role::Embedding;
        }
    }
    // The bias of a norm goes with it.
    let norms: Vec<&str> = roles
        .iter()
        .filter(|(_, role)| **role == Role::Norm)
        .filter_map(|(name, _)| name.strip_suffix(".weight"))
        .collect();
    let biases: Vec<String> = norms.iter().map(|norm| format!("{norm}.bias")).collect();
    for bias in &biases {
        if let Some(role) = roles.get_mut(bias.as_str()) {
            *role = Role::Norm;
        }
    }
    roles
}

/// One layer's numbers.
pub(super) struct Found {
    pub weight: ArrayD<f32>,
    pub bias: Option<Array1<f32>>,
    /// The mask, if there is one.
    pub kept: Option<ArrayD<bool>>,
    pub from_orig: bool,
    pub masked_apart: bool,
    pub rounded: bool,
}

/// Sets what a mask prunes to zero and leaves the bits of everything else.
fn masked(values: &mut ArrayD<f32>, kept: &ArrayD<bool>) {
    Zip::from(values).and(kept).for_each(|value, &kept| {
        if !kept {
            *value = 0.0;
        }
    });
}

/// The values of a parameter with its mask applied where it has still to be.
fn numbers(name: &str, parameter: &Parameter<'_>) -> Result<(ArrayD<f32>, Option<ArrayD<bool>>), Problem> {
    let shown = if parameter.from_orig { format!("{name}_orig") } else { name.to_owned() };
    let mut weight = values::numbers(&shown, &parameter.value)?;
    let Some((mask_name, mask)) = &parameter.mask else { return Ok((weight, None)) };
    let apart = |problem| if parameter.masked_apart { Problem::Masks(Box::new(problem)) } else { problem };
    values::check_shape(mask_name, mask, parameter.shape()).map_err(apart)?;
    let kept = values::mask(mask_name, mask).map_err(apart)?;
    if parameter.from_orig || parameter.masked_apart {
        masked(&mut weight, &kept);
    }
    Ok((weight, Some(kept)))
}

/// Takes a layer's tensor and its bias out of the parameters.
pub(super) fn take(parameters: &mut ParametersOf<'_>, tensor: &str, transposed: bool) -> Result<Found, Problem> {
    let Some(parameter) = parameters.remove(tensor) else { return Err(Problem::tensor(tensor, "is missing")) };
    if parameter.shape().contains(&0) {
        let message = format!("has shape {:?}; a layer needs inputs and outputs, both at least 1", parameter.shape());
        return Err(Problem::tensor(tensor, message));
    }
    let mut rounded = parameter.value.dtype() == Dtype::F64;
    let (mut weight, mut kept) = numbers(tensor, &parameter)?;
    if transposed {
        weight = weight.reversed_axes().as_standard_layout().into_owned();
        kept = kept.map(|kept| kept.reversed_axes().as_standard_layout().into_owned());
    }
    let outputs = weight.shape()[0];
    let layer = tensor.strip_suffix("weight").unwrap_or_default();
    let bias_name = format!("{layer}bias");
    let bias = match parameters.get(&bias_name).filter(|_| layer.ends_with('.')) {
        None => None,
        Some(bias) => {
            rounded |= bias.value.dtype() == Dtype::F64;
            let mut values = bias_of(&bias_name, &bias.value, outputs)?;
            if let Some((mask_name, mask)) = &bias.mask {
                values::check_shape(mask_name, mask, &[outputs])?;
                let kept = values::mask(mask_name, mask)?;
                Zip::from(values.view_mut().into_dyn()).and(&kept).for_each(|value, &kept| {
                    if !kept {
                        *value = 0.0;
                    }
                });
            }
            parameters.remove(&bias_name);
            Some(values)
        }
    };
    Ok(Found { weight, bias, kept, from_orig: parameter.from_orig, masked_apart: parameter.masked_apart, rounded })
}

/// A parameter as it is written back: with its mask applied.
pub(super) fn carried(parameter: Parameter<'_>) -> Result<RawTensor<'static>, Problem> {
    let Some((mask_name, mask)) = parameter.mask.as_ref().filter(|_| parameter.from_orig || parameter.masked_apart)
    else {
        return Ok(parameter.value.into_owned());
    };
    values::check_shape(mask_name, mask, parameter.shape())?;
    let kept = values::mask(mask_name, mask)?;
    let size = parameter.value.data().len() / kept.len().max(1);
    let mut data = parameter.value.data().to_vec();
    for (bytes, kept) in data.chunks_exact_mut(size.max(1)).zip(&kept) {
        if !kept {
            bytes.fill(0);
        }
    }
    Ok(RawTensor::new(parameter.value.dtype(), parameter.value.shape().to_vec(), data.into()))
}
