//! One description per on-chain VM: compiler target, instruction allow-list, memory map, system calls.
//!
//! The facts are data, `<name>/target.toml`, read with unknown fields refused, then validated into a
//! [`Target`]. What the VM's compiler and linker need stands beside it and is embedded too. A new VM is a new folder and
//! one line in `sources.rs`.
#![forbid(unsafe_code)]

mod error;
mod raw;
mod sources;
mod target;
mod validate;

pub use error::TargetError;
pub use sources::names;
pub use target::{
    Abi, AddressRange, ByteOrder, Class, Commitment, Condition, Contract, Effect, ElfFacts, FloatAbi,
    MemoryMap, Refusal, Stack, Syscall, Target, Verdict,
};
