//! The arithmetic of `stdlib.h` and `inttypes.h`. `long` has 32 bits on the VM.

use core::ffi::{c_int, c_longlong};

/// `div_t` and `ldiv_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Division {
    /// The quotient, towards zero.
    pub quot: i32,
    /// The rest, with the sign of the dividend.
    pub rem: i32,
}

/// `lldiv_t` and `imaxdiv_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct LongDivision {
    /// The quotient, towards zero.
    pub quot: i64,
    /// The rest, with the sign of the dividend.
    pub rem: i64,
}

/// The magnitude; that of the least number wraps around.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub extern "C" fn abs(x: c_int) -> c_int {
    x.wrapping_abs()
}

/// The same for `long`.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub extern "C" fn labs(x: i32) -> i32 {
    x.wrapping_abs()
}

/// The same for `long long`.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub extern "C" fn llabs(x: c_longlong) -> c_longlong {
    x.wrapping_abs()
}

/// The same for `intmax_t`.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub extern "C" fn imaxabs(x: i64) -> i64 {
    x.wrapping_abs()
}

/// Quotient and rest. Ends the program if `b` is zero.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub extern "C" fn div(a: c_int, b: c_int) -> Division {
    Division { quot: a.wrapping_div(b), rem: a.wrapping_rem(b) }
}

/// The same for `long`.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub extern "C" fn ldiv(a: i32, b: i32) -> Division {
    div(a, b)
}

/// The same for `long long`.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub extern "C" fn lldiv(a: i64, b: i64) -> LongDivision {
    LongDivision { quot: a.wrapping_div(b), rem: a.wrapping_rem(b) }
}

/// The same for `intmax_t`.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub extern "C" fn imaxdiv(a: i64, b: i64) -> LongDivision {
    lldiv(a, b)
}
