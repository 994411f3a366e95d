//! The interpreter of decoded instructions.
//!
//! Each code has a handler; a handler executes one or two instructions, so that the cost of going from one
//! to the next is shared: any kind alone, two of the hot ones in a row, a branch or jump with its delay slot.
//!
//! (N) Between handlers, the next pc is always pc + 4: a taken branch is executed together with its delay
//! slot. What cannot be (a branch in a delay slot, a system call, a pc that is not aligned) stops the
//! interpreter before the branch, and `step` executes it with its exact next pc.
//!
//! (D) Where instructions follow each other, a handler calls the next as its last act, which an optimising
//! compiler turns into a jump. Nothing relies on that: a taken branch and the end of a page return to the
//! loop in [`run`], so no more calls nest than a page has words.
//!
//! Steps are counted at taken branches and page ends only, from the distance run since the last one, and
//! never overrun: see `MARGIN`.

use crate::code::{Op, pc_of, slot_of};
use crate::cpu::Cpu;
use crate::kinds::{self, Done, HOT_KINDS, KINDS, Kind, Number, with_kinds};

/// Executes the instructions at a slot. Returns the slot to go on with, or null after noting in the `Cpu`
/// where it stopped.
///
/// # Safety
/// The pointer must be to a slot of the `Cpu`'s own `Code` for which (P) holds.
type Handler = unsafe fn(&mut Cpu, *const Op) -> *const Op;

/// Codes with a handler of their own; that of a slot not decoded has to be 0.
const UNDECODED: u16 = 0;
pub(crate) const UNUSUAL: u16 = 1;
pub(crate) const PAGE_END: u16 = 2;
pub(crate) const DIV: u16 = 3;
pub(crate) const DIVU: u16 = 4;
const FIRST_KIND: usize = 5;
const FIRST_BRANCH: usize = FIRST_KIND + KINDS;
const FIRST_PAIR: usize = FIRST_BRANCH + BRANCHES * KINDS;
const CODES: usize = FIRST_PAIR + HOT_KINDS * HOT_KINDS;

/// The code of a kind alone.
pub(crate) fn kind_code(kind: Number) -> u16 {
    (FIRST_KIND + kind as usize) as u16
}

/// The code of a branch with a delay slot.
pub(crate) fn branch_code(branch: Branch, delay: Number) -> u16 {
    (FIRST_BRANCH + branch as usize * KINDS + delay as usize) as u16
}

/// The code of two kinds in a row, if both are hot.
pub(crate) fn pair_code(first: Number, second: Number) -> Option<u16> {
    let (first, second) = (first as usize, second as usize);
    (first < HOT_KINDS && second < HOT_KINDS).then(|| (FIRST_PAIR + first * HOT_KINDS + second) as u16)
}

/// What is left of a decoded instruction when the one after it is not decoded any more: the first of a pair,
/// nothing of a branch, and anything else as it was.
pub(crate) fn alone(op: Op) -> Op {
    match op.code as usize {
        ..FIRST_BRANCH => op,
        FIRST_BRANCH..FIRST_PAIR => Op::default(),
        pair => Op { code: (FIRST_KIND + (pair - FIRST_PAIR) / HOT_KINDS) as u16, ..op },
    }
}

macro_rules! number_branches {
    ($($name:ident)*) => {
        /// A number for each kind of branch. Conditional ones compare `a` with `b` or with zero and jump by
        /// `c` slots; so do `Always` and `AlwaysLink`. `Register` jumps to the address in `b`;
        /// `RegisterLink` too, and links to `a`.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Branch { $($name,)* }
        const BRANCHES: usize = [$(Branch::$name,)*].len();
    };
}

impl Branch {
    /// Whether a register says where it goes.
    pub(crate) fn is_to_register(self) -> bool {
        matches!(self, Self::Register | Self::RegisterLink)
    }
}

number_branches!(Equal NotEqual LessEqual Greater Less GreaterEqual Always AlwaysLink Register RegisterLink);

unsafe fn stop(cpu: &mut Cpu, ip: *const Op) -> *const Op {
    cpu.leave(ip)
}

