//! One bipartite block: the compressed rows of a layer's kept weights.

use std::sync::OnceLock;

use super::GraphError;

/// Compressed rows: row r holds the entries `offsets[r]..offsets[r + 1]`.
#[derive(Debug, Clone, Default)]
struct Rows {
    offsets: Vec<u32>,
    columns: Vec<u32>,
    magnitudes: Vec<f32>,
}

impl Rows {
    fn range(&self, row: usize) -> std::ops::Range<usize> {
        self.offsets[row] as usize..self.offsets[row + 1] as usize
    }

    fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let range = self.range(row);
        (&self.columns[range.clone()], &self.magnitudes[range])
    }

    /// One entry a run of equal columns in a row, with the largest magnitude of the run; `None`
    /// where no column repeats.
    fn merged(&self) -> Option<Self> {
        let rows = self.offsets.len() - 1;
        let repeats = (0..rows).any(|row| self.row(row).0.windows(2).any(|pair| pair[0] == pair[1]));
        if !repeats {
            return None;
        }
        let mut merged = Self { offsets: vec![0], ..Self::default() };
        for row in 0..rows {
            let start = merged.columns.len();
            let (columns, magnitudes) = self.row(row);
            for (&column, &magnitude) in columns.iter().zip(magnitudes) {
                if merged.columns.len() > start && merged.columns.last() == Some(&column) {
                    let last = merged.columns.len() - 1;
                    merged.magnitudes[last] = merged.magnitudes[last].max(magnitude);
                } else {
                    merged.columns.push(column);
                    merged.magnitudes.push(magnitude);
                }
            }
            merged.offsets.push(merged.columns.len() as u32);
        }
        Some(merged)
    }
}

/// The pairs of a block by source.
#[derive(Debug, Clone)]
struct Columns {
    offsets: Vec<u32>,
    rows: Vec<u32>,
    /// Where the pair stands in the block's rows.
    positions: Vec<u32>,
}

impl Columns {
    fn of(rows: &Rows, columns: usize) -> Self {
        let mut offsets = vec![0u32; columns + 1];
        for &column in &rows.columns {
            offsets[column as usize + 1] += 1;
        }
        for column in 0..columns {
            offsets[column + 1] += offsets[column];
        }
        let mut next = offsets.clone();
        let mut by_column = Self { offsets, rows: vec![0; rows.columns.len()], positions: vec![0; rows.columns.len()] };
        for row in 0..rows.offsets.len() - 1 {
            for position in rows.range(row) {
                let slot = &mut next[rows.columns[position] as usize];
                by_column.rows[*slot as usize] = row as u32;
                by_column.positions[*slot as usize] = position as u32;
                *slot += 1;
            }
        }
        by_column
    }
}

/// The kept weights of one layer, from a source group (columns) to a target group (rows).
///
/// The layout is that of the weights, [out, in] or [out, in, kh, kw]: the entries stand in the
/// order of the flat index that breaks ties. 8 bytes and a bit a kept weight (column, |w| and sign); where several
/// weights join the same two nodes, 8 more a pair; the index by source, 8 bytes a pair, is built
/// when it is first asked for.
#[derive(Debug, Clone)]
pub struct Block {
    name: String,
    source: usize,
    target: usize,
    columns: usize,
    dense: usize,
    kept: Rows,
    /// One bit a kept weight, 64 a word: whether it is below 0.
    negative: Vec<u64>,
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
                return Err(GraphError::Entry { layer: builder.name, index, row, column, problem });
            }
            previous = (row, column);
            builder.push(index, row, column, weight)?;
        }
        builder.finish(source, target, dense)
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
        self.kept.offsets.len() - 1
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
        self.kept.columns.len()
    }

    /// The number of joined pairs of nodes, at most [`Block::edges`].
    pub fn pairs(&self) -> usize {
        self.pair_rows().columns.len()
    }

    fn pair_rows(&self) -> &Rows {
        self.merged.as_ref().unwrap_or(&self.kept)
    }

    fn by_source(&self) -> &Columns {
        self.by_source.get_or_init(|| Columns::of(self.pair_rows(), self.columns))
    }

    /// The sources (ascending, a source may repeat) and |w| of the kept weights into target `row`.
    /// O(1).
    ///
    /// # Panics
    /// Where `row` is not below [`Block::rows`].
    pub fn edges_into(&self, row: usize) -> (&[u32], &[f32]) {
        self.kept.row(row)
    }

    /// Whether each kept weight into target `row` is below 0, in the order of
    /// [`Block::edges_into`]. O(1) each.
    ///
    /// # Panics
    /// Where `row` is not below [`Block::rows`].
    pub fn negative_into(&self, row: usize) -> impl ExactSizeIterator<Item = bool> + '_ {
        self.kept.range(row).map(|position| self.negative[position / 64] >> (position % 64) & 1 == 1)
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
    pub fn positions_into(&self, row: usize) -> std::ops::Range<usize> {
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

    /// The target (row) of the pair at `position`. O(log rows).
    pub(super) fn row_of(&self, position: usize) -> usize {
        self.pair_rows().offsets.partition_point(|&offset| offset as usize <= position) - 1
    }
}

/// Fills the rows of a [`Block`] in order.
pub(super) struct BlockBuilder {
    name: String,
    columns: usize,
    rows: Rows,
    negative: Vec<u64>,
    row_count: usize,
}

impl BlockBuilder {
    pub(super) fn new(name: String, row_count: usize, columns: usize, capacity: usize) -> Self {
        let mut offsets = Vec::with_capacity(row_count + 1);
        offsets.push(0);
        let rows = Rows { offsets, columns: Vec::with_capacity(capacity), magnitudes: Vec::with_capacity(capacity) };
        Self { name, columns, rows, negative: Vec::with_capacity(capacity.div_ceil(64)), row_count }
    }

    /// Adds a weight to `row`, which is not below that of the last call; `index` is only named.
    #[inline]
    pub(super) fn push(&mut self, index: usize, row: usize, column: usize, weight: f32) -> Result<(), GraphError> {
        if !weight.is_finite() {
            return Err(GraphError::NotFinite { layer: self.name.clone(), index, value: weight });
        }
        while self.rows.offsets.len() <= row {
            self.rows.offsets.push(self.rows.columns.len() as u32);
        }
        let position = self.rows.columns.len();
        if position.is_multiple_of(64) {
            self.negative.push(0);
        }
        if let Some(word) = self.negative.last_mut() {
            *word |= u64::from(weight < 0.0) << (position % 64);
        }
        self.rows.columns.push(column as u32);
        // |w| also turns -0 into 0, so that the order of the bits is that of the numbers.
        self.rows.magnitudes.push(weight.abs());
        Ok(())
    }

    pub(super) fn finish(mut self, source: usize, target: usize, dense: usize) -> Result<Block, GraphError> {
        let kept = self.rows.columns.len();
        if kept >= u32::MAX as usize {
            return Err(GraphError::TooLarge { what: "kept weights", count: kept });
        }
        if kept > dense {
            return Err(GraphError::Structure(format!(
                "layer `{}`: {kept} kept weights out of {dense}; there cannot be more than the dense layer has",
                self.name
            )));
        }
        self.rows.offsets.resize(self.row_count + 1, kept as u32);
        let merged = self.rows.merged();
        Ok(Block {
            name: self.name,
            source,
            target,
            columns: self.columns,
            dense,
            kept: self.rows,
            negative: self.negative,
            merged,
            by_source: OnceLock::new(),
        })
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
                assert_eq!(block.row_of(position as usize), row as usize);
                assert!(block.positions_into(row as usize).contains(&(position as usize)));
            }
        }
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
