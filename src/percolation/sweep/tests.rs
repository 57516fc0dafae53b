use proptest::prelude::*;

use super::*;
use crate::graph::{Block, Encoding, Role};
use crate::mask::Mask;
use crate::network::{Architecture, FeatureShape, Network, Parameters};
use crate::percolation::testing::random_graph;
use crate::seed::{Seeds, Stream};

const CHAIN: &str = "name = \"chain\"\n\
    [[layers]]\nkind = \"convolution\"\nname = \"c1\"\nunits = 3\nkernel = 3\npadding = 1\n\
    [[layers]]\nkind = \"max-pool\"\nkernel = 2\nstride = 2\n\
    [[layers]]\nkind = \"convolution\"\nname = \"c2\"\nunits = 4\nkernel = 2\n\
    [[layers]]\nkind = \"linear\"\nname = \"l1\"\nunits = 5\n\
    [[layers]]\nkind = \"linear\"\nname = \"l2\"\nunits = \"classes\"\n";

fn random_chain(stream: &mut Stream) -> (Network, Parameters, Mask) {
    let network = Architecture::parse("chain", CHAIN).unwrap().network(1, FeatureShape::image(2, 6, 6), 3).unwrap();
    let mut parameters = Parameters::initialise(&network, stream);
    let mut mask = Mask::dense(&network);
    for (weights, kept) in parameters.layers.iter_mut().zip(&mut mask.layers) {
        let share = 1 + stream.below(5);
        weights.weight.mapv_inplace(|w| (w * 30.0).round());
        kept.kept.mapv_inplace(|_| stream.below(20) < share);
    }
    (network, parameters, mask)
}

/// (|w|, source, target) of a chain's kept weights, straight from its tensors.
fn chain_edges(parameters: &Parameters, mask: &Mask) -> Vec<(f32, u32, u32)> {
    // 2 channels in, 3 channels, 4 channels of 2 x 2 positions, 5 units, 3 outputs.
    let first = [0, 2, 5, 9, 14];
    let mut edges = Vec::new();
    for (layer, (weights, kept)) in parameters.layers.iter().zip(&mask.layers).enumerate() {
        for (index, &w) in weights.weight.indexed_iter() {
            if kept.kept[&index] {
                let source = if layer == 2 { index[1] / 4 } else { index[1] };
                edges.push((w.abs(), first[layer] + source as u32, first[layer + 1] + index[0] as u32));
            }
        }
    }
    edges
}

/// The nodes that a search from `start` visits.
fn search(nodes: usize, start: impl Iterator<Item = usize>, edges: &[(usize, usize)]) -> Vec<bool> {
    let mut seen = vec![false; nodes];
    let mut queue: Vec<usize> = start.collect();
    while let Some(node) = queue.pop() {
        if !std::mem::replace(&mut seen[node], true) {
            queue.extend(edges.iter().filter(|edge| edge.0 == node).map(|edge| edge.1));
        }
    }
    seen
}

fn brute_force(graph: &LayeredGraph, edges: &[(usize, usize)]) -> Observables {
    let nodes = graph.nodes();
    let back: Vec<_> = edges.iter().map(|&(a, b)| (b, a)).collect();
    let both: Vec<_> = edges.iter().chain(&back).copied().collect();
    let mut seen = vec![false; nodes];
    let mut sizes = Vec::new();
    for node in 0..nodes {
        if !seen[node] {
            let component = search(nodes, std::iter::once(node), &both);
            sizes.push(component.iter().filter(|&&inside| inside).count());
            seen.iter_mut().zip(component).for_each(|(seen, inside)| *seen |= inside);
        }
    }
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let with = |role: Role| {
        graph.groups().iter().filter(move |group| group.role == role).flat_map(|g| g.first..g.first + g.size)
    };
    let forward = search(nodes, with(Role::Input), edges);
    let backward = search(nodes, with(Role::Output), &back);
    let on_path = |node: &usize| forward[*node] && backward[*node];
    Observables {
        edges: edges.len(),
        nodes,
        dense: graph.dense(),
        s1: sizes[0],
        s2: sizes.get(1).copied().unwrap_or(0),
        squares_but_largest: sizes[1..].iter().map(|&size| (size * size) as u64).sum(),
        components: sizes.len(),
        outputs_reached: with(Role::Output).filter(on_path).count(),
        inputs_used: with(Role::Input).filter(on_path).count(),
        active_edges: edges.iter().filter(|&&(source, target)| forward[source] && backward[target]).count(),
        dead: with(Role::Hidden).filter(|node| !on_path(node)).count(),
    }
}

/// Every point of a curve against a search of its own.
fn check(graph: &LayeredGraph, expected: &[(usize, usize)], curve: &Curve) {
    assert_eq!(curve.points.len(), expected.len());
    for (index, point) in curve.points.iter().enumerate() {
        assert_eq!(*point, brute_force(graph, &expected[..=index]));
    }
}

