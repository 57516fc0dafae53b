//! Where a rising function reaches a level.

/// Halvings at most: the distance of two neighbouring numbers is reached before.
const HALVINGS: usize = 200;

/// The x in [`low`, `high`], both above 0, at which a rising `of` reaches `level`, by bisection in
/// ln x to the resolution of the numbers. `high` where the level is not reached before, `low` where
/// it is reached there.
pub(super) fn rising_root(of: impl Fn(f64) -> f64, level: f64, low: f64, high: f64) -> f64 {
    let (mut below, mut above) = (low.ln(), high.ln());
    for _ in 0..HALVINGS {
        let middle = 0.5 * (below + above);
        if middle <= below || middle >= above {
            break;
        }
        if of(middle.exp()) < level { below = middle } else { above = middle }
    }
    (0.5 * (below + above)).exp()
}
