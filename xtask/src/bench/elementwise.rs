use std::path::Path;

use opml_toolchain::{GuestProgram, Weight};
use opml_vm::Request;
use serde::Serialize;

use super::guest::{GuestError, prestate, steps};

/// Elements that each operation is measured on.
const ELEMENTS: usize = 1000;

/// What an operation costs in the guest.
#[derive(Debug, Serialize)]
pub struct OperationFigure {
    /// Its name.
    pub operation: &'static str,
    /// Steps for each element: loading, computing, storing and the loop.
    pub steps_per_element: f64,
}

/// The operations, in the order of the numbers by which the guest knows them, from 1 on.
const OPERATIONS: [&str; 16] = [
    "copy",
    "add",
    "subtract",
    "multiply",
    "divide",
    "square root",
    "exp",
    "log",
    "tanh",
    "sigmoid",
    "erf",
    "sin",
    "cos",
    "tan",
    "power",
    "cube",
];

/// The measured guest: it runs the operation that the request's step index names, or none for 0.
pub fn program() -> GuestProgram {
    GuestProgram::generated(
        format!("#![no_std]\nconst N: usize = {ELEMENTS};\n{}", include_str!("elementwise_guest.rs")),
        vec![
            Weight { symbol: "FIRST".into(), words: normal(1, |x| x).into() },
            Weight { symbol: "SECOND".into(), words: normal(2, |x| x).into() },
            Weight { symbol: "POSITIVE".into(), words: normal(3, f32::abs).into() },
        ],
    )
}

/// Numbers of an about normal distribution with a deviation of 1, as activations have, through `f`.
fn normal(seed: u32, f: fn(f32) -> f32) -> Vec<u32> {
    let mut state = seed;
    let mut uniform = || {
        // Numerical Recipes' linear congruential generator; its upper half is random enough to average.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as f32 / 65536.0
    };
    (0..ELEMENTS)
        .map(|_| f((0..12).map(|_| uniform()).sum::<f32>() - 6.0 + uniform() / 65536.0).to_bits())
        .collect()
}

/// Runs each operation of the program in `dir`.
pub fn measure(dir: &Path) -> Result<Vec<OperationFigure>, GuestError> {
    let state = prestate(dir)?;
    let run = |operation| steps(&state, Request { step_index: operation, ..Request::default() });
    let nothing = run(0)?;
    let figure = |(number, operation)| {
        let steps = run(number)? - nothing;
        Ok(OperationFigure { operation, steps_per_element: steps as f64 / ELEMENTS as f64 })
    };
    (1..).zip(OPERATIONS).map(figure).collect()
}
