//! One bipartite block: the compressed rows of a layer's kept weights, or of their links.

mod builder;
mod rows;

use std::ops::Range;
use std::sync::OnceLock;

use super::GraphError;
pub(super) use builder::BlockBuilder;
use rows::{Columns, Rows};

/// The weights of a block whose links are not its weights.
#[derive(Debug, Clone)]
struct Shared {
    /// |w| of the kept weights, in the order of their flat index.
    magnitudes: Vec<f32>,
    /// The weight of each link.
    weight_of: Vec<u32>,
}

/// The kept weights of one layer, from a source group (columns) to a target group (rows).
///
/// An entry is a *link*: one occurrence of a kept weight between two nodes. In a plain block every
/// kept weight has one link, and the entries stand in the order of the flat index that breaks ties,
/// [out, in] or [out, in, kh, kw]. In a block that [shares](Block::shares_weights) weights a kept
/// weight may have several links, or none where its tap only ever sees padding.
///
/// 8 bytes and a bit a link (column, |w| and sign), 4 more where weights are shared; where several
/// weights join the same two nodes, 8 more a pair; the index by source, 8 bytes a pair, is built
/// when it is first asked for.
#[derive(Debug, Clone)]
pub struct Block {
    name: String,
    source: usize,
    target: usize,
    columns: usize,
    dense: usize,
    links: Rows,
    /// One bit a link, 64 a word: whether its weight is below 0.
    negative: Vec<u64>,
    /// `None` in a plain block: the n-th link is that of the n-th weight.
    shared: Option<Shared>,
    merged: Option<Rows>,
    by_source: OnceLock<Columns>,
}

impl Block {
    /// A block of the layer `name` from group `source` with `columns` nodes to group `target` with
    /// `rows` nodes, out of `dense` weights. `entries` are the kept weights (row, column, w) in the
    /// order of their flat index: by row, then by column, and a column may repeat.
    ///
    /// # Errors
    /// [`GraphError::NotFinite`]; [`GraphError::Entry`] where an entry lies outside or out of
    /// order; [`GraphError::TooLarge`]; [`GraphError::Structure`] where there are more entries than
    /// `dense`.
    pub fn new(
        name: impl Into<String>,
        (source, columns): (usize, usize),
        (target, rows): (usize, usize),
        dense: usize,
        entries: impl IntoIterator<Item = (usize, usize, f32)>,
    ) -> Result<Self, GraphError> {
        let mut builder = BlockBuilder::new(name.into(), rows, columns, 0);
        let mut previous = (0, 0);
        for (index, (row, column, weight)) in entries.into_iter().enumerate() {
            let problem = if row >= rows || column >= columns {
                Some("lies outside the block")
            } else if (row, column) < previous {
                Some("comes after a later one; entries must be ordered by row, then by column")
            } else {
                None
            };
            if let Some(problem) = problem {
                return Err(GraphError::Entry { layer: builder.into_name(), index, row, column, problem });
            }
            previous = (row, column);
            builder.push(index, row, column, weight)?;
        }
        builder.finish(source, target, dense)
    }

    /// A block whose kept weights may have several links, or none. `weights` are the kept weights w
    /// in the order of their flat index; `links` are (row, column, index in `weights`) in ascending
    /// order, each once. Else as [`Block::new`], which it equals where every weight has one link.
    ///
    /// # Errors
    /// As [`Block::new`]; [`GraphError::Entry`] also where a link names a weight that is not there.
    ///
    /// ```
    /// use prunephase::graph::Block;
    /// // Two inputs, two outputs, one weight on both diagonal links: a kernel of 1 on two pixels.
    /// let block = Block::sharing("conv", (0, 2), (1, 2), 1, &[-0.5], [(0, 0, 0), (1, 1, 0)])?;
    /// assert_eq!((block.edges(), block.links(), block.dense()), (1, 2, 1));
    /// # Ok::<(), prunephase::graph::GraphError>(())
    /// ```
    pub fn sharing(
        name: impl Into<String>,
        (source, columns): (usize, usize),
        (target, rows): (usize, usize),
        dense: usize,
        weights: &[f32],
        links: impl IntoIterator<Item = (usize, usize, usize)>,
    ) -> Result<Self, GraphError> {
        let name = name.into();
        if let Some(index) = weights.iter().position(|weight| !weight.is_finite()) {
            return Err(GraphError::NotFinite { layer: name, index, value: weights[index] });
        }
        let mut builder = BlockBuilder::sharing(name, rows, columns, weights.to_vec(), 0)?;
        let mut previous = None;
        for (index, (row, column, weight)) in links.into_iter().enumerate() {
            let problem = if row >= rows || column >= columns {
                Some("lies outside the block")
            } else if weight >= weights.len() {
                Some("names a weight that is not there")
            } else if previous.is_some_and(|previous| (row, column, weight) <= previous) {
                Some("repeats a link or comes after a later one; links must ascend by row, then column, then weight")
            } else {
                None
            };
            if let Some(problem) = problem {
                return Err(GraphError::Entry { layer: builder.into_name(), index, row, column, problem });
            }
            previous = Some((row, column, weight));
            builder.push_link(row, column, weight as u32);
        }
        builder.finish(source, target, dense)
    }

