//! A virtual environment, made of a lock.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use opml_toolchain::progress::{Progress, Unit};
use opml_toolchain::provision::Options;
use opml_toolchain::provision::cache::Cache;

use crate::error::PythonError;
use crate::interpreter::Interpreter;
use crate::requirements::Requirements;
use crate::{pip, place};

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

/// An environment that is whole.
#[derive(Clone, Debug)]
pub struct Environment {
    root: PathBuf,
}

/// The environment of `requirements`; makes it if it is not there.
///
/// # Errors
/// [`PythonError`], which says what to do.
pub fn ensure(
    requirements: &Requirements,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Environment, PythonError> {
    let (cache, interpreter) = (cache(options)?, interpreter(options)?);
    let root = place::provide(&cache, &requirements.id(&interpreter.tag), progress, |partial| {
        if options.offline {
            let (environment, cache) = (requirements.name, cache.root().to_owned());
            return Err(PythonError::Offline { environment, cache });
        }
        make(requirements, &interpreter, partial, progress)
    })?;
    Environment { root }.checked()
}

/// The environment that [`ensure`] would give if it may change nothing; `None` if it is not there.
///
/// # Errors
/// [`PythonError::NoPython`], and those of an environment that can't be used.
pub fn find(requirements: &Requirements, options: &Options) -> Result<Option<Environment>, PythonError> {
    let root = cache(options)?.toolchain(&requirements.id(&interpreter(options)?.tag));
    root.is_dir().then(|| Environment { root }.checked()).transpose()
}

fn interpreter(options: &Options) -> Result<Interpreter, PythonError> {
    let search_path = options.search_path.clone().or_else(|| std::env::var_os("PATH"));
    Interpreter::find(&search_path.unwrap_or_default())
}

pub(crate) fn cache(options: &Options) -> Result<Cache, PythonError> {
    Ok(Cache::new(options.cache_dir.as_deref())?)
}

fn make(
    requirements: &Requirements,
    interpreter: &Interpreter,
    root: &Path,
    progress: &dyn Progress,
) -> Result<(), PythonError> {
    let venv = Command::new(&interpreter.program).args(["-I", "-m", "venv"]).arg(root).output();
    let venv = venv.map_err(PythonError::io("run", &interpreter.program))?;
    if !venv.status.success() {
        // It says on standard output what Debian's package lacks.
        let text = [&venv.stdout[..], &venv.stderr[..]].concat();
        let program = interpreter.program.clone();
        return Err(PythonError::NoVenv { program, tail: tail(&String::from_utf8_lossy(&text)) });
    }
    let lock = root.join("requirements.txt");
    fs::write(&lock, requirements.lock).map_err(PythonError::io("write", &lock))?;
    let made = Environment { root: root.to_owned() };
    pip::install(&made.python(), requirements, &lock, progress)?;
    let imports: Vec<_> = requirements.modules.iter().map(|module| format!("import {module}\n")).collect();
    let check = root.join("check.py");
    fs::write(&check, imports.concat()).map_err(PythonError::io("write", &check))?;
    made.run(&check, &[], &format!("try {}", requirements.name), progress)
}

impl Environment {
    fn python(&self) -> PathBuf {
        self.root.join("bin/python")
    }

    /// The interpreter that an environment was made with may be gone.
    fn checked(self) -> Result<Self, PythonError> {
        let python = self.python();
        if python.is_file() { Ok(self) } else { Err(PythonError::Damaged { root: self.root, python }) }
    }

    /// Runs the program `script` with `arguments`. Modules beside it are found, and so is nothing else of the user's.
    ///
    /// # Errors
    /// [`PythonError::Script`] if it fails, with its last lines.
    pub(crate) fn run(
        &self,
        script: &Path,
        arguments: &[OsString],
        label: &str,
        progress: &dyn Progress,
    ) -> Result<(), PythonError> {
        let _task = progress.start(label, 0, Unit::Items);
        let folder = script.parent().unwrap_or(Path::new("/"));
        let mut command = Command::new(self.python());
        command.env_clear().envs(SET);
        command.envs(PASSED_ON.iter().filter_map(|(name, _)| Some((name, std::env::var_os(name)?))));
        // Frameworks keep their users' settings there.
        command.env("HOME", folder);
        // Without the user's packages.
        command.arg("-s").arg(script).args(arguments).current_dir(folder).stdin(Stdio::null());
        let output = command.output().map_err(PythonError::io("run", &self.python()))?;
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
}

/// The last [`TAIL_LINES`] lines of `text`.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
