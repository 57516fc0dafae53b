//! The accuracy of fc4, W = 32, on MNIST against an independent implementation.

use std::path::{Path, PathBuf};

use prunephase::table::Table;

/// (level of ratio 0.8, test accuracy): PyTorch, one seed, protocol of analysis/mnist-fc4.toml.
const PYTORCH: [(usize, f64); 8] =
    [(10, 0.977), (16, 0.968), (20, 0.941), (23, 0.903), (26, 0.763), (28, 0.658), (31, 0.350), (36, 0.098)];

#[test]
fn mnist_curve_agrees_with_pytorch() {
    let path = std::env::var_os("PRUNEPHASE_MNIST_RUN").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("analysis/results/mnist-fc4/levels.csv"),
        |run| PathBuf::from(run).join("tables/levels.csv"),
    );
    let table = Table::read(&path).unwrap();
    let (levels, accuracies) = (table.numbers("level").unwrap(), table.numbers("accuracy").unwrap());
    let densities = table.numbers("density").unwrap();
    println!("{}\n density      n    ours        s   PyTorch  |difference|  3 s sqrt(1 + 1/n)", path.display());
    let mut outside = Vec::new();
    for (level, reference) in PYTORCH {
        let at: Vec<usize> = (0..levels.len()).filter(|&row| levels[row] == level as f64).collect();
        let n = at.len() as f64;
        assert!(n >= 5.0, "level {level}: {n} seeds, at least 5 are needed");
        let mean = at.iter().map(|&row| accuracies[row]).sum::<f64>() / n;
        let square: f64 = at.iter().map(|&row| (accuracies[row] - mean).powi(2)).sum();
        let deviation = (square / (n - 1.0)).sqrt();
        let tolerance = 3.0 * deviation * (1.0 + 1.0 / n).sqrt();
        let difference = (mean - reference).abs();
        println!(
            " {:.5}  {n:5}  {mean:.4}  {deviation:.5}    {reference:.4}        {difference:.4}             {tolerance:.4}",
            densities[at[0]]
        );
        if difference > tolerance {
            outside.push(level);
        }
    }
    assert!(outside.is_empty(), "levels {outside:?} differ by more than 3 s sqrt(1 + 1/n)");
}
