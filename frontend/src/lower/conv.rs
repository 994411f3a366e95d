//! Two-dimensional convolutions, and one-dimensional ones as images of one row.

use opml_kernels::{Conv2d, Image, spatial::Window};
use tract_onnx::prelude::TypedNode;
use tract_onnx::tract_hir::tract_core::ops::cnn::{Conv, KernelFormat, PoolSpec};
use tract_onnx::tract_hir::tract_core::ops::nn::DataFormat;

use super::{Lowerer, Refusal, Value};
use crate::graph::{Op, View};

pub(super) fn lower(
    lowerer: &mut Lowerer,
    node: &TypedNode,
    inputs: &[Value],
) -> Option<Result<Value, Refusal>> {
    let op = node.op_as::<Conv>()?;
    Some(match inputs {
        [x, w, bias] if op.q_params.is_none() => conv(lowerer, node, op, x, w, bias),
        _ => Err("a quantised convolution".into()),
    })
}

fn conv(
    lowerer: &mut Lowerer,
    node: &TypedNode,
    op: &Conv,
    x: &Value,
    w: &Value,
    bias: &Value,
) -> Result<Value, Refusal> {
    let geometry = Geometry::new(&op.pool_spec, &x.shape)?;
    let w = kernel_planes(lowerer, node, op, w);
    let channels = op.output_channels();
    let bias = match lowerer.as_uniform(bias) {
        // No bias: tract writes a zero. A sum with +0 differs from one without only where all
        // products are -0, and there ONNX has no bias to ask for the sign.
        Some(0.0) => None,
        Some(value) => Some(lowerer.constant(vec![channels], vec![value; channels])),
        None => Some(bias.clone()),
    };
    let shape = Conv2d {
        input: geometry.input,
        output: geometry.output,
        vertical: geometry.vertical,
        horizontal: geometry.horizontal,
        groups: op.group,
    };
    lowerer.room_for(geometry.batch)?;
    let out = lowerer.computed(geometry.out_shape.clone());
    for item in 0..geometry.batch {
        let mut inputs = vec![geometry.item(x, item), lowerer.view(&w)];
        inputs.extend(bias.as_ref().map(|b| lowerer.view(b)));
        lowerer.push(&node.name, Op::Conv2d(shape), inputs, geometry.item(&out, item));
    }
    Ok(out)
}

/// The weights in ONNX's order: output channel, input channel, rows, columns.
fn kernel_planes(lowerer: &mut Lowerer, node: &TypedNode, op: &Conv, w: &Value) -> Value {
    let spatial = op.pool_spec.kernel_shape.len();
    let order: Vec<usize> = match op.kernel_fmt {
        KernelFormat::OIHW => return w.clone(),
        KernelFormat::HWIO => [spatial + 1, spatial].into_iter().chain(0..spatial).collect(),
        KernelFormat::OHWI => [0, spatial + 1].into_iter().chain(1..=spatial).collect(),
    };
    lowerer.permuted(&node.name, w, &order)
}

/// How a window moves over the images of a batch.
pub(super) struct Geometry {
    pub input: Image,
    pub output: Image,
    pub vertical: Window,
    pub horizontal: Window,
    pub batch: usize,
    pub out_shape: Vec<usize>,
}

impl Geometry {
    pub fn new(spec: &PoolSpec, shape: &[usize]) -> Result<Self, Refusal> {
        let spatial = spec.kernel_shape.len();
        if !matches!(spatial, 1 | 2) {
            return Err(format!("it has {spatial} spatial dimensions; 1 and 2 are supported"));
        }
        let per_axis =
            [&spec.strides, &spec.dilations].into_iter().flatten().all(|values| values.len() == spatial);
        let rank = spatial + 1 + usize::from(matches!(spec.data_format, DataFormat::NHWC | DataFormat::NCHW));
        if !per_axis || shape.len() != rank {
            return Err(format!(
                "its attributes are not for the {spatial} spatial dimensions of its operands"
            ));
        }
        let out_shape = spec.output_shape(shape).map_err(|e| e.to_string())?.shape.to_vec();
        let last = matches!(spec.data_format, DataFormat::NHWC | DataFormat::HWC);
        let batched = matches!(spec.data_format, DataFormat::NHWC | DataFormat::NCHW);
        let planes = |shape: &[usize]| {
            let shape = if batched { &shape[1..] } else { shape };
            let (channels, hw) =
                if last { (shape[spatial], &shape[..spatial]) } else { (shape[0], &shape[1..]) };
            let (height, width) = if spatial == 2 { (hw[0], hw[1]) } else { (1, hw[0]) };
            if last {
                Image::channels_last(channels, height, width)
            } else {
                Image::planes(channels, height, width)
            }
        };
        let (input, output) = (planes(shape), planes(&out_shape));
        let hw = if spatial == 2 { vec![input.height, input.width] } else { vec![input.width] };
        let padding = spec.computed_padding(&hw);
        let fits = |axis: usize| {
            let window = (spec.kernel_shape[axis] - 1) * spec.dilation(axis) + 1;
            hw[axis] + padding[axis].pad_before + padding[axis].pad_after >= window
        };
        if padding.len() != spatial || !(0..spatial).all(fits) {
            return Err(format!(
                "its window {:?} is larger than the image {hw:?} with its border",
                spec.kernel_shape
            ));
        }
        let window = |axis: usize| Window {
            size: spec.kernel_shape[axis],
            stride: spec.stride(axis),
            dilation: spec.dilation(axis),
            pad_before: padding[axis].pad_before,
            pad_after: padding[axis].pad_after,
        };
        let vertical = if spatial == 2 { window(0) } else { Window::new(1, 1) };
        let batch = if batched { shape[0] } else { 1 };
        Ok(Self { input, output, vertical, horizontal: window(spatial - 1), batch, out_shape })
    }

    /// Image `item` of a batch.
    pub fn item(&self, value: &Value, item: usize) -> View {
        let len = value.len() / self.batch;
        View { tensor: value.tensor, offset: item * len, len }
    }
}
