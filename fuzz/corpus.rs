//! The corpora, for the crates' tests: each includes this file, and replays those of its targets.

use std::fs;
use std::path::Path;

/// The inputs of `target` with their names, sorted.
///
/// # Panics
/// If there are fewer than `at_least`.
pub fn corpus(target: &str, at_least: usize) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).expect("the corpus is part of the repository");
    let paths = entries.map(|entry| entry.expect("the folder can be listed").path());
    let read = |path: &Path| fs::read(path).expect("a file of the corpus can be read");
    let name = |path: &Path| path.file_name().expect("a file has a name").to_string_lossy().into_owned();
    let mut inputs: Vec<_> = paths.map(|path| (name(&path), read(&path))).collect();
    inputs.sort();
    assert!(inputs.len() >= at_least, "{} lost its files: {} are left", folder.display(), inputs.len());
    inputs
}
