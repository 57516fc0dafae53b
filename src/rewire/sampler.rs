//! Random masks of a null model, one after the other from the same mask.

use rayon::prelude::*;

use super::bits::BitMatrix;
use super::chain::{LayerChain, purpose};
use super::direct::{choose, same_columns, same_count, same_rows};
use super::freedom::freedom_of;
use super::mixing::MixingRow;
use super::options::SwapOptions;
use super::parts::{State, parts_of, states};
use super::statistics::{Seen, Statistics, overlap_at_random, sign_overlap_at_random};
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

/// Draws samples of a null model from one mask. What all of them share, such as the overlap with the mask
/// that chance gives, is found once.
///
/// ```
/// use prunephase::mask::Mask;
/// use prunephase::network::{Architecture, FeatureShape, Parameters};
/// use prunephase::rewire::{NullModel, Sampler, SwapOptions, draw};
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
/// let (seeds, options) = (Seeds::new(7, 0), SwapOptions::default());
/// let sampler = Sampler::new(&parameters, &mask, NullModel::Degrees, &options)?;
/// for number in 0..3 {
///     let alone = draw(&parameters, &mask, NullModel::Degrees, &seeds, number, &options)?;
///     assert_eq!(sampler.draw(&seeds, number)?, alone);
/// }
/// # Ok::<(), prunephase::Error>(())
/// ```
#[derive(Debug)]
pub struct Sampler<'a> {
    mask: &'a Mask,
    parameters: Option<&'a Parameters>,
    null: NullModel,
    options: SwapOptions,
    layers: Vec<Start>,
}

/// What all samples of a layer share.
#[derive(Debug)]
struct Start {
    state: State,
    /// Measures states drawn from it.
    statistics: Statistics,
    /// What is measured of it.
    seen: Seen,
    /// The share of edges that every realisation has.
    forced: Option<f64>,
    chance: Option<f64>,
    sign_chance: Option<f64>,
}

impl<'a> Sampler<'a> {
    /// Samples of `null` from `mask` with the surviving weights of `parameters`. O(weights), and for
    /// [`NullModel::Degrees`] and [`NullModel::SignedDegrees`] up to 200 times the product of the numbers of
    /// different row and column sums, on rayon's current pool.
    ///
    /// # Errors
    /// [`RewireError::Mask`] where `parameters` do not fit `mask`; [`RewireError::NoShape`] where a layer has no
    /// dimensions.
    pub fn new(
        parameters: &'a Parameters,
        mask: &'a Mask,
        null: NullModel,
        options: &SwapOptions,
    ) -> Result<Self, RewireError> {
        mask.verify(parameters)?;
        Self::of(mask, Some(parameters), null, options)
    }

    /// Samples of masks alone.
    pub(super) fn of_masks(mask: &'a Mask, null: NullModel, options: &SwapOptions) -> Result<Self, RewireError> {
        Self::of(mask, None, null, options)
    }

    fn of(
        mask: &'a Mask,
        parameters: Option<&'a Parameters>,
        null: NullModel,
        options: &SwapOptions,
    ) -> Result<Self, RewireError> {
        let states = states(mask, parameters, null)?;
        let free = freedom_of(mask, &states, null, options);
        let (kept, cells) =
            states.iter().fold((0, 0), |(kept, cells), start| (kept + start.kept.count(), cells + start.kept.cells()));
        let density = kept as f64 / cells.max(1) as f64;
        let layers = mask
            .layers
            .par_iter()
            .zip(states)
            .zip(free)
            .map(|((layer, state), free)| {
                let parts = state.parts(null, parts_of(layer, null, options));
                let statistics = Statistics::new(&state, null);
                Start {
                    forced: (free.edges > 0).then(|| free.forced as f64 / free.edges as f64),
                    chance: overlap_at_random(&state.kept, &parts, null, density),
                    sign_chance: sign_overlap_at_random(&state, &parts),
                    seen: statistics.of(&state, &state),
                    statistics,
                    state,
                }
            })
            .collect();
        Ok(Self { mask, parameters, null, options: *options, layers })
    }

    /// Draws sample number `number` of the null model and puts the surviving weights of the parameters
    /// on it, as [`super::kept_weights`] does: each layer's values permuted uniformly by the stream
    /// `rewire, NULL, sample K, weights, layer NAME`; where `null` keeps signs, the positive and the
    /// negative values each among themselves (a kept weight of 0 has the sign that its bits have).
    ///
    /// The sample depends on the arguments alone. Layers are drawn in parallel on rayon's current pool.
    /// O(weights), and O(proposals) under null models with a chain.
    ///
    /// # Errors
    /// [`RewireError::TooLarge`] where a layer has more than 2^32 - 1 rows, columns or (under a null model with a
    /// chain) edges.
    pub fn draw(&self, seeds: &Seeds, number: usize) -> Result<Sample, RewireError> {
        // Only `sample` makes a sampler without, and draws no weights.
        let Some(parameters) = self.parameters else { return Err(RewireError::NeedsSigns { null: self.null }) };
        let (sampled, negative, mixing) = self.drawn(seeds, number)?;
        let parameters = placed(parameters, self.mask, &sampled, negative.as_ref(), self.null, seeds, number)?;
        Ok(Sample { mask: sampled, parameters, mixing })
    }

