//! How commands end: the exit code, and the report of an error.

use std::process::ExitCode;

use miette::{Diagnostic, Report};

/// How a command ended that did not run into an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Done; exit code 0.
    Done,
    /// The check failed, and the command has said why; exit code 1.
    Failed,
}

/// Why a command stopped.
#[derive(Debug)]
pub enum Stop {
    /// What was checked is not acceptable; exit code 1.
    Rejected(Report),
    /// It could not be checked; exit code 2.
    Unable(Report),
}

impl Stop {
    /// For `map_err`: what was checked is at fault.
    pub fn rejected(error: impl Diagnostic + Send + Sync + 'static) -> Self {
        Self::Rejected(error.into())
    }

    /// For `map_err`: something around the check is at fault.
    pub fn unable(error: impl Diagnostic + Send + Sync + 'static) -> Self {
        Self::Unable(error.into())
    }
}

/// What a command gives back.
pub type Result = std::result::Result<Outcome, Stop>;

/// Reports an error on standard error and gives the process's exit code.
pub fn exit_code(result: Result) -> ExitCode {
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::from(1),
        Err(Stop::Rejected(report)) => {
            eprintln!("{report:?}");
            ExitCode::from(1)
        }
        Err(Stop::Unable(report)) => {
            eprintln!("{report:?}");
            ExitCode::from(2)
        }
    }
}
