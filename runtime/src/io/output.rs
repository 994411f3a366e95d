//! From what `main` returns to the output blob.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Display;

use opml_abi::DataType;

use super::{Element, Fixed, Tensor};
use crate::guest::OutputTensor;

/// What `main` can return: what a parameter can be, `&str`, slices, nothing, several of them as a tuple, and a `Result` of any of these, whose
/// error is printed before the program ends with 2.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no output of a program",
    label = "not a tensor",
    note = "return a number (f32, u8, i8, i32, i64, bool), an array of them, a Vec, a String, an opml_runtime::Tensor, a tuple of such, or a Result"
)]
pub trait Output {
    /// Appends the tensors.
    ///
    /// # Errors
    /// Why there are none, for people.
    fn write(self, to: &mut Outgoing) -> Result<(), String>;
}

/// Tensors on their way out.
#[derive(Debug, Default)]
pub struct Outgoing {
    tensors: Vec<Parts>,
}

/// Element type, dimensions, units of memory, words of the blob in them.
type Parts = (DataType, Vec<u32>, Vec<u64>, usize);

impl Outgoing {
    fn push<T: Element>(&mut self, tensor: Tensor<T>) -> Result<(), String> {
        self.tensors.push(tensor.into_parts());
        Ok(())
    }

    /// Them as the guest sends them out.
    pub(super) fn tensors(&self) -> Vec<OutputTensor<'_>> {
        let mut all = Vec::with_capacity(self.tensors.len());
        for (dtype, shape, units, words) in &self.tensors {
            // SAFETY: the units hold as many words.
            let words = unsafe { core::slice::from_raw_parts(units.as_ptr().cast::<u32>(), *words) };
            all.push(OutputTensor { dtype: *dtype, shape, words });
        }
        all
    }
}

impl<F: Fixed> Output for F {
    fn write(self, to: &mut Outgoing) -> Result<(), String> {
        let mut shape = Vec::new();
        F::dimensions(&mut shape);
        let len = size_of::<F>() / size_of::<F::Of>();
        // SAFETY: it is made of so many elements.
        let elements = unsafe { core::slice::from_raw_parts((&raw const self).cast::<F::Of>(), len) };
        to.push(Tensor::new(&shape, elements))
    }
}

impl<T: Element> Output for Tensor<T> {
    fn write(self, to: &mut Outgoing) -> Result<(), String> {
        to.push(self)
    }
}

impl<T: Element> Output for &[T] {
    fn write(self, to: &mut Outgoing) -> Result<(), String> {
        let len = u32::try_from(self.len()).map_err(|_| format!("{} elements", self.len()))?;
        to.push(Tensor::new(&[len], self))
    }
}

impl<T: Element> Output for Vec<T> {
    fn write(self, to: &mut Outgoing) -> Result<(), String> {
        self.as_slice().write(to)
    }
}

impl Output for &str {
    fn write(self, to: &mut Outgoing) -> Result<(), String> {
        self.as_bytes().write(to)
    }
}

impl Output for String {
    fn write(self, to: &mut Outgoing) -> Result<(), String> {
        self.as_bytes().write(to)
    }
}

impl<R: Output, E: Display> Output for Result<R, E> {
    fn write(self, to: &mut Outgoing) -> Result<(), String> {
        self.map_err(|error| format!("{error}"))?.write(to)
    }
}

impl Output for () {
    fn write(self, _: &mut Outgoing) -> Result<(), String> {
        Ok(())
    }
}

macro_rules! tuples {
    ($($($name:ident)*;)*) => {$(
        impl<$($name: Output),*> Output for ($($name,)*) {
            #[expect(non_snake_case, reason = "a value has the name of its type")]
            fn write(self, to: &mut Outgoing) -> Result<(), String> {
                let ($($name,)*) = self;
                $($name.write(to)?;)*
                Ok(())
            }
        }
    )*};
}

tuples! { A; A B; A B C; A B C D; A B C D E; A B C D E F; }
