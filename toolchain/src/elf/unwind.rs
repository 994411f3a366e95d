//! From a function's registers to those of its caller, by `.debug_frame`.
//!
//! A file may be hostile: the section is read once, to find where each function's entry is, and a look-up runs one entry of it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use gimli::{
    BaseAddresses, CfaRule, CieOrFde, CommonInformationEntry, DebugFrame, DebugFrameOffset, Register,
    RegisterRule, UnwindContext, UnwindSection,
};
use opml_targets::Class;

use super::{Elf, Slice};

/// Most functions that are looked at.
const MAX_ENTRIES: usize = 1 << 20;
/// Longest entry in bytes: a look-up runs all of one.
const MAX_ENTRY: usize = 1 << 16;

/// DWARF's number of the stack pointer of MIPS (System V ABI, MIPS supplement).
const STACK_POINTER: usize = 29;
const RETURN_ADDRESS: Register = Register(31);

/// What is known of a caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caller {
    /// Its registers. The stack pointer is that of the call.
    pub registers: [u32; 32],
    /// Whether the function has saved where it returns to; it is in register 31 then. If not, the register has it only as long as the
    /// function has called no other.
    pub has_return_address: bool,
}

/// How the functions of a MIPS program with 32-bit registers keep those of their callers.
#[derive(Debug)]
pub struct Unwinder<'a> {
    section: DebugFrame<Slice<'a>>,
    bases: BaseAddresses,
    /// First address, last address and place of each entry, sorted.
    entries: Vec<(u64, u64, DebugFrameOffset)>,
    context: Box<UnwindContext<usize>>,
}

impl<'a> Unwinder<'a> {
    pub(super) fn new(elf: &'a Elf) -> Self {
        let mut section = DebugFrame::from(elf.dwarf(".debug_frame"));
        section.set_address_size(if elf.header().class == Class::Elf32 { 4 } else { 8 });
        let (bases, entries) = (BaseAddresses::default(), Vec::new());
        let mut unwinder = Self { section, bases, entries, context: Box::new(UnwindContext::new()) };
        unwinder.read_entries();
        unwinder
    }

    /// Reads up to the first entry that is damaged.
    fn read_entries(&mut self) {
        let mut all = self.section.entries(&self.bases);
        // What many entries have in common is read once.
        let mut common: BTreeMap<usize, CommonInformationEntry<Slice<'a>>> = BTreeMap::new();
        while let Ok(Some(entry)) = all.next() {
            let CieOrFde::Fde(partial) = entry else { continue };
            let offset = DebugFrameOffset(partial.offset());
            let parsed =
                partial.parse(|section, bases, offset: DebugFrameOffset| match common.entry(offset.0) {
                    Entry::Occupied(known) => Ok(known.get().clone()),
                    Entry::Vacant(new) => Ok(new.insert(section.cie_from_offset(bases, offset)?).clone()),
                });
            let Ok(entry) = parsed else { break };
            let size = entry.entry_len().max(entry.cie().entry_len());
            if entry.len() > 0 && size <= MAX_ENTRY {
                self.entries.push((entry.initial_address(), entry.end_address() - 1, offset));
            }
            if self.entries.len() == MAX_ENTRIES {
                break;
            }
        }
        self.entries.sort_unstable_by_key(|&(start, last, offset)| (start, last, offset.0));
    }

    /// The registers that the caller of the function at `pc` has when that returns, if it is known how the function keeps them. `read`
    /// gives the word at an address.
    pub fn caller(
        &mut self,
        pc: u32,
        registers: &[u32; 32],
        read: impl Fn(u32) -> Option<u32>,
    ) -> Option<Caller> {
        let after = self.entries.partition_point(|&(start, ..)| start <= pc.into());
        let &(_, last, offset) = self.entries[..after].last()?;
        if last < pc.into() {
            return None;
        }
        let entry = self.section.fde_from_offset(&self.bases, offset, DebugFrame::cie_from_offset).ok()?;
        let row =
            entry.unwind_info_for_address(&self.section, &self.bases, &mut self.context, pc.into()).ok()?;
        let value = |register: Register| registers.get(usize::from(register.0)).copied();
        let frame = match row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => value(*register)?.wrapping_add(*offset as u32),
            CfaRule::Expression(_) => return None,
        };
        let mut callers = *registers;
        for (register, rule) in row.registers() {
            let Some(place) = callers.get_mut(usize::from(register.0)) else { continue };
            *place = match rule {
                RegisterRule::Offset(offset) => read(frame.wrapping_add(*offset as u32))?,
                RegisterRule::ValOffset(offset) => frame.wrapping_add(*offset as u32),
                RegisterRule::Register(other) => value(*other)?,
                RegisterRule::SameValue => *place,
                // Of the return address this says that there is no caller.
                _ => 0,
            };
        }
        callers[STACK_POINTER] = frame;
        let is_saved = row.register(RETURN_ADDRESS).is_some();
        Some(Caller { registers: callers, has_return_address: is_saved })
    }
}
