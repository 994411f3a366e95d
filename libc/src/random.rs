//! `rand`: the generator that the C standard prints as an example, so that a seed has the same numbers everywhere.

use core::ffi::{c_int, c_uint};

use crate::cell::Global;

static NEXT: Global<u32> = Global::new(1);

/// The next of the numbers 0 to 32767: bits 16 to 30 of x, after x = 1103515245 x + 12345 (ISO C, "The rand function").
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub extern "C" fn rand() -> c_int {
    let next = NEXT.load().wrapping_mul(1_103_515_245).wrapping_add(12_345);
    NEXT.store(next);
    (next >> 16 & 0x7fff) as c_int
}

/// Begins the numbers of `seed`; without it they are those of 1.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub extern "C" fn srand(seed: c_uint) {
    NEXT.store(seed);
}

/// The same numbers with a state of the caller's.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn rand_r(state: *mut c_uint) -> c_int {
    // SAFETY: the caller's promise.
    let state = unsafe { &mut *state };
    *state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
    (*state >> 16 & 0x7fff) as c_int
}