fn by_magnitude(mut edges: Vec<(f32, u32, u32)>) -> Vec<(usize, usize)> {
    // A stable sort: ties stay by layer and flat index.
    edges.sort_by(|a, b| b.0.total_cmp(&a.0));
    edges.into_iter().map(|(_, source, target)| (source as usize, target as usize)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn curves_agree_with_searches(seed in any::<u64>()) {
        let graph = random_graph(&mut Seeds::new(seed, 0).stream("test graph"));
        let expected = by_magnitude(graph.weights().collect());
        check(&graph, &expected, &sweep(&graph, Order::Magnitude, 0, 0, &Points::All));
        prop_assert_eq!(observe(&graph), brute_force(&graph, &expected));

        let order = edge_order::ordered::<Wide>(&graph, Ranking::Random { seed, realisation: 3 });
        let order: Vec<_> = order.iter().map(|edge| (edge.source() as usize, edge.target() as usize)).collect();
        check(&graph, &order, &sweep(&graph, Order::Random, seed, 3, &Points::All));
        let (mut found, mut all) = (order, expected);
        found.sort_unstable();
        all.sort_unstable();
        prop_assert_eq!(found, all);
    }

    #[test]
    fn convolutions_agree_with_searches(seed in any::<u64>()) {
        let (network, parameters, mask) = random_chain(&mut Seeds::new(seed, 0).stream("test network"));
        let graph = LayeredGraph::from_network(&network, &parameters, &mask, Encoding::Channel).unwrap();
        let edges = chain_edges(&parameters, &mask);
        prop_assert_eq!(graph.nodes(), 17);
        prop_assert_eq!(graph.density(), mask.density());
        prop_assert_eq!(graph.weights().collect::<Vec<_>>(), edges.clone());
        let expected = by_magnitude(edges);
        check(&graph, &expected, &sweep(&graph, Order::Magnitude, 0, 0, &Points::All));
        prop_assert_eq!(observe(&graph), brute_force(&graph, &expected));
    }

    #[test]
    fn wide_and_narrow_ends_agree(seed in any::<u64>()) {
        let graph = random_graph(&mut Seeds::new(seed, 0).stream("test graph"));
        for ranking in [Ranking::Magnitude, Ranking::Random { seed, realisation: 0 }] {
            let narrow = edge_order::ordered::<Narrow>(&graph, ranking);
            let wide = edge_order::ordered::<Wide>(&graph, ranking);
            prop_assert_eq!(Flow::new(&graph, &narrow), Flow::new(&graph, &wide));
            prop_assert!(narrow.iter().map(|e| (e.source(), e.target())).eq(wide.iter().map(|e| (e.source(), e.target()))));
        }
    }

    #[test]
    fn scores_are_ranked_like_magnitudes(seed in any::<u64>()) {
        let graph = random_graph(&mut Seeds::new(seed, 0).stream("test graph"));
        let mut stream = Seeds::new(seed, 0).stream("test scores");
        let scores: Vec<f32> = (0..graph.edges()).map(|_| stream.below(7) as f32 - 3.0).collect();
        let scored = graph.weights().zip(&scores).map(|((_, source, target), &score)| (score, source, target));
        let expected = by_magnitude(scored.collect());
        let points: Vec<_> = Sweep::new(&graph, Ranking::Scores(&scores), &Points::All).collect();
        check(&graph, &expected, &Curve { order: Order::Score, realisation: 0, points });
    }

    #[test]
    fn components_alone_are_those_of_the_sweep(seed in any::<u64>()) {
        let graph = random_graph(&mut Seeds::new(seed, 0).stream("test graph"));
        let ranking = if seed % 2 == 0 { Ranking::Magnitude } else { Ranking::Random { seed, realisation: 1 } };
        let mut seen = Vec::new();
        sweep_components(&graph, ranking, |edges, components| {
            assert_eq!(*edges.start(), seen.len() + 1);
            let now = (components.s1(), components.s2(), components.squares_but_largest(), components.count());
            seen.extend(edges.map(|_| now));
        });
        let expected: Vec<_> = Sweep::new(&graph, ranking, &Points::All)
            .map(|seen| (seen.s1, seen.s2, seen.squares_but_largest, seen.components))
            .collect();
        prop_assert_eq!(seen, expected);
    }
}

fn dense(layers: &str, input: FeatureShape, width: usize) -> LayeredGraph {
    let network = Architecture::parse("test", layers).unwrap().network(width, input, 10).unwrap();
    let parameters = Parameters::initialise(&network, &mut Seeds::new(5, 0).stream("test"));
    LayeredGraph::from_network(&network, &parameters, &Mask::dense(&network), Encoding::Channel).unwrap()
}

fn lenet_300_100() -> LayeredGraph {
    let layers = "name = \"lenet\"\n[[layers]]\nkind = \"linear\"\nname = \"a\"\nunits = 300\n\
                  [[layers]]\nkind = \"linear\"\nname = \"b\"\nunits = 100\n\
                  [[layers]]\nkind = \"linear\"\nname = \"c\"\nunits = \"classes\"\n";
    dense(layers, FeatureShape::image(1, 28, 28), 1)
}

#[test]
fn a_random_lenet_at_one_percent_is_connected_but_does_not_conduct() {
    let graph = lenet_300_100();
    assert_eq!((graph.nodes(), graph.edges()), (1194, 266_200));
    let draws = 200;
    let curves = ensemble(&graph, Order::Random, 1, draws, &Points::At(vec![2662]), || ());
    let mean =
        |of: &dyn Fn(&Observables) -> f64| curves.iter().map(|curve| of(&curve.points[0])).sum::<f64>() / draws as f64;
    assert_eq!(curves[0].points[0].density(), 0.01);
    // 0.96 and 6.1 +- 0.3 are known from 200 draws of another program; the mean of 200 scatters by 0.1.
    let (giant, outputs) = (mean(&|point| point.p_inf()), mean(&|point| point.outputs_reached as f64));
    assert!((giant - 0.96).abs() < 0.006, "{giant}");
    assert!((outputs - 6.1).abs() < 0.3, "{outputs}");
}

#[test]
fn threads_do_not_change_the_curves() {
    let graph = lenet_300_100();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| ensemble(&graph, Order::Random, 9, 5, &Points::default(), || ()))
    };
    let one = run(1);
    assert_eq!(one, run(3));
    assert_eq!(one.iter().map(|curve| curve.realisation).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_ne!(one[0].points, one[1].points);
    let other = sweep(&graph, Order::Random, 10, 0, &Points::default());
    assert_ne!(one[0].points, other.points);
}

