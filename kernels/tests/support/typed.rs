//! Elements of every type, and the places of tensors in memory.

use opml_kernels::Element;

use super::Random;

/// A type of elements that random ones can be had of.
pub trait Sample: Element + std::fmt::Debug {
    /// Often an extreme or a small one, or else any.
    fn sample(random: &mut Random) -> Self;

    /// As many.
    fn samples(random: &mut Random, len: usize) -> Vec<Self> {
        (0..len).map(|_| Self::sample(random)).collect()
    }

    /// The same to the bit; all NaN are one.
    fn is(self, other: Self) -> bool;
}

macro_rules! samples {
    ($($integer:ident)*) => {$(
        impl Sample for $integer {
            fn sample(random: &mut Random) -> Self {
                let any = random.bits() as Self;
                let small = (random.below(9) as Self).wrapping_sub(4);
                [0, 1, Self::MIN, Self::MAX, Self::MAX / 2 + 1, small, small, any, any][random.below(9)]
            }

            fn is(self, other: Self) -> bool {
                self == other
            }
        }
    )*};
}

samples!(i8 u8 i16 u16 i32 u32 i64 u64);

impl Sample for f32 {
    fn sample(random: &mut Random) -> Self {
        let kind = super::KINDS[random.below(super::KINDS.len())];
        random.float(kind)
    }

    fn is(self, other: Self) -> bool {
        super::canonical_bits(self) == super::canonical_bits(other)
    }
}

#[track_caller]
pub fn assert_same<T: Sample>(got: &[T], expected: &[T], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}: lengths");
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!(got.is(*expected), "{what}: element {i} is {got:?}, expected {expected:?}");
    }
}

/// Runs a generic test for each of the types.
#[macro_export]
macro_rules! for_each_type {
    ($function:ident, $($type:ident)*) => {
        $($function::<$type>();)*
    };
}

/// The index into each operand for every position, in row-major order, by division.
pub fn positions(dims: &[usize], strides: &[usize]) -> Vec<usize> {
    let total: usize = dims.iter().product();
    (0..total)
        .map(|mut n| {
            let mut at = 0;
            for (dim, stride) in dims.iter().zip(strides).rev() {
                at += n % dim * stride;
                n /= dim;
            }
            at
        })
        .collect()
}

/// A small shape, now and then an empty one or a scalar, and two ways to lie within 256 elements.
pub fn shape_and_strides(random: &mut Random) -> (Vec<usize>, [Vec<usize>; 2]) {
    let rank = random.below(5);
    let dims: Vec<usize> = (0..rank).map(|_| random.below(5)).collect();
    let strides = [(); 2].map(|()| (0..rank).map(|_| random.below(8)).collect());
    (dims, strides)
}
