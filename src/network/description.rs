//! Descriptions of networks that are no chain, in TOML: which tensor joins which groups of nodes.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::NetworkError;
use super::wiring::{GroupRole, Skip, WiredBlock, WiredGroup, WiredLayer, Wiring};

const BUILT_IN: [(&str, &str); 6] = [
    ("resnet-bottleneck", include_str!("descriptions/resnet-bottleneck.toml")),
    ("resnet", include_str!("descriptions/resnet.toml")),
    ("resnet20", include_str!("descriptions/resnet20.toml")),
    ("gpt2", include_str!("descriptions/gpt2.toml")),
    ("vit", include_str!("descriptions/vit.toml")),
    ("torchvision-vit", include_str!("descriptions/torchvision-vit.toml")),
];

/// How tensors join groups of nodes, for all networks of a family.
///
/// A part is read once, or for every prefix that fits its `each`, in the order of the numbers in it.
/// A layer of a part reads `from` a group and gives a new group `to`, or adds to one: a group that is
/// added to is a stream, and each addition makes its next state, to which a skip carries the last one
/// unchanged. Groups of a part with `each` are its own, unless they are streams or named outside of
/// it. See [`WiringDescription::built_in`] for examples.
///
/// ```
/// use prunephase::network::WiringDescription;
/// let text = r#"
/// name = "residual"
/// output = "classes"
/// [[parts]]
/// layers = [{ tensor = "stem.weight", from = "input", to = "stream" }]
/// [[parts]]
/// each = "blocks.{}"
/// layers = [
///     { tensor = "up.weight", from = "stream", to = "hidden" },
///     { tensor = "down.weight", from = "hidden", add = "stream" },
/// ]
/// [[parts]]
/// layers = [{ tensor = "head.weight", from = "stream", to = "classes" }]
/// "#;
/// let shapes = [("stem.weight", [4, 3]), ("blocks.0.up.weight", [8, 4]), ("blocks.0.down.weight", [4, 8]), ("head.weight", [2, 4])];
/// let shapes = shapes.map(|(name, shape)| (name.to_owned(), shape.to_vec())).into();
/// let wiring = WiringDescription::parse("mine.toml", text)?.wiring(&shapes, None)?;
/// let groups: Vec<&str> = wiring.groups.iter().map(|group| group.name.as_str()).collect();
/// assert_eq!(groups, ["input", "stream.0", "blocks.0.hidden", "stream.1", "classes"]);
/// assert_eq!((wiring.blocks.len(), wiring.skips.len()), (4, 1));
/// # Ok::<(), prunephase::network::NetworkError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WiringDescription {
    /// The name that tables and checkpoints carry.
    pub name: String,
    /// The group that the data enter.
    #[serde(default = "input")]
    pub input: String,
    /// The group that the results leave.
    pub output: String,
    /// What may stand before every name; the first that fits is taken.
    #[serde(default)]
    pub prefixes: Vec<String>,
    /// The number of attention heads, where it is always the same.
    #[serde(default)]
    pub heads: Option<usize>,
    /// In the order of the signal.
    pub parts: Vec<DescribedPart>,
}

fn input() -> String {
    "input".into()
}

/// Layers that follow each other, perhaps again and again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DescribedPart {
    /// What stands before the names of its tensors, with `{}` for a number: `layer{}.{}`.
    #[serde(default)]
    pub each: Option<String>,
    /// Its layers.
    pub layers: Vec<DescribedLayer>,
}

/// How one tensor joins two groups.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DescribedLayer {
    /// The tensor; without one, the nodes of `from` go on to those of `to` unchanged.
    #[serde(default)]
    pub tensor: Option<String>,
    /// The group that it reads.
    pub from: String,
    /// The group that it makes.
    #[serde(default)]
    pub to: Option<String>,
    /// The stream that it adds to.
    #[serde(default)]
    pub add: Option<String>,
    /// The tensor that takes the place of the unchanged stream, where the file has it.
    #[serde(default)]
    pub skip: Option<String>,
    /// Whether a stream that grows is padded with zeros on both sides.
    #[serde(default)]
    pub pad: bool,
    /// Whether files hold the tensor as [in, out].
    #[serde(default)]
    pub transposed: bool,
    /// Whether `to` is one group for each attention head.
    #[serde(default)]
    pub heads: bool,
    /// Parts of its outputs that share nodes: 3 where queries, keys and values are one tensor.
    #[serde(default = "one")]
    pub parts: usize,
    /// Whether it may be missing.
    #[serde(default)]
    pub optional: bool,
}

