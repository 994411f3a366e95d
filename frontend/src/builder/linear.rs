//! Products of matrices and convolutions.

use opml_abi::DataType;
use opml_kernels::{BinaryOp, Byte, Conv2d, Image, MatMul, Pool2d, spatial::Window};

use super::value::{broadcast_shape, merged};
use super::{Builder, Built, Value};
use crate::graph::{Node, Op, Results, Source, View};

/// A window over images and where it is applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window2d {
    /// Along the height.
    pub vertical: Window,
    /// Along the width.
    pub horizontal: Window,
    /// Rows and columns of the result.
    pub output: [usize; 2],
}

impl Builder {
    /// The product of matrices in the last two dimensions; the others broadcast. Each element is the exact sum, rounded once.
    ///
    /// # Errors
    /// Operands that do not fit.
    pub fn matmul(&mut self, a: &Value, b: &Value) -> Built {
        let ([m, k], [rows, n]) = (last_two(a)?, last_two(b)?);
        if k != rows || a.dtype != DataType::Float32 || b.dtype != DataType::Float32 {
            return Err(format!("a product of {} {:?} and {} {:?}", a.dtype, a.shape, b.dtype, b.shape));
        }
        let batch = broadcast_shape(&[&a.shape[..a.rank() - 2], &b.shape[..b.rank() - 2]])?;
        let shape = [&batch[..], &[m, n]].concat();
        // The same matrix on the right for all: one product of more rows.
        if b.rank() == 2 && a.rank() > 2 && m > 0 {
            let rows = a.len() / k.max(1);
            let flat = self.reshape(a, &[rows, k])?;
            let out = self.matmul(&flat, b)?;
            return self.reshape(&out, &shape);
        }
        let b = self.right_side(b)?;
        let (a, b) =
            (a.broadcast(&[&batch[..], &[m, k]].concat())?, b.broadcast(&[&batch[..], &[k, n]].concat())?);
        let out = self.computed(DataType::Float32, &shape)?;
        let rank = batch.len();
        let product = MatMul {
            m,
            k,
            n,
            a_row: a.strides[rank],
            a_column: a.strides[rank + 1],
            b_row: b.strides[rank],
            b_column: b.strides[rank + 1],
            bias_row: 0,
            bias_column: 1,
        };
        let one = |value: &Value| value.with(value.shape[rank..].to_vec(), value.strides[rank..].to_vec());
        let firsts = [&one(&a), &one(&b), &one(&out)].map(|value| self.view(value));
        let over = |value: &Value| value.strides[..rank].to_vec();
        let (dims, steps) = merged(&batch, [&over(&a), &over(&b), &over(&out)]);
        self.repeated(Op::MatMul(product), &dims, &steps, firsts)?;
        Ok(out)
    }

    /// Weights on the right of a product lie with the elements of a sum one behind the other: they are moved now, and not in the guest.
    fn right_side(&mut self, b: &Value) -> Built {
        if !self.is_constant(b) {
            return Ok(b.clone());
        }
        let swap = |value: &Value, this: &Self| this.move_axis(value, value.rank() - 1, value.rank() - 2);
        let moved = swap(b, self);
        let dense = self.dense(&moved)?;
        Ok(swap(&dense, self))
    }

    /// A call of two operands for each position in `dims`, in a loop where the places follow each other evenly.
    fn repeated(&mut self, op: Op, dims: &[usize], steps: &[Vec<usize>; 3], firsts: [View; 3]) -> Built<()> {
        if dims.contains(&0) {
            return Ok(());
        }
        let (last, outer) = dims.split_last().expect("there is a dimension");
        for position in 0..outer.iter().product::<usize>() {
            let mut rest = position;
            let mut views = firsts;
            for (axis, d) in outer.iter().enumerate().rev() {
                views.iter_mut().zip(steps).for_each(|(view, steps)| view.offset += rest % d * steps[axis]);
                rest /= d;
            }
            if *last > 1 {
                let step = |i: usize| steps[i][outer.len()] as isize;
                (0..3).for_each(|i| views[i].step = step(i));
            }
            let [a, b, out] = views;
            self.push(op.clone(), vec![a, b], vec![out])?;
            if *last > 1 {
                self.repeat_last(*last);
            }
        }
        Ok(())
    }

