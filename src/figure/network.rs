//! The layered network itself: active paths highlighted, dead units hollow.

use serde::Deserialize;

use super::axis::{Axis, Spacing};
use super::error::FigureError;
use super::figure_of::Figure;
use super::fits::significant;
use super::kind::Kind;
use super::page::Page;
use super::panel::Panel;
use super::series::{Joined, Key, Look, Point, Series};
use super::sources::Sources;
use super::style::{Preset, Style};
use super::text::Rich;

/// More edges than this are a grey area and no drawing.
const MOST_EDGES: usize = 20_000;
/// The height of a layer, in that of a panel.
const LAYER: f64 = 0.42;
/// A share of the width that stays free at both ends.
const MARGIN: f64 = 0.01;

#[derive(Deserialize)]
struct Node {
    id: usize,
    group: String,
    role: String,
}

#[derive(Deserialize)]
struct Edge {
    source: usize,
    target: usize,
}

#[derive(Deserialize)]
struct About {
    density: f64,
}

/// What `prunephase graph --format json` writes.
#[derive(Deserialize)]
struct Graph {
    graph: About,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

/// A graph with what lies on a path from an input to an output.
struct Flow {
    /// Names of the layers from the inputs to the outputs, with their nodes.
    layers: Vec<(String, Vec<usize>)>,
    layer_of: Vec<usize>,
    active: Vec<bool>,
    edges: Vec<(usize, usize, bool)>,
}

impl Flow {
    fn of(graph: &Graph) -> Option<Self> {
        let count = graph.nodes.len();
        let known = graph.nodes.iter().enumerate().all(|(at, node)| node.id == at)
            && graph.edges.iter().all(|edge| edge.source < count && edge.target < count);
        if !known {
            return None;
        }
        let mut layers: Vec<(String, Vec<usize>)> = Vec::new();
        let mut layer_of = Vec::with_capacity(count);
        for node in &graph.nodes {
            if layers.last().is_none_or(|(name, _)| *name != node.group) {
                layers.push((node.group.clone(), Vec::new()));
            }
            let at = layers.len() - 1;
            layers[at].1.push(node.id);
            layer_of.push(at);
        }
        let reach = |role: &str, forth: bool| {
            let mut seen: Vec<bool> = graph.nodes.iter().map(|node| node.role == role).collect();
            let mut next: Vec<Vec<usize>> = vec![Vec::new(); count];
            for edge in &graph.edges {
                let (from, to) = if forth { (edge.source, edge.target) } else { (edge.target, edge.source) };
                next[from].push(to);
            }
            let mut open: Vec<usize> = (0..count).filter(|&node| seen[node]).collect();
            while let Some(node) = open.pop() {
                for &to in &next[node] {
                    if !seen[to] {
                        seen[to] = true;
                        open.push(to);
                    }
                }
            }
            seen
        };
        let (forth, back) = (reach("input", true), reach("output", false));
        let active = forth.iter().zip(&back).map(|(&forth, &back)| forth && back).collect();
        let edges = graph
            .edges
            .iter()
            .map(|edge| (edge.source, edge.target, forth[edge.source] && back[edge.target]))
            .collect();
        Some(Self { layers, layer_of, active, edges })
    }

