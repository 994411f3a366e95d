//! What is said when VM and contract differ.

use std::fmt;

use opml_state::{Hash, Witness, WitnessFields};
use opml_vm::Reason;

use crate::revert::{Revert, RevertReason};

/// Which of the two contracts refused a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// `MIPS`, when it executed the step.
    Step(Revert),
    /// `PreimageOracle`, when the preimage for it was loaded; without it, `MIPS` refuses the step as well.
    Preimage(Revert),
}

impl Refusal {
    /// Whether this is how the contracts say what the VM calls `reason`.
    pub(crate) fn is_for(&self, reason: Reason) -> bool {
        let texts: &[&str] = match (reason, self) {
            (Reason::BranchInDelaySlot, Self::Step(_)) => &["branch in delay slot", "jump in delay slot"],
            (Reason::DivisionByZero, Self::Step(_)) => &["MIPS: division by zero"],
            (Reason::UnknownInstruction, Self::Step(_)) => &["invalid instruction"],
            (Reason::UnalignedPc, Self::Step(revert)) => return revert.reason() == RevertReason::Silent,
            (Reason::PreimageOffset | Reason::LocalValueTooLong, Self::Preimage(revert)) => {
                return revert.reason() == RevertReason::PartOffset;
            }
            _ => return false,
        };
        matches!(self.revert().reason(), RevertReason::Text(text) if texts.contains(&text.as_str()))
    }

    fn revert(&self) -> &Revert {
        match self {
            Self::Step(revert) | Self::Preimage(revert) => revert,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(revert) => write!(f, "reverts: {revert}"),
            Self::Preimage(revert) => write!(f, "reverts, and its preimage oracle too: {revert}"),
        }
    }
}

/// A step on which VM and contract differ, with all that is known of it. Its text shows the states field by
/// field.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error, miette::Diagnostic)]
#[error("{}", self.report())]
#[diagnostic(help(
    "one of the two is not the machine that the other is: compare vm/src/step.rs with the contract's source at this \
     instruction, and keep the proof as a test"
))]
pub struct Disagreement {
    /// The state before the step.
    pub before: Witness,
    /// The instruction.
    pub word: u32,
    /// The state after the step as the VM has it, or why it refuses.
    pub vm: Result<Witness, Reason>,
    /// The state after the step as the contract has it, or how it refuses.
    pub contract: Result<Witness, Refusal>,
}

impl Disagreement {
    /// Names of the fields that differ, if both executed the step: `pc`, `memory root`, `$t0`.
    pub fn differing_fields(&self) -> Vec<String> {
        let (Ok(vm), Ok(contract)) = (&self.vm, &self.contract) else { return Vec::new() };
        let differs = |(vm, contract): (Field, Field)| (vm.1 != contract.1).then_some(vm.0);
        fields(vm).into_iter().zip(fields(contract)).filter_map(differs).collect()
    }

    fn report(&self) -> String {
        let before = WitnessFields::of(&self.before);
        let instruction = opml_isa::decode(self.word);
        let mut text = format!(
            "VM and contract disagree on step {}: {} ({:#010x} at {:#010x})\n",
            before.step,
            instruction.at(before.pc),
            self.word,
            before.pc
        );
        text.push_str(&match &self.vm {
            Ok(_) => "  the VM executes it\n".to_owned(),
            Err(reason) => format!("  the VM refuses it: {reason}\n"),
        });
        text.push_str(&match &self.contract {
            Ok(_) => "  the contract executes it\n".to_owned(),
            Err(refusal) => format!("  the contract {refusal}\n"),
        });
        text.push_str(&self.table());
        text
    }

    /// One line per field; a line starts with `*` where VM and contract differ.
    fn table(&self) -> String {
        let names = fields(&self.before);
        let values = |side: Option<&Witness>| match side {
            Some(witness) => fields(witness).into_iter().map(|(_, value)| value).collect(),
            None => vec!["-".to_owned(); names.len()],
        };
        let (vm, contract) = (values(self.vm.as_ref().ok()), values(self.contract.as_ref().ok()));
        let both = self.vm.is_ok() && self.contract.is_ok();
        let line = |mark, name: &str, before: &str, vm: &str, contract: &str| {
            format!("{mark} {name:<16} {before:<20} {vm:<20} {contract}\n")
        };
        let mut text = line(' ', "", "before", "VM", "contract");
        for (index, (name, before)) in names.iter().enumerate() {
            let mark = if both && vm[index] != contract[index] { '*' } else { ' ' };
            text.push_str(&line(mark, name, before, &vm[index], &contract[index]));
        }
        text
    }
}

