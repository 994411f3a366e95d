//! What gdb may ask of a run.
//!
//! Registers and memory can be read and not written: each state of the run is a committed one, and a run that was changed would be
//! the run of nothing.

use gdbstub::common::Signal;
use gdbstub::target::ext::base::BaseOps;
use gdbstub::target::ext::base::reverse_exec::{ReverseCont, ReverseContOps, ReverseStep, ReverseStepOps};
use gdbstub::target::ext::base::singlethread::{
    SingleThreadBase, SingleThreadRangeStepping, SingleThreadRangeSteppingOps, SingleThreadResume,
    SingleThreadResumeOps, SingleThreadSingleStep, SingleThreadSingleStepOps,
};
use gdbstub::target::ext::breakpoints::{
    Breakpoints, BreakpointsOps, HwBreakpoint, HwBreakpointOps, HwWatchpoint, HwWatchpointOps, SwBreakpoint,
    SwBreakpointOps, WatchKind,
};
use gdbstub::target::ext::monitor_cmd::{ConsoleOutput, MonitorCmd, MonitorCmdOps, outputln};
use gdbstub::target::{Target, TargetError, TargetResult};
use opml_toolchain::elf::Elf;
use opml_vm::{Access, VmError, Watch};

use super::arch::{Mips32, Registers};
use crate::{Backtrace, Session};

/// How the run is to go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Resume {
    Continue,
    Step,
    /// Step as long as the pc is in the range.
    Range {
        start: u32,
        end: u32,
    },
    BackContinue,
    BackStep,
}

/// A run with gdb's wishes.
pub(super) struct Debuggee<'a> {
    pub session: Session,
    pub elf: &'a Elf,
    pub resume: Resume,
    /// Whether gdb knows that the program has come to its end.
    pub is_end_known: bool,
    /// What the run failed with, if it did where it is.
    pub failure: Option<VmError>,
}

impl Target for Debuggee<'_> {
    type Arch = Mips32;
    type Error = VmError;

    fn base_ops(&mut self) -> BaseOps<'_, Self::Arch, Self::Error> {
        BaseOps::SingleThread(self)
    }

    fn support_breakpoints(&mut self) -> Option<BreakpointsOps<'_, Self>> {
        Some(self)
    }

    fn support_monitor_cmd(&mut self) -> Option<MonitorCmdOps<'_, Self>> {
        Some(self)
    }
}

impl SingleThreadBase for Debuggee<'_> {
    fn read_registers(&mut self, registers: &mut Registers) -> TargetResult<(), Self> {
        let vm = self.session.vm();
        let (lo, hi) = vm.product();
        *registers = Registers { general: *vm.registers(), lo, hi, pc: vm.pc() };
        Ok(())
    }

    fn write_registers(&mut self, _registers: &Registers) -> TargetResult<(), Self> {
        Err(TargetError::NonFatal)
    }

    fn read_addrs(&mut self, start: u32, data: &mut [u8]) -> TargetResult<usize, Self> {
        let bytes = self.session.vm().memory(start, data.len());
        data[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }

    fn write_addrs(&mut self, _start: u32, _data: &[u8]) -> TargetResult<(), Self> {
        Err(TargetError::NonFatal)
    }

    fn support_resume(&mut self) -> Option<SingleThreadResumeOps<'_, Self>> {
        Some(self)
    }
}

impl SingleThreadResume for Debuggee<'_> {
    fn resume(&mut self, _signal: Option<Signal>) -> Result<(), VmError> {
        self.resume = Resume::Continue;
        Ok(())
    }

    fn support_single_step(&mut self) -> Option<SingleThreadSingleStepOps<'_, Self>> {
        Some(self)
    }

    fn support_range_step(&mut self) -> Option<SingleThreadRangeSteppingOps<'_, Self>> {
        Some(self)
    }

    fn support_reverse_step(&mut self) -> Option<ReverseStepOps<'_, (), Self>> {
        Some(self)
    }

    fn support_reverse_cont(&mut self) -> Option<ReverseContOps<'_, (), Self>> {
        Some(self)
    }
}

impl SingleThreadSingleStep for Debuggee<'_> {
    fn step(&mut self, _signal: Option<Signal>) -> Result<(), VmError> {
        self.resume = Resume::Step;
        Ok(())
    }
}

