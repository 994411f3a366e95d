//! The system's package manager, used rootless: its sources and its trust are the system's, its lists, its
//! cache and its state are private. Nothing of the system is changed.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use super::error::ProvisionError;
use super::lock::Package;
use super::search;
use crate::progress::{Progress, Task, Unit};

/// How often the growth of the downloads is looked at.
const POLL: Duration = Duration::from_millis(100);
/// How often, and how long apart, a lock that a dying process still holds is tried.
const LOCK_TRIES: usize = 30;
const LOCK_PAUSE: Duration = Duration::from_secs(1);
/// How much of what the package manager printed is kept, in bytes: every error line of a lock's packages.
const KEPT_OUTPUT: usize = 256 << 10;

/// The package manager with a private state.
pub struct Apt<'a> {
    apt_get: PathBuf,
    search_path: &'a OsStr,
    config: PathBuf,
    /// What an update that went through could not fetch: a package may be missing because of it.
    incomplete: Option<String>,
}

/// How one run ended, and what it printed.
struct Run {
    status: ExitStatus,
    text: String,
}

impl<'a> Apt<'a> {
    /// Finds `apt-get` in `search_path` and lays out its private state in `dir`.
    ///
    /// # Errors
    /// [`ProvisionError::NoApt`]; [`ProvisionError::Io`] if the state can't be written.
    pub fn new(search_path: &'a OsStr, dir: &Path) -> Result<Self, ProvisionError> {
        let apt_get = search::program("apt-get", search_path).ok_or(ProvisionError::NoApt)?;
        for folder in ["state/lists/partial", "cache/archives/partial"] {
            let folder = dir.join(folder);
            fs::create_dir_all(&folder).map_err(ProvisionError::io("make", &folder))?;
        }
        let config = dir.join("apt.conf");
        for (path, text) in [(&config, configuration(dir)), (&dir.join("state/status"), String::new())] {
            fs::write(path, text).map_err(ProvisionError::io("write", path))?;
        }
        Ok(Self { apt_get, search_path, config, incomplete: None })
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // It inherits the environment: proxies and certificates are found through it, and what it brings
        // is checked against the lock. Its messages are read, so they have to be in one language.
        command.arg("--config-file").arg(&self.config).env("PATH", self.search_path).env("LC_ALL", "C");
        command
    }

    /// Fetches the package lists.
    ///
    /// # Errors
    /// [`ProvisionError::Apt`], [`ProvisionError::DiskFull`], [`ProvisionError::Io`].
    pub fn update(&mut self, progress: &dyn Progress) -> Result<(), ProvisionError> {
        let _task = progress.start("package lists", 0, Unit::Items);
        for attempt in 1.. {
            let run = run(self.command(&self.apt_get).args(["--quiet", "update"]), |_| ())?;
            let held = run.text.contains("Could not get lock") || run.text.contains("Unable to lock");
            if held && attempt < LOCK_TRIES {
                thread::sleep(LOCK_PAUSE);
                continue;
            }
            if !run.status.success() {
                return Err(self.failure("apt-get update", &run));
            }
            // Sources that have nothing to do with us may be broken; whether it matters shows later.
            self.incomplete = run.text.contains("Failed to fetch").then(|| search::tail(&run.text));
            break;
        }
        Ok(())
    }

