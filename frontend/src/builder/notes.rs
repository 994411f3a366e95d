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

impl Builder {
    /// Notes where all of a tensor comes from.
    pub fn remember(&mut self, value: &Value, from: Quantised) {
        self.quantised.insert(value.tensor, from);
    }

    /// Notes where all of a tensor comes from.
    pub fn remember_scaled(&mut self, value: &Value, from: Scaled) {
        self.scaled.insert(value.tensor, from);
    }

    /// What was noted of a value, if it is all of the tensor in its order.
    pub fn scaled(&self, value: &Value) -> Option<Scaled> {
        noted(&self.scaled, value, |from| &from.sums)
    }

    /// What was noted of a value, if it is all of the tensor in its order.
    pub fn quantised(&self, value: &Value) -> Option<Quantised> {
        noted(&self.quantised, value, |from| &from.x)
    }

    /// The same of any part of the tensor, in any order: its integers lie as the value does.
    pub fn quantised_view(&self, value: &Value) -> Option<Quantised> {
        let from = self.quantised.get(&value.tensor)?;
        let x = Value {
            tensor: from.x.tensor,
            dtype: from.x.dtype,
            offset: from.x.offset + value.offset,
            ..value.clone()
        };
        from.x.is_dense().then(|| Quantised { x, ..from.clone() })
    }
}

/// The note of a value that is all of its tensor in the order of what it comes from.
fn noted<T: Clone>(notes: &BTreeMap<TensorId, T>, value: &Value, origin: impl Fn(&T) -> &Value) -> Option<T> {
    let from = notes.get(&value.tensor)?;
    (value.is_dense() && value.shape == origin(from).shape).then(|| from.clone())
}
