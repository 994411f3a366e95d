//! Element-wise operators on every type of elements, against the definitions in wider integers and the host's own
//! arithmetic.

mod support;

use opml_kernels::{
    BinaryOp, BitOp, Cast, CompareOp, Integer, IntegerOp, binary, bitwise, cast, cast_to_bool, compare,
    copy_signed, copy_strided, fill, is_inf, is_nan, not, select, unary_integer,
};
use support::typed::{Sample, assert_same, positions, shape_and_strides};
use support::{BINARY, KINDS, Random};

/// Integers as large ones, and back modulo 2^n.
trait Wide: Integer + Sample {
    fn wide(self) -> i128;
    fn wrapped(value: i128) -> Self;
}

macro_rules! wide {
    ($($integer:ident)*) => {$(
        impl Wide for $integer {
            fn wide(self) -> i128 {
                self.into()
            }

            fn wrapped(value: i128) -> Self {
                value as Self
            }
        }
    )*};
}

wide!(i8 u8 i16 u16 i32 u32 i64 u64);

/// How many bits the type has.
fn width<T>() -> i128 {
    8 * size_of::<T>() as i128
}

fn expected_binary(op: BinaryOp, a: i128, b: i128) -> i128 {
    match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        // Right modulo 2^64, which is enough.
        BinaryOp::Mul => a.wrapping_mul(b),
        BinaryOp::Min => a.min(b),
        BinaryOp::Max => a.max(b),
        BinaryOp::Div | BinaryOp::Mod | BinaryOp::Fmod if b == 0 => 0,
        BinaryOp::Div => a / b,
        BinaryOp::Fmod => a % b,
        // The Euclidean remainder is not negative.
        BinaryOp::Mod => match a.rem_euclid(b) {
            rest if rest != 0 && b < 0 => rest + b,
            rest => rest,
        },
        BinaryOp::Pow => power(a, b),
    }
}

fn check_binary<T: Wide>() {
    let mut random = Random(51);
    let (a, b) = (T::samples(&mut random, 3000), T::samples(&mut random, 3000));
    let mut out = vec![T::ONE; 3000];
    for op in BINARY {
        binary(op, &[3000], &a, &[1], &b, &[1], &mut out);
        let results = a.iter().zip(&b).map(|(a, b)| expected_binary(op, a.wide(), b.wide()));
        assert_same(&out, &results.map(T::wrapped).collect::<Vec<_>>(), &format!("{op:?}"));
    }
}

#[test]
fn arithmetic_of_integers_wraps_around() {
    // Would catch: a division that traps, a remainder with the other operand's sign, saturation.
    for_each_type!(check_binary, i8 u8 i16 u16 i32 u32 i64 u64);
    let mut out = [7i64; 4];
    let (a, b) = ([-7, 7, i64::MIN, 5], [2, -2, -1, 0]);
    binary(BinaryOp::Div, &[4], &a, &[1], &b, &[1], &mut out);
    assert_eq!(out, [-3, -3, i64::MIN, 0]);
    binary(BinaryOp::Mod, &[4], &a, &[1], &b, &[1], &mut out);
    assert_eq!(out, [1, -1, 0, 0]);
    binary(BinaryOp::Fmod, &[4], &a, &[1], &b, &[1], &mut out);
    assert_eq!(out, [-1, 1, 0, 0]);
}

