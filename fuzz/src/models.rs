//! ONNX models that differ from another one in what the importer looks at: operators, attributes, operands, dimensions, numbers.

use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value as Dim};
use tract_onnx::pb::type_proto::Value as Type;
use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};

use crate::random::{DIMENSIONS, FLOATS, INTEGERS, Random};

/// Element types that kernels compute with, and one that none does.
const TYPES: &[DataType] = &[
    DataType::Float,
    DataType::Int64,
    DataType::Int32,
    DataType::Int8,
    DataType::Uint8,
    DataType::Bool,
    DataType::Double,
];

/// Attributes that some operator reads. All fields of one are set, so that it does not matter what kind it is.
const ATTRIBUTES: &str = "activation_alpha activation_beta activations aggregate_function align_corners allowzero alpha \
    antialias approximate auto_pad axes axis base_values batch_axis batch_dims beta bias block_size blocksize broadcast \
    ceil_mode classlabels_int64s classlabels_ints clip coefficients coordinate_transformation_mode count_include_pad \
    cubic_coeff_a detect_negative detect_positive dilations direction dtype end epsilon equation exclude_outside exclusive \
    extrapolation_value fmod gamma group hidden_size input_forget intercepts interleaved is_causal k \
    keep_aspect_ratio_policy keepdims kernel_shape kv_num_heads lambd largest layout left_window_size linear_before_reset \
    max min mode n_targets nearest_mode nodes_falsenodeids nodes_featureids nodes_modes nodes_splits nodes_truenodeids \
    nodes_values noop_with_empty_axes norm num_groups num_heads num_outputs num_scan_inputs offset output_dtype \
    output_padding output_shape p paddings pads perm post_transform q_num_heads qk_matmul_output_mode reduction reverse \
    right_window_size rotary_embedding_dim saturate scale scales scan_input_axes scan_input_directions scan_output_axes \
    scan_output_directions select_last_index shape size softcap sorted split start starts ends steepness storage_order \
    stride strides target_ids targets threshold time_axis to training_mode transA transB tree_roots upper value value_float \
    value_floats value_int value_ints";

/// Texts that some operator tells from others.
const TEXTS: &str = "NOTSET SAME_UPPER SAME_LOWER VALID nearest linear cubic constant reflect edge wrap half_pixel \
    half_pixel_symmetric align_corners asymmetric pytorch_half_pixel tf_crop_and_resize floor ceil round_prefer_floor \
    round_prefer_ceil stretch not_larger not_smaller DCR CRD LEFT RIGHT forward reverse bidirectional none add mul min max \
    MAX L1 L2 NONE LOGISTIC SOFTMAX SUM AVERAGE MIN tanh Relu Tanh Sigmoid HardSigmoid Affine Elu mean sum BRANCH_LEQ LEAF \
    ij,jk->ik ...ij->...ji ii->i ii bi,oij,bj->bo i-> ->";

/// A mutator for libFuzzer: changes the model in `data[..size]` and gives its new size. What is no model is changed byte by byte, and
/// so is a model now and then.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Random(seed.into());
    let model = ModelProto::decode(&data[..size]).ok().filter(|model| model.graph.is_some());
    if let Some(mut model) = model
        && random.below(10) > 0
    {
        for _ in 0..=random.below(4) {
            change(&mut model, &mut random);
        }
        let bytes = model.encode_to_vec();
        if bytes.len() <= max_size {
            data[..bytes.len()].copy_from_slice(&bytes);
            return bytes.len();
        }
    }
    libfuzzer_sys::fuzzer_mutate(data, size, max_size)
}

