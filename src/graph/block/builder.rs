//! Fills the rows of a block in order.

use std::mem::size_of;
use std::sync::OnceLock;

use super::{Block, Rows, Shared};
use crate::graph::GraphError;

/// Fills the rows of a [`Block`] in order.
pub(in crate::graph) struct BlockBuilder {
    name: String,
    columns: usize,
    rows: Rows,
    negative: Vec<u64>,
    row_count: usize,
    sharing: Option<Sharing>,
}

struct Sharing {
    /// The kept weights w.
    weights: Vec<f32>,
    weight_of: Vec<u32>,
}

impl BlockBuilder {
    /// A plain block, with room for `capacity` kept weights.
    pub(in crate::graph) fn new(name: String, row_count: usize, columns: usize, capacity: usize) -> Self {
        let mut offsets = Vec::with_capacity(row_count + 1);
        offsets.push(0);
        let rows = Rows { offsets, columns: Vec::with_capacity(capacity), magnitudes: Vec::with_capacity(capacity) };
        let negative = Vec::with_capacity(capacity.div_ceil(64));
        Self { name, columns, rows, negative, row_count, sharing: None }
    }

    /// A block with these kept weights, which are finite, and room for `links`.
    ///
    /// # Errors
    /// [`GraphError::TooLarge`] and [`GraphError::Memory`], before anything is filled.
    pub(in crate::graph) fn sharing(
        name: String,
        row_count: usize,
        columns: usize,
        weights: Vec<f32>,
        links: usize,
    ) -> Result<Self, GraphError> {
        if links >= u32::MAX as usize {
            return Err(GraphError::TooLarge { what: "links", count: links });
        }
        let mut builder = Self::new(name, row_count, columns, 0);
        let mut sharing = Sharing { weights, weight_of: Vec::new() };
        let reserved = builder
            .rows
            .columns
            .try_reserve_exact(links)
            .and_then(|()| builder.rows.magnitudes.try_reserve_exact(links))
            .and_then(|()| sharing.weight_of.try_reserve_exact(links));
        if reserved.is_err() {
            let bytes = links * (2 * size_of::<u32>() + size_of::<f32>());
            return Err(GraphError::Memory { layer: builder.name, links, bytes });
        }
        builder.sharing = Some(sharing);
        Ok(builder)
    }

    /// Adds a weight to `row`, which is not below that of the last call; `index` is only named.
    #[inline]
    pub(in crate::graph) fn push(
        &mut self,
        index: usize,
        row: usize,
        column: usize,
        weight: f32,
    ) -> Result<(), GraphError> {
        if !weight.is_finite() {
            return Err(GraphError::NotFinite { layer: self.name.clone(), index, value: weight });
        }
        self.entry(row, column, weight);
        Ok(())
    }

    /// Adds a link of the kept weight number `weight`; links ascend by row, column and weight.
    #[inline]
    pub(in crate::graph) fn push_link(&mut self, row: usize, column: usize, weight: u32) {
        if let Some(sharing) = &mut self.sharing {
            sharing.weight_of.push(weight);
            let weight = sharing.weights[weight as usize];
            self.entry(row, column, weight);
        }
    }

    #[inline]
    fn entry(&mut self, row: usize, column: usize, weight: f32) {
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
    }

    pub(super) fn into_name(self) -> String {
        self.name
    }

    pub(in crate::graph) fn finish(mut self, source: usize, target: usize, dense: usize) -> Result<Block, GraphError> {
        let links = self.rows.columns.len();
        let kept = self.sharing.as_ref().map_or(links, |sharing| sharing.weights.len());
        for (what, count) in [("kept weights", kept), ("links", links)] {
            if count >= u32::MAX as usize {
                return Err(GraphError::TooLarge { what, count });
            }
        }
        if kept > dense {
            return Err(GraphError::Structure(format!(
                "layer `{}`: {kept} kept weights out of {dense}; there cannot be more than the dense layer has",
                self.name
            )));
        }
        self.rows.offsets.resize(self.row_count + 1, links as u32);
        let merged = self.rows.merged();
        // Weights with one link each, in their order, need no record of which link is whose.
        let shared = self
            .sharing
            .filter(|sharing| links != kept || (0..links as u32).any(|link| sharing.weight_of[link as usize] != link))
            .map(|sharing| Shared {
                magnitudes: sharing.weights.into_iter().map(f32::abs).collect(),
                weight_of: sharing.weight_of,
            });
        Ok(Block {
            name: self.name,
            source,
            target,
            columns: self.columns,
            dense,
            links: self.rows,
            negative: self.negative,
            shared,
            merged,
            by_source: OnceLock::new(),
        })
    }
}