fn check_bitwise<T: Wide>() {
    let mut random = Random(52);
    let (a, b) = (T::samples(&mut random, 3000), T::samples(&mut random, 3000));
    let mut out = vec![T::ONE; 3000];
    let shift = |a: T, b: T, left: bool| {
        let places = if b.wide() < 0 { 1000 } else { b.wide() };
        match (places < width::<T>(), left) {
            (true, true) => a.wide() << places,
            (true, false) => a.wide() >> places,
            (false, true) => 0,
            (false, false) => -i128::from(a.wide() < 0),
        }
    };
    for op in [BitOp::And, BitOp::Or, BitOp::Xor, BitOp::ShiftLeft, BitOp::ShiftRight] {
        bitwise(op, &[3000], &a, &[1], &b, &[1], &mut out);
        let result = |(&a, &b): (&T, &T)| match op {
            BitOp::And => a.wide() & b.wide(),
            BitOp::Or => a.wide() | b.wide(),
            BitOp::Xor => a.wide() ^ b.wide(),
            BitOp::ShiftLeft => shift(a, b, true),
            BitOp::ShiftRight => shift(a, b, false),
        };
        let expected: Vec<T> = a.iter().zip(&b).map(result).map(T::wrapped).collect();
        assert_same(&out, &expected, &format!("{op:?}"));
    }
}

#[test]
fn bits_are_combined_and_moved() {
    // Would catch: shifts by the width or more, which the hardware takes modulo it; a sign that is not moved in.
    for_each_type!(check_bitwise, i8 u8 i16 u16 i32 u32 i64 u64);
}

/// Modulo 2^64.
fn power(base: i128, exponent: i128) -> i128 {
    match base {
        1 => 1,
        -1 => 1 - 2 * (exponent & 1),
        _ if exponent < 0 => 0,
        _ => (0..64).rev().fold(1, |power: i128, bit| {
            let square = power.wrapping_mul(power) as i64;
            let factor = if exponent >> bit & 1 == 1 { base } else { 1 };
            i128::from(i128::from(square).wrapping_mul(factor) as i64)
        }),
    }
}

fn check_power<T: Wide>() {
    let mut random = Random(53);
    let bases = T::samples(&mut random, 3000);
    let exponents: Vec<T> = bases.iter().map(|_| T::wrapped(random.below(70) as i128 - 5)).collect();
    let mut out = vec![T::ONE; 3000];
    binary(BinaryOp::Pow, &[3000], &bases, &[1], &exponents, &[1], &mut out);
    let expected = bases.iter().zip(&exponents).map(|(base, exponent)| power(base.wide(), exponent.wide()));
    assert_same(&out, &expected.map(T::wrapped).collect::<Vec<_>>(), "powers");
}

#[test]
fn powers_of_integers_wrap_around() {
    // Would catch: a negative exponent taken for a large one, 0^0, -1 to an odd power.
    for_each_type!(check_power, i8 u8 i16 u16 i32 u32 i64 u64);
    let mut out = [9i64; 8];
    let bases = [3, -2, 0, 0, -1, -1, 2, 2];
    let exponents = [4, 3, 0, -1, i64::MIN, -3, -1, 63];
    binary(BinaryOp::Pow, &[8], &bases, &[1], &exponents, &[1], &mut out);
    assert_eq!(out, [81, -8, 1, 0, 1, -1, 0, i64::MIN]);
}

fn check_unary<T: Wide>() {
    let mut random = Random(54);
    let x = T::samples(&mut random, 1000);
    let mut out = vec![T::ONE; 1000];
    for op in [IntegerOp::Neg, IntegerOp::Abs, IntegerOp::Sign, IntegerOp::Not] {
        unary_integer(op, &x, &mut out);
        let result = |x: &T| match op {
            IntegerOp::Neg => -x.wide(),
            IntegerOp::Abs => x.wide().abs(),
            IntegerOp::Sign => x.wide().signum(),
            IntegerOp::Not => !x.wide(),
        };
        assert_same(&out, &x.iter().map(result).map(T::wrapped).collect::<Vec<_>>(), &format!("{op:?}"));
    }
}

#[test]
fn functions_of_one_integer_wrap_around() {
    // Would catch: the least integer, which has no negative.
    for_each_type!(check_unary, i8 u8 i16 u16 i32 u32 i64 u64);
}

