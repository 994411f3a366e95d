//! Products of matrices.

use tract_tflite::tflite::{ActivationFunctionType, FullyConnectedOptionsWeightsFormat};

use super::Family;
use crate::tflite::attributes::int;
use crate::tflite::net::{Id, Made, Name, Net};
use crate::tflite::op::Op;
use crate::tflite::tensors::Quantisation;

pub(super) const OPERATORS: Family = &[
    ("BATCH_MATMUL", batch_matmul),
    ("EMBEDDING_LOOKUP", embedding_lookup),
    ("FULLY_CONNECTED", fully_connected),
];

/// The rows of a matrix that numbers name.
fn embedding_lookup(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let (rows, table, out) = (net.stored(op.input(0)?)?, op.input(1)?, op.output(0)?);
    // With one scale for all, only what is read becomes floats.
    let single = net.quantisation(table)?.filter(|q| q.scale.len() == 1);
    let y = if let Some(quantisation) = single {
        let stored = net.stored(table)?;
        let picked = net.node("Gather", &[stored, rows], vec![int("axis", 0)]);
        net.dequantised(picked, table, &quantisation, 0)?
    } else {
        let values = net.value(table)?;
        net.node("Gather", &[values, rows], vec![int("axis", 0)])
    };
    net.store(out, y)
}

fn batch_matmul(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let options = op.options.builtin_options_as_batch_mat_mul_options();
    let (adj_a, adj_b) = options.map_or((false, false), |o| (o.adj_x(), o.adj_y()));
    let a = side(net, op.input(0)?, adj_a)?;
    let b = side(net, op.input(1)?, adj_b)?;
    let y = net.node("MatMul", &[a, b], Vec::new());
    net.store(op.output(0)?, y)
}

fn side(net: &mut Net<'_>, id: Id, adjoint: bool) -> Made<Name> {
    let value = net.value(id)?;
    let rank = net.rank(id) as i64;
    if !adjoint || rank < 2 {
        return Ok(value);
    }
    let order: Vec<i64> = (0..rank - 2).chain([rank - 1, rank - 2]).collect();
    Ok(net.transposed(value, &order))
}

/// x W' + b. All axes of x but the last are one, unless the result keeps them.
fn fully_connected(net: &mut Net<'_>, op: &Op<'_>) -> Made {
    let options = op.options.builtin_options_as_fully_connected_options();
    if options.is_some_and(|o| o.weights_format() != FullyConnectedOptionsWeightsFormat::DEFAULT) {
        return Err("weights in an order that only some processors read".into());
    }
    let (x, w, out) = (op.input(0)?, op.input(1)?, op.output(0)?);
    let (shape, weights) = (net.shape(x)?, net.shape(w)?);
    let &[units, depth] = &weights[..] else {
        return Err(format!("weights of the shape {weights:?}"));
    };
    let stored = net.stored(x)?;
    let flat = net.vector(&[-1, depth as i64]);
    let flat = net.node("Reshape", &[stored, flat], Vec::new());
    let left = match net.quantisation(x)? {
        Some(of) => net.dequantised(flat, x, &of, 0)?,
        None => flat,
    };
    let right = net.value(w)?;
    let mut operands = vec![left, right];
    if let Some(bias) = op.optional(2) {
        operands.push(net.bias(bias, x, w)?);
    }
    let y = net.node("Gemm", &operands, vec![int("transB", 1)]);
    let activation = options.map_or(ActivationFunctionType::NONE, |o| o.fused_activation_function());
    let y = net.activated(y, activation, out)?;
    let mut y = net.quantised(y, out)?;
    if options.is_some_and(|o| o.keep_num_dims()) {
        let kept = shape.split_last().map_or(&[][..], |(_, outer)| outer);
        let dims: Vec<i64> = kept.iter().chain([&units]).map(|&d| d as i64).collect();
        let dims = net.vector(&dims);
        y = net.node("Reshape", &[y, dims], Vec::new());
    }
    net.bind(out, y);
    Ok(())
}

impl Net<'_> {
    /// Filters in another order of their axes.
    ///
    /// # Errors
    /// Filters that are no four-dimensional tensor.
    pub fn filters(&mut self, id: Id, order: &[i64; 4]) -> Made<Name> {
        let shape = self.shape(id)?;
        if shape.len() != 4 {
            return Err(format!("filters of the shape {shape:?}"));
        }
        self.ordered(id, order)
    }

    /// A bias. One of integers is a term of their sums, whatever scale the file gives it: that of the image times that of the filters, as
    /// a float rounds it.
    ///
    /// # Errors
    /// Parameters that do not fit.
    pub fn bias(&mut self, id: Id, image: Id, filters: Id) -> Made<Name> {
        let (Some(x), Some(w), Some(_)) =
            (self.quantisation(image)?, self.quantisation(filters)?, self.quantisation(id)?)
        else {
            return self.value(id);
        };
        let &[of_image] = &x.scale[..] else {
            return Err(format!("an image with {} scales", x.scale.len()));
        };
        let scale = w.scale.iter().map(|of_filter| of_filter * of_image).collect();
        let stored = self.stored(id)?;
        self.dequantised(stored, id, &Quantisation { scale, zero: Vec::new(), axis: 0 }, 0)
    }
}
