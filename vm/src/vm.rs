use opml_state::{Hash, Memory, State};

use crate::breaks::Breaks;
use crate::calls::Calls;
use crate::checks::Checks;
use crate::code::Code;
use crate::cpu::{Cpu, MARGIN};
use crate::decode::decode;
use crate::space::Space;
use crate::syscall::Preimage;
use crate::{Call, Host, VmError, fast};

/// Most pages of guest memory a VM gives unless told otherwise: 2^18, 1 GiB.
pub const DEFAULT_MAX_PAGES: u32 = 1 << 18;

/// Pages whose instructions are kept decoded; if a program runs through more, all are decoded anew. 64 MiB
/// of code take 128 MiB.
const MAX_CODE_PAGES: u32 = 1 << 14;

/// Most steps `fast` is given at once, so that the count fits.
const MOST_STEPS: u64 = 1 << 62;

/// Why a run ended without an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The program has exited.
    Exited {
        /// With this code.
        code: u8,
    },
    /// The limit of steps was reached.
    Limit,
}

/// A running program. See the crate's documentation.
pub struct Vm {
    pub(crate) cpu: Cpu,
    pub(crate) pc: u32,
    pub(crate) next_pc: u32,
    pub(crate) heap: u32,
    pub(crate) exited: bool,
    pub(crate) exit_code: u8,
    pub(crate) step: u64,
    pub(crate) preimage_key: Hash,
    pub(crate) preimage_offset: u32,
    pub(crate) preimage: Option<Preimage>,
    /// Bytes written to the hint descriptor that are not yet a whole hint.
    pub(crate) hint: Vec<u8>,
    code_pages: u32,
    /// What is watched, see `checks`.
    pub(crate) checks: Option<Checks>,
    /// Where a debugger wants to stop.
    pub(crate) breaks: Breaks,
}

impl Vm {
    /// A VM in `state`.
    ///
    /// # Errors
    /// If the address space cannot be reserved, or the state has more pages than [`DEFAULT_MAX_PAGES`].
    pub fn from_state(state: &State) -> Result<Self, VmError> {
        Self::with_page_limit(state, DEFAULT_MAX_PAGES)
    }

    /// A VM in `state` that stops with an error when the program uses more than `max_pages` pages of 4,096
    /// bytes. The stop may come some steps late, but always between two steps.
    ///
    /// # Errors
    /// If the address space cannot be reserved, or the state has more pages already.
    pub fn with_page_limit(state: &State, max_pages: u32) -> Result<Self, VmError> {
        let mut space = Space::new()?;
        for (index, page) in state.memory.pages() {
            space.load_page(index, page);
        }
        let mut registers = [0; 256];
        registers[..32].copy_from_slice(&state.registers);
        let code = Code::new()?;
        let block = code.base();
        let (lo, hi) = (state.lo, state.hi);
        let (left, margin, stopped_at) = (0, MARGIN, 0);
        let vm = Self {
            cpu: Cpu {
                registers,
                lo,
                hi,
                space,
                code,
                calls: Calls::new(),
                left,
                block,
                margin,
                stopped_at,
                max_pages,
            },
            pc: state.pc,
            next_pc: state.next_pc,
            heap: state.heap,
            exited: state.exited,
            exit_code: state.exit_code,
            step: state.step,
            preimage_key: state.preimage_key,
            preimage_offset: state.preimage_offset,
            preimage: None,
            hint: state.last_hint.clone(),
            code_pages: 0,
            checks: None,
            breaks: Breaks::default(),
        };
        vm.check_pages()?;
        Ok(vm)
    }

    /// The state after the steps so far.
    pub fn state(&self) -> State {
        let mut memory = Memory::new();
        for index in self.cpu.space.present_pages() {
            memory.set_page(index, Box::new(*self.cpu.space.page(index)));
        }
        State { memory, ..self.registers_and_counters() }
    }

    /// The state without its memory.
    pub(crate) fn registers_and_counters(&self) -> State {
        State {
            memory: Memory::new(),
            preimage_key: self.preimage_key,
            preimage_offset: self.preimage_offset,
            pc: self.pc,
            next_pc: self.next_pc,
            lo: self.cpu.lo,
            hi: self.cpu.hi,
            heap: self.heap,
            exit_code: self.exit_code,
            exited: self.exited,
            step: self.step,
            registers: *self.registers(),
            last_hint: self.hint.clone(),
        }
    }

    /// Takes all but the memory from `state`.
    pub(crate) fn set_registers_and_counters(&mut self, state: &State) {
        self.cpu.registers[..32].copy_from_slice(&state.registers);
        (self.cpu.lo, self.cpu.hi) = (state.lo, state.hi);
        (self.pc, self.next_pc, self.heap) = (state.pc, state.next_pc, state.heap);
        (self.exited, self.exit_code, self.step) = (state.exited, state.exit_code, state.step);
        (self.preimage_key, self.preimage_offset) = (state.preimage_key, state.preimage_offset);
        self.hint.clone_from(&state.last_hint);
        // What was called later has not been called.
        self.cpu.calls.clear();
    }

