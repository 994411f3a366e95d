//! Running the toolchain's programs.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::BuildError;
use crate::provision::{Tool, Toolchain};

/// What cargo reads wherever it is started (cargo book, "Configuration").
const GLOBAL_CONFIGURATION: [&str; 2] = ["/.cargo/config.toml", "/.cargo/config"];

/// `cargo build`, or another `subcommand` that takes its options, of the package or workspace in `dir` with the settings of a `profile`, without network.
///
/// cargo reads configuration files of all folders above the one it is started in, the user's home often
/// among them, and merges them with what is given here: a `[profile.release.package]`, an `[env]` or an
/// `[unstable]` there would change how a guest is compiled. It goes by the working directory and not by
/// the package, so it is started where there is nothing above. Paths given to it have to be absolute.
///
/// # Errors
/// [`BuildError::CargoConfiguration`] if there is a configuration even there.
pub(crate) fn cargo_build(
    toolchain: &Toolchain,
    subcommand: &str,
    dir: &Path,
    profile: &toml::Table,
    rustflags: &str,
) -> Result<Command, BuildError> {
    if let Some(path) = GLOBAL_CONFIGURATION.iter().map(Path::new).find(|path| path.exists()) {
        return Err(BuildError::CargoConfiguration { path: path.to_owned() });
    }
    let mut command = toolchain.command(Tool::Cargo);
    command.current_dir("/").args([subcommand, "--release", "--offline"]);
    command.arg("--manifest-path").arg(dir.join("Cargo.toml"));
    for (key, value) in profile {
        command.arg("--config").arg(format!("profile.release.{key}={value}"));
    }
    command.env("CARGO_ENCODED_RUSTFLAGS", rustflags);
    // Empty: no wrapper around the compiler.
    command.env("RUSTC_WRAPPER", "").env("RUSTC_WORKSPACE_WRAPPER", "");
    Ok(command)
}

/// Makes cargo take the crates of its registry from the directory source `folder`.
pub(crate) fn use_vendored(command: &mut Command, folder: &Path) {
    // As TOML's own string, whatever characters the path has.
    let folder = toml::Value::from(folder.display().to_string());
    command.args(["--config", "source.crates-io.replace-with='vendored'"]);
    command.arg("--config").arg(format!("source.vendored.directory={folder}"));
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
