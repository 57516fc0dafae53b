//! How much a null model leaves to draw: edges that are the same in every realisation.

use super::bits::BitMatrix;
use super::parts::{Part, State, parts_of, states};
use super::statistics::{joint, signs as signs_of};
use super::{NullModel, RewireError, SwapOptions};
use crate::mask::Mask;
use crate::network::Parameters;

/// How many edges of a layer every realisation of a null model shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerFreedom {
    /// The layer's name.
    pub layer: String,
    /// Its kept weights.
    pub edges: usize,
    /// Those that every mask of the null model keeps; where it keeps signs, with the same sign.
    pub forced: usize,
}

/// The edges of each layer that are the same in every realisation of `null`. O(weights). `signs` are the
/// weights that `mask` keeps; only null models that keep signs look at them. With
/// [`SwapOptions::keeping_taps`] each place of a kernel counts for itself.
///
/// Under [`NullModel::Degrees`] with row sums r1 >= r2 >= ... and column sums s1 >= s2 >= ..., let
/// t(e, f) = e f + (sum of r_i, i > e) - (sum of s_j, j <= f). It is never negative, and an edge is
/// forced exactly where it lies in the first e rows and f columns of some t(e, f) = 0 (Ryser,
/// Canad. J. Math. 9, 371 (1957), doi:10.4153/CJM-1957-044-3). Under [`NullModel::JointDegrees`] an
/// edge is forced exactly where all cells between its class of rows and its class of columns are kept,
/// since exchanging nodes of a class leads from one realisation to another. Exact for all null models
/// but [`NullModel::SignedDegrees`], where the edges that each sign's degrees force are counted:
/// there may be more.
///
/// # Errors
/// [`RewireError::NoShape`] where a layer has no dimensions; [`RewireError::NeedsSigns`] where `signs`
/// are missing, [`RewireError::Mask`] where they do not fit.
pub fn freedom(
    mask: &Mask,
    signs: Option<&Parameters>,
    null: NullModel,
    options: &SwapOptions,
) -> Result<Vec<LayerFreedom>, RewireError> {
    Ok(freedom_of(mask, &states(mask, signs, null)?, null, options))
}

/// [`freedom`] with the states of the layers of `mask`.
pub(super) fn freedom_of(mask: &Mask, states: &[State], null: NullModel, options: &SwapOptions) -> Vec<LayerFreedom> {
    let all_dense = states.iter().all(|state| state.kept.count() == state.kept.cells());
    let layers = mask.layers.iter().zip(states);
    layers
        .map(|(layer, state)| {
            let bits = &state.kept;
            let edges = bits.count();
            let all_where = |condition: bool| if condition { edges } else { 0 };
            let full = |sums: Vec<usize>, size: usize| sums.into_iter().filter(|&sum| sum == size).sum();
            let over_parts =
                |forced: fn(&Part) -> usize| state.parts(null, parts_of(layer, null, options)).iter().map(forced).sum();
            let forced = match null {
                NullModel::Edges => all_where(all_dense),
                NullModel::LayerDensity => all_where(edges == bits.cells()),
                NullModel::InDegrees => full(bits.row_sums(), bits.columns),
                NullModel::OutDegrees => full(bits.column_sums(), bits.rows),
                NullModel::Degrees => over_parts(|part| by_degrees(&part.start.kept)),
                NullModel::SignedDegrees => over_parts(|part| signs_of(part).iter().map(by_degrees).sum()),
                NullModel::JointDegrees => over_parts(|part| {
                    joint(part, |count, cells| if count == cells { count as f64 } else { 0.0 }) as usize
                }),
            };
            LayerFreedom { layer: layer.name.clone(), edges, forced }
        })
        .collect()
}

fn by_degrees(bits: &BitMatrix) -> usize {
    forced_by_degrees(bits.row_sums(), bits.column_sums())
}

/// The number of ones that all 0-1 matrices with these row and column sums share.
fn forced_by_degrees(mut rows: Vec<usize>, mut columns: Vec<usize>) -> usize {
    rows.sort_unstable_by(|a, b| b.cmp(a));
    columns.sort_unstable_by(|a, b| b.cmp(a));
    let mut before = vec![0; columns.len() + 1];
    for (column, &sum) in columns.iter().enumerate() {
        before[column + 1] = before[column] + sum;
    }
    // From the last row up: `below` is the sum of the rows after the first e, `reach` the number of
    // columns that some e' >= e forces. For each e the largest f that minimises t is the number of
    // columns with a sum of at least e.
    let (mut below, mut reach, mut forced) = (0, 0, 0);
    for e in (1..=rows.len()).rev() {
        let f = columns.partition_point(|&sum| sum >= e);
        if e * f + below == before[f] {
            reach = reach.max(f);
        }
        forced += reach;
        below += rows[e - 1];
    }
    forced
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The forced ones of a row-major matrix of up to 16 cells, by going through all matrices.
    fn by_enumeration(rows: usize, columns: usize, matrix: u32) -> usize {
        let sums = |matrix: u32| {
            let row = |r: usize| (matrix >> (r * columns) & ((1 << columns) - 1)).count_ones();
            let column = |c: usize| (0..rows).filter(|r| matrix >> (r * columns + c) & 1 == 1).count();
            ((0..rows).map(row).collect::<Vec<_>>(), (0..columns).map(column).collect::<Vec<_>>())
        };
        let wanted = sums(matrix);
        (0..1u32 << (rows * columns))
            .filter(|&other| other.count_ones() == matrix.count_ones() && sums(other) == wanted)
            .fold(u32::MAX >> (32 - rows * columns), |common, other| common & other)
            .count_ones() as usize
    }

    fn formula(rows: usize, columns: usize, matrix: u32) -> usize {
        let mut bits = BitMatrix::empty(rows, columns);
        for cell in 0..rows * columns {
            if matrix >> cell & 1 == 1 {
                bits.insert(cell / columns, cell % columns);
            }
        }
        forced_by_degrees(bits.row_sums(), bits.column_sums())
    }

    #[test]
    fn forced_edges_are_those_of_the_enumeration() {
        for matrix in 0..1 << 9 {
            assert_eq!(formula(3, 3, matrix), by_enumeration(3, 3, matrix), "{matrix:09b}");
        }
        for matrix in 0..1 << 8 {
            assert_eq!(formula(2, 4, matrix), by_enumeration(2, 4, matrix), "{matrix:08b}");
        }
        for matrix in (0..1 << 12).step_by(7) {
            assert_eq!(formula(4, 3, matrix), by_enumeration(4, 3, matrix), "{matrix:012b}");
        }
    }

    #[test]
    fn each_null_model_forces_what_it_must() {
        let kept = ndarray::arr2(&[[true, true, true], [true, false, false], [true, false, false]]).into_dyn();
        let mask = Mask { layers: vec![crate::mask::LayerMask { name: "a".into(), kept }] };
        let forced = |null| freedom(&mask, None, null, &SwapOptions::default()).unwrap()[0].forced;
        assert_eq!(forced(NullModel::Edges), 0);
        assert_eq!(forced(NullModel::LayerDensity), 0);
        assert_eq!(forced(NullModel::InDegrees), 3);
        assert_eq!(forced(NullModel::OutDegrees), 3);
        assert_eq!(forced(NullModel::Degrees), 5);
        assert_eq!(forced(NullModel::JointDegrees), 5);
    }
}
