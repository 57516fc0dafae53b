//! Numbers of components by size with tau.

use serde::Deserialize;

use super::axis::Spacing;
use super::error::FigureError;
use super::figure_of::Figure;
use super::fits::{Estimate, significant};
use super::kind::Kind;
use super::page::Page;
use super::panel::Panel;
use super::series::{Joined, Key, Look, Point, Series};
use super::sources::Sources;
use super::style::{Preset, Style};
use super::text::Rich;

/// tau of mean field.
const MEAN_FIELD: f64 = 2.5;
/// Sizes up to this are summed one by one in the norm of the law; beyond, by an integral.
const DIRECT: f64 = 1e5;

/// tail.json, as far as the figure needs it.
#[derive(Deserialize)]
struct Tail {
    tau: f64,
    error: f64,
    s_min: f64,
    s_max: f64,
    p_value: f64,
    plausible: bool,
}

/// Components of sizes from `low` to `high`.
struct Bin {
    low: f64,
    high: f64,
    count: f64,
}

impl Bin {
    fn centre(&self) -> f64 {
        (self.low * self.high).sqrt()
    }

    fn sizes(&self) -> f64 {
        self.high - self.low + 1.0
    }
}

/// The sum of s^-tau over whole numbers from `low` to `high`.
fn norm(tau: f64, low: f64, high: f64) -> f64 {
    let last = high.min(low.max(DIRECT));
    let direct: f64 = (0..=(last - low) as usize).map(|step| (low + step as f64).powf(-tau)).sum();
    if last >= high {
        return direct;
    }
    // By the middle rule, from half way beyond the last term.
    let (from, to) = (last + 0.5, high + 0.5);
    let integral = if (tau - 1.0).abs() < 1e-12 {
        (to / from).ln()
    } else {
        (to.powf(1.0 - tau) - from.powf(1.0 - tau)) / (1.0 - tau)
    };
    direct + integral
}

/// Draws the figure.
pub(super) fn draw(sources: &Sources, style: &Style, preset: &Preset) -> Result<Figure, FigureError> {
    let (table, json) = sources.fitted(Kind::ClusterNumbers)?;
    let (tail, tail_provenance): (Tail, _) = json.json()?;
    let input = table.table()?;
    let (low, high) = (input.table.numbers("low")?, input.table.numbers("high")?);
    let count = input.table.numbers("count")?;
    let bins: Vec<Bin> = (0..count.len())
        .map(|row| Bin { low: low[row], high: high[row], count: count[row] })
        .filter(|bin| bin.low >= 1.0 && bin.high >= bin.low && bin.count > 0.0)
        .collect();
    let total: f64 = bins.iter().map(|bin| bin.count).sum();
    if bins.is_empty() {
        let reason = "no bin of sizes from 1 on holds a component".to_owned();
        return Err(FigureError::NoPoints { path: input.table.path().to_path_buf(), reason });
    }
    let inside = |bin: &&Bin| bin.low >= tail.s_min && bin.high <= tail.s_max;
    let seen = |bin: &Bin| {
        let per_size = 1.0 / (total * bin.sizes());
        Point::with_error(bin.centre(), bin.count * per_size, Some(bin.count.sqrt() * per_size), bin.count as usize)
    };
    let (fitted, rest): (Vec<&Bin>, Vec<&Bin>) = bins.iter().partition(inside);
    let share = fitted.iter().map(|bin| bin.count).sum::<f64>() / total;
    // The law as the bins show it: its mean over each.
    let law = |tau: f64, height: f64| -> Vec<Point> {
        fitted.iter().map(|bin| Point::new(bin.centre(), height * norm(tau, bin.low, bin.high) / bin.sizes())).collect()
    };
    let height = share / norm(tail.tau, tail.s_min, tail.s_max);
    let data = Look::of(style, 0).points();
    let line = Look { colour: style.colour(1), weight: 1.3, ..Look::of(style, 1).line() };
    let guide = Look { colour: style.colours.light, joined: Joined::Dashed, ..line };
    // Through the first point of the law.
    let mean_field_height = fitted
        .first()
        .map_or(0.0, |bin| height * norm(tail.tau, bin.low, bin.high) / norm(MEAN_FIELD, bin.low, bin.high));
    let points = |bins: &[&Bin]| bins.iter().map(|&bin| seen(bin)).collect::<Vec<_>>();
    let series = vec![
        Series::new("guide", "tau = 5/2", guide, law(MEAN_FIELD, mean_field_height)),
        Series::new("law", "fitted", line, law(tail.tau, height)),
        Series::new("n_s", "not in the fit", Look { colour: style.colours.light, open: true, ..data }, points(&rest)),
        Series::new("n_s", "in the fit", data, points(&fitted)),
    ];
    let (x, y) = Panel::axes_of(&series, Spacing::Log, Spacing::Log);
    let (label, name) = (Rich::parse("component size *s*"), Rich::plain("share of components per size"));
    let mut panel = Panel::new(preset.panel_height * 1.5, label, name, x, y);
    panel.bands = vec![(tail.s_min, tail.s_max)];
    panel.keys = [(3, "in the fit"), (2, "not in the fit"), (1, "*s*^{−*τ*}"), (0, "*s*^{−5/2} (mean field)")]
        .into_iter()
        .filter(|&(index, _)| !series[index].points.is_empty())
        .map(|(index, text)| Key { text: Rich::parse(text), look: series[index].look })
        .collect();
    let tau = Estimate { value: tail.tau, statistical: Some(tail.error), systematic: None };
    let chance = Rich::parse(&format!("*p*\u{2010}value {}", significant(tail.p_value, 2)));
    panel.notes =
        vec![(Rich::parse(&format!("*τ* = {}", tau.plainly())), style.colours.ink), (chance, style.colours.ink)];
    panel.series = series;
    let mut page = Page::of(vec![panel], 1);
    page.warning = (!tail.plausible).then(|| "a power law is not plausible here".to_owned());
    let description = "The share of components of each size, one largest of each realisation left out, both in \
        logarithms, in bins, with Poisson errors; the power law fitted by maximum likelihood over the shaded sizes, \
        averaged over each bin; and the exponent of mean field through its first point (dashed).";
    Ok(Figure::of(Kind::ClusterNumbers, page, vec![tail_provenance, input.provenance], description))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_sums_are_those_of_the_zeta_function() {
        // zeta(2) = pi^2/6; what lies beyond 10^8 is 10^-8.
        let sum = norm(2.0, 1.0, 1e8);
        assert!((sum - std::f64::consts::PI.powi(2) / 6.0 + 1e-8).abs() < 1e-12, "{sum}");
        assert_eq!(norm(1.0, 2.0, 3.0), 0.5 + 1.0 / 3.0);
    }
}
