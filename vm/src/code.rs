//! Decoded instructions, laid out so that a jump is an addition.
//!
//! Each page of the address space has 1,025 slots: one per word, and one after them that carries a run on
//! into the next page. All slots stand in one reservation; one that was never decoded is zero bytes.
//!
//! (S) A slot is zero, or it stands for the words of the page as they are now: a store to a page with decoded
//! words undoes what was decoded from the changed word.
//! (P) A slot whose code covers two instructions is followed by a slot with the operands of the second. (What
//! that slot's own code covers does not matter.)

use memmap2::MmapMut;

use crate::VmError;
use crate::fast::alone;
use crate::space::reserve;

/// Slots of a page.
pub(crate) const PAGE_SLOTS: u32 = 1025;

/// All slots: 2^20 pages.
const SLOTS: usize = (PAGE_SLOTS as usize) << 20;

/// A decoded instruction. What `a`, `b` and `c` are, the kind says (`kinds`, `fast`). `a` and `b` come first
/// because the two low bytes of a word are the cheapest to take out of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C, align(8))]
pub(crate) struct Op {
    pub(crate) a: u8,
    pub(crate) b: u8,
    /// Which handler executes it, an index into `fast::TABLE`; 0 for a slot that is not decoded.
    pub(crate) code: u16,
    pub(crate) c: u32,
}

/// The slot of the word at `pc`.
#[inline(always)]
pub(crate) fn slot_of(pc: u32) -> u32 {
    (pc >> 2) + (pc >> 12)
}

/// The address a slot stands for. The slot after a page's words stands for the next page's first word.
#[inline(always)]
pub(crate) fn pc_of(slot: u32) -> u32 {
    let page = slot / PAGE_SLOTS;
    (page << 12).wrapping_add((slot % PAGE_SLOTS) << 2)
}

/// All slots.
///
/// (C) `base` points at `SLOTS` readable and writable slots for as long as `self` lives. `slot_of` is below
/// `SLOTS - 1` for every pc, so the slot after it exists too.
pub(crate) struct Code {
    base: *mut Op,
    _mapping: MmapMut,
}

// SAFETY: `base` points into the mapping `self` owns; nothing else does.
unsafe impl Send for Code {}

impl Code {
    pub(crate) fn new() -> Result<Self, VmError> {
        let mut mapping = reserve(SLOTS * size_of::<Op>())?;
        Ok(Self { base: mapping.as_mut_ptr().cast(), _mapping: mapping })
    }

    /// The first slot.
    pub(crate) fn base(&self) -> *const Op {
        self.base
    }

    pub(crate) fn get(&self, slot: u32) -> Op {
        assert!((slot as usize) < SLOTS);
        // SAFETY: (C), and any bytes are an `Op`.
        unsafe { self.base.add(slot as usize).read() }
    }

    pub(crate) fn set(&mut self, slot: u32, op: Op) {
        assert!((slot as usize) < SLOTS);
        // SAFETY: (C).
        unsafe { self.base.add(slot as usize).write(op) }
    }

    /// Whether the word at `pc` is not decoded.
    pub(crate) fn is_undecoded(&self, pc: u32) -> bool {
        self.get(slot_of(pc)) == Op::default()
    }

    /// Undoes what was decoded from the word at `address`, for (S). Says whether that was anything.
    pub(crate) fn forget(&mut self, address: u32) -> bool {
        let slot = slot_of(address);
        let mut changed = self.get(slot) != Op::default();
        self.set(slot, Op::default());
        if (address >> 2) & 1023 > 0 {
            // The slot before may cover this one. It is not cleared, because for (P) one that covers it in
            // turn needs its operands; it is cut down to its own instruction.
            let before = self.get(slot - 1);
            let cut = alone(before);
            changed |= cut != before;
            self.set(slot - 1, cut);
        }
        changed
    }
}
