//! Random words in random states, and the corpus of the fuzz target.

mod common;
#[path = "../../fuzz/corpus.rs"]
mod corpus;

use std::collections::BTreeSet;
use std::sync::Mutex;

use common::*;
use opml_onchain::{Agreed, fuzz_step};

/// Random states; an eighth of the words are any, the others have a likely opcode.
const STATES: usize = 12_000;
const DESCRIPTION: usize = 512;

#[test]
fn the_corpus_of_the_fuzz_target_is_agreed_on() {
    let mut contract = contract();
    let mut kinds = BTreeSet::new();
    for (name, data) in corpus::corpus("step", 3) {
        let outcome = fuzz_step(&mut contract, &data);
        let kind = match outcome {
            Some(Agreed::Executed { .. }) => "executed",
            Some(Agreed::Refused(_)) => "refused",
            None => "left-out",
        };
        assert!(name.starts_with(kind), "{name}: {outcome:?}");
        kinds.insert(kind);
    }
    assert_eq!(kinds.len(), 3, "{kinds:?}");
}

/// The word of the state with this number: its opcode goes through all, so that none is left out.
fn word(number: usize, random: u32) -> u32 {
    match number % 8 {
        0 => random,
        1 => random & 0x03ff_ffff,
        2 => 0x0400_0000 | random & 0x03ff_ffff,
        3 => 0x7000_0000 | random & 0x03ff_ffff,
        4 => 0x0c,
        _ => (number as u32 / 8 % 64) << 26 | random & 0x03ff_ffff,
    }
}

#[test]
fn vm_and_contract_agree_on_anything() {
    let numbers: Vec<usize> = (0..STATES).collect();
    let outcomes: Mutex<BTreeSet<String>> = Mutex::default();
    on_all_processors(&numbers, |contract, &number| {
        let bytes = random_bytes(&format!("state {number}"), DESCRIPTION);
        let word = word(number, u32::from_be_bytes(*bytes.first_chunk().unwrap()));
        let outcome = match fuzz_step(contract, &[&word.to_be_bytes(), &bytes[4..]].concat()) {
            Some(Agreed::Refused(reason)) => format!("{reason:?}"),
            Some(Agreed::Executed { .. }) => "executed".to_owned(),
            None => "left out".to_owned(),
        };
        outcomes.lock().unwrap().insert(outcome);
    });
    let all = [
        "BranchInDelaySlot",
        "DivisionByZero",
        "LocalValueTooLong",
        "PreimageOffset",
        "UnalignedPc",
        "UnknownInstruction",
        "executed",
        "left out",
    ];
    let outcomes = outcomes.into_inner().unwrap();
    assert_eq!(outcomes.iter().map(String::as_str).collect::<Vec<_>>(), all);
}
