//! Windows over images, and what moves pixels.

use tract_onnx::pb::AttributeProto;
use tract_onnx::pb::tensor_proto::DataType;
use tract_tflite::tflite::{ActivationFunctionType, Padding, Pool2DOptions, TensorType};

use super::Family;
use crate::tflite::attributes::{float, int, ints, text};
use crate::tflite::net::{Made, Name, Net};
use crate::tflite::op::Op;

pub(super) const OPERATORS: Family = &[
    ("AVERAGE_POOL_2D", average_pool),
    ("CONV_2D", conv),
    ("DEPTHWISE_CONV_2D", depthwise_conv),
    ("DEPTH_TO_SPACE", depth_to_space),
    ("L2_POOL_2D", l2_pool),
    ("LOCAL_RESPONSE_NORMALIZATION", local_response_normalization),
    ("MAX_POOL_2D", max_pool),
    ("RESIZE_BILINEAR", resize_bilinear),
    ("RESIZE_NEAREST_NEIGHBOR", resize_nearest),
    ("SPACE_TO_DEPTH", space_to_depth),
    ("TRANSPOSE_CONV", transpose_conv),
];

fn missing() -> String {
    "its options are missing".to_owned()
}

fn auto_pad(padding: Padding) -> Made<AttributeProto> {
    match padding {
        // What is left over is added behind.
        Padding::SAME => Ok(text("auto_pad", "SAME_UPPER")),
        Padding::VALID => Ok(text("auto_pad", "VALID")),
        other => Err(format!("padding number {}", other.0)),
    }
}

fn conv(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let o = op.options.builtin_options_as_conv_2_doptions().ok_or_else(missing)?;
    let depth = |net: &Net<'_>, id| net.shape(id).map(|shape| shape.last().copied().unwrap_or(0));
    let (channels, own) = (depth(net, op.input(0)?)?, depth(net, op.input(1)?)?);
    if own == 0 || !channels.is_multiple_of(own) {
        return Err(format!("{channels} channels and filters of {own}"));
    }
    let attributes = vec![
        auto_pad(o.padding())?,
        ints("strides", &[o.stride_h().into(), o.stride_w().into()]),
        ints("dilations", &[o.dilation_h_factor().into(), o.dilation_w_factor().into()]),
        int("group", (channels / own) as i64),
    ];
    convolution(net, op, &[0, 3, 1, 2], attributes, o.fused_activation_function())
}

fn depthwise_conv(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let o = op.options.builtin_options_as_depthwise_conv_2_doptions().ok_or_else(missing)?;
    let channels = net.shape(op.input(0)?)?.last().copied().unwrap_or(0);
    let attributes = vec![
        auto_pad(o.padding())?,
        ints("strides", &[o.stride_h().into(), o.stride_w().into()]),
        ints("dilations", &[o.dilation_h_factor().into(), o.dilation_w_factor().into()]),
        int("group", channels as i64),
    ];
    convolution(net, op, &[3, 0, 1, 2], attributes, o.fused_activation_function())
}

/// An image, filters whose axes go into the order `order`, and perhaps a bias.
fn convolution(
    net: &mut Net<'_>,
    op: &Op<'_>,
    order: &[i64; 4],
    attributes: Vec<AttributeProto>,
    activation: ActivationFunctionType,
) -> Made {
    let (image, filters) = (op.input(0)?, op.input(1)?);
    let mut operands = vec![net.image(image)?, net.filters(filters, order)?];
    if let Some(bias) = op.optional(2) {
        operands.push(net.bias(bias, image, filters)?);
    }
    let y = net.node("Conv", &operands, attributes);
    let y = net.activated(y, activation, op.output(0)?)?;
    net.store_image(op.output(0)?, y)
}

