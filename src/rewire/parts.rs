//! The parts of a layer that a chain rewires apart from each other: the whole layer, or with
//! `keep_taps` each place (kh, kw) of a convolution's kernel.

use ndarray::{ArrayD, Zip};

use super::bits::BitMatrix;
use super::{NullModel, RewireError, SwapOptions};
use crate::mask::{LayerMask, Mask};
use crate::network::Parameters;

/// The mask of a layer, and of a signed null model the negative ones of its kept weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) kept: BitMatrix,
    pub(super) negative: Option<BitMatrix>,
}

/// What one chain rewires.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) start: State,
    /// Under [`NullModel::JointDegrees`] rows of one number are of one class, and columns.
    pub(super) row_classes: Vec<usize>,
    pub(super) column_classes: Vec<usize>,
}

/// In how many parts chains cut `layer`: one, or one for each place of a convolution's kernel.
pub(super) fn parts_of(layer: &LayerMask, null: NullModel, options: &SwapOptions) -> usize {
    let shape = layer.kept.shape();
    if options.keeps_taps() && null.uses_swaps() && shape.len() > 2 { shape[2..].iter().product() } else { 1 }
}

/// The states of all layers, with signs where `null` keeps them.
pub(super) fn states(mask: &Mask, signs: Option<&Parameters>, null: NullModel) -> Result<Vec<State>, RewireError> {
    if let Some(signs) = signs.filter(|_| null.keeps_signs()) {
        mask.verify(signs)?;
    }
    let weights = |layer: usize| signs.and_then(|signs| signs.layers.get(layer)).map(|layer| &layer.weight);
    mask.layers.iter().enumerate().map(|(at, layer)| state_of(layer, weights(at), null)).collect()
}

/// The state of a layer, with the signs of `weights` where `null` keeps them.
pub(super) fn state_of(
    layer: &LayerMask,
    weights: Option<&ArrayD<f32>>,
    null: NullModel,
) -> Result<State, RewireError> {
    let kept = BitMatrix::of_layer(layer)?;
    if !null.keeps_signs() {
        return Ok(State { kept, negative: None });
    }
    let Some(weights) = weights.filter(|weights| weights.shape() == layer.kept.shape()) else {
        return Err(RewireError::NeedsSigns { null });
    };
    let negative = Zip::from(&layer.kept).and(weights).map_collect(|&kept, w| kept && w.is_sign_negative());
    let negative = BitMatrix::of_layer(&LayerMask { name: layer.name.clone(), kept: negative })?;
    Ok(State { kept, negative: Some(negative) })
}

impl State {
    /// Each part with its classes; `parts` must divide the columns.
    pub(super) fn parts(&self, null: NullModel, parts: usize) -> Vec<Part> {
        let rows = self.kept.row_sums();
        let negatives = self.negative.as_ref().map(|negative| cut(negative, parts));
        cut(&self.kept, parts)
            .into_iter()
            .enumerate()
            .map(|(at, kept)| {
                let negative = negatives.as_ref().map(|negatives| negatives[at].clone());
                let (row_classes, column_classes) = if null == NullModel::JointDegrees {
                    // The degrees in the layer and in the part.
                    let base = kept.columns + 1;
                    let classes = rows.iter().zip(kept.row_sums()).map(|(&layer, part)| layer * base + part).collect();
                    (classes, kept.column_sums())
                } else {
                    (Vec::new(), Vec::new())
                };
                Part { start: Self { kept, negative }, row_classes, column_classes }
            })
            .collect()
    }

    /// The layer of these parts.
    pub(super) fn join(mut parts: Vec<Self>) -> Self {
        if parts.len() == 1 {
            return parts.remove(0);
        }
        let kept = join(parts.iter().map(|part| &part.kept));
        let negatives: Option<Vec<&BitMatrix>> = parts.iter().map(|part| part.negative.as_ref()).collect();
        let negative = negatives.filter(|all| !all.is_empty()).map(|negatives| join(negatives.into_iter()));
        Self { kept, negative }
    }
}

/// Column `input * parts + part` to column `input` of that part.
fn cut(whole: &BitMatrix, parts: usize) -> Vec<BitMatrix> {
    if parts == 1 {
        return vec![whole.clone()];
    }
    let mut cut = vec![BitMatrix::empty(whole.rows, whole.columns / parts.max(1)); parts];
    whole.for_each(|row, column| {
        cut[column % parts].insert(row, column / parts);
    });
    cut
}

fn join<'a>(parts: impl Iterator<Item = &'a BitMatrix> + Clone) -> BitMatrix {
    let count = parts.clone().count();
    let (rows, columns) = parts.clone().next().map_or((0, 0), |part| (part.rows, part.columns * count));
    let mut whole = BitMatrix::empty(rows, columns);
    for (at, part) in parts.enumerate() {
        part.for_each(|row, column| {
            whole.insert(row, column * count + at);
        });
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seeds;

    #[test]
    fn parts_are_the_places_of_the_kernel() {
        let mut stream = Seeds::new(0, 0).stream("test");
        let kept = ndarray::ArrayD::from_shape_simple_fn(ndarray::IxDyn(&[5, 4, 2, 3]), || stream.below(2) == 0);
        let layer = LayerMask { name: "conv".into(), kept };
        let options = SwapOptions::default().keeping_taps(true);
        assert_eq!(parts_of(&layer, NullModel::Degrees, &options), 6);
        assert_eq!(parts_of(&layer, NullModel::Degrees, &SwapOptions::default()), 1);
        assert_eq!(parts_of(&layer, NullModel::InDegrees, &options), 1);
        let state = State { kept: BitMatrix::of_layer(&layer).unwrap(), negative: None };
        let parts = state.parts(NullModel::JointDegrees, 6);
        for (place, part) in parts.iter().enumerate() {
            for filter in 0..5 {
                for input in 0..4 {
                    let expected = layer.kept[[filter, input, place / 3, place % 3]];
                    assert_eq!(part.start.kept.holds(filter, input), expected);
                }
            }
        }
        assert_eq!(State::join(parts.into_iter().map(|part| part.start).collect()), state);
    }
}
