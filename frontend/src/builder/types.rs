//! Types of operands, as kernels have them.

use opml_abi::DataType;

use super::Built;
use crate::graph::Op;

/// Refuses operands of a type that the kernel is not for. Lowerings ask for what their operators allow; what they let through
/// would be a program that the guest's compiler refuses.
///
/// # Errors
/// The types.
pub fn check(op: &Op, operands: &[DataType], results: &[DataType]) -> Built<()> {
    let floats = |types: &[DataType]| types.iter().all(|&dtype| dtype == DataType::Float32);
    let fits = match op {
        Op::MatMul(_)
        | Op::Conv2d(_)
        | Op::MaxPool2d(_)
        | Op::AveragePool2d(_)
        | Op::Relu
        | Op::Clip(..)
        | Op::Unary(_)
        | Op::Softmax(_)
        | Op::ReduceSum(_)
        | Op::DynamicQuantize => floats(operands),
        op if op.takes_indices() => {
            let is_index = matches!(operands[1], DataType::Int64 | DataType::Int32);
            is_index && operands[2..].iter().all(|updates| *updates == operands[0])
        }
        Op::Quantize(..) => floats(&operands[..2]) && operands[2..].iter().all(|zero| *zero == results[0]),
        Op::Dequantize(..) => {
            floats(&operands[1..2]) && operands[2..].iter().all(|zero| *zero == operands[0])
        }
        Op::Lookup => matches!(operands[0], DataType::Int8 | DataType::Uint8),
        _ => true,
    };
    if fits {
        Ok(())
    } else {
        Err(format!("operands of the types {operands:?} are not for {}", op.variant()))
    }
}
