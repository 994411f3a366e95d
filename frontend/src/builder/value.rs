use std::cmp::Reverse;

use opml_abi::DataType;

use crate::graph::{TensorId, strides};

/// A tensor of the model: elements of a graph's tensor under some shape and strides. Transpositions, slices and repetitions
/// are other strides over the same elements, and cost nothing until a kernel wants them one behind the other.
#[derive(Clone, PartialEq, Debug)]
pub struct Value {
    /// Where the elements are.
    pub tensor: TensorId,
    /// Their type.
    pub dtype: DataType,
    /// The first of them.
    pub offset: usize,
    /// Dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Elements between neighbours along each dimension.
    pub strides: Vec<usize>,
}

impl Value {
    /// The elements of a tensor in their order.
    pub fn dense(tensor: TensorId, dtype: DataType, shape: &[usize]) -> Self {
        Self { tensor, dtype, offset: 0, shape: shape.to_vec(), strides: strides(shape) }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Number of dimensions.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// Elements from the first to the last, both included.
    pub fn extent(&self) -> usize {
        if self.shape.contains(&0) {
            return 0;
        }
        1 + self.shape.iter().zip(&self.strides).map(|(d, s)| (d - 1) * s).sum::<usize>()
    }

    /// Whether the elements are one behind the other.
    pub fn is_dense(&self) -> bool {
        let dense = strides(&self.shape);
        let same = |((&d, &own), &dense): ((&usize, &usize), &usize)| d == 1 || own == dense;
        self.shape.contains(&0) || self.shape.iter().zip(&self.strides).zip(&dense).all(same)
    }

    /// The order of the axes in which the elements lie one behind the other in memory, if that is not the value's own and there is one.
    pub fn memory_order(&self) -> Option<Vec<usize>> {
        let mut order: Vec<usize> = (0..self.rank()).collect();
        order.sort_by_key(|&axis| Reverse(self.strides[axis]));
        (!self.is_dense() && self.ordered(&order).is_dense()).then_some(order)
    }

    /// The axes in the order `order`.
    pub fn ordered(&self, order: &[usize]) -> Self {
        let pick = |from: &[usize]| order.iter().map(|&axis| from[axis]).collect();
        self.with(pick(&self.shape), pick(&self.strides))
    }

    /// The axes back from the order `order`.
    pub fn ordered_back(&self, order: &[usize]) -> Self {
        let mut back = vec![0; order.len()];
        order.iter().enumerate().for_each(|(place, &axis)| back[axis] = place);
        self.ordered(&back)
    }

    /// The value with other dimensions and strides.
    pub fn with(&self, shape: Vec<usize>, strides: Vec<usize>) -> Self {
        Self { shape, strides, ..self.clone() }
    }

    /// The value as part of a larger `shape`, repeated along what it has not.
    ///
    /// # Errors
    /// If it does not broadcast to `shape`.
    pub fn broadcast(&self, shape: &[usize]) -> Result<Self, String> {
        let Some(missing) = shape.len().checked_sub(self.rank()) else {
            return Err(format!("shape {:?} does not broadcast to {shape:?}", self.shape));
        };
        let mut strides = vec![0; missing];
        for (axis, (&d, &s)) in self.shape.iter().zip(&self.strides).enumerate() {
            match d {
                d if d == shape[missing + axis] => strides.push(s),
                1 => strides.push(0),
                _ => return Err(format!("shape {:?} does not broadcast to {shape:?}", self.shape)),
            }
        }
        Ok(self.with(shape.to_vec(), strides))
    }

    /// Looks whether this operand has the shape that others ask for.
    ///
    /// # Errors
    /// Another one.
    pub fn check_shape(&self, expected: &[usize]) -> Result<(), String> {
        if self.shape == expected {
            return Ok(());
        }
        Err(format!("an operand of the shape {:?}; {expected:?} was expected", self.shape))
    }

    /// An axis that may be counted from the end.
    ///
    /// # Errors
    /// An axis that the value does not have.
    pub fn axis(&self, axis: i64) -> Result<usize, String> {
        axis_of(axis, self.rank())
    }
}

/// An axis of `rank`, which may be counted from the end.
///
/// # Errors
/// One out of range.
pub fn axis_of(axis: i64, rank: usize) -> Result<usize, String> {
    let from_end = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
    let found = usize::try_from(from_end).ok().filter(|&axis| axis < rank);
    found.ok_or_else(|| format!("axis {axis} of a tensor of rank {rank}"))
}

/// The shape that shapes broadcast to.
///
/// # Errors
/// Shapes that do not.
pub fn broadcast_shape(shapes: &[&[usize]]) -> Result<Vec<usize>, String> {
    let rank = shapes.iter().map(|shape| shape.len()).max().unwrap_or(0);
    let mut out = vec![1; rank];
    for shape in shapes {
        for (axis, &d) in shape.iter().enumerate() {
            let to = &mut out[rank - shape.len() + axis];
            match (*to, d) {
                (1, _) => *to = d,
                (_, 1) => {}
                (a, b) if a == b => {}
                _ => return Err(format!("shapes {shapes:?} do not broadcast")),
            }
        }
    }
    Ok(out)
}

/// The same walk over N operands in as few dimensions as there can be: those of length 1 go, and neighbours that follow each
/// other in all operands become one.
pub fn merged<const N: usize>(shape: &[usize], operands: [&[usize]; N]) -> (Vec<usize>, [Vec<usize>; N]) {
    let mut dims: Vec<usize> = Vec::new();
    let mut out: [Vec<usize>; N] = std::array::from_fn(|_| Vec::new());
    for (axis, &d) in shape.iter().enumerate().filter(|(_, d)| **d != 1) {
        let follows = (0..N).all(|i| out[i].last().is_some_and(|&last| last == operands[i][axis] * d));
        if follows {
            *dims.last_mut().expect("there are strides") *= d;
            (0..N).for_each(|i| *out[i].last_mut().expect("as many as dimensions") = operands[i][axis]);
        } else {
            dims.push(d);
            (0..N).for_each(|i| out[i].push(operands[i][axis]));
        }
    }
    if dims.is_empty() {
        return (vec![1], std::array::from_fn(|_| vec![1]));
    }
    (dims, out)
}