fn check_compare<T: Sample>() {
    let mut random = Random(55);
    let data = T::samples(&mut random, 256);
    for _ in 0..500 {
        let (dims, [a_strides, b_strides]) = shape_and_strides(&mut random);
        let at: Vec<_> = positions(&dims, &a_strides).into_iter().zip(positions(&dims, &b_strides)).collect();
        let mut out = vec![7; at.len()];
        for op in [CompareOp::Equal, CompareOp::Less, CompareOp::LessOrEqual] {
            compare(op, &dims, &data, &a_strides, &data, &b_strides, &mut out);
            let holds = |a: T, b: T| match op {
                CompareOp::Equal => a == b,
                CompareOp::Less => a < b,
                CompareOp::LessOrEqual => a <= b,
            };
            let expected: Vec<u8> = at.iter().map(|&(i, j)| holds(data[i], data[j]).into()).collect();
            assert_eq!(out, expected, "{op:?} {dims:?}");
        }
        let c_strides: Vec<usize> = dims.iter().map(|_| random.below(8)).collect();
        let condition: Vec<u8> = (0..256).map(|_| [0, 1, 1, 255][random.below(4)]).collect();
        let choices = positions(&dims, &c_strides);
        let mut out = vec![T::default(); at.len()];
        select(&dims, &condition, &c_strides, &data, &a_strides, &data, &b_strides, &mut out);
        let chosen = choices.iter().zip(&at);
        let expected: Vec<T> =
            chosen.map(|(&c, &(i, j))| data[if condition[c] == 0 { j } else { i }]).collect();
        assert_same(&out, &expected, &format!("select {dims:?}"));
    }
}

#[test]
fn comparisons_and_choices_follow_the_strides() {
    // Would catch: NaN equal to itself, -0 below +0, unsigned numbers compared as signed ones, operands exchanged.
    for_each_type!(check_compare, f32 i8 u8 i16 u16 i32 u32 i64 u64);
}

#[test]
fn choices_keep_every_bit() {
    let (a, b) = (f32::from_bits(0xffa0_0001), f32::from_bits(0x7f80_0001));
    let mut out = [0.0; 2];
    select(&[2], &[1, 0], &[1], &[a], &[0], &[b], &[0], &mut out);
    assert_eq!(out.map(f32::to_bits), [0xffa0_0001, 0x7f80_0001]);
}

#[test]
fn questions_about_floats() {
    // Would catch: a sign or a payload that hides a NaN, infinities of the wrong sign.
    let mut random = Random(56);
    for kind in KINDS {
        let x = random.floats(kind, 300);
        let mut out = vec![7; 300];
        let check = |out: &[u8], holds: &dyn Fn(f32) -> bool| {
            let expected: Vec<u8> = x.iter().map(|&x| holds(x).into()).collect();
            assert_eq!(out, expected, "{kind:?}");
        };
        is_nan(&x, &mut out);
        check(&out, &f32::is_nan);
        for (positive, negative) in [(true, true), (true, false), (false, true), (false, false)] {
            is_inf(&x, positive, negative, &mut out);
            check(&out, &|x| x.is_infinite() && if x > 0.0 { positive } else { negative });
        }
        cast_to_bool(&x, &mut out);
        check(&out, &|x| x != 0.0);
        let truths = out.clone();
        not(&truths, &mut out);
        check(&out, &|x| x == 0.0);
    }
    let mut out = [7; 3];
    cast_to_bool(&[0i64, 1 << 40, -1], &mut out);
    assert_eq!(out, [0, 1, 1]);
}

macro_rules! check_casts {
    ($random:ident: $($from:ident)*) => {$(
        check_casts!(@to $random $from: f32 i8 u8 i16 u16 i32 u32 i64 u64);
    )*};
    (@to $random:ident $from:ident: $($to:ident)*) => {$(
        let x: Vec<$from> = $from::samples(&mut $random, 3000);
        let mut out = vec![<$to>::default(); x.len()];
        cast(&x, &mut out);
        // What the language defines is what is asked for.
        let expected: Vec<$to> = x.iter().map(|&x| x as $to).collect();
        assert_same(&out, &expected, concat!(stringify!($from), " as ", stringify!($to)));
    )*};
}

