//! The last calls of a run, so that a backtrace can be made where the program itself keeps no record of them: a compiler does not save the
//! return address in a function that never returns, such as all on the way into a panic.

/// How many calls are kept. Writing out a panic's message takes some thousands.
const KEPT: usize = 1 << 16;

/// A call, `jal` or `jalr`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Call {
    /// Address of the instruction.
    pub site: u32,
    /// The stack pointer when it was executed.
    pub stack_pointer: u32,
}

/// The last calls.
pub(crate) struct Calls {
    ring: Box<[Call; KEPT]>,
    /// Calls so far.
    count: usize,
}

impl Calls {
    pub(crate) fn new() -> Self {
        let ring = vec![Call::default(); KEPT].into_boxed_slice();
        Self { ring: ring.try_into().expect("it has the length"), count: 0 }
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.count = 0;
    }

    #[inline(always)]
    pub(crate) fn note(&mut self, site: u32, stack_pointer: u32) {
        self.ring[self.count % KEPT] = Call { site, stack_pointer };
        self.count = self.count.wrapping_add(1);
    }

    /// The calls that are kept, the last one first.
    pub(crate) fn latest(&self) -> impl Iterator<Item = Call> + '_ {
        let kept = self.count.min(KEPT);
        (1..=kept).map(|back| self.ring[(self.count - back) % KEPT])
    }
}
