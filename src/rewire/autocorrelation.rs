//! How many proposals an edge a chain needs to forget: integrated autocorrelation times.

use rayon::prelude::*;

use super::chain::{LayerChain, purpose};
use super::parts::{State, parts_of, states};
use super::statistics::Statistics;
use super::{NullModel, RewireError, SwapOptions};
use crate::mask::Mask;
use crate::network::Parameters;
use crate::seed::Seeds;

/// Looks at the chain, at most and at least.
const LOOKS: (usize, usize) = (400, 40);

/// Proposals of one layer after which there are no more looks than need be.
const MOST_PROPOSALS: f64 = 2e8;

/// The integrated autocorrelation times of one layer's chain, in proposals an edge.
///
/// With rho(t) the autocorrelation of a statistic after t looks, tau = spacing (1 + 2 sum of rho(t),
/// t = 1 to M), with Sokal's window: M is the least with M >= 5 tau(M) (Madras and Sokal, J. Stat.
/// Phys. 50, 109 (1988), doi:10.1007/BF01022990). Two samples of a statistic are as good as independent a
/// few tau apart, and times below the spacing of the looks, 0.25 proposals an edge or one round of Curveball
/// (0.5), read as about that. None where a statistic does not exist or did not move.
#[derive(Debug, Clone, PartialEq)]
pub struct Autocorrelation {
    /// The layer's name.
    pub layer: String,
    /// Of the overlap with the start; where the null model keeps signs, of edges and their signs.
    pub overlap: Option<f64>,
    /// Of the degree assortativity.
    pub assortativity: Option<f64>,
    /// Of the correlation of the places of rows and columns.
    pub place_correlation: Option<f64>,
    /// The length of the series, in proposals an edge. Times above about 1/50 of it are rough.
    pub length: f64,
}

impl Autocorrelation {
    /// The longest time with its statistic's name.
    pub fn longest(&self) -> Option<(&'static str, f64)> {
        let times = [
            ("overlap", self.overlap),
            ("assortativity", self.assortativity),
            ("place_correlation", self.place_correlation),
        ];
        times.into_iter().filter_map(|(name, time)| Some((name, time?))).max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// Runs one more chain of each layer, with the stream `rewire, NULL, autocorrelation, layer NAME`: as
/// long as a sample's, and then on with a look every quarter of a proposal an edge or every round. `signs` are the
/// weights that `mask` keeps; only null models that keep signs look at them. Empty for null models
/// without a chain. Costs as much as about ten samples of a small layer, and less than two of a large
/// one (400 looks, fewer above 2e8 proposals, at least 40).
///
/// # Errors
/// As [`super::draw`].
pub fn autocorrelation(
    mask: &Mask,
    signs: Option<&Parameters>,
    null: NullModel,
    seeds: &Seeds,
    options: &SwapOptions,
) -> Result<Vec<Autocorrelation>, RewireError> {
    if !null.uses_swaps() {
        return Ok(Vec::new());
    }
    let starts = states(mask, signs, null)?;
    mask.layers
        .par_iter()
        .zip(&starts)
        .map(|(layer, start)| {
            let kind = options.chain(null);
            let name = purpose(null, kind);
            let stream =
                |part: &str| seeds.stream(&format!("rewire, {name}, autocorrelation, layer {}{part}", layer.name));
            let chain = LayerChain::new(&layer.name, start, null, (parts_of(layer, null, options), kind), stream)?;
            Ok(measure(layer.name.clone(), start, chain, options.per_edge(), LayerChain::spacing(kind)))
        })
        .collect()
}

fn measure(layer: String, start: &State, mut chain: LayerChain, length: f64, spacing: f64) -> Autocorrelation {
    let statistics = Statistics::new(start, NullModel::Degrees);
    let affordable = MOST_PROPOSALS / spacing / start.kept.count().max(1) as f64;
    let looks = (affordable as usize).clamp(LOOKS.1, LOOKS.0);
    chain.advance(length);
    let (mut overlap, mut assortativity, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for look in 1..=looks {
        chain.advance(length + look as f64 * spacing);
        let seen = statistics.of(start, &chain.state());
        overlap.extend(seen.sign_overlap.or(seen.overlap));
        assortativity.extend(seen.assortativity);
        places.extend(seen.place_correlation);
    }
    let time = |series: &[f64]| integrated_time(series).map(|looks| looks * spacing);
    Autocorrelation {
        layer,
        overlap: time(&overlap),
        assortativity: time(&assortativity),
        place_correlation: time(&places),
        length: looks as f64 * spacing,
    }
}

/// 1 + 2 sum of rho, with Sokal's window; none for a constant series. O(length x window).
fn integrated_time(series: &[f64]) -> Option<f64> {
    let n = series.len();
    let mean = series.iter().sum::<f64>() / n.max(1) as f64;
    let covariance =
        |lag: usize| series.iter().zip(&series[lag..]).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / n as f64;
    let variance = if n > 1 { covariance(0) } else { 0.0 };
    // Rounding alone moves a statistic that stays the same.
    if variance <= 1e-24 * mean.abs().max(1e-6).powi(2) {
        return None;
    }
    let mut time = 1.0;
    for window in 1..n {
        time += 2.0 * covariance(window) / variance;
        if window as f64 >= 5.0 * time {
            break;
        }
    }
    Some(time.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_an_autoregressive_series() {
        // x' = a x + noise has rho(t) = a^t and tau = (1 + a) / (1 - a).
        let mut stream = Seeds::new(0, 0).stream("test");
        for a in [0.0, 0.5, 0.9] {
            let mut x = 0.0;
            let series: Vec<f64> = (0..200_000)
                .map(|_| {
                    x = a * x + stream.normal();
                    x
                })
                .collect();
            let (time, expected) = (integrated_time(&series).unwrap(), (1.0 + a) / (1.0 - a));
            assert!((time / expected - 1.0).abs() < 0.06, "{a}: {time} against {expected}");
        }
        assert_eq!(integrated_time(&[0.3; 100]), None);
        assert_eq!(integrated_time(&[]), None);
    }
}