fn change(model: &mut ModelProto, random: &mut Random) {
    if random.below(40) == 0 {
        model.opset_import.iter_mut().for_each(|set| set.version = random.below(26) as i64);
        return;
    }
    let graph = inner(model.graph.as_mut().expect("there is a graph"), random);
    let names = names(graph);
    match random.below(14) {
        0 | 1 => with_one(&mut graph.input, random, dimensions),
        2 | 3 => with_one(&mut graph.initializer, random, constant),
        4 => with_one(&mut graph.node, random, |node, random| {
            let all: Vec<_> = opml_frontend::onnx::ops::supported().collect();
            let (domain, name) = random.one_of(&all);
            (node.domain, node.op_type) = (domain.into(), name.into());
        }),
        5 | 6 => with_one(&mut graph.node, random, |node, random| operand(node, &names, random)),
        7 => one_more(graph, &names, random),
        8 | 9 => known(graph, random),
        10 => {
            let output = names[random.below(names.len())].clone();
            with_one(&mut graph.output, random, |port, _| port.name = output);
        }
        _ => with_one(&mut graph.node, random, attribute),
    }
}

fn with_one<T>(of: &mut [T], random: &mut Random, change: impl FnOnce(&mut T, &mut Random)) {
    let index = random.below(of.len());
    if let Some(one) = of.get_mut(index) {
        change(one, random);
    }
}

/// The graph, or one inside it.
fn inner<'a>(graph: &'a mut GraphProto, random: &mut Random) -> &'a mut GraphProto {
    let has_graph =
        |graph: &GraphProto| graph.node.iter().any(|node| node.attribute.iter().any(|a| a.g.is_some()));
    if !has_graph(graph) || random.below(2) == 0 {
        return graph;
    }
    let mut graphs: Vec<_> =
        graph.node.iter_mut().flat_map(|node| &mut node.attribute).filter_map(|a| a.g.as_mut()).collect();
    let index = random.below(graphs.len());
    inner(graphs.swap_remove(index), random)
}

/// What nodes may read, and no operand at all.
fn names(graph: &GraphProto) -> Vec<String> {
    let inputs = graph.input.iter().map(|input| &input.name);
    let constants = graph.initializer.iter().map(|tensor| &tensor.name);
    let results = graph.node.iter().flat_map(|node| &node.output);
    inputs.chain(constants).chain(results).cloned().chain([String::new()]).collect()
}

/// Another type or other dimensions of an input.
fn dimensions(input: &mut ValueInfoProto, random: &mut Random) {
    let Some(Type::TensorType(tensor)) = input.r#type.as_mut().and_then(|t| t.value.as_mut()) else { return };
    if random.below(4) == 0 {
        tensor.elem_type = random.one_of(TYPES) as i32;
        return;
    }
    let dims = &mut tensor.shape.get_or_insert_default().dim;
    match random.below(6) {
        0 => drop(dims.pop()),
        1 => dims.insert(random.below(dims.len() + 1), Default::default()),
        _ => {}
    }
    with_one(dims, random, |dim, random| dim.value = Some(Dim::DimValue(random.one_of(DIMENSIONS))));
}

/// A constant in the place of an input: what operators have to know when the model is compiled.
fn known(graph: &mut GraphProto, random: &mut Random) {
    let index = random.below(graph.input.len());
    let Some(input) = graph.input.get(index) else { return };
    let Some(Type::TensorType(kind)) = input.r#type.as_ref().and_then(|t| t.value.as_ref()) else { return };
    let dim = |dim: &Dimension| if let Some(Dim::DimValue(value)) = dim.value { value } else { 1 };
    let dims = kind.shape.iter().flat_map(|shape| &shape.dim).map(dim).collect();
    let mut tensor =
        TensorProto { name: input.name.clone(), data_type: kind.elem_type, dims, ..Default::default() };
    constant(&mut tensor, random);
    graph.initializer.push(tensor);
    graph.input.remove(index);
}

