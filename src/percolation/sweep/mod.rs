//! The sweep: components and flow along an order.

use std::ops::RangeInclusive;

use rayon::prelude::*;

use super::edge_order::{self, Ends, Narrow, Order, Ranking, Wide};
use super::flow::Reached;
use super::joins::Join;
use super::shared::{self, SharedLinks};
use super::{Components, Curve, Flow, Observables, Points};
use crate::graph::LayeredGraph;

/// The ends of all kept weights in their order.
#[derive(Debug, Clone)]
enum Edges {
    Narrow(Vec<Narrow>),
    Wide(Vec<Wide>),
    Shared(SharedLinks),
}

/// The observables along one order, at growing numbers of kept weights: an iterator, so that a
/// curve of any length takes no room.
///
/// O(edges) up to the inverse Ackermann function, the sort included; beside the graph at most 16
/// bytes an edge, and 24 where there are more than 65,536 nodes. Where weights are shared, O(links +
/// edges log edges) and 8 bytes a link.
///
/// ```
/// use prunephase::graph::{Encoding, LayeredGraph};
/// use prunephase::mask::Mask;
/// use prunephase::network::{Architecture, FeatureShape, Parameters};
/// use prunephase::percolation::{Points, Ranking, Sweep};
/// use prunephase::seed::Seeds;
///
/// let network = Architecture::built_in("fc4")?.network(4, FeatureShape::image(1, 8, 8), 10)?;
/// let parameters = Parameters::initialise(&network, &mut Seeds::new(0, 0).stream("initialisation"));
/// let graph = LayeredGraph::from_network(&network, &parameters, &Mask::dense(&network), Encoding::Channel)?;
/// // The number of kept weights at which a signal first reaches every output.
/// let all = Sweep::new(&graph, Ranking::Magnitude, &Points::All).find(|seen| seen.outputs_reached == 10);
/// assert!(all.is_some_and(|seen| seen.edges < graph.edges()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Sweep<'a> {
    graph: &'a LayeredGraph,
    edges: Edges,
    flow: Flow,
    reached: Reached,
    components: Components,
    /// The weights added so far.
    added: usize,
    numbers: std::vec::IntoIter<usize>,
    /// The next number where every one is observed; `numbers` is empty then.
    every: Option<usize>,
}

impl<'a> Sweep<'a> {
    /// The sweep of a graph in an order; nothing is observed of a graph that keeps no weight.
    ///
    /// # Panics
    /// Where a ranking by scores has not one score a kept weight.
    pub fn new(graph: &'a LayeredGraph, ranking: Ranking<'_>, points: &Points) -> Self {
        let (edges, flow) = if graph.shares_weights() {
            let times = shared::times(graph, ranking);
            (Edges::Shared(SharedLinks::new(graph, &times)), shared::flow(graph, &times))
        } else if edge_order::is_narrow(graph) {
            let edges = edge_order::ordered(graph, ranking);
            let flow = Flow::new(graph, &edges);
            (Edges::Narrow(edges), flow)
        } else {
            let edges = edge_order::ordered(graph, ranking);
            let flow = Flow::new(graph, &edges);
            (Edges::Wide(edges), flow)
        };
        let every = (*points == Points::All).then_some(1);
        let numbers = if every.is_some() { Vec::new() } else { points.numbers(graph.edges()) };
        Self {
            graph,
            edges,
            flow,
            reached: Reached::default(),
            components: Components::of_skips(graph),
            added: 0,
            numbers: numbers.into_iter(),
            every,
        }
    }

    /// The components at the number of kept weights observed last, at 0 before the first.
    pub fn components(&self) -> &Components {
        &self.components
    }

    /// The observables where no weight is there yet.
    pub(super) fn empty(&self) -> Observables {
        let mut reached = Reached::default();
        self.flow.advance(&mut reached, 0);
        observed(self.graph, 0, &Components::of_skips(self.graph), &self.flow, reached)
    }

