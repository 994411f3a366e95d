//! Replays the corpus of the fuzz target `soft_float`.

use std::fs;
use std::path::Path;

#[test]
fn the_corpus_matches_the_hardware() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/soft_float");
    let mut files: Vec<_> =
        fs::read_dir(&corpus).expect("the corpus is there").map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 5, "the corpus lost its files: {files:?}");
    for file in files {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.is_empty() && bytes.len() % 16 == 0, "{} does not hold pairs", file.display());
        opml_softfloat::fuzz_soft_float(&bytes);
    }
}
