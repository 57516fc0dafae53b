//! Networks that are no chain: groups of nodes, the parts of weight tensors that join them, and the
//! skips that carry a group on unchanged.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{NetworkError, WeightLayer};

/// A directed acyclic graph of node groups, with weights taken from the parts of a network's tensors.
///
/// Made from a [`super::WiringDescription`]; saved in a checkpoint's header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wiring {
    /// The weight tensors, in the order that breaks ties.
    pub layers: Vec<WiredLayer>,
    /// The groups, in topological order.
    pub groups: Vec<WiredGroup>,
    /// The parts of the layers that join them.
    pub blocks: Vec<WiredBlock>,
    /// What carries a group on unchanged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skips: Vec<Skip>,
}

/// One weight tensor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WiredLayer {
    /// The layer's name: that of its tensor without the ending `.weight`.
    pub name: String,
    /// The name of its tensor in files.
    pub tensor: String,
    /// Whether files hold it as [in, out].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub transposed: bool,
    /// [out, in], or [out, in, kh, kw].
    pub shape: Vec<usize>,
}

/// What the nodes of a group are to a wired network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupRole {
    /// Where the data enter.
    Input,
    /// Between inputs and outputs.
    Hidden,
    /// Where the results leave.
    Output,
}

/// A group of nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WiredGroup {
    /// Its name.
    pub name: String,
    /// The number of nodes.
    pub size: usize,
    /// What they are.
    pub role: GroupRole,
}

/// A part of a layer's weights that joins two groups. With the layer as a matrix of outputs and of all
/// the inputs of an output (in x kh x kw), row `rows[k] + r` is the r-th node of the target for every
/// k, and column `first_column + c` is node c / `span` of the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WiredBlock {
    /// Its name, that of the layer where it is all of it.
    pub name: String,
    /// The index of its layer.
    pub layer: usize,
    /// The index of the group before it.
    pub source: usize,
    /// The index of the group after it.
    pub target: usize,
    /// The first rows of the parts that share the target's nodes: queries, keys and values of a head.
    pub rows: Vec<usize>,
    /// The first column.
    pub first_column: usize,
    /// Columns of one node of the source: the taps of a kernel, the positions of a flattened map.
    pub span: usize,
    /// Groups of a grouped convolution: outputs of the g-th see only the g-th part of the source.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub groups: usize,
}

fn one() -> usize {
    1
}

fn is_one(number: &usize) -> bool {
    *number == 1
}

/// Carries the first nodes of a group on, unchanged, to those of another from `offset` on. It has no
/// weight and is never pruned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skip {
    /// Its name.
    pub name: String,
    /// The index of the group before it.
    pub source: usize,
    /// The index of the group after it.
    pub target: usize,
    /// The node of the target that the source's first one goes on to.
    pub offset: usize,
    /// How many nodes go on.
    pub count: usize,
}

/// No size of a wired network is larger, and no network has more groups, blocks and skips.
const LARGEST: usize = 1 << 24;
pub(super) const MOST: usize = 1 << 16;

