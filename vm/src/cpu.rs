use crate::calls::Calls;
use crate::code::{Code, Op, pc_of};
use crate::kinds::Done;
use crate::space::Space;

/// Where a decoded instruction puts a result that MIPS drops, a write to register 0. Registers from 32 on
/// are no part of the state.
pub(crate) const SINK: u8 = 32;

/// Where a result for `register` goes: register 0 stays 0.
pub(crate) fn sink(register: u8) -> u8 {
    if register == 0 { SINK } else { register }
}

/// Fewer steps than this left: `fast` stops and `step` does the rest. Longer than any run of instructions
/// between two looks at the count, which is at most a page and a delay slot.
pub(crate) const MARGIN: i64 = 2048;

/// Registers, memory and decoded instructions: what both interpreters work on.
pub(crate) struct Cpu {
    /// 32 registers and the [`SINK`]; as long as a u8 reaches, so that no index needs a check.
    pub(crate) registers: [u32; 256],
    pub(crate) lo: u32,
    pub(crate) hi: u32,
    pub(crate) space: Space,
    pub(crate) code: Code,
    pub(crate) calls: Calls,
    /// `fast`: steps left at `block`, and where the current run of instructions began.
    pub(crate) left: i64,
    pub(crate) block: *const Op,
    /// `fast`: stops as soon as fewer steps than this are left; raised to stop it early.
    pub(crate) margin: i64,
    /// `fast`: slot of the instruction it stopped before.
    pub(crate) stopped_at: u32,
    /// Most pages that may be present.
    pub(crate) max_pages: u32,
}

// SAFETY: `block` points into the mapping `code` owns, and means something only while `fast` runs.
unsafe impl Send for Cpu {}

impl Cpu {
    #[inline(always)]
    pub(crate) fn get(&self, register: u8) -> u32 {
        self.registers[register as usize]
    }

    #[inline(always)]
    pub(crate) fn set(&mut self, register: u8, value: u32) {
        self.registers[register as usize] = value;
    }

    #[inline(always)]
    pub(crate) fn set_product(&mut self, product: u64) {
        self.hi = (product >> 32) as u32;
        self.lo = product as u32;
    }

    /// `fast`: what comes before a store that is not usual.
    #[cold]
    #[inline(never)]
    pub(crate) fn prepare_store(&mut self, address: u32, log_size: u32) -> Done {
        // What may be written and nobody looks at is usual for loads, too.
        let may = self.space.is_usual_load(address, log_size) && !self.space.is_read_only(address);
        match may {
            true if self.note_store(address) => Done::Changed,
            true => Done::Next,
            false => Done::Left,
        }
    }

    /// Notes a call and sets the register it links.
    #[inline(always)]
    pub(crate) fn link(&mut self, register: u8, site: u32) {
        self.calls.note(site, self.registers[29]);
        self.set(register, site.wrapping_add(8));
    }

    /// Notes a store to a page that is new, watched, or has decoded instructions; for (S) before any instruction is decoded
    /// again. Says whether decoded ones had to be undone.
    pub(crate) fn note_store(&mut self, address: u32) -> bool {
        self.space.make_present(address);
        if self.space.present() > self.max_pages {
            // `fast` has no way out in the middle of a run; it looks at the margin at the next jump.
            self.margin = i64::MAX;
        }
        self.space.is_code(address) && self.code.forget(address)
    }

    /// `fast`: leaves before the instruction at `ip`.
    #[inline(always)]
    pub(crate) fn leave(&mut self, ip: *const Op) -> *const Op {
        // SAFETY: both point into the slots.
        self.left -= unsafe { ip.offset_from(self.block) } as i64;
        self.stop(ip)
    }

    /// The same, where it is rare.
    #[cold]
    #[inline(never)]
    pub(crate) fn leave_rarely(&mut self, ip: *const Op) -> *const Op {
        self.leave(ip)
    }

    /// `fast`: goes from the end of a run of instructions to the start of another.
    #[inline(always)]
    pub(crate) fn enter(&mut self, end: *const Op, target: *const Op) -> *const Op {
        // SAFETY: both point into the slots.
        self.left -= unsafe { end.offset_from(self.block) } as i64;
        self.block = target;
        if self.left < self.margin {
            return self.stop(target);
        }
        target
    }

    #[cold]
    fn stop(&mut self, ip: *const Op) -> *const Op {
        // SAFETY: `ip` points into the slots, of which there are fewer than 2^32.
        self.stopped_at = unsafe { ip.offset_from(self.code.base()) } as u32;
        std::ptr::null()
    }

    /// `fast`: the address of the instruction at `ip`.
    #[inline(always)]
    pub(crate) fn pc_at(&self, ip: *const Op) -> u32 {
        // SAFETY: `ip` points into the slots, of which there are fewer than 2^32.
        pc_of(unsafe { ip.offset_from(self.code.base()) } as u32)
    }
}
