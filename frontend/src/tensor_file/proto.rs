//! ONNX's `TensorProto` (onnx.proto, "Tensors").

use opml_abi::DataType;
use prost::Message;
use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::{self, DataLocation};

use super::stored::Stored;
use super::{Format, Target, TensorProblem};

/// The elements in `bytes`.
pub(super) fn read(bytes: &[u8], len: u64, target: &Target) -> Result<Stored, TensorProblem> {
    // A message that is cut off does not parse, so the length comes first here.
    target.check_size(Format::Proto, len)?;
    let malformed = |reason: String| TensorProblem::Malformed { format: Format::Proto, reason };
    let proto = TensorProto::decode(bytes).map_err(|e| malformed(e.to_string()))?;
    let dtype = u8::try_from(proto.data_type).ok().and_then(DataType::from_code);
    let dtype = dtype.ok_or_else(|| target.other_type(type_name(proto.data_type)))?;
    target.check_type(dtype)?;
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
        return typed(&proto, dtype, target);
    }
    if !(proto.float_data.is_empty() && proto.int32_data.is_empty() && proto.int64_data.is_empty()) {
        return Err(malformed("it has its elements twice, raw and typed".into()));
    }
    target.check_length(dtype, proto.raw_data.len() as u64)?;
    Ok(Stored::little_endian(dtype, proto.raw_data))
}

/// Elements in the field for their type; integers of up to 32 bits share one.
fn typed(proto: &TensorProto, dtype: DataType, target: &Target) -> Result<Stored, TensorProblem> {
    let check = |elements: usize| target.check_length(dtype, (elements * dtype.size()) as u64);
    let integers = match dtype {
        DataType::Float32 => {
            check(proto.float_data.len())?;
            return Ok(Stored::floats(proto.float_data.iter().copied()));
        }
        DataType::Int64 => {
            check(proto.int64_data.len())?;
            Stored::integers(dtype, proto.int64_data.iter().copied())
        }
        DataType::Int32 | DataType::Int8 | DataType::Uint8 | DataType::Bool => {
            check(proto.int32_data.len())?;
            Stored::integers(dtype, proto.int32_data.iter().map(|&v| v.into()))
        }
    };
    integers.map_err(|unfit| target.unfit(dtype, unfit))
}

/// numpy's name of an ONNX element type, which for most is ONNX's own in lower case.
fn type_name(number: i32) -> String {
    match tensor_proto::DataType::try_from(number) {
        Ok(tensor_proto::DataType::Double) => "float64".into(),
        Ok(dtype) => dtype.as_str_name().to_lowercase(),
        Err(_) => format!("type number {number}"),
    }
}
