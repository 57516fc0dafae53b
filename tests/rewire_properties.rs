//! Each null model keeps exactly what it promises.

use std::collections::BTreeMap;

use ndarray::{ArrayD, IxDyn};
use proptest::prelude::*;

use prunephase::mask::{LayerMask, Mask};
use prunephase::network::{LayerParameters, Parameters};
use prunephase::rewire::{self, ChainKind, NullModel, Sample, SwapOptions, freedom, kept_weights, sample};
use prunephase::seed::Seeds;

/// Row and column sums of a layer, convolutions as filters x taps.
fn degrees(layer: &LayerMask) -> (Vec<usize>, Vec<usize>) {
    let rows = layer.kept.shape()[0];
    let columns = layer.kept.len() / rows;
    let (mut row_sums, mut column_sums) = (vec![0; rows], vec![0; columns]);
    for (index, &kept) in layer.kept.iter().enumerate() {
        row_sums[index / columns] += usize::from(kept);
        column_sums[index % columns] += usize::from(kept);
    }
    (row_sums, column_sums)
}

fn random_mask(shapes: &[Vec<usize>], densities: &[f64], seed: u64) -> Mask {
    let mut stream = Seeds::new(seed, 9).stream("a mask");
    let layers = shapes
        .iter()
        .zip(densities.iter().cycle())
        .enumerate()
        .map(|(index, (shape, density))| LayerMask {
            name: format!("layer{index}"),
            kept: ArrayD::from_shape_simple_fn(IxDyn(shape), || stream.unit() < *density),
        })
        .collect();
    Mask { layers }
}

/// Weights of both signs of which no two are the same, 0 where pruned.
fn distinct_weights(mask: &Mask) -> Parameters {
    let mut next: f32 = 0.0;
    let mut stream = Seeds::new(8, 0).stream("signs");
    let layers = mask
        .layers
        .iter()
        .map(|layer| LayerParameters {
            name: layer.name.clone(),
            weight: layer.kept.mapv(|kept| {
                next += 1.0;
                let signed = if stream.below(3) == 0 { -next } else { next };
                if kept { signed } else { 0.0 }
            }),
            bias: Some(ndarray::Array1::from_elem(layer.kept.shape()[0], 0.5)),
        })
        .collect();
    Parameters { layers }
}

fn sorted(layer: &LayerParameters) -> Vec<u32> {
    let mut values: Vec<u32> = layer.weight.iter().filter(|w| **w != 0.0).map(|w| w.to_bits()).collect();
    values.sort_unstable();
    values
}

fn masks() -> impl Strategy<Value = Mask> {
    let shape = prop_oneof![
        (1usize..12, 1usize..12).prop_map(|(out, inputs)| vec![out, inputs]),
        (1usize..6, 1usize..4, 1usize..4).prop_map(|(out, inputs, side)| vec![out, inputs, side, side]),
    ];
    (
        prop::collection::vec(shape, 1..4),
        prop::collection::vec(prop_oneof![Just(0.0), Just(1.0), 0.05f64..0.95], 1..4),
        any::<u64>(),
    )
        .prop_map(|(shapes, densities, seed)| random_mask(&shapes, &densities, seed))
}

fn draw(mask: &Mask, null: NullModel, number: usize) -> Mask {
    draw_weights(mask, null, number, false).mask
}

fn draw_weights(mask: &Mask, null: NullModel, number: usize, keep_taps: bool) -> Sample {
    let options = SwapOptions::new(20.0).unwrap().keeping_taps(keep_taps);
    rewire::draw(&distinct_weights(mask), mask, null, &Seeds::new(3, 0), number, &options).unwrap()
}

/// The kept weights of one sign, as a mask.
fn of_sign(parameters: &Parameters, negative: bool) -> Mask {
    let layers = parameters.layers.iter().map(|layer| LayerMask {
        name: layer.name.clone(),
        kept: layer.weight.mapv(|w| w != 0.0 && (w < 0.0) == negative),
    });
    Mask { layers: layers.collect() }
}

/// The number of edges between columns of each sum and rows of each sum.
fn joint_degrees(layer: &LayerMask) -> BTreeMap<(usize, usize), usize> {
    let (rows, columns) = degrees(layer);
    let mut counts = BTreeMap::new();
    for (cell, _) in layer.kept.iter().enumerate().filter(|(_, kept)| **kept) {
        *counts.entry((rows[cell / columns.len()], columns[cell % columns.len()])).or_default() += 1;
    }
    counts
}