fn one() -> usize {
    1
}

/// Shapes of tensors by name.
pub type Shapes = BTreeMap<String, Vec<usize>>;

/// No more heads are read.
const MOST_HEADS: usize = 4096;

impl WiringDescription {
    /// The names of the descriptions built in.
    pub fn built_in_names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// A description built in: `resnet` and `resnet-bottleneck` (torchvision's names), `resnet20`
    /// (`layerN.M`, skips padded with zeros), `gpt2` (Hugging Face's names), `vit` (timm's names),
    /// `torchvision-vit`. `None` where there is none of that name.
    pub fn built_in(name: &str) -> Option<Result<Self, NetworkError>> {
        let (name, text) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
        Some(Self::parse(name, text))
    }

    /// Reads a description; `origin` is only named in errors.
    ///
    /// # Errors
    /// [`NetworkError::Description`] with the line where TOML or a key is wrong.
    pub fn parse(origin: &str, text: &str) -> Result<Self, NetworkError> {
        let description: Self = toml::from_str(text).map_err(|error| super::toml_error(origin, text, &error))?;
        let wrong = |message: String| NetworkError::Description {
            origin: origin.to_owned(),
            message: super::one_line(&message),
        };
        for layer in description.parts.iter().flat_map(|part| &part.layers) {
            let tensor = layer.tensor.as_deref().unwrap_or("(no tensor)");
            if layer.to.is_some() == layer.add.is_some() {
                return Err(wrong(format!("layer `{tensor}` needs either `to` or `add`")));
            }
            if layer.tensor.is_none() && layer.to.is_none() {
                return Err(wrong("a layer without a tensor needs `to`".into()));
            }
            if layer.parts == 0 {
                return Err(wrong(format!("layer `{tensor}` has 0 parts; at least 1 is needed")));
            }
            if layer.heads && layer.add.is_some() {
                return Err(wrong(format!("layer `{tensor}` adds to a stream, which has no heads")));
            }
        }
        if description.name.is_empty() || description.name.chars().any(char::is_control) {
            return Err(wrong("its name needs printable characters".into()));
        }
        if description.parts.iter().all(|part| part.layers.is_empty()) {
            return Err(wrong("no layers; add one under [[parts]]".into()));
        }
        Ok(description)
    }

    /// The wiring of a network with tensors of these shapes; `heads` is the number of attention heads.
    /// Tensors that the description does not name are left alone.
    ///
    /// # Errors
    /// [`NetworkError::Wiring`] with the tensor that is missing or whose shape does not fit, or where
    /// the number of heads is needed and not given.
    pub fn wiring(&self, shapes: &Shapes, heads: Option<usize>) -> Result<Wiring, NetworkError> {
        let none = [String::new()];
        let prefixes = if self.prefixes.is_empty() { &none[..] } else { &self.prefixes };
        let mut last = None;
        for prefix in prefixes {
            let there = !prefix.is_empty() && shapes.keys().any(|name| name.starts_with(prefix.as_str()));
            match Builder::new(self, prefix, shapes, heads.or(self.heads)).build() {
                Ok(wiring) => return Ok(wiring),
                // The prefix whose names are in the file has the better message.
                Err(error) if there || matches!(error, NetworkError::Heads { .. }) => return Err(error),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| NetworkError::Wiring("no prefix".into())))
    }
}

/// A group of the description: one group of nodes, or one for each head.
#[derive(Clone)]
struct Known {
    groups: Vec<usize>,
    /// The state of a stream.
    state: usize,
}

struct Builder<'a> {
    description: &'a WiringDescription,
    prefix: &'a str,
    shapes: &'a Shapes,
    heads: Option<usize>,
    wiring: Wiring,
    known: BTreeMap<String, Known>,
}

fn wrong<T>(message: String) -> Result<T, NetworkError> {
    Err(NetworkError::Wiring(super::one_line(&message)))
}

