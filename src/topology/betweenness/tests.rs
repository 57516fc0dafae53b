use proptest::prelude::*;

use super::*;
use crate::seed::Seeds;
use crate::topology::testing::{chain, graphs, random_chain, skipping, value};

/// By the definition: distances and path counts of all pairs, then every s, t, v.
fn by_definition(graph: &LayeredGraph, direction: PathDirection) -> Vec<f64> {
    let n = graph.nodes();
    let adjacency = match direction {
        PathDirection::Undirected => Adjacency::undirected(graph),
        PathDirection::Directed => Adjacency::forward(graph),
    };
    let mut distance = vec![vec![usize::MAX; n]; n];
    let mut paths = vec![vec![0.0; n]; n];
    for source in 0..n {
        (distance[source][source], paths[source][source]) = (0, 1.0);
        let mut level = vec![source];
        for next in 1.. {
            let mut found = Vec::new();
            for &node in &level {
                for &neighbour in adjacency.of(node) {
                    let neighbour = neighbour as usize;
                    if distance[source][neighbour] == usize::MAX {
                        distance[source][neighbour] = next;
                        found.push(neighbour);
                    }
                    if distance[source][neighbour] == next {
                        paths[source][neighbour] += paths[source][node];
                    }
                }
            }
            if found.is_empty() {
                break;
            }
            level = found;
        }
    }
    let mut values = vec![0.0; n];
    for s in 0..n {
        for t in (0..n).filter(|&t| t != s && distance[s][t] != usize::MAX) {
            for v in (0..n).filter(|&v| v != s && v != t) {
                let through = distance[s][v].saturating_add(distance[v][t]);
                if through == distance[s][t] {
                    values[v] += paths[s][v] * paths[v][t] / paths[s][t];
                }
            }
        }
    }
    if direction == PathDirection::Undirected {
        values.iter_mut().for_each(|value| *value /= 2.0);
    }
    values
}

fn assert_same(found: &[f64], expected: &[f64]) {
    for (node, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= 1e-10 * (1.0 + expected.abs()), "node {node}: {found}, not {expected}");
    }
}

const BOTH: [PathDirection; 2] = [PathDirection::Undirected, PathDirection::Directed];

proptest! {
    #[test]
    fn small_graphs_follow_the_definition(graph in graphs()) {
        for direction in BOTH {
            assert_same(&betweenness(&graph, direction).values, &by_definition(&graph, direction));
        }
    }
}

#[test]
fn larger_graphs_push_and_pull_alike() {
    let mut stream = Seeds::new(1, 0).stream("test");
    for density in [0.02, 0.06, 0.3, 1.0] {
        let graph = random_chain(&[30, 25, 20, 5], density, &mut stream);
        for direction in BOTH {
            assert_same(&betweenness(&graph, direction).values, &by_definition(&graph, direction));
        }
    }
}

#[test]
fn a_path_and_a_star() {
    let path = chain(&[1; 6], |_, _, _| Some(1.0));
    let expected = [0.0, 4.0, 6.0, 6.0, 4.0, 0.0];
    for direction in BOTH {
        assert_eq!(betweenness(&path, direction).values, expected);
    }
    let star = chain(&[1, 40], |_, _, _| Some(1.0));
    assert_eq!(betweenness(&star, PathDirection::Undirected).values[0], 780.0);
    assert!(betweenness(&star, PathDirection::Directed).values.iter().all(|&value| value == 0.0));
}

#[test]
fn a_block_that_skips_a_group_shortens_paths() {
    let graph = skipping(&[1, 1, 1], &[(0, 1), (1, 2), (0, 2)], |_, _, _| Some(1.0));
    for direction in BOTH {
        assert_eq!(betweenness(&graph, direction).values, [0.0; 3]);
    }
}

#[test]
fn bytes_do_not_depend_on_the_number_of_threads() {
    let graph = random_chain(&[200, 150, 100, 10], 0.03, &mut Seeds::new(2, 0).stream("test"));
    for direction in BOTH {
        let of = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| betweenness(&graph, direction))
        };
        assert_eq!(of(1), of(3));
    }
}

#[test]
fn rows_name_groups_and_the_whole() {
    let star = chain(&[1, 2], |_, _, _| Some(1.0));
    let found = measure(&star, &Options::default());
    assert_eq!(value(&found, "g0", "betweenness_mean"), 1.0);
    assert_eq!(value(&found, "g0", "betweenness_gini"), 0.0);
    assert_eq!(value(&found, "g1", "betweenness_max"), 0.0);
    assert_eq!(value(&found, WHOLE, "betweenness_max"), 1.0);
    assert_eq!(value(&found, "g0", "directed_betweenness_mean"), 0.0);
    assert!(!found.iter().any(|one| one.layer == "g1" && one.metric == "betweenness_gini"));
}
