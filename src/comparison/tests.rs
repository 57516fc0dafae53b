use super::*;

fn run(null: &str, sample: usize, seed: u64, accuracy: f64) -> RetrainingRow {
    RetrainingRow {
        checkpoint: "level-09.safetensors".into(),
        density: 0.01,
        null: null.into(),
        weights: "rewound".into(),
        sample,
        seed,
        accuracy,
        loss: 0.0,
        prediction_entropy: 0.0,
        outcome_entropy: 0.0,
    }
}

fn crossed(null: &str, shift: f64, spread: f64) -> Vec<RetrainingRow> {
    let mut stream = Seeds::new(4, 0).stream(&format!("test {null}"));
    (0..6)
        .flat_map(|sample| (0..4).map(move |seed| (sample, seed)))
        .map(|(sample, seed)| run(null, sample, seed, 0.9 + 0.001 * seed as f64 + shift + spread * stream.normal()))
        .collect()
}

#[test]
fn verdicts() {
    let mut runs: Vec<RetrainingRow> = (0..4).map(|seed| run(ORIGINAL, 0, seed, 0.9 + 0.001 * seed as f64)).collect();
    runs.extend(crossed("degrees", 0.0, 0.001));
    runs.extend(crossed("layer-density", -0.1, 0.001));
    runs.extend(crossed("edges", 0.0, 0.1));
    runs.extend(crossed("joint-degrees", 0.004, 0.0001));
    let rows = compare(&runs, &Options::default());
    let verdicts: Vec<_> = rows.iter().map(|row| (row.null.as_str(), row.verdict)).collect();
    assert_eq!(
        verdicts,
        [
            ("degrees", Verdict::Equivalent),
            ("layer-density", Verdict::Different),
            ("edges", Verdict::Undecided),
            ("joint-degrees", Verdict::Close)
        ]
    );
    for row in &rows {
        assert!((row.mean - row.original - row.difference).abs() < 1e-15);
        assert!(row.low95.unwrap() <= row.difference && row.difference <= row.high95.unwrap());
        assert_eq!((row.samples, row.seeds, row.margin), (6, 4, 0.01));
    }
    assert_eq!((rows[1].rank_p, rows[1].signed_rank_p), (2.0 / 7.0, Some(2.0 / 64.0)));
}

#[test]
fn incomplete_seeds_are_left_out() {
    let mut runs: Vec<RetrainingRow> = (0..4).map(|seed| run(ORIGINAL, 0, seed, 0.9)).collect();
    runs.extend(crossed("degrees", 0.0, 0.01));
    let whole = compare(&runs, &Options::default()).remove(0);
    // Sample 2 has not been retrained with seed 3 yet.
    runs.retain(|one| !(one.null == "degrees" && one.sample == 2 && one.seed == 3));
    let part = compare(&runs, &Options::default()).remove(0);
    assert_eq!((whole.seeds, part.seeds, part.samples), (4, 3, 6));
    // Without the original there is nothing to compare with.
    runs.retain(|one| one.null != ORIGINAL);
    assert!(compare(&runs, &Options::default()).is_empty());
}
