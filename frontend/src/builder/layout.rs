//! What moves elements or only names them differently.

use opml_kernels::Gather;

use super::value::merged;
use super::{Builder, Built, Value, elements};
use crate::graph::{Op, View, strides};

/// Most elements of constants that are joined now.
const MAX_JOINED: usize = 1 << 20;

impl Builder {
    /// The same elements under another shape.
    ///
    /// # Errors
    /// A shape with another number of elements.
    pub fn reshape(&mut self, value: &Value, shape: &[usize]) -> Built {
        if elements(shape)? != value.len() {
            return Err(format!("shape {:?} cannot become {shape:?}", value.shape));
        }
        if value.shape == shape {
            return Ok(value.clone());
        }
        let dense = self.dense(value)?;
        Ok(dense.with(shape.to_vec(), strides(shape)))
    }

    /// The axes in the order `order`.
    pub fn transpose(&self, value: &Value, order: &[usize]) -> Value {
        value.ordered(order)
    }

    /// The value with an axis moved to another place.
    pub fn move_axis(&self, value: &Value, from: usize, to: usize) -> Value {
        let mut order: Vec<usize> = (0..value.rank()).collect();
        let axis = order.remove(from);
        order.insert(to, axis);
        self.transpose(value, &order)
    }

    /// A new axis of length 1.
    pub fn unsqueeze(&self, value: &Value, axis: usize) -> Value {
        let (mut shape, mut strides) = (value.shape.clone(), value.strides.clone());
        shape.insert(axis, 1);
        strides.insert(axis, 0);
        value.with(shape, strides)
    }

    /// The value without an axis, at the index `index` of it.
    ///
    /// # Panics
    /// If it is not there: elements of another tensor would stand for it.
    pub fn index(&self, value: &Value, axis: usize, index: usize) -> Value {
        assert!(index < value.shape[axis], "index out of range");
        let mut out = value.clone();
        out.offset += index * out.strides[axis];
        out.shape.remove(axis);
        out.strides.remove(axis);
        out
    }

    /// `len` elements along an axis, from `start` on, each `step` behind the one before.
    ///
    /// # Panics
    /// If one of them is not there: elements of another tensor would stand for it.
    pub fn slice(&self, value: &Value, axis: usize, start: usize, len: usize, step: usize) -> Value {
        assert!(len == 0 || start + (len - 1) * step < value.shape[axis], "slice out of range");
        let mut out = value.clone();
        if len > 0 {
            out.offset += start * out.strides[axis];
        }
        out.shape[axis] = len;
        out.strides[axis] *= step;
        out
    }

    /// The same backwards: from `start` down.
    ///
    /// # Errors
    /// A result that is too large.
    pub fn slice_down(&mut self, value: &Value, axis: usize, start: usize, len: usize, step: usize) -> Built {
        let mut shape = value.shape.clone();
        shape[axis] = len;
        let mut from: Vec<isize> = value.strides.iter().map(|&s| s as isize).collect();
        let first = start * value.strides[axis];
        from[axis] *= -(step as isize);
        let op = Op::CopySigned(shape.clone(), first, from, strides(&shape));
        self.call(op, &[value], value.dtype, &shape)
    }

    /// Cuts a value along an axis.
    pub fn split(&self, value: &Value, axis: usize, parts: &[usize]) -> Vec<Value> {
        let starts = parts.iter().scan(0, |start, &part| {
            *start += part;
            Some(*start - part)
        });
        starts.zip(parts).map(|(start, &len)| self.slice(value, axis, start, len, 1)).collect()
    }

