//! Notes of where tensors come from: a later node may take what stands there instead of what was made of it.

use std::collections::BTreeMap;

use super::{Builder, Value};
use crate::graph::TensorId;

/// Where floats come from that were integers: x, less its zero point, times a scale; of either one for all or one for each index
/// of an axis.
#[derive(Clone, PartialEq, Debug)]
pub struct Quantised {
    /// The integers.
    pub x: Value,
    /// A vector.
    pub scale: Value,
    /// A vector.
    pub zero: Option<Value>,
    /// The axis that scales and zero points are for.
    pub axis: usize,
}

/// Where floats come from that were sums of integers: the sums and a bias, times a scale, each broadcast to the shape of the result;
/// perhaps behind a ReLU.
#[derive(Clone, PartialEq, Debug)]
pub struct Scaled {
    /// Int32.
    pub sums: Value,
    /// Int32.
    pub bias: Value,
    /// Float32.
    pub scale: Value,
    /// Whether there is a ReLU.
    pub rectified: bool,
}

/// Elements that are a function of bytes.
#[derive(Clone, PartialEq, Debug)]
pub struct Tabulated {
    /// The bytes, which lie as the elements do.
    pub x: Value,
    /// What the function makes of each of the 256, by the bits of the byte: a constant.
    pub table: Value,
}

/// A note: of which value it is, all of a tensor, and what it says.
#[derive(Clone, Debug)]
pub(super) struct Noted<T> {
    value: Value,
    from: T,
}

/// Notes by tensor.
pub(super) type Notes<T> = BTreeMap<TensorId, Noted<T>>;

impl Builder {
    /// Notes where all of a tensor comes from.
    pub fn remember(&mut self, value: &Value, from: Quantised) {
        self.quantised.insert(value.tensor, Noted { value: value.clone(), from });
    }

    /// Notes where all of a tensor comes from.
    pub fn remember_scaled(&mut self, value: &Value, from: Scaled) {
        self.scaled.insert(value.tensor, Noted { value: value.clone(), from });
    }

    /// Notes where all of a tensor comes from, whose elements lie as the bytes do.
    pub fn remember_table(&mut self, value: &Value, from: Tabulated) {
        self.tabulated.insert(value.tensor, Noted { value: value.clone(), from });
    }

    /// What was noted of a value, if it is all of the tensor in the same order.
    pub fn scaled(&self, value: &Value) -> Option<Scaled> {
        noted(&self.scaled, value)
    }

    /// What was noted of a value, if it is all of the tensor in the same order.
    pub fn quantised(&self, value: &Value) -> Option<Quantised> {
        noted(&self.quantised, value)
    }

    /// The same of any part of the tensor, in any order: its integers lie as the value does.
    pub fn quantised_view(&self, value: &Value) -> Option<Quantised> {
        let Noted { value: whole, from } = self.quantised.get(&value.tensor)?;
        lie_alike(whole, &from.x).then(|| Quantised { x: part_of(&from.x, value), ..from.clone() })
    }

    /// The bytes that the elements of a value, any part of what was noted, are a function of.
    pub fn tabulated(&self, value: &Value) -> Option<Tabulated> {
        let Noted { from, .. } = self.tabulated.get(&value.tensor)?;
        Some(Tabulated { x: part_of(&from.x, value), table: from.table.clone() })
    }
}

/// The note of a value that is all of its tensor in the order in which it was noted.
fn noted<T: Clone>(notes: &Notes<T>, value: &Value) -> Option<T> {
    let noted = notes.get(&value.tensor)?;
    (value.offset == noted.value.offset && lie_alike(value, &noted.value)).then(|| noted.from.clone())
}

/// Whether two values of one shape have their elements at the same distances.
fn lie_alike(a: &Value, b: &Value) -> bool {
    let strides = a.shape.iter().zip(a.strides.iter().zip(&b.strides));
    a.shape == b.shape && strides.clone().all(|(&d, (a, b))| d == 1 || a == b)
}

/// The elements of `origin` that lie as those of `value` do in a tensor that lies alike.
fn part_of(origin: &Value, value: &Value) -> Value {
    Value {
        tensor: origin.tensor,
        dtype: origin.dtype,
        offset: origin.offset + value.offset,
        ..value.clone()
    }
}
