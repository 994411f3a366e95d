//! A run that is watched for what no correct program does, see [`Fault`]. It costs next to nothing: `fast` leaves what is unusual to
//! `step`, and the flags of pages, which it looks at anyway, say what is. Steps and results are those of a run without.

use std::ops::Range;

use crate::fault::Access;
use crate::{Fault, Vm, VmError};

/// What of the memory is whose, as the program's file and its VM's memory map say it. Ranges may overlap.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Layout {
    /// What may be executed.
    pub code: Vec<Range<u32>>,
    /// What may not be written. A page is protected if it has nothing that may be.
    pub read_only: Vec<Range<u32>>,
    /// What the program's file says may be written.
    pub writable: Vec<Range<u32>>,
    /// What may be accessed from the start, besides what the state has pages of.
    pub open: Vec<Range<u32>>,
    /// Where the image begins: below lies nothing, so that null pointers are found.
    pub image_start: u32,
    /// Where `mmap` gives memory out. It may be accessed up to the state's `heap`.
    pub heap: Range<u32>,
    /// The stack; it may be accessed.
    pub stack: Range<u32>,
}

/// A [`Layout`] that is watched.
pub(crate) struct Checks {
    /// Sorted, and apart from each other.
    code: Vec<Range<u32>>,
    image_start: u32,
    heap_end: u32,
    stack_start: u32,
}

impl Checks {
    /// Whether the program may execute the word at `pc`.
    pub(crate) fn is_code(&self, pc: u32) -> bool {
        self.code_at(pc).is_some()
    }

    /// The piece of code that `pc` lies in.
    fn code_at(&self, pc: u32) -> Option<&Range<u32>> {
        let after = self.code.partition_point(|piece| piece.start <= pc);
        self.code[..after].last().filter(|piece| piece.contains(&pc))
    }
}

impl Vm {
    /// The VM, stopping from now on with [`VmError::Fault`] before a step that does what `layout` does not allow.
    #[must_use]
    pub fn checked(mut self, layout: &Layout) -> Self {
        let space = &mut self.cpu.space;
        space.close_absent();
        let heap = layout.heap.start..self.heap.max(layout.heap.start);
        for range in layout.open.iter().chain([&heap, &layout.stack]) {
            space.open(range.start, range.end.saturating_sub(range.start));
        }
        for (ranges, read_only) in [(&layout.read_only, true), (&layout.writable, false)] {
            for range in ranges {
                space.set_read_only(range.start, range.end.saturating_sub(range.start), read_only);
            }
        }
        let mut code: Vec<Range<u32>> = Vec::new();
        let mut pieces: Vec<_> = layout.code.iter().filter(|piece| !piece.is_empty()).collect();
        pieces.sort_by_key(|piece| piece.start);
        for piece in pieces {
            match code.last_mut() {
                Some(last) if piece.start <= last.end => last.end = last.end.max(piece.end),
                _ => code.push(piece.clone()),
            }
        }
        let (heap_end, stack_start) = (layout.heap.end, layout.stack.start);
        self.checks = Some(Checks { code, image_start: layout.image_start, heap_end, stack_start });
        self
    }

    /// Whether the program may execute the word at `pc`; yes if nothing is checked.
    fn is_code(&self, pc: u32) -> bool {
        self.checks.as_ref().is_none_or(|checks| checks.is_code(pc))
    }

    /// Where the piece of code ends that `pc` lies in.
    pub(crate) fn code_end(&self, pc: u32) -> u64 {
        let Some(checks) = &self.checks else { return 1 << 32 };
        checks.code_at(pc).map_or(0, |piece| piece.end.into())
    }

    /// Refuses to execute what is no code.
    pub(crate) fn check_fetch(&self) -> Result<(), VmError> {
        if self.is_code(self.pc) { Ok(()) } else { Err(self.fault(Fault::NoCode)) }
    }

    /// Refuses to jump to what is no code.
    pub(crate) fn check_target(&self, target: u32) -> Result<(), VmError> {
        if self.checks.is_none() || (target & 3 == 0 && self.is_code(target)) {
            return Ok(());
        }
        let unaligned = target & 3 != 0;
        Err(self.fault(if unaligned {
            Fault::UnalignedJump { target }
        } else {
            Fault::JumpOutsideCode { target }
        }))
    }

    /// Refuses a load or store that is not aligned or goes where the program may not.
    pub(crate) fn check_access(&self, access: Access, address: u32, size: u32) -> Result<(), VmError> {
        if self.checks.is_some() && !address.is_multiple_of(size) {
            return Err(self.fault(Fault::UnalignedAccess { access, size, address }));
        }
        self.check_range(access, address, size)
    }

    /// Refuses an access to `len` bytes of which one lies where the program may not go. A range over the end of the address space is
    /// looked at up to there.
    pub(crate) fn check_range(&self, access: Access, address: u32, len: u32) -> Result<(), VmError> {
        let Some(checks) = self.checks.as_ref().filter(|_| len > 0) else { return Ok(()) };
        let last = address.saturating_add(len - 1);
        let space = &self.cpu.space;
        let pages = (address >> 12)..=(last >> 12);
        let places = pages.map(|page| address.max(page << 12));
        for place in places {
            let size = len - (place - address);
            if !space.is_open(place) {
                return Err(self.fault(self.misplaced(checks, access, place, size)));
            }
            if access == Access::Write && space.is_read_only(place) {
                return Err(self.fault(Fault::ReadOnlyWrite { size, address: place }));
            }
        }
        Ok(())
    }

    /// What is wrong with an access to a place where the program may not go.
    fn misplaced(&self, checks: &Checks, access: Access, address: u32, size: u32) -> Fault {
        let (pointer, lowest) = (self.cpu.registers[29], checks.stack_start);
        // A program with a stack of its own elsewhere has the pointer in memory that is open.
        let overflown = pointer < lowest && !self.cpu.space.is_open(pointer);
        match address {
            _ if address < checks.image_start => Fault::NullAccess { access, size, address },
            _ if address < lowest && overflown => Fault::StackOverflow { address, pointer, lowest },
            _ => Fault::OutsideAccess { access, size, address },
        }
    }

    /// Refuses an `mmap` of memory behind the heap's end; memory that is only reserved (no protection bit is set) may lie anywhere, as
    /// long as nobody goes there.
    pub(crate) fn check_mmap(&self, size: u32, protection: u32) -> Result<(), VmError> {
        let Some(checks) = self.checks.as_ref().filter(|_| protection != 0) else { return Ok(()) };
        let (start, end) = (self.heap, checks.heap_end);
        let fits = u64::from(start) + u64::from(size) <= end.into();
        if fits { Ok(()) } else { Err(self.fault(Fault::HeapExhausted { size, start, end })) }
    }

    /// Opens memory that the program has asked for.
    pub(crate) fn open(&mut self, start: u32, len: u32) {
        if self.checks.is_some() {
            self.cpu.space.open(start, len);
        }
    }

    fn fault(&self, fault: Fault) -> VmError {
        VmError::Fault { step: self.step, pc: self.pc, word: self.cpu.space.word(self.pc), fault }
    }
}
