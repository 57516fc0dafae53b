//! Bits put into the places of other bits, on the instruction that is there for it.

// An intrinsic is unsafe where the compiler cannot see that the processor has it. `Bmi2` cannot be named
// outside of this file, and `run` uses it only after it asked the processor.
#![allow(unsafe_code)]

/// Work that is compiled once for each way of putting bits into places.
pub(super) trait Work {
    /// What it gives.
    type Output;

    /// Does it; the same on every `D`.
    fn on<D: Deposit>(self) -> Self::Output;
}

/// A way of putting bits into places.
pub(super) trait Deposit {
    /// The lowest bits of `bits` in the places that are set in `places`, from the lowest up.
    fn deposit(bits: u64, places: u64) -> u64;
}

/// Does `work` on the fastest instructions of this processor. The result does not depend on which.
pub(super) fn run<W: Work>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected;
        let has_bits = is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2");
        // AVX2 counts the bits of many words at once.
        if has_bits && is_x86_feature_detected!("popcnt") && is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has what `on_bmi2` is compiled for.
            return unsafe { on_bmi2(work) };
        }
    }
    work.on::<Portable>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn on_bmi2<W: Work>(work: W) -> W::Output {
    work.on::<Bmi2>()
}

/// One bit after the other.
pub(super) struct Portable;

impl Deposit for Portable {
    #[inline(always)]
    fn deposit(mut bits: u64, mut places: u64) -> u64 {
        let mut put = 0;
        while places != 0 {
            put |= (places & places.wrapping_neg()) & (bits & 1).wrapping_neg();
            bits >>= 1;
            places &= places - 1;
        }
        put
    }
}

#[cfg(target_arch = "x86_64")]
struct Bmi2;

#[cfg(target_arch = "x86_64")]
impl Deposit for Bmi2 {
    #[inline(always)]
    fn deposit(bits: u64, places: u64) -> u64 {
        // SAFETY: only `on_bmi2` names this type, and inlines this.
        unsafe { std::arch::x86_64::_pdep_u64(bits, places) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seeds;

    struct Both(u64, u64);

    impl Work for Both {
        type Output = u64;

        fn on<D: Deposit>(self) -> u64 {
            D::deposit(self.0, self.1)
        }
    }

    #[test]
    fn every_processor_puts_the_same() {
        assert_eq!(Portable::deposit(0b101, 0b1101_0000), 0b1001_0000);
        assert_eq!(Portable::deposit(!0, 0), 0);
        let mut stream = Seeds::new(0, 0).stream("test");
        for _ in 0..1000 {
            let (bits, places) = (stream.next_u64(), stream.next_u64() & stream.next_u64());
            assert_eq!(run(Both(bits, places)), Portable::deposit(bits, places));
            assert_eq!(run(Both(bits, !0)), bits);
        }
    }
}
