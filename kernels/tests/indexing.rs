//! Elements chosen by indices, against plain definitions.

mod support;

use opml_kernels::{
    Along, Gather, Index, Scatter, Sequences, Slices, gather, gather_elements, gather_nd, reverse_sequence,
    scatter_elements, scatter_nd,
};
use support::typed::{Sample, assert_same, positions};
use support::{Random, larger};

/// An index of either type for a place among `len`, from the beginning or from the end.
trait Make: Index {
    fn make(random: &mut Random, len: usize) -> (Self, usize);
}

macro_rules! make {
    ($($index:ident)*) => {$(
        impl Make for $index {
            fn make(random: &mut Random, len: usize) -> (Self, usize) {
                let place = random.below(len);
                let index = place as Self;
                (if random.below(2) == 0 { index } else { index - len as Self }, place)
            }
        }
    )*};
}

make!(i32 i64);

fn indices<I: Make>(random: &mut Random, len: usize, count: usize) -> (Vec<I>, Vec<usize>) {
    (0..count).map(|_| I::make(random, len)).unzip()
}

/// The row-major strides of a shape.
fn row_major(dims: &[usize]) -> Vec<usize> {
    (0..dims.len()).map(|i| dims[i + 1..].iter().product()).collect()
}

fn check_gather<I: Make>() {
    let mut random = Random(71);
    for _ in 0..500 {
        let [outer, count, inner] = [(); 3].map(|()| random.below(5));
        let shape = Gather { outer, len: 1 + random.below(6), inner, count };
        let x = i16::samples(&mut random, outer * shape.len * inner);
        let (indices, places) = indices::<I>(&mut random, shape.len, count);
        let mut out = vec![0; outer * count * inner];
        gather(shape, &x, &indices, &mut out);
        let mut expected = vec![];
        for o in 0..outer {
            for place in &places {
                expected.extend((0..inner).map(|i| x[(o * shape.len + place) * inner + i]));
            }
        }
        assert_eq!(out, expected, "{shape:?}");
    }
}

#[test]
fn slices_are_gathered() {
    // Would catch: an index that counts from the wrong end, slices of another length.
    for_each_type!(check_gather, i32 i64);
}

#[test]
fn gathering_keeps_every_bit() {
    let mut out = [0.0; 1];
    let x = [1.0, f32::from_bits(0xffa0_0001)];
    gather(Gather { outer: 1, len: 2, inner: 1, count: 1 }, &x, &[-1i32], &mut out);
    assert_eq!(out[0].to_bits(), 0xffa0_0001);
}

/// Expects a panic about the index.
#[track_caller]
fn assert_refused<I: Index + std::panic::RefUnwindSafe + std::fmt::Debug>(index: I, len: usize) {
    let panic = std::panic::catch_unwind(|| index.place(len)).expect_err("it is out of range");
    assert_eq!(panic.downcast_ref(), Some(&"index out of range"), "{index:?} of {len}");
}

#[test]
fn indices_out_of_range_are_refused() {
    // Would catch: a negative index that wraps around to a valid one, upper bits of an index that are lost.
    for len in [0, 1, 5, 1000] {
        for beyond in [0, 1, 7] {
            assert_refused(len as i32 + beyond, len);
            assert_refused(len as i64 + i64::from(beyond), len);
            assert_refused(-(len as i32) - 1 - beyond, len);
            assert_refused(-(len as i64) - 1 - i64::from(beyond), len);
        }
        assert_refused(i32::MIN, len);
        assert_refused(i32::MAX, len);
        for index in [i64::MIN, i64::MAX, 1 << 32, -(1 << 32), (1 << 32) + 1, -(1 << 33) + 1] {
            assert_refused(index, len);
        }
    }
    assert_eq!((0i32.place(5), (-5i32).place(5), (-1i64).place(5), 4i64.place(5)), (0, 0, 4, 4));
}

/// A tensor, and indices of a shape that is smaller but for the axis.
struct Elements<I> {
    along: Along,
    /// Of the indices.
    dims: Vec<usize>,
    /// Of the tensor, 0 for the axis.
    strides: Vec<usize>,
    size: usize,
    indices: Vec<I>,
    /// Which element each index says.
    at: Vec<usize>,
}

