//! MIPS instruction words to typed instructions and to text, for audits, errors and reports.
//!
//! It knows all of MIPS32 releases 1 and 2 (MIPS Architecture for Programmers, volume II), the coprocessors and
//! the privileged part included, so that a word an on-chain VM refuses is still named. Whether a VM runs an
//! instruction is not known here; that is a target's allow-list.
//!
//! Decoding is strict: a word with a non-zero bit where the manual wants zero is [`Mnemonic::Unknown`]. A VM that
//! ignores such bits would run something that no manual describes.
#![no_std]
#![forbid(unsafe_code)]

mod decode;
mod register;
mod table;
mod text;

pub use decode::{Instruction, Kind, decode};
pub use register::Register;
pub use table::Mnemonic;
pub use text::At;
