//! What one instruction does on a MIPS processor, from any state: the reference that the contract is judged by.
//!
//! unicorn-engine executes it. An emulator caches what it has translated, so each word gets a place of its own
//! in the zone of the code, and keeps it for all states it is tried in.
//!
//! It can't see that a branch-likely skips its delay slot: the emulator announces the instruction before it finds out.

use std::cell::RefCell;
use std::ffi::c_void;
use std::rc::Rc;

use opml_state::{PAGE_SIZE, Page, State};

use crate::unicorn::{HOOK_CODE, HOOK_INTERRUPT, Handle, OnCode, OnInterrupt, Processor, Saved, Unicorn};

/// Where the words are executed: [`first_place`] and on. Branches reach 128 KiB to either side.
const ZONE: u32 = 0x0100_0000;
const ZONE_LEN: u32 = 0x0100_0000;
const MARGIN: u32 = 0x4_0000;

/// Bytes from one place to the next.
const PLACE_LEN: u32 = 64;

/// The word is the third of its place: one in front for a jump whose delay slot it is in, and the one before that
/// ends the place in front.
const WORD_AT: u32 = 8;

/// Behind the words of a place; it is never executed, and ends what the emulator translates at once.
const END: u32 = 0x0000_000d;

/// From the word to the first word that a place may jump to, so that it is in the same place.
const NEAR: u32 = 0x20;

/// A place for one word, with room to go on behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place(u32);

impl Place {
    /// The first `count` places, one after another.
    ///
    /// # Panics
    /// If they do not fit.
    pub fn all(count: usize) -> impl Iterator<Item = Self> {
        let last = ZONE + ZONE_LEN - MARGIN;
        assert!(count <= ((last - ZONE - MARGIN) / PLACE_LEN) as usize, "{count} places are too many");
        (0..count as u32).map(|i| Self(ZONE + MARGIN + i * PLACE_LEN + WORD_AT))
    }

    /// Address of the word.
    pub fn pc(self) -> u32 {
        self.0
    }

    /// Where to jump to in order to have the word in a delay slot.
    pub fn near(self) -> u32 {
        self.0 + NEAR
    }

    /// An address of code that is in no place: `index` below 1,000 tells them apart.
    pub fn far(index: u32) -> u32 {
        assert!(index < 1000);
        ZONE + 0x1000 + 8 * index
    }
}

/// An exception, by the numbers of QEMU (`target/mips/cpu.h`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are the manual's")]
pub enum Exception {
    AddressErrorLoad,
    AddressErrorStore,
    SystemCall,
    Breakpoint,
    ReservedInstruction,
    IntegerOverflow,
    Trap,
}

impl Exception {
    fn from_number(number: u32) -> Self {
        match number {
            12 => Self::AddressErrorLoad,
            13 => Self::AddressErrorStore,
            17 => Self::SystemCall,
            18 => Self::Breakpoint,
            20 => Self::ReservedInstruction,
            21 => Self::IntegerOverflow,
            22 => Self::Trap,
            _ => panic!("exception {number} was not expected here"),
        }
    }
}

/// What a processor makes of an instruction.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It goes on from this state.
    Goes(Box<State>),
    /// It raises an exception.
    Raises(Exception),
}

/// What the hooks note down.
#[derive(Default)]
struct Trace {
    addresses: Vec<u32>,
    /// How many addresses are waited for.
    wanted: usize,
    exception: Option<u32>,
    stop: Option<unsafe extern "C" fn(Handle) -> i32>,
}

/// A processor that executes single instructions. Its memory is one page of data at address 0, and the zone.
pub struct SingleStep {
    // Freed before the machine is.
    fresh: Saved,
    machine: Unicorn,
    trace: Rc<RefCell<Trace>>,
}

impl SingleStep {
    /// The processor after a reset.
    pub fn new(processor: Processor) -> Self {
        let machine = Unicorn::with(processor);
        machine.map(0, PAGE_SIZE);
        machine.map(ZONE, ZONE_LEN as usize);
        machine.write(ZONE, &END.to_be_bytes().repeat(ZONE_LEN as usize / 4));
        let trace = Rc::new(RefCell::new(Trace { stop: Some(machine.api.emu_stop), ..Trace::default() }));
        let data = Rc::as_ptr(&trace).cast_mut().cast::<c_void>();
        let (on_code, on_interrupt): (OnCode, OnInterrupt) = (note_address, note_exception);
        machine.add_hook(HOOK_CODE, on_code as *const c_void, data);
        machine.add_hook(HOOK_INTERRUPT, on_interrupt as *const c_void, data);
        Self { fresh: machine.save(), machine, trace }
    }

