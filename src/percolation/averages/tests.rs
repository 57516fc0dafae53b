use super::*;
use crate::graph::{Block, Role};
use crate::percolation::sweep;
use crate::percolation::{Order, observe};

/// Two inputs, two hidden nodes, one output; five weights.
fn small(keep: &[bool]) -> LayeredGraph {
    let block = |name: &str, source, target, entries: &[(usize, usize)], keep: &[bool]| {
        let entries = entries.iter().zip(keep).filter(|(_, keep)| **keep).map(|(&(row, column), _)| (row, column, 1.0));
        Block::new(name, (source, 2), (target, if target == 1 { 2 } else { 1 }), 4, entries).unwrap()
    };
    let groups = [("in", 2, Role::Input), ("h", 2, Role::Hidden), ("out", 1, Role::Output)];
    LayeredGraph::new(
        groups.map(|(name, size, role)| (name.to_owned(), size, role)),
        vec![block("a", 0, 1, &[(0, 0), (0, 1), (1, 1)], &keep[..3]), block("b", 1, 2, &[(0, 0), (0, 1)], &keep[3..])],
    )
    .unwrap()
}

/// Every order of `count` weights, as scores.
fn orders(count: usize) -> Vec<Vec<f32>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(count - 1);
    let with = |place: usize| {
        shorter.iter().map(move |order| {
            let mut order = order.clone();
            order.insert(place, count as f32);
            order
        })
    };
    (0..count).flat_map(with).collect()
}

#[test]
fn canonical_averages_are_sums_over_all_masks() {
    let graph = small(&[true; 5]);
    let averages = Averages::new(&graph, Ensemble::Canonical, &Points::All);
    let realisations: Vec<_> = orders(5).iter().map(|scores| averages.realisation(Ranking::Scores(scores))).collect();
    assert_eq!(realisations.len(), 120);
    for row in averages.rows("c", &realisations) {
        let p = row.edges / 5.0;
        let mut expected = [0.0; QUANTITIES];
        for mask in 0u32..32 {
            let keep: Vec<bool> = (0..5).map(|edge| mask >> edge & 1 == 1).collect();
            let kept = mask.count_ones() as i32;
            let weight = p.powi(kept) * (1.0 - p).powi(5 - kept);
            for (sum, value) in expected.iter_mut().zip(quantities(&observe(&small(&keep)))) {
                *sum += weight * value;
            }
        }
        let found = [row.p_inf, row.r * row.p_inf.powi(2), row.s2, row.chi, row.outputs_reached, row.inputs_used];
        let exact = [expected[0], expected[1], expected[3], expected[4], expected[5], expected[6]];
        for (found, exact) in found.iter().zip(exact) {
            assert!((found - exact).abs() < 1e-12, "{found} {exact}");
        }
        assert!((row.active_edges - expected[7]).abs() < 1e-12);
        let fourth = (1.0 - row.u4) * 3.0 * expected[1] * expected[1];
        assert!((fourth - expected[2]).abs() < 1e-12);
        assert_eq!((row.phi, row.density), (p, row.edges / 8.0));
    }
}

#[test]
fn microcanonical_averages_and_errors_by_hand() {
    let graph = small(&[true; 5]);
    let averages = Averages::new(&graph, Ensemble::Microcanonical, &Points::At(vec![2, 5]));
    let of = |realisation| averages.realisation(Ranking::Random { seed: 3, realisation });
    let realisations: Vec<_> = (0..9).map(of).collect();
    let rows = averages.rows("c", &realisations);
    let s1: Vec<f64> = (0..9)
        .map(|realisation| sweep(&graph, Order::Random, 3, realisation, &Points::At(vec![2])).points[0].s1 as f64)
        .collect();
    let mean = s1.iter().sum::<f64>() / 9.0;
    let variance = s1.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / 8.0;
    assert!(variance > 0.0);
    assert!((rows[0].p_inf - mean / 5.0).abs() < 1e-12);
    // Of a mean the jackknife error is the standard error.
    assert!((rows[0].p_inf_error.unwrap() - (variance / 9.0).sqrt() / 5.0).abs() < 1e-12);
    assert!((rows[0].chi_v.unwrap() - variance / 5.0).abs() < 1e-12);
    assert!((rows[0].chi_fl.unwrap() - variance / mean).abs() < 1e-12);
    assert!(rows[0].r_error.unwrap() > 0.0 && rows[0].u4_error.unwrap() > 0.0);
    // All weights: nothing fluctuates.
    assert_eq!((rows[1].p_inf_error, rows[1].chi_v, rows[1].r), (Some(0.0), Some(0.0), 1.0));
    // One realisation has no error.
    let one = &averages.rows("c", &realisations[..1])[0];
    assert_eq!((one.p_inf_error, one.chi_v, one.chi_fl_error), (None, None, None));
    assert!(averages.rows("c", &[]).is_empty());
}

#[test]
fn a_jackknife_of_a_variance_scatters_as_it_says() {
    // The spread of chi_v over independent sets against the mean of its squared errors.
    let graph = crate::graph::generate::LayeredRandom::with_edges(&[60, 60], 90)
        .unwrap()
        .generate(&crate::seed::Seeds::new(1, 0))
        .unwrap();
    let averages = Averages::new(&graph, Ensemble::Microcanonical, &Points::At(vec![60]));
    let sets: Vec<(f64, f64)> = (0..200)
        .map(|seed| {
            let of = |realisation| averages.realisation(Ranking::Random { seed, realisation });
            let realisations: Vec<_> = (0..40).map(of).collect();
            let row = averages.rows("c", &realisations).remove(0);
            (row.chi_v.unwrap(), row.chi_v_error.unwrap())
        })
        .collect();
    let mean = sets.iter().map(|set| set.0).sum::<f64>() / 200.0;
    let spread = (sets.iter().map(|set| (set.0 - mean).powi(2)).sum::<f64>() / 199.0).sqrt();
    let error = (sets.iter().map(|set| set.1.powi(2)).sum::<f64>() / 200.0).sqrt();
    // 200 sets know the spread to 5 %; the jackknife of a variance is a little too large.
    assert!((0.85..1.35).contains(&(error / spread)), "{error} {spread}");
}
