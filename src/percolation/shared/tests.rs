use proptest::prelude::*;

use super::*;
use crate::graph::{Encoding, Role};
use crate::mask::Mask;
use crate::network::{Architecture, FeatureShape, Network, Parameters};
use crate::percolation::edge_order;
use crate::percolation::testing::{joined_groups, with_mixed_roles};
use crate::percolation::{Observables, Order, Points, Sweep, ensemble, observe, sweep, sweep_components};
use crate::seed::Stream;

/// A random graph of 3 or 4 groups, any two of which may be joined, in blocks that come in any
/// order; weights have ties, any number of links, or none.
fn random_graph(stream: &mut Stream) -> LayeredGraph {
    let count = 3 + stream.below(2) as usize;
    let sizes: Vec<usize> = (0..count).map(|_| 1 + stream.below(5) as usize).collect();
    let mut blocks = Vec::new();
    for (source, target) in joined_groups(count, stream) {
        let weights: Vec<f32> = (0..stream.below(8)).map(|_| stream.below(7) as f32 - 3.0).collect();
        let share = 1 + stream.below(6);
        let mut links = Vec::new();
        for row in 0..sizes[target] {
            for column in 0..sizes[source] {
                links.extend((0..weights.len()).filter(|_| stream.below(20) < share).map(|w| (row, column, w)));
            }
        }
        let (from, to) = ((source, sizes[source]), (target, sizes[target]));
        blocks.push(Block::sharing(format!("{source}-{target}"), from, to, 10, &weights, links).unwrap());
    }
    stream.shuffle(&mut blocks);
    with_mixed_roles(&sizes, blocks)
}

const CONVOLUTIONS: &str = "name = \"convolutions\"\n\
    [[layers]]\nkind = \"convolution\"\nname = \"c1\"\nunits = 2\nkernel = 3\npadding = 1\n\
    [[layers]]\nkind = \"max-pool\"\nkernel = 2\nstride = 1\n\
    [[layers]]\nkind = \"convolution\"\nname = \"c2\"\nunits = 2\nkernel = 2\nstride = 2\npadding = 1\n\
    [[layers]]\nkind = \"max-pool\"\nkernel = 2\nstride = 2\n\
    [[layers]]\nkind = \"linear\"\nname = \"l1\"\nunits = 3\n\
    [[layers]]\nkind = \"linear\"\nname = \"l2\"\nunits = \"classes\"\n";

fn random_convolutions(stream: &mut Stream) -> (Network, Parameters, Mask) {
    let input = FeatureShape::image(1, 4 + stream.below(3) as usize, 4 + stream.below(3) as usize);
    let network = Architecture::parse("convolutions", CONVOLUTIONS).unwrap().network(1, input, 3).unwrap();
    let mut parameters = Parameters::initialise(&network, stream);
    let mut mask = Mask::dense(&network);
    for (weights, kept) in parameters.layers.iter_mut().zip(&mut mask.layers) {
        let share = 2 + stream.below(12);
        weights.weight.mapv_inplace(|w| (w * 10.0).round());
        kept.kept.mapv_inplace(|_| stream.below(20) < share);
    }
    (network, parameters, mask)
}

/// The observables of the weights in `kept`, from scratch: nodes are relabelled and marked until
/// nothing changes.
fn brute_force(graph: &LayeredGraph, kept: &[u32]) -> Observables {
    let links: Vec<(u32, usize, usize)> = graph
        .weight_links()
        .filter(|link| kept.contains(&link.0))
        .map(|(weight, source, target)| (weight, source as usize, target as usize))
        .collect();
    let nodes = graph.nodes();
    let mut label: Vec<usize> = (0..nodes).collect();
    let role = |node: usize| graph.groups()[graph.node(node).group].role;
    let mut forward: Vec<bool> = (0..nodes).map(|node| role(node) == Role::Input).collect();
    let mut backward: Vec<bool> = (0..nodes).map(|node| role(node) == Role::Output).collect();
    loop {
        let before = (label.clone(), forward.clone(), backward.clone());
        for &(_, source, target) in &links {
            let least = label[source].min(label[target]);
            (label[source], label[target]) = (least, least);
            forward[target] |= forward[source];
            backward[source] |= backward[target];
        }
        if before == (label.clone(), forward.clone(), backward.clone()) {
            break;
        }
    }
    let mut sizes = vec![0; nodes];
    label.iter().for_each(|&label| sizes[label] += 1);
    sizes.retain(|&size| size > 0);
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let on_path = |of: Role| (0..nodes).filter(|&node| role(node) == of && forward[node] && backward[node]).count();
    let active = |weight: &&u32| links.iter().any(|link| link.0 == **weight && forward[link.1] && backward[link.2]);
    Observables {
        edges: kept.len(),
        nodes,
        dense: graph.dense(),
        s1: sizes[0],
        s2: sizes.get(1).copied().unwrap_or(0),
        squares_but_largest: sizes[1..].iter().map(|&size| (size * size) as u64).sum(),
        components: sizes.len(),
        outputs_reached: on_path(Role::Output),
        inputs_used: on_path(Role::Input),
        active_edges: kept.iter().filter(active).count(),
        dead: graph.nodes_with(Role::Hidden) - on_path(Role::Hidden),
    }
}