    /// A block without weights, whose pairs (row, column), in ascending order, are always there: a skip
    /// that carries nodes on unchanged. Its links have magnitude 1; it counts neither among the edges
    /// nor among the dense weights.
    ///
    /// # Errors
    /// As [`Block::new`].
    ///
    /// ```
    /// use prunephase::graph::Block;
    /// let skip = Block::skip("x", (0, 2), (1, 3), [(1, 0), (2, 1)])?;
    /// assert_eq!((skip.edges(), skip.pairs(), skip.dense(), skip.is_skip()), (0, 2, 0, true));
    /// # Ok::<(), prunephase::graph::GraphError>(())
    /// ```
    pub fn skip(
        name: impl Into<String>,
        source: (usize, usize),
        target: (usize, usize),
        pairs: impl IntoIterator<Item = (usize, usize)>,
    ) -> Result<Self, GraphError> {
        let entries: Vec<_> = pairs.into_iter().map(|(row, column)| (row, column, 1.0)).collect();
        let links = entries.len();
        let mut block = Self::new(name, source, target, links, entries)?;
        block.dense = 0;
        block.shared = Some(Shared { magnitudes: Vec::new(), weight_of: vec![u32::MAX; links] });
        Ok(block)
    }

    /// Whether its links are always there, without a weight.
    pub fn is_skip(&self) -> bool {
        self.shared.as_ref().is_some_and(|shared| shared.magnitudes.is_empty()) && self.links() > 0
    }

    /// The layer's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The index of the group that the edges leave.
    pub fn source(&self) -> usize {
        self.source
    }

    /// The index of the group that the edges enter.
    pub fn target(&self) -> usize {
        self.target
    }

    /// The number of target nodes.
    pub fn rows(&self) -> usize {
        self.links.offsets.len() - 1
    }

    /// The number of source nodes.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The number of weights of the dense layer.
    pub fn dense(&self) -> usize {
        self.dense
    }

    /// The number of kept weights.
    pub fn edges(&self) -> usize {
        self.magnitudes().len()
    }

    /// The number of links, [`Block::edges`] in a plain block.
    pub fn links(&self) -> usize {
        self.links.columns.len()
    }

    /// Whether the links are not the kept weights one by one.
    pub fn shares_weights(&self) -> bool {
        self.shared.is_some()
    }

    /// |w| of the kept weights, in the order of their flat index.
    pub fn magnitudes(&self) -> &[f32] {
        self.shared.as_ref().map_or(&self.links.magnitudes, |shared| &shared.magnitudes)
    }

    /// The number of joined pairs of nodes, at most [`Block::links`].
    pub fn pairs(&self) -> usize {
        self.pair_rows().columns.len()
    }

    fn pair_rows(&self) -> &Rows {
        self.merged.as_ref().unwrap_or(&self.links)
    }

    fn by_source(&self) -> &Columns {
        self.by_source.get_or_init(|| Columns::of(self.pair_rows(), self.columns))
    }

    /// The sources (ascending, a source may repeat) and |w| of the links into target `row`: in a
    /// plain block, of the kept weights. O(1).
    ///
    /// # Panics
    /// Where `row` is not below [`Block::rows`].
    #[inline]
    pub fn edges_into(&self, row: usize) -> (&[u32], &[f32]) {
        self.links.row(row)
    }

