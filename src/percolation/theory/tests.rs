//! The theory against simulations and against itself.

use super::testing::{layered, random_dag};
use super::*;
use crate::graph::LayeredGraph;
use crate::percolation::{Order, Points, ensemble};
use crate::seed::{Seeds, Stream};

/// The equations iterated plainly, straight from their formula.
fn plain(joint: &JointDegrees, phi: f64, iterations: usize) -> f64 {
    let mut messages = vec![0.0f64; joint.types()];
    for (index, block) in joint.blocks.iter().enumerate() {
        if block.pairs() == 0 {
            messages[2 * index..2 * index + 2].fill(1.0);
        }
    }
    for _ in 0..iterations {
        let mut next = messages.clone();
        for group in &joint.groups {
            for (back, kind) in group.leaving.iter().enumerate() {
                let mean = group.mean(|k| f64::from(k[back]));
                if mean > 0.0 {
                    let follow = group.mean(|k| {
                        let product: f64 = (0..k.len())
                            .map(|c| messages[group.leaving[c].index()].powi(k[c] as i32 - i32::from(c == back)))
                            .product();
                        if k[back] == 0 { 0.0 } else { f64::from(k[back]) * product }
                    });
                    let q = joint.blocks[kind.block].retained(phi);
                    next[kind.reversed().index()] = 1.0 - q + q * follow / mean;
                }
            }
        }
        messages = next;
    }
    let outside: f64 = joint
        .groups
        .iter()
        .map(|group| {
            let none =
                |k: &[u32]| group.leaving.iter().zip(k).map(|(f, &k)| messages[f.index()].powi(k as i32)).product();
            group.mean(none) * group.nodes as f64
        })
        .sum();
    1.0 - outside / joint.nodes() as f64
}

#[test]
fn newton_finds_what_plain_iteration_finds() {
    let mut stream = Seeds::new(5, 0).stream("test");
    let mut above = 0;
    for _ in 0..60 {
        let graph = random_dag(&mut stream);
        let joint = JointDegrees::of(&graph);
        for phi in [0.0, 0.2, 0.5, 0.8, 1.0] {
            // Far from the threshold, where plain iteration gets there.
            if phi_c(&joint).is_some_and(|critical| (phi / critical - 1.0).abs() < 0.05) {
                continue;
            }
            let found = giant_component(&joint, phi);
            let expected = plain(&joint, phi, 4000);
            if (lambda(&joint) - 1.0).abs() > 0.05 {
                assert!(found.converged, "{found:?} at {phi}");
                assert!((found.p_inf - expected).abs() < 1e-9, "{found:?} {expected} at {phi}");
            }
            above += usize::from(expected > 1e-3);
        }
    }
    assert!(above > 50, "{above}");
}

#[test]
fn the_giant_component_appears_at_the_threshold() {
    let mut stream = Seeds::new(6, 0).stream("test");
    let graph = configuration(&mut stream, 300);
    let joint = JointDegrees::of(&graph);
    let critical = phi_c(&joint).unwrap();
    assert_eq!(giant_component(&joint, 0.0).p_inf, 0.0);
    for below in [0.5, 0.9, 0.999] {
        assert!(giant_component(&joint, below * critical).p_inf < 1e-9);
    }
    // beta = 1: P_inf is linear in the distance.
    let slope = |distance: f64| giant_component(&joint, critical * (1.0 + distance)).p_inf / distance;
    assert!((slope(1e-3) / slope(2e-3) - 1.0).abs() < 0.02);
    assert!((slope(1e-4) / slope(1e-3) - 1.0).abs() < 0.02);
    // At the threshold itself the search ends, near 0.
    let at = giant_component(&joint, critical);
    assert!(at.p_inf < 1e-6 && at.error < 1e-6, "{at:?}");
}

/// Four groups whose nodes have small or large degrees on both sides together, and a block that
/// jumps over a group; stubs are joined at random.
fn configuration(stream: &mut Stream, size: usize) -> LayeredGraph {
    let sizes = [size, size, size, size];
    // The same fitness on both sides of a node makes k- and k+ correlated.
    let large: Vec<Vec<bool>> = sizes.iter().map(|&size| (0..size).map(|_| stream.below(4) == 0).collect()).collect();
    let mut blocks = Vec::new();
    for (source, target, few, many) in [(0, 1, 1, 4), (1, 2, 1, 5), (2, 3, 0, 4), (0, 3, 0, 1)] {
        let mut stubs = |group: usize| {
            let mut stubs: Vec<usize> = large[group]
                .iter()
                .enumerate()
                .flat_map(|(node, &large)| std::iter::repeat_n(node, if large { many } else { few }))
                .collect();
            stream.shuffle(&mut stubs);
            stubs
        };
        let mut entries: Vec<(usize, usize)> = stubs(target).into_iter().zip(stubs(source)).collect();
        entries.sort_unstable();
        entries.dedup();
        blocks.push((source, target, entries));
    }
    layered(&sizes, &blocks)
}