    /// Makes a loop of the last call.
    fn repeat_last(&mut self, count: usize) {
        let call = self.nodes.pop().expect("a call was made");
        self.push_loop(count, vec![call]);
    }

    /// Adds `bias` inside the product of matrices or the convolution that made all of `sum`, so that both are rounded once together.
    /// The caller knows that nothing else reads the bare sum. Nothing if the kernel has no such bias.
    pub fn fuse_bias(&mut self, sum: &Value, bias: &Value) -> Option<Value> {
        if !self.is_constant(bias) || !self.is_whole_result(sum) || sum.dtype != bias.dtype {
            return None;
        }
        let is_maker = |node: &Node| node.written().iter().any(|view| view.tensor == sum.tensor);
        let index = self.nodes.iter().rposition(is_maker)?;
        let maker = &self.nodes[index];
        let Op::MatMul(shape) = maker.op else { return None };
        // All of it was made by this call.
        if maker.inputs.len() != 2 || sum.len() != shape.m * shape.n {
            return None;
        }
        let rest: Vec<usize> = bias.shape.iter().skip_while(|&&d| d == 1).copied().collect();
        if !sum.shape.ends_with(&rest) {
            return None;
        }
        let (bias_row, bias_column) = match bias.len() {
            1 => (0, 0),
            len if len == shape.n => (0, 1),
            len if len == shape.m * shape.n => (shape.n, 1),
            _ => return None,
        };
        let bias = self.dense(bias).ok()?;
        let view = self.view(&bias);
        let node = &mut self.nodes[index];
        node.inputs.push(view);
        node.op = Op::MatMul(MatMul { bias_row, bias_column, ..shape });
        Some(sum.clone())
    }

    /// The convolution of images [N, C, H, W] with weights [O, C / groups, rows, columns], and perhaps a bias [O].
    ///
    /// # Errors
    /// Operands that do not fit.
    pub fn conv2d(
        &mut self,
        x: &Value,
        w: &Value,
        bias: Option<&Value>,
        window: &Window2d,
        groups: usize,
    ) -> Built {
        let (&[batch, channels, _, _], &[filters, depth, ..]) = (&x.shape[..], &w.shape[..]) else {
            return Err(format!("operands of the shapes {:?} and {:?}", x.shape, w.shape));
        };
        let fits = groups > 0
            && depth.checked_mul(groups) == Some(channels)
            && filters.is_multiple_of(groups)
            && bias.is_none_or(|bias| bias.shape == [filters]);
        if !fits {
            return Err(format!("{channels} channels, weights {:?} and {groups} groups do not fit", w.shape));
        }
        if [Some(x), Some(w), bias].into_iter().flatten().any(|value| value.dtype != DataType::Float32) {
            return Err("its operands are not all float32".into());
        }
        let [rows, columns] = window.output;
        let x = self.dense(x)?;
        let out = self.computed(DataType::Float32, &[batch, filters, rows, columns])?;
        self.conv2d_into(&x, w, bias, window, groups, &out)?;
        Ok(out)
    }

    /// The same, written to a part of a tensor that was made by [`computed`](Self::computed). The image may lie in any way.
    ///
    /// # Errors
    /// A program that is too large.
    pub fn conv2d_into(
        &mut self,
        x: &Value,
        w: &Value,
        bias: Option<&Value>,
        window: &Window2d,
        groups: usize,
        out: &Value,
    ) -> Built<()> {
        let w = self.dense(w)?;
        let bias = bias.map(|bias| self.dense(bias)).transpose()?;
        let conv = Conv2d {
            input: image(x),
            output: image(out),
            vertical: window.vertical,
            horizontal: window.horizontal,
            groups,
        };
        let mut inputs = vec![View::new(x.tensor, x.offset, conv.input.extent()), self.view(&w)];
        inputs.extend(bias.as_ref().map(|bias| self.view(bias)));
        self.for_each_image(Op::Conv2d(conv), inputs, x.strides[0], out)
    }

