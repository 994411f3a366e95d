//! Attention and what goes with it.

use opml_abi::DataType;
use opml_kernels::{BinaryOp, BitOp, CompareOp, ReduceOp, UnaryOp};

use super::{Call, Family};
use crate::builder::{Built, Value};
use crate::elements::Elements;

pub(super) const OPERATORS: Family = &[("Attention", attention), ("RotaryEmbedding", rotary_embedding)];

/// [batch, sequence, heads * size] as [batch, heads, sequence, size]; what has four dimensions is so already.
fn heads(call: &mut Call<'_>, x: &Value, count: &str) -> Built {
    match x.shape[..] {
        [_, _, _, _] => Ok(x.clone()),
        [batch, sequence, hidden] => {
            let heads = usize::try_from(call.int(count, 0)).unwrap_or(0);
            if heads == 0 || !hidden.is_multiple_of(heads) {
                return Err(format!("{heads} heads of {hidden} elements (`{count}`)"));
            }
            let apart = call.b.reshape(x, &[batch, sequence, heads, hidden / heads])?;
            Ok(call.b.transpose(&apart, &[0, 2, 1, 3]))
        }
        _ => Err(format!("an operand of the shape {:?}", x.shape)),
    }
}

/// What a query may see of the keys.
struct Mask {
    /// Which keys, if not all: bool.
    allowed: Option<Value>,
    /// What is added to the products.
    added: Option<Value>,
}

fn attention(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let (q, k, v) = (call.input(0)?, call.input(1)?, call.input(2)?);
    let three = q.rank() == 3;
    let q = heads(call, &q, "q_num_heads")?;
    let (mut k, mut v) = (heads(call, &k, "kv_num_heads")?, heads(call, &v, "kv_num_heads")?);
    let mut past = 0;
    if let (Some(past_k), Some(past_v)) = (call.optional(4), call.optional(5)) {
        past = past_k.shape.get(2).copied().unwrap_or(0);
        k = call.b.concat(&[past_k, k], 2)?;
        v = call.b.concat(&[past_v, v], 2)?;
    }
    let (&[batch, q_heads, rows, size], &[_, kv_heads, columns, _]) = (&q.shape[..], &k.shape[..]) else {
        return Err(format!("operands of the shapes {:?} and {:?}", q.shape, k.shape));
    };
    if kv_heads == 0 || !q_heads.is_multiple_of(kv_heads) {
        return Err(format!("{q_heads} heads of queries and {kv_heads} of keys"));
    }
    let mask = mask(call, [batch, rows, columns], past)?;
    // Several heads of queries share one of keys: another axis, along which keys are repeated.
    let group = q_heads / kv_heads;
    let apart = |call: &mut Call<'_>, x: &Value, last: usize| {
        call.b.reshape(x, &[batch, kv_heads, group, rows, last])
    };
    let scale = match call.attribute("scale") {
        Some(attribute) => attribute.f,
        None => (1.0 / (size as f64).sqrt()) as f32,
    };
    let scaled = call.times(&q, scale)?;
    let scaled = apart(call, &scaled, size)?;
    let keys = call.b.unsqueeze(&k, 2);
    let keys = call.b.transpose(&keys, &[0, 1, 2, 4, 3]);
    let products = call.b.matmul(&scaled, &keys)?;
    let products = call.b.reshape(&products, &[batch, q_heads, rows, columns])?;
    let softcap = call.float("softcap", 0.0);
    let capped = if softcap == 0.0 { products.clone() } else { capped(call, &products, softcap)? };
    let masked = masked(call, &capped, &mask)?;
    let weights = call.b.softmax(&masked, 3)?;
    let weights = without_empty_rows(call, &weights, &mask)?;
    let parts = apart(call, &weights, columns)?;
    let values = call.b.unsqueeze(&v, 2);
    let y = call.b.matmul(&parts, &values)?;
    let mut y = call.b.reshape(&y, &[batch, q_heads, rows, v.shape[3]])?;
    if three {
        y = call.b.transpose(&y, &[0, 2, 1, 3]);
        y = call.b.reshape(&y, &[batch, rows, q_heads * v.shape[3]])?;
    }
    let seen = match call.int("qk_matmul_output_mode", 0) {
        0 => products,
        1 => capped,
        2 => masked,
        _ => weights,
    };
    Ok(vec![y, k, v, seen])
}