/// Name and value.
type Field = (String, String);

fn fields(witness: &Witness) -> Vec<Field> {
    let state = WitnessFields::of(witness);
    let word = |name: &str, value: u32| (name.to_owned(), format!("{value:#010x}"));
    let mut fields = vec![
        ("memory root".to_owned(), short(&state.memory_root)),
        ("preimage key".to_owned(), short(&state.preimage_key)),
        word("preimage offset", state.preimage_offset),
        word("pc", state.pc),
        word("next pc", state.next_pc),
        word("lo", state.lo),
        word("hi", state.hi),
        word("heap", state.heap),
        ("exit code".to_owned(), state.exit_code.to_string()),
        ("exited".to_owned(), state.exited.to_string()),
        ("step".to_owned(), state.step.to_string()),
    ];
    for (register, &value) in opml_isa::Register::all().zip(&state.registers) {
        fields.push((register.to_string(), format!("{value:#010x}")));
    }
    fields
}

/// Both ends of a hash, which differ if it does: three whole ones are too wide for a line.
fn short(hash: &Hash) -> String {
    let digits = hash.to_string();
    format!("{}..{}", &digits[..10], &digits[58..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn witness(change: impl FnOnce(&mut WitnessFields)) -> Witness {
        let mut fields = WitnessFields::of(&[0; opml_state::WITNESS_LEN]);
        fields.pc = 0x1000;
        fields.step = 7;
        change(&mut fields);
        fields.pack()
    }

    /// addu $t0, $t1, $t2
    const ADDU: u32 = 0x012a_4021;

    #[test]
    fn fields_that_differ_are_marked() {
        let disagreement = Disagreement {
            before: witness(|_| ()),
            word: ADDU,
            vm: Ok(witness(|fields| (fields.pc, fields.registers[8]) = (0x1004, 5))),
            contract: Ok(witness(|fields| {
                (fields.pc, fields.registers[8], fields.memory_root) = (0x1004, 6, Hash([0xab; 32]));
            })),
        };
        assert_eq!(disagreement.differing_fields(), ["memory root", "$t0"]);
        let text = disagreement.to_string();
        let first = "VM and contract disagree on step 7: addu $t0, $t1, $t2 (0x012a4021 at 0x00001000)";
        assert_eq!(text.lines().next(), Some(first));
        let marked: Vec<Vec<&str>> = text
            .lines()
            .filter_map(|line| line.strip_prefix('*'))
            .map(|line| line.split_whitespace().collect())
            .collect();
        let zeros = "0x00000000..00000000";
        assert_eq!(
            marked,
            [
                vec!["memory", "root", zeros, zeros, "0xabababab..abababab"],
                vec!["$t0", "0x00000000", "0x00000005", "0x00000006"],
            ]
        );
        // Every field of a state has a line.
        assert_eq!(text.lines().count(), 3 + 1 + 11 + 32, "{text}");
    }

    #[test]
    fn a_refusal_is_told_with_its_reason() {
        let refusal = Refusal::Step(Revert { data: Vec::new() });
        let disagreement = Disagreement {
            before: witness(|_| ()),
            word: ADDU,
            vm: Ok(witness(|_| ())),
            contract: Err(refusal.clone()),
        };
        let text = disagreement.to_string();
        assert!(text.contains("  the contract reverts: no reason given"), "{text}");
        assert!(text.lines().all(|line| !line.starts_with('*')), "{text}");
        let disagreement =
            Disagreement { vm: Err(Reason::DivisionByZero), contract: Ok(witness(|_| ())), ..disagreement };
        assert!(disagreement.to_string().contains("  the VM refuses it: division by zero"), "{disagreement}");
        assert_eq!(disagreement.differing_fields(), [""; 0]);
        assert!(refusal.is_for(Reason::UnalignedPc) && !refusal.is_for(Reason::DivisionByZero));
    }
}
