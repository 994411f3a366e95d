//! Replays the corpus of the fuzz target `soft_float`.

#[path = "../../fuzz/corpus.rs"]
mod corpus;

#[test]
fn the_corpus_matches_the_hardware() {
    for (name, data) in corpus::corpus("soft_float", 5) {
        assert!(!data.is_empty() && data.len() % 16 == 0, "{name} does not hold pairs");
        opml_softfloat::fuzz_soft_float(&data);
    }
}