/// c * tanh(x / c).
fn capped(call: &mut Call<'_>, x: &Value, c: f32) -> Built {
    let divisor = call.number(c);
    let inner = call.b.binary(BinaryOp::Div, x, &divisor)?;
    let tanh = call.b.unary(UnaryOp::Tanh, &inner)?;
    call.times(&tanh, c)
}

/// Which keys are seen, by the operands and attributes together. `sizes` are those of batch, queries and keys.
fn mask(call: &mut Call<'_>, [batch, rows, columns]: [usize; 3], past: usize) -> Built<Mask> {
    let lens = call.optional(6);
    let mut allowed: Option<Value> = None;
    let mut and = |call: &mut Call<'_>, more: Value| -> Built<()> {
        allowed = Some(match allowed.take() {
            Some(allowed) => call.b.bitwise(BitOp::And, &allowed, &more)?,
            None => more,
        });
        Ok(())
    };
    let column = call.b.places(columns)?;
    let lens = lens.map(|lens| -> Built {
        let lens = call.b.cast(&lens, DataType::Int64)?;
        call.b.reshape(&lens, &[batch, 1, 1, 1])
    });
    let lens = lens.transpose()?;
    let (left, right) = (call.int("left_window_size", -1), call.int("right_window_size", -1));
    let causal = call.flag("is_causal", false);
    if causal || left >= 0 || right >= 0 {
        // How far a query is ahead of a key.
        call.b.reserve_table(rows)?;
        let row: Vec<i64> = (0..rows as i64).map(|row| row + past as i64).collect();
        let mut place = call.b.constant(&[rows, 1], Elements::I64(row));
        if let Some(lens) = lens.as_ref().filter(|_| past == 0) {
            let rows = call.b.scalar(DataType::Int64, rows as f32);
            let offset = call.b.binary(BinaryOp::Sub, lens, &rows)?;
            place = call.b.binary(BinaryOp::Add, &place, &offset)?;
        }
        let ahead = call.b.binary(BinaryOp::Sub, &place, &column)?;
        let bound = |call: &mut Call<'_>, value: i64| call.b.constant(&[], Elements::I64(vec![value]));
        if causal {
            let zero = bound(call, 0);
            let seen = call.b.compare(CompareOp::LessOrEqual, &zero, &ahead)?;
            and(call, seen)?;
        }
        if left >= 0 {
            let left = bound(call, left);
            let seen = call.b.compare(CompareOp::LessOrEqual, &ahead, &left)?;
            and(call, seen)?;
        }
        if right >= 0 {
            let right = bound(call, -right);
            let seen = call.b.compare(CompareOp::LessOrEqual, &right, &ahead)?;
            and(call, seen)?;
        }
    }
    if let Some(lens) = &lens {
        let seen = call.b.compare(CompareOp::Less, &column, lens)?;
        and(call, seen)?;
    }
    let mut added = None;
    if let Some(stated) = call.optional(3) {
        // A mask may be shorter than the keys; what it does not reach is not seen.
        let missing = columns.checked_sub(*stated.shape.last().unwrap_or(&columns));
        let mut after = vec![0; stated.rank()];
        if let Some(last) = after.last_mut() {
            *last = missing.ok_or("a mask for more keys than there are")?;
        }
        let border =
            call.b.scalar(stated.dtype, if stated.dtype == DataType::Bool { 0.0 } else { f32::NEG_INFINITY });
        let stated = call.b.pad(&stated, &vec![0; stated.rank()], &after, &border)?;
        match stated.dtype {
            DataType::Bool => and(call, stated)?,
            _ => added = Some(stated),
        }
    }
    Ok(Mask { allowed, added })
}

