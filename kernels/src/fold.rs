//! What becomes of a line of elements: its sum, product, largest or least.

use crate::bits::{INFINITY_BITS, NAN, SIGN, from_order, is_nan, order};
use crate::dot::Accumulator;
use crate::element::{Integer, Number};

/// Takes in elements one by one.
pub trait Fold<T> {
    /// Nothing taken in.
    fn empty() -> Self;

    /// Takes in one more.
    fn add(&mut self, x: T);

    /// What has been taken in makes so far.
    fn current(&mut self) -> T;

    /// The same; it is empty afterwards.
    fn take(&mut self) -> T;
}

macro_rules! folds {
    ($($(#[$doc:meta])* $name:ident<$kind:ident>: $neutral:ident, $function:ident;)*) => {$(
        $(#[$doc])*
        pub struct $name<T>(T);

        impl<T: $kind> Fold<T> for $name<T> {
            #[inline(always)]
            fn empty() -> Self {
                Self(T::$neutral)
            }

            #[inline(always)]
            fn add(&mut self, x: T) {
                self.0 = self.0.$function(x);
            }

            #[inline(always)]
            fn current(&mut self) -> T {
                self.0
            }

            #[inline(always)]
            fn take(&mut self) -> T {
                core::mem::replace(&mut self.0, T::$neutral)
            }
        }
    )*};
}

folds! {
    /// The sum of integers, which wraps around.
    Total<Integer>: ZERO, add;
    /// The product; of floats in their order, each step rounded.
    Product<Number>: ONE, mul;
    /// The largest integer.
    Greatest<Integer>: LOWEST, max;
    /// The least integer.
    Least<Integer>: HIGHEST, min;
}

impl Fold<f32> for Accumulator {
    #[inline(always)]
    fn empty() -> Self {
        Self::new()
    }

    #[inline(always)]
    fn add(&mut self, x: f32) {
        self.add_value(x);
    }

    #[inline(always)]
    fn current(&mut self) -> f32 {
        self.current()
    }

    #[inline(always)]
    fn take(&mut self) -> f32 {
        self.round()
    }
}

/// The largest of some numbers, with -0 below +0; NaN if there is one, -infinity if there is none.
///
/// Works on integers: see [`order`]. A positive NaN is above every number there; a negative one is
/// above all bits of numbers as an unsigned integer.
pub struct Maximum {
    key: i32,
    bits: u32,
}

impl Fold<f32> for Maximum {
    #[inline(always)]
    fn empty() -> Self {
        Self { key: order(f32::NEG_INFINITY.to_bits()), bits: 0 }
    }

    #[inline(always)]
    fn add(&mut self, x: f32) {
        self.key = Ord::max(self.key, order(x.to_bits()));
        self.bits = Ord::max(self.bits, x.to_bits());
    }

    #[inline(always)]
    fn current(&mut self) -> f32 {
        let nan = self.key > INFINITY_BITS as i32 || is_nan(self.bits);
        if nan { NAN } else { f32::from_bits(from_order(self.key)) }
    }

    #[inline(always)]
    fn take(&mut self) -> f32 {
        core::mem::replace(self, Self::empty()).current()
    }
}

/// The least of some numbers, with -0 below +0; NaN if there is one, +infinity if there is none.
pub struct Minimum(Maximum);

/// The other sign, also on NaN.
#[inline(always)]
fn negated(x: f32) -> f32 {
    f32::from_bits(x.to_bits() ^ SIGN)
}

impl Fold<f32> for Minimum {
    #[inline(always)]
    fn empty() -> Self {
        Self(Maximum::empty())
    }

    #[inline(always)]
    fn add(&mut self, x: f32) {
        self.0.add(negated(x));
    }

    #[inline(always)]
    fn current(&mut self) -> f32 {
        let largest = self.0.current();
        if is_nan(largest.to_bits()) { NAN } else { negated(largest) }
    }

    #[inline(always)]
    fn take(&mut self) -> f32 {
        core::mem::replace(self, Self::empty()).current()
    }
}