#[test]
fn magnitude_order_has_one_realisation() {
    let graph = random_graph(&mut Seeds::new(1, 0).stream("test graph"));
    let curves = ensemble(&graph, Order::Magnitude, 7, 4, &Points::All, || ());
    assert_eq!(curves.len(), 1);
    assert_eq!(curves[0], sweep(&graph, Order::Magnitude, 8, 3, &Points::All));
}

#[test]
fn no_kept_weights_give_a_curve_without_points() {
    let (network, parameters, mut mask) = random_chain(&mut Seeds::new(0, 0).stream("test network"));
    for layer in &mut mask.layers {
        layer.kept.fill(false);
    }
    let graph = LayeredGraph::from_network(&network, &parameters, &mask, Encoding::Channel).unwrap();
    for order in [Order::Magnitude, Order::Random] {
        for points in [Points::All, Points::default()] {
            assert!(sweep(&graph, order, 0, 0, &points).points.is_empty());
        }
    }
    let seen = observe(&graph);
    assert_eq!((seen.edges, seen.s1, seen.s2, seen.components, seen.dead), (0, 1, 1, 17, 12));
    assert_eq!((seen.outputs_reached, seen.inputs_used, seen.active_edges), (0, 0, 0));
    assert_eq!((seen.density(), seen.chi()), (0.0, 16.0 / 17.0));
}

#[test]
fn graphs_of_more_than_65536_nodes() {
    // A matching of 70,000 inputs with one output each, then all outputs of lower index joined to it.
    let nodes = 70_000;
    let entries = (0..nodes).map(|node| (node, node, 1.0 + node as f32));
    let block = Block::new("a", (0, nodes), (1, nodes), nodes * nodes, entries).unwrap();
    let groups = [("input".to_owned(), nodes, Role::Input), ("output".to_owned(), nodes, Role::Output)];
    let graph = LayeredGraph::new(groups, vec![block]).unwrap();
    let curve = sweep(&graph, Order::Magnitude, 0, 0, &Points::At(vec![1, nodes]));
    let last = curve.points[1];
    assert_eq!((last.s1, last.s2, last.components, last.active_edges), (2, 2, nodes, nodes));
    assert_eq!(last.squares_but_largest, 4 * (nodes as u64 - 1));
    assert_eq!(curve.points[0].components, 2 * nodes - 1);
}

#[test]
fn rows_have_the_columns_of_the_contract() {
    let graph = lenet_300_100();
    let curve = sweep(&graph, Order::Random, 0, 2, &Points::At(vec![1]));
    let bytes = crate::table::to_bytes("a.csv".as_ref(), curve.rows("level-01.safetensors")).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    // 1/266200, 2/1194 and 1192/1194 in their shortest exact form.
    let expected = "checkpoint,order,realisation,edges,density,p_inf,s1,s2,chi,components,outputs_reached,inputs_used,\
         active_edges\nlevel-01.safetensors,random,2,1,3.756574004507889e-6,0.0016750418760469012,2,1,0.998324958123953,1193,0,0,0\n";
    assert_eq!(text, expected);
}