fn masked(call: &mut Call<'_>, x: &Value, mask: &Mask) -> Built {
    let mut out = x.clone();
    if let Some(added) = &mask.added {
        out = call.b.binary(BinaryOp::Add, &out, added)?;
    }
    if let Some(allowed) = &mask.allowed {
        let never = call.number(f32::NEG_INFINITY);
        out = call.b.select(allowed, &out, &never)?;
    }
    Ok(out)
}

/// A query that sees no key gets nothing, where a softmax would be no number.
fn without_empty_rows(call: &mut Call<'_>, weights: &Value, mask: &Mask) -> Built {
    let mut out = weights.clone();
    let zero = call.number(0.0);
    let mut reach: Option<Value> = mask.added.clone();
    if let Some(allowed) = &mask.allowed {
        let never = call.number(f32::NEG_INFINITY);
        reach = Some(call.b.select(allowed, reach.as_ref().unwrap_or(&zero), &never)?);
    }
    if let Some(reach) = reach {
        let last = reach.rank().checked_sub(1).ok_or("a mask without dimensions")?;
        let largest = call.b.reduce(ReduceOp::Max, &reach, &[last])?;
        let never = call.number(f32::NEG_INFINITY);
        let empty = call.b.compare(CompareOp::Equal, &largest, &never)?;
        // Nearly all masks are known now, and leave no row empty.
        let known = call.b.as_integers(&empty);
        if known.is_none_or(|empty| empty.contains(&1)) {
            out = call.b.select(&empty, &zero, &out)?;
        }
    }
    Ok(out)
}

/// Pairs of elements are turned by an angle that depends on the position.
fn rotary_embedding(call: &mut Call<'_>) -> Built<Vec<Value>> {
    let input = call.input(0)?;
    let x = heads(call, &input, "num_heads")?;
    let &[batch, count, sequence, size] = &x.shape[..] else { unreachable!("heads have four dimensions") };
    let (mut cos, mut sin) = (call.input(1)?, call.input(2)?);
    if let Some(positions) = call.optional(3) {
        cos = call.b.gather(&cos, &positions, 0)?;
        sin = call.b.gather(&sin, &positions, 0)?;
    }
    if cos.rank() != 3 || sin.rank() != 3 {
        return Err(format!("angles of the shapes {:?} and {:?}", cos.shape, sin.shape));
    }
    let (cos, sin) = (call.b.unsqueeze(&cos, 1), call.b.unsqueeze(&sin, 1));
    let turned = match usize::try_from(call.int("rotary_embedding_dim", 0)) {
        Ok(0) => size,
        Ok(turned) if turned <= size && turned.is_multiple_of(2) => turned,
        _ => return Err("its rotary_embedding_dim is out of range".into()),
    };
    let first = call.b.slice(&x, 3, 0, turned, 1);
    let rest = call.b.slice(&x, 3, turned, size - turned, 1);
    let interleaved = call.flag("interleaved", false);
    let (start, step) = if interleaved { (1, 2) } else { (turned / 2, 1) };
    let a = call.b.slice(&first, 3, 0, turned / 2, step);
    let b = call.b.slice(&first, 3, start, turned / 2, step);
    let product = |call: &mut Call<'_>, x: &Value, y: &Value| call.b.binary(BinaryOp::Mul, x, y);
    let (ac, bs) = (product(call, &a, &cos)?, product(call, &b, &sin)?);
    let (as_, bc) = (product(call, &a, &sin)?, product(call, &b, &cos)?);
    let real = call.b.binary(BinaryOp::Sub, &ac, &bs)?;
    let imaginary = call.b.binary(BinaryOp::Add, &as_, &bc)?;
    let mut parts = if interleaved {
        let pair = [call.b.unsqueeze(&real, 4), call.b.unsqueeze(&imaginary, 4)];
        let pairs = call.b.concat(&pair, 4)?;
        vec![call.b.reshape(&pairs, &[batch, count, sequence, turned])?]
    } else {
        vec![real, imaginary]
    };
    if turned < size {
        parts.push(rest);
    }
    let mut y = call.b.concat(&parts, 3)?;
    if input.rank() == 3 {
        y = call.b.transpose(&y, &[0, 2, 1, 3]);
        y = call.b.reshape(&y, &input.shape)?;
    }
    Ok(vec![y])
}
