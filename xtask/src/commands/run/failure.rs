//! A program that failed: what it did, and where it was.

use miette::Diagnostic;
use opml_debug::{Backtrace, Called};
use opml_vm::{Vm, VmError};
use serde_json::{Value, json};
use thiserror::Error;

use crate::outcome::Stop;

/// How much of a backtrace is printed.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Detail {
    /// Without the functions that only end the program, and not all of a long one
    Short,
    /// All that is known
    Full,
}

/// What a program did.
#[derive(Debug)]
pub(in super::super) enum Cause {
    /// The VM stopped it before a step.
    Vm(VmError),
    /// It said itself that it failed.
    Exit { code: u8, message: String },
}

/// A program that failed, and where it was.
#[derive(Debug)]
pub(in super::super) struct Failure {
    cause: Cause,
    step: u64,
    pc: u32,
    /// The instruction as text.
    instruction: String,
    backtrace: Backtrace,
    /// What the program wrote to standard output before, as it can be shown on a terminal.
    pub stdout: String,
}

/// A [`Failure`] as it is printed.
#[derive(Debug, Error, Diagnostic)]
enum Report {
    #[error("{error}\n  instruction: {instruction}\n{trace}")]
    #[diagnostic(forward(error))]
    Vm { error: VmError, instruction: String, trace: String },

    #[error("the program panicked{place} (exit code {code}): {message}\n{trace}")]
    #[diagnostic(code(fault::panic), help("exit code 2 is a panic or an input that the program refuses"))]
    Panic { code: u8, message: String, place: String, trace: String },

    #[error("the program failed (exit code {code}): {message}\n{trace}")]
    #[diagnostic(help("exit code 2 is a panic or an input that the program refuses"))]
    Exit { code: u8, message: String, trace: String },
}

/// What a panic's message begins with, as places are no part of an image (`-Zlocation-detail`). The backtrace has the place.
const NOWHERE: &str = "panicked at <redacted>:0:0:\n";

impl Failure {
    pub fn new(mut cause: Cause, vm: &Vm, backtrace: Backtrace, stdout: String) -> Self {
        if let Cause::Exit { message, .. } = &mut cause {
            *message = message.replacen(NOWHERE, "", 1);
        }
        let pc = vm.pc();
        let word = vm.memory(pc & !3, 4).first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        let instruction = opml_isa::decode(word).at(pc).to_string();
        Self { cause, step: vm.step_count(), pc, instruction, backtrace, stdout }
    }

    /// Whether a panic ended the program.
    fn is_panic(&self) -> bool {
        matches!(self.cause, Cause::Exit { .. }) && self.backtrace.is_panic()
    }

    /// The failure as what stops the command.
    pub fn stop(self, detail: Detail) -> Stop {
        let trace = self.backtrace.text(detail == Detail::Full);
        let place = self.backtrace.cause().and_then(|call| call.place.as_ref());
        let place = place.map(|place| format!(" at {}:{}", place.file, place.line)).unwrap_or_default();
        let is_panic = self.is_panic();
        Stop::rejected(match self.cause {
            Cause::Vm(error) => Report::Vm { error, instruction: self.instruction, trace },
            Cause::Exit { code, message } if is_panic => {
                // A program that knows the place says it with the column.
                let told = message.strip_prefix("panicked at ").and_then(|rest| rest.split_once(":\n"));
                let told = told.map(|(place, message)| (format!(" at {place}"), message.to_owned()));
                let (place, message) = told.unwrap_or((place, message));
                Report::Panic { code, message, place, trace }
            }
            Cause::Exit { code, message } => Report::Exit { code, message, trace },
        })
    }

    /// The failure with all of its backtrace.
    pub fn json(&self) -> Value {
        let hex = |address: u32| format!("{address:#010x}");
        let call = |call: &Called| {
            let place = call.place.as_ref();
            json!({
                "address": hex(call.address),
                "function": call.function,
                "file": place.map(|place| &place.file),
                "line": place.map(|place| place.line),
                "inlined": call.inlined,
            })
        };
        let (name, error, address, code) = match &self.cause {
            Cause::Vm(error @ VmError::Fault { fault, .. }) => {
                (fault.name(), error.to_string(), fault.address(), None)
            }
            Cause::Vm(error @ VmError::Unprovable { .. }) => ("unprovable", error.to_string(), None, None),
            Cause::Vm(error) => ("stopped", error.to_string(), None, None),
            Cause::Exit { code, message } => {
                (if self.is_panic() { "panic" } else { "exit" }, message.clone(), None, Some(code))
            }
        };
        json!({
            "failure": {
                "name": name,
                "message": error,
                "exit_code": code,
                "stdout": self.stdout,
                "step": self.step,
                "pc": hex(self.pc),
                "instruction": self.instruction,
                "address": address.map(hex),
                "cause": self.backtrace.cause().map(call),
                "backtrace": self.backtrace.calls.iter().map(call).collect::<Vec<_>>(),
                "backtrace_is_cut": self.backtrace.is_cut,
            }
        })
    }
}
