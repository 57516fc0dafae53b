//! A hint to the processor to fetch memory that is wanted soon.

// The instruction is unsafe as it takes a pointer.
#![allow(unsafe_code)]

/// Fetches the line of the cache that holds `items[at]`, where there is one. Changes no result.
#[inline(always)]
pub(super) fn prefetch<T>(items: &[T], at: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(item) = items.get(at) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: the instruction reads nothing for the program and cannot fault, and the pointer is valid.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(std::ptr::from_ref(item).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (items, at);
}