    /// The places of the nodes from left to right, between 0 and 1: inputs and outputs in their order; hidden units by the
    /// mean place of the units below them that they are joined to, so that fewer edges cross, dead ones behind.
    fn places(&self) -> Vec<f64> {
        let mut below: Vec<Vec<usize>> = vec![Vec::new(); self.layer_of.len()];
        for &(source, target, active) in &self.edges {
            if active {
                below[target].push(source);
            }
        }
        let mut places = vec![0.0; self.layer_of.len()];
        let last = self.layers.len() - 1;
        for (at, (_, nodes)) in self.layers.iter().enumerate() {
            let mut order: Vec<(bool, f64, usize)> = nodes
                .iter()
                .map(|&node| {
                    let mean = below[node].iter().map(|&source| places[source]).sum::<f64>() / below[node].len() as f64;
                    let hidden = at > 0 && at < last;
                    let key = if hidden && mean.is_finite() { mean } else { node as f64 };
                    (hidden && !self.active[node], key, node)
                })
                .collect();
            order.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
            let slots = nodes.len() as f64;
            for (slot, (_, _, node)) in order.into_iter().enumerate() {
                places[node] = (slot as f64 + 0.5) / slots;
            }
        }
        places
    }
}

/// Draws the figure.
pub(super) fn draw(sources: &Sources, style: &Style, preset: &Preset) -> Result<Figure, FigureError> {
    let found = sources.one(Kind::Network)?;
    let (graph, provenance): (Graph, _) = found.json()?;
    let wrong = |reason: &str| FigureError::Json { path: found.path().to_path_buf(), reason: reason.to_owned() };
    if graph.edges.len() > MOST_EDGES {
        let many =
            format!("{} edges, at most {MOST_EDGES} can be drawn: take a level of lower density", graph.edges.len());
        return Err(wrong(&many));
    }
    let flow = Flow::of(&graph).filter(|flow| flow.layers.len() > 1);
    let flow =
        flow.ok_or_else(|| wrong("nodes are not numbered from 0 on in two layers or more, or an edge leads nowhere"))?;
    let places = flow.places();
    let at = |node: usize| Point::new(places[node], flow.layer_of[node] as f64);

    let pale =
        Look { colour: style.colours.light.over(style.colours.paper, 0.7), weight: 0.45, ..Look::of(style, 0).line() };
    let bright = Look { colour: style.colour(1), weight: 0.75, ..Look::of(style, 1).line() };
    let mut series = Vec::new();
    // What is active lies above the rest.
    for (shown, look, name) in [(false, pale, "other edge"), (true, bright, "active edge")] {
        for &(source, target, active) in flow.edges.iter().filter(|edge| edge.2 == shown) {
            let _ = active;
            series.push(Series::new(name, format!("{source}-{target}"), look, vec![at(source), at(target)]));
        }
    }
    let inner_width = preset.width_mm * 72.0 / 25.4 / preset.scale * 0.85;
    for (name, nodes) in &flow.layers {
        let most = nodes.len() as f64;
        // As large as a usual marker, and smaller where there is no room side by side.
        let size = (inner_width / most * 0.78 / style.markers.size).clamp(0.18, 1.3);
        for (alive, what) in [(false, "dead"), (true, "active")] {
            let look = Look {
                colour: if alive { style.colour(0) } else { style.colours.ink },
                open: !alive,
                size,
                ..Look::of(style, 0).points()
            };
            let points = nodes.iter().filter(|&&node| flow.active[node] == alive).map(|&node| at(node)).collect();
            series.push(Series::new(format!("{what} node"), name.as_str(), look, points));
        }
    }
    let last = (flow.layers.len() - 1) as f64;
    let x = Axis { spacing: Spacing::Linear, low: -MARGIN, high: 1.0 + MARGIN };
    let y = Axis { spacing: Spacing::Linear, low: -0.2, high: last + 0.2 };
    let height = preset.panel_height * LAYER * (last + 0.4);
    let mut panel = Panel::new(height, Rich::default(), Rich::default(), x, y);
    panel.framed = false;
    panel.x_shown = false;
    panel.y_categories = flow
        .layers
        .iter()
        .enumerate()
        .map(|(at, (name, nodes))| {
            let alive = nodes.iter().filter(|&&node| flow.active[node]).count();
            (at as f64, Rich::plain(format!("{name}: {alive}/{}", nodes.len())))
        })
        .collect();
    panel.series = series;
    let active = flow.edges.iter().filter(|edge| edge.2).count();
    let mut page = Page::of(vec![panel], 1);
    let node = Look { colour: style.colour(0), ..Look::of(style, 0).points() };
    let dead = Look { colour: style.colours.ink, open: true, ..node };
    let wide = |look: Look| Look { weight: 1.2, joined: Joined::Solid, ..look };
    page.legend = vec![
        Key { text: Rich::plain(format!("on a path from an input to an output ({active})")), look: wide(bright) },
        Key { text: Rich::plain(format!("other kept weights ({})", flow.edges.len() - active)), look: wide(pale) },
        Key { text: Rich::plain("active unit"), look: node },
        Key { text: Rich::plain("dead unit"), look: dead },
        Key {
            text: Rich::plain(format!("density {}", significant(graph.graph.density, 3))),
            look: Look { shape: None, ..node },
        },
    ];
    let description = format!(
        "The kept weights at density {} from the inputs (below) to the outputs (above), with the number of units on a path \
         from an input to an output and of all units of each layer. Hidden units stand near the units below them that they \
         are joined to; dead ones, which lie on no such path, are hollow and stand on the right.",
        graph.graph.density
    );
    Ok(Figure::of(Kind::Network, page, vec![provenance], &description))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(usize, usize)]) -> Graph {
        let node = |id: usize| {
            let (group, role) = [("in", "input"), ("h", "hidden"), ("out", "output")][id / 2];
            Node { id, group: group.into(), role: role.into() }
        };
        Graph {
            graph: About { density: 0.5 },
            nodes: (0..6).map(node).collect(),
            edges: edges.iter().map(|&(source, target)| Edge { source, target }).collect(),
        }
    }

    #[test]
    fn what_lies_on_no_path_is_dead() {
        // 0 -> 2 -> 4 is a path; 3 has no way on, and 5 is not reached.
        let flow = Flow::of(&graph(&[(0, 2), (2, 4), (1, 3)])).unwrap();
        assert_eq!(flow.active, [true, false, true, false, true, false]);
        assert_eq!(flow.edges.iter().map(|edge| edge.2).collect::<Vec<_>>(), [true, true, false]);
        let places = flow.places();
        assert!(places[2] < places[3], "dead units stand behind");
        assert!(Flow::of(&graph(&[(0, 9)])).is_none());
    }
}
