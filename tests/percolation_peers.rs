//! Percolation tables against those that networkx and scipy gave (fixtures/percolation).

use std::path::Path;

use assert_cmd::cargo::cargo_bin_cmd;
use prunephase::percolation::PercolationRow;
use prunephase::table::{self, Table};

#[test]
fn every_column_is_that_of_networkx() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/percolation");
    let expected = Table::read(&fixtures.join("expected.csv")).unwrap();
    let names = expected.texts("checkpoint").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("curves.csv");
    let mut paths: Vec<_> = names.iter().map(|name| fixtures.join(format!("{name}.safetensors"))).collect();
    paths.dedup();
    assert_eq!(paths.len(), 5);
    cargo_bin_cmd!().arg("percolate").args(&paths).args(["--points", "all", "--out"]).arg(&out).assert().success();
    let found: Vec<PercolationRow> = table::read_rows(&out).unwrap();
    let column = |name: &str| expected.numbers(name).unwrap();
    let columns = [
        "edges",
        "density",
        "p_inf",
        "s1",
        "s2",
        "chi",
        "components",
        "outputs_reached",
        "inputs_used",
        "active_edges",
    ]
    .map(column);
    let mut compared = 0;
    for (row, name) in names.iter().enumerate() {
        let [edges, ..] = columns.each_ref().map(|column| column[row]);
        let ours = found
            .iter()
            .find(|one| one.checkpoint.ends_with(&format!("{name}.safetensors")) && one.edges as f64 == edges)
            .unwrap();
        let ours = [
            ours.edges as f64,
            ours.density,
            ours.p_inf,
            ours.s1 as f64,
            ours.s2 as f64,
            ours.chi,
            ours.components as f64,
            ours.outputs_reached as f64,
            ours.inputs_used as f64,
            ours.active_edges as f64,
        ];
        assert_eq!(ours, columns.each_ref().map(|column| column[row]), "{name}, {edges} weights");
        compared += 1;
    }
    assert!(compared > 100, "{compared}");
}
