//! Every class of words: what the contract does, what MIPS does, and what the audit says of it.
//!
//! | the audit says | then, in every state that is tried |
//! |---|---|
//! | allowed | the contract does what both releases of MIPS do, but for the differences that depend on operands |
//! | conditional | the same, where the condition holds |
//! | refused, as it reverts | it reverts |
//! | refused, as it differs | in some state the contract does something else, or what the manual leaves open |
//! | refused, as nothing needs it | the contract does the same, and [`EQUAL`] says why it is refused all the same |
//! | no instruction | the contract reverts, or does something in some state that no manual describes |
//!
//! Whatever differs has to be in the list of differences.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use opml_isa::{Mnemonic, decode};
use opml_state::{State, Witness, WitnessFields};
use opml_targets::{Condition, Effect, Target, Verdict};
use opml_tests::program;
use opml_tests::single_step::{Exception, Outcome, Place, SingleStep};
use opml_tests::unicorn::Processor;

use crate::case::{Case, is_branch};
use crate::differences::{self, Audit};
use crate::on_chain::OnChain;
use crate::{case, manual, states, words};

/// Refused although the contract does what MIPS does, and why.
const EQUAL: &[(Mnemonic, &str)] = &[
    (Mnemonic::Ssnop, "a hint to processors that start several instructions at once: nop is enough"),
    (Mnemonic::Ehb, "a barrier against hazards that the contract has not: nop is enough"),
    (Mnemonic::Pause, "waits for another thread, and there is none"),
    (Mnemonic::JrHb, "a barrier as well: jr is enough"),
    (Mnemonic::JalrHb, "a barrier as well: jalr is enough"),
];

/// What the contract does, beside what MIPS does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Relation {
    /// The same, on both releases.
    Equal,
    /// It reverts.
    Reverts,
    /// It does something, and the manual leaves open what.
    Open,
    /// Something else: this is what MIPS does.
    Differs(String),
}

impl Relation {
    fn without_details(&self) -> Self {
        match self {
            Self::Differs(_) => Self::Differs(String::new()),
            other => other.clone(),
        }
    }
}

/// The audit has a rule for these, as it sees what stands in front of a word.
fn is_branch_in_slot(case: Case<'_>) -> bool {
    is_branch(case.word) && case::in_delay_slot(case.state)
}

/// The contract and both releases.
struct Judges {
    contract: OnChain,
    releases: [SingleStep; 2],
}

impl Judges {
    fn new() -> Self {
        let releases = [Processor::Release1, Processor::Release2].map(SingleStep::new);
        Self { contract: OnChain::new(), releases }
    }

    fn compare(&mut self, case: Case<'_>) -> Relation {
        let Ok(after) = self.contract.witness_after(case.state) else {
            return Relation::Reverts;
        };
        if manual::is_unpredictable(case.word, case.state) {
            return Relation::Open;
        }
        let outcomes = self.releases.iter().map(|release| release.step(case.state));
        let different = outcomes.map(|outcome| difference(case.state, &after, outcome)).find(Option::is_some);
        different.flatten().map_or(Relation::Equal, Relation::Differs)
    }
}

/// What MIPS does, if it is not what the contract does.
fn difference(before: &State, after: &Witness, outcome: Outcome) -> Option<String> {
    match outcome {
        Outcome::Goes(expected) => (expected.witness() != *after).then(|| describe(before, &expected)),
        // What a call does is for the system to say: all that MIPS says is where it goes on.
        Outcome::Raises(Exception::SystemCall) => {
            let after = WitnessFields::of(after);
            let goes_on = after.pc == before.next_pc && after.next_pc == before.next_pc + 4;
            (!goes_on).then(|| "goes on behind the call".into())
        }
        Outcome::Raises(exception) => Some(format!("raises {exception:?}")),
    }
}

fn describe(before: &State, after: &State) -> String {
    let registers = before.registers.iter().zip(&after.registers).enumerate();
    let changed: Vec<_> = registers
        .filter(|(_, (before, after))| before != after)
        .map(|(number, (_, after))| format!("${number} = {after:#x}"))
        .collect();
    let (pc, next_pc, hi, lo) = (after.pc, after.next_pc, after.hi, after.lo);
    format!("{changed:?}, hi {hi:#x}, lo {lo:#x}, pc {pc:#x}, next pc {next_pc:#x}")
}

/// What was seen of some words.
#[derive(Default)]
struct Seen {
    /// States tried, by what they showed.
    states: BTreeMap<Relation, u64>,
    /// Differences that were met.
    met: BTreeSet<&'static str>,
    /// Refused instructions, and what they did, but for branches in delay slots, for which there is a rule of its
    /// own. What MIPS does where it differs is left out.
    refused: BTreeMap<Mnemonic, BTreeSet<Relation>>,
    problems: Vec<String>,
}

impl Seen {
    fn join(mut self, other: Self) -> Self {
        for (relation, count) in other.states {
            *self.states.entry(relation).or_default() += count;
        }
        self.met.extend(other.met);
        for (mnemonic, relations) in other.refused {
            self.refused.entry(mnemonic).or_default().extend(relations);
        }
        self.problems.extend(other.problems);
        self
    }

