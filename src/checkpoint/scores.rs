//! Scores of the kept weights, from a file of their own.

use std::path::Path;

use super::container::Loaded;
use super::{CheckpointError, Problem, select, values};
use crate::mask::Mask;

/// Reads one score a kept weight, by layer, then by flat index, from a safetensors file, a file of torch.save or a folder of .npy: for each
/// layer the tensor `NAME.score`, or else `NAME.weight`, of the shape of the layer's weights. Scores
/// of pruned weights are not looked at; other tensors are ignored.
///
/// # Errors
/// [`CheckpointError::File`] where the file cannot be read, [`CheckpointError::In`] where it is none of
/// these, or a layer's scores are missing, of another shape or not finite numbers.
pub fn read_scores(path: &Path, mask: &Mask) -> Result<Vec<f32>, CheckpointError> {
    parse(&Loaded::read(path)?, mask).map_err(CheckpointError::at(path))
}

fn parse(loaded: &Loaded, mask: &Mask) -> Result<Vec<f32>, Problem> {
    let tensors = select::select(loaded.parse()?, None, loaded.len())?.tensors;
    let mut scores = Vec::with_capacity(mask.kept());
    for layer in &mask.layers {
        let names = [format!("{}.score", layer.name), format!("{}.weight", layer.name)];
        let Some((name, view)) = names.iter().find_map(|name| Some((name, tensors.get(name)?))) else {
            return Err(Problem::tensor(&names[0], format!("is missing, and so is `{}`; one is needed", names[1])));
        };
        values::check_shape(name, view, layer.kept.shape())?;
        let all = values::numbers(name, view)?;
        scores.extend(all.iter().zip(&layer.kept).filter(|(_, kept)| **kept).map(|(&score, _)| score));
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ndarray::ArrayD;
    use safetensors::tensor::{Dtype, TensorView, serialize};

    use super::*;
    use crate::mask::LayerMask;

    fn mask() -> Mask {
        let kept = |shape: &[usize], kept: Vec<bool>| ArrayD::from_shape_vec(shape, kept).unwrap();
        Mask {
            layers: vec![
                LayerMask { name: "a".into(), kept: kept(&[2, 2], vec![true, false, true, true]) },
                LayerMask { name: "b".into(), kept: kept(&[1, 2], vec![false, true]) },
            ],
        }
    }

    fn file(tensors: &[(&str, &[usize], &[f32])]) -> Vec<u8> {
        let bytes: Vec<Vec<u8>> = tensors
            .iter()
            .map(|(_, _, values)| values.iter().flat_map(|value| value.to_le_bytes()).collect())
            .collect();
        let views: BTreeMap<String, TensorView<'_>> = tensors
            .iter()
            .zip(&bytes)
            .map(|((name, shape, _), bytes)| {
                ((*name).to_owned(), TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap())
            })
            .collect();
        serialize(views, None).unwrap()
    }

    #[test]
    fn scores_of_kept_weights_in_their_order() {
        let bytes = file(&[
            ("a.score", &[2, 2], &[4.0, 9.0, -2.0, 1.0]),
            ("a.weight", &[2, 2], &[0.0; 4]),
            ("b.weight", &[1, 2], &[7.0, 3.0]),
            ("other", &[1], &[f32::NAN]),
        ]);
        assert_eq!(parse(&Loaded::File(bytes), &mask()).unwrap(), [4.0, -2.0, 1.0, 3.0]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |tensors: &[(&str, &[usize], &[f32])]| {
            parse(&Loaded::File(file(tensors)), &mask()).unwrap_err().to_string()
        };
        assert_eq!(
            wrong(&[("a.score", &[2, 2], &[1.0; 4])]),
            "tensor `b.score` is missing, and so is `b.weight`; one is needed"
        );
        assert!(wrong(&[("a.score", &[4], &[1.0; 4])]).starts_with("tensor `a.score` has shape [4]"));
        assert!(wrong(&[("a.score", &[2, 2], &[1.0, 1.0, f32::NAN, 1.0])]).contains("NaN at flat index 2"));
        assert!(parse(&Loaded::File(b"no".to_vec()), &mask()).is_err());
    }
}