    /// Downloads `packages` into `folder`, each with a task of its own.
    ///
    /// # Errors
    /// [`ProvisionError::Vanished`] naming each package the sources lack; else [`ProvisionError::Apt`],
    /// [`ProvisionError::DiskFull`], [`ProvisionError::Io`].
    pub fn download(
        &self,
        packages: &[&Package],
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<(), ProvisionError> {
        let mut command = self.command(&self.apt_get);
        command.args(["--quiet", "download"]).args(packages.iter().map(|package| package.to_string()));
        command.current_dir(folder);
        let mut growth = Growth { packages, folder, progress, tasks: BTreeMap::new() };
        let run = run(&mut command, |_| growth.look())?;
        growth.look();
        if run.status.success() {
            return Ok(());
        }
        let gone: Vec<_> = packages.iter().filter(|package| is_gone(package, &run.text)).collect();
        match &self.incomplete {
            Some(tail) if !gone.is_empty() => Err(ProvisionError::Apt {
                command: "apt-get update",
                status: "some package lists could not be fetched".into(),
                tail: tail.clone(),
            }),
            None if !gone.is_empty() => Err(ProvisionError::Vanished {
                packages: gone.iter().map(|package| package.to_string()).collect(),
            }),
            _ => Err(self.failure("apt-get download", &run)),
        }
    }

    /// The records of the newest versions of `names` (`deb-control(5)`), as the lists have them.
    ///
    /// # Errors
    /// [`ProvisionError::NoApt`], [`ProvisionError::DoesNotRun`].
    pub fn show(&self, names: &[&str]) -> Result<String, ProvisionError> {
        let apt_cache = search::program("apt-cache", self.search_path).ok_or(ProvisionError::NoApt)?;
        search::output(self.command(&apt_cache).args(["show", "--no-all-versions"]).args(names))
    }

    fn failure(&self, command: &'static str, run: &Run) -> ProvisionError {
        if run.text.contains("No space left on device") || run.text.contains("enough free space") {
            return ProvisionError::DiskFull { path: self.config.with_file_name("") };
        }
        ProvisionError::Apt { command, status: run.status.to_string(), tail: search::tail(&run.text) }
    }
}

/// The options that make a run private, each with its reason. The system's own configuration is read before.
fn configuration(dir: &Path) -> String {
    // Text without quotes, by the checks of `Cache::new`.
    let dir = dir.display();
    [
        // Lists, cache and log of its own.
        format!("Dir::State \"{dir}/state\";"),
        format!("Dir::Cache \"{dir}/cache\";"),
        format!("Dir::Log \"{dir}/log\";"),
        // No package counts as installed.
        format!("Dir::State::status \"{dir}/state/status\";"),
        // Containers often switch the parsed lists off; they save a second at each run.
        "Dir::Cache::pkgcache \"pkgcache.bin\";".into(),
        // As root it would change to a user who can't write here.
        "APT::Sandbox::User \"\";".into(),
        // Hooks of the system act on the system.
        "#clear APT::Update::Pre-Invoke;".into(),
        "#clear APT::Update::Post-Invoke;".into(),
        "#clear APT::Update::Post-Invoke-Success;".into(),
        // A network that is not there is an error within minutes, one that stumbles is none.
        "Acquire::Retries \"2\";".into(),
        "Acquire::http::Timeout \"30\";".into(),
        "Acquire::https::Timeout \"30\";".into(),
        // Lists that name no packages.
        "Acquire::Languages \"none\";".into(),
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";".into(),
        "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled \"false\";".into(),
        String::new(),
    ]
    .join("\n")
}

/// Whether the package manager's messages say that its sources lack `package`: unknown to the lists, or
/// named by them and no longer served.
fn is_gone(package: &Package, text: &str) -> bool {
    let (name, file) = (package.name(), package.file_name().replace("%3a", ":"));
    // The file's name in an address has no epoch.
    let served = match file.split_once(':') {
        Some((start, rest)) => format!("{}_{rest}", start.split('_').next().unwrap_or_default()),
        None => file,
    };
    text.lines().any(|line| {
        let line = line.replace("%2b", "+").replace("%7e", "~");
        line.ends_with(&format!("Unable to locate package {name}"))
            || line.contains(&format!("Version '{}' for '{name}' was not found", package.version()))
            || line.contains(&format!("Package '{name}' has no installation candidate"))
            || (line.contains("Failed to fetch")
                && line.contains(" 404 ")
                && line.contains(&format!("/{served}")))
    })
}

/// Runs `command` to its end, looking at its downloads meanwhile, and gathers what it prints. Through a
/// pipe, so that it ends soon after this process does.
fn run(command: &mut Command, mut look: impl FnMut(&mut Child)) -> Result<Run, ProvisionError> {
    let program = PathBuf::from(command.get_program());
    let failed = |source| ProvisionError::Io { doing: "run", path: program.clone(), source };
    let (reader, writer) = io::pipe().map_err(failed)?;
    command.stdin(Stdio::null()).stdout(writer.try_clone().map_err(failed)?).stderr(writer);
    let mut child = search::patiently(|| command.spawn()).map_err(failed)?;
    // The command holds the writing ends; the reader sees the end only when they are closed.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    thread::scope(|scope| {
        let text = scope.spawn(|| read_last(reader));
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break Ok(status),
                Ok(None) => look(&mut child),
                Err(error) => break Err(failed(error)),
            }
            thread::sleep(POLL);
        };
        let text = text.join().unwrap_or_default();
        Ok(Run { status: status?, text })
    })
}

/// The last [`KEPT_OUTPUT`] bytes, or a little more, that come from `reader`.
fn read_last(mut reader: impl Read) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = reader.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..n]);
        if kept.len() > 2 * KEPT_OUTPUT {
            kept.drain(..kept.len() - KEPT_OUTPUT);
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// Shows each download by the growth of its file.
struct Growth<'a> {
    packages: &'a [&'a Package],
    folder: &'a Path,
    progress: &'a dyn Progress,
    /// The tasks by package; `None` when it is done.
    tasks: BTreeMap<&'a str, Option<Box<dyn Task + 'a>>>,
}

impl Growth<'_> {
    fn look(&mut self) {
        for package in self.packages {
            let path = self.folder.join(package.file_name());
            let Ok(length) = path.metadata().map(|meta| meta.len()) else { continue };
            let (progress, name) = (self.progress, package.name());
            let started = || Some(progress.start(name, package.size(), Unit::Bytes));
            let slot = self.tasks.entry(name).or_insert_with(started);
            if let Some(task) = slot {
                task.set(length);
            }
            if length >= package.size() {
                *slot = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lock::Lock;
    use super::*;

    #[test]
    fn messages_name_the_packages_that_are_gone() {
        let lock = Lock::guest().unwrap();
        let find = |name: &str| lock.packages().iter().find(|package| package.name() == name).unwrap();
        let lld = find("lld-19");
        let text = |line: &str| line.replace("VERSION", lld.version());
        assert!(is_gone(lld, "E: Unable to locate package lld-19"));
        assert!(is_gone(lld, &text("E: Version 'VERSION' for 'lld-19' was not found")));
        let served = lld.version().split_once(':').unwrap().1;
        let line = format!("E: Failed to fetch mirror://pool/l/lld-19_{served}_amd64.deb  404  Not Found");
        assert!(is_gone(lld, &line));
        assert!(!is_gone(find("clang-19"), &line));
        assert!(!is_gone(lld, "E: Unable to locate package lld-19-dev"));
        assert!(!is_gone(lld, "E: Failed to fetch mirror://pool/l/lld-19.deb  Could not resolve"));
    }

    #[test]
    fn only_the_end_of_a_long_output_is_kept() {
        let long = "x".repeat(5 * KEPT_OUTPUT) + "end";
        let kept = read_last(long.as_bytes());
        assert!(kept.ends_with("xend") && kept.len() <= 2 * KEPT_OUTPUT + 4096);
    }
}
