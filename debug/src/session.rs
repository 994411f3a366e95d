use std::io::Write;
use std::sync::Arc;

use opml_state::State;
use opml_vm::{Checkpoints, GuestHost, Halt, Host, HostError, Layout, Request, Stop, Vm, VmError};

/// A run that can be taken back. The program computes what it does in any other run: stopping, looking and going back change nothing.
pub struct Session {
    vm: Vm,
    host: LiveHost,
    checkpoints: Checkpoints,
    /// The greatest step that was reached.
    furthest: u64,
}

/// The host of a run of which parts are run again: what the program writes then was written before.
struct LiveHost {
    host: GuestHost,
    is_live: bool,
}

impl Host for LiveHost {
    fn preimage(&mut self, key: &[u8; 32]) -> Result<Arc<[u8]>, HostError> {
        self.host.preimage(key)
    }

    fn hint(&mut self, payload: &[u8]) {
        self.host.hint(payload);
    }

    fn output(&mut self, fd: u32, bytes: &[u8]) {
        if self.is_live {
            self.host.output(fd, bytes);
            // Standard output may be the connection to the debugger. Nobody has to read what a program writes.
            let _unread = std::io::stderr().write_all(bytes);
        }
    }
}

impl Session {
    /// A run from `state`, watched for faults if a layout is given. What the program writes goes to standard error.
    ///
    /// # Errors
    /// Those of [`Vm::from_state`].
    pub fn new(state: State, request: Request, layout: Option<&Layout>) -> Result<Self, VmError> {
        let mut vm = Vm::from_state(&state)?;
        if let Some(layout) = layout {
            vm = vm.checked(layout);
        }
        let checkpoints = Checkpoints::new(&mut vm, state.memory);
        let furthest = vm.step_count();
        Ok(Self {
            vm,
            host: LiveHost { host: GuestHost::new(request), is_live: true },
            checkpoints,
            furthest,
        })
    }

    /// The VM where the run is.
    pub fn vm(&self) -> &Vm {
        &self.vm
    }

    /// The VM, to set and remove breakpoints and watches.
    pub fn vm_mut(&mut self) -> &mut Vm {
        &mut self.vm
    }

    /// The greatest step that was reached.
    pub fn furthest(&self) -> u64 {
        self.furthest
    }

    /// Runs on, over what is to be seen here, to the next of it, but at most `limit` steps.
    ///
    /// # Errors
    /// Those of [`Vm::run`]; the run stays before the step that failed.
    pub fn run(&mut self, limit: u64) -> Result<Halt, VmError> {
        let mut left = limit;
        loop {
            let here = self.vm.step_count();
            self.host.is_live = here >= self.furthest;
            let known = if self.host.is_live { u64::MAX } else { self.furthest - here };
            let part = left.min(known).min(self.checkpoints.distance(here));
            let halt = self.vm.run_to_break(&mut self.host, part);
            let now = self.vm.step_count();
            self.furthest = self.furthest.max(now);
            left -= now - here;
            match halt? {
                Halt::Stop(Stop::Limit) => {}
                halt => return Ok(halt),
            }
            if self.checkpoints.distance(here) == now - here {
                self.checkpoints.take(&mut self.vm);
            }
            if let Some(halt) = self.vm.halt_here() {
                return Ok(halt);
            }
            if left == 0 {
                return Ok(Halt::Stop(Stop::Limit));
            }
        }
    }

    /// Goes to the state before `step`, or as near as there is a state: the run's first, or where the program exits or fails.
    ///
    /// # Errors
    /// Those of [`run`](Self::run).
    pub fn go_to(&mut self, step: u64) -> Result<(), VmError> {
        if step < self.vm.step_count() {
            self.checkpoints.restore(&mut self.vm, step)?;
        }
        while self.vm.step_count() < step && self.vm.exit_code().is_none() {
            self.run(step - self.vm.step_count())?;
        }
        Ok(())
    }

    /// Goes back one step. Says whether there was one.
    ///
    /// # Errors
    /// Those of [`run`](Self::run).
    pub fn step_back(&mut self) -> Result<bool, VmError> {
        let here = self.vm.step_count();
        if here <= self.checkpoints.first() {
            return Ok(false);
        }
        self.go_to(here - 1)?;
        Ok(true)
    }

    /// Goes back to the last breakpoint before here, or to right behind the last watched access; to the run's start if there is none.
    /// Between parts of the way it asks `is_enough` and stops if that says so.
    ///
    /// # Errors
    /// Those of [`run`](Self::run).
    pub fn run_back(&mut self, mut is_enough: impl FnMut() -> bool) -> Result<Option<Halt>, VmError> {
        let here = self.vm.step_count();
        let mut end = here;
        while end > self.checkpoints.first() {
            let start = self.checkpoints.before(end - 1);
            self.go_to(start)?;
            let mut last = None;
            loop {
                let now = self.vm.step_count();
                match self.vm.halt_here() {
                    Some(Halt::Watch { .. }) if now + 1 >= here => {}
                    Some(halt @ Halt::Watch { .. }) => last = Some((now + 1, halt)),
                    Some(halt) if now < end => last = Some((now, halt)),
                    _ => {}
                }
                if now >= end || self.vm.exit_code().is_some() {
                    break;
                }
                self.run(end - now)?;
            }
            if let Some((step, halt)) = last {
                self.go_to(step)?;
                return Ok(Some(halt));
            }
            end = start;
            if is_enough() {
                break;
            }
        }
        self.go_to(end)?;
        Ok(None)
    }

    /// The step of the run's first state.
    pub fn first(&self) -> u64 {
        self.checkpoints.first()
    }
}
