//! The IEEE 754 operations on binary32, each rounded once: the hardware's on a host, `opml-softfloat`'s in the guest.
//!
//! A NaN leaves as [`NAN`]. What the compiler makes of `a + b` in the guest is the
//! same number through a call; these are inlined.

use crate::bits::{NAN, from_order, is_nan, order};

/// `a` + `b`.
#[inline(always)]
pub fn add(a: f32, b: f32) -> f32 {
    machine::add(a, b)
}

/// `a` - `b`.
#[inline(always)]
pub fn sub(a: f32, b: f32) -> f32 {
    machine::sub(a, b)
}

/// `a` x `b`.
#[inline(always)]
pub fn mul(a: f32, b: f32) -> f32 {
    machine::mul(a, b)
}

/// `a` / `b`.
#[inline(always)]
pub fn div(a: f32, b: f32) -> f32 {
    machine::div(a, b)
}

/// The smaller, with -0 below +0; NaN if either is.
#[inline(always)]
pub fn minimum(a: f32, b: f32) -> f32 {
    let (a, b) = (a.to_bits(), b.to_bits());
    if is_nan(a) || is_nan(b) { NAN } else { f32::from_bits(from_order(order(a).min(order(b)))) }
}

/// The larger, with -0 below +0; NaN if either is.
#[inline(always)]
pub fn maximum(a: f32, b: f32) -> f32 {
    let (a, b) = (a.to_bits(), b.to_bits());
    if is_nan(a) || is_nan(b) { NAN } else { f32::from_bits(from_order(order(a).max(order(b)))) }
}

#[cfg(target_arch = "mips")]
mod machine {
    use opml_softfloat::single;

    macro_rules! operations {
        ($($name:ident)*) => {$(
            #[inline(always)]
            pub fn $name(a: f32, b: f32) -> f32 {
                f32::from_bits(single::$name(a.to_bits(), b.to_bits()))
            }
        )*};
    }

    operations!(add sub mul div);
}

#[cfg(not(target_arch = "mips"))]
mod machine {
    use core::ops::{Add, Div, Mul, Sub};

    use crate::bits::canonical;

    macro_rules! operations {
        ($($name:ident: $operator:ident,)*) => {$(
            #[inline(always)]
            pub fn $name(a: f32, b: f32) -> f32 {
                canonical($operator::$name(a, b))
            }
        )*};
    }

    operations!(add: Add, sub: Sub, mul: Mul, div: Div,);
}
