//! One random mask of a null model, for itself.

use super::{MixingRow, NullModel, RewireError, Sample, Sampler, SwapOptions};
use crate::mask::Mask;
use crate::network::Parameters;
use crate::seed::Seeds;

/// Sample number `number` of `null` from `mask`, with the surviving weights of `parameters`: [`Sampler::draw`] of
/// a [`Sampler`] for this sample alone, which for several samples of one mask repeats what they share.
///
/// # Errors
/// As [`Sampler::new`] and [`Sampler::draw`].
///
/// ```
/// use prunephase::mask::Mask;
/// use prunephase::network::{Architecture, FeatureShape, Parameters};
/// use prunephase::rewire::{self, NullModel, SwapOptions};
/// use prunephase::seed::Seeds;
///
/// let network = Architecture::built_in("fc4")?.network(8, FeatureShape::image(1, 8, 8), 10)?;
/// let mut parameters = Parameters::initialise(&network, &mut Seeds::new(1, 0).stream("initialisation"));
/// let mut mask = Mask::dense(&network);
/// let mut stream = Seeds::new(1, 0).stream("prune");
/// for layer in &mut mask.layers {
///     layer.kept.mapv_inplace(|_| stream.below(4) == 0);
/// }
/// mask.apply(&mut parameters)?;
/// let seeds = Seeds::new(7, 0);
/// let drawn = rewire::draw(&parameters, &mask, NullModel::SignedDegrees, &seeds, 0, &SwapOptions::default())?;
/// assert_eq!(drawn.mask.kept(), mask.kept());
/// let positive = |parameters: &Parameters, unit: usize| {
///     parameters.layers[0].weight.index_axis(ndarray::Axis(0), unit).iter().filter(|w| **w > 0.0).count()
/// };
/// assert_eq!(positive(&drawn.parameters, 3), positive(&parameters, 3));
/// # Ok::<(), prunephase::Error>(())
/// ```
pub fn draw(
    parameters: &Parameters,
    mask: &Mask,
    null: NullModel,
    seeds: &Seeds,
    number: usize,
    options: &SwapOptions,
) -> Result<Sample, RewireError> {
    Sampler::new(parameters, mask, null, options)?.draw(seeds, number)
}

/// The mask of [`draw`] alone, with the rows of its chains, for null models that need no weights.
///
/// # Errors
/// [`RewireError::NeedsSigns`] where `null` keeps signs; and as [`draw`].
///
/// ```
/// use prunephase::mask::Mask;
/// use prunephase::network::{Architecture, FeatureShape};
/// use prunephase::rewire::{self, NullModel, SwapOptions};
/// use prunephase::seed::Seeds;
///
/// let network = Architecture::built_in("fc4")?.network(8, FeatureShape::image(1, 8, 8), 10)?;
/// let mut mask = Mask::dense(&network);
/// let mut stream = Seeds::new(1, 0).stream("prune");
/// for layer in &mut mask.layers {
///     layer.kept.mapv_inplace(|_| stream.below(10) == 0);
/// }
/// let (sampled, mixing) =
///     rewire::sample(&mask, NullModel::Degrees, &Seeds::new(7, 0), 0, &SwapOptions::default())?;
/// assert_eq!(sampled.kept(), mask.kept());
/// assert!(sampled.jaccard(&mask) < 0.2);
/// assert_eq!(mixing[0].overlap, Some(1.0));
/// # Ok::<(), prunephase::Error>(())
/// ```
pub fn sample(
    mask: &Mask,
    null: NullModel,
    seeds: &Seeds,
    sample: usize,
    options: &SwapOptions,
) -> Result<(Mask, Vec<MixingRow>), RewireError> {
    Sampler::of_masks(mask, null, options)?.sample(seeds, sample)
}
