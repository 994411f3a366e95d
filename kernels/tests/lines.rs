//! Reductions, running sums and choices along an axis, on every type of elements, against plain definitions.

mod support;

use std::cmp::Ordering;

use opml_kernels::{
    ArgOp, Axis, Number, ReduceOp, TopK, arg_reduce, cumulative_sum, reduce, reduce_max, reduce_sum, top_k,
};
use support::typed::{Sample, assert_same};
use support::{Kind, Random, exact_sum, larger};

/// A number whose sums, maxima and minima can be had in another way.
trait Plain: Number + Sample {
    fn sum(line: &[Self]) -> Self;
    fn larger(a: Self, b: Self) -> Self;
    fn smaller(a: Self, b: Self) -> Self;
    fn product(a: Self, b: Self) -> Self;
    /// The order of the choices: zeros are one number, and so are NaN, which lie above all.
    fn order(a: Self, b: Self) -> Ordering;
}

macro_rules! plain {
    ($($integer:ident)*) => {$(
        impl Plain for $integer {
            fn sum(line: &[Self]) -> Self {
                line.iter().map(|&x| i128::from(x)).sum::<i128>() as Self
            }

            fn larger(a: Self, b: Self) -> Self {
                if a > b { a } else { b }
            }

            fn smaller(a: Self, b: Self) -> Self {
                if a < b { a } else { b }
            }

            fn product(a: Self, b: Self) -> Self {
                i128::from(a).wrapping_mul(b.into()) as Self
            }

            fn order(a: Self, b: Self) -> Ordering {
                a.cmp(&b)
            }
        }
    )*};
}

plain!(i8 u8 i16 u16 i32 u32 i64 u64);

impl Plain for f32 {
    fn sum(line: &[Self]) -> Self {
        f32::from_bits(exact_sum(line.iter().copied()))
    }

    fn larger(a: Self, b: Self) -> Self {
        larger(a, b)
    }

    fn smaller(a: Self, b: Self) -> Self {
        -larger(-a, -b)
    }

    fn product(a: Self, b: Self) -> Self {
        a * b
    }

    fn order(a: Self, b: Self) -> Ordering {
        a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
    }
}

/// A tensor with its lines along an axis.
struct Tensor<T> {
    axis: Axis,
    x: Vec<T>,
}

impl<T: Plain> Tensor<T> {
    fn new(random: &mut Random, shortest: usize) -> Self {
        let axis = Axis { outer: random.below(4), len: shortest + random.below(7), inner: random.below(4) };
        Self { axis, x: T::samples(random, axis.outer * axis.len * axis.inner) }
    }

    fn lines(&self) -> Vec<Vec<T>> {
        let Axis { outer, len, inner } = self.axis;
        let line = |o: usize, i: usize| (0..len).map(|j| self.x[(o * len + j) * inner + i]).collect();
        (0..outer).flat_map(|o| (0..inner).map(move |i| (o, i))).map(|(o, i)| line(o, i)).collect()
    }

    /// Lines of `len` elements in the order of a tensor.
    fn assembled<U: Copy>(&self, lines: &[Vec<U>], len: usize) -> Vec<U> {
        let Axis { outer, inner, .. } = self.axis;
        let places = (0..outer).flat_map(|o| (0..len).flat_map(move |j| (0..inner).map(move |i| (o, j, i))));
        places.map(|(o, j, i)| lines[o * inner + i][j]).collect()
    }
}

fn check_reductions<T: Plain>() {
    let mut random = Random(61);
    for _ in 0..500 {
        let tensor = Tensor::<T>::new(&mut random, 0);
        let lines = tensor.lines();
        let mut out = vec![T::ONE; lines.len()];
        let mut check = |op, f: &dyn Fn(&[T]) -> T| {
            reduce(op, tensor.axis, &tensor.x, &mut out);
            let expected: Vec<T> = lines.iter().map(|line| f(line)).collect();
            assert_same(&out, &expected, &format!("{op:?} {:?}", tensor.axis));
        };
        check(ReduceOp::Sum, &T::sum);
        check(ReduceOp::Max, &|line| line.iter().copied().fold(T::LOWEST, T::larger));
        check(ReduceOp::Min, &|line| line.iter().copied().fold(T::HIGHEST, T::smaller));
        check(ReduceOp::Product, &|line| line.iter().copied().fold(T::ONE, T::product));
    }
}

#[test]
fn reductions_match_the_definition() {
    // Would catch: an accumulator that is kept from one line to the next, a neutral element of another type.
    for_each_type!(check_reductions, f32 i8 u8 i16 u16 i32 u32 i64 u64);
}

