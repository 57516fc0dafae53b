//! Betweenness, singular values and the non-backtracking radius against networkx, scipy and numpy.

use std::fs;
use std::path::Path;

use prunephase::graph::{Block, LayeredGraph, Role};
use prunephase::seed::Seeds;
use prunephase::topology::{PathDirection, betweenness, non_backtracking_radius, spectra};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    sizes: Vec<usize>,
    blocks: Vec<Entries>,
    betweenness: Values,
    singular_values: Vec<Leading>,
    non_backtracking_radius: f64,
}

#[derive(Deserialize)]
struct Entries {
    source: usize,
    target: usize,
    entries: Vec<(usize, usize, f32)>,
}

#[derive(Deserialize)]
struct Values {
    undirected: Vec<f64>,
    directed: Vec<f64>,
}

#[derive(Deserialize)]
struct Leading {
    adjacency: [f64; 2],
    weights: [f64; 2],
}

impl Case {
    fn graph(&self) -> LayeredGraph {
        let block = |block: &Entries| {
            let (source, target) = (self.sizes[block.source], self.sizes[block.target]);
            let name = format!("{}-{}", block.source, block.target);
            let entries = block.entries.iter().copied();
            Block::new(name, (block.source, source), (block.target, target), source * target, entries).unwrap()
        };
        let groups = self.sizes.iter().enumerate().map(|(index, &size)| (format!("g{index}"), size, Role::Hidden));
        LayeredGraph::new(groups, self.blocks.iter().map(block).collect()).unwrap()
    }
}

fn cases() -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/spectra/graphs.json");
    let cases: Vec<Case> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(cases.len(), 6);
    cases
}

#[track_caller]
fn assert_close(what: &str, found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance * (1.0 + expected.abs()), "{what}: {found}, not {expected}");
}

#[test]
fn betweenness_is_that_of_networkx() {
    for case in cases() {
        let graph = case.graph();
        for (direction, expected) in [
            (PathDirection::Undirected, &case.betweenness.undirected),
            (PathDirection::Directed, &case.betweenness.directed),
        ] {
            let found = betweenness(&graph, direction).values;
            assert_eq!(found.len(), expected.len());
            for (node, (&found, &expected)) in found.iter().zip(expected).enumerate() {
                assert_close(&format!("{}, node {node}, {direction:?}", case.name), found, expected, 1e-11);
            }
        }
    }
}

#[test]
fn singular_values_are_those_of_scipy() {
    for case in cases() {
        let found = spectra(&case.graph(), &Seeds::new(1, 0)).unwrap();
        assert_eq!(found.len(), case.singular_values.len());
        for (found, expected) in found.iter().zip(&case.singular_values) {
            let layer = format!("{}, {}", case.name, found.layer);
            for (values, expected) in [(found.adjacency, expected.adjacency), (found.weights, expected.weights)] {
                assert_close(&layer, values.first, expected[0], 1e-12);
                assert_close(&layer, values.second, expected[1], 1e-10);
            }
        }
    }
}

#[test]
fn the_non_backtracking_radius_is_that_of_the_explicit_matrix() {
    for case in cases() {
        let found = non_backtracking_radius(&case.graph()).unwrap();
        assert_close(&case.name, found, case.non_backtracking_radius, 1e-10);
    }
}

#[test]
fn the_radius_tells_where_a_random_layered_graph_has_a_giant_component() {
    // A uniform mask of density p on groups N_l has the radius p lambda_max(T), T tridiagonal with
    // sqrt(N_l N_(l+1)), up to fluctuations of a large graph.
    let sizes = [2000usize, 1500, 1000];
    let mut stream = Seeds::new(11, 0).stream("test");
    let density = 0.002;
    let blocks = (0..2)
        .map(|index| {
            let (columns, rows) = (sizes[index], sizes[index + 1]);
            let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column, 1.0f32)));
            let kept: Vec<_> = cells.filter(|_| stream.unit() < density).collect();
            Block::new(format!("l{index}"), (index, columns), (index + 1, rows), rows * columns, kept).unwrap()
        })
        .collect();
    let groups = sizes.iter().enumerate().map(|(index, &size)| (format!("g{index}"), size, Role::Hidden));
    let graph = LayeredGraph::new(groups, blocks).unwrap();
    // The characteristic polynomial of a 3 x 3 tridiagonal matrix with zero diagonal: lambda^2 is the sum
    // of the squares beside it.
    let expected = density * f64::sqrt((sizes[0] * sizes[1] + sizes[1] * sizes[2]) as f64);
    assert_close("radius", non_backtracking_radius(&graph).unwrap(), expected, 0.03);
}
