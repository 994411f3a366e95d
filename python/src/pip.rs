//! pip, which brings the packages of a lock, and nothing else.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use opml_toolchain::progress::{Progress, Task, Unit};

use crate::error::PythonError;
use crate::requirements::Requirements;
use crate::script::tail;

/// What of pip's configuration is kept: where packages come from. That the right ones come is left to the hashes.
const KEPT_SETTINGS: [&str; 10] = [
    "cache-dir",
    "cert",
    "client-cert",
    "extra-index-url",
    "find-links",
    "index-url",
    "proxy",
    "retries",
    "timeout",
    "trusted-host",
];

/// Sections of pip's configuration that an installation reads, the later ones over the earlier ones. pip lists what the
/// environment says as `:env:`.
const SECTIONS: [&str; 3] = ["global", "install", ":env:"];

/// Installs the packages of `requirements` into the environment whose program is `python`.
///
/// # Errors
/// [`PythonError::Hashes`], [`PythonError::DiskFull`] or [`PythonError::Pip`], with pip's last lines.
pub fn install(
    python: &Path,
    requirements: &Requirements,
    lock: &Path,
    progress: &dyn Progress,
) -> Result<(), PythonError> {
    let total = requirements.packages() as u64;
    let task = progress.start(&format!("python packages for {}", requirements.name), total, Unit::Items);
    let mut command = Command::new(python);
    // Without the user's packages and variables.
    command.args(["-I", "-m", "pip", "install"]);
    // The lock is complete. A package's own list may ask for more than it needs to run here.
    command.arg("--no-deps");
    // Building a package would run code of it, and give other bytes each time.
    command.args(["--require-hashes", "--only-binary", ":all:"]);
    // Bytecode would name the folder as it is called now; Python writes it when a module is first used.
    command.arg("--no-compile");
    command.args(["--progress-bar", "off", "--requirement"]).arg(lock);
    let settings = settings(&listed(python));
    unsettle(&mut command);
    for (name, value) in settings {
        command.env(variable(&name), value);
    }
    let (success, status, text) = run(&mut command, &*task)?;
    if success {
        return Ok(());
    }
    let environment = requirements.name;
    Err(if text.contains("DO NOT MATCH THE HASHES") {
        PythonError::Hashes { environment, tail: tail(&text) }
    } else if text.contains("No space left on device") {
        PythonError::DiskFull { path: lock.with_file_name("") }
    } else {
        PythonError::Pip { environment, status, tail: tail(&text) }
    })
}

/// Keeps all of the user's settings from pip: an installation elsewhere, other versions, a build of the sources.
fn unsettle(command: &mut Command) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PIP_")) {
        command.env_remove(name);
    }
    // pip reads no file then.
    command.env("PIP_CONFIG_FILE", "/dev/null");
    // It is asked for nothing, so it can't answer; and it is what the interpreter came with.
    command.env("PIP_NO_INPUT", "1").env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
}

fn variable(setting: &str) -> String {
    format!("PIP_{}", setting.to_uppercase().replace('-', "_"))
}

/// What `pip config list` prints. Without it, packages come from where they do by default.
fn listed(python: &Path) -> String {
    let mut command = Command::new(python);
    // -I would keep pip from the variables that are asked for, too.
    let output = command.args(["-s", "-m", "pip", "config", "list"]).stdin(Stdio::null()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

/// The [`KEPT_SETTINGS`] in `text`, which has lines such as `global.index-url='https:...'`.
fn settings(text: &str) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    for section in SECTIONS {
        for line in text.lines() {
            let Some((name, value)) = line.split_once('=') else { continue };
            let Some(name) = name.strip_prefix(section).and_then(|name| name.strip_prefix('.')) else {
                continue;
            };
            // Several values stand on lines of their own, which Python's quotes show as \n.
            let value = value.trim_matches(['\'', '"']).replace("\\n", " ");
            if KEPT_SETTINGS.contains(&name) {
                kept.insert(name.to_owned(), value.trim().to_owned());
            }
        }
    }
    kept
}

/// Runs pip, counts the packages it takes up, and gathers what it prints.
fn run(command: &mut Command, task: &dyn Task) -> Result<(bool, String, String), PythonError> {
    let program = command.get_program().to_owned();
    let failed = |source| PythonError::io("run", Path::new(&program))(source);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let (output, mut errors) = (child.stdout.take(), child.stderr.take());
    let text = thread::scope(|scope| {
        let errors = scope.spawn(move || {
            let mut text = Vec::new();
            // What can't be read is missing in a message.
            let _ = errors.as_mut().map(|errors| errors.read_to_end(&mut text));
            String::from_utf8_lossy(&text).into_owned()
        });
        let lines = output.into_iter().flat_map(|output| BufReader::new(output).lines());
        let mut text = String::new();
        for line in lines.map_while(Result::ok) {
            if line.starts_with("Collecting ") {
                task.advance(1);
            }
            text += &line;
            text.push('\n');
        }
        text + &errors.join().unwrap_or_default()
    });
    let status = child.wait().map_err(failed)?;
    Ok((status.success(), status.to_string(), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_is_kept_and_a_place_to_install_to_is_not() {
        let text = "\
:env:.cert='/a.pem'
global.cert='/b.pem'
global.index-url='mirror'
install.find-links='one\\ntwo'
global.target='elsewhere'
install.user='true'
list.timeout='7'
";
        let kept = settings(text);
        let expected = [("cert", "/a.pem"), ("find-links", "one two"), ("index-url", "mirror")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(kept, BTreeMap::from(expected));
        assert_eq!(variable("extra-index-url"), "PIP_EXTRA_INDEX_URL");
    }
}
