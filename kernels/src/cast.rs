//! Conversions between types of elements.
//!
//! A float becomes an integer towards zero; what does not fit becomes the nearest integer that does, and NaN becomes
//! 0: ONNX leaves both open. An integer becomes another one modulo 2^n, and the nearest float, ties to even.

use opml_softfloat::single;

use crate::element::Element;
use crate::elementwise::map;

/// A type whose elements become such of `To`.
pub trait Cast<To>: Copy {
    /// What the element becomes.
    fn cast(self) -> To;
}

macro_rules! casts {
    ($($from:ident: $to_float:ident, $of_float:ident;)*) => {$(
        casts!(@integers $from: i8 u8 i16 u16 i32 u32 i64 u64);

        impl Cast<f32> for $from {
            #[inline(always)]
            fn cast(self) -> f32 {
                f32::from_bits(single::$to_float(self.into()))
            }
        }

        impl Cast<$from> for f32 {
            #[inline(always)]
            fn cast(self) -> $from {
                // Those of 32 and 64 bits fit already.
                single::$of_float(self.to_bits()).clamp($from::MIN.into(), $from::MAX.into()) as $from
            }
        }
    )*};
    (@integers $from:ident: $($to:ident)*) => {$(
        impl Cast<$to> for $from {
            #[inline(always)]
            fn cast(self) -> $to {
                self as $to
            }
        }
    )*};
}

casts! {
    i8: from_i32, to_i32;
    u8: from_u32, to_i32;
    i16: from_i32, to_i32;
    u16: from_u32, to_i32;
    i32: from_i32, to_i32;
    u32: from_u32, to_u32;
    i64: from_i64, to_i64;
    u64: from_u64, to_u64;
}

impl Cast<f32> for f32 {
    #[inline(always)]
    fn cast(self) -> f32 {
        self
    }
}

/// `out[i]` = `x[i]` as an element of the other type. Floats keep every bit.
///
/// # Panics
/// If the lengths differ.
#[inline]
pub fn cast<T: Cast<U>, U>(x: &[T], out: &mut [U]) {
    map(x, out, T::cast);
}

/// `out[i]` = 0 where `x[i]` is a zero, else 1, also for NaN: a cast to ONNX `bool`.
///
/// # Panics
/// If the lengths differ.
#[inline]
pub fn cast_to_bool<T: Element>(x: &[T], out: &mut [u8]) {
    map(x, out, |x| (!x.is_zero()).into());
}