#[test]
fn lines_without_elements_give_the_neutral_one() {
    let axis = Axis { outer: 1, len: 0, inner: 1 };
    let of = |op| {
        let (mut float, mut integer) = ([5.0f32], [5i32]);
        reduce(op, axis, &[], &mut float);
        reduce(op, axis, &[], &mut integer);
        (float[0].to_bits(), integer[0])
    };
    assert_eq!(of(ReduceOp::Sum), (0, 0));
    assert_eq!(of(ReduceOp::Product), (1f32.to_bits(), 1));
    assert_eq!(of(ReduceOp::Max), (f32::NEG_INFINITY.to_bits(), i32::MIN));
    assert_eq!(of(ReduceOp::Min), (f32::INFINITY.to_bits(), i32::MAX));
}

#[test]
fn names_of_before_are_the_same_reductions() {
    let mut random = Random(62);
    let axis = Axis { outer: 3, len: 50, inner: 2 };
    for kind in support::KINDS {
        let x = random.floats(kind, 300);
        let mut out = [[0.0; 6]; 4];
        let [a, b, c, d] = &mut out;
        reduce_sum(axis, &x, a);
        reduce(ReduceOp::Sum, axis, &x, b);
        reduce_max(axis, &x, c);
        reduce(ReduceOp::Max, axis, &x, d);
        let bits = out.map(|line| line.map(f32::to_bits));
        assert_eq!((bits[0], bits[2]), (bits[1], bits[3]), "{kind:?}");
    }
}

fn check_cumulative<T: Plain>() {
    let mut random = Random(63);
    for _ in 0..400 {
        let tensor = Tensor::<T>::new(&mut random, 0);
        let len = tensor.axis.len;
        let mut out = vec![T::ONE; tensor.x.len()];
        for (exclusive, reverse) in [(false, false), (false, true), (true, false), (true, true)] {
            cumulative_sum(tensor.axis, exclusive, reverse, &tensor.x, &mut out);
            let sum = |line: &Vec<T>, i: usize| {
                let own = usize::from(!exclusive);
                T::sum(if reverse { &line[i + 1 - own..] } else { &line[..i + own] })
            };
            let lines: Vec<Vec<T>> =
                tensor.lines().iter().map(|line| (0..len).map(|i| sum(line, i)).collect()).collect();
            let what = format!("{:?} exclusive {exclusive} reverse {reverse}", tensor.axis);
            assert_same(&out, &tensor.assembled(&lines, len), &what);
        }
    }
}

#[test]
fn running_sums_are_rounded_apart() {
    // Would catch: a rounding that changes what is added to afterwards, zeros that keep the sign of others.
    for_each_type!(check_cumulative, f32 i8 u8 i16 u16 i32 u32 i64 u64);
}

#[test]
fn long_running_sums_stay_exact() {
    // Would catch: lanes that are not spilled between roundings, (B), a rounding that leaves carries behind.
    let mut random = Random(64);
    for kind in support::KINDS {
        let x = random.floats(kind, 1500);
        let mut out = vec![0.0; 1500];
        cumulative_sum(Axis { outer: 1, len: 1500, inner: 1 }, false, false, &x, &mut out);
        for at in [0, 1, 239, 240, 241, 700, 1499] {
            assert_eq!(out[at].to_bits(), exact_sum(x[..=at].iter().copied()), "{kind:?} {at}");
        }
    }
    let mut out = [0.0; 4];
    cumulative_sum(Axis { outer: 1, len: 4, inner: 1 }, false, false, &[1e30, 1.0, -1e30, 1.0], &mut out);
    assert_eq!(out, [1e30, 1e30, 1.0, 2.0]);
}

/// The place of the best element by the order, the first or the last.
fn place_of<T: Plain>(op: ArgOp, last: bool, line: &[T]) -> i64 {
    // A NaN is wanted in any case, and above all by the order.
    let nan = line.iter().any(|x| x.compare(*x).is_none());
    let best = line.iter().copied().reduce(|a, b| {
        let wanted = if op == ArgOp::Max || nan { Ordering::Greater } else { Ordering::Less };
        if T::order(b, a) == wanted { b } else { a }
    });
    let is_best = |x: &T| T::order(*x, best.unwrap()) == Ordering::Equal;
    (if last { line.iter().rposition(is_best) } else { line.iter().position(is_best) }).unwrap() as i64
}