    /// Joins values along an axis; they agree on the others.
    ///
    /// # Errors
    /// Values that do not fit, or are too large together.
    pub fn concat(&mut self, parts: &[Value], axis: usize) -> Built {
        let first = &parts[0];
        let mut shape = first.shape.clone();
        for part in &parts[1..] {
            let fits = part.rank() == first.rank()
                && part.dtype == first.dtype
                && (0..first.rank()).all(|d| d == axis || part.shape[d] == first.shape[d]);
            if !fits {
                return Err(format!(
                    "{} {:?} and {} {:?} cannot be joined along axis {axis}",
                    first.dtype, first.shape, part.dtype, part.shape
                ));
            }
            shape[axis] += part.shape[axis];
        }
        if parts.len() == 1 {
            return Ok(first.clone());
        }
        if parts.iter().all(|part| self.is_constant(part)) && elements(&shape)? < MAX_JOINED {
            return Ok(self.joined(parts, axis, &shape));
        }
        let out = self.computed(first.dtype, &shape)?;
        let sizes: Vec<usize> = parts.iter().map(|part| part.shape[axis]).collect();
        for (part, place) in parts.iter().zip(self.split(&out, axis, &sizes)) {
            self.copy_into(part, &place)?;
        }
        Ok(out)
    }

    /// Small constants, above all shapes, joined now.
    fn joined(&mut self, parts: &[Value], axis: usize, shape: &[usize]) -> Value {
        let lines: Vec<usize> = parts.iter().map(|p| p.shape[axis..].iter().product()).collect();
        let outer: usize = shape[..axis].iter().product();
        let mut out = crate::elements::Slice::zeros(parts[0].dtype, shape.iter().product());
        let row: usize = lines.iter().sum();
        let mut start = 0;
        for (part, &line) in parts.iter().zip(&lines) {
            let values = self.as_constant(part).expect("all are constants");
            crate::elements::with_type!(part.dtype, T => {
                let (from, to) = (values.get::<T>(), out.get_mut::<T>());
                for index in 0..outer {
                    to[index * row + start..][..line].copy_from_slice(&from[index * line..][..line]);
                }
            });
            start += line;
        }
        self.constant(shape, out.into_elements())
    }

    /// Copies a value into a part of a tensor that was made by [`computed`](Self::computed).
    ///
    /// # Errors
    /// A program that is too large.
    ///
    /// # Panics
    /// If the part has another shape.
    pub fn copy_into(&mut self, value: &Value, place: &Value) -> Built<()> {
        assert_eq!(value.shape, place.shape, "a copy of another shape");
        if value.len() == 0 {
            return Ok(());
        }
        let (dims, [from, to]) = merged(&value.shape, [&value.strides, &place.strides]);
        let (input, output) = (self.view(value), self.view(place));
        self.push(Op::Copy(dims, from, to), vec![input], vec![output])
    }

    /// The same elements in a tensor of their own, which calls may write to.
    ///
    /// # Errors
    /// A value, or a program, that is too large.
    pub fn copied(&mut self, value: &Value) -> Built {
        let copy = self.computed(value.dtype, &value.shape)?;
        self.copy_into(value, &copy)?;
        Ok(copy)
    }

    /// A tensor of one number.
    ///
    /// # Errors
    /// One that is too large.
    pub fn filled(&mut self, value: &Value, shape: &[usize]) -> Built {
        let one = value.with(vec![1], vec![1]);
        self.call(Op::Fill, &[&one], value.dtype, shape)
    }

    /// The same, filled in the program: other calls will write to parts of it.
    ///
    /// # Errors
    /// One that is too large.
    pub fn filled_now(&mut self, value: &Value, shape: &[usize]) -> Built {
        let one = value.with(vec![1], vec![1]);
        Ok(self.in_program(Op::Fill, &[&one], &[(value.dtype, shape)])?.remove(0))
    }

    /// [`pad`](Self::pad) by choices among constants, so that the result is one.
    fn pad_constant(&mut self, value: &Value, before: &[usize], shape: &[usize], with: &Value) -> Built {
        let mut out = value.clone();
        for (axis, (&start, &len)) in before.iter().zip(shape).enumerate() {
            let inner = out.shape[axis];
            if inner == len {
                continue;
            }
            let mut ends = [out.shape.clone(), out.shape.clone()];
            (ends[0][axis], ends[1][axis]) = (start, len - start - inner);
            let [front, back] = ends;
            let (front, back) = (self.filled(with, &front)?, self.filled(with, &back)?);
            out = self.concat(&[front, out, back], axis)?;
        }
        Ok(out)
    }

