//! A virtual environment, made of a lock.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use opml_toolchain::progress::Progress;
use opml_toolchain::provision::cache::Cache;
use opml_toolchain::provision::{Finding, Options};

use crate::error::PythonError;
use crate::interpreter::{self, Interpreter};
use crate::requirements::Requirements;
use crate::script::tail;
use crate::{pip, place, script};

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

/// The Python that environments would be made with, as `doctor` shows what it finds.
pub fn doctor(options: &Options) -> Finding {
    interpreter::finding(interpreter(options))
}

pub(crate) fn interpreter(options: &Options) -> Result<Interpreter, PythonError> {
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
    let imports: String = requirements.modules.iter().map(|module| format!("import {module}\n")).collect();
    let check = root.join("check.py");
    for text in requirements.finish.into_iter().chain([imports.as_str()]) {
        fs::write(&check, text).map_err(PythonError::io("write", &check))?;
        script::run(&made.python(), &check, OsStr::new(""), &format!("try {}", requirements.name), progress)?;
    }
    Ok(())
}

impl Environment {
    /// Its interpreter.
    pub(crate) fn python(&self) -> PathBuf {
        self.root.join("bin/python")
    }

    /// The interpreter that an environment was made with may be gone.
    fn checked(self) -> Result<Self, PythonError> {
        let python = self.python();
        if python.is_file() { Ok(self) } else { Err(PythonError::Damaged { root: self.root, python }) }
    }
}