    /// The sums of the convolution of an image [N, C, H, W] of bytes with weights [O, C / groups, rows, columns], both less their zero points,
    /// which are the last two operands: vectors of one, or for the weights of O. The image may lie in any way.
    ///
    /// # Errors
    /// A result that is too large.
    pub fn integer_conv2d(
        &mut self,
        [x, w, x_zero, w_zero]: [&Value; 4],
        bytes: [Byte; 2],
        window: &Window2d,
        groups: usize,
    ) -> Built {
        let w = self.dense(w)?;
        let [rows, columns] = window.output;
        let shape = [x.shape[0], w.shape[0], rows, columns];
        let conv = Conv2d {
            input: image(x),
            output: Image::planes(w.shape[0], rows, columns),
            vertical: window.vertical,
            horizontal: window.horizontal,
            groups,
        };
        let op = Op::IntegerConv2d(conv, bytes, Results::Sums);
        let zeros = [self.dense(x_zero)?, self.dense(w_zero)?];
        if x.shape[0] == 1 {
            return self.call(op, &[x, &w, &zeros[0], &zeros[1]], DataType::Int32, &shape);
        }
        let out = self.computed(DataType::Int32, &shape)?;
        let first = View::new(x.tensor, x.offset, conv.input.extent());
        let inputs = vec![first, self.view(&w), self.view(&zeros[0]), self.view(&zeros[1])];
        self.for_each_image(op, inputs, x.strides[0], &out)?;
        Ok(out)
    }

    /// The largest, or of floats the mean, of the elements under a window that moves over images [N, C, H, W].
    ///
    /// # Errors
    /// A result that is too large.
    pub fn pool2d(&mut self, x: &Value, window: &Window2d, average: Option<bool>) -> Built {
        let [batch, channels, height, width] = x.shape[..] else {
            return Err(format!("an operand of the shape {:?}", x.shape));
        };
        let [rows, columns] = window.output;
        let x = self.dense(x)?;
        let out = self.computed(x.dtype, &[batch, channels, rows, columns])?;
        let pool = Pool2d {
            input: Image::planes(channels, height, width),
            output: Image::planes(channels, rows, columns),
            vertical: window.vertical,
            horizontal: window.horizontal,
            count_include_pad: average == Some(true),
        };
        let op = if average.is_some() { Op::AveragePool2d(pool) } else { Op::MaxPool2d(pool) };
        let inputs = vec![self.part(&x, 0, x.len() / batch.max(1))];
        let distance = inputs[0].len;
        self.for_each_image(op, inputs, distance, &out)?;
        Ok(out)
    }

    /// A call for each image of a batch; they are `distance` apart, and the first one is the first of `inputs`.
    fn for_each_image(&mut self, op: Op, mut inputs: Vec<View>, distance: usize, out: &Value) -> Built<()> {
        if out.len() == 0 {
            return Ok(());
        }
        let batch = out.shape[0];
        let mut output = View::new(out.tensor, out.offset, image(out).extent());
        if batch > 1 {
            inputs[0].step = distance as isize;
            output.step = out.strides[0] as isize;
        }
        self.push(op, inputs, vec![output])?;
        if batch > 1 {
            self.repeat_last(batch);
        }
        Ok(())
    }

