//! Replays the corpus of the fuzz target `state_file`.

use std::fs;
use std::path::Path;

#[test]
fn the_corpus_is_read_without_a_panic() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/state_file");
    let mut files: Vec<_> =
        fs::read_dir(&corpus).expect("the corpus is there").map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 5, "the corpus lost its files: {files:?}");
    for file in files {
        opml_state::fuzz_state_file(&fs::read(file).unwrap());
    }
}