impl<I: Make> Elements<I> {
    fn new(random: &mut Random) -> Self {
        let rank = 1 + random.below(4);
        let whole: Vec<usize> = (0..rank).map(|_| 1 + random.below(4)).collect();
        let axis = random.below(rank);
        let mut dims: Vec<usize> = whole.iter().map(|&dim| random.below(dim + 1)).collect();
        dims[axis] = random.below(6);
        let mut strides = row_major(&whole);
        let along = Along { len: whole[axis], stride: strides[axis] };
        strides[axis] = 0;
        let (indices, places) = indices::<I>(random, along.len, dims.iter().product());
        let starts = positions(&dims, &strides);
        let at = starts.iter().zip(&places).map(|(start, place)| start + place * along.stride).collect();
        Self { along, dims, strides, size: whole.iter().product(), indices, at }
    }
}

fn check_gather_elements<I: Make>() {
    let mut random = Random(72);
    for _ in 0..1000 {
        let e = Elements::<I>::new(&mut random);
        let x = i64::samples(&mut random, e.size);
        let mut out = vec![0; e.at.len()];
        gather_elements(e.along, &e.dims, &e.strides, &x, &e.indices, &mut out);
        assert_eq!(out, e.at.iter().map(|&at| x[at]).collect::<Vec<_>>(), "{:?} {:?}", e.along, e.dims);
    }
}

#[test]
fn elements_are_gathered() {
    // Would catch: strides of the indices taken for those of the tensor, the axis counted twice.
    for_each_type!(check_gather_elements, i32 i64);
    // The example of ONNX's specification.
    let mut out = [0; 4];
    let along = Along { len: 2, stride: 1 };
    gather_elements(along, &[2, 2], &[2, 0], &[1u8, 2, 3, 4], &[0i64, 0, 1, 0], &mut out);
    assert_eq!(out, [1, 1, 4, 3]);
}

#[test]
#[should_panic(expected = "slice too short for its strides")]
fn elements_outside_the_tensor_are_refused() {
    let along = Along { len: 2, stride: 1 };
    gather_elements(along, &[3, 1], &[2, 0], &[0u8; 4], &[0i64; 3], &mut [0; 3]);
}

const SCATTERS: [Scatter; 5] = [Scatter::Replace, Scatter::Add, Scatter::Mul, Scatter::Min, Scatter::Max];

/// What becomes of an element.
fn updated(op: Scatter, element: f32, update: f32) -> f32 {
    match op {
        Scatter::Replace => update,
        Scatter::Add => element + update,
        Scatter::Mul => element * update,
        Scatter::Min => -larger(-element, -update),
        Scatter::Max => larger(element, update),
    }
}

fn check_scatter_elements<I: Make>() {
    let mut random = Random(73);
    for _ in 0..1000 {
        let e = Elements::<I>::new(&mut random);
        let data = f32::samples(&mut random, e.size);
        let updates = f32::samples(&mut random, e.at.len());
        for op in SCATTERS {
            let mut out = data.clone();
            scatter_elements(op, e.along, &e.dims, &e.strides, &e.indices, &updates, &mut out);
            let mut expected = data.clone();
            for (&at, &update) in e.at.iter().zip(&updates) {
                expected[at] = updated(op, expected[at], update);
            }
            assert_same(&out, &expected, &format!("{op:?} {:?} {:?}", e.along, e.dims));
        }
    }
}

#[test]
fn elements_are_scattered() {
    // Would catch: updates in another order, a reduction that forgets the data.
    for_each_type!(check_scatter_elements, i32 i64);
    let mut out = [10u8, 250];
    let along = Along { len: 2, stride: 1 };
    scatter_elements(Scatter::Add, along, &[3], &[0], &[1i64, 1, 0], &[5u8, 3, 1], &mut out);
    assert_eq!(out, [11, 2]);
}

/// A batch of tensors, and indices of several dimensions.
struct Parts<I> {
    shape: Slices,
    dims: Vec<usize>,
    size: usize,
    indices: Vec<I>,
    /// Where each slice begins.
    at: Vec<usize>,
}