/// The slot after a page's last word: no instruction, only a look at the count.
unsafe fn page_end(cpu: &mut Cpu, ip: *const Op) -> *const Op {
    // SAFETY: decoded only where another page follows.
    cpu.enter(ip, unsafe { ip.add(1) })
}

/// Goes on with the instruction at `ip`, see (D).
///
/// # Safety
/// As for a [`Handler`].
#[inline(always)]
unsafe fn next(cpu: &mut Cpu, ip: *const Op) -> *const Op {
    // SAFETY: codes are zero or come from `decode`, all below `CODES`.
    unsafe { TABLE.get_unchecked((*ip).code as usize)(cpu, ip) }
}

unsafe fn one<K: Kind>(cpu: &mut Cpu, ip: *const Op) -> *const Op {
    // SAFETY: `ip` is a slot, and each slot of a word is followed by another.
    unsafe {
        match K::run(cpu, *ip) {
            Done::Left => cpu.leave_rarely(ip),
            Done::Next | Done::Changed => next(cpu, ip.add(1)),
        }
    }
}

unsafe fn two<K: Kind, L: Kind>(cpu: &mut Cpu, ip: *const Op) -> *const Op {
    // SAFETY: (P) for two instructions.
    unsafe {
        match K::run(cpu, *ip) {
            Done::Left => return cpu.leave_rarely(ip),
            Done::Changed => return ip.add(1),
            Done::Next => {}
        }
        match L::run(cpu, *ip.add(1)) {
            Done::Left => cpu.leave_rarely(ip.add(1)),
            Done::Next | Done::Changed => next(cpu, ip.add(2)),
        }
    }
}

/// A branch by `c` slots; the condition is evaluated before the delay slot, which is executed either way. If the delay slot has to be
/// left to `step`, so has the branch: executed again it does the same, as it changes no register that it reads.
macro_rules! branch {
    ($($name:ident: |$cpu:ident, $ip:ident, $op:ident| $taken:expr;)*) => {
        $(unsafe fn $name<D: Kind>($cpu: &mut Cpu, $ip: *const Op) -> *const Op {
            // SAFETY: (P) for two instructions; `c` leads to the slot of another pc.
            unsafe {
                // A copy: a store in the delay slot may clear this very slot.
                let $op = *$ip;
                let taken = $taken;
                if D::run($cpu, *$ip.add(1)) == Done::Left {
                    return $cpu.leave_rarely($ip);
                }
                let end = $ip.add(2);
                if taken { $cpu.enter(end, $ip.offset($op.c as i32 as isize)) } else { next($cpu, end) }
            }
        })*
    };
}

branch! {
    equal: |cpu, _ip, op| cpu.get(op.a) == cpu.get(op.b);
    not_equal: |cpu, _ip, op| cpu.get(op.a) != cpu.get(op.b);
    less_equal: |cpu, _ip, op| cpu.get(op.a) as i32 <= 0;
    greater: |cpu, _ip, op| cpu.get(op.a) as i32 > 0;
    less: |cpu, _ip, op| (cpu.get(op.a) as i32) < 0;
    greater_equal: |cpu, _ip, op| cpu.get(op.a) as i32 >= 0;
    always: |_cpu, _ip, _op| true;
    always_link: |cpu, ip, _op| {
        cpu.link(31, cpu.pc_at(ip));
        true
    };
}

unsafe fn register<D: Kind>(cpu: &mut Cpu, ip: *const Op) -> *const Op {
    // SAFETY: (P) for two instructions.
    unsafe { to_register::<D>(cpu, ip, false) }
}

unsafe fn register_link<D: Kind>(cpu: &mut Cpu, ip: *const Op) -> *const Op {
    // SAFETY: (P) for two instructions.
    unsafe { to_register::<D>(cpu, ip, true) }
}

/// # Safety
/// As for a [`Handler`].
#[inline(always)]
unsafe fn to_register<D: Kind>(cpu: &mut Cpu, ip: *const Op, link: bool) -> *const Op {
    // SAFETY: (P) for two instructions; the target is the slot of a pc.
    unsafe {
        let op = &*ip;
        let target = cpu.get(op.b);
        let slot = cpu.code.base().add(slot_of(target) as usize);
        // Where nothing is decoded, `step` says whether the program may go there.
        if target & 3 != 0 || (*slot).code == UNDECODED {
            return cpu.leave(ip);
        }
        if link {
            cpu.link(op.a, cpu.pc_at(ip));
        }
        if D::run(cpu, *ip.add(1)) == Done::Left {
            return cpu.leave_rarely(ip);
        }
        cpu.enter(ip.add(2), slot)
    }
}

