//! How far the kept weights have moved since initialisation.

use crate::mask::Mask;
use crate::network::Parameters;

/// Changes of the weights from initialisation w_0 to level t, all on the weights kept at t.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evolution {
    /// ||w_t - w_0||, Euclidean.
    pub distance: f64,
    /// w_t . w_0 / (||w_t|| ||w_0||); 0 where either vanishes.
    pub cosine: f64,
    /// Share of kept weights whose sign is not that of w_0.
    pub sign_flips: f64,
    /// Jaccard overlap of this mask with that of the level before; 1 at level 0.
    pub mask_overlap: f64,
}

impl Evolution {
    /// The change from `initial` to `now` on the weights that `mask` keeps. O(weights).
    pub fn between(initial: &Parameters, now: &Parameters, mask: &Mask, previous: &Mask) -> Self {
        let (mut square, mut dot, mut norm_now, mut norm_initial) = (0.0, 0.0, 0.0, 0.0);
        let (mut flips, mut kept) = (0usize, 0usize);
        for ((mask, now), initial) in mask.layers.iter().zip(&now.layers).zip(&initial.layers) {
            for ((&is_kept, &w), &w0) in mask.kept.iter().zip(&now.weight).zip(&initial.weight) {
                if is_kept {
                    let (w, w0) = (f64::from(w), f64::from(w0));
                    square += (w - w0) * (w - w0);
                    dot += w * w0;
                    norm_now += w * w;
                    norm_initial += w0 * w0;
                    flips += usize::from((w < 0.0) != (w0 < 0.0));
                    kept += 1;
                }
            }
        }
        let norms = (norm_now * norm_initial).sqrt();
        Self {
            distance: square.sqrt(),
            cosine: if norms > 0.0 { dot / norms } else { 0.0 },
            sign_flips: if kept > 0 { flips as f64 / kept as f64 } else { 0.0 },
            mask_overlap: mask.jaccard(previous),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::LayerParameters;
    use ndarray::array;

    fn one_layer(weights: [f32; 4]) -> Parameters {
        let weight = array![[weights[0], weights[1]], [weights[2], weights[3]]].into_dyn();
        Parameters { layers: vec![LayerParameters { name: "a".into(), weight, bias: None }] }
    }

    #[test]
    fn only_kept_weights_count() {
        let initial = one_layer([1.0, -1.0, 2.0, 5.0]);
        let now = one_layer([1.0, 1.0, 2.0, 0.0]);
        let previous = Mask::of_nonzero(&initial);
        let mask = Mask::of_nonzero(&now);
        let evolution = Evolution::between(&initial, &now, &mask, &previous);
        assert_eq!(evolution.distance, 2.0);
        assert!((evolution.cosine - 4.0 / 6.0).abs() < 1e-15);
        assert_eq!(evolution.sign_flips, 1.0 / 3.0);
        assert_eq!(evolution.mask_overlap, 0.75);
    }
}
