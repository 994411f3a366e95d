//! Replays the corpus of the fuzz target `dot`.

#[path = "../../fuzz/corpus.rs"]
mod corpus;
#[path = "support/fuzz.rs"]
mod fuzz;
mod support;

#[test]
fn every_way_to_a_sum_of_the_corpus_is_exact() {
    // Would catch: anything that the fuzzer found once.
    corpus::corpus("dot", 8).iter().for_each(|(_, data)| fuzz::fuzz_dot(data));
}