/// Other elements of a constant, or a new one of as many elements as its dimensions say.
fn constant(tensor: &mut TensorProto, random: &mut Random) {
    if random.below(2) == 0 && !tensor.raw_data.is_empty() {
        let (start, bytes) =
            (random.below(tensor.raw_data.len()) & !7, random.one_of(INTEGERS).to_le_bytes());
        tensor.raw_data.iter_mut().skip(start).zip(bytes).for_each(|(to, byte)| *to = byte);
        return;
    }
    if random.below(2) == 0 {
        tensor.data_type = random.one_of(TYPES) as i32;
    }
    match random.below(4) {
        0 => drop(tensor.dims.pop()),
        1 => tensor.dims.insert(random.below(tensor.dims.len() + 1), 1),
        2 => with_one(&mut tensor.dims, random, |dim, random| *dim = random.one_of(DIMENSIONS)),
        _ => {}
    }
    let len =
        tensor.dims.iter().try_fold(1i64, |n, &d| n.checked_mul(d)).filter(|&n| (0..1 << 10).contains(&n));
    let Some(len) = len else { return };
    let mut raw = Vec::new();
    for _ in 0..len {
        let small = random.below(5) as i64 - 1;
        match DataType::try_from(tensor.data_type) {
            Ok(DataType::Float) => raw.extend((small as f32 / 2.0).to_le_bytes()),
            Ok(DataType::Int64) => raw.extend(small.to_le_bytes()),
            Ok(DataType::Int32) => raw.extend((small as i32).to_le_bytes()),
            Ok(DataType::Bool) => raw.push(u8::from(small > 1)),
            _ => raw.push(small as u8),
        }
    }
    *tensor = TensorProto {
        name: std::mem::take(&mut tensor.name),
        data_type: tensor.data_type,
        dims: std::mem::take(&mut tensor.dims),
        raw_data: raw,
        ..TensorProto::default()
    };
}

/// Another operand, one more, or one less.
fn operand(node: &mut NodeProto, names: &[String], random: &mut Random) {
    let name = names[random.below(names.len())].clone();
    match random.below(4) {
        0 => node.input.push(name),
        1 => drop(node.input.pop()),
        _ => with_one(&mut node.input, random, |input, _| *input = name),
    }
}

/// One more node: another one again, of other operands; or one more constant.
fn one_more(graph: &mut GraphProto, names: &[String], random: &mut Random) {
    let fresh = format!("n{}", random.below(1 << 16));
    if random.below(3) == 0 {
        let mut tensor =
            TensorProto { name: fresh, data_type: random.one_of(TYPES) as i32, ..Default::default() };
        (0..random.below(4)).for_each(|_| tensor.dims.push(random.below(5) as i64));
        tensor.dims.iter_mut().for_each(|dim| *dim += 1);
        constant(&mut tensor, random);
        graph.initializer.push(tensor);
        return;
    }
    let index = random.below(graph.node.len());
    let Some(mut node) = graph.node.get(index).cloned() else { return };
    for (index, output) in node.output.iter_mut().enumerate() {
        *output = format!("{fresh}_{index}");
    }
    operand(&mut node, names, random);
    if let Some(output) = node.output.first() {
        with_one(&mut graph.output, random, |port, _| port.name = output.clone());
    }
    graph.node.push(node);
}

/// Another value of an attribute, one more, or one less.
fn attribute(node: &mut NodeProto, random: &mut Random) {
    match random.below(5) {
        0 => drop(node.attribute.pop()),
        1 | 2 => {
            let attribute = AttributeProto { name: random.word(ATTRIBUTES).into(), ..Default::default() };
            node.attribute.push(attribute);
            let last = node.attribute.last_mut().expect("one was added");
            last.ints.resize(random.below(5), 1);
            last.floats.resize(random.below(5), 1.0);
            (0..4).for_each(|_| value(last, random));
        }
        _ => with_one(&mut node.attribute, random, value),
    }
}

fn value(attribute: &mut AttributeProto, random: &mut Random) {
    match random.below(8) {
        0 => attribute.i = random.one_of(INTEGERS),
        1 => attribute.f = random.one_of(FLOATS),
        2 => attribute.s = random.word(TEXTS).into(),
        3 => attribute.ints.push(random.one_of(INTEGERS)),
        4 => drop(attribute.ints.pop()),
        5 => with_one(&mut attribute.floats, random, |float, random| *float = random.one_of(FLOATS)),
        6 => {
            if let Some(tensor) = &mut attribute.t {
                constant(tensor, random);
            }
        }
        _ => with_one(&mut attribute.ints, random, |int, random| *int = random.one_of(INTEGERS)),
    }
}