impl SingleThreadRangeStepping for Debuggee<'_> {
    fn resume_range_step(&mut self, start: u32, end: u32) -> Result<(), VmError> {
        self.resume = Resume::Range { start, end };
        Ok(())
    }
}

impl ReverseStep<()> for Debuggee<'_> {
    fn reverse_step(&mut self, _thread: ()) -> Result<(), VmError> {
        self.resume = Resume::BackStep;
        Ok(())
    }
}

impl ReverseCont<()> for Debuggee<'_> {
    fn reverse_cont(&mut self) -> Result<(), VmError> {
        self.resume = Resume::BackContinue;
        Ok(())
    }
}

impl Breakpoints for Debuggee<'_> {
    fn support_sw_breakpoint(&mut self) -> Option<SwBreakpointOps<'_, Self>> {
        Some(self)
    }

    fn support_hw_breakpoint(&mut self) -> Option<HwBreakpointOps<'_, Self>> {
        Some(self)
    }

    fn support_hw_watchpoint(&mut self) -> Option<HwWatchpointOps<'_, Self>> {
        Some(self)
    }
}

impl Debuggee<'_> {
    fn set_breakpoint(&mut self, pc: u32, is_set: bool) -> TargetResult<bool, Self> {
        self.session.vm_mut().set_breakpoint(pc, is_set);
        Ok(true)
    }
}

// Neither kind changes the program, so both are the same.
impl SwBreakpoint for Debuggee<'_> {
    fn add_sw_breakpoint(&mut self, pc: u32, _kind: usize) -> TargetResult<bool, Self> {
        self.set_breakpoint(pc, true)
    }

    fn remove_sw_breakpoint(&mut self, pc: u32, _kind: usize) -> TargetResult<bool, Self> {
        self.set_breakpoint(pc, false)
    }
}

impl HwBreakpoint for Debuggee<'_> {
    fn add_hw_breakpoint(&mut self, pc: u32, _kind: usize) -> TargetResult<bool, Self> {
        self.set_breakpoint(pc, true)
    }

    fn remove_hw_breakpoint(&mut self, pc: u32, _kind: usize) -> TargetResult<bool, Self> {
        self.set_breakpoint(pc, false)
    }
}

impl HwWatchpoint for Debuggee<'_> {
    fn add_hw_watchpoint(&mut self, start: u32, len: u32, kind: WatchKind) -> TargetResult<bool, Self> {
        self.session.vm_mut().add_watch(watch(start, len, kind));
        Ok(true)
    }

    fn remove_hw_watchpoint(&mut self, start: u32, len: u32, kind: WatchKind) -> TargetResult<bool, Self> {
        Ok(self.session.vm_mut().remove_watch(&watch(start, len, kind)))
    }
}

fn watch(start: u32, len: u32, kind: WatchKind) -> Watch {
    let access = match kind {
        WatchKind::Read => Some(Access::Read),
        WatchKind::Write => Some(Access::Write),
        WatchKind::ReadWrite => None,
    };
    Watch { range: start..=start.saturating_add(len.max(1) - 1), access }
}

impl MonitorCmd for Debuggee<'_> {
    fn handle_monitor_cmd(&mut self, command: &[u8], mut out: ConsoleOutput<'_>) -> Result<(), VmError> {
        let text = String::from_utf8_lossy(command);
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            ["steps"] => {
                let (here, furthest) = (self.session.vm().step_count(), self.session.furthest());
                outputln!(out, "step {here}; the furthest was {furthest}");
            }
            ["goto", step] => match step.parse() {
                Ok(step) => {
                    // A program that ends or fails on the way is where it can be.
                    self.failure = self.session.go_to(step).err();
                    outputln!(out, "step {}", self.session.vm().step_count());
                    outputln!(out, "gdb learns of it by: maintenance flush register-cache");
                }
                Err(_) => outputln!(out, "a step is a number, not {step}"),
            },
            ["why"] => match &self.failure {
                Some(failure) => outputln!(out, "{failure}"),
                None => outputln!(out, "the program has not failed here"),
            },
            ["backtrace"] => outputln!(out, "{}", Backtrace::of(self.session.vm(), self.elf).text(true)),
            _ => {
                outputln!(out, "steps           where the run is");
                outputln!(out, "goto N          go to the state before step N");
                outputln!(out, "why             what the program failed with");
                outputln!(out, "backtrace       the stack, also through functions that never return");
            }
        }
        Ok(())
    }
}
