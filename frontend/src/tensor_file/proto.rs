//! ONNX's `TensorProto` (onnx.proto, "Tensors").

use prost::Message;
use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};

use super::{Format, Target, TensorProblem};

/// The elements in `bytes`, row-major.
pub(super) fn read(bytes: &[u8], len: u64, target: &Target) -> Result<Vec<f32>, TensorProblem> {
    // A message that is cut off does not parse, so the length comes first here.
    target.check_size(Format::Proto, len)?;
    let malformed = |reason: String| TensorProblem::Malformed { format: Format::Proto, reason };
    let proto = TensorProto::decode(bytes).map_err(|e| malformed(e.to_string()))?;
    if proto.data_type != DataType::Float as i32 {
        return Err(TensorProblem::ElementType { input: target.input(), got: type_name(proto.data_type) });
    }
    let dims = proto
        .dims
        .iter()
        .map(|&d| u64::try_from(d).map_err(|_| malformed(format!("it has the dimension {d}"))));
    target.check_shape(&dims.collect::<Result<Vec<_>, _>>()?)?;
    let external =
        proto.data_location == Some(DataLocation::External as i32) || !proto.external_data.is_empty();
    if external || proto.segment.is_some() {
        return Err(malformed("its elements are in another file".into()));
    }
    if proto.raw_data.is_empty() {
        target.check_length(4 * proto.float_data.len() as u64)?;
        return Ok(proto.float_data);
    }
    if !proto.float_data.is_empty() {
        return Err(malformed("it has its elements twice, raw and typed".into()));
    }
    target.check_length(proto.raw_data.len() as u64)?;
    Ok(proto.raw_data.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect())
}

/// numpy's name of an ONNX element type, which for most is ONNX's own in lower case.
fn type_name(number: i32) -> String {
    match DataType::try_from(number) {
        Ok(DataType::Double) => "float64".into(),
        Ok(dtype) => dtype.as_str_name().to_lowercase(),
        Err(_) => format!("type number {number}"),
    }
}
