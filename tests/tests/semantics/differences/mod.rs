//! Every difference between the contract and MIPS that is known: the list behind docs/contract-differences.md.
//!
//! Each is shown on the contract. The sweep checks that they are all there are among single instructions.

mod absent;
mod flow;
mod instructions;
mod system;

use std::fs;

use crate::case::Case;
use crate::on_chain::OnChain;

/// What the audit says of programs that could meet a difference. The names are those of the document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audit {
    /// It refuses them.
    Refused,
    /// It lets them pass if it can show that the difference is not met.
    Condition,
    /// It lets them pass: whether they meet it is known in a run only.
    NotSeen,
    /// It lets them pass: no program that is right on MIPS computes something else.
    Harmless,
}

impl Audit {
    fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Condition => "condition",
            Self::NotSeen => "not seen",
            Self::Harmless => "harmless",
        }
    }
}

/// A row of the document.
pub struct Difference {
    /// Its name there.
    pub name: &'static str,
    pub audit: Audit,
    /// Which instructions in which states meet it; none, if it is not one of single instructions.
    pub meets: Option<fn(&Case<'_>) -> bool>,
    /// Shows it on the contract.
    pub show: fn(&mut OnChain),
}

/// All of them, in the order of the document.
pub fn all() -> impl Iterator<Item = &'static Difference> {
    [absent::LIST, instructions::LIST, flow::LIST, system::LIST].into_iter().flatten()
}

#[test]
fn each_is_shown_on_the_contract() {
    let mut contract = OnChain::new();
    for difference in all() {
        println!("{}", difference.name);
        (difference.show)(&mut contract);
    }
}

/// The rows have the form: name, words, MIPS, contract, audit.
#[test]
fn the_document_has_them_all() {
    let path = opml_tests::checkout().join("docs/contract-differences.md");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")).map(|row| {
        let (name, cells) = row.split_once('`').expect("a name ends");
        let audit = cells.trim_end_matches([' ', '|']).rsplit('|').next().expect("there is a last cell");
        (name.to_owned(), audit.trim().to_owned())
    });
    let listed = all().map(|difference| (difference.name.to_owned(), difference.audit.name().to_owned()));
    let (rows, listed): (Vec<_>, Vec<_>) = (rows.collect(), listed.collect());
    assert_eq!(rows, listed, "the rows of docs/contract-differences.md are those of this test, in its order");
}