    /// Address of the next instruction.
    pub fn pc(&self) -> u32 {
        self.pc
    }

    /// Steps executed since the start of the program.
    pub fn step_count(&self) -> u64 {
        self.step
    }

    /// The exit code, if the program has exited.
    pub fn exit_code(&self) -> Option<u8> {
        self.exited.then_some(self.exit_code)
    }

    /// The general registers.
    pub fn registers(&self) -> &[u32; 32] {
        self.cpu.registers.first_chunk().expect("there are 256")
    }

    /// The registers lo and hi.
    pub fn product(&self) -> (u32, u32) {
        (self.cpu.lo, self.cpu.hi)
    }

    /// The memory from `address` onwards: `len` bytes, or fewer at the end of the address space.
    pub fn memory(&self, address: u32, len: usize) -> &[u8] {
        self.cpu.space.bytes(address, len)
    }

    /// Pages of memory the program uses, each of 4,096 bytes.
    pub fn page_count(&self) -> u32 {
        self.cpu.space.present()
    }

    /// The last calls this VM has executed, some ten thousands, the last one first.
    pub fn latest_calls(&self) -> impl Iterator<Item = Call> + '_ {
        self.cpu.calls.latest()
    }

    /// Runs until the program exits, but at most `limit` steps.
    ///
    /// # Errors
    /// Those of [`step`](Self::step). The VM then stays in the state before the step that failed.
    pub fn run(&mut self, host: &mut impl Host, limit: u64) -> Result<Stop, VmError> {
        let mut left = limit;
        while !self.exited && left > 0 {
            if left > MARGIN as u64 && self.is_usual() {
                left = self.run_fast(left)?;
            }
            // What `fast` stopped at, or what it cannot begin with.
            self.step(host)?;
            self.check_pages()?;
            left -= 1;
        }
        Ok(if self.exited { Stop::Exited { code: self.exit_code } } else { Stop::Limit })
    }

    /// Whether `fast` can begin here: not in a delay slot, at an aligned pc, and with the register 0 that
    /// every program has and only a made-up state has not.
    pub(crate) fn is_usual(&self) -> bool {
        self.next_pc == self.pc.wrapping_add(4) && self.pc & 3 == 0 && self.cpu.registers[0] == 0
    }

    /// Runs as far as `fast` can, at most `limit` steps less the margin. Returns how many are left.
    pub(crate) fn run_fast(&mut self, limit: u64) -> Result<u64, VmError> {
        let mut left = limit;
        loop {
            left -= self.enter_fast(left.min(MOST_STEPS), MARGIN)?;
            if left <= MARGIN as u64 || !self.decode_here()? {
                return Ok(left);
            }
        }
    }

    /// Runs consecutive words up to a taken branch with its delay slot, a page's end, or what needs [`step`](Self::step).
    /// Returns how many steps that was, fewer than [`MARGIN`]; 0 if `fast` cannot begin here.
    pub(crate) fn run_piece(&mut self) -> Result<u64, VmError> {
        if !self.is_usual() {
            return Ok(0);
        }
        loop {
            let done = self.enter_fast(MOST_STEPS, i64::MAX)?;
            if done > 0 || !self.decode_here()? {
                return Ok(done);
            }
        }
    }

    /// Lets `fast` run `steps` steps less `margin`, or until it stops. Returns how many it did.
    fn enter_fast(&mut self, steps: u64, margin: i64) -> Result<u64, VmError> {
        let (pc, rest) = fast::run(&mut self.cpu, self.pc, steps as i64, margin);
        let done = steps - rest as u64;
        self.step = self.step.wrapping_add(done);
        self.pc = pc;
        self.next_pc = pc.wrapping_add(4);
        self.check_pages()?;
        Ok(done)
    }

    /// Decodes the instructions at the pc. Says whether that was still to be done.
    fn decode_here(&mut self) -> Result<bool, VmError> {
        if !self.cpu.code.is_undecoded(self.pc) {
            return Ok(false);
        }
        self.check_fetch()?;
        if self.cpu.space.make_code(self.pc) {
            self.code_pages += 1;
            if self.code_pages > MAX_CODE_PAGES {
                self.forget_code()?;
                self.cpu.space.make_code(self.pc);
                self.code_pages = 1;
            }
        }
        let end = self.code_end(self.pc);
        let (checks, breaks) = (&self.checks, &self.breaks);
        let is_code = |target| checks.as_ref().is_none_or(|checks| checks.is_code(target));
        decode(&mut self.cpu, self.pc, end, is_code, |pc| breaks.is_breakpoint(pc));
        Ok(true)
    }

    /// Forgets all decoded instructions.
    pub(crate) fn forget_code(&mut self) -> Result<(), VmError> {
        self.cpu.code = Code::new()?;
        self.cpu.space.clear_code();
        self.code_pages = 0;
        Ok(())
    }

    pub(crate) fn check_pages(&self) -> Result<(), VmError> {
        let (got, limit) = (self.cpu.space.present(), self.cpu.max_pages);
        if got > limit { Err(VmError::MemoryLimit { got, limit }) } else { Ok(()) }
    }
}
