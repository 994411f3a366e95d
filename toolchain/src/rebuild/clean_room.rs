//! A whole system to build in: the base system of a Debian release in a folder, made anew by `mmdebstrap`, with the packages
//! that the Containerfile asks for and nothing else.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use miette::Diagnostic;
use thiserror::Error;

use super::containerfile::{Containerfile, ContainerfileError, Step};
use super::fresh::{self, NETWORK};
use crate::error::BuildError;
use crate::progress::{Progress, Unit};
use crate::sources::copy_checkout;

/// The program that makes the base system.
const MAKER: &str = "mmdebstrap";

/// Why a clean room could not be used.
#[derive(Debug, Error, Diagnostic)]
pub enum CleanRoomError {
    /// The program that makes it is not there.
    #[error("{MAKER} could not be started")]
    #[diagnostic(help(
        "install it with the system's package manager (Debian: `apt-get install mmdebstrap`)"
    ))]
    NoMaker(#[source] io::Error),

    /// The Containerfile has other steps than it can take.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Containerfile(#[from] ContainerfileError),

    /// The sources could not be read, or a file not be written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Build(#[from] BuildError),

    /// A step failed.
    #[error("the clean room ended with {status}; the end of what it printed:\n{tail}")]
    #[diagnostic(help("the whole is in {}", log.display()))]
    Failed {
        /// How it ended.
        status: String,
        /// The last lines.
        tail: String,
        /// Where all lines are.
        log: PathBuf,
    },
}

/// What is done in a clean room besides the steps of the Containerfile.
#[derive(Clone, Debug)]
pub struct CleanRoom<'a> {
    /// The checkout, with its Containerfile.
    pub source: &'a Path,
    /// A folder of this machine whose files are brought in, to `/given`.
    pub brought: &'a Path,
    /// The arguments of `cargo xtask` in the checkout, after the Containerfile's steps. They write to `/rebuilt`.
    pub arguments: &'a [String],
    /// A folder for what they write, which is empty.
    pub out: &'a Path,
    /// Where the log goes.
    pub log: &'a Path,
}

impl CleanRoom<'_> {
    /// Makes the system, takes the steps, copies what came out, and lets the system go.
    ///
    /// # Errors
    /// [`CleanRoomError`].
    pub fn run(&self, progress: &dyn Progress) -> Result<(), CleanRoomError> {
        let path = self.source.join("Containerfile");
        let recipe = fs::read_to_string(&path).map_err(BuildError::io("read", &path))?;
        let recipe = Containerfile::parse(&recipe)?;
        let dir = tempfile::Builder::new().prefix("opml-clean-room-").tempdir();
        let dir = dir.map_err(BuildError::io("make", &std::env::temp_dir()))?;
        let copy = dir.path().join("source");
        copy_checkout(self.source, &copy)?;
        fresh::copy_git(&self.source.join(".git"), &copy.join(".git"))?;
        let hook = self.write_hook(&recipe, dir.path())?;
        let _task =
            progress.start("build in a clean room (a base system, all tools compiled)", 0, Unit::Items);
        let log = File::create(self.log).map_err(BuildError::io("write", self.log))?;
        let other = log.try_clone().map_err(BuildError::io("write", self.log))?;
        let mut command = Command::new(MAKER);
        // The smallest system that has a package manager.
        command.arg("--variant=minbase").arg(format!("--customize-hook={}", hook.display()));
        // The folder goes when the hook has ended.
        command.arg("--format=null").arg(&recipe.release).arg("/dev/null");
        let status = command.stdin(Stdio::null()).stdout(log).stderr(other).status();
        let status = status.map_err(CleanRoomError::NoMaker)?;
        if status.success() {
            return Ok(());
        }
        let text = fs::read(self.log).map_err(BuildError::io("read", self.log))?;
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(20)..].join("\n");
        Err(CleanRoomError::Failed { status: status.to_string(), tail, log: self.log.to_owned() })
    }

    /// Writes what is done with the system, as a program that gets the system's folder. Each command is a file of its own that is
    /// run inside, so that nothing is quoted but paths of temporary folders.
    fn write_hook(&self, recipe: &Containerfile, dir: &Path) -> Result<PathBuf, CleanRoomError> {
        let steps = dir.join("steps");
        let mut hook = String::from("#!/bin/sh\nset -eu\nroot=$1\n");
        // mmdebstrap's messages aside, the log shows each step before what it prints.
        let _ = writeln!(
            hook,
            "mkdir -p \"$root/given\" \"$root/rebuilt\"\ncp -R {} \"$root/steps\"",
            quoted(&steps.display())
        );
        let run = |hook: &mut String, number: usize, folder: &str, command: &str| {
            let path = steps.join(number.to_string());
            let _ = writeln!(hook, "echo {}", quoted(&format!("=== {command}")));
            let _ =
                writeln!(hook, "chroot \"$root\" env -i {ENVIRONMENT} {} sh -e /steps/{number}", network());
            crate::work_dir::write_new(&path, format!("cd {folder}\n{command}\n").as_bytes())
        };
        let mut source = "/".to_owned();
        for (number, step) in recipe.steps.iter().enumerate() {
            match step {
                Step::Run { command, folder } => run(&mut hook, number, folder, command)?,
                Step::Source { folder } => {
                    source = folder.clone();
                    let from = quoted(&dir.join("source").display());
                    let _ = writeln!(hook, "mkdir -p \"$root{folder}\"\ncp -R {from}/. \"$root{folder}\"");
                    hook += &certificates();
                }
            }
        }
        let _ = writeln!(hook, "cp -R {}/. \"$root/given\"", quoted(&self.brought.display()));
        let words: Vec<String> = self.arguments.iter().map(quoted).collect();
        run(&mut hook, recipe.steps.len(), &source, &format!("cargo xtask {}", words.join(" ")))?;
        let _ = writeln!(hook, "cp -R \"$root/rebuilt/.\" {}", quoted(&self.out.display()));
        let path = dir.join("hook");
        crate::work_dir::write_new(&path, hook.as_bytes())?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
            .map_err(BuildError::io("write", &path))?;
        Ok(path)
    }
}

/// As one word of a shell.
fn quoted(text: &impl ToString) -> String {
    format!("'{}'", text.to_string().replace('\'', r"'\''"))
}

/// What a shell in a container has.
const ENVIRONMENT: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive";

/// The variables that say how the network is reached from here, for `env`.
fn network() -> String {
    let mut words = Vec::new();
    for (name, _) in NETWORK.iter().filter(|(name, _)| name.to_lowercase().ends_with("proxy")) {
        let value = std::env::var(name).unwrap_or_default();
        if !value.is_empty() {
            words.push(format!("{name}={}", quoted(&value)));
        }
    }
    words.join(" ")
}

/// The certificates by which this machine trusts its way to the network, where a variable names them: behind a company's
/// proxy nothing could be fetched else. All that is fetched is checked by hash.
fn certificates() -> String {
    let copy = |path| format!("cp {} \"$root/etc/ssl/certs/ca-certificates.crt\"\n", quoted(&path));
    std::env::var("SSL_CERT_FILE").map_or_else(|_| String::new(), copy)
}