    fn next_number(&mut self) -> Option<usize> {
        match &mut self.every {
            Some(next) if *next <= self.graph.edges() => {
                *next += 1;
                Some(*next - 1)
            }
            Some(_) => None,
            None => self.numbers.next(),
        }
    }
}

impl Iterator for Sweep<'_> {
    type Item = Observables;

    fn next(&mut self) -> Option<Observables> {
        let edges = self.next_number()?;
        // Nothing changes any more once all nodes are in one component.
        if self.components.count() > 1 {
            match &self.edges {
                Edges::Narrow(ends) => join(&mut self.components, &ends[self.added..edges]),
                Edges::Wide(ends) => join(&mut self.components, &ends[self.added..edges]),
                Edges::Shared(links) => join(&mut self.components, links.of(self.added..edges)),
            }
        }
        self.added = edges;
        self.flow.advance(&mut self.reached, edges);
        Some(observed(self.graph, edges, &self.components, &self.flow, self.reached))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match self.every {
            Some(next) => self.graph.edges() + 1 - next,
            None => self.numbers.len(),
        };
        (left, Some(left))
    }
}

impl ExactSizeIterator for Sweep<'_> {}

#[inline]
fn join<E: Ends>(components: &mut Components, edges: &[E]) {
    for edge in edges {
        components.join(edge.source(), edge.target());
    }
}

fn observed(graph: &LayeredGraph, edges: usize, components: &Components, flow: &Flow, reached: Reached) -> Observables {
    Observables {
        edges,
        nodes: graph.nodes(),
        dense: graph.dense(),
        s1: components.s1(),
        s2: components.s2(),
        squares_but_largest: components.squares_but_largest(),
        components: components.count(),
        outputs_reached: reached.outputs,
        inputs_used: reached.inputs,
        active_edges: flow.active_edges(edges),
        dead: flow.hidden() - reached.alive,
    }
}

/// The curve of one order. `seed` and `realisation` name the random one: the same two give the same
/// curve; in magnitude order both are ignored. A graph that keeps no weight gives a curve without
/// points. Cost: see [`Sweep`].
///
/// ```
/// use prunephase::graph::{Encoding, LayeredGraph};
/// use prunephase::mask::Mask;
/// use prunephase::network::{Architecture, FeatureShape, Parameters};
/// use prunephase::percolation::{Order, Points, sweep};
/// use prunephase::seed::Seeds;
///
/// let network = Architecture::built_in("fc4")?.network(4, FeatureShape::image(1, 8, 8), 10)?;
/// let parameters = Parameters::initialise(&network, &mut Seeds::new(0, 0).stream("initialisation"));
/// let graph = LayeredGraph::from_network(&network, &parameters, &Mask::dense(&network), Encoding::Channel)?;
/// let curve = sweep(&graph, Order::Magnitude, 0, 0, &Points::default());
/// let (first, last) = (curve.points[0], curve.points[curve.points.len() - 1]);
/// assert_eq!((first.edges, first.s1, first.active_edges), (1, 2, 0));
/// assert_eq!((last.p_inf(), last.chi(), last.outputs_reached), (1.0, 0.0, 10));
/// assert_eq!(last.active_edges, graph.edges());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
/// For [`Order::Score`], whose scores only [`Ranking::Scores`] brings.
pub fn sweep(graph: &LayeredGraph, order: Order, seed: u64, realisation: u64, points: &Points) -> Curve {
    let ranking = match order {
        Order::Magnitude => Ranking::Magnitude,
        Order::Random => Ranking::Random { seed, realisation },
        Order::Score => panic!("an order by scores needs them: use Sweep::new with Ranking::Scores"),
    };
    Curve { order, realisation: ranking.realisation(), points: Sweep::new(graph, ranking, points).collect() }
}

