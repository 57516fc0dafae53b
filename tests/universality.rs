//! Percolation where theory knows the answer, at sizes that take seconds; `tests/bench/universality.rs`
//! is the same at a million nodes.

use prunephase::graph::generate::{Lattice, LayeredRandom, Percolates};
use prunephase::percolation::{Order, Points, Ranking, cluster_numbers, sweep};
use prunephase::scaling::collapse::{CollapseOptions, JointOptions, fit, fit_joint};
use prunephase::scaling::{SizePoint, fit_growth, fit_tail};
use prunephase::seed::Seeds;

use crate::ensembles::{Model, SEED, Sample, curves, merged, point, realisations};

/// The exponent of an observable at the critical point against the exact one: within three statistical
/// errors and a `bias` for corrections to scaling at these small sizes.
fn grows(model: Model, sizes: &[(usize, u64)], of: fn(&Sample) -> f64, exact: f64, bias: f64) {
    let points: Vec<SizePoint> = sizes
        .iter()
        .map(|&(size, count)| point(size, &realisations(model, SEED, size, count, &[], false), of))
        .collect();
    let fit = fit_growth(&points, None).unwrap();
    assert!(fit.acceptable, "{model:?} {fit:?}");
    assert!(fit.statistical < 0.06, "{model:?} {fit:?}: the error is too large to test anything");
    assert!((fit.exponent - exact).abs() < 3.0 * fit.statistical + bias, "{model:?} {fit:?} exact {exact}");
}

#[test]
fn two_dimensions_have_their_exponents() {
    let sizes = [(16, 1500), (32, 800), (64, 400), (128, 150)];
    for model in [Model::Bond2, Model::Site2] {
        let exact = model.exact();
        grows(model, &sizes, |sample| sample.s1, exact.s1, 0.01);
        grows(model, &sizes, |sample| sample.chi, exact.chi, 0.02);
    }
}

#[test]
fn layered_random_graphs_are_mean_field() {
    let sizes = [(1000, 1000), (4000, 500), (16_000, 200), (64_000, 60)];
    let exact = Model::Layered.exact();
    grows(Model::Layered, &sizes, |sample| sample.s1, exact.s1, 0.02);
    grows(Model::Layered, &sizes, |sample| sample.s2, exact.s1, 0.02);
    grows(Model::Layered, &sizes, |sample| sample.chi, exact.chi, 0.02);
}

/// beta, gamma and nu-bar of mean field from the collapse of our own sweeps, the size being the number of nodes:
/// x = (c - c_c) N^(1/3), P_inf = N^(-1/3) F(x), chi = N^(1/3) G(x).
#[test]
fn layered_random_graphs_collapse_with_the_exponents_of_mean_field() {
    let exact = Model::Layered.exact();
    let controls: Vec<f64> = (-50..=50).map(|step| exact.critical + 0.003 * f64::from(step)).collect();
    let samples: Vec<(usize, Vec<Sample>)> = [(1000, 1600), (4000, 800), (16_000, 320), (64_000, 120)]
        .map(|(size, count)| (size, realisations(Model::Layered, SEED, size, count, &controls, false)))
        .into();
    let order = curves(&samples, &controls, 20, |sample| &sample.p_inf);
    let chi = curves(&samples, &controls, 20, |sample| &sample.chi_at);
    let window = Some([-1.0, 1.0]);
    for (curves, kappa) in [(&order, exact.beta_over_nu), (&chi, -exact.chi)] {
        let found = fit(curves, &CollapseOptions { window, bootstraps: 60, ..Default::default() }).unwrap();
        eprintln!("{:?} {:?} {:?} S = {:.3}", found.p_c, found.inv_nu, found.kappa_over_nu, found.quality);
        assert!(found.reliable, "{:?}", found.reasons);
        let all = [(found.p_c, exact.critical), (found.inv_nu, exact.inv_nu), (found.kappa_over_nu, kappa)];
        for (estimate, exact) in all {
            assert!(estimate.interval95[0] < exact && exact < estimate.interval95[1], "{estimate:?} {exact}");
        }
        // Sizes that differ by 64 in nodes differ by 4 in x: the systematic errors are large, the others are not.
        let largest = found.inv_nu.statistical.max(found.kappa_over_nu.statistical);
        assert!(largest < 0.05, "{largest}: the error is too large to test anything");
    }
    let options = JointOptions { window, ..Default::default() };
    let found = fit_joint(&[("p_inf", &order), ("chi", &chi)], &options).unwrap();
    assert!(found.reliable, "{:?}", found.reasons);
    let [beta, gamma] = [0, 1].map(|observable| found.observables[observable].kappa_over_nu);
    for (estimate, exact) in
        [(found.p_c, exact.critical), (found.inv_nu, exact.inv_nu), (beta, exact.beta_over_nu), (gamma, -exact.chi)]
    {
        eprintln!("joint {estimate:?} {exact}");
        assert!(estimate.interval95[0] < exact && exact < estimate.interval95[1], "{estimate:?} {exact}");
    }
}