/// 180,000 nodes. P_inf of one realisation fluctuates by about sqrt(2/(distance x N)), 0.007 near the
/// threshold, so the mean over realisations is compared, within its own error and 0.001 for the graph
/// being one of many.
#[test]
fn large_random_graphs_agree() {
    let graph = configuration(&mut Seeds::new(7, 0).stream("test"), 45_000);
    let joint = JointDegrees::of(&graph);
    let critical = phi_c(&joint).unwrap();
    let numbers: Vec<usize> = [0.8, 1.2, 1.5, 2.0, 3.0, 4.0]
        .iter()
        .map(|share| (share * critical * graph.edges() as f64).round() as usize)
        .filter(|&number| number <= graph.edges())
        .collect();
    assert!(numbers.len() >= 5, "phi_c = {critical}");
    let points = Points::At(numbers);
    let rows = theory_rows(&graph, "x", &points);
    let realisations = 16;
    let curves = ensemble(&graph, Order::Random, 1, realisations, &points, || {});
    for (index, row) in rows.iter().enumerate() {
        assert_eq!((row.edges, row.density), (curves[0].points[index].edges, curves[0].points[index].density()));
        let n = realisations as f64;
        let values: Vec<f64> = curves.iter().map(|curve| curve.points[index].p_inf()).collect();
        let mean = values.iter().sum::<f64>() / n;
        let error = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n * (n - 1.0))).sqrt();
        let expected = row.p_inf;
        assert!((expected - mean).abs() < 4.0 * error + 0.001, "phi {} theory {expected} {mean} +- {error}", row.phi);
    }
    // The correlation of k- and k+ matters: without it the threshold is elsewhere.
    let mut parted = joint.clone();
    for group in &mut parted.groups {
        let independent = |degrees: &[u32]| -> f64 {
            degrees
                .iter()
                .enumerate()
                .map(|(place, &k)| group.mean(|other| f64::from(u8::from(other[place] == k))))
                .product()
        };
        let mut tuples = vec![vec![]];
        for place in 0..group.leaving.len() {
            let mut values: Vec<u32> = group.classes.iter().map(|class| class.degrees[place]).collect();
            values.sort_unstable();
            values.dedup();
            tuples = tuples.iter().flat_map(|t: &Vec<u32>| values.iter().map(|&v| [&t[..], &[v]].concat())).collect();
        }
        let classes = tuples
            .into_iter()
            .map(|degrees| {
                let nodes = (independent(&degrees) * 1e9).round() as usize;
                DegreeClass { degrees, nodes }
            })
            .collect();
        let nodes = 1_000_000_000;
        *group = GroupDegrees { leaving: group.leaving.clone(), classes, nodes };
    }
    assert!(phi_c(&parted).unwrap() > 1.1 * critical);
}

/// The uniform masks of LeNet-300-100 with all its nodes 30 times: theory from the groups' sizes,
/// from the joint degrees of one such mask, and the sweep agree.
#[test]
fn a_uniform_mask_has_the_threshold_of_its_groups() {
    let sizes = [7840, 3000, 1000, 100];
    let p = 3.0 * UniformMask::chain(&sizes).threshold().unwrap();
    let mut stream = Seeds::new(8, 0).stream("test");
    let blocks: Vec<_> = (0..3)
        .map(|level| {
            let mut entries = Vec::new();
            for row in 0..sizes[level + 1] {
                // Gaps between kept weights are geometric.
                let mut column = (stream.unit().ln() / (-p).ln_1p()) as usize;
                while column < sizes[level] {
                    entries.push((row, column));
                    column += 1 + (stream.unit().ln() / (-p).ln_1p()) as usize;
                }
            }
            (level, level + 1, entries)
        })
        .collect();
    let graph = layered(&sizes, &blocks);
    let found = phi_c(&JointDegrees::of(&graph)).unwrap();
    assert!((3.0 * found - 1.0).abs() < 0.03, "{found}");
}