/// The weights by descending score, ties in their order, by picking the best again and again.
fn ranked(scores: &[f32]) -> Vec<u32> {
    let mut left: Vec<u32> = (0..scores.len() as u32).collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let best = left.iter().map(|&weight| scores[weight as usize]).fold(f32::NEG_INFINITY, f32::max);
        let place = left.iter().position(|&weight| scores[weight as usize] == best).unwrap();
        order.push(left.remove(place));
    }
    order
}

fn check(graph: &LayeredGraph, order: &[u32], points: &[Observables]) {
    assert_eq!((points.len(), order.len()), (graph.edges(), graph.edges()));
    for (index, point) in points.iter().enumerate() {
        assert_eq!(*point, brute_force(graph, &order[..=index]));
    }
}

/// Every order, every number of kept weights, every observable.
fn check_all(graph: &LayeredGraph, seed: u64, stream: &mut Stream) {
    let magnitudes: Vec<f32> = graph.magnitudes().collect();
    let order = ranked(&magnitudes);
    check(graph, &order, &sweep(graph, Order::Magnitude, 0, 0, &Points::All).points);
    assert_eq!(observe(graph), brute_force(graph, &order));

    let mut order: Vec<u32> = (0..graph.edges() as u32).collect();
    Seeds::new(seed, 3).stream("percolation: random order").shuffle(&mut order);
    let curve = sweep(graph, Order::Random, seed, 3, &Points::All);
    check(graph, &order, &curve.points);
    // Fewer points are the same points.
    let some = sweep(graph, Order::Random, seed, 3, &Points::Logarithmic(4));
    assert!(some.points.iter().all(|point| *point == curve.points[point.edges - 1]));

    let scores: Vec<f32> = (0..graph.edges()).map(|_| (stream.below(5) as f32 - 2.0) * -0.5).collect();
    let ranking = Ranking::Scores(&scores);
    let points: Vec<_> = Sweep::new(graph, ranking, &Points::All).collect();
    check(graph, &ranked(&scores), &points);
    let mut alone = Vec::new();
    sweep_components(graph, ranking, |edges, seen| {
        alone.extend(edges.map(|_| (seen.s1(), seen.s2(), seen.count())));
    });
    assert_eq!(alone, points.iter().map(|seen| (seen.s1, seen.s2, seen.components)).collect::<Vec<_>>());
    let (mut next, mut calls) = (1, 0);
    super::sweep_components(graph, ranking, |numbers, _| {
        assert!(*numbers.start() == next && numbers.end() >= &next);
        (next, calls) = (numbers.end() + 1, calls + 1);
    });
    assert!(next == graph.edges() + 1 && calls <= graph.nodes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn shared_weights_agree_with_searches(seed in any::<u64>()) {
        let mut stream = Seeds::new(seed, 0).stream("test graph");
        let graph = random_graph(&mut stream);
        check_all(&graph, seed, &mut stream);
    }

    #[test]
    fn unrolled_convolutions_agree_with_searches(seed in any::<u64>()) {
        let mut stream = Seeds::new(seed, 0).stream("test network");
        let (network, parameters, mask) = random_convolutions(&mut stream);
        let graph = LayeredGraph::from_network(&network, &parameters, &mask, Encoding::Unrolled).unwrap();
        check_all(&graph, seed, &mut stream);
    }

    /// One seed gives one order of the weights, whatever the nodes are.
    #[test]
    fn both_encodings_order_the_weights_alike(seed in any::<u64>()) {
        let (network, parameters, mask) = random_convolutions(&mut Seeds::new(seed, 0).stream("test network"));
        let of = |encoding| LayeredGraph::from_network(&network, &parameters, &mask, encoding).unwrap();
        let (channel, unrolled) = (of(Encoding::Channel), of(Encoding::Unrolled));
        let ends: Vec<_> = channel.weights().map(|(_, source, target)| (source, target)).collect();
        for ranking in [Ranking::Magnitude, Ranking::Random { seed, realisation: 1 }] {
            let mut expected = vec![(0, 0); ends.len()];
            for (&time, &ends) in times(&unrolled, ranking).iter().zip(&ends) {
                expected[time as usize - 1] = ends;
            }
            let found = edge_order::ordered::<Wide>(&channel, ranking);
            prop_assert_eq!(found.iter().map(|e| (e.source(), e.target())).collect::<Vec<_>>(), expected);
        }
    }
}

#[test]
fn a_weight_without_links_returns_and_changes_nothing() {
    let block = Block::sharing("c", (0, 1), (1, 2), 9, &[1.0, 3.0, 2.0], [(0, 0, 2), (1, 0, 2)]).unwrap();
    let groups = [("input".to_owned(), 1, Role::Input), ("c".to_owned(), 2, Role::Output)];
    let graph = LayeredGraph::new(groups, vec![block]).unwrap();
    let curve = sweep(&graph, Order::Magnitude, 0, 0, &Points::All);
    let seen: Vec<_> = curve.points.iter().map(|seen| (seen.edges, seen.s1, seen.active_edges)).collect();
    assert_eq!(seen, [(1, 1, 0), (2, 3, 1), (3, 3, 1)]);
    assert_eq!(curve.points[2].density(), 3.0 / 9.0);
}

#[test]
fn threads_do_not_change_the_curves() {
    let (network, parameters, mask) = random_convolutions(&mut Seeds::new(4, 0).stream("test network"));
    let graph = LayeredGraph::from_network(&network, &parameters, &mask, Encoding::Unrolled).unwrap();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| ensemble(&graph, Order::Random, 9, 4, &Points::default(), || ()))
    };
    let one = run(1);
    assert_eq!(one, run(3));
    assert_ne!(one[0].points, one[1].points);
}

