//! Running the toolchain's programs.

use std::process::{Command, Stdio};

use crate::error::BuildError;

/// Runs `command` to its end and gives back what it printed.
///
/// # Errors
/// [`BuildError::Tool`] with its output if it fails.
pub(crate) fn run(command: &mut Command, stage: &'static str, help: &'static str) -> Result<String, BuildError> {
    let failed = |output: String| BuildError::Tool { stage, output, help };
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|e| failed(format!("{}: {e}", command.get_program().display())))?;
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&text).trim_end().to_owned();
    if output.status.success() { Ok(text) } else { Err(failed(text)) }
}