/// The numbers where `name` has the form of `pattern` and goes on with a dot.
fn numbers(pattern: &str, name: &str) -> Option<(Vec<u64>, String)> {
    let mut rest = name;
    let mut found = Vec::new();
    let mut pieces = pattern.split("{}");
    rest = rest.strip_prefix(pieces.next().unwrap_or_default())?;
    for piece in pieces {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        found.push(rest[..end].parse().ok()?);
        rest = rest[end..].strip_prefix(piece)?;
    }
    rest.starts_with('.').then(|| (found, name[..name.len() - rest.len()].to_owned()))
}

impl<'a> Builder<'a> {
    fn new(description: &'a WiringDescription, prefix: &'a str, shapes: &'a Shapes, heads: Option<usize>) -> Self {
        let wiring = Wiring { layers: Vec::new(), groups: Vec::new(), blocks: Vec::new(), skips: Vec::new() };
        Self { description, prefix, shapes, heads, wiring, known: BTreeMap::new() }
    }

    fn build(mut self) -> Result<Wiring, NetworkError> {
        for part in &self.description.parts {
            let Some(pattern) = &part.each else {
                self.part("", part)?;
                continue;
            };
            let pattern = format!("{}{pattern}", self.prefix);
            let mut found: Vec<(Vec<u64>, String)> =
                self.shapes.keys().filter_map(|name| numbers(&pattern, name)).collect();
            found.sort();
            found.dedup();
            if found.is_empty() {
                return wrong(format!("no tensor begins with `{pattern}.`, a number for each {{}}"));
            }
            for (_, place) in found {
                self.part(&place[self.prefix.len()..], part)?;
            }
        }
        let (input, output) = (&self.description.input, &self.description.output);
        let Some(last) = self.known.get(output) else {
            return wrong(format!("no layer gives the output group `{output}`"));
        };
        for &group in &last.groups {
            if self.wiring.groups[group].role == GroupRole::Input {
                return wrong(format!("group `{input}` is both the input and the output; nothing is added to it"));
            }
            self.wiring.groups[group].role = GroupRole::Output;
        }
        self.sort_groups();
        self.wiring.check()?;
        Ok(self.wiring)
    }

    /// Groups stand in the order in which layers make them, which is a topological one but where one
    /// is made before a later group that leads to it.
    fn sort_groups(&mut self) {
        let count = self.wiring.groups.len();
        let mut depth = vec![0usize; count];
        let ends: Vec<(usize, usize)> = self
            .wiring
            .blocks
            .iter()
            .map(|block| (block.source, block.target))
            .chain(self.wiring.skips.iter().map(|skip| (skip.source, skip.target)))
            .collect();
        if ends.iter().all(|(source, target)| source < target) {
            return;
        }
        for _ in 0..count.min(64) {
            for &(source, target) in &ends {
                depth[target] = depth[target].max(depth[source] + 1);
            }
        }
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by_key(|&group| (depth[group], group));
        let mut place = vec![0; count];
        for (new, &old) in order.iter().enumerate() {
            place[old] = new;
        }
        self.wiring.groups = order.iter().map(|&group| self.wiring.groups[group].clone()).collect();
        let ends = self.wiring.blocks.iter_mut().map(|block| (&mut block.source, &mut block.target));
        for (source, target) in
            ends.chain(self.wiring.skips.iter_mut().map(|skip| (&mut skip.source, &mut skip.target)))
        {
            (*source, *target) = (place[*source], place[*target]);
        }
    }

    fn is_stream(&self, name: &str) -> bool {
        self.description.parts.iter().flat_map(|part| &part.layers).any(|layer| layer.add.as_deref() == Some(name))
    }

    /// The full name of a group of a part.
    fn group_name(&self, place: &str, name: &str) -> String {
        let shared = place.is_empty()
            || self.is_stream(name)
            || [&self.description.input, &self.description.output].iter().any(|end| *end == name)
            || self.known.contains_key(name);
        if shared { name.to_owned() } else { format!("{place}.{name}") }
    }

    fn add_group(&mut self, name: String, size: usize) -> usize {
        self.wiring.groups.push(WiredGroup { name, size, role: GroupRole::Hidden });
        self.wiring.groups.len() - 1
    }

    fn part(&mut self, place: &str, part: &DescribedPart) -> Result<(), NetworkError> {
        for layer in &part.layers {
            self.layer(place, layer)?;
            if self.wiring.groups.len() > super::wiring::MOST {
                return wrong(format!("more than {} groups", super::wiring::MOST));
            }
        }
        Ok(())
    }

