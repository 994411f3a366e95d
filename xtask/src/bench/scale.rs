//! How builds scale: a model of 1 GiB of generated weights, beside reading and hashing its file once.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use miette::Diagnostic;
use opml_frontend::{ModelFile, ModelFileError};
use serde::Serialize;
use thiserror::Error;

use super::large_model::{self, LAYER_BYTES};

/// Layers of the model: 1 GiB of weights.
const LAYERS: u32 = 16;

/// Time between two looks at a build's memory.
const INTERVAL: Duration = Duration::from_millis(10);

/// What a build of a large model takes.
#[derive(Debug, Serialize)]
pub struct ScaleFigures {
    /// Bytes of the weights.
    pub weight_bytes: u64,
    /// Reading the model's file into memory and hashing it, in seconds: the best of several.
    pub read_and_hash_seconds: f64,
    /// A build that finds its guest compiled, in seconds.
    pub build_seconds: f64,
    /// The second by the first.
    pub times_read_and_hash: f64,
    /// The most memory that the build and its children had resident at once, in bytes.
    pub peak_bytes: u64,
    /// That by the weights.
    pub peak_by_weights: f64,
}

/// Why the build of the large model was not measured.
#[derive(Debug, Error, Diagnostic)]
pub enum ScaleError {
    /// The model, or the build, could not be had from the system.
    #[error("cannot {action} the generated model of 1 GiB in {}", path.display())]
    #[diagnostic(help("it takes 8 GiB of disk there; TMPDIR names another place"))]
    System {
        /// What was tried.
        action: &'static str,
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The model could not be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] ModelFileError),
    /// The build failed.
    #[error("the build of the generated model of 1 GiB failed:\n{0}")]
    Build(String),
}

/// Builds the model in the folder `dir`, twice, so that the second build finds its guest compiled.
pub fn measure(dir: &Path) -> Result<ScaleFigures, ScaleError> {
    let system = |action| {
        let path = dir.to_owned();
        move |source| ScaleError::System { action, path, source }
    };
    let model = dir.join("large.onnx");
    let write = || {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&model)?);
        large_model::write(LAYERS, &mut out)?;
        out.flush()
    };
    write().map_err(system("write"))?;
    let out = dir.join("large");
    build(&model, &out).map_err(system("build"))?.ended?;
    // Of the first of these, the system may still read the file from the disk.
    let mut read_and_hash = f64::MAX;
    for _ in 0..3 {
        read_and_hash = read_and_hash.min(seconds(|| ModelFile::read(&model).map(drop))?);
    }
    fs::remove_dir_all(&out).map_err(system("remove the build of"))?;
    let built = build(&model, &out).map_err(system("build"))?;
    built.ended?;
    // The other end, so that a machine that has other work now and then does not favour one of the two.
    read_and_hash = read_and_hash.min(seconds(|| ModelFile::read(&model).map(drop))?);
    for path in [&model, &out] {
        let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        removed.map_err(system("remove"))?;
    }
    let weight_bytes = u64::from(LAYERS) * LAYER_BYTES;
    Ok(ScaleFigures {
        weight_bytes,
        read_and_hash_seconds: read_and_hash,
        build_seconds: built.seconds,
        times_read_and_hash: built.seconds / read_and_hash,
        peak_bytes: built.peak_bytes,
        peak_by_weights: built.peak_bytes as f64 / weight_bytes as f64,
    })
}

fn seconds<E>(work: impl FnOnce() -> Result<(), E>) -> Result<f64, E> {
    let started = Instant::now();
    work()?;
    Ok(started.elapsed().as_secs_f64())
}

struct Build {
    seconds: f64,
    peak_bytes: u64,
    ended: Result<(), ScaleError>,
}

/// Builds `model` in a process of its own, whose memory is looked at meanwhile.
fn build(model: &Path, out: &Path) -> std::io::Result<Build> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["build-model", "--offline", "--format", "json"]).arg(model).arg("--out").arg(out);
    let started = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let id = child.id();
    let waiting = thread::spawn(move || child.wait_with_output());
    let mut peak = 0;
    while !waiting.is_finished() {
        // The highest that the system saw of the build alone, and what is there of all of them now.
        peak = peak.max(memory(id, "VmHWM:")).max(resident(id));
        thread::sleep(INTERVAL);
    }
    let seconds = started.elapsed().as_secs_f64();
    let output = waiting.join().map_err(|_| std::io::Error::other("the wait for it ended early"))??;
    let message = || ScaleError::Build(String::from_utf8_lossy(&output.stderr).into_owned());
    Ok(Build {
        seconds,
        peak_bytes: peak,
        ended: if output.status.success() { Ok(()) } else { Err(message()) },
    })
}

/// Bytes of memory that a process and all it has started have resident.
fn resident(id: u32) -> u64 {
    let mut all = memory(id, "VmRSS:");
    let program = fs::read_link(format!("/proc/{id}/exe")).ok();
    for child in children(id) {
        // A child that has not begun its own program yet still shows the memory of its parent.
        if fs::read_link(format!("/proc/{child}/exe")).ok() != program {
            all += resident(child);
        }
    }
    all
}

fn children(id: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// A line of a process's `status`, in bytes; 0 for one that has ended.
fn memory(id: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    1024 * kibibytes.unwrap_or(0)
}
