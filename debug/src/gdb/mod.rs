//! A server of gdb's remote protocol for a run in the off-chain VM.

mod arch;
mod connection;
mod target;

pub use connection::Link;

use gdbstub::common::Signal;
use gdbstub::conn::ConnectionExt as _;
use gdbstub::stub::run_blocking::{BlockingEventLoop, Event, WaitForStopReasonError};
use gdbstub::stub::{DisconnectReason, GdbStub, SingleThreadStopReason};
use gdbstub::target::ext::base::reverse_exec::ReplayLogPosition;
use gdbstub::target::ext::breakpoints::WatchKind;
use opml_toolchain::elf::Elf;
use opml_vm::{Access, Fault, Halt, Stop, VmError};

use crate::Session;
use target::{Debuggee, Resume};

/// Steps between two looks at what gdb sends: some hundredths of a second.
const PART: u64 = 1 << 24;

/// Why a session with gdb did not end as one does.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum GdbError {
    /// The connection broke.
    #[error("the connection to gdb broke")]
    #[diagnostic(help("start the command again, and connect again"))]
    Connection(#[source] std::io::Error),
    /// The run could not be continued.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Vm(VmError),
    /// gdb sent what is not of its protocol.
    #[error("gdb cannot be understood: {0}")]
    #[diagnostic(help("use a gdb that knows MIPS, such as gdb-multiarch"))]
    Protocol(String),
}

/// Serves gdb on `link` until it leaves. `elf` has the program's names.
///
/// # Errors
/// If the connection breaks, or gdb sends what is no request.
pub fn serve(session: Session, elf: &Elf, link: Link) -> Result<(), GdbError> {
    let resume = Resume::Continue;
    let mut debuggee = Debuggee { session, elf, resume, is_end_known: false, failure: None };
    match GdbStub::new(link).run_blocking::<EventLoop<'_>>(&mut debuggee) {
        Ok(
            DisconnectReason::Disconnect
            | DisconnectReason::Kill
            | DisconnectReason::TargetExited(_)
            | DisconnectReason::TargetTerminated(_),
        ) => Ok(()),
        Err(error) if error.is_connection_error() => match error.into_connection_error() {
            // gdb that is killed does not say goodbye.
            Some((error, _)) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(()),
            Some((error, _)) => Err(GdbError::Connection(error)),
            None => Ok(()),
        },
        Err(error) if error.is_target_error() => match error.into_target_error() {
            Some(error) => Err(GdbError::Vm(error)),
            None => Ok(()),
        },
        Err(error) => Err(GdbError::Protocol(error.to_string())),
    }
}

struct EventLoop<'a>(std::marker::PhantomData<&'a Elf>);

type Reason = SingleThreadStopReason<u32>;

impl<'a> BlockingEventLoop for EventLoop<'a> {
    type Target = Debuggee<'a>;
    type Connection = Link;
    type StopReason = Reason;

    fn wait_for_stop_reason(
        debuggee: &mut Debuggee<'a>,
        link: &mut Link,
    ) -> Result<Event<Reason>, WaitForStopReasonError<VmError, std::io::Error>> {
        // A broken connection shows when it is read.
        let mut is_asked = || link.peek().map_or(true, |byte| byte.is_some());
        match debuggee.go_on(&mut is_asked) {
            Ok(Some(reason)) => Ok(Event::TargetStopped(reason)),
            Ok(None) => link.read().map(Event::IncomingData).map_err(WaitForStopReasonError::Connection),
            Err(error) => Err(WaitForStopReasonError::Target(error)),
        }
    }

    fn on_interrupt(_debuggee: &mut Debuggee<'a>) -> Result<Option<Reason>, VmError> {
        Ok(Some(Reason::Signal(Signal::SIGINT)))
    }
}

impl Debuggee<'_> {
    /// Runs as gdb has said. None if it `is_asked` for something else.
    fn go_on(&mut self, is_asked: &mut dyn FnMut() -> bool) -> Result<Option<Reason>, VmError> {
        self.failure = None;
        match self.resume {
            Resume::Continue => loop {
                match self.forward(PART) {
                    None if is_asked() => return Ok(None),
                    None => {}
                    reason => return Ok(reason),
                }
            },
            Resume::Step => Ok(Some(self.forward(1).unwrap_or(Reason::DoneStep))),
            Resume::Range { start, end } => loop {
                let reason = self.forward(1);
                if reason.is_some() || !(start..end).contains(&self.session.vm().pc()) {
                    return Ok(Some(reason.unwrap_or(Reason::DoneStep)));
                }
                if self.session.vm().step_count().is_multiple_of(PART) && is_asked() {
                    return Ok(None);
                }
            },
            Resume::BackStep => {
                let stepped = self.session.step_back()?;
                Ok(Some(if stepped { Reason::DoneStep } else { at(ReplayLogPosition::Begin) }))
            }
            Resume::BackContinue => {
                let halt = self.session.run_back(&mut *is_asked)?;
                let is_first = self.session.vm().step_count() == self.session.first();
                Ok(match halt {
                    Some(halt) => seen(halt),
                    None if is_first => Some(at(ReplayLogPosition::Begin)),
                    None => None,
                })
            }
        }
    }

    /// Runs on for `limit` steps at most. Says why it stopped before, if it did.
    fn forward(&mut self, limit: u64) -> Option<Reason> {
        if let Some(code) = self.session.vm().exit_code() {
            // The first time it is an end that one can go back from.
            let is_known = std::mem::replace(&mut self.is_end_known, true);
            return Some(if is_known { Reason::Exited(code) } else { at(ReplayLogPosition::End) });
        }
        // gdb steps over a watched access by itself, with the watch removed; where it did not, it does not know of the access yet.
        if let Some(halt @ Halt::Watch { .. }) = self.session.vm().halt_here() {
            return seen(halt);
        }
        match self.session.run(limit) {
            Ok(Halt::Stop(Stop::Exited { .. })) => {
                self.is_end_known = true;
                Some(at(ReplayLogPosition::End))
            }
            Ok(halt) => seen(halt),
            Err(error) => {
                let signal = signal(&error);
                eprintln!("{error}");
                self.failure = Some(error);
                Some(Reason::Signal(signal))
            }
        }
    }
}

fn at(pos: ReplayLogPosition) -> Reason {
    Reason::ReplayLog { tid: None, pos }
}

fn seen(halt: Halt) -> Option<Reason> {
    match halt {
        Halt::Stop(_) => None,
        Halt::Breakpoint => Some(Reason::SwBreak(())),
        Halt::Watch { address, access } => {
            let kind = if access == Access::Read { WatchKind::Read } else { WatchKind::Write };
            Some(Reason::Watch { tid: (), kind, addr: address })
        }
    }
}

/// The signal that a program on an operating system would get.
fn signal(error: &VmError) -> Signal {
    match error {
        VmError::Fault { fault: Fault::UnalignedAccess { .. } | Fault::UnalignedJump { .. }, .. } => {
            Signal::SIGBUS
        }
        VmError::Fault { .. } => Signal::SIGSEGV,
        VmError::Unprovable { .. } => Signal::SIGILL,
        _ => Signal::SIGABRT,
    }
}