/// The layer of a convolution at each place of its kernel, or a linear layer alone.
fn places(layer: &LayerMask) -> Vec<LayerMask> {
    let (filters, inputs) = (layer.kept.shape()[0], layer.kept.shape()[1]);
    let count: usize = layer.kept.shape()[2..].iter().product();
    let flat = layer.kept.to_shape((filters, inputs, count)).unwrap();
    (0..count)
        .map(|place| LayerMask {
            name: layer.name.clone(),
            kept: flat.index_axis(ndarray::Axis(2), place).to_owned().into_dyn(),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_null_model_keeps_what_it_promises(mask in masks(), number in 0usize..1000) {
        for &null in NullModel::ALL {
            let sampled = draw(&mask, null, number);
            prop_assert_eq!(sampled.kept(), mask.kept());
            for (a, b) in mask.layers.iter().zip(&sampled.layers) {
                prop_assert_eq!(&a.name, &b.name);
                prop_assert_eq!(a.kept.shape(), b.kept.shape());
                let ((a_in, a_out), (b_in, b_out)) = (degrees(a), degrees(b));
                if null != NullModel::Edges {
                    prop_assert_eq!(a.kept_count(), b.kept_count());
                }
                if null == NullModel::InDegrees || null.uses_swaps() {
                    prop_assert_eq!(&a_in, &b_in, "{}", null);
                }
                if null == NullModel::OutDegrees || null.uses_swaps() {
                    prop_assert_eq!(&a_out, &b_out, "{}", null);
                }
                if null == NullModel::JointDegrees {
                    prop_assert_eq!(joint_degrees(a), joint_degrees(b));
                }
            }
        }
    }

    #[test]
    fn signed_degrees_keeps_the_degrees_of_each_sign(mask in masks(), number in 0usize..1000, taps in any::<bool>()) {
        let before = distinct_weights(&mask);
        let after = draw_weights(&mask, NullModel::SignedDegrees, number, taps).parameters;
        for negative in [false, true] {
            for (a, b) in of_sign(&before, negative).layers.iter().zip(&of_sign(&after, negative).layers) {
                prop_assert_eq!(degrees(a), degrees(b));
                if taps {
                    for (a, b) in places(a).iter().zip(&places(b)) {
                        prop_assert_eq!(degrees(a), degrees(b));
                    }
                }
            }
        }
        // The values of each sign are those of the layer.
        for (a, b) in before.layers.iter().zip(&after.layers) {
            prop_assert_eq!(sorted(a), sorted(b));
        }
    }

    #[test]
    fn with_taps_kept_every_place_of_the_kernel_keeps_what_the_layer_does(mask in masks(), number in 0usize..1000) {
        for null in [NullModel::Degrees, NullModel::JointDegrees] {
            let sampled = draw_weights(&mask, null, number, true).mask;
            for (a, b) in mask.layers.iter().zip(&sampled.layers) {
                for (a, b) in places(a).iter().zip(&places(b)) {
                    prop_assert_eq!(degrees(a), degrees(b));
                    if null == NullModel::JointDegrees {
                        prop_assert_eq!(joint_degrees(a), joint_degrees(b));
                    }
                }
                if null == NullModel::JointDegrees {
                    prop_assert_eq!(joint_degrees(a), joint_degrees(b));
                }
                if a.kept.ndim() == 2 {
                    let without = draw(&mask, null, number);
                    prop_assert_eq!(Some(b), without.layers.iter().find(|layer| layer.name == b.name));
                }
            }
        }
    }

    #[test]
    fn a_layer_changes_exactly_where_its_edges_are_not_all_forced(mask in masks()) {
        for &null in NullModel::ALL {
            let drawn: Vec<Mask> = (0..40).map(|number| draw(&mask, null, number)).collect();
            if null.keeps_signs() {
                // Only a bound is known of the edges that are forced.
                continue;
            }
            let free = freedom(&mask, None, null, &SwapOptions::default()).unwrap();
            if null == NullModel::Edges {
                let changed = drawn.iter().any(|drawn| drawn != &mask);
                prop_assert_eq!(changed, mask.kept() > 0 && mask.kept() < mask.weights());
                continue;
            }
            for (index, layer) in free.iter().enumerate() {
                let changed = drawn.iter().any(|drawn| drawn.layers[index] != mask.layers[index]);
                prop_assert_eq!(changed, layer.forced < layer.edges, "{}: {:?}", null, layer);
            }
        }
    }

    #[test]
    fn edges_that_are_forced_stay(mask in masks()) {
        // Counted by drawing: what all of many draws share is at least what is forced.
        let weights = distinct_weights(&mask);
        for null in [NullModel::Degrees, NullModel::SignedDegrees, NullModel::JointDegrees] {
            for taps in [false, true] {
                let options = SwapOptions::default().keeping_taps(taps);
                let free = freedom(&mask, Some(&weights), null, &options).unwrap();
                let mut shared = mask.clone();
                let mut first = weights.clone();
                for number in 0..20 {
                    let drawn = draw_weights(&mask, null, number, taps).parameters;
                    let pairs = shared.layers.iter_mut().zip(first.layers.iter_mut().zip(&drawn.layers));
                    for (shared, (a, b)) in pairs {
                        ndarray::Zip::from(&mut shared.kept).and(&a.weight).and(&b.weight).for_each(|kept, a, b| {
                            *kept &= *b != 0.0 && (!null.keeps_signs() || (*a < 0.0) == (*b < 0.0));
                        });
                    }
                }
                for (free, shared) in free.iter().zip(&shared.layers) {
                    prop_assert!(free.forced <= shared.kept_count(), "{}: {:?}, {}", null, free, shared.kept_count());
                }
            }
        }
    }

    #[test]
    fn curveball_keeps_both_degrees_and_what_is_forced(mask in masks(), number in 0usize..1000, taps: bool) {
        let options = SwapOptions::new(20.0).unwrap().keeping_taps(taps).by(ChainKind::Curveball);
        let (sampled, rows) = sample(&mask, NullModel::Degrees, &Seeds::new(3, 0), number, &options).unwrap();
        let free = freedom(&mask, None, NullModel::Degrees, &options).unwrap();
        for ((a, b), free) in mask.layers.iter().zip(&sampled.layers).zip(&free) {
            prop_assert_eq!(degrees(a), degrees(b));
            if taps && a.kept.ndim() > 2 {
                for (a, b) in places(a).iter().zip(&places(b)) {
                    prop_assert_eq!(degrees(a), degrees(b));
                }
            }
            let shared = a.kept.iter().zip(&b.kept).filter(|(a, b)| **a && **b).count();
            prop_assert!(free.forced <= shared);
            prop_assert!(free.forced < free.edges || a == b);
        }
        for row in rows {
            prop_assert!(row.accepted <= row.proposals, "{:?}", row);
        }
    }

    #[test]
    fn the_surviving_weights_are_moved_and_nothing_else(mask in masks(), number in 0usize..1000) {
        let parameters = distinct_weights(&mask);
        for &null in NullModel::ALL {
            let Sample { mask: sampled, parameters: rewired, .. } = draw_weights(&mask, null, number, false);
            let placed = kept_weights(&parameters, &mask, &sampled, null, &Seeds::new(3, 0), number);
            if null.keeps_signs() {
                prop_assert!(placed.unwrap_err().to_string().contains("needs the weights"));
            } else {
                prop_assert_eq!(&placed.unwrap(), &rewired);
            }
            sampled.verify(&rewired).unwrap();
            prop_assert_eq!(&Mask::of_nonzero(&rewired), &sampled);
            let (mut all_before, mut all_after) = (Vec::new(), Vec::new());
            for (before, after) in parameters.layers.iter().zip(&rewired.layers) {
                prop_assert_eq!(&before.bias, &after.bias);
                let (before, after) = (sorted(before), sorted(after));
                if null != NullModel::Edges {
                    prop_assert_eq!(&before, &after);
                }
                all_before.extend(before);
                all_after.extend(after);
            }
            all_before.sort_unstable();
            all_after.sort_unstable();
            prop_assert_eq!(all_before, all_after);
        }
    }
}

fn example() -> Mask {
    random_mask(&[vec![30, 40], vec![8, 3, 5, 5], vec![10, 30]], &[0.2, 0.6, 0.05], 5)
}

#[test]
fn no_null_model_keeps_more_than_it_promises() {
    let mask = example();
    let same = |null: NullModel, of: fn(&LayerMask) -> Vec<usize>| {
        let sampled = draw(&mask, null, 0);
        mask.layers.iter().zip(&sampled.layers).filter(|(a, b)| of(a) == of(b)).count()
    };
    let count: fn(&LayerMask) -> Vec<usize> = |layer| vec![layer.kept_count()];
    let inputs: fn(&LayerMask) -> Vec<usize> = |layer| degrees(layer).0;
    let outputs: fn(&LayerMask) -> Vec<usize> = |layer| degrees(layer).1;
    assert_eq!(same(NullModel::Edges, count), 0);
    assert_eq!((same(NullModel::LayerDensity, inputs), same(NullModel::LayerDensity, outputs)), (0, 0));
    assert_eq!((same(NullModel::InDegrees, inputs), same(NullModel::InDegrees, outputs)), (3, 0));
    assert_eq!((same(NullModel::OutDegrees, inputs), same(NullModel::OutDegrees, outputs)), (0, 3));
    for null in [NullModel::Degrees, NullModel::SignedDegrees, NullModel::JointDegrees] {
        assert_eq!((same(null, inputs), same(null, outputs)), (3, 3));
        // All but what is forced goes, so the mask is another one.
        let sampled = draw(&mask, null, 0);
        assert!(mask.layers.iter().zip(&sampled.layers).all(|(a, b)| a != b), "{null}");
    }
    // Joint degrees go under all but their own null model, and the degrees of signs.
    let joint = |null: NullModel| {
        let sampled = draw(&mask, null, 0);
        mask.layers.iter().zip(&sampled.layers).filter(|(a, b)| joint_degrees(a) == joint_degrees(b)).count()
    };
    assert_eq!((joint(NullModel::Degrees), joint(NullModel::SignedDegrees), joint(NullModel::JointDegrees)), (0, 0, 3));
    let before = of_sign(&distinct_weights(&mask), true);
    let signed = |null: NullModel| {
        let after = of_sign(&draw_weights(&mask, null, 0, false).parameters, true);
        before.layers.iter().zip(&after.layers).filter(|(a, b)| degrees(a) == degrees(b)).count()
    };
    assert_eq!(
        (signed(NullModel::Degrees), signed(NullModel::JointDegrees), signed(NullModel::SignedDegrees)),
        (0, 0, 3)
    );
    // The signs of a layer without empty places move too, though its mask cannot.
    let dense = random_mask(&[vec![12, 15]], &[1.0], 1);
    let drawn = draw_weights(&dense, NullModel::SignedDegrees, 0, false);
    assert_eq!(drawn.mask, dense);
    assert_ne!(of_sign(&drawn.parameters, true), of_sign(&distinct_weights(&dense), true));
    let end = drawn.mixing.last().unwrap();
    assert!((end.sign_overlap.unwrap() - end.sign_overlap_random.unwrap()).abs() < 0.15, "{end:?}");
}

#[test]
fn places_of_a_kernel_are_mixed_unless_they_are_kept() {
    let mask = random_mask(&[vec![12, 9, 3, 3]], &[0.4], 2);
    for null in [NullModel::Degrees, NullModel::SignedDegrees, NullModel::JointDegrees] {
        let kept = |taps: bool| {
            let sampled = draw_weights(&mask, null, 0, taps).mask;
            assert_ne!(sampled, mask);
            let (before, after) = (places(&mask.layers[0]), places(&sampled.layers[0]));
            before.iter().zip(&after).filter(|(a, b)| degrees(a).0 == degrees(b).0).count()
        };
        assert_eq!((kept(false), kept(true)), (0, 9), "{null}");
    }
}

#[test]
fn autocorrelation_times_tell_a_slow_chain() {
    let mask = random_mask(&[vec![60, 80], vec![60, 80]], &[0.1, 0.5], 3);
    let weights = distinct_weights(&mask);
    let seeds = Seeds::new(1, 0);
    for null in [NullModel::Degrees, NullModel::SignedDegrees, NullModel::JointDegrees] {
        let times = rewire::autocorrelation(&mask, Some(&weights), null, &seeds, &SwapOptions::default()).unwrap();
        assert_eq!(times.len(), 2);
        for time in &times {
            assert_eq!(time.length, 100.0);
            if null == NullModel::JointDegrees {
                // Joint degrees fix it.
                assert_eq!(time.assortativity, None);
            }
            let found: Vec<f64> =
                [time.overlap, time.assortativity, time.place_correlation].into_iter().flatten().collect();
            // Of a few proposals an edge; half of the pairs of a signed chain have different signs.
            assert!(found.iter().all(|&tau| (0.2..30.0).contains(&tau)), "{null}: {time:?}");
        }
    }
    assert_eq!(rewire::autocorrelation(&mask, None, NullModel::Edges, &seeds, &SwapOptions::default()).unwrap(), []);
}

#[test]
fn degrees_destroys_correlations_that_in_and_out_degrees_do_not_imply() {
    // Two blocks: a unit with 12 inputs has inputs with 12 outputs, one with 3 has ones with 3.
    let kept = ArrayD::from_shape_fn(IxDyn(&[60, 60]), |at| match (at[0] < 30, at[1] < 30) {
        (true, true) => (at[0] + 30 - at[1]) % 30 < 12,
        (false, false) => (at[0] + 30 - at[1]) % 30 < 3,
        _ => false,
    });
    let mask = Mask { layers: vec![LayerMask { name: "a".into(), kept }] };
    let (_, rows) = sample(&mask, NullModel::Degrees, &Seeds::new(1, 0), 0, &SwapOptions::default()).unwrap();
    let (first, last) = (&rows[0], &rows[rows.len() - 1]);
    assert!((first.assortativity.unwrap() - 1.0).abs() < 1e-9);
    assert!(last.assortativity.unwrap().abs() < 0.15, "{last:?}");
    assert!((last.overlap.unwrap() - last.overlap_random.unwrap()).abs() < 0.1, "{last:?}");
}

#[test]
fn a_sample_depends_on_its_number_alone() {
    let mask = example();
    let parameters = distinct_weights(&mask);
    let options = SwapOptions::default();
    for &null in NullModel::ALL {
        let one = |number: usize, seed: u64| {
            let seeds = Seeds::new(seed, 0);
            let drawn = rewire::draw(&parameters, &mask, null, &seeds, number, &options).unwrap();
            (drawn.mask, drawn.mixing, drawn.parameters)
        };
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let alone = pool(1).install(|| one(3, 1));
        let after_others = pool(3).install(|| (0..4).map(|number| one(number, 1)).next_back().unwrap());
        assert_eq!(alone, after_others, "{null}");
        assert_ne!(alone.0, one(4, 1).0, "{null}");
        assert_ne!(alone.0, one(3, 2).0, "{null}");
        // A layer's draw does not hang on the other layers, unless edges move between them.
        if null != NullModel::Edges {
            let (mut last, mut weights) = (mask.clone(), parameters.clone());
            last.layers.drain(..2);
            weights.layers.drain(..2);
            let drawn = rewire::draw(&weights, &last, null, &Seeds::new(1, 0), 3, &options).unwrap();
            assert_eq!(drawn.mask.layers[0], alone.0.layers[2], "{null}");
        }
    }
}

#[test]
fn a_memory_layout_changes_nothing() {
    let mask = example();
    let parameters = distinct_weights(&mask);
    let (mut turned_mask, mut turned) = (mask.clone(), parameters.clone());
    let kept = &mut turned_mask.layers[0].kept;
    *kept = kept.t().as_standard_layout().into_owned().reversed_axes();
    let weight = &mut turned.layers[0].weight;
    *weight = weight.t().as_standard_layout().into_owned().reversed_axes();
    assert!(!turned_mask.layers[0].kept.is_standard_layout());
    assert_eq!(turned_mask, mask);
    let seeds = Seeds::new(2, 0);
    for &null in NullModel::ALL {
        let options = SwapOptions::default();
        assert_eq!(
            rewire::draw(&turned, &turned_mask, null, &seeds, 1, &options).unwrap(),
            rewire::draw(&parameters, &mask, null, &seeds, 1, &options).unwrap()
        );
    }
}

#[test]
fn the_mixing_rows_tell_the_chain() {
    let mask = example();
    let (sampled, rows) = sample(&mask, NullModel::Degrees, &Seeds::new(3, 0), 2, &SwapOptions::default()).unwrap();
    assert_eq!(rows.len(), 3 * 8);
    for (layer, rows) in mask.layers.iter().zip(rows.chunks(8)) {
        let edges = layer.kept_count();
        let at: Vec<f64> = rows.iter().map(|row| row.proposals_per_edge.unwrap()).collect();
        assert_eq!(at, [0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0]);
        assert!(rows.iter().all(|row| row.layer == layer.name && row.sample == 2));
        assert_eq!((rows[0].accepted, rows[0].overlap), (0, Some(1.0)));
        for pair in rows.windows(2) {
            let (accepted, proposals) = (pair[1].accepted - pair[0].accepted, pair[1].proposals - pair[0].proposals);
            assert!(0 < accepted && accepted < proposals, "{pair:?}");
        }
        assert_eq!(rows[7].proposals, 10 * edges as u64);
        let end = sampled.layers.iter().find(|end| end.name == layer.name).unwrap();
        let shared = layer.kept.iter().zip(&end.kept).filter(|(a, b)| **a && **b).count();
        assert_eq!(rows[7].overlap, Some(shared as f64 / edges as f64));
    }
    let (_, rows) = sample(&mask, NullModel::Edges, &Seeds::new(3, 0), 2, &SwapOptions::default()).unwrap();
    assert_eq!(rows.len(), 6);
    assert_eq!(rows[1].proposals_per_edge, None);
    assert!(rows[1].overlap.unwrap() < 1.0);
}

#[test]
fn curveball_mixes_to_the_same_law_and_says_how_long_it_took() {
    let mask = example();
    let seeds = Seeds::new(3, 0);
    let options = |kind| SwapOptions::new(15.25).unwrap().by(kind);
    let ends = |kind| {
        let mut ends = vec![Vec::new(); 3];
        for number in 0..40 {
            let (_, rows) = sample(&mask, NullModel::Degrees, &seeds, number, &options(kind)).unwrap();
            for (layer, end) in ends.iter_mut().enumerate() {
                let row = &rows[rows.len() / 3 * (layer + 1) - 1];
                end.push([row.overlap, row.assortativity, row.place_correlation].map(Option::unwrap));
            }
        }
        ends
    };
    let moments = |values: &[[f64; 3]], at: usize| {
        let n = values.len() as f64;
        let mean = values.iter().map(|value| value[at]).sum::<f64>() / n;
        (mean, values.iter().map(|value| (value[at] - mean).powi(2)).sum::<f64>() / (n - 1.0) / n)
    };
    for (layer, (swaps, curveball)) in ends(ChainKind::Swaps).iter().zip(ends(ChainKind::Curveball)).enumerate() {
        for at in 0..3 {
            let ((a, a_error), (b, b_error)) = (moments(swaps, at), moments(&curveball, at));
            assert!((a - b).abs() < 4.5 * (a_error + b_error).sqrt(), "layer {layer}, {at}: {a} and {b}");
        }
    }
    // A round is half a proposal an edge, and 15.25 proposals are 31 rounds.
    let (sampled, rows) = sample(&mask, NullModel::Degrees, &seeds, 0, &options(ChainKind::Curveball)).unwrap();
    let edges = mask.layers[0].kept_count() as u64;
    let at: Vec<f64> = rows[..9].iter().map(|row| row.proposals_per_edge.unwrap()).collect();
    assert_eq!(at, [0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0]);
    assert_eq!((rows[9].proposals_per_edge, rows[9].proposals), (Some(15.5), 31 * edges / 2));
    assert!(rows[..10].windows(2).all(|pair| pair[0].accepted < pair[1].accepted));
    assert_ne!(sampled, sample(&mask, NullModel::Degrees, &seeds, 0, &options(ChainKind::Swaps)).unwrap().0);
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let on = |threads| {
        pool(threads).install(|| sample(&mask, NullModel::Degrees, &seeds, 0, &options(ChainKind::Curveball)).unwrap())
    };
    assert_eq!(on(1), on(3));
    let times =
        rewire::autocorrelation(&mask, None, NullModel::Degrees, &seeds, &options(ChainKind::Curveball)).unwrap();
    for time in &times {
        assert_eq!(time.length, 200.0);
        assert!(time.longest().is_some_and(|(_, tau)| (0.5..20.0).contains(&tau)), "{time:?}");
    }
    // Other null models keep their chains.
    for &null in NullModel::ALL.iter().filter(|null| **null != NullModel::Degrees && !null.keeps_signs()) {
        let by = |kind| sample(&mask, null, &seeds, 0, &options(kind)).unwrap();
        assert_eq!(by(ChainKind::Swaps), by(ChainKind::Curveball));
    }
}

#[test]
fn weights_that_do_not_fit_are_refused() {
    let mask = example();
    let parameters = distinct_weights(&mask);
    let seeds = Seeds::new(0, 0);
    let loose = draw(&mask, NullModel::Edges, 0);
    let refused = |parameters, sampled: &Mask| {
        kept_weights(parameters, &mask, sampled, NullModel::Degrees, &seeds, 0).unwrap_err().to_string()
    };
    let message = refused(&parameters, &loose);
    assert!(message.starts_with("layer `layer0`: the mask keeps "), "{message}");
    let mut regrown = parameters.clone();
    regrown.layers[2].weight.fill(1.0);
    assert!(refused(&regrown, &mask).contains("the mask was not kept"));
    let mut short = mask.clone();
    short.layers.pop();
    assert!(
        refused(&parameters, &short).contains("layer `layer2`: has shape")
            || refused(&parameters, &short).contains("layer2")
    );
}