#[test]
fn skips_are_there_before_any_weight() {
    // in -> mid -> out with one weight each, and in -> out carried on unchanged.
    let up = Block::new("up", (0, 2), (1, 1), 2, [(0, 0, 1.0)]).unwrap();
    let down = Block::new("down", (1, 1), (2, 2), 2, [(1, 0, -2.0)]).unwrap();
    let skip = Block::skip("skip", (0, 2), (2, 2), [(0, 0), (1, 1)]).unwrap();
    let groups = [("in", 2, Role::Input), ("mid", 1, Role::Hidden), ("out", 2, Role::Output)];
    let groups = groups.map(|(name, size, role)| (name.to_owned(), size, role));
    let graph = LayeredGraph::new(groups, vec![up, skip, down]).unwrap();
    assert_eq!((graph.edges(), graph.dense(), graph.links(), graph.pairs()), (2, 4, 4, 4));
    assert!(graph.has_skips() && graph.shares_weights());
    assert_eq!(graph.weights().count(), 2);
    assert_eq!(graph.weight_links().count(), 2);
    assert_eq!(graph.skip_links().collect::<Vec<_>>(), [(0, 3), (1, 4)]);
    let sweep = Sweep::new(&graph, Ranking::Magnitude, &Points::All);
    let of = |seen: &Observables| {
        (seen.components, seen.s1, seen.outputs_reached, seen.inputs_used, seen.active_edges, seen.dead)
    };
    assert_eq!(of(&sweep.empty()), (3, 2, 2, 2, 0, 1));
    let points: Vec<Observables> = sweep.collect();
    // -2 first: it joins mid to out 1, but no input leads to mid yet.
    assert_eq!(of(&points[0]), (2, 3, 2, 2, 0, 1));
    assert_eq!(of(&points[1]), (1, 5, 2, 2, 2, 0));
    assert_eq!(observe(&graph), points[1]);
    let mut ranges = Vec::new();
    sweep_components(&graph, Ranking::Magnitude, |range, components| ranges.push((range, components.count())));
    assert_eq!(ranges, [(1..=1, 2), (2..=2, 1)]);
}