/// The shape of the result is an operand.
fn transpose_conv(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let o = op.options.builtin_options_as_transpose_conv_options().ok_or_else(missing)?;
    let (shape, strides) = (op.input(0)?, [o.stride_h().into(), o.stride_w().into()]);
    let is_known = net.is_constant(shape);
    let mut attributes = if is_known { borders(net, op, strides)? } else { vec![auto_pad(o.padding())?] };
    attributes.push(ints("strides", &strides));
    let filters = net.filters(op.input(1)?, &[3, 0, 1, 2])?;
    let mut operands = vec![net.image(op.input(2)?)?, filters];
    if let Some(bias) = op.optional(3) {
        operands.push(net.bias(bias, op.input(2)?, op.input(1)?)?);
    }
    let y = net.node("ConvTranspose", &operands, attributes);
    let y = net.activated(y, o.fused_activation_function(), op.output(0)?)?;
    net.store_image(op.output(0)?, y)?;
    if !is_known {
        // A shape that is computed is the one that follows from the padding; another one has other elements, and is refused.
        let (y, shape) = (net.stored(op.output(0)?)?, net.integers(shape)?);
        let y = net.node("Reshape", &[y, shape], Vec::new());
        net.bind(op.output(0)?, y);
    }
    Ok(())
}

/// What the windows of a transposed convolution reach over its result on both sides is cut off, the larger part behind.
fn borders(net: &Net<'_>, op: &Op<'_>, strides: [i64; 2]) -> Made<Vec<AttributeProto>> {
    let output = net.known(op.input(0)?, "output_shape")?;
    let (weights, image) = (net.shape(op.input(1)?)?, net.shape(op.input(2)?)?);
    let (&[_, out_h, out_w, _], &[_, k_h, k_w, _], &[_, in_h, in_w, _]) =
        (&output[..], &weights[..], &image[..])
    else {
        return Err(format!("an image {image:?}, filters {weights:?} and a result {output:?}"));
    };
    let (mut before, mut after, mut more) = ([0; 2], [0; 2], [0; 2]);
    for (axis, (out, len, taps)) in [(out_h, in_h, k_h), (out_w, in_w, k_w)].into_iter().enumerate() {
        let size = |n: usize| i64::try_from(n).map_err(|_| format!("a dimension of {n}"));
        let reach = (size(len)? - 1).checked_mul(strides[axis]).and_then(|n| n.checked_add(size(taps).ok()?));
        let over = reach.and_then(|n| n.checked_sub(out)).ok_or("a stride that no image has")?;
        (before[axis], after[axis]) = (over.max(0) / 2, over.max(0) - over.max(0) / 2);
        more[axis] = (-over).max(0);
    }
    Ok(vec![ints("pads", &[before, after].concat()), ints("output_padding", &more)])
}

fn window(o: &Pool2DOptions<'_>) -> Made<Vec<AttributeProto>> {
    Ok(vec![
        auto_pad(o.padding())?,
        ints("strides", &[o.stride_h().into(), o.stride_w().into()]),
        ints("kernel_shape", &[o.filter_height().into(), o.filter_width().into()]),
    ])
}

fn max_pool(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let o = op.options.builtin_options_as_pool_2_doptions().ok_or_else(missing)?;
    on_image(net, op, "MaxPool", window(&o)?, o.fused_activation_function())
}

fn l2_pool(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let o = op.options.builtin_options_as_pool_2_doptions().ok_or_else(missing)?;
    let (image, out) = (net.image(op.input(0)?)?, op.output(0)?);
    let squares = net.node("Mul", &[image.clone(), image], Vec::new());
    let mean = net.node("AveragePool", &[squares], window(&o)?);
    let y = net.node("Sqrt", &[mean], Vec::new());
    let y = net.activated(y, o.fused_activation_function(), out)?;
    net.store_image(out, y)
}

/// An operator of ONNX on an image alone.
fn on_image(
    net: &mut Net<'_>,
    op: &Op<'_>,
    onnx: &str,
    attributes: Vec<AttributeProto>,
    activation: ActivationFunctionType,
) -> Made {
    let x = net.image(op.input(0)?)?;
    let y = net.node(onnx, &[x], attributes);
    let y = net.activated(y, activation, op.output(0)?)?;
    net.store_image(op.output(0)?, y)
}