/// A division by `b`; by zero it is left to `step`, which refuses it.
macro_rules! division {
    ($($name:ident: |$x:ident, $y:ident| $result:expr;)*) => {
        $(unsafe fn $name(cpu: &mut Cpu, ip: *const Op) -> *const Op {
            // SAFETY: `ip` is a slot, and each slot of a word is followed by another.
            let (op, next) = unsafe { (*ip, ip.add(1)) };
            let ($x, $y) = (cpu.get(op.a), cpu.get(op.b));
            if $y == 0 {
                return cpu.leave(ip);
            }
            (cpu.lo, cpu.hi) = $result;
            next
        })*
    };
}

division! {
    // Wrapping, as the contract's unchecked block: -2^31 / -1 is -2^31, remainder 0.
    div: |x, y| {
        let (x, y) = (x as i32, y as i32);
        (x.wrapping_div(y) as u32, x.wrapping_rem(y) as u32)
    };
    divu: |x, y| (x / y, x % y);
}

macro_rules! handlers_by_kind {
    ([$($hot:ident)*] [$($cold:ident)*]) => {
        const ONE: [Handler; KINDS] = [$(one::<kinds::$hot>,)* $(one::<kinds::$cold>,)*];

        const fn pairs<K: Kind>() -> [Handler; HOT_KINDS] {
            [$(two::<K, kinds::$hot>,)*]
        }
        const TWO: [[Handler; HOT_KINDS]; HOT_KINDS] = [$(pairs::<kinds::$hot>(),)*];

        macro_rules! with_delays {
            ($branch:ident) => { [$($branch::<kinds::$hot>,)* $($branch::<kinds::$cold>,)*] };
        }
        /// In the order of [`Branch`].
        const BRANCH: [[Handler; KINDS]; BRANCHES] = [
            with_delays!(equal),
            with_delays!(not_equal),
            with_delays!(less_equal),
            with_delays!(greater),
            with_delays!(less),
            with_delays!(greater_equal),
            with_delays!(always),
            with_delays!(always_link),
            with_delays!(register),
            with_delays!(register_link),
        ];
    };
}
with_kinds!(handlers_by_kind);

/// The handler of each code.
static TABLE: [Handler; CODES] = {
    let mut table = [stop as Handler; CODES];
    table[PAGE_END as usize] = page_end;
    table[DIV as usize] = div;
    table[DIVU as usize] = divu;
    let mut i = 0;
    while i < KINDS {
        table[FIRST_KIND + i] = ONE[i];
        let mut branch = 0;
        while branch < BRANCHES {
            table[FIRST_BRANCH + branch * KINDS + i] = BRANCH[branch][i];
            branch += 1;
        }
        i += 1;
    }
    let mut i = 0;
    while i < HOT_KINDS * HOT_KINDS {
        table[FIRST_PAIR + i] = TWO[i / HOT_KINDS][i % HOT_KINDS];
        i += 1;
    }
    table
};

/// Runs from `pc` until an instruction needs `step` or `decode`, or fewer than `margin` of `steps` are left at a taken
/// branch or a page's end. Returns the pc it stopped at and the steps left. The margin is [`MARGIN`] at least; with
/// `i64::MAX` it stops at the first of these.
///
/// [`MARGIN`]: crate::cpu::MARGIN
pub(crate) fn run(cpu: &mut Cpu, pc: u32, steps: i64, margin: i64) -> (u32, i64) {
    // SAFETY: `slot_of` is in the slots.
    let mut ip = unsafe { cpu.code.base().add(slot_of(pc) as usize) };
    cpu.block = ip;
    cpu.left = steps;
    cpu.margin = margin;
    while !ip.is_null() {
        // SAFETY: `slot_of` is a slot, and handlers return slots.
        ip = unsafe { next(cpu, ip) };
    }
    (pc_of(cpu.stopped_at), cpu.left)
}