impl Wiring {
    /// The layers' names and shapes.
    pub(super) fn weight_layers(&self) -> impl Iterator<Item = WeightLayer> + '_ {
        self.layers.iter().map(|layer| WeightLayer { name: layer.name.clone(), shape: layer.shape.clone() })
    }

    /// The nodes with a role.
    pub fn nodes_with(&self, role: GroupRole) -> usize {
        self.groups.iter().filter(|group| group.role == role).map(|group| group.size).sum()
    }

    /// Checks that groups, blocks and skips fit each other and that every weight is in exactly one
    /// block. O(blocks log blocks).
    ///
    /// # Errors
    /// [`NetworkError::Wiring`] with what does not fit.
    pub fn check(&self) -> Result<(), NetworkError> {
        let wrong = |message: String| Err(NetworkError::Wiring(super::one_line(&message)));
        if self.groups.len().max(self.blocks.len()).max(self.skips.len()) > MOST {
            return wrong(format!("more than {MOST} groups, blocks or skips"));
        }
        let sizes = self.groups.iter().map(|group| group.size).chain(self.layers.iter().flat_map(|l| l.shape.clone()));
        if let Some(size) = sizes.into_iter().find(|size| !(1..=LARGEST).contains(size)) {
            return wrong(format!("a size of {size}; 1 to {LARGEST} are read"));
        }
        let mut names = BTreeSet::new();
        let all = self.layers.iter().flat_map(|layer| [("layer", &layer.name), ("tensor", &layer.tensor)]);
        let all = all.chain(self.groups.iter().map(|group| ("group", &group.name)));
        let all = all.chain(self.blocks.iter().map(|block| ("block", &block.name)));
        for (what, name) in all.chain(self.skips.iter().map(|skip| ("block", &skip.name))) {
            if name.is_empty() || name.chars().any(char::is_control) {
                return wrong(format!(
                    "a {what} is named `{}`; a name needs printable characters",
                    name.escape_debug()
                ));
            }
            if !names.insert((what, name)) {
                return wrong(format!("two of its {what}s are named `{name}`"));
            }
        }
        for role in [GroupRole::Input, GroupRole::Output] {
            if self.nodes_with(role) == 0 {
                let role = if role == GroupRole::Input { "input" } else { "output" };
                return wrong(format!("no group has the role `{role}`"));
            }
        }
        let mut joined = BTreeSet::new();
        let ends = self.blocks.iter().map(|block| (&block.name, block.source, block.target));
        for (name, source, target) in ends.chain(self.skips.iter().map(|skip| (&skip.name, skip.source, skip.target))) {
            if source >= target || target >= self.groups.len() {
                return wrong(format!("`{name}` does not run from a group to a later one"));
            }
            if !joined.insert((source, target)) {
                return wrong(format!(
                    "`{name}` joins `{}` and `{}`, which another block joins already; send it to a group of its own",
                    self.groups[source].name, self.groups[target].name
                ));
            }
        }
        for skip in &self.skips {
            let end = skip.offset.checked_add(skip.count);
            let fits = end.is_some_and(|end| end <= self.groups[skip.target].size);
            if !fits || skip.count == 0 || skip.count > self.groups[skip.source].size {
                return wrong(format!("skip `{}` does not fit its groups", skip.name));
            }
        }
        self.check_blocks()
    }

    fn check_blocks(&self) -> Result<(), NetworkError> {
        let wrong = |message: String| Err(NetworkError::Wiring(super::one_line(&message)));
        let mut of_layer: Vec<Vec<&WiredBlock>> = vec![Vec::new(); self.layers.len()];
        for block in &self.blocks {
            match of_layer.get_mut(block.layer) {
                Some(blocks) => blocks.push(block),
                None => return wrong(format!("block `{}` is of a layer that is not there", block.name)),
            }
        }
        for (layer, blocks) in self.layers.iter().zip(of_layer) {
            let ([outputs, inputs @ ..], 2 | 4) = (&layer.shape[..], layer.shape.len()) else {
                return wrong(format!(
                    "layer `{}` has shape {:?}; [out, in] or [out, in, kh, kw] is right",
                    layer.name, layer.shape
                ));
            };
            if layer.transposed && layer.shape.len() != 2 {
                return wrong(format!("layer `{}` is a convolution; only linear layers are transposed", layer.name));
            }
            let Some(fan_in) = inputs.iter().try_fold(1usize, |product, size| product.checked_mul(*size)) else {
                return wrong(format!("layer `{}` has shape {:?}, more than any file holds", layer.name, layer.shape));
            };
            let (mut rows, mut columns) = (Vec::new(), BTreeSet::new());
            for block in &blocks {
                let (source, target) = (self.groups[block.source].size, self.groups[block.target].size);
                if block.groups == 0
                    || source % block.groups != 0
                    || target % block.groups != 0
                    || block.rows.len() > MOST
                {
                    return wrong(format!("block `{}` has {} groups", block.name, block.groups));
                }
                if block.groups > 1 && block.rows.len() > 1 {
                    return wrong(format!("block `{}` is grouped and has parts; one of them is read", block.name));
                }
                let width = (source / block.groups).checked_mul(block.span).filter(|&width| width > 0);
                let end = width.and_then(|width| width.checked_add(block.first_column));
                if end.is_none_or(|end| end > fan_in) {
                    return wrong(format!(
                        "block `{}`: {source} nodes of {} columns each do not fit the {fan_in} inputs of layer `{}`",
                        block.name, block.span, layer.name
                    ));
                }
                columns.insert((block.first_column, end.unwrap_or(fan_in)));
                for &first in &block.rows {
                    let end = first.checked_add(target);
                    if end.is_none_or(|end| end > *outputs) {
                        return wrong(format!(
                            "block `{}` does not fit the {outputs} outputs of layer `{}`",
                            block.name, layer.name
                        ));
                    }
                    rows.push((first, first + target, block.first_column));
                }
            }
            // Rows of one column range after another, and column ranges one after another.
            let mut at = 0;
            for &(start, end) in &columns {
                let mut of_columns: Vec<_> = rows.iter().filter(|row| row.2 == start).collect();
                of_columns.sort_unstable();
                let (mut row, mut follow) = (0, true);
                for &&(first, last, _) in &of_columns {
                    follow &= first == row;
                    row = last;
                }
                let whole = follow && row == *outputs;
                if start != at || !whole {
                    return wrong(format!("the blocks of layer `{}` do not hold each of its weights once", layer.name));
                }
                at = end;
            }
            if at != fan_in {
                return wrong(format!("the blocks of layer `{}` do not hold each of its weights once", layer.name));
            }
        }
        Ok(())
    }
}
