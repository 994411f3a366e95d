//! The verdicts of the audit against the contract itself, and the contract against MIPS.

mod assembly;
mod case;
mod differences;
mod manual;
mod on_chain;
mod reference;
mod states;
mod sweep;
mod words;
