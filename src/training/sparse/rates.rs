//! What the processor can do at most: the floors that a bench compares with.

use super::simd::{InstructionSet, Kernel, Line, Simd};

struct MultiplyAdds {
    rounds: usize,
}

impl MultiplyAdds {
    #[inline(always)]
    fn sums<S: Simd, const L: usize>(self, s: S) -> f64 {
        let mut sums = [s.zero(); L];
        let (a, b) = (s.splat(std::hint::black_box(0.5)), s.splat(std::hint::black_box(1.0)));
        for _ in 0..self.rounds {
            for l in 0..L {
                sums[l] = s.fma(sums[l], a, b);
            }
        }
        // By index: an iterator over the array would keep it in memory, where the adds wait for stores.
        let mut total = s.zero();
        for l in 0..L {
            total = s.add(total, sums[l]);
        }
        std::hint::black_box(s.sum(total));
        (self.rounds * L * 32) as f64
    }
}

impl Kernel for MultiplyAdds {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f64 {
        if S::WIDE { self.sums::<S, 16>(s) } else { self.sums::<S, 5>(s) }
    }
}

struct Stream<'a> {
    lines: &'a mut [Line],
}

impl Kernel for Stream<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (a, b) = (s.splat(0.5), s.splat(1.0));
        for line in self.lines {
            let moved = s.fma(s.load(line), a, b);
            s.store(line, moved);
        }
    }
}

impl InstructionSet {
    /// Multiplies and adds in registers alone, in `rounds` rounds of independent sums; how many
    /// floating-point operations that were.
    pub fn multiply_adds(self, rounds: usize) -> f64 {
        self.run(MultiplyAdds { rounds })
    }

    /// Reads and writes `bytes` of memory `times` times; how many bytes that were, both counted.
    pub fn stream(self, bytes: usize, times: usize) -> f64 {
        let mut lines = vec![Line::ZERO; bytes / size_of::<Line>()];
        for _ in 0..times {
            self.run(Stream { lines: &mut lines });
        }
        std::hint::black_box(&lines);
        (2 * times * lines.len() * size_of::<Line>()) as f64
    }
}