/// The curves of realisations 0 to `realisations` - 1, one alone in magnitude order; `done` is
/// called after each, in any order and from any thread. The curves do not depend on the number of
/// threads.
///
/// # Panics
/// As [`sweep`].
pub fn ensemble(
    graph: &LayeredGraph,
    order: Order,
    seed: u64,
    realisations: u64,
    points: &Points,
    done: impl Fn() + Sync,
) -> Vec<Curve> {
    let realisations = if order == Order::Random { realisations } else { realisations.min(1) };
    (0..realisations)
        .into_par_iter()
        .map(|realisation| {
            let curve = sweep(graph, order, seed, realisation, points);
            done();
            curve
        })
        .collect()
}

/// Calls `visit` with the components along an order, without the flow, each time with the numbers
/// of kept weights at which they are these: the ranges follow each other from 1 to all. At most as
/// many calls as there are nodes.
///
/// O(edges) up to the inverse Ackermann function. Only the edges of the largest scores, a few a node, and those
/// that they leave between two components are sorted: 2 bytes an edge, and up to 28 for one that is sorted.
///
/// ```
/// use prunephase::graph::{Block, LayeredGraph, Role};
/// use prunephase::percolation::{Ranking, sweep_components};
///
/// let block = Block::new("fc", (0, 2), (1, 2), 4, [(0, 0, 4.0), (0, 1, 3.0), (1, 0, 1.0), (1, 1, 2.0)])?;
/// let groups = [("input".to_owned(), 2, Role::Input), ("fc".to_owned(), 2, Role::Output)];
/// let graph = LayeredGraph::new(groups, vec![block])?;
/// let mut s1 = Vec::new();
/// sweep_components(&graph, Ranking::Magnitude, |edges, components| s1.push((edges, components.s1())));
/// assert_eq!(s1, [(1..=1, 2), (2..=2, 3), (3..=4, 4)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
/// As [`Sweep::new`].
pub fn sweep_components(
    graph: &LayeredGraph,
    ranking: Ranking<'_>,
    mut visit: impl FnMut(RangeInclusive<usize>, &Components),
) {
    fn along<E: Ends>(
        graph: &LayeredGraph,
        ranking: Ranking<'_>,
        visit: &mut impl FnMut(RangeInclusive<usize>, &Components),
    ) {
        let mut components = Components::new(graph.nodes());
        // The number from which on the components are these.
        let mut since = 0;
        for Join { number, ends } in edge_order::joins::<E>(graph, ranking) {
            let number = number as usize;
            components.join_after(ends.source(), ends.target(), |before| {
                if since > 0 {
                    visit(since..=number - 1, before);
                }
            });
            since = number;
        }
        if graph.edges() > 0 {
            visit(since..=graph.edges(), &components);
        }
    }
    if graph.shares_weights() {
        return shared::sweep_components(graph, ranking, visit);
    }
    if edge_order::is_narrow(graph) {
        along::<Narrow>(graph, ranking, &mut visit);
    } else {
        along::<Wide>(graph, ranking, &mut visit);
    }
}

/// The observables of the whole graph. O(edges).
pub fn observe(graph: &LayeredGraph) -> Observables {
    fn whole<E: Ends>(graph: &LayeredGraph) -> Observables {
        let edges = edge_order::in_place::<E>(graph);
        let mut components = Components::new(graph.nodes());
        join(&mut components, &edges);
        let flow = Flow::new(graph, &edges);
        let mut reached = Reached::default();
        flow.advance(&mut reached, edges.len());
        observed(graph, edges.len(), &components, &flow, reached)
    }
    if graph.shares_weights() {
        let mut sweep = Sweep::new(graph, Ranking::Magnitude, &Points::At(vec![graph.edges()]));
        return sweep.next().unwrap_or_else(|| sweep.empty());
    }
    if edge_order::is_narrow(graph) { whole::<Narrow>(graph) } else { whole::<Wide>(graph) }
}

#[cfg(test)]
mod tests;
