//! One random mask of a null model.

use rayon::prelude::*;

use super::bits::BitMatrix;
use super::chain::{LayerChain, purpose};
use super::direct::{choose, same_columns, same_count, same_rows};
use super::freedom::freedom_of;
use super::mixing::MixingRow;
use super::options::SwapOptions;
use super::parts::{State, parts_of, states};
use super::statistics::{Statistics, overlap_at_random, sign_overlap_at_random};
use super::weights::placed;
use super::{NullModel, RewireError};
use crate::mask::{LayerMask, Mask};
use crate::network::Parameters;
use crate::seed::{Seeds, Stream};

/// A random mask of a null model, with weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The mask.
    pub mask: Mask,
    /// The surviving weights on its kept places; under a null model that keeps signs, a place's sign
    /// is that of its weight. Biases as they were.
    pub parameters: Parameters,
    /// What the chains did on the way: rows in the order of the layers, and within a layer from the
    /// start to the sample.
    pub mixing: Vec<MixingRow>,
}

/// Draws sample number `number` of `null` from `mask` and puts the surviving weights of `parameters`
/// on it, as [`super::kept_weights`] does: each layer's values permuted uniformly by the stream
/// `rewire, NULL, sample K, weights, layer NAME`; where `null` keeps signs, the positive and the
/// negative values each among themselves (a kept weight of 0 has the sign that its bits have).
///
/// The sample depends on the arguments alone. Layers are drawn in parallel on rayon's current pool.
/// O(weights), and O(proposals) under null models with a chain.
///
/// # Errors
/// [`RewireError::Mask`] where `parameters` do not fit `mask`; [`RewireError::NoShape`] where a layer
/// has no dimensions; [`RewireError::TooLarge`] where one has more than 2^32 - 1 rows, columns or (under
/// a null model with a chain) edges.
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
    mask.verify(parameters)?;
    let (sampled, negative, mixing) = drawn(mask, Some(parameters), null, seeds, number, options)?;
    let parameters = placed(parameters, mask, &sampled, negative.as_ref(), null, seeds, number)?;
    Ok(Sample { mask: sampled, parameters, mixing })
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
    let (sampled, _, rows) = drawn(mask, None, null, seeds, sample, options)?;
    Ok((sampled, rows))
}

/// The mask, the negative edges where `null` keeps signs, and the rows.
fn drawn(
    mask: &Mask,
    signs: Option<&Parameters>,
    null: NullModel,
    seeds: &Seeds,
    sample: usize,
    options: &SwapOptions,
) -> Result<(Mask, Option<Mask>, Vec<MixingRow>), RewireError> {
    let starts = states(mask, signs, null)?;
    let free = freedom_of(mask, &starts, null, options);
    let (kept, cells) =
        starts.iter().fold((0, 0), |(kept, cells), start| (kept + start.kept.count(), cells + start.kept.cells()));
    let density = kept as f64 / cells.max(1) as f64;
    let kind = options.chain(null);
    let name = purpose(null, kind);
    let whole = match null {
        NullModel::Edges => {
            Some(same_count_of_all(&starts, &mut seeds.stream(&format!("rewire, {null}, sample {sample}"))))
        }
        _ => None,
    };
    let drawn = mask
        .layers
        .par_iter()
        .zip(&starts)
        .zip(&free)
        .enumerate()
        .map(|(index, ((layer, start), free))| {
            let stream =
                |part: &str| seeds.stream(&format!("rewire, {name}, sample {sample}, layer {}{part}", layer.name));
            let parts = parts_of(layer, null, options);
            let of_parts = start.parts(null, parts);
            let mut rows = Rows {
                sample,
                layer,
                statistics: Statistics::new(start, null),
                forced: (free.edges > 0).then(|| free.forced as f64 / free.edges as f64),
                chance: overlap_at_random(&start.kept, &of_parts, null, density),
                sign_chance: sign_overlap_at_random(start, &of_parts),
                rows: vec![],
            };
            drop(of_parts);
            rows.push(start, Some(0.0), 0, 0);
            let kept = |kept| State { kept, negative: None };
            let state = match null {
                NullModel::Edges => whole.as_ref().map_or_else(|| start.clone(), |whole| kept(whole[index].clone())),
                NullModel::LayerDensity => kept(same_count(&start.kept, &mut stream(""))),
                NullModel::InDegrees => kept(same_rows(&start.kept, &mut stream(""))),
                NullModel::OutDegrees => kept(same_columns(&start.kept, &mut stream(""))),
                NullModel::Degrees | NullModel::SignedDegrees | NullModel::JointDegrees => {
                    let mut chain = LayerChain::new(&layer.name, start, null, (parts, kind), stream)?;
                    let mut state = start.clone();
                    for at in options.checkpoints() {
                        let at = chain.advance(at);
                        state = chain.state();
                        rows.push(&state, Some(at), chain.proposals(), chain.accepted());
                    }
                    state
                }
            };
            if !null.uses_swaps() {
                rows.push(&state, None, 0, 0);
            }
            let negative = state.negative.as_ref().map(|negative| negative.to_layer(layer));
            Ok((state.kept.to_layer(layer), negative, rows.rows))
        })
        .collect::<Result<Vec<_>, RewireError>>()?;
    let mut mask = Mask::default();
    let (mut negatives, mut rows) = (Vec::new(), Vec::new());
    for (layer, negative, of_layer) in drawn {
        mask.layers.push(layer);
        negatives.extend(negative);
        rows.extend(of_layer);
    }
    Ok((mask, null.keeps_signs().then_some(Mask { layers: negatives }), rows))
}

/// As many cells as all of `starts` have, anywhere in them.
fn same_count_of_all(starts: &[State], stream: &mut Stream) -> Vec<BitMatrix> {
    let mut drawn: Vec<BitMatrix> =
        starts.iter().map(|start| BitMatrix::empty(start.kept.rows, start.kept.columns)).collect();
    // The flat index of the first cell of each layer.
    let mut first = Vec::with_capacity(starts.len());
    let mut cells = 0;
    for start in starts {
        first.push(cells);
        cells += start.kept.cells();
    }
    let kept = starts.iter().map(|start| start.kept.count()).sum();
    choose(stream, cells, kept, |cell| {
        // Layers without cells share their first index with the next one, which comes last.
        let layer = first.partition_point(|&index| index <= cell) - 1;
        let (within, columns) = (cell - first[layer], starts[layer].kept.columns);
        drawn[layer].insert(within / columns, within % columns)
    });
    drawn
}

/// The rows of one layer.
struct Rows<'a> {
    sample: usize,
    layer: &'a LayerMask,
    statistics: Statistics<'a>,
    forced: Option<f64>,
    chance: Option<f64>,
    sign_chance: Option<f64>,
    rows: Vec<MixingRow>,
}

impl Rows<'_> {
    fn push(&mut self, state: &State, proposals_per_edge: Option<f64>, proposals: u64, accepted: u64) {
        let seen = self.statistics.of(state);
        self.rows.push(MixingRow {
            sample: self.sample,
            layer: self.layer.name.clone(),
            proposals_per_edge,
            proposals,
            accepted,
            overlap: seen.overlap,
            overlap_random: self.chance,
            assortativity: seen.assortativity,
            place_correlation: seen.place_correlation,
            sign_overlap: seen.sign_overlap,
            sign_overlap_random: self.sign_chance,
            forced: self.forced,
            tau_overlap: None,
            tau_assortativity: None,
            tau_place_correlation: None,
        });
    }
}
