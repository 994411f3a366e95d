//! A case's files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use opml_abi::{DataType, Tensor};
use opml_frontend::Model;
use prost::Message;
use tract_onnx::pb::{ModelProto, TensorProto};

use crate::list::Listed;

/// What the suite's own runner allows: an output `o` may differ from the expected `e` by `ATOL + RTOL * |e|`. A few cases say that
/// they need more; none of ours does.
const RTOL: f32 = 1e-3;
const ATOL: f32 = 1e-7;

/// A case that can be run.
pub struct Case {
    /// The imported model.
    pub model: Model,
    /// What goes in.
    pub inputs: Vec<Tensor>,
    /// What has to come out.
    pub expected: Vec<Tensor>,
}

impl Case {
    /// Reads the case. An error is the importer's.
    pub fn load(listed: &Listed) -> Result<Self, String> {
        let folder = listed.folder();
        let bytes = read(&folder.join("model.onnx"));
        let mut proto = ModelProto::decode(&*bytes).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let data = folder.join("test_data_set_0");
        let inputs = take_inputs(&mut proto, &data, &listed.constant);
        let model = Model::from_bytes(&proto.encode_to_vec(), &BTreeMap::new()).map_err(|e| e.to_string())?;
        let inputs = inputs.iter().map(tensor).collect::<Result<Vec<_>, _>>()?;
        let outputs =
            (0..model.graph().outputs.len()).map(|i| tensor(&message(&data.join(format!("output_{i}.pb")))));
        let expected = outputs.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { model, inputs, expected })
    }

    /// What the native twin computes.
    pub fn run(&self) -> Result<Vec<Tensor>, String> {
        self.model.run(&self.inputs).map_err(|e| e.to_string())
    }

    /// Whether `outputs` are the expected ones, within the tolerance.
    pub fn check(&self, outputs: &[Tensor]) -> Result<(), String> {
        let ports = self.model.graph().outputs.iter();
        for ((port, got), expected) in ports.zip(outputs).zip(&self.expected) {
            near(got, expected).map_err(|e| format!("output `{}`: {e}", port.name))?;
        }
        Ok(())
    }
}

/// The inputs that have to be given; those named `constant` become weights of the model.
fn take_inputs(model: &mut ModelProto, data: &Path, constant: &[String]) -> Vec<TensorProto> {
    let graph = model.graph.as_mut().expect("a model has a graph");
    // In old files the weights are listed among the inputs.
    let is_weight = |name: &String| graph.initializer.iter().any(|tensor| tensor.name == *name);
    let names: Vec<String> =
        graph.input.iter().map(|i| i.name.clone()).filter(|name| !is_weight(name)).collect();
    let mut inputs = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        let value = message(&data.join(format!("input_{index}.pb")));
        if constant.contains(&name) {
            graph.input.retain(|input| input.name != name);
            graph.initializer.push(TensorProto { name, ..value });
        } else {
            inputs.push(value);
        }
    }
    inputs
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn message(path: &Path) -> TensorProto {
    TensorProto::decode(&*read(path)).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The tensor of a message. Cases have types that a blob does not carry.
fn tensor(proto: &TensorProto) -> Result<Tensor, String> {
    let known = u8::try_from(proto.data_type).ok().and_then(DataType::from_code);
    let dtype = known.ok_or_else(|| format!("a tensor of type number {}", proto.data_type))?;
    let data = if proto.raw_data.is_empty() {
        match dtype {
            DataType::Float32 => proto.float_data.iter().flat_map(|v| v.to_be_bytes()).collect(),
            DataType::Int64 => proto.int64_data.iter().flat_map(|v| v.to_be_bytes()).collect(),
            DataType::Int32 => proto.int32_data.iter().flat_map(|v| v.to_be_bytes()).collect(),
            DataType::Int8 | DataType::Uint8 | DataType::Bool => {
                proto.int32_data.iter().map(|&v| v as u8).collect()
            }
        }
    } else {
        proto.raw_data.chunks(dtype.size()).flat_map(|element| element.iter().rev().copied()).collect()
    };
    Ok(Tensor { dtype, shape: proto.dims.iter().map(|&d| d as u32).collect(), data })
}

fn near(got: &Tensor, expected: &Tensor) -> Result<(), String> {
    if (got.dtype, &got.shape) != (expected.dtype, &expected.shape) {
        return Err(format!(
            "expected {} {:?}, got {} {:?}",
            expected.dtype, expected.shape, got.dtype, got.shape
        ));
    }
    let (Some(floats), Some(recorded)) = (got.to_f32(), expected.to_f32()) else {
        let differs = |(a, b): (&u8, &u8)| a != b;
        let at = got.data.iter().zip(&expected.data).position(differs);
        return at.map_or(Ok(()), |byte| Err(format!("element {} is another", byte / got.dtype.size())));
    };
    for (at, (got, expected)) in floats.iter().zip(&recorded).enumerate() {
        let same = got == expected || got.is_nan() && expected.is_nan();
        if !same
            && (got - expected).abs().partial_cmp(&(ATOL + RTOL * expected.abs()))
                != Some(std::cmp::Ordering::Less)
        {
            return Err(format!("element {at}: expected {expected}, got {got}"));
        }
    }
    Ok(())
}
