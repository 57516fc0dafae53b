//! Topology against networkx: `fixtures/topology`.

use std::path::Path;

use prunephase::graph::{Block, LayeredGraph, Role};
use prunephase::table::Table;
use prunephase::topology::{Options, measure};

fn fixture(name: &str) -> Table {
    Table::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/topology").join(name)).unwrap()
}

fn graph(name: &str, table: &Table) -> LayeredGraph {
    let names = table.texts("graph").unwrap();
    let rows: Vec<usize> = (0..table.rows()).filter(|&row| names[row] == name).collect();
    let numbers = |column: &str| table.numbers(column).unwrap();
    let (from, source) = (numbers("source_group"), numbers("source"));
    let (to, target, weight) = (numbers("target_group"), numbers("target"), numbers("weight"));
    let sizes: Vec<usize> =
        table.texts("sizes").unwrap()[rows[0]].split(' ').map(|size| size.parse().unwrap()).collect();
    let mut blocks = Vec::new();
    for a in 0..sizes.len() {
        for b in a + 1..sizes.len() {
            let entries: Vec<(usize, usize, f32)> = rows
                .iter()
                .filter(|&&row| (from[row] as usize, to[row] as usize) == (a, b))
                .map(|&row| (target[row] as usize, source[row] as usize, weight[row] as f32))
                .collect();
            if !entries.is_empty() {
                let (rows, columns) = (sizes[b], sizes[a]);
                blocks.push(Block::new(format!("{a}-{b}"), (a, columns), (b, rows), rows * columns, entries).unwrap());
            }
        }
    }
    let role = |index| Role::of_group(index, sizes.len());
    let groups = sizes.iter().enumerate().map(|(index, &size)| (format!("g{index}"), size, role(index)));
    LayeredGraph::new(groups, blocks).unwrap()
}

#[test]
fn networkx_finds_the_same() {
    let (graphs, expected) = (fixture("graphs.csv"), fixture("expected.csv"));
    let names = expected.texts("graph").unwrap();
    let (layers, metrics) = (expected.texts("layer").unwrap(), expected.texts("metric").unwrap());
    let values = expected.numbers("value").unwrap();
    let mut known = String::new();
    let mut found = Vec::new();
    for row in 0..expected.rows() {
        if names[row] != known {
            known = names[row].to_owned();
            found = measure(&graph(&known, &graphs), &Options::default()).unwrap();
        }
        let one = found.iter().find(|one| one.layer == layers[row] && one.metric == metrics[row]);
        let one = one.unwrap_or_else(|| panic!("{known}: no {} of {}", metrics[row], layers[row]));
        let allowed = 1e-9 * values[row].abs().max(1.0);
        assert!((one.value - values[row]).abs() < allowed, "{known}: {one:?}, networkx says {}", values[row]);
    }
    assert!(expected.rows() > 200);
    // A correlation that networkx cannot give has no row here either.
    let cut = measure(&graph("cut", &graphs), &Options::default()).unwrap();
    assert!(!cut.iter().any(|one| one.metric == "paths_ln"));
}
