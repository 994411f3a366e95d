//! ONNX's backend test suite, and cases of our own where it is thin, each natively and in the VM.
//!
//! `tests/onnx/cases.tsv` lists the cases and says what becomes of each. A test fails if a case does anything else, so one that
//! begins to pass has to be taken off the list of failures.
//!
//! | what it catches | test |
//! |---|---|
//! | an operator that is not lowered as ONNX defines it | `natively` |
//! | a kernel that differs between guest and host; code that the compiler makes of a kernel and the contract does not have | `in_the_vm` |
//! | docs/operators.md that says something else | `the_table_of_operators_is_this_one` |

mod case;
mod guests;
mod list;
mod natively;
mod table;
