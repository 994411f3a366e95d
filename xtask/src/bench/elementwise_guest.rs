// One operation on arrays of N numbers, chosen from outside. The host puts N and the first line before it.

use core::hint::black_box;

use opml_kernels::{BinaryOp, UnaryOp, binary, transpose, unary};
use opml_runtime::{Arena, Guest, Mips, Sys};

unsafe extern "C" {
    static FIRST: [f32; N];
    static SECOND: [f32; N];
    static POSITIVE: [f32; N];
}

static OUT: Arena<N> = Arena::new();

fn main(mut guest: Guest<Mips>) -> ! {
    // SAFETY: the host places the arrays, and nothing else refers to the output.
    let (first, second, positive, out) = unsafe { (&FIRST, &SECOND, &POSITIVE, OUT.write(0, N)) };
    let mut both = |op, out: &mut [f32]| binary(op, &[N], first, &[1], second, &[1], out);
    match guest.step_index() {
        1 => transpose(&[N], &[1], first, out),
        2 => both(BinaryOp::Add, out),
        3 => both(BinaryOp::Sub, out),
        4 => both(BinaryOp::Mul, out),
        5 => both(BinaryOp::Div, out),
        6 => unary(UnaryOp::Sqrt, positive, out),
        7 => unary(UnaryOp::Exp, first, out),
        8 => unary(UnaryOp::Log, positive, out),
        9 => unary(UnaryOp::Tanh, first, out),
        10 => unary(UnaryOp::Sigmoid, first, out),
        11 => unary(UnaryOp::Erf, first, out),
        12 => unary(UnaryOp::Sin, first, out),
        13 => unary(UnaryOp::Cos, first, out),
        14 => unary(UnaryOp::Tan, first, out),
        15 => binary(BinaryOp::Pow, &[N], positive, &[1], second, &[1], out),
        16 => binary(BinaryOp::Pow, &[N], first, &[1], &[3.0], &[0], out),
        _ => {}
    }
    // Or the compiler would leave out what nobody looks at.
    black_box(out);
    Mips.exit(0)
}

opml_runtime::program!(main);
