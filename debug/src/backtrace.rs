use std::fmt;

use opml_toolchain::elf::{Caller, Elf, Frames, Place};
use opml_vm::{Call, Vm};

use crate::machinery::{is_library, is_machinery, is_panic_handler};

/// Most calls that are followed; a stack that overflows has many more.
const MAX_DEPTH: usize = 256;
/// Bytes from a call to where it returns to: itself and its delay slot.
const CALL: u32 = 8;
/// Calls that are shown of a longer backtrace, unless all are asked for.
const SHOWN: usize = 16;

/// A function on the stack. One that was inlined has a place of its own, at the address of the function it is in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Called {
    /// Address of the instruction: the next one, or the call that has not returned.
    pub address: u32,
    /// The function's name; none if the program's file does not say it.
    pub function: Option<String>,
    /// File and line, if the program's file says them.
    pub place: Option<Place>,
    /// Whether it was inlined into the function after it.
    pub inlined: bool,
}

/// The functions that a program is in, the innermost first; none if the program's file is not at hand.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Backtrace {
    /// The functions.
    pub calls: Vec<Called>,
    /// Whether there are more behind the last one.
    pub is_cut: bool,
    /// How many of the first only bring a panic to its end.
    machinery: usize,
}

impl Backtrace {
    /// The backtrace of `vm` where it is, with the names of `elf`.
    ///
    /// How large a function's frame is and where in it the return address lies, `.debug_frame` says. Where the address was not saved,
    /// the frame was made by the last call with the stack pointer that it begins at, as all calls since were made from inside it.
    pub fn of(vm: &Vm, elf: &Elf) -> Self {
        let (mut unwinder, mut names) = (elf.unwinder(), elf.frames());
        let (mut pc, mut registers) = (vm.pc(), *vm.registers());
        let (mut calls, mut is_cut) = (Vec::new(), false);
        for depth in 0.. {
            let functions = called(&mut names, pc);
            // Data that was taken for a return address says nothing; where the program is does.
            if functions.len() == 0 && depth > 0 {
                break;
            }
            if functions.len() == 0 {
                calls.push(Called { address: pc, function: None, place: None, inlined: false });
            }
            if depth == MAX_DEPTH {
                is_cut = true;
                break;
            }
            calls.extend(functions);
            let caller = unwinder.caller(pc, &registers, |address| word(vm, address));
            // A function that nothing is said of may be one that uses no stack.
            let unknown = || Caller { registers, has_return_address: false };
            let Some(caller) = caller.or_else(|| (depth == 0).then(unknown)) else { break };
            let pointer = caller.registers[29];
            let site = match caller.has_return_address {
                true => caller.registers[31].checked_sub(CALL),
                false => {
                    let here = Call { site: pc, stack_pointer: registers[29] };
                    let site = made_by(vm, (depth > 0).then_some(here), pointer);
                    site.or_else(|| caller.registers[31].checked_sub(CALL).filter(|_| depth == 0))
                }
            };
            let Some(site) = site.filter(|site| site.is_multiple_of(4)) else { break };
            // Frames rise, but for those of functions without one, of which the innermost alone can be.
            if pointer < registers[29] || (pointer == registers[29] && depth > 0 && site == pc) {
                break;
            }
            (pc, registers) = (site, caller.registers);
        }
        let machinery = machinery(&calls);
        Self { calls, is_cut, machinery }
    }

    /// Where the program itself is: the innermost function that is not of Rust's library, nor of those that only bring a panic to
    /// its end.
    pub fn cause(&self) -> Option<&Called> {
        let calls = &self.calls[self.machinery..];
        calls.iter().find(|call| !is_library(call)).or(calls.first())
    }

    /// Whether the program is in a panic.
    pub fn is_panic(&self) -> bool {
        self.calls
            .iter()
            .take(self.machinery)
            .any(|call| call.function.as_deref().is_some_and(is_panic_handler))
    }

    /// The lines for a reader: all, or without what says little.
    pub fn text(&self, all: bool) -> String {
        if self.calls.is_empty() {
            return "no backtrace: the program's file is not there".to_owned();
        }
        let skipped = if all { 0 } else { self.machinery };
        let kept = &self.calls[skipped..];
        let shown = if all { kept } else { &kept[..kept.len().min(SHOWN)] };
        let mut text = String::from("backtrace, innermost first:");
        for (index, call) in shown.iter().enumerate() {
            text += &format!("\n  {:>3}  {call}", index + skipped);
        }
        if skipped > 0 {
            text += &format!("\n  ({skipped} in front that end the program: --backtrace full)");
        }
        let hidden = kept.len() - shown.len();
        match (hidden, self.is_cut) {
            (0, false) => {}
            (0, true) => text += "\n  (and so on)",
            (hidden, false) => text += &format!("\n  ({hidden} more: --backtrace full)"),
            (hidden, true) => text += &format!("\n  (more than {hidden} more: --backtrace full)"),
        }
        text
    }
}

/// The functions that the instruction at `pc` belongs to, the innermost first.
fn called(names: &mut Frames<'_>, pc: u32) -> impl ExactSizeIterator<Item = Called> + use<> {
    let frames = names.at(pc.into());
    let outermost = frames.len().saturating_sub(1);
    frames.into_iter().rev().enumerate().map(move |(index, frame)| Called {
        address: pc,
        function: Some(frame.function),
        place: frame.place,
        inlined: index < outermost,
    })
}

/// The call that made the frame that begins at `pointer`, if it is not too long ago: of the calls before `from`, which was made from
/// inside the frame, the last one with that stack pointer.
fn made_by(vm: &Vm, from: Option<Call>, pointer: u32) -> Option<u32> {
    let mut calls = vm.latest_calls();
    if let Some(from) = from {
        calls.find(|call| *call == from)?;
    }
    let made = calls.find(|call| call.stack_pointer >= pointer)?;
    (made.stack_pointer == pointer).then_some(made.site)
}

/// The word at `address`, if that is a multiple of 4.
fn word(vm: &Vm, address: u32) -> Option<u32> {
    let bytes = vm.memory(address, 4).first_chunk().filter(|_| address.is_multiple_of(4))?;
    Some(u32::from_be_bytes(*bytes))
}

/// How many of the first functions only bring a panic to its end: none if the program itself is the innermost.
fn machinery(calls: &[Called]) -> usize {
    let is_part = |call: &Called| call.function.as_deref().is_some_and(is_machinery);
    let count = calls.iter().take_while(|call| is_part(call)).count();
    // A program that is nothing else, or whose functions have no names, is shown as it is.
    if count == calls.len() { 0 } else { count }
}

impl fmt::Display for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}  {}", self.address, self.function.as_deref().unwrap_or("(no function known)"))?;
        if self.inlined {
            f.write_str(" (inlined)")?;
        }
        if let Some(Place { file, line }) = &self.place {
            write!(f, "\n        at {file}:{line}")?;
        }
        Ok(())
    }
}
