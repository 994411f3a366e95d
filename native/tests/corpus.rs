//! The corpus of the fuzz target `dot`.

#[path = "support/fuzz.rs"]
mod fuzz;
mod support;

use std::fs;
use std::path::Path;

#[test]
fn every_way_to_a_sum_of_the_corpus_is_exact() {
    // Would catch: anything that the fuzzer found once.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/dot");
    let mut files = 0;
    for entry in fs::read_dir(&folder).expect("the corpus is part of the repository") {
        let path = entry.expect("the folder can be listed").path();
        fuzz::fuzz_dot(&fs::read(&path).expect("a file of the corpus can be read"));
        files += 1;
    }
    assert!(files >= 8, "{} lost its files", folder.display());
}
