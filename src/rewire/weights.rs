//! The surviving weights on a sampled mask.

use super::{NullModel, RewireError};
use crate::mask::{Mask, MaskError};
use crate::network::Parameters;
use crate::seed::Seeds;

/// The surviving weights of `parameters` under `mask`, on the kept places of `sampled`, a sample of
/// `null`: each layer's values permuted uniformly by the stream `rewire, NULL, sample K, weights,
/// layer NAME`. Under [`NullModel::Edges`], which moves weights between layers, the values of the
/// whole network are permuted together. Pruned weights are 0, biases stay as they are.
/// O(weights).
///
/// # Errors
/// [`RewireError::NeedsSigns`] where `null` keeps signs, which [`super::draw`] knows and a mask does not;
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
    if null.keeps_signs() {
        return Err(RewireError::NeedsSigns { null });
    }
    mask.verify(parameters)?;
    placed(parameters, mask, sampled, None, null, seeds, sample)
}

/// [`kept_weights`]; with `negative`, the negative ones of the kept places of `sampled`, each place
/// takes a value of its sign.
pub(super) fn placed(
    parameters: &Parameters,
    mask: &Mask,
    sampled: &Mask,
    negative: Option<&Mask>,
    null: NullModel,
    seeds: &Seeds,
    sample: usize,
) -> Result<Parameters, RewireError> {
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
        // In the order of the flat index, whatever the layout in memory.
        let cells = layer.weight.iter_mut().zip(&places.kept);
        if let Some(negative) = negative {
            let (below, above): (Vec<f32>, Vec<f32>) = values.into_iter().partition(|w| w.is_sign_negative());
            let negative = &negative.layers[index].kept;
            same(&layer.name, below.len(), negative.iter().filter(|negative| **negative).count())?;
            let (mut below, mut above) = (below.into_iter(), above.into_iter());
            for ((weight, &kept), &negative) in cells.zip(negative) {
                let next = if negative {
                    below.next()
                } else if kept {
                    above.next()
                } else {
                    None
                };
                *weight = next.unwrap_or_default();
            }
        } else {
            let mut values = values.into_iter();
            for (weight, &kept) in cells {
                *weight = if kept { values.next().unwrap_or_default() } else { 0.0 };
            }
        }
    }
    Ok(rewired)
}

/// Gives each weight of `parameters` the sign of that of `signs` and keeps its magnitude: how rewound and
/// fresh weights are put on a sample of a null model that keeps signs. O(weights).
///
/// # Errors
/// [`RewireError::Mask`] where the shapes differ.
///
/// ```
/// use prunephase::network::{Architecture, FeatureShape, Parameters};
/// use prunephase::{rewire, seed::Seeds};
/// let network = Architecture::built_in("fc4")?.network(1, FeatureShape::image(1, 8, 8), 10)?;
/// let [initial, sample] =
///     [0, 1].map(|seed| Parameters::initialise(&network, &mut Seeds::new(seed, 0).stream("initialisation")));
/// let start = rewire::with_signs_of(&initial, &sample)?;
/// for (weight, (w0, sign)) in start.layers[0].weight.iter().zip(initial.layers[0].weight.iter().zip(&sample.layers[0].weight)) {
///     assert_eq!(*weight, w0.abs().copysign(*sign));
/// }
/// # Ok::<(), prunephase::Error>(())
/// ```
pub fn with_signs_of(parameters: &Parameters, signs: &Parameters) -> Result<Parameters, RewireError> {
    let mut signed = parameters.clone();
    let missing = |layer: &str, found: Vec<usize>, expected: &[usize]| MaskError::Shape {
        layer: layer.to_owned(),
        found,
        expected: expected.to_vec(),
    };
    for (index, layer) in signed.layers.iter_mut().enumerate() {
        let found = signs.layers.get(index).map_or(Vec::new(), |signs| signs.weight.shape().to_vec());
        if found != layer.weight.shape() {
            return Err(missing(&layer.name, found, layer.weight.shape()).into());
        }
        ndarray::Zip::from(&mut layer.weight)
            .and(&signs.layers[index].weight)
            .for_each(|weight, sign| *weight = weight.abs().copysign(*sign));
    }
    Ok(signed)
}
