//! Generates the assembly of the inner loops of `src/packed/`, `src/planes/` and `src/integer/` for MIPS; for other machines nothing.
//!
//! A compiler hoists the loads and multiplications of these loops until the registers no longer do
//! and then spills, which nearly doubles the steps. What the functions compute, and the bounds that make it
//! exact, stands in `src/packed/mod.rs`, (F) to (H), and `src/integer/mod.rs`, (Q) to (T); a `portable.rs` beside each is
//! the same in Rust, and is what other machines run.
//!
//! # Calling convention
//!
//! One argument, in $4: a pointer to a `Call` (`mips.rs` beside it), whose words are at the offsets
//! below and are used up. $1 to $3, $5 to $15, $24 to $27, hi and lo are free, as in the o32 convention ($26 and
//! $27 belong to an operating system; there is none); what else is used is saved below the stack pointer.

mod finish;
mod integer;
mod loops;
mod planes;
mod text;
mod vector;

use std::env;
use std::fs;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build");
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() != Ok("mips") {
        return;
    }
    let mut text = String::new();
    for rows in [8, 4, 2, 1] {
        text += &loops::dense(rows, rows, 1);
        text += &loops::sparse(rows);
        text += &loops::correct(rows);
    }
    // Eight rows and two columns do not fit into the registers: two times four rows.
    for (rows, stride) in [(4, 8), (4, 4), (2, 2), (1, 1)] {
        text += &loops::dense(rows, stride, 2);
    }
    text += &finish::finish();
    text += &vector::fill(false);
    text += &vector::fill(true);
    let mut integer = [12, 8, 4, 2].map(integer::blocks).concat();
    for columns in [20, 4, 1] {
        integer += &integer::columns(columns, true);
        integer += &integer::columns(columns, false);
    }
    let out = env::var_os("OUT_DIR").expect("cargo sets it for build scripts");
    let mut planes = planes::fill() + &planes::finish();
    for (side, stride) in [(3, 1), (3, 2), (5, 1), (5, 2)] {
        planes += &planes::square(side, stride);
    }
    for (name, text) in [("packed.s", text), ("integer.s", integer), ("planes.s", planes)] {
        fs::write(Path::new(&out).join(name), text).expect("cargo made the folder");
    }
}