    fn full(&self, place: &str, tensor: &str) -> String {
        let dot = if place.is_empty() { "" } else { "." };
        format!("{}{place}{dot}{tensor}", self.prefix)
    }

    fn layer(&mut self, place: &str, layer: &DescribedLayer) -> Result<(), NetworkError> {
        let Some(tensor) = &layer.tensor else { return self.carry(place, layer) };
        let tensor = self.full(place, tensor);
        let Some(index) = self.add_layer(&tensor, layer.transposed)? else {
            return if layer.optional { Ok(()) } else { wrong(format!("tensor `{tensor}` is missing")) };
        };
        let shape = self.wiring.layers[index].shape.clone();
        let from = self.source(place, &layer.from, &shape)?;
        if let Some(stream) = &layer.add {
            let before = self.known.get(stream).cloned();
            let (target, skip) = self.grow(place, layer, stream, shape[0], &from)?;
            self.join(index, &from, &[target], 1)?;
            return match (skip, before) {
                (Some(skip), Some(before)) => self.join(skip, &before, &[target], 1),
                _ => Ok(()),
            };
        }
        let name = self.group_name(place, layer.to.as_deref().unwrap_or_default());
        if !shape[0].is_multiple_of(layer.parts) {
            return wrong(format!(
                "tensor `{tensor}` has {} outputs, which are not {} equal parts",
                shape[0], layer.parts
            ));
        }
        let size = shape[0] / layer.parts;
        let targets = match self.known.get(&name) {
            Some(known) if !layer.heads && !self.is_stream(&name) => known.groups.clone(),
            Some(_) => return wrong(format!("group `{name}` is made twice; `add` adds to a stream")),
            None if layer.heads => {
                let Some(heads) = self.heads.filter(|heads| (1..=MOST_HEADS).contains(heads)) else {
                    return Err(NetworkError::Heads { group: super::one_line(&name), units: size });
                };
                if !size.is_multiple_of(heads) {
                    return wrong(format!("tensor `{tensor}` gives {size} units, which are not {heads} equal heads"));
                }
                (0..heads).map(|head| self.add_group(format!("{name}.{head}"), size / heads)).collect()
            }
            None => {
                let full = if self.is_stream(&name) { format!("{name}.0") } else { name.clone() };
                vec![self.add_group(full, size)]
            }
        };
        self.known.insert(name, Known { groups: targets.clone(), state: 0 });
        self.join(index, &from, &targets, layer.parts)
    }

    /// Adds a tensor to the layers; `None` where it is not in the file.
    fn add_layer(&mut self, tensor: &str, transposed: bool) -> Result<Option<usize>, NetworkError> {
        let Some(shape) = self.shapes.get(tensor) else { return Ok(None) };
        if !matches!(shape.len(), 2 | 4) || shape.contains(&0) {
            return wrong(format!(
                "tensor `{tensor}` has shape {shape:?}; [out, in] or [out, in, kh, kw] is right, none of them 0"
            ));
        }
        let mut shape = shape.clone();
        if transposed {
            shape.reverse();
        }
        let name = tensor.strip_suffix(".weight").filter(|name| !name.is_empty()).unwrap_or(tensor).to_owned();
        self.wiring.layers.push(WiredLayer { name, tensor: tensor.to_owned(), transposed, shape });
        Ok(Some(self.wiring.layers.len() - 1))
    }

    /// The groups that a layer reads; the input is made by the first one that does.
    fn source(&mut self, place: &str, from: &str, shape: &[usize]) -> Result<Known, NetworkError> {
        let name = self.group_name(place, from);
        if let Some(known) = self.known.get(&name) {
            return Ok(known.clone());
        }
        if name != self.description.input {
            return wrong(format!("group `{name}` is read before a layer gives it"));
        }
        let full = if self.is_stream(&name) { format!("{name}.0") } else { name.clone() };
        let group = self.add_group(full, shape[1]);
        self.wiring.groups[group].role = GroupRole::Input;
        let known = Known { groups: vec![group], state: 0 };
        self.known.insert(name, known.clone());
        Ok(known)
    }