    /// `x` times a number and plus another for each channel, the second dimension: in the weights of the convolution that made
    /// `x`, if that is `fusible` because nothing else reads it.
    ///
    /// # Errors
    /// Operands that do not fit.
    pub fn affine(&mut self, x: &Value, scale: &Value, shift: &Value, fusible: bool) -> Built {
        if fusible && let Some(fused) = self.fuse_affine(x, scale, shift)? {
            return Ok(fused);
        }
        let rank = x.rank();
        let channels = |value: &Value| {
            let mut shape = vec![1; rank];
            shape[1] = value.len();
            let mut strides = vec![0; rank];
            strides[1] = value.strides[0];
            value.with(shape, strides)
        };
        let scaled = self.binary(BinaryOp::Mul, x, &channels(scale))?;
        self.binary(BinaryOp::Add, &scaled, &channels(shift))
    }

    /// Nothing if `x` was not made by convolutions with known weights, each of all channels.
    fn fuse_affine(&mut self, x: &Value, scale: &Value, shift: &Value) -> Built<Option<Value>> {
        let made = |node: &Node| node.written().iter().any(|view| view.tensor == x.tensor);
        let makers: Vec<usize> = (0..self.nodes.len()).filter(|&index| made(&self.nodes[index])).collect();
        let known = self.is_constant(scale) && self.is_constant(shift) && x.is_dense();
        if !known || makers.is_empty() {
            return Ok(None);
        }
        let mut parameters = Vec::new();
        for &index in &makers {
            let call = match &self.nodes[index].op {
                Op::Repeat { body, .. } => body.last().cloned(),
                _ => Some(self.nodes[index].clone()),
            };
            let Some(call) = call.filter(|call| matches!(call.op, Op::Conv2d(_))) else { return Ok(None) };
            let Some(views) = self.affine_weights(&call, scale, shift)? else { return Ok(None) };
            parameters.push(views);
        }
        for (index, views) in makers.into_iter().zip(parameters) {
            let target = match &mut self.nodes[index].op {
                Op::Repeat { body, .. } => body.last_mut().expect("the convolution"),
                _ => &mut self.nodes[index],
            };
            target.inputs.truncate(1);
            target.inputs.extend(views);
        }
        Ok(Some(x.clone()))
    }

    /// Weights and bias of a convolution whose result is multiplied by `scale` and added to `shift`, if those that it has are known.
    fn affine_weights(&mut self, call: &Node, scale: &Value, shift: &Value) -> Built<Option<[View; 2]>> {
        let known = |view: &View| matches!(self.tensors[view.tensor.0].source, Source::Constant(_));
        let whole = call.inputs[1].len == self.tensors[call.inputs[1].tensor.0].len;
        if !call.inputs[1..].iter().all(known) || !whole {
            return Ok(None);
        }
        let filters = scale.len();
        let taps = call.inputs[1].len / filters;
        let weights = Value::dense(call.inputs[1].tensor, DataType::Float32, &[filters, taps]);
        let w =
            self.binary(BinaryOp::Mul, &weights, &scale.with(vec![filters, 1], vec![scale.strides[0], 0]))?;
        let bias = match call.inputs.get(2) {
            Some(bias) => {
                let bias = Value::dense(bias.tensor, DataType::Float32, &[filters]);
                let scaled = self.binary(BinaryOp::Mul, &bias, scale)?;
                self.binary(BinaryOp::Add, &scaled, shift)?
            }
            None => shift.clone(),
        };
        let (w, bias) = (self.dense(&w)?, self.dense(&bias)?);
        // What was too much to compute now has no place before the convolution; nobody reads it, so it goes again.
        let computed = self.is_constant(&w) && self.is_constant(&bias);
        Ok(computed.then(|| [self.view(&w), self.view(&bias)]))
    }
}

/// How an image of a batch [N, C, H, W] lies.
fn image(value: &Value) -> Image {
    let (shape, strides) = (&value.shape, &value.strides);
    Image {
        channels: shape[1],
        height: shape[2],
        width: shape[3],
        channel_stride: strides[1],
        row_stride: strides[2],
        column_stride: strides[3],
    }
}

fn last_two(value: &Value) -> Built<[usize; 2]> {
    match value.shape[..] {
        [.., rows, columns] => Ok([rows, columns]),
        _ => Err(format!("a product with an operand of the shape {:?}", value.shape)),
    }
}