    /// Whether the weight of each link into target `row` is below 0, in the order of
    /// [`Block::edges_into`]. O(1) each.
    ///
    /// # Panics
    /// Where `row` is not below [`Block::rows`].
    pub fn negative_into(&self, row: usize) -> impl ExactSizeIterator<Item = bool> + '_ {
        self.links.range(row).map(|position| self.negative[position / 64] >> (position % 64) & 1 == 1)
    }

    /// The weight of each link into target `row`, as an index into [`Block::magnitudes`], in the
    /// order of [`Block::edges_into`]. O(1) each.
    ///
    /// # Panics
    /// Where `row` is not below [`Block::rows`].
    pub fn weights_into(&self, row: usize) -> impl ExactSizeIterator<Item = u32> + '_ {
        let weight_of = self.shared.as_ref().map(|shared| &shared.weight_of[..]);
        self.links.range(row).map(move |position| weight_of.map_or(position as u32, |weight_of| weight_of[position]))
    }

    /// The sources (ascending, each once) of the pairs into target `row`, and the largest |w| of
    /// each. O(1).
    ///
    /// # Panics
    /// Where `row` is not below [`Block::rows`].
    pub fn pairs_into(&self, row: usize) -> (&[u32], &[f32]) {
        self.pair_rows().row(row)
    }

    /// The positions in the block of the pairs into target `row`, for [`Block::pair`]. O(1).
    ///
    /// # Panics
    /// Where `row` is not below [`Block::rows`].
    pub fn positions_into(&self, row: usize) -> Range<usize> {
        self.pair_rows().range(row)
    }

    /// The targets (ascending, each once) of the pairs from source `column`, and each pair's
    /// position in the block. O(1) once the index by source is built, which the first call does in
    /// O(pairs).
    ///
    /// # Panics
    /// Where `column` is not below [`Block::columns`].
    pub fn pairs_from(&self, column: usize) -> (&[u32], &[u32]) {
        assert!(column < self.columns, "column {column} of {}", self.columns);
        let by_source = self.by_source();
        let range = by_source.offsets[column] as usize..by_source.offsets[column + 1] as usize;
        (&by_source.rows[range.clone()], &by_source.positions[range])
    }

    /// The source (column) and the largest |w| of the pair at `position`. O(1).
    ///
    /// # Panics
    /// Where `position` is not below [`Block::pairs`].
    pub fn pair(&self, position: usize) -> (usize, &f32) {
        let rows = self.pair_rows();
        (rows.columns[position] as usize, &rows.magnitudes[position])
    }

    /// The sources (columns) of all pairs by their position, one row after another; the pairs of a
    /// row are those of [`Block::positions_into`]. O(1).
    pub fn pair_sources(&self) -> &[u32] {
        &self.pair_rows().columns
    }

    /// The target (row) of the pair at `position`. O(log rows).
    pub(super) fn row_of(&self, position: usize) -> usize {
        self.pair_rows().offsets.partition_point(|&offset| offset as usize <= position) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> Block {
        let entries = [(0, 1, -0.5), (0, 1, 2.0), (0, 1, 1.0), (2, 0, 0.0), (2, 1, -3.0)];
        Block::new("a", (0, 2), (1, 4), 24, entries).unwrap()
    }

    #[test]
    fn weights_and_pairs_are_counted_apart() {
        let block = block();
        assert_eq!((block.edges(), block.pairs(), block.dense()), (5, 3, 24));
        assert_eq!(block.edges_into(0), (&[1, 1, 1][..], &[0.5, 2.0, 1.0][..]));
        assert_eq!(block.pairs_into(0), (&[1][..], &[2.0][..]));
        assert_eq!(block.pairs_into(1), (&[][..], &[][..]));
        assert_eq!(block.pairs_into(2), (&[0, 1][..], &[0.0, 3.0][..]));
        assert_eq!(block.pairs_into(3), (&[][..], &[][..]));
    }

    #[test]
    fn signs_are_kept_beside_magnitudes() {
        let weights = |index: usize| if index % 3 == 1 { -1.0 } else { 0.5 };
        let entries = (0..200).map(|index| (index / 50, index % 50, weights(index)));
        let block = Block::new("a", (0, 50), (1, 4), 200, entries).unwrap();
        let found: Vec<bool> = (0..4).flat_map(|row| block.negative_into(row)).collect();
        assert!(found.iter().enumerate().all(|(index, &negative)| negative == (weights(index) < 0.0)));
        let zero = Block::new("a", (0, 1), (1, 1), 1, [(0, 0, -0.0)]).unwrap();
        assert_eq!(zero.negative_into(0).collect::<Vec<_>>(), [false]);
    }

    #[test]
    fn a_run_does_not_reach_over_the_end_of_a_row() {
        let block = Block::new("a", (0, 1), (1, 2), 4, [(0, 0, 1.0), (0, 0, 2.0), (1, 0, 3.0)]).unwrap();
        assert_eq!(block.pairs(), 2);
        assert_eq!(block.pairs_into(1), (&[0][..], &[3.0][..]));
    }

    #[test]
    fn the_index_by_source_is_the_transpose() {
        let block = block();
        assert_eq!(block.pairs_from(0), (&[2][..], &[1][..]));
        assert_eq!(block.pairs_from(1), (&[0, 2][..], &[0, 2][..]));
        for column in 0..2 {
            let (rows, positions) = block.pairs_from(column);
            for (&row, &position) in rows.iter().zip(positions) {
                assert_eq!(block.pair(position as usize).0, column);
                assert_eq!(block.pair_sources()[position as usize] as usize, column);
                assert_eq!(block.row_of(position as usize), row as usize);
                assert!(block.positions_into(row as usize).contains(&(position as usize)));
            }
        }
    }

    #[test]
    fn links_know_their_weights() {
        let links = [(0, 0, 0), (0, 1, 0), (0, 1, 2), (2, 0, 2)];
        let block = Block::sharing("a", (0, 2), (1, 3), 9, &[-1.0, 4.0, 0.5], links).unwrap();
        assert_eq!((block.edges(), block.links(), block.pairs(), block.dense()), (3, 4, 3, 9));
        assert!(block.shares_weights());
        assert_eq!(block.magnitudes(), [1.0, 4.0, 0.5]);
        assert_eq!(block.edges_into(0), (&[0, 1, 1][..], &[1.0, 1.0, 0.5][..]));
        assert_eq!(block.weights_into(0).collect::<Vec<_>>(), [0, 0, 2]);
        assert_eq!(block.negative_into(0).collect::<Vec<_>>(), [true, true, false]);
        assert_eq!(block.pairs_into(0), (&[0, 1][..], &[1.0, 1.0][..]));
        assert_eq!(block.weights_into(2).collect::<Vec<_>>(), [2]);
        let plain = self::block();
        assert_eq!((plain.links(), plain.shares_weights()), (5, false));
        assert_eq!(plain.weights_into(2).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(plain.magnitudes(), [0.5, 2.0, 1.0, 0.0, 3.0]);
    }

    #[test]
    fn one_link_a_weight_is_a_plain_block() {
        let plain = Block::sharing("a", (0, 2), (1, 2), 4, &[1.0, -2.0], [(0, 1, 0), (1, 0, 1)]).unwrap();
        assert!(!plain.shares_weights());
        // The same number of links and weights, but not one by one.
        let crossed = Block::sharing("a", (0, 2), (1, 2), 4, &[1.0, -2.0], [(0, 1, 1), (1, 0, 0)]).unwrap();
        assert!(crossed.shares_weights());
        let none = Block::sharing("a", (0, 2), (1, 2), 4, &[1.0], []).unwrap();
        assert_eq!((none.edges(), none.links(), none.pairs(), none.shares_weights()), (1, 0, 0, true));
    }

    #[test]
    fn wrong_links_are_named() {
        let build = |dense, weights: &[f32], links: &[(usize, usize, usize)]| {
            Block::sharing("c", (0, 2), (1, 2), dense, weights, links.iter().copied()).unwrap_err().to_string()
        };
        assert!(build(4, &[1.0, f32::INFINITY], &[]).contains("`c`: the kept weight at flat index 1 is inf"));
        assert!(build(4, &[1.0], &[(0, 0, 0), (2, 0, 0)]).contains("entry 1 (row 2, column 0) lies outside"));
        assert!(build(4, &[1.0], &[(0, 0, 1)]).contains("names a weight that is not there"));
        assert!(build(4, &[1.0], &[(0, 0, 0), (0, 0, 0)]).contains("repeats a link"));
        assert!(build(1, &[1.0, 1.0], &[]).contains("2 kept weights out of 1"));
    }

    #[test]
    fn wrong_entries_are_named() {
        let build = |dense, entries: &[(usize, usize, f32)]| {
            Block::new("fc1", (0, 2), (1, 2), dense, entries.iter().copied()).unwrap_err().to_string()
        };
        assert_eq!(
            build(4, &[(0, 0, f32::NAN)]),
            "layer `fc1`: the kept weight at flat index 0 is NaN; weights must be finite numbers"
        );
        assert!(build(4, &[(0, 2, 1.0)]).contains("outside"));
        assert!(build(4, &[(1, 0, 1.0), (0, 1, 1.0)]).contains("ordered"));
        assert!(build(1, &[(0, 0, 1.0), (0, 1, 1.0)]).contains("2 kept weights out of 1"));
    }
}
