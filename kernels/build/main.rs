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

mod integer;
mod packed;
mod planes;
mod text;

use std::env;
use std::fs;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build");
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() != Ok("mips") {
        return;
    }
    let out = env::var_os("OUT_DIR").expect("cargo sets it for build scripts");
    let files = [
        ("packed.s", packed::routines()),
        ("integer.s", integer::routines()),
        ("planes.s", planes::routines()),
    ];
    for (name, text) in files {
        fs::write(Path::new(&out).join(name), text).expect("cargo made the folder");
    }
}
