//! Functions of bytes: whatever they are made of, there are 256 results, and the kernels make them now.

use opml_abi::DataType;
use opml_kernels::BinaryOp;

use super::{Builder, Built, Tabulated, Value};
use crate::elements::Elements;
use crate::graph::Op;

impl Builder {
    /// All bytes of the type `dtype`, in the order of their bits; nothing for another type.
    pub fn all_bytes(&mut self, dtype: DataType) -> Option<Value> {
        let elements = match dtype {
            DataType::Uint8 => Elements::U8((0..=u8::MAX).collect()),
            DataType::Int8 => Elements::I8((0..=u8::MAX).map(|bits| bits as i8).collect()),
            _ => return None,
        };
        Some(self.constant(&[256], elements))
    }

    /// For each byte of `x` its element of `table`, which is noted.
    ///
    /// # Errors
    /// A result that is too large.
    fn lookup(&mut self, x: &Value, table: &Value) -> Built {
        self.as_it_lies(x, |b, x| {
            let out = b.call(Op::Lookup, &[x, table], table.dtype, &x.shape)?;
            b.remember_table(&out, Tabulated { x: x.clone(), table: table.clone() });
            Ok(out)
        })
    }

    /// The same if the table is known; nothing if it is left to the program.
    ///
    /// # Errors
    /// A result that is too large.
    pub fn lookup_known(&mut self, x: &Value, table: &Value) -> Built<Option<Value>> {
        if self.is_constant(table) { self.lookup(x, table).map(Some) } else { Ok(None) }
    }

    /// What `function` makes of a table, looked up; nothing if `x` has none, or if that is left to the program.
    pub fn by_table(
        &mut self,
        x: &Value,
        function: impl FnOnce(&mut Self, &Value) -> Built,
    ) -> Built<Option<Value>> {
        let Some(Tabulated { x, table }) = self.tabulated(x) else { return Ok(None) };
        let table = function(self, &table)?;
        self.lookup_known(&x, &table)
    }

    /// A function of two operands, both of them functions of the same bytes, or one of them the same number everywhere.
    pub(super) fn binary_by_table(&mut self, op: BinaryOp, a: &Value, b: &Value) -> Built<Option<Value>> {
        if let (Some(left), Some(right)) = (self.tabulated(a), self.tabulated(b)) {
            if left.x != right.x || a.shape != b.shape {
                return Ok(None);
            }
            return self.by_table(a, |builder, table| builder.binary(op, table, &right.table));
        }
        if let Some(number) = self.number_beside(b, a) {
            return self.by_table(a, |builder, table| builder.binary(op, table, &number));
        }
        if let Some(number) = self.number_beside(a, b) {
            return self.by_table(b, |builder, table| builder.binary(op, &number, table));
        }
        Ok(None)
    }

    /// The one number that `value` is, which leaves the shape of what stands beside it as it is.
    fn number_beside(&mut self, value: &Value, beside: &Value) -> Option<Value> {
        value.broadcast(&beside.shape).ok()?;
        let number = self.as_uniform(value)?;
        Some(self.scalar(DataType::Float32, number))
    }
}
