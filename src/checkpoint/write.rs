//! Writing: the same checkpoint is always the same bytes.

use std::collections::HashMap;

use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::error::Problem;
use super::metadata::{Header, Metadata};
use super::{Checkpoint, read};
use crate::mask::Mask;
use crate::network::Network;

/// What the parts say about themselves takes the place of what `metadata` say.
pub(super) fn completed(metadata: Metadata, network: &Network, mask: &Mask) -> Metadata {
    Metadata {
        architecture: Some(network.architecture.clone()),
        width: (network.width > 0).then_some(network.width),
        density: Some(mask.density()),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        ..metadata
    }
}

/// The file's bytes: the safetensors crate sorts the tensors by type and name, the JSON has its
/// keys in the order of the struct, and the header's map has one key alone, so that no order is
/// left to chance.
pub(super) fn bytes(checkpoint: &Checkpoint) -> Result<Vec<u8>, Problem> {
    checkpoint.validate()?;
    serialized(checkpoint, true)
}

/// The bytes of a file with the masks alone.
pub(super) fn mask_bytes(checkpoint: &Checkpoint) -> Result<Vec<u8>, Problem> {
    checkpoint.validate()?;
    serialized(checkpoint, false)
}

fn serialized(checkpoint: &Checkpoint, with_weights: bool) -> Result<Vec<u8>, Problem> {
    let Checkpoint { network, parameters, mask, metadata, carried, .. } = checkpoint;
    let wired = network.wiring.as_ref().map(|wiring| &wiring.layers);
    let mut tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
    for (index, (layer, layer_mask)) in parameters.layers.iter().zip(&mask.layers).enumerate() {
        let name = &layer.name;
        let wired = wired.and_then(|layers| layers.get(index));
        let tensor = wired.map_or_else(|| format!("{name}.weight"), |wired| wired.tensor.clone());
        // As its file held it, so that PyTorch loads it strictly.
        let transposed = wired.is_some_and(|wired| wired.transposed);
        let weight = if transposed { layer.weight.t() } else { layer.weight.view() };
        let kept = if transposed { layer_mask.kept.t() } else { layer_mask.kept.view() };
        let shape = weight.shape().to_vec();
        let weights = weight.iter().flat_map(|w| w.to_le_bytes()).collect();
        if with_weights {
            tensors.push((tensor.clone(), Dtype::F32, shape.clone(), weights));
        }
        let kept = kept.iter().map(|&kept| u8::from(kept)).collect();
        tensors.push((read::mask_name(&tensor), Dtype::U8, shape, kept));
        if let Some(bias) = layer.bias.as_ref().filter(|_| with_weights) {
            let values = bias.iter().flat_map(|b| b.to_le_bytes()).collect();
            let stem = tensor.strip_suffix("weight").map_or_else(|| format!("{name}."), str::to_owned);
            tensors.push((format!("{stem}bias"), Dtype::F32, vec![bias.len()], values));
        }
    }
    let mut names: Vec<String> = Vec::new();
    for one in carried.iter().filter(|_| with_weights) {
        let (dtype, shape, data) = one.parts();
        tensors.push((one.name().to_owned(), dtype, shape.to_vec(), data.to_vec()));
        names.push(one.name().to_owned());
    }
    let format = |error: safetensors::SafeTensorError| Problem::Format(read::one_line(error));
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, data)| Ok((name.as_str(), TensorView::new(*dtype, shape.clone(), data)?)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(format)?;
    let header =
        Header { metadata: completed(metadata.clone(), network, mask), network: network.clone(), carried: names };
    let json = serde_json::to_string(&header).map_err(|error| Problem::Metadata(read::one_line(error)))?;
    safetensors::serialize(views, Some(HashMap::from([(read::KEY.to_owned(), json)]))).map_err(format)
}
