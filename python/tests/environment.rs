//! Environments that can't be made. A shell script stands in for Python.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use opml_python::{PythonError, Requirements};
use opml_toolchain::progress::Silent;
use opml_toolchain::provision::Options;

/// Says that it is a Python, makes an environment with itself in it, and fails to install packages with `words`.
fn stand_in(folder: &Path, venv: &str, words: &str) {
    let text = format!(
        r#"#!/bin/sh
case "$*" in
*sys.implementation*) echo cpython 3.12 x86_64 ;;
*"-m venv"*) {venv} ;;
*"pip config list"*) printf "%s\n" "global.index-url='mirror'" "install.target='elsewhere'" ;;
*"pip install"*) echo "Collecting a"; env | grep PIP_; echo "{words}" >&2; exit 1 ;;
esac
"#
    );
    let path = folder.join("python3");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Copies the stand-in into the environment, which is the last argument.
const MAKES: &str = r#"for dir; do :; done; mkdir -p "$dir/bin"; cp "$0" "$dir/bin/python""#;

/// What becomes of an installation, and what is left in the cache.
fn ensure(venv: &str, words: &str) -> (PythonError, usize) {
    let folder = tempfile::tempdir().unwrap();
    let (programs, cache) = (folder.path().join("bin"), folder.path().join("cache"));
    fs::create_dir(&programs).unwrap();
    stand_in(&programs, venv, words);
    // The script's own programs are the system's.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let search_path = std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&path)));
    let options = Options {
        cache_dir: Some(cache.clone()),
        search_path: Some(search_path.unwrap()),
        ..Options::default()
    };
    let error = opml_python::ensure(&Requirements::SKLEARN, &options, &Silent).unwrap_err();
    (error, fs::read_dir(cache.join("toolchains")).unwrap().count())
}

#[test]
fn pip_takes_the_mirror_from_its_configuration_and_nothing_else() {
    let (error, left) = ensure(MAKES, "no network");
    let PythonError::Pip { environment: "sklearn", tail, .. } = error else { panic!("{error:?}") };
    assert_eq!(left, 0);
    for expected in ["PIP_INDEX_URL=mirror", "PIP_CONFIG_FILE=/dev/null", "no network"] {
        assert!(tail.contains(expected), "{expected}: {tail}");
    }
    assert!(!tail.contains("elsewhere"), "{tail}");
}

#[test]
fn what_pip_says_is_told_apart() {
    let (error, left) = ensure(MAKES, "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES");
    assert!(matches!(&error, PythonError::Hashes { environment: "sklearn", .. }) && left == 0, "{error:?}");
    let (error, left) = ensure(MAKES, "OSError: No space left on device");
    assert!(matches!(&error, PythonError::DiskFull { .. }) && left == 0, "{error:?}");
}

#[test]
fn a_python_without_venv_is_named() {
    let (error, left) = ensure("echo ensurepip is not available; exit 1", "");
    let PythonError::NoVenv { program, tail } = error else { panic!("{error:?}") };
    assert!(program.ends_with("bin/python3") && tail == "ensurepip is not available" && left == 0, "{tail}");
}

#[test]
fn without_the_network_what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { cache_dir: Some(folder.path().to_owned()), offline: true, ..Options::default() };
    let error = opml_python::ensure(&Requirements::SKLEARN, &options, &Silent).unwrap_err();
    assert!(matches!(error, PythonError::Offline { environment: "sklearn", .. }), "{error:?}");
    assert_eq!(opml_python::find(&Requirements::SKLEARN, &options).unwrap().map(drop), None);
    let options = Options { search_path: Some(folder.path().into()), ..options };
    let error = opml_python::ensure(&Requirements::SKLEARN, &options, &Silent).unwrap_err();
    assert!(matches!(&error, PythonError::NoPython { found } if found.is_empty()), "{error:?}");
}
