//! Replays the corpus of the fuzz target `state_file`.

#[path = "../../fuzz/corpus.rs"]
mod corpus;

#[test]
fn the_corpus_is_read_without_a_panic() {
    corpus::corpus("state_file", 5).iter().for_each(|(_, data)| opml_state::fuzz_state_file(data));
}
