//! Compressed rows, and their index by column.

use std::ops::Range;

/// Compressed rows: row r holds the entries `offsets[r]..offsets[r + 1]`.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    pub offsets: Vec<u32>,
    pub columns: Vec<u32>,
    pub magnitudes: Vec<f32>,
}

impl Rows {
    #[inline]
    pub fn range(&self, row: usize) -> Range<usize> {
        self.offsets[row] as usize..self.offsets[row + 1] as usize
    }

    #[inline]
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let range = self.range(row);
        (&self.columns[range.clone()], &self.magnitudes[range])
    }

    /// One entry a run of equal columns in a row, with the largest magnitude of the run; `None`
    /// where no column repeats.
    pub fn merged(&self) -> Option<Self> {
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
pub(super) struct Columns {
    pub offsets: Vec<u32>,
    pub rows: Vec<u32>,
    /// Where the pair stands in the block's rows.
    pub positions: Vec<u32>,
}

impl Columns {
    pub fn of(rows: &Rows, columns: usize) -> Self {
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