/// At a fixed distance on both sides of p_c: the threshold of the theory,
/// and no other, is where the largest component passes from logarithmic to extensive.
#[test]
fn layered_random_graphs_fall_apart_at_the_threshold() {
    let critical = Model::Layered.exact().critical;
    let controls = [0.9 * critical, 1.1 * critical];
    let share = |size: usize| {
        let samples = realisations(Model::Layered, SEED, size, 10, &controls, false);
        [0, 1].map(|index| samples.iter().map(|sample| sample.p_inf[index]).sum::<f64>() / 10.0)
    };
    let (small, large) = (share(20_000), share(200_000));
    // Below it the share falls about as 1/N, above it stands.
    assert!(large[0] < 0.25 * small[0], "{small:?} {large:?}");
    assert!((large[1] / small[1] - 1.0).abs() < 0.25, "{small:?} {large:?}");
}

/// tau from the likelihood. Corrections to scaling are of the order of 0.01 at these sizes.
#[test]
fn cluster_sizes_have_their_tails() {
    for (model, size, count, s_min, s_max) in
        [(Model::Bond2, 256, 60, 20, 600), (Model::Site2, 256, 60, 20, 600), (Model::Layered, 100_000, 20, 8, 200)]
    {
        let samples = realisations(model, SEED, size, count, &[], true);
        let fit = fit_tail(&merged(samples.iter()), s_min, s_max).unwrap();
        let exact = model.exact().tau;
        assert!(fit.error < 0.02, "{model:?} {fit:?}");
        assert!((fit.tau - exact).abs() < 3.0 * fit.error + 0.02, "{model:?} {fit:?} {exact}");
    }
}

/// A chain of bonds is cut everywhere: below p = 1 components are geometric, n_s = (1 - p)^2 p^(s-1).
#[test]
fn one_dimension_has_geometric_components() {
    let (side, p) = (100_000, 0.8);
    let lattice = Lattice::new(1, side, Percolates::Bond, &Seeds::new(1, 0)).unwrap();
    let found = cluster_numbers(lattice.graph(), Ranking::Magnitude, &[lattice.edges_at(p)]).remove(0);
    for size in 1..=10usize {
        let expected = side as f64 * (1.0 - p).powi(2) * p.powi(size as i32 - 1);
        let count = found.counts.iter().find(|count| count.0 == size).map_or(0, |count| count.1) as f64;
        assert!((count - expected).abs() < 5.0 * expected.sqrt(), "{size}: {count} {expected}");
    }
    // Sites: n_s = (1 - p)^2 p^s, once the unoccupied ones are taken from n_1.
    let lattice = Lattice::new(1, side, Percolates::Site, &Seeds::new(1, 0)).unwrap();
    let found = cluster_numbers(lattice.graph(), Ranking::Magnitude, &[lattice.edges_at(p)]).remove(0);
    for size in 1..=10usize {
        let expected = side as f64 * (1.0 - p).powi(2) * p.powi(size as i32);
        let mut count = found.counts.iter().find(|count| count.0 == size).map_or(0, |count| count.1) as f64;
        if size == 1 {
            count -= lattice.unoccupied_at(p) as f64;
        }
        assert!((count - expected).abs() < 5.0 * expected.sqrt(), "{size}: {count} {expected}");
    }
}

/// Two groups: E[s1] far above the threshold from the fixed point of the bipartite equations, here by
/// plain iteration: u = 1 - exp(-a v), v = 1 - exp(-b u).
#[test]
fn two_groups_far_above_the_threshold() {
    let sizes = [30_000, 10_000];
    let edges = 40_000.0;
    let (a, b) = (edges / 30_000.0, edges / 10_000.0);
    let (mut u, mut v) = (1.0f64, 1.0f64);
    for _ in 0..1000 {
        (u, v) = (1.0 - (-a * v).exp(), 1.0 - (-b * u).exp());
    }
    let expected = (30_000.0 * u + 10_000.0 * v) / 40_000.0;
    let graph = LayeredRandom::with_edges(&sizes, edges as usize).unwrap().generate(&Seeds::new(2, 0)).unwrap();
    let curve = sweep(&graph, Order::Magnitude, 0, 0, &Points::At(vec![edges as usize]));
    assert!((curve.points[0].p_inf() - expected).abs() < 0.01, "{} {expected}", curve.points[0].p_inf());
}