    /// The next state of a stream, and the tensor that takes the last one there if there is one; else a
    /// skip carries it on.
    fn grow(
        &mut self,
        place: &str,
        layer: &DescribedLayer,
        stream: &str,
        size: usize,
        from: &Known,
    ) -> Result<(usize, Option<usize>), NetworkError> {
        let Some(known) = self.known.get(stream).cloned() else {
            return wrong(format!("stream `{stream}` is added to before a layer gives it"));
        };
        let (before, state) = (known.groups[0], known.state + 1);
        let last = self.wiring.groups[before].size;
        let group = self.add_group(format!("{stream}.{state}"), size);
        self.known.insert(stream.to_owned(), Known { groups: vec![group], state });
        if let Some(skip) = &layer.skip {
            let skip = self.full(place, skip);
            if let Some(index) = self.add_layer(&skip, false)? {
                return Ok((group, Some(index)));
            }
        }
        if from.groups.contains(&before) {
            return wrong(format!("stream `{stream}` is read and added to by one layer; a group must stand between"));
        }
        let offset = match size.checked_sub(last) {
            Some(0) => 0,
            Some(more) if layer.pad && more % 2 == 0 => more / 2,
            _ => {
                return wrong(format!(
                    "stream `{stream}` has {last} nodes and `{}` gives {size}; give a `skip` tensor, or `pad`",
                    layer.tensor.as_deref().unwrap_or_default()
                ));
            }
        };
        let name = format!("{stream}.{}-{state}", state - 1);
        self.wiring.skips.push(Skip { name, source: before, target: group, offset, count: last });
        Ok((group, None))
    }

    /// A group that goes on unchanged to another.
    fn carry(&mut self, place: &str, layer: &DescribedLayer) -> Result<(), NetworkError> {
        let (from, to) =
            (self.group_name(place, &layer.from), self.group_name(place, layer.to.as_deref().unwrap_or_default()));
        let (Some(source), Some(target)) = (self.known.get(&from).cloned(), self.known.get(&to).cloned()) else {
            return wrong(format!("`{from}` goes on to `{to}`, but both must be made before"));
        };
        if source.groups.len() != target.groups.len() {
            return wrong(format!("`{from}` goes on to `{to}`, which has not as many heads"));
        }
        for (head, (&source, &target)) in source.groups.iter().zip(&target.groups).enumerate() {
            let count = self.wiring.groups[source].size;
            let name = format!("{from}-{to}.{head}");
            self.wiring.skips.push(Skip { name, source, target, offset: 0, count });
        }
        Ok(())
    }

    /// The blocks of a layer between groups, of which one side may be heads.
    fn join(&mut self, layer: usize, from: &Known, to: &[usize], parts: usize) -> Result<(), NetworkError> {
        let WiredLayer { name, shape, tensor, .. } = self.wiring.layers[layer].clone();
        let (outputs, fan_in) =
            (shape[0], shape[1..].iter().fold(1usize, |product, &size| product.saturating_mul(size)));
        let sizes = |groups: &[usize]| groups.iter().map(|&group| self.wiring.groups[group].size).sum::<usize>();
        let (sources, targets) = (sizes(&from.groups), sizes(to));
        // The taps of a kernel, or the positions of a flattened map. A convolution that reads a part of
        // its source has groups.
        let grouped =
            shape.len() == 4 && shape[1] < sources && sources.is_multiple_of(shape[1]) && from.groups.len() == 1;
        let groups = if grouped { sources / shape[1] } else { 1 };
        let span = fan_in.saturating_mul(groups) / sources.max(1);
        if targets.saturating_mul(parts) != outputs
            || span.saturating_mul(sources) != fan_in.saturating_mul(groups)
            || span == 0
        {
            return wrong(format!(
                "tensor `{tensor}` has shape {shape:?}, but joins groups of {sources} and {targets} nodes"
            ));
        }
        let whole = from.groups.len() == 1 && to.len() == 1;
        let mut first_column = 0;
        for (a, &source) in from.groups.iter().enumerate() {
            let mut first_row = 0;
            for (b, &target) in to.iter().enumerate() {
                let part = if to.len() > 1 { b } else { a };
                let name = if whole { name.clone() } else { format!("{name}[{part}]") };
                let rows = (0..parts).map(|part| part * targets + first_row).collect();
                self.wiring.blocks.push(WiredBlock { name, layer, source, target, rows, first_column, span, groups });
                first_row += self.wiring.groups[target].size;
            }
            first_column += self.wiring.groups[source].size / groups * span;
        }
        if from.groups.len() > 1 && to.len() > 1 {
            return wrong(format!("tensor `{tensor}` joins heads with heads; one side must be one group"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
