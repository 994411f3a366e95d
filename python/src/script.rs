//! Runs the programs of `scripts/`: a job goes in as JSON, a report comes out as JSON.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use opml_toolchain::progress::{Progress, Unit};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::error::PythonError;

/// How many lines of what a program printed are shown.
const TAIL_LINES: usize = 15;

/// Variables of the user that scripts get, each with the reason. All others are kept from them.
const PASSED_ON: [(&str, &str); 3] = [
    ("PATH", "frameworks ask programs there about the processor"),
    ("TMPDIR", "intermediate files go there"),
    ("LD_LIBRARY_PATH", "some interpreters find their own library by it"),
];

/// Variables that are set for every script, each with the reason.
const SET: [(&str, &str); 6] = [
    // Text is UTF-8, and messages are the same everywhere.
    ("LC_ALL", "C.UTF-8"),
    // Sets have one order.
    ("PYTHONHASHSEED", "0"),
    // Models are small, and what they give must not depend on a graphics card.
    ("CUDA_VISIBLE_DEVICES", ""),
    ("KERAS_BACKEND", "tensorflow"),
    ("TF_CPP_MIN_LOG_LEVEL", "2"),
    // Its sums in another order would count as differences of a conversion.
    ("TF_ENABLE_ONEDNN_OPTS", "0"),
];

/// A program, the modules it imports, and the folder they are run in.
pub struct Script {
    folder: TempDir,
    name: &'static str,
}

/// What a script has to say about what it was asked to do.
pub enum Answer<T> {
    /// It is done.
    Done(T),
    /// It can't be done: why, and what the user can do.
    Refused { what: String, help: String },
}

impl Script {
    /// Lays out `files`, each a name and a text; the first one is the program.
    ///
    /// # Errors
    /// [`PythonError::Io`].
    pub fn new(files: &[(&'static str, &str)]) -> Result<Self, PythonError> {
        let folder = tempfile::tempdir().map_err(PythonError::io("make", &std::env::temp_dir()))?;
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::write(&path, text).map_err(PythonError::io("write", &path))?;
        }
        Ok(Self { folder, name: files.first().map_or("", |(name, _)| name) })
    }

    /// Where the script writes a file `name`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program with `job`, to which the name of the report is added.
    ///
    /// # Errors
    /// [`PythonError::Script`] if it fails or reports something else.
    pub fn run<T: DeserializeOwned>(
        &self,
        python: &Path,
        mut job: Value,
        label: &str,
        progress: &dyn Progress,
    ) -> Result<Answer<T>, PythonError> {
        let (path, report) = (self.file("job.json"), self.file("report.json"));
        job["report"] = json!(report);
        fs::write(&path, job.to_string()).map_err(PythonError::io("write", &path))?;
        run(python, &self.file(self.name), path.as_os_str(), label, progress)?;
        let bytes = fs::read(&report).map_err(PythonError::io("read", &report))?;
        let strange = |error: serde_json::Error| PythonError::Script {
            script: self.name.to_owned(),
            status: "it said that all went well".into(),
            tail: format!("its report: {error}"),
        };
        let value: Value = serde_json::from_slice(&bytes).map_err(strange)?;
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        if value.get("refused").is_some() {
            return Ok(Answer::Refused { what: text("refused"), help: text("help") });
        }
        serde_json::from_value(value).map(Answer::Done).map_err(strange)
    }
}

/// Runs the program `script` with `argument`. Modules beside it are found, and so is nothing else of the user's.
///
/// # Errors
/// [`PythonError::Script`] if it fails, with its last lines.
pub fn run(
    python: &Path,
    script: &Path,
    argument: &OsStr,
    label: &str,
    progress: &dyn Progress,
) -> Result<(), PythonError> {
    let _task = progress.start(label, 0, Unit::Items);
    let folder = script.parent().unwrap_or(Path::new("/"));
    let mut command = Command::new(python);
    command.env_clear().envs(SET);
    command.envs(PASSED_ON.iter().filter_map(|(name, _)| Some((name, std::env::var_os(name)?))));
    // Frameworks keep their users' settings there.
    command.env("HOME", folder);
    // Without the user's packages.
    command.arg("-s").arg(script).arg(argument).current_dir(folder).stdin(Stdio::null());
    let output = command.output().map_err(PythonError::io("run", python))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    Err(PythonError::Script {
        script: script.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        status: output.status.to_string(),
        tail: tail(&String::from_utf8_lossy(&text)),
    })
}

/// The last [`TAIL_LINES`] lines of `text`.
pub fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
