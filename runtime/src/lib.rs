//! The guest side: entry, system calls, preimage oracle, panic.
