//! What moves the answer: the protocols beside that of claim 1.

use std::fmt::Write;
use std::path::Path;

use super::passes::{ln_pass, m};
use super::saved::{Graph, Outcome, Row, Saved};
use super::tables::{bracket, exp, head};

/// The protocols, each with its study.
pub const PROTOCOLS: [(&str, &str); 6] = [
    ("one-shot", "protocol-one-shot"),
    ("random pruning", "protocol-random"),
    ("no fine-tuning", "protocol-no-tuning"),
    ("1/4 epoch a level", "protocol-quarter"),
    ("4 epochs a level", "protocol-four"),
    ("rewound", "protocol-rewound"),
];

/// Where m = 1/2 under each protocol, of all replicates and of halves of them.
pub fn table(text: &mut String, results: &Path) -> Outcome<()> {
    let columns = [
        "protocol",
        "replicates",
        "density at m = 1/2",
        "ratio to claim 1's",
        "standard errors apart",
        "outputs reached = 1/2",
        "ratio of even and of odd seeds",
    ];
    head(text, "What moves the answer (fc4, MNIST, W = 32)", &columns)?;
    let Some(base) = Saved::read(results, "claim-1-transition")? else { return Ok(()) };
    let density = |row: &Row| row.density;
    let reached = |_: &Row, graph: &Graph| graph.outputs_reached as f64 / 10.0;
    let Some(here) = ln_pass(&base, 32, density, m, 0.5) else { return Ok(()) };
    let first = [("iterative magnitude, 1 epoch a level", "claim-1-transition")];
    for (label, study) in first.into_iter().chain(PROTOCOLS) {
        let Some(saved) = Saved::read(results, study)? else { continue };
        let replicates = saved.by_replicate(32, m).len();
        let found = ln_pass(&saved, 32, density, m, 0.5);
        let half = |parity: u64| {
            let [here, there] =
                [&base, &saved].map(|saved| ln_pass(&saved.only(|_, seed| seed % 2 == parity), 32, density, m, 0.5));
            let (here, there) = (here?, there?);
            let ratio = (there.value - here.value).exp();
            Some(bracket(ratio, ratio * there.error.hypot(here.error)))
        };
        let halves = match (half(0), half(1)) {
            (Some(even), Some(odd)) if study != "claim-1-transition" => format!("{even} and {odd}"),
            _ => "-".into(),
        };
        let (ratio, apart) = match found {
            Some(found) if study != "claim-1-transition" => {
                let error = found.error.hypot(here.error);
                let ratio = (found.value - here.value).exp();
                (bracket(ratio, ratio * error), format!("{:+.1}", (found.value - here.value) / error))
            }
            _ => ("-".into(), "-".into()),
        };
        let lost = exp(ln_pass(&saved, 32, density, reached, 0.5));
        writeln!(text, "| {label} | {replicates} | {} | {ratio} | {apart} | {lost} | {halves} |", exp(found))?;
    }
    text.push('\n');
    Ok(())
}