/// Means of integers that stay integers of the same scale are rounded away from zero at a half, and not to even: halves are frequent in
/// pools of four.
fn average_pool(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let o = op.options.builtin_options_as_pool_2_doptions().ok_or_else(missing)?;
    let (x, out) = (op.input(0)?, op.output(0)?);
    let quantisation = net.quantisation(x)?;
    if quantisation.is_none() || quantisation != net.quantisation(out)? {
        return on_image(net, op, "AveragePool", window(&o)?, o.fused_activation_function());
    }
    let to = if net.kind(out) == TensorType::INT8 { DataType::Int8 } else { DataType::Uint8 };
    let first = net.stored_image(x)?;
    let numbers = net.cast(first, DataType::Float);
    let mean = net.node("AveragePool", &[numbers], window(&o)?);
    let (half, sign) = (net.number(0.5), net.node("Sign", std::slice::from_ref(&mean), Vec::new()));
    let size = net.node("Abs", &[mean], Vec::new());
    let more = net.node("Add", &[size, half], Vec::new());
    let whole = net.node("Floor", &[more], Vec::new());
    let rounded = net.node("Mul", &[whole, sign], Vec::new());
    let integers = net.cast(rounded, to);
    if o.fused_activation_function() == ActivationFunctionType::NONE {
        net.bind_image(out, integers);
        return Ok(());
    }
    let of = quantisation.expect("it is quantised");
    let floats = net.dequantised(integers, out, &of, 0)?;
    let bounded = net.activated(floats, o.fused_activation_function(), out)?;
    net.store_image(out, bounded)
}

fn depth_to_space(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let o = op.options.builtin_options_as_depth_to_space_options().ok_or_else(missing)?;
    on_image(
        net,
        op,
        "DepthToSpace",
        vec![int("blocksize", o.block_size().into())],
        ActivationFunctionType::NONE,
    )
}

fn space_to_depth(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let o = op.options.builtin_options_as_space_to_depth_options().ok_or_else(missing)?;
    on_image(
        net,
        op,
        "SpaceToDepth",
        vec![int("blocksize", o.block_size().into())],
        ActivationFunctionType::NONE,
    )
}

/// ONNX divides its alpha by the number of channels in a window, of which there are as many on either side.
fn local_response_normalization(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let o = op.options.builtin_options_as_local_response_normalization_options().ok_or_else(missing)?;
    let size = i64::from(o.radius()) * 2 + 1;
    let attributes = vec![
        int("size", size),
        float("alpha", o.alpha() * size as f32),
        float("beta", o.beta()),
        float("bias", o.bias()),
    ];
    on_image(net, op, "LRN", attributes, ActivationFunctionType::NONE)
}

fn resize_bilinear(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let o = op.options.builtin_options_as_resize_bilinear_options().ok_or_else(missing)?;
    resize(net, op, "linear", o.align_corners(), o.half_pixel_centers())
}

fn resize_nearest(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let o = op.options.builtin_options_as_resize_nearest_neighbor_options().ok_or_else(missing)?;
    resize(net, op, "nearest", o.align_corners(), o.half_pixel_centers())
}

fn resize(net: &mut Net<'_>, op: &Op<'_>, mode: &str, corners: bool, centers: bool) -> Made {
    let (coordinates, nearest) = match (corners, centers) {
        (true, _) => ("align_corners", "round_prefer_ceil"),
        // The pixel whose square holds the centre.
        (_, true) => ("half_pixel", "round_prefer_ceil"),
        _ => ("asymmetric", "floor"),
    };
    let attributes = vec![
        text("mode", mode),
        text("coordinate_transformation_mode", coordinates),
        text("nearest_mode", nearest),
        ints("axes", &[2, 3]),
    ];
    let (x, sizes) = (net.image(op.input(0)?)?, net.integers(op.input(1)?)?);
    let y = net.node("Resize", &[x, Name::new(), Name::new(), sizes], attributes);
    net.store_image(op.output(0)?, y)
}
