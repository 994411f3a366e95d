//! Running the toolchain's programs.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::BuildError;
use crate::flags;
use crate::provision::{Tool, Toolchain};

/// A `cargo build` of a guest or of its library, in `dir`, without network.
///
/// cargo reads configuration files of all folders above, the user's home often among them. What is given
/// here on the command line and in the environment comes before theirs (cargo book, "Configuration"), so
/// none of them can change how a guest is compiled.
pub(crate) fn cargo_build(toolchain: &Toolchain, dir: &Path, rustflags: &str) -> Command {
    let mut command = toolchain.command(Tool::Cargo);
    command.current_dir(dir).args(["build", "--release", "--offline"]);
    for (key, value) in flags::profile() {
        command.arg("--config").arg(format!("profile.release.{key}={value}"));
    }
    command.env("CARGO_ENCODED_RUSTFLAGS", rustflags);
    // Empty: no wrapper around the compiler.
    command.env("RUSTC_WRAPPER", "").env("RUSTC_WORKSPACE_WRAPPER", "");
    command
}

/// Runs `command` to its end and gives back what it printed.
///
/// # Errors
/// [`BuildError::Tool`] with its output if it fails.
pub(crate) fn run(
    command: &mut Command,
    stage: &'static str,
    help: &'static str,
) -> Result<String, BuildError> {
    let failed = |output: String| BuildError::Tool { stage, output, help };
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|e| failed(format!("{}: {e}", command.get_program().display())))?;
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&text).trim_end().to_owned();
    if output.status.success() { Ok(text) } else { Err(failed(text)) }
}