fn check_arg<T: Plain>() {
    let mut random = Random(65);
    for _ in 0..600 {
        let mut tensor = Tensor::<T>::new(&mut random, 1);
        if random.below(2) == 0 {
            // Ties.
            let few = T::samples(&mut random, 3);
            tensor.x.iter_mut().for_each(|x| *x = few[random.below(3)]);
        }
        let lines = tensor.lines();
        let mut out = vec![-7; lines.len()];
        for (op, last) in [(ArgOp::Max, false), (ArgOp::Max, true), (ArgOp::Min, false), (ArgOp::Min, true)] {
            arg_reduce(op, last, tensor.axis, &tensor.x, &mut out);
            let expected: Vec<i64> = lines.iter().map(|line| place_of(op, last, line)).collect();
            assert_eq!(out, expected, "{op:?} last {last}: {lines:?}");
        }
    }
}

#[test]
fn places_of_extremes() {
    // Would catch: ties at the wrong end, -0 below +0, NaN passed over.
    for_each_type!(check_arg, f32 i8 u8 i16 u16 i32 u32 i64 u64);
    let axis = Axis { outer: 1, len: 5, inner: 1 };
    let of = |op, last, x: [f32; 5]| {
        let mut out = [9];
        arg_reduce(op, last, axis, &x, &mut out);
        out[0]
    };
    assert_eq!(of(ArgOp::Max, false, [-1.0, -0.0, 0.0, -0.0, -2.0]), 1);
    assert_eq!(of(ArgOp::Max, true, [-1.0, -0.0, 0.0, -0.0, -2.0]), 3);
    assert_eq!(of(ArgOp::Min, false, [1.0, f32::NAN, -f32::INFINITY, -f32::NAN, 0.0]), 1);
    assert_eq!(of(ArgOp::Max, true, [1.0, f32::NAN, f32::INFINITY, -f32::NAN, 0.0]), 3);
}

#[test]
#[should_panic(expected = "arg: empty lines have no element")]
fn empty_lines_have_no_extreme() {
    arg_reduce::<f32>(ArgOp::Max, false, Axis { outer: 2, len: 0, inner: 1 }, &[], &mut [0; 2]);
}

fn check_top_k<T: Plain>() {
    let mut random = Random(66);
    for round in 0..400 {
        let mut tensor = Tensor::<T>::new(&mut random, if round % 10 == 0 { 60 } else { 0 });
        if random.below(2) == 0 {
            let few = T::samples(&mut random, 4);
            tensor.x.iter_mut().for_each(|x| *x = few[random.below(4)]);
        }
        let Axis { outer, len, inner } = tensor.axis;
        let shape = TopK { outer, len, inner, k: random.below(len + 1), largest: random.below(2) == 0 };
        let mut values = vec![T::ONE; outer * shape.k * inner];
        let mut indices = vec![-7; values.len()];
        top_k(shape, &tensor.x, &mut values, &mut indices);
        let sorted = |line: &Vec<T>| {
            let mut places: Vec<usize> = (0..len).collect();
            // A stable sort keeps the order of ties.
            places.sort_by(|&a, &b| {
                let order = T::order(line[a], line[b]);
                if shape.largest { order.reverse() } else { order }
            });
            places.truncate(shape.k);
            places.into_iter().map(|place| (line[place], place as i64)).collect::<Vec<_>>()
        };
        let lines: Vec<_> = tensor.lines().iter().map(sorted).collect();
        let (expected, places): (Vec<T>, Vec<i64>) = tensor.assembled(&lines, shape.k).into_iter().unzip();
        assert_eq!(indices, places, "{shape:?}");
        assert_same(&values, &expected, &format!("{shape:?}"));
    }
}

#[test]
fn the_first_elements_in_order() {
    // Would catch: a heap that loses an element, ties by the higher place, columns mixed up.
    for_each_type!(check_top_k, f32 i8 u8 i16 u16 i32 u32 i64 u64);
}

#[test]
fn a_whole_line_can_be_sorted() {
    let mut random = Random(67);
    let x = random.floats(Kind::Normal, 2000);
    let mut out = (vec![0.0; 2000], vec![0; 2000]);
    let shape = TopK { outer: 1, len: 2000, inner: 1, k: 2000, largest: false };
    top_k(shape, &x, &mut out.0, &mut out.1);
    let mut expected = x;
    expected.sort_by(f32::total_cmp);
    assert_eq!(out.0, expected);
}

#[test]
#[should_panic(expected = "top_k: more elements than there are")]
fn more_elements_than_there_are() {
    let shape = TopK { outer: 1, len: 2, inner: 1, k: 3, largest: true };
    top_k(shape, &[1.0, 2.0], &mut [0.0; 3], &mut [0; 3]);
}
