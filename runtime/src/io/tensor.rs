//! Elements with a shape.

use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use opml_abi::{DataType, blob};

use super::Element;

/// A tensor of any shape: its elements, row-major, as a slice, and its dimensions.
///
/// ```
/// let image = opml_runtime::Tensor::new(&[2, 3], &[1_u8, 2, 3, 4, 5, 6]);
/// let &[rows, columns] = image.shape() else { panic!("{:?} is no image", image.shape()) };
/// assert_eq!((rows, columns, image[5]), (2, 3, 6));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<T> {
    shape: Vec<u32>,
    /// The elements as they cross in a blob; as units of eight bytes, for their alignment.
    units: Vec<u64>,
    len: usize,
    element: PhantomData<T>,
}

/// Number of elements; none for more than there could be.
pub(super) fn count(shape: &[u32]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |count, &dimension| count.checked_mul(dimension as usize))
}

impl<T: Element> Tensor<T> {
    /// The tensor of the dimensions `shape` with the given elements.
    ///
    /// # Panics
    /// If they are more or fewer than the shape says.
    pub fn new(shape: &[u32], elements: &[T]) -> Self {
        assert_eq!(count(shape), Some(elements.len()), "a tensor of the shape {shape:?}");
        let mut tensor = Self::room(shape, elements.len());
        tensor.copy_from_slice(elements);
        tensor
    }

    /// The dimensions, outermost first.
    pub fn shape(&self) -> &[u32] {
        &self.shape
    }

    /// Memory for `len` elements, all bits zero.
    pub(super) fn room(shape: &[u32], len: usize) -> Self {
        let units = (len * size_of::<T>()).div_ceil(8);
        Self { shape: shape.to_vec(), units: vec![0; units], len, element: PhantomData }
    }

    /// The words that the elements take in a blob.
    pub(super) fn words_mut(&mut self) -> &mut [u32] {
        let count = words::<T>(self.len);
        // SAFETY: there are as many, and their alignment is smaller than that of units.
        unsafe { core::slice::from_raw_parts_mut(self.units.as_mut_ptr().cast(), count) }
    }

    /// Element type, dimensions, and units with the number of words in them.
    pub(super) fn into_parts(self) -> (DataType, Vec<u32>, Vec<u64>, usize) {
        (T::DTYPE, self.shape, self.units, words::<T>(self.len))
    }
}

/// Words that `len` elements take in a blob.
fn words<T: Element>(len: usize) -> usize {
    blob::padded(len * size_of::<T>()) / 4
}

impl<T: Element> Deref for Tensor<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: there are as many elements, aligned; zeros are one, and others were checked when they were read.
        unsafe { core::slice::from_raw_parts(self.units.as_ptr().cast(), self.len) }
    }
}

impl<T: Element> DerefMut for Tensor<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above.
        unsafe { core::slice::from_raw_parts_mut(self.units.as_mut_ptr().cast(), self.len) }
    }
}
