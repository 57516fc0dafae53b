//! One random mask of a null model.

use rayon::prelude::*;

use super::bits::BitMatrix;
use super::direct::{choose, same_columns, same_count, same_rows};
use super::mixing::MixingRow;
use super::options::SwapOptions;
use super::statistics::{assortativity, overlap, overlap_at_random};
use super::swaps::SwapChain;
use super::{NullModel, RewireError};
use crate::mask::{LayerMask, Mask};
use crate::seed::{Seeds, Stream};

/// Draws sample number `sample` of `null` from `mask`, with what its chains did on the way: rows in
/// the order of the layers, and within a layer from the start to the sample.
///
/// The sample depends on `mask`, `null`, `seeds`, `sample` and `options` alone. Layers are drawn in
/// parallel on rayon's current pool. O(weights), and under [`NullModel::Degrees`] O(proposals)
/// beside.
///
/// # Errors
/// [`RewireError::NoShape`] where a layer has no dimensions, [`RewireError::TooLarge`] where one has
/// more than 2^32 - 1 rows, columns or (under [`NullModel::Degrees`]) edges.
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
    let starts = mask.layers.iter().map(BitMatrix::of_layer).collect::<Result<Vec<_>, _>>()?;
    let density = mask.density().value();
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
        .enumerate()
        .map(|(index, (layer, start))| {
            let stream = || seeds.stream(&format!("rewire, {null}, sample {sample}, layer {}", layer.name));
            let mut rows = Rows { sample, layer, start, chance: overlap_at_random(start, null, density), rows: vec![] };
            rows.push(start, Some(0.0), 0, 0);
            let state = match null {
                NullModel::Edges => whole.as_ref().map_or_else(|| start.clone(), |whole| whole[index].clone()),
                NullModel::LayerDensity => same_count(start, &mut stream()),
                NullModel::InDegrees => same_rows(start, &mut stream()),
                NullModel::OutDegrees => same_columns(start, &mut stream()),
                NullModel::Degrees => swapped(start, &mut stream(), options, &mut rows)?,
            };
            if !null.uses_swaps() {
                rows.push(&state, None, 0, 0);
            }
            Ok((state.to_layer(layer), rows.rows))
        })
        .collect::<Result<Vec<_>, RewireError>>()?;
    let (layers, rows): (Vec<LayerMask>, Vec<Vec<MixingRow>>) = drawn.into_iter().unzip();
    Ok((Mask { layers }, rows.concat()))
}

/// As many cells as all of `starts` have, anywhere in them.
fn same_count_of_all(starts: &[BitMatrix], stream: &mut Stream) -> Vec<BitMatrix> {
    let mut drawn: Vec<BitMatrix> = starts.iter().map(|start| BitMatrix::empty(start.rows, start.columns)).collect();
    // The flat index of the first cell of each layer.
    let mut first = Vec::with_capacity(starts.len());
    let mut cells = 0;
    for start in starts {
        first.push(cells);
        cells += start.cells();
    }
    let kept = starts.iter().map(BitMatrix::count).sum();
    choose(stream, cells, kept, |cell| {
        // Layers without cells share their first index with the next one, which comes last.
        let layer = first.partition_point(|&index| index <= cell) - 1;
        let (within, columns) = (cell - first[layer], starts[layer].columns);
        drawn[layer].insert(within / columns, within % columns)
    });
    drawn
}

/// The state of a chain of double edge swaps after `options`, with a row for each checkpoint.
fn swapped(
    start: &BitMatrix,
    stream: &mut Stream,
    options: &SwapOptions,
    rows: &mut Rows<'_>,
) -> Result<BitMatrix, RewireError> {
    let mut chain = SwapChain::new(&rows.layer.name, start)?;
    let edges = start.count() as f64;
    let (mut proposals, mut accepted) = (0, 0);
    let mut state = start.clone();
    for at in options.checkpoints() {
        let until = (at * edges).round() as u64;
        accepted += chain.propose(until - proposals, stream);
        proposals = until;
        state = chain.state();
        rows.push(&state, Some(at), proposals, accepted);
    }
    Ok(state)
}

/// The rows of one layer.
struct Rows<'a> {
    sample: usize,
    layer: &'a LayerMask,
    start: &'a BitMatrix,
    chance: Option<f64>,
    rows: Vec<MixingRow>,
}

impl Rows<'_> {
    fn push(&mut self, state: &BitMatrix, proposals_per_edge: Option<f64>, proposals: u64, accepted: u64) {
        self.rows.push(MixingRow {
            sample: self.sample,
            layer: self.layer.name.clone(),
            proposals_per_edge,
            proposals,
            accepted,
            overlap: overlap(self.start, state),
            overlap_random: self.chance,
            assortativity: assortativity(state),
        });
    }
}