    /// The mask of [`Self::draw`] alone, and the rows of its chains.
    ///
    /// # Errors
    /// [`RewireError::TooLarge`].
    pub fn sample(&self, seeds: &Seeds, number: usize) -> Result<(Mask, Vec<MixingRow>), RewireError> {
        let (sampled, _, rows) = self.drawn(seeds, number)?;
        Ok((sampled, rows))
    }

    /// The mask, the negative edges where the null model keeps signs, and the rows.
    fn drawn(&self, seeds: &Seeds, sample: usize) -> Result<(Mask, Option<Mask>, Vec<MixingRow>), RewireError> {
        let Self { mask, null, options, .. } = self;
        let null = *null;
        let kind = options.chain(null);
        let name = purpose(null, kind);
        let whole = match null {
            NullModel::Edges => {
                Some(same_count_of_all(&self.layers, &mut seeds.stream(&format!("rewire, {null}, sample {sample}"))))
            }
            _ => None,
        };
        let drawn = mask
            .layers
            .par_iter()
            .zip(&self.layers)
            .enumerate()
            .map(|(index, (layer, shared))| {
                let start = &shared.state;
                let stream =
                    |part: &str| seeds.stream(&format!("rewire, {name}, sample {sample}, layer {}{part}", layer.name));
                let parts = parts_of(layer, null, options);
                let mut rows = Rows { sample, layer, shared, rows: vec![] };
                let statistics = &shared.statistics;
                rows.push(&shared.seen, Some(0.0), 0, 0);
                let kept = |kept| State { kept, negative: None };
                let state = match null {
                    NullModel::Edges => {
                        whole.as_ref().map_or_else(|| start.clone(), |whole| kept(whole[index].clone()))
                    }
                    NullModel::LayerDensity => kept(same_count(&start.kept, &mut stream(""))),
                    NullModel::InDegrees => kept(same_rows(&start.kept, &mut stream(""))),
                    NullModel::OutDegrees => kept(same_columns(&start.kept, &mut stream(""))),
                    NullModel::Degrees | NullModel::SignedDegrees | NullModel::JointDegrees => {
                        let mut chain = LayerChain::new(&layer.name, start, null, (parts, kind), stream)?;
                        let mut state = start.clone();
                        for at in options.checkpoints() {
                            let at = chain.advance(at);
                            state = chain.state();
                            rows.push(&statistics.of(start, &state), Some(at), chain.proposals(), chain.accepted());
                        }
                        state
                    }
                };
                if !null.uses_swaps() {
                    rows.push(&statistics.of(start, &state), None, 0, 0);
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
}

/// As many cells as all of `starts` have, anywhere in them.
fn same_count_of_all(starts: &[Start], stream: &mut Stream) -> Vec<BitMatrix> {
    let mut drawn: Vec<BitMatrix> =
        starts.iter().map(|start| BitMatrix::empty(start.state.kept.rows, start.state.kept.columns)).collect();
    // The flat index of the first cell of each layer.
    let mut first = Vec::with_capacity(starts.len());
    let mut cells = 0;
    for start in starts {
        first.push(cells);
        cells += start.state.kept.cells();
    }
    let kept = starts.iter().map(|start| start.state.kept.count()).sum();
    choose(stream, cells, kept, |cell| {
        // Layers without cells share their first index with the next one, which comes last.
        let layer = first.partition_point(|&index| index <= cell) - 1;
        let (within, columns) = (cell - first[layer], starts[layer].state.kept.columns);
        drawn[layer].insert(within / columns, within % columns)
    });
    drawn
}

/// The rows of one layer.
struct Rows<'a> {
    sample: usize,
    layer: &'a LayerMask,
    shared: &'a Start,
    rows: Vec<MixingRow>,
}

impl Rows<'_> {
    fn push(&mut self, seen: &Seen, proposals_per_edge: Option<f64>, proposals: u64, accepted: u64) {
        self.rows.push(MixingRow {
            sample: self.sample,
            layer: self.layer.name.clone(),
            proposals_per_edge,
            proposals,
            accepted,
            overlap: seen.overlap,
            overlap_random: self.shared.chance,
            assortativity: seen.assortativity,
            place_correlation: seen.place_correlation,
            sign_overlap: seen.sign_overlap,
            sign_overlap_random: self.shared.sign_chance,
            forced: self.shared.forced,
            tau_overlap: None,
            tau_assortativity: None,
            tau_place_correlation: None,
        });
    }
}
