//! What is there and what is missing, without changing anything.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Serialize;

use super::cache::Cache;
use super::toolchain::{Tool, Toolchain};
use super::{Lock, Options, Provider, ProvisionError, rustup, search};

/// The state of everything a build needs.
#[derive(Clone, Debug, Serialize)]
pub struct DoctorReport {
    /// The cache folder; none if no home directory is known.
    pub cache_dir: Option<PathBuf>,
    /// Space left on its disk, in bytes, for this user.
    pub free_bytes: Option<u64>,
    /// SHA-256 of the lock of the pinned toolchain.
    pub lock_sha256: Option<String>,
    /// The pinned toolchain, tool by tool, or one line on why it is not there.
    pub pinned: Vec<Finding>,
    /// The rustup toolchain, likewise.
    pub rustup: Vec<Finding>,
    /// Programs of the system: the C compiler, the package manager.
    pub system: Vec<Finding>,
}

/// One thing that was looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub name: String,
    /// Where it is, if it is there.
    pub path: Option<PathBuf>,
    /// What it says it is.
    pub version: Option<String>,
    /// What is wrong, if something is.
    pub problem: Option<String>,
    /// How to mend that.
    pub fix: Option<String>,
}

impl DoctorReport {
    /// Whether guests can be built: a toolchain and a C compiler are there.
    pub fn can_build(&self) -> bool {
        let good = |findings: &[Finding]| findings.iter().all(|finding| finding.problem.is_none());
        let cc = self.system.iter().any(|finding| finding.name == "cc" && finding.problem.is_none());
        cc && (good(&self.pinned) || good(&self.rustup))
    }
}

/// Looks for everything; what can't be found out is part of the report.
pub fn doctor(options: &Options) -> DoctorReport {
    let cache = Cache::new(options.cache_dir.as_deref()).ok();
    let free = cache.as_ref().and_then(|cache| free_bytes(cache.root()));
    let pinned = Options { provider: Provider::Pinned, ..options.clone() };
    DoctorReport {
        cache_dir: cache.map(|cache| cache.root().to_owned()),
        free_bytes: free,
        lock_sha256: Lock::guest().ok().map(|lock| lock.sha256().to_owned()),
        pinned: match super::find(&pinned) {
            Ok(Some(toolchain)) => tools(&toolchain),
            Ok(None) => vec![not_installed()],
            Err(error) => vec![problem("pinned toolchain", &error)],
        },
        rustup: match rustup::find(options) {
            Ok(toolchain) => tools(&toolchain),
            Err(error) => vec![problem("rustup toolchain", &error)],
        },
        system: [
            ("cc", "install a C compiler (package gcc): cargo links build scripts with it"),
            (
                "apt-get",
                "without it the pinned toolchain can't be fetched; use a rustup toolchain with rust-src",
            ),
        ]
        .map(|(name, fix)| system_program(name, fix, options))
        .into(),
    }
}

/// Space left on the disk of `path`, or of its nearest parent that exists.
fn free_bytes(path: &Path) -> Option<u64> {
    let existing = path.ancestors().find(|path| path.exists())?;
    let disk = rustix::fs::statvfs(existing).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn tools(toolchain: &Toolchain) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Tool::ALL.map(|tool| tool_finding(toolchain, tool)).into();
    let library = toolchain.rust_library();
    findings.push(Finding {
        name: "rust library source".into(),
        path: Some(library.to_owned()),
        version: None,
        problem: (!library.is_dir()).then(|| "the folder is gone".into()),
        fix: (!library.is_dir()).then(|| "run `cargo xtask toolchain remove`, then `install`".into()),
    });
    findings
}

/// Runs the tool: that it was found does not say that it works.
fn tool_finding(toolchain: &Toolchain, tool: Tool) -> Finding {
    let flag = if tool == Tool::Rustc { "-V" } else { "--version" };
    let found = toolchain.path(tool).and_then(|path| {
        let version = search::output(toolchain.command(tool).arg(flag))?;
        Ok((path.to_owned(), version))
    });
    match found {
        Ok((path, version)) => Finding {
            name: tool.name().into(),
            path: Some(path),
            version: version.lines().next().map(str::to_owned),
            problem: None,
            fix: None,
        },
        Err(error) => problem(tool.name(), &error),
    }
}

fn system_program(name: &str, fix: &str, options: &Options) -> Finding {
    let search_path = options.search_path();
    let path = search::program(name, &search_path);
    let version = path.as_ref().map(|path| search::output(Command::new(path).arg("--version")));
    let problem = match &version {
        None => Some("not on PATH".to_owned()),
        Some(Err(error)) => Some(error.to_string()),
        Some(Ok(_)) => None,
    };
    Finding {
        name: name.into(),
        path,
        version: version.and_then(Result::ok).and_then(|text| text.lines().next().map(str::to_owned)),
        fix: problem.is_some().then(|| fix.to_owned()),
        problem,
    }
}

fn not_installed() -> Finding {
    Finding {
        name: "pinned toolchain".into(),
        path: None,
        version: None,
        problem: Some("not installed".into()),
        fix: Some("run `cargo xtask toolchain install`; a build does it too".into()),
    }
}

fn problem(name: &str, error: &ProvisionError) -> Finding {
    Finding {
        name: name.into(),
        path: None,
        version: None,
        problem: Some(error.to_string()),
        fix: miette::Diagnostic::help(error).map(|help| help.to_string()),
    }
}
