//! `--encoding unrolled` of `prunephase graph` and `prunephase percolate`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use assert_cmd::cargo::cargo_bin_cmd;
use petgraph::algo::connected_components;
use petgraph::visit::{Dfs, Reversed};
use prunephase::checkpoint::{Checkpoint, Metadata};
use prunephase::graph::{Encoding, LayeredGraph, Role};
use prunephase::mask::Mask;
use prunephase::network::{Architecture, FeatureShape, Parameters};
use prunephase::percolation::{Order, PercolationRow};
use prunephase::seed::Seeds;
use prunephase::table;

use crate::graph::{checkpoint, checkpoint_file};

fn run(command: &str, path: &Path, more: &[&str], out: &Path) -> (Vec<u8>, String) {
    let assert = cargo_bin_cmd!().arg(command).arg(path).args(more).arg("--out").arg(out).assert().success();
    let output = assert.get_output();
    assert!(output.stderr.is_empty());
    (std::fs::read(out).unwrap(), String::from_utf8(output.stdout.clone()).unwrap())
}

#[test]
fn every_format_holds_every_unit_and_every_position_of_a_tap() {
    let folder = tempfile::tempdir().unwrap();
    let path = checkpoint_file(folder.path(), "cnn5", 28, 0.02);
    let mask = checkpoint("cnn5", 28, 0.02).mask;
    let write = |format: &str| {
        let out = folder.path().join(format!("graph.{format}"));
        let (bytes, summary) = run("graph", &path, &["--encoding", "unrolled", "--format", format], &out);
        assert!(summary.contains(&format!(" links of {} kept weights of ", mask.kept())), "{summary}");
        String::from_utf8(bytes).unwrap()
    };
    let csv = write("csv");
    let json: serde_json::Value = serde_json::from_str(&write("json")).unwrap();
    // cnn5 with W = 2.
    let sizes =
        BTreeMap::from([("input", 784), ("conv1", 9408), ("conv2", 3200), ("fc1", 240), ("fc2", 168), ("fc3", 10)]);
    let mut found = BTreeMap::new();
    for node in json["nodes"].as_array().unwrap() {
        *found.entry(node["group"].as_str().unwrap()).or_insert(0) += 1;
    }
    assert_eq!(found, sizes);
    let graph = &json["graph"];
    assert_eq!((graph["nodes"].as_u64(), graph["edges"].as_u64()), (Some(13_810), Some(mask.kept() as u64)));
    // Windows that do not overlap: every link is a pair of its own.
    let rows: Vec<_> = csv.lines().skip(1).collect();
    assert_eq!((graph["pairs"].as_u64(), graph["links"].as_u64()), (Some(rows.len() as u64), Some(rows.len() as u64)));
    assert_eq!(json["edges"].as_array().unwrap().len(), rows.len());

    let mut expected = BTreeSet::new();
    for (tap, _) in mask.layers[0].kept.indexed_iter().filter(|(_, kept)| **kept) {
        for (y, x) in (0..28).flat_map(|y| (0..28).map(move |x| (y, x))) {
            let (row, column) = ((y + tap[2]) as i32 - 2, (x + tap[3]) as i32 - 2);
            if (0..28).contains(&row) && (0..28).contains(&column) {
                expected.insert((28 * row as usize + column as usize, 784 + 784 * tap[0] + 28 * y + x));
            }
        }
    }
    assert!(!expected.is_empty());
    let first: BTreeSet<_> = rows
        .iter()
        .map(|row| row.split(',').collect::<Vec<_>>())
        .filter(|row| row[2] == "conv1")
        .map(|row| (row[0].parse().unwrap(), row[1].parse().unwrap()))
        .collect();
    assert_eq!(first, expected);

    let graphml = write("graphml");
    assert_eq!((graphml.matches("<node ").count(), graphml.matches("<edge ").count()), (13_810, rows.len()));
}

#[test]
fn linear_networks_have_one_graph_under_both_encodings() {
    let folder = tempfile::tempdir().unwrap();
    let path = checkpoint_file(folder.path(), "fc4", 8, 0.2);
    let out = folder.path().join("out");
    for (command, more) in [
        ("graph", &["--format", "json"][..]),
        ("graph", &["--format", "graphml"]),
        ("percolate", &["--points", "all"]),
        ("percolate", &["--order", "random", "--realisations", "3"]),
    ] {
        let with = |encoding| run(command, &path, &[more, &["--encoding", encoding]].concat(), &out);
        assert_eq!(with("unrolled"), with("channel"));
    }
}

const SMALL: &str = "name = \"small\"\n\
    [[layers]]\nkind = \"convolution\"\nname = \"c1\"\nunits = 2\nkernel = 3\npadding = 1\n\
    [[layers]]\nkind = \"max-pool\"\nkernel = 2\nstride = 1\n\
    [[layers]]\nkind = \"convolution\"\nname = \"c2\"\nunits = 2\nkernel = 2\nstride = 2\n\
    [[layers]]\nkind = \"max-pool\"\nkernel = 2\nstride = 2\n\
    [[layers]]\nkind = \"linear\"\nname = \"l\"\nunits = \"classes\"\n";

