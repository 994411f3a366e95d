//! How commands end: the exit code, and the report of an error.

use std::process::ExitCode;

use miette::{Diagnostic, MietteHandlerOpts, Report, ReportHandler};

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

/// Sets how errors are printed; to be called before the first one is made.
pub fn set_report_style() {
    // Paths, hashes and names are copied out of messages: they are not broken across lines.
    let handler =
        |_: &_| Box::new(MietteHandlerOpts::new().wrap_lines(false).build()) as Box<dyn ReportHandler>;
    miette::set_hook(Box::new(handler)).expect("it is set once, before any report");
}

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