    /// The value with `before` and `after` copies of the number `with` at each axis' ends.
    ///
    /// # Errors
    /// A result that is too large.
    pub fn pad(&mut self, value: &Value, before: &[usize], after: &[usize], with: &Value) -> Built {
        if before.iter().chain(after).all(|&n| n == 0) {
            return Ok(value.clone());
        }
        let sides = value.shape.iter().zip(before).zip(after);
        let shape: Vec<usize> = sides.map(|((d, b), a)| d.saturating_add(*b).saturating_add(*a)).collect();
        elements(&shape)?;
        if self.is_constant(value) && self.is_constant(with) {
            return self.pad_constant(value, before, &shape, with);
        }
        let out = self.filled_now(with, &shape)?;
        let mut inside = out.clone();
        for (axis, &before) in before.iter().enumerate() {
            inside = self.slice(&inside, axis, before, value.shape[axis], 1);
        }
        self.copy_into(value, &inside)?;
        Ok(out)
    }

    /// The elements along `axis` that an integer tensor names: its shape takes the place of the axis.
    ///
    /// # Errors
    /// Known indices out of range, or a result that is too large.
    pub fn gather(&mut self, value: &Value, indices: &Value, axis: usize) -> Built {
        let len = *value.shape.get(axis).ok_or("it chooses from an operand without dimensions")?;
        if let Some(known) = self.as_integers(indices) {
            let wrapped = |i: i64| usize::try_from(if i < 0 { i + len as i64 } else { i }).ok();
            let inside = |i: i64| wrapped(i).filter(|&i| i < len);
            let Some(places) = known.iter().map(|&i| inside(i)).collect::<Option<Vec<_>>>() else {
                return Err(format!("its indices {known:?} are not all inside an axis of length {len}"));
            };
            if indices.rank() == 0 {
                return Ok(self.index(value, axis, places[0]));
            }
            if indices.rank() == 1 && !places.is_empty() && places.windows(2).all(|w| w[1] == w[0] + 1) {
                return Ok(self.slice(value, axis, places[0], places.len(), 1));
            }
        }
        let shape = [&value.shape[..axis], &indices.shape, &value.shape[axis + 1..]].concat();
        let (x, indices) = (self.dense(value)?, self.dense(indices)?);
        let gather = Gather {
            outer: value.shape[..axis].iter().product(),
            len,
            inner: value.shape[axis + 1..].iter().product(),
            count: indices.len(),
        };
        self.call(Op::Gather(gather), &[&x, &indices], value.dtype, &shape)
    }

    /// All windows of lengths `sizes` along the last axes: axes of the windows' places, then axes inside a window. Nothing is copied.
    pub fn windows(&self, value: &Value, sizes: &[usize], steps: &[usize], dilations: &[usize]) -> Value {
        let first = value.rank() - sizes.len();
        let (mut shape, mut strides) = (value.shape[..first].to_vec(), value.strides[..first].to_vec());
        for (i, &size) in sizes.iter().enumerate() {
            let span = (size - 1) * dilations[i] + 1;
            shape.push((value.shape[first + i] - span) / steps[i] + 1);
            strides.push(value.strides[first + i] * steps[i]);
        }
        for (i, &size) in sizes.iter().enumerate() {
            shape.push(size);
            strides.push(value.strides[first + i] * dilations[i]);
        }
        value.with(shape, strides)
    }

    /// A view of consecutive elements of a dense value.
    pub(super) fn part(&self, value: &Value, start: usize, len: usize) -> View {
        View::new(value.tensor, value.offset + start, len)
    }
}