fn small(folder: &Path) -> (Checkpoint, PathBuf) {
    let input = FeatureShape::image(1, 6, 7);
    let network = Architecture::parse("small", SMALL).unwrap().network(1, input, 3).unwrap();
    let mut parameters = Parameters::initialise(&network, &mut Seeds::new(2, 0).stream("initialisation"));
    let mut mask = Mask::dense(&network);
    let mut stream = Seeds::new(2, 0).stream("test mask");
    for (weights, kept) in parameters.layers.iter_mut().zip(&mut mask.layers) {
        // Ties, and weights of convolutions that return late beside linear ones.
        weights.weight.mapv_inplace(|w| (w * 12.0).round() / 12.0);
        kept.kept.mapv_inplace(|_| stream.unit() < 0.7);
    }
    mask.apply(&mut parameters).unwrap();
    let checkpoint = Checkpoint::new(network, parameters, mask, Metadata::default()).unwrap();
    let path = folder.join("small.safetensors");
    checkpoint.write(&path).unwrap();
    (checkpoint, path)
}

/// Components and flow of one graph by petgraph's searches.
fn check(graph: &LayeredGraph, row: &PercolationRow) {
    let nodes = |role: Role| {
        let groups = graph.groups().iter().filter(move |group| group.role == role);
        groups.flat_map(|group| group.first..group.first + group.size)
    };
    let (mut forward, mut backward) = (vec![false; graph.nodes()], vec![false; graph.nodes()]);
    for start in nodes(Role::Input) {
        let mut walk = Dfs::new(graph, start);
        while let Some(node) = walk.next(graph) {
            forward[node] = true;
        }
    }
    for start in nodes(Role::Output) {
        let mut walk = Dfs::new(Reversed(graph), start);
        while let Some(node) = walk.next(Reversed(graph)) {
            backward[node] = true;
        }
    }
    assert_eq!(row.outputs_reached, nodes(Role::Output).filter(|&node| forward[node]).count());
    assert_eq!(row.inputs_used, nodes(Role::Input).filter(|&node| backward[node]).count());
    let links = graph.weight_links().filter(|link| forward[link.1 as usize] && backward[link.2 as usize]);
    assert_eq!(row.active_edges, links.map(|link| link.0).collect::<BTreeSet<_>>().len());

    let mut sizes = Vec::new();
    let mut left: BTreeSet<usize> = (0..graph.nodes()).collect();
    while let Some(start) = left.pop_first() {
        let (mut size, mut queue) = (0, vec![start]);
        while let Some(node) = queue.pop() {
            size += 1;
            let both = [petgraph::Direction::Outgoing, petgraph::Direction::Incoming];
            let next = both.into_iter().flat_map(|direction| graph.pairs_at(node, direction));
            queue.extend(next.flat_map(|edge| [edge.source, edge.target]).filter(|node| left.remove(node)));
        }
        sizes.push(size);
    }
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(sizes.len(), connected_components(graph));
    assert_eq!((row.components, row.s1, row.s2), (sizes.len(), sizes[0], sizes.get(1).copied().unwrap_or(0)));
    let nodes = graph.nodes() as f64;
    assert_eq!(row.p_inf, sizes[0] as f64 / nodes);
    assert_eq!(row.chi, sizes[1..].iter().map(|size| size * size).sum::<usize>() as f64 / nodes);
}

/// Every point of the curve is the graph of the network pruned to so many weights.
#[test]
fn every_point_is_the_graph_of_a_pruned_network() {
    let folder = tempfile::tempdir().unwrap();
    let (checkpoint, path) = small(folder.path());
    let kept = checkpoint.mask.kept();
    let out = folder.path().join("curve.csv");
    run("percolate", &path, &["--encoding", "unrolled", "--points", "all"], &out);
    let rows: Vec<PercolationRow> = table::read_rows(&out).unwrap();
    assert_eq!(rows.len(), kept);

    // (layer, flat index, |w|) from the largest on, ties as they stand.
    let mut weights = Vec::new();
    for (layer, (weight, mask)) in checkpoint.parameters.layers.iter().zip(&checkpoint.mask.layers).enumerate() {
        let entries = weight.weight.iter().zip(&mask.kept).enumerate();
        weights.extend(entries.filter(|(_, (_, kept))| **kept).map(|(flat, (w, _))| (layer, flat, w.abs())));
    }
    weights.sort_by(|a, b| b.2.total_cmp(&a.2));
    let mut mask = checkpoint.mask.clone();
    mask.layers.iter_mut().for_each(|layer| layer.kept.fill(false));
    for (index, (layer, flat, _)) in weights.into_iter().enumerate() {
        *mask.layers[layer].kept.iter_mut().nth(flat).unwrap() = true;
        let graph =
            LayeredGraph::from_network(&checkpoint.network, &checkpoint.parameters, &mask, Encoding::Unrolled).unwrap();
        let row = &rows[index];
        assert_eq!((row.edges, row.order, row.realisation), (index + 1, Order::Magnitude, 0));
        assert_eq!((row.edges, row.density), (graph.edges(), graph.density().value()));
        check(&graph, row);
    }
    assert!(rows[kept - 1].active_edges > 0);

    // What all the weights make does not hang on their order.
    let random = ["--encoding", "unrolled", "--order", "random", "--realisations", "3", "--points", "all"];
    let (one, _) = run("percolate", &path, &random, &out);
    let again: Vec<PercolationRow> = table::read_rows(&out).unwrap();
    assert_eq!(again.len(), 3 * kept);
    for row in again.iter().filter(|row| row.edges == kept) {
        let last = PercolationRow { order: Order::Magnitude, realisation: 0, ..row.clone() };
        assert_eq!(last, rows[kept - 1]);
    }
    assert_eq!(one, run("percolate", &path, &random, &out).0);
}
