use std::borrow::Cow;

use opml_targets::Target;

use super::report::{AuditFailure, Violation};
use super::rule::{Rule, Stage};
use crate::elf::Elf;

/// Most violations that are listed one by one; the others are counted. A file of zeroes with one flag wrong has one
/// violation per word, and a list of millions helps nobody and takes gigabytes.
pub(super) const MAX_LISTED: usize = 100_000;

/// A violation as its check finds it, before its place is looked up.
#[derive(Debug)]
pub(super) struct Finding {
    pub rule: Rule,
    pub address: Option<u64>,
    /// The instruction word at that address, if that is what is wrong.
    pub word: Option<u32>,
    pub problem: String,
    pub action: Cow<'static, str>,
}

/// What a stage found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    listed: Vec<Finding>,
    unlisted: usize,
}

impl Findings {
    /// Adds a violation of the file as a whole.
    pub fn file(&mut self, rule: Rule, problem: String, action: &'static str) {
        self.push(|| Finding { rule, address: None, word: None, problem, action: action.into() });
    }

    /// Adds a violation at an address.
    pub fn at(&mut self, rule: Rule, address: u64, problem: String, action: &'static str) {
        self.push(|| Finding { rule, address: Some(address), word: None, problem, action: action.into() });
    }

    /// Adds a violation; makes it only if it will be listed.
    pub fn push(&mut self, finding: impl FnOnce() -> Finding) {
        if self.listed.len() < MAX_LISTED {
            self.listed.push(finding());
        } else {
            self.unlisted += 1;
        }
    }

    /// Takes out the violations of `rule`, unless there are more than `most`.
    pub fn excuse(&mut self, rule: Rule, most: usize) -> Self {
        let excused = |finding: &mut Finding| finding.rule == rule;
        let count = self.listed.iter().filter(|finding| finding.rule == rule).count();
        if self.unlisted > 0 || count > most {
            return Self::default();
        }
        Self { listed: self.listed.extract_if(.., excused).collect(), unlisted: 0 }
    }

    /// Nothing found is success; otherwise looks up symbols and source lines.
    pub fn into_result(self, stage: Stage, elf: &Elf, target: &Target) -> Result<(), AuditFailure> {
        if self.listed.is_empty() {
            return Ok(());
        }
        let unlisted = self.unlisted;
        Err(AuditFailure {
            stage,
            target: target.name().to_owned(),
            violations: self.into_violations(elf),
            unlisted,
        })
    }

    /// What is listed, with symbols and source lines.
    pub fn into_violations(self, elf: &Elf) -> Vec<Violation> {
        let mut lines = elf.source_lines();
        let violations = self.listed.into_iter().map(|finding| Violation {
            rule: finding.rule,
            address: finding.address,
            symbol: finding
                .address
                .and_then(|address| elf.symbol_at(address))
                .map(|symbol| symbol.to_string()),
            source: finding.address.and_then(|address| lines.line(address)),
            instruction: finding.word.zip(finding.address).map(|(word, address)| {
                // The audit of this word's address space: `Stage::Segments` has passed, so it fits.
                opml_isa::decode(word).at(address as u32).to_string()
            }),
            word: finding.word,
            problem: finding.problem,
            action: finding.action,
        });
        violations.collect()
    }
}
