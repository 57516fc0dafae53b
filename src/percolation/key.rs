//! Keys that ascend where scores descend.

/// The key of a score; 0 and -0 have one.
#[inline]
pub(super) fn of(score: f32) -> u32 {
    let bits = (score + 0.0).to_bits();
    if bits >> 31 == 0 { !bits & (u32::MAX >> 1) } else { bits }
}

/// The score of a key.
#[inline]
pub(super) fn score(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 0 { !key & (u32::MAX >> 1) } else { key })
}