    fn word(&mut self, judges: &mut Judges, target: &Target, word: u32, place: Place) {
        judges.releases.iter().for_each(|release| release.put(place, word));
        let instruction = decode(word);
        let verdict = target.verdict(instruction.mnemonic());
        let mut relations = BTreeSet::new();
        let few = states::few(word, place);
        let is_absent = few.iter().all(|state| judges.contract.witness_after(state).is_err());
        // Where no state matters, a few are enough.
        let all = if is_absent || manual::has_unused_bits(word) { few } else { states::of(word, place) };
        for state in &all {
            let case = Case { word, state };
            let relation = if is_absent { Relation::Reverts } else { judges.compare(case) };
            *self.states.entry(relation.without_details()).or_default() += 1;
            if let Some(problem) = self.judge(case, verdict, &relation) {
                let text = instruction.at(state.pc);
                self.problems.push(format!("{word:#010x} {text}: {problem} ({relation:x?})"));
                return;
            }
            if !is_branch_in_slot(case) {
                relations.insert(relation.without_details());
            }
        }
        if !matches!(verdict, Verdict::Refused(_)) || all.is_empty() {
            return;
        }
        // Words without a name have nothing in common, so each needs a reason.
        if instruction.mnemonic() == Mnemonic::Unknown && relations == BTreeSet::from([Relation::Equal]) {
            self.problems.push(format!("{word:#010x} is refused, and nothing shows why"));
        }
        self.refused.entry(instruction.mnemonic()).or_default().extend(relations);
    }

    /// What is wrong with the verdict or the list of differences, if anything.
    fn judge(&mut self, case: Case<'_>, verdict: Verdict<'_>, relation: &Relation) -> Option<String> {
        let met: Vec<_> = differences::all().filter(|d| d.meets.is_some_and(|meets| meets(&case))).collect();
        if *relation != Relation::Equal {
            if met.is_empty() {
                return Some("this difference is in no list".into());
            }
            self.met.extend(met.iter().map(|difference| difference.name));
        }
        let excused = |audit| met.iter().any(|difference| difference.audit == audit);
        let right = match verdict {
            Verdict::Refused(_) => true,
            Verdict::Conditional(Condition::ShiftBelow32 | Condition::BehindLoadLinked, _) => {
                *relation == Relation::Equal || excused(Audit::Condition)
            }
            Verdict::Allowed => {
                (*relation != Relation::Equal) == (is_branch_in_slot(case) || excused(Audit::NotSeen))
            }
        };
        (!right).then(|| "it is allowed and differs".into())
    }
}

fn sweep(all: &[(u32, Place)]) -> Seen {
    let target = program::target();
    let mut judges = Judges::new();
    let mut seen = Seen::default();
    all.iter().for_each(|&(word, place)| seen.word(&mut judges, &target, word, place));
    seen
}

#[test]
fn the_audit_says_of_every_word_what_the_contract_does() {
    let words = words::all();
    let all: Vec<_> = words.iter().copied().zip(Place::all(words.len())).collect();
    // Neighbours are alike, so the words are dealt out like cards.
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let hands = (0..threads).map(|i| all.iter().skip(i).step_by(threads).copied().collect::<Vec<_>>());
    let seen = thread::scope(|scope| {
        let running: Vec<_> = hands.map(|hand| scope.spawn(move || sweep(&hand))).collect();
        running
            .into_iter()
            .map(|thread| thread.join().expect("a thread ends"))
            .fold(Seen::default(), Seen::join)
    });
    println!("{} words, states by what they showed: {:?}", words.len(), seen.states);
    let shown = seen.problems.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(seen.problems.is_empty(), "{} problems:\n{shown}", seen.problems.len());

    check_refusals(&seen.refused);
    let unmet = differences::all().filter(|d| d.meets.is_some() && !seen.met.contains(d.name));
    assert_eq!(unmet.map(|d| d.name).collect::<Vec<_>>(), [""; 0], "differences that no word met");
}

/// Whether the target's description says of each refused instruction what it leads to.
fn check_refusals(refused: &BTreeMap<Mnemonic, BTreeSet<Relation>>) {
    let target = program::target();
    for (&mnemonic, relations) in refused.iter().filter(|(mnemonic, _)| **mnemonic != Mnemonic::Unknown) {
        let Verdict::Refused(refusal) = target.verdict(mnemonic) else {
            unreachable!("only these are noted")
        };
        let differs =
            relations.contains(&Relation::Open) || relations.contains(&Relation::Differs(String::new()));
        let right = match refusal.effect {
            Effect::Reverts => *relations == BTreeSet::from([Relation::Reverts]),
            Effect::Differs => differs,
            Effect::Unneeded => {
                *relations == BTreeSet::from([Relation::Equal]) && EQUAL.iter().any(|(m, _)| *m == mnemonic)
            }
        };
        assert!(right, "{mnemonic}: the target says {:?}, the contract {relations:?}", refusal.effect);
    }
    let stale: Vec<_> = EQUAL.iter().filter(|(mnemonic, _)| !refused.contains_key(mnemonic)).collect();
    assert!(stale.is_empty(), "no word shows these: {stale:?}");
}
