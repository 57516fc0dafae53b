//! The surviving weights on a sampled mask.

use super::{NullModel, RewireError};
use crate::mask::Mask;
use crate::network::Parameters;
use crate::seed::Seeds;

/// The surviving weights of `parameters` under `mask`, on the kept places of `sampled`, a sample of
/// `null`: each layer's values permuted uniformly by the stream `rewire, NULL, sample K, weights,
/// layer NAME`. Under [`NullModel::Edges`], which moves weights between layers, the values of the
/// whole network are permuted together. Pruned weights are 0, biases stay as they are.
/// O(weights).
///
/// # Errors
/// [`RewireError::Mask`] where a pruned weight of `parameters` is not zero or where shapes differ;
/// [`RewireError::Count`] where `sampled` keeps another number of weights than `mask`, in a layer or,
/// under [`NullModel::Edges`], altogether.
pub fn kept_weights(
    parameters: &Parameters,
    mask: &Mask,
    sampled: &Mask,
    null: NullModel,
    seeds: &Seeds,
    sample: usize,
) -> Result<Parameters, RewireError> {
    mask.verify(parameters)?;
    let mut rewired = parameters.clone();
    // Also checks the shapes of `sampled`.
    sampled.apply(&mut rewired)?;
    let surviving = |layer: usize| -> Vec<f32> {
        let (kept, weight) = (&mask.layers[layer].kept, &parameters.layers[layer].weight);
        kept.iter().zip(weight).filter(|(kept, _)| **kept).map(|(_, w)| *w).collect()
    };
    let same = |layer: &str, kept: usize, sampled: usize| {
        if kept == sampled { Ok(()) } else { Err(RewireError::Count { layer: layer.to_owned(), kept, sampled }) }
    };
    let mut pool = Vec::new();
    if null == NullModel::Edges {
        same("all layers", mask.kept(), sampled.kept())?;
        pool = (0..mask.layers.len()).flat_map(surviving).collect();
        seeds.stream(&format!("rewire, {null}, sample {sample}, weights")).shuffle(&mut pool);
    }
    let mut pool = pool.into_iter();
    for (index, (places, layer)) in sampled.layers.iter().zip(&mut rewired.layers).enumerate() {
        let count = places.kept_count();
        let values: Vec<f32> = if null == NullModel::Edges {
            pool.by_ref().take(count).collect()
        } else {
            let mut values = surviving(index);
            same(&layer.name, values.len(), count)?;
            let purpose = format!("rewire, {null}, sample {sample}, weights, layer {}", places.name);
            seeds.stream(&purpose).shuffle(&mut values);
            values
        };
        let mut values = values.into_iter();
        // In the order of the flat index, whatever the layout in memory.
        for (weight, &kept) in layer.weight.iter_mut().zip(&places.kept) {
            *weight = if kept { values.next().unwrap_or_default() } else { 0.0 };
        }
    }
    Ok(rewired)
}
