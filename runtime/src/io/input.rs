//! From the input blob to the parameters of `main`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use opml_abi::{DataType, blob};

use super::tensor::{Tensor, count};
use super::{Element, Fixed};
use crate::Sys;
use crate::guest::Guest;

/// What a parameter of `main` can be: a number (a tensor without dimensions), an array of a fixed shape (`[[f32; 28]; 28]`), a `Vec`
/// of one dimension and any length, a `String` of UTF-8 in a `uint8` tensor, or a [`Tensor`] of any shape.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no tensor",
    label = "not a parameter of a program",
    note = "take a number (f32, u8, i8, i32, i64, bool), an array of them, a Vec, a String or an opml_runtime::Tensor"
)]
pub trait Input: Sized {
    /// Makes the value of a tensor, or says why it is none.
    ///
    /// # Errors
    /// What the tensor should have been and what it is.
    fn read(tensor: Incoming<'_>) -> Result<Self, String>;
}

/// A tensor of the input blob, its elements not read yet.
pub struct Incoming<'a> {
    /// Element type.
    pub dtype: DataType,
    /// Dimensions, outermost first.
    pub shape: Vec<u32>,
    read: &'a mut dyn FnMut(&mut [u32]),
}

impl Incoming<'_> {
    /// The elements, if they are of this type.
    ///
    /// # Errors
    /// Another element type, or bytes that are no elements.
    pub fn elements<T: Element>(self, expected: &str) -> Result<Tensor<T>, String> {
        if self.dtype != T::DTYPE {
            return Err(self.differs::<T>(expected));
        }
        let len = count(&self.shape).expect("the blob has them");
        let mut tensor = Tensor::room(&self.shape, len);
        let words = tensor.words_mut();
        (self.read)(words);
        if T::is_valid(&crate::bytes(words)[..len * size_of::<T>()]) {
            Ok(tensor)
        } else {
            Err(format!("bytes that are no {}", T::DTYPE.name()))
        }
    }

    fn differs<T: Element>(&self, expected: &str) -> String {
        let (want, got) = (T::DTYPE.name(), self.dtype.name());
        format!("expected {want} {expected}, got {got} {:?}", self.shape)
    }
}

impl<F: Fixed> Input for F {
    fn read(tensor: Incoming<'_>) -> Result<Self, String> {
        const { assert!(size_of::<F>() <= MAX_ON_STACK, "take so large an array as a Tensor") };
        let mut shape = Vec::new();
        F::dimensions(&mut shape);
        let expected = format!("{shape:?}");
        if tensor.shape != shape {
            return Err(tensor.differs::<F::Of>(&expected));
        }
        let elements = tensor.elements::<F::Of>(&expected)?;
        // SAFETY: these are all the elements that it is made of.
        Ok(unsafe { elements.as_ptr().cast::<F>().read() })
    }
}

/// Bytes that a parameter may take of the stack, which has 1 MiB.
const MAX_ON_STACK: usize = 1 << 16;

impl<T: Element> Input for Vec<T> {
    fn read(tensor: Incoming<'_>) -> Result<Self, String> {
        let expected = "of one dimension";
        match tensor.shape.len() {
            1 => Ok(tensor.elements::<T>(expected)?.to_vec()),
            _ => Err(tensor.differs::<T>(expected)),
        }
    }
}

impl<T: Element> Input for Tensor<T> {
    fn read(tensor: Incoming<'_>) -> Result<Self, String> {
        tensor.elements("of any shape")
    }
}

impl Input for String {
    fn read(tensor: Incoming<'_>) -> Result<Self, String> {
        String::from_utf8(Vec::read(tensor)?).map_err(|error| format!("text that is no UTF-8: {error}"))
    }
}

/// The input blob, read front to back with an eye on its end: on chain, a read behind the end of a preimage reverts.
pub(super) struct Inputs<'a, S> {
    guest: &'a mut Guest<S>,
    /// Bytes that were not read.
    left: u64,
    next: usize,
}

impl<'a, S: Sys> Inputs<'a, S> {
    /// Opens the input blob, which has to have as many tensors as there are parameters.
    pub fn open(guest: &'a mut Guest<S>, parameters: usize) -> Result<Self, String> {
        let left = guest.open_preimage_of_input();
        let mut inputs = Self { guest, left, next: 0 };
        let [tensors] = inputs.words().ok_or("an empty input")?;
        if tensors as usize == parameters {
            Ok(inputs)
        } else {
            Err(format!("the program takes {parameters} tensors, the input has {tensors}"))
        }
    }

    /// The next tensor as the type of a parameter.
    pub fn next<T: Input>(&mut self) -> Result<T, String> {
        let number = self.next;
        self.next += 1;
        self.tensor().map_err(|problem| format!("input {number}: {problem}"))
    }

    fn tensor<T: Input>(&mut self) -> Result<T, String> {
        let [header] = self.words().ok_or(CUT)?;
        let [code, rank, 0, 0] = header.to_be_bytes() else { return Err("no header of a tensor".into()) };
        let dtype =
            DataType::from_code(code).ok_or_else(|| format!("elements of the unknown type {code}"))?;
        if usize::from(rank) > blob::MAX_RANK {
            return Err(format!("{rank} dimensions"));
        }
        let mut shape = Vec::with_capacity(rank.into());
        for _ in 0..rank {
            let [dimension] = self.words().ok_or(CUT)?;
            shape.push(dimension);
        }
        let size = count(&shape).and_then(|count| count.checked_mul(dtype.size()));
        let size = size.filter(|&size| size as u64 <= self.left).ok_or(CUT)?;
        self.left = self.left.checked_sub(blob::padded(size) as u64).ok_or(CUT)?;
        T::read(Incoming { dtype, shape, read: &mut |words| self.guest.read_preimage(words) })
    }

    /// Words of a header; none behind the end.
    fn words<const N: usize>(&mut self) -> Option<[u32; N]> {
        self.left = self.left.checked_sub(4 * N as u64)?;
        let mut words = [0; N];
        self.guest.read_preimage(&mut words);
        Some(words)
    }
}

const CUT: &str = "the blob ends in the middle of a tensor";
