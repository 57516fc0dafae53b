//! Named random streams: (study seed, replicate, purpose) -> generator.
//!
//! Every use of randomness names what it is for, so that no two uses share a stream and adding
//! one never changes another. The generator is xoshiro256++ (Blackman and Vigna, ACM Trans. Math.
//! Softw. 47, 36 (2021), doi:10.1145/3460772), kept here rather than in a dependency because the
//! bytes of every result hang on it.

/// The seeds of one replicate of a study.
///
/// ```
/// use prunephase::seed::Seeds;
/// let seeds = Seeds::new(7, 0);
/// let mut a = seeds.stream("initialisation");
/// let mut b = seeds.stream("initialisation");
/// let mut c = seeds.stream("shuffle, level 0, epoch 0");
/// let first = a.next_u64();
/// assert_eq!(first, b.next_u64());
/// assert_ne!(first, c.next_u64());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    study: u64,
    replicate: u64,
}

impl Seeds {
    /// The seeds of `replicate` in the study with seed `study`.
    pub fn new(study: u64, replicate: u64) -> Self {
        Self { study, replicate }
    }

    /// Seeds of their own for a part of the work, such as one checkpoint among many: streams of the
    /// same purpose in different parts are independent.
    ///
    /// ```
    /// use prunephase::seed::Seeds;
    /// let seeds = Seeds::new(7, 0);
    /// assert_ne!(seeds.within("a").stream("order"), seeds.within("b").stream("order"));
    /// ```
    #[must_use]
    pub fn within(&self, part: &str) -> Self {
        let mut stream = self.stream(&format!("seeds within {part}"));
        Self { study: stream.next_u64(), replicate: stream.next_u64() }
    }

    /// The stream for one purpose. Different names give independent streams.
    pub fn stream(&self, purpose: &str) -> Stream {
        let mut hasher = blake3::Hasher::new_derive_key("prunephase 2026 named random stream");
        hasher.update(&self.study.to_le_bytes());
        hasher.update(&self.replicate.to_le_bytes());
        hasher.update(purpose.as_bytes());
        let hash = hasher.finalize();
        let mut state = [0u64; 4];
        for (word, bytes) in state.iter_mut().zip(hash.as_bytes().chunks_exact(8)) {
            let mut word_bytes = [0u8; 8];
            word_bytes.copy_from_slice(bytes);
            *word = u64::from_le_bytes(word_bytes);
        }
        Stream::from_state(state)
    }
}

/// A stream of random numbers (xoshiro256++), period 2^256 - 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    state: [u64; 4],
}

impl Stream {
    /// A stream from its 256 bits of state; all zeros, the one fixed point, is replaced.
    pub fn from_state(state: [u64; 4]) -> Self {
        if state == [0; 4] {
            return Self { state: [0x9e37_79b9_7f4a_7c15, 1, 2, 3] };
        }
        Self { state }
    }

    /// The next 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Uniform in [0, 1), 53 bits.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in [`low`, `high`).
    #[inline]
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform in 0..`bound`, without bias (Lemire, ACM Trans. Model. Comput. Simul. 29, 3 (2019),
    /// doi:10.1145/3230636).
    ///
    /// # Panics
    /// Where `bound` is 0.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "a random number below 0 does not exist");
        let mut product = u128::from(self.next_u64()) * u128::from(bound);
        if (product as u64) < bound {
            let threshold = bound.wrapping_neg() % bound;
            while (product as u64) < threshold {
                product = u128::from(self.next_u64()) * u128::from(bound);
            }
        }
        (product >> 64) as u64
    }

    /// A standard normal deviate (Marsaglia's polar method; its second deviate is dropped, so that
    /// the state is the 256 bits alone).
    pub fn normal(&mut self) -> f64 {
        loop {
            let x = self.uniform(-1.0, 1.0);
            let y = self.uniform(-1.0, 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * square.ln() / square).sqrt();
            }
        }
    }

    /// Permutes `items` uniformly (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let chosen = self.below(last as u64 + 1) as usize;
            items.swap(last, chosen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_outputs_of_xoshiro256plusplus() {
        // The reference implementation's first outputs from the state 1, 2, 3, 4.
        let mut stream = Stream::from_state([1, 2, 3, 4]);
        let expected =
            [41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205, 9973669472204895162];
        for value in expected {
            assert_eq!(stream.next_u64(), value);
        }
    }

    #[test]
    fn streams_differ_in_each_part_of_their_name() {
        let base = Seeds::new(1, 2).stream("a");
        assert_eq!(base, Seeds::new(1, 2).stream("a"));
        assert_ne!(base, Seeds::new(2, 2).stream("a"));
        assert_ne!(base, Seeds::new(1, 1).stream("a"));
        assert_ne!(base, Seeds::new(1, 2).stream("b"));
    }

    #[test]
    fn below_is_uniform() {
        let mut stream = Seeds::new(3, 0).stream("test");
        let mut counts = [0u32; 6];
        for _ in 0..60_000 {
            counts[stream.below(6) as usize] += 1;
        }
        let chi_square: f64 = counts.iter().map(|&n| (f64::from(n) - 1e4).powi(2) / 1e4).sum();
        // 99.99 % point of chi-square with 5 degrees of freedom.
        assert!(chi_square < 25.7, "{counts:?}");
    }

    #[test]
    fn normal_deviates_have_unit_variance() {
        let mut stream = Seeds::new(4, 0).stream("test");
        let n = 100_000;
        let (mut sum, mut square) = (0.0, 0.0);
        for _ in 0..n {
            let x = stream.normal();
            sum += x;
            square += x * x;
        }
        let (mean, variance) = (sum / f64::from(n), square / f64::from(n));
        assert!(mean.abs() < 4.0 / f64::from(n).sqrt(), "{mean}");
        assert!((variance - 1.0).abs() < 4.0 * (2.0 / f64::from(n)).sqrt(), "{variance}");
    }

    #[test]
    fn shuffle_reaches_every_permutation_equally() {
        let mut stream = Seeds::new(5, 0).stream("test");
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..24_000 {
            let mut items = [0, 1, 2, 3];
            stream.shuffle(&mut items);
            *counts.entry(items).or_insert(0u32) += 1;
        }
        assert_eq!(counts.len(), 24);
        let chi_square: f64 = counts.values().map(|&n| (f64::from(n) - 1e3).powi(2) / 1e3).sum();
        // 99.99 % point of chi-square with 23 degrees of freedom.
        assert!(chi_square < 59.0, "{chi_square}");
    }
}