impl<I: Make> Parts<I> {
    fn new(random: &mut Random) -> Self {
        let [batch, count, inner] = [(); 3].map(|()| random.below(4));
        let dims: Vec<usize> = (0..random.below(4)).map(|_| 1 + random.below(4)).collect();
        let strides = row_major(&dims);
        let one: usize = dims.iter().product::<usize>() * inner;
        let (mut indices, mut at) = (vec![], vec![]);
        for part in 0..batch {
            for _ in 0..count {
                let mut place = 0;
                for (&dim, &stride) in dims.iter().zip(&strides) {
                    let (index, along) = I::make(random, dim);
                    indices.push(index);
                    place += along * stride;
                }
                at.push(part * one + place * inner);
            }
        }
        Self { shape: Slices { batch, count, inner }, dims, size: batch * one, indices, at }
    }
}

fn check_slices<I: Make>() {
    let mut random = Random(74);
    for _ in 0..1000 {
        let p = Parts::<I>::new(&mut random);
        let inner = p.shape.inner;
        let places: Vec<usize> = p.at.iter().flat_map(|&at| at..at + inner).collect();
        let data = f32::samples(&mut random, p.size);
        let mut out = vec![0.0; places.len()];
        gather_nd(p.shape, &p.dims, &data, &p.indices, &mut out);
        let expected: Vec<f32> = places.iter().map(|&at| data[at]).collect();
        assert_same(&out, &expected, &format!("{:?} {:?}", p.shape, p.dims));
        let updates = f32::samples(&mut random, places.len());
        for op in SCATTERS {
            let mut out = data.clone();
            scatter_nd(op, p.shape, &p.dims, &p.indices, &updates, &mut out);
            let mut expected = data.clone();
            for (&at, &update) in places.iter().zip(&updates) {
                expected[at] = updated(op, expected[at], update);
            }
            assert_same(&out, &expected, &format!("{op:?} {:?} {:?}", p.shape, p.dims));
        }
    }
}

#[test]
fn slices_by_several_indices() {
    // Would catch: a batch that reads another one's data, dimensions in another order, slices that overlap.
    for_each_type!(check_slices, i32 i64);
}

#[test]
#[should_panic(expected = "slices: indices do not fit the shape")]
fn indices_of_another_shape_are_refused() {
    let shape = Slices { batch: 1, count: 2, inner: 1 };
    gather_nd(shape, &[2, 2], &[0u8; 4], &[0i64; 3], &mut [0; 2]);
}

fn check_reverse<I: Make>() {
    let mut random = Random(75);
    for _ in 0..500 {
        let [batch, time, inner] = [(); 3].map(|()| random.below(5));
        let shape = Sequences { batch, time, inner, time_first: random.below(2) == 0 };
        let x = u32::samples(&mut random, batch * time * inner);
        let lens: Vec<usize> = (0..batch).map(|_| random.below(time + 1)).collect();
        let mut out = vec![0; x.len()];
        // The type of the lengths, by one that is not negative.
        let given: Vec<I> =
            lens.iter().map(|&len| (0..len).fold(I::ZERO, |sum, _| sum.add(I::ONE))).collect();
        reverse_sequence(shape, &x, &given, &mut out);
        for (b, &len) in lens.iter().enumerate() {
            for t in 0..time {
                let from = if t < len { len - 1 - t } else { t };
                let at = |t: usize| if shape.time_first { t * batch + b } else { b * time + t };
                assert_eq!(out[at(t) * inner..][..inner], x[at(from) * inner..][..inner], "{shape:?}");
            }
        }
    }
}

#[test]
fn sequences_are_reversed() {
    // Would catch: elements behind the length moved, time and batch exchanged.
    for_each_type!(check_reverse, i32 i64);
}

#[test]
#[should_panic(expected = "reverse: negative length")]
fn negative_lengths_are_refused() {
    let shape = Sequences { batch: 1, time: 2, inner: 1, time_first: true };
    reverse_sequence(shape, &[1u8, 2], &[-1i64], &mut [0; 2]);
}

#[test]
#[should_panic(expected = "index out of range")]
fn lengths_beyond_the_sequence_are_refused() {
    let shape = Sequences { batch: 1, time: 2, inner: 1, time_first: true };
    reverse_sequence(shape, &[1u8, 2], &[3i64], &mut [0; 2]);
}
