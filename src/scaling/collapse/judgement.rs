//! Whether a collapse can be trusted, and what its reader must know.

use super::search::Outcome;
use super::{MAX_RELATIVE_ERROR, MAX_SHARE, MIN_REACHED, MIN_RESAMPLES};
use crate::scaling::curves::{Curve, Curves};
use crate::scaling::estimate::Estimate;

/// What a sound optimum is judged by.
pub(super) struct Judged {
    /// p_c, 1/nu, kappa/nu.
    pub(super) estimates: [Estimate; 3],
    /// The range of the controls.
    pub(super) controls: f64,
    /// Starts that reach the optimum, of how many.
    pub(super) reached: [usize; 2],
    /// Resamples that could be fitted, of how many.
    pub(super) resamples: [usize; 2],
    /// Whether there is an average over choices.
    pub(super) known: bool,
    /// Without a window: sound searches over everything, and those that agree.
    pub(super) agreement: Option<(usize, usize)>,
}

impl Judged {
    /// Why it is not reliable; empty where it is.
    pub(super) fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        let few = |[there, all]: [usize; 2], share: f64| (there as f64) < share * all as f64;
        if few(self.reached, MIN_REACHED) {
            let [there, all] = self.reached;
            let needed = 100.0 * MIN_REACHED;
            reasons.push(format!("{there} of {all} starts reach this optimum, at least {needed:.0} % are needed"));
        }
        if few(self.resamples, MIN_RESAMPLES) {
            let [there, all] = self.resamples;
            let needed = 100.0 * MIN_RESAMPLES;
            reasons.push(format!("{there} of {all} resamples could be fitted, at least {needed:.0} % are needed"));
        }
        let [p_c, inv_nu, kappa] = &self.estimates;
        if inv_nu.total() > MAX_RELATIVE_ERROR * inv_nu.value.abs() {
            reasons.push(format!("1/nu = {:.3} is undetermined, its error is {:.3}", inv_nu.value, inv_nu.total()));
        }
        if p_c.total() > MAX_SHARE * self.controls {
            reasons.push(format!(
                "p_c = {:.5} is undetermined, its error is {:.5} and the controls span {:.5}",
                p_c.value,
                p_c.total(),
                self.controls
            ));
        }
        if kappa.total() > MAX_RELATIVE_ERROR * kappa.value.abs().max(0.5) {
            reasons.push(format!("kappa/nu = {:.3} is undetermined, its error is {:.3}", kappa.value, kappa.total()));
        }
        if !self.known {
            reasons.push("no master curve could be fitted to these points: the systematic error is unknown".into());
        }
        if let Some((sound, agree)) = self.agreement
            && 2 * agree < sound
        {
            reasons.push(format!(
                "{agree} of {sound} choices of window and smallest size find this optimum, at least half must: give a window"
            ));
        }
        reasons
    }

    /// What must be known although the fit can be trusted; `assumed`: that points share their runs.
    pub(super) fn warnings(&self, optimum: &Outcome, used: &Curves, sizes: usize, assumed: bool) -> Vec<String> {
        let mut warnings: Vec<String> = used.curves().iter().filter_map(Curve::few_replicates).collect();
        if optimum.quality > 3.0 {
            warnings.push(format!(
                "S = {:.2}: the points scatter {:.1} times their errors, so corrections to scaling matter or the errors are too small",
                optimum.quality,
                optimum.quality.sqrt()
            ));
        }
        if sizes == 2 {
            warnings.push("two sizes: nothing tells how far corrections to scaling move the result".into());
        }
        if !optimum.consistent {
            warnings.push(
                "no set of points is the one that its own optimum selects; the lowest of a circle is shown".into(),
            );
        }
        if assumed {
            warnings.push(
                "neighbouring points scatter far less than their errors: taken to share their runs, and resampled together"
                    .into(),
            );
        }
        warnings
    }
}