#[test]
fn casts_are_those_of_the_language() {
    // Would catch: an integer of 64 bits rounded twice, floats that wrap around instead of staying at the end, NaN as
    // the least integer, a sign that is not extended.
    let mut random = Random(57);
    check_casts!(random: f32 i8 u8 i16 u16 i32 u32 i64 u64);
    for value in [(1 << 24) + 1, (1 << 53) + 1, (1 << 62) + (1 << 38) + 1, i64::MAX, i64::MIN + 1] {
        assert_eq!(Cast::<f32>::cast(value), value as f32, "{value}");
    }
    let mut out = [0u8; 6];
    cast(&[f32::NAN, f32::INFINITY, -1.0, 255.99, 256.0, -0.0], &mut out);
    assert_eq!(out, [0, 255, 0, 255, 255, 0]);
}

#[test]
fn copies_go_backwards() {
    // Would catch: an offset that wraps around wrongly, a first element taken for the last.
    let mut random = Random(58);
    let data: Vec<u16> = u16::samples(&mut random, 512);
    for _ in 0..2000 {
        let (dims, [strides, _]) = shape_and_strides(&mut random);
        let signs: Vec<bool> = dims.iter().map(|_| random.below(2) == 0).collect();
        let signed: Vec<isize> = strides
            .iter()
            .zip(&signs)
            .map(|(&s, &back)| if back { -(s as isize) } else { s as isize })
            .collect();
        let start = 256 + random.below(100);
        let at = |n: usize| {
            let mut rest = n;
            let mut place = start as isize;
            for (dim, stride) in dims.iter().zip(&signed).rev() {
                place += (rest % dim) as isize * stride;
                rest /= dim;
            }
            data[place as usize]
        };
        let len: usize = dims.iter().product();
        let mut to: Vec<usize> = vec![1; dims.len()];
        for i in (1..dims.len()).rev() {
            to[i - 1] = to[i] * dims[i];
        }
        let mut out = vec![0; len];
        copy_signed(&dims, &data, start, &signed, &mut out, &to);
        assert_eq!(out, (0..len).map(at).collect::<Vec<_>>(), "{dims:?} {signed:?}");
    }
    let mut out = [0u8; 3];
    copy_signed(&[3], &[1u8, 2, 3], 2, &[-1], &mut out, &[1]);
    assert_eq!(out, [3, 2, 1]);
}

#[test]
#[should_panic(expected = "slice too short for its strides")]
fn copies_do_not_go_below_the_first_element() {
    copy_signed(&[3], &[1u8, 2, 3], 1, &[-1], &mut [0; 3], &[1]);
}

#[test]
#[should_panic(expected = "slice too short for its strides")]
fn copies_do_not_go_beyond_the_last_element() {
    copy_signed(&[3], &[1u8, 2, 3], 1, &[1], &mut [0; 3], &[1]);
}

#[test]
fn blocks_are_copied_whole() {
    // Would catch: a run of elements that ends with the first dimension of another stride, gaps that are written to.
    let mut random = Random(59);
    let data = u32::samples(&mut random, 4000);
    for _ in 0..1000 {
        let dims = [1 + random.below(4), 1 + random.below(4), 1 + random.below(5), 1 + random.below(9)];
        let spread = |random: &mut Random| {
            let mut strides = [1; 4];
            for i in (0..3).rev() {
                strides[i] = strides[i + 1] * dims[i + 1] + [0, 0, 0, 3][random.below(4)];
            }
            strides
        };
        let (from, to) = (spread(&mut random), spread(&mut random));
        let mut out = vec![9; 4000];
        copy_strided(&dims, &data, &from, &mut out, &to);
        let mut expected = vec![9; 4000];
        for (from, to) in positions(&dims, &from).into_iter().zip(positions(&dims, &to)) {
            expected[to] = data[from];
        }
        assert_eq!(out, expected, "{dims:?} {from:?} {to:?}");
    }
    let mut out = [1i64; 3];
    fill(-2, &mut out);
    assert_eq!(out, [-2; 3]);
}
