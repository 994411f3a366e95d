use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write};

use miette::Diagnostic;
use serde::{Serialize, Serializer};
use thiserror::Error;

use super::rule::{Rule, Stage};

/// What is wrong, where, and what to do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Violation {
    /// The rule that is violated.
    pub rule: Rule,
    /// Where in memory, if it is at an address.
    #[serde(serialize_with = "hex", skip_serializing_if = "Option::is_none")]
    pub address: Option<u64>,
    /// The symbol there, with the distance from its start: `main+0x10`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// File and line of the source, from the DWARF: `src/main.rs:12`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The instruction in words: `rotr $a0, $a1, 3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruction: Option<String>,
    /// The instruction's word.
    #[serde(serialize_with = "hex", skip_serializing_if = "Option::is_none")]
    pub word: Option<u32>,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub action: Cow<'static, str>,
}

fn hex<T: Copy + Into<u64>, S: Serializer>(number: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match number {
        Some(number) => serializer.collect_str(&format_args!("0x{:08x}", (*number).into())),
        None => serializer.serialize_none(),
    }
}

/// Every violation of the first stage that has one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Error, Diagnostic)]
#[error("the program fails the {stage} stage of the audit for {target}: {}", count(.violations.len() + .unlisted))]
#[diagnostic(help("every violation says what to do; {}", next_stages(*stage)))]
pub struct AuditFailure {
    /// The stage.
    pub stage: Stage,
    /// Name of the target.
    pub target: String,
    /// The violations, in the order they were found.
    pub violations: Vec<Violation>,
    /// How many more there are; only a list of 100,000 is kept.
    pub unlisted: usize,
}

fn count(violations: usize) -> String {
    if violations == 1 { "1 violation".to_owned() } else { format!("{violations} violations") }
}

fn next_stages(stage: Stage) -> &'static str {
    match stage {
        Stage::Header => "segments, content and code are judged once the header is right",
        Stage::Segments => "content and code are judged once the segments are right",
        Stage::Content => "the code is judged once the content is right",
        Stage::Code => "this is the last stage",
    }
}

impl AuditFailure {
    /// All violations as text, those with the same problem together.
    pub fn text(&self) -> String {
        // By rule and problem in the rules' order, whatever the order of the addresses.
        let mut groups = BTreeMap::<_, Vec<_>>::new();
        for violation in &self.violations {
            let key = (violation.rule, &violation.problem, &violation.action);
            groups.entry(key).or_default().push(violation);
        }
        let mut text = format!("{self}\n");
        for ((rule, problem, action), violations) in groups {
            let _infallible = write_group(&mut text, rule, problem, action, &violations);
        }
        if self.unlisted > 0 {
            let _infallible = writeln!(text, "\nand {} more, not listed", self.unlisted);
        }
        text
    }
}

fn write_group(
    text: &mut String,
    rule: Rule,
    problem: &str,
    action: &str,
    violations: &[&Violation],
) -> fmt::Result {
    writeln!(text, "\n{rule} ({}): {problem}", violations.len())?;
    writeln!(text, "    what to do: {action}")?;
    for violation in violations {
        let Some(address) = violation.address else { continue };
        write!(text, "  0x{address:08x}")?;
        if let Some(instruction) = &violation.instruction {
            write!(text, "  {instruction}")?;
        }
        if let Some(symbol) = &violation.symbol {
            write!(text, "  in {symbol}")?;
        }
        if let Some(source) = &violation.source {
            write!(text, "  at {source}")?;
        }
        writeln!(text)?;
    }
    Ok(())
}
