//! From a raw description to a [`Target`].

use std::collections::BTreeMap;

use opml_isa::Mnemonic;

use crate::TargetError;
use crate::raw::{self, RawInstructions, RawTarget};
use crate::sources::{LINKER_SCRIPTS, Source, TARGETS, names};
use crate::target::{Class, Judgement, MemoryMap, Refusal, Syscall, Target};

/// Bytes of a page of the VMs' memory.
const PAGE: u64 = 4096;

impl Target {
    /// The target named `name`.
    ///
    /// # Errors
    /// No target has this name. The embedded descriptions themselves are valid; a test sees to it.
    pub fn load(name: &str) -> Result<Self, TargetError> {
        let source = TARGETS.iter().find(|source| source.name == name).ok_or_else(|| {
            let known = names().collect::<Vec<_>>().join(", ");
            TargetError::UnknownTarget { name: name.to_owned(), nearest: nearest(name, names()), known }
        })?;
        Self::from_source(source)
    }

    pub(crate) fn from_source(source: &Source) -> Result<Self, TargetError> {
        let raw = raw::parse(source.name, source.description)?;
        if raw.name != source.name {
            return Err(TargetError::WrongName { expected: source.name.to_owned(), got: raw.name });
        }
        check_memory(&raw)?;
        let script = LINKER_SCRIPTS.iter().find(|(name, _)| *name == raw.linker_script).ok_or_else(|| {
            let known = LINKER_SCRIPTS.iter().map(|(name, _)| *name);
            unknown_name(source.name, "the linker script", &raw.linker_script, known)
        })?;
        Ok(Self {
            contract: raw.contract,
            elf: raw.elf,
            memory: raw.memory,
            syscalls: sorted_syscalls(source.name, raw.syscalls)?,
            otherwise: raw.instructions.otherwise.clone(),
            instructions: judgements(source.name, raw.instructions)?,
            commitment: raw.commitment,
            toml: source.description,
            rustc_spec: source.rustc_spec,
            linker_script_name: raw.linker_script,
            linker_script: script.1,
            name: raw.name,
            description: raw.description,
        })
    }
}

fn check_memory(raw: &RawTarget) -> Result<(), TargetError> {
    let MemoryMap { image, heap, stack } = raw.memory;
    let end = match raw.elf.class {
        Class::Elf32 => 1 << 32,
        Class::Elf64 => u64::MAX,
    };
    let ranges = [("image", image), ("heap", heap), ("stack", stack.range())];
    for (which, range) in ranges {
        let whole_pages = range.start % PAGE == 0 && range.end % PAGE == 0;
        if range.start >= range.end || range.end > end || !whole_pages {
            return Err(TargetError::BadRange { target: raw.name.clone(), which, range });
        }
    }
    for (index, &(first, first_range)) in ranges.iter().enumerate() {
        for &(second, second_range) in &ranges[..index] {
            if first_range.overlaps(second_range) {
                let target = raw.name.clone();
                return Err(TargetError::Overlap { target, first, first_range, second, second_range });
            }
        }
    }
    Ok(())
}

fn sorted_syscalls(target: &str, mut syscalls: Vec<Syscall>) -> Result<Vec<Syscall>, TargetError> {
    // By number, so that a lookup can search and a listing does not depend on the file's order.
    syscalls.sort_by_key(|syscall| syscall.number);
    match syscalls.windows(2).find(|pair| pair[0].number == pair[1].number) {
        Some(pair) => Err(duplicate(target, "system call", pair[0].number)),
        None => Ok(syscalls),
    }
}

fn judgements(target: &str, raw: RawInstructions) -> Result<BTreeMap<Mnemonic, Judgement>, TargetError> {
    let mut judgements = BTreeMap::new();
    let mut add = |name: &str, judgement| {
        let mnemonic = Mnemonic::from_name(name).ok_or_else(|| {
            let known = Mnemonic::ALL.iter().map(|mnemonic| mnemonic.name());
            unknown_name(target, "the instruction", name, known)
        })?;
        match judgements.insert(mnemonic, judgement) {
            Some(_) => Err(duplicate(target, "instruction", name)),
            None => Ok(()),
        }
    };
    for name in &raw.allowed {
        add(name, Judgement::Allowed)?;
    }
    for entry in raw.conditional {
        let refusal = Refusal { effect: entry.effect, contract: entry.contract, instead: entry.instead };
        for name in &entry.mnemonics {
            add(name, Judgement::Conditional(entry.condition, refusal.clone()))?;
        }
    }
    for entry in raw.refused {
        let refusal = Refusal { effect: entry.effect, contract: entry.contract, instead: entry.instead };
        for name in &entry.mnemonics {
            add(name, Judgement::Refused(refusal.clone()))?;
        }
    }
    Ok(judgements)
}

/// The known name most like `name`, if one is like it at all.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let scored = known.map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate));
    let (distance, best) = scored.min()?;
    // One letter in three may be wrong, missing or swapped.
    (distance * 3 <= best.len().max(name.len())).then(|| best.to_owned())
}

fn unknown_name<'a>(
    target: &str,
    what: &'static str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> TargetError {
    let nearest = nearest(name, known);
    TargetError::UnknownName { target: target.to_owned(), what, name: name.to_owned(), nearest }
}

fn duplicate(target: &str, what: &'static str, name: impl ToString) -> TargetError {
    TargetError::Duplicate { target: target.to_owned(), what, name: name.to_string() }
}

#[cfg(test)]
mod tests;
