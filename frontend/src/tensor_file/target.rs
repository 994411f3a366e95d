//! The input that a file is read for, and what it asks of the file.

use opml_abi::{DataType, Tensor, TensorInfo};

use super::stored::Stored;
use super::{Format, TensorProblem};

/// The input that a file is read for.
pub(super) struct Target<'a> {
    pub port: &'a TensorInfo,
    pub elements: u64,
}

impl<'a> Target<'a> {
    pub fn new(port: &'a TensorInfo) -> Self {
        Self { port, elements: port.shape.iter().fold(1, |n, &d| n.saturating_mul(d.into())) }
    }

    pub fn input(&self) -> String {
        self.port.name.clone()
    }

    /// Refuses a file of `len` bytes that is longer than any for this input.
    pub fn check_size(&self, format: Format, len: u64) -> Result<(), TensorProblem> {
        let limit = format.limit(self.port.dtype, self.elements);
        if len <= limit { Ok(()) } else { Err(TensorProblem::TooLarge { input: self.input(), limit }) }
    }

    /// That the file holds `got`, which the input does not take.
    pub fn other_type(&self, got: String) -> TensorProblem {
        TensorProblem::ElementType { input: self.input(), expected: self.port.dtype, got }
    }

    /// Refuses elements of a type that the input does not take.
    pub fn check_type(&self, got: DataType) -> Result<(), TensorProblem> {
        let integers = [DataType::Int32, DataType::Int64];
        let other_width = integers.contains(&got) && integers.contains(&self.port.dtype);
        if got == self.port.dtype || other_width { Ok(()) } else { Err(self.other_type(got.to_string())) }
    }

    /// Whether `got` are the input's dimensions but for axes of length 1.
    pub fn fits(&self, got: &[u64]) -> bool {
        let own = self.port.shape.iter().map(|&d| u64::from(d)).filter(|&d| d != 1);
        own.eq(got.iter().copied().filter(|&d| d != 1))
    }

    /// Refuses dimensions that differ in more than axes of length 1.
    pub fn check_shape(&self, got: &[u64]) -> Result<(), TensorProblem> {
        if self.fits(got) {
            return Ok(());
        }
        Err(TensorProblem::Shape {
            input: self.input(),
            expected: self.port.shape.clone(),
            got: got.to_vec(),
        })
    }

    /// Refuses another number of bytes than the elements take, which are of `dtype` in the file.
    pub fn check_length(&self, dtype: DataType, got: u64) -> Result<(), TensorProblem> {
        let expected = self.elements.saturating_mul(dtype.size() as u64);
        if got == expected {
            Ok(())
        } else {
            Err(TensorProblem::Length { input: self.input(), dtype, expected, got })
        }
    }

    /// That the element `index` is the number `value`, which `dtype` does not hold.
    pub fn unfit(&self, dtype: DataType, (index, value): (usize, i64)) -> TensorProblem {
        TensorProblem::OutOfRange { input: self.input(), index, value: value.to_string(), dtype }
    }

    /// The input with the elements `stored`, of which there are as many as it takes.
    pub fn tensor(&self, stored: Stored) -> Result<Tensor, TensorProblem> {
        let dtype = self.port.dtype;
        self.check_type(stored.dtype)?;
        let Stored { data, .. } = if stored.dtype == dtype {
            stored
        } else {
            stored.other_width().map_err(|unfit| self.unfit(dtype, unfit))?
        };
        let tensor = Tensor { dtype, shape: self.port.shape.clone(), data };
        let nan = tensor.to_f32().and_then(|values| values.iter().position(|v| v.is_nan()));
        let no_bool = tensor.data.iter().position(|&byte| byte > 1).filter(|_| dtype == DataType::Bool);
        match (nan, no_bool) {
            (Some(index), _) => Err(TensorProblem::NotANumber { input: self.input(), index }),
            (None, Some(index)) => Err(self.unfit(dtype, (index, tensor.data[index].into()))),
            (None, None) => Ok(tensor),
        }
    }
}