    /// Puts `word` into `place`, which no word has had before. If it is executed in a delay slot there, the jump
    /// in front goes to [`Place::near`].
    pub fn put(&self, place: Place, word: u32) {
        // beq $zero, $zero: the offset counts words from its delay slot.
        let branch = 0x1000_0000 | (NEAR / 4);
        self.machine.write(place.pc() - 4, &branch.to_be_bytes());
        self.machine.write(place.pc(), &word.to_be_bytes());
        let nops = NEAR as usize + 4;
        self.machine.write(place.pc() + 4, &vec![0; nops]);
    }

    /// Executes the word at `before.pc`, which is in a delay slot if the next pc says so. Of the memory only the
    /// page at address 0 is looked at; the pc and the next pc afterwards are the next two addresses executed, if
    /// the first of them is a `nop`.
    ///
    /// # Panics
    /// If the processor does neither go on nor raise an exception, which is a mistake of the test.
    pub fn step(&self, before: &State) -> Outcome {
        let in_delay_slot = before.next_pc != before.pc + 4;
        let start = if in_delay_slot { before.pc - 4 } else { before.pc };
        self.machine.restore(&self.fresh);
        (1..32).for_each(|number| self.machine.set_register(number, before.registers[usize::from(number)]));
        self.machine.set_hi_lo(before.hi, before.lo);
        self.machine.write(0, before.memory.page(0).expect("the page of data is there"));

        let executed = 1 + usize::from(in_delay_slot);
        {
            let mut trace = self.trace.borrow_mut();
            trace.addresses.clear();
            trace.wanted = executed + 2;
            trace.exception = None;
        }
        // An address that is never reached as the place to stop: it is not mapped.
        // SAFETY: the hooks' data lives as long as `self`, and nothing borrows it until the call returns. What the
        // call itself returns says nothing: it is an error after every stop in a hook.
        unsafe { (self.machine.api.emu_start)(self.machine.handle, start.into(), 0xffff_fffc, 0, 0) };
        let trace = self.trace.borrow();
        if let Some(number) = trace.exception {
            return Outcome::Raises(Exception::from_number(number));
        }
        let &[pc, next_pc] = trace.addresses.get(executed..).unwrap_or_default() else {
            panic!("the processor went to {:x?} and no further: {before:x?}", trace.addresses)
        };
        Outcome::Goes(Box::new(self.after(before, pc, next_pc)))
    }

    fn after(&self, before: &State, pc: u32, next_pc: u32) -> State {
        let (hi, lo) = self.machine.hi_lo();
        let mut after = State { pc, next_pc, hi, lo, step: before.step + 1, ..before.clone() };
        after.registers = std::array::from_fn(|number| self.machine.register(number as u8));
        let page: Page = self.machine.read(0, PAGE_SIZE).try_into().expect("a page was read");
        after.memory.set_page(0, Box::new(page));
        after
    }
}

/// SAFETY of both hooks: `data` is the trace of the [`SingleStep`] that runs, and `uc` its machine.
unsafe extern "C" fn note_address(uc: Handle, address: u64, _size: u32, data: *mut c_void) {
    // SAFETY: see above.
    let mut trace = unsafe { &*data.cast::<RefCell<Trace>>() }.borrow_mut();
    if trace.addresses.len() < trace.wanted {
        trace.addresses.push(address as u32);
    }
    if trace.addresses.len() == trace.wanted {
        trace.stop.inspect(|stop| {
            // SAFETY: hooks may stop their machine.
            unsafe { stop(uc) };
        });
    }
}

unsafe extern "C" fn note_exception(uc: Handle, number: u32, data: *mut c_void) {
    // SAFETY: see `note_address`.
    let mut trace = unsafe { &*data.cast::<RefCell<Trace>>() }.borrow_mut();
    // Behind the last address nothing counts any more.
    if trace.addresses.len() < trace.wanted {
        trace.exception = Some(number);
    }
    trace.stop.inspect(|stop| {
        // SAFETY: see `note_address`.
        unsafe { stop(uc) };
    });
}
