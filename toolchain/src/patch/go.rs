//! What the start of a Go program needs changed, read off the sources of Go's runtime (`sys_linux_mipsx.s`, `os_linux.go`,
//! `asm_mipsx.s`) and tried with the versions in docs/go.md.
//!
//! The runtime asks Linux for more than the VM has. The contract answers a call that it has not with 0, which says that
//! all went well, and a program would go on with what it never got: a file that is open, a time that was never written. So
//! each wrapper of such a call gets a body that gives the answer an honest system without that service would give.
//!
//! Arguments and results of these functions are on the stack (Go's ABI0): the first at 4 above the stack pointer, the results
//! behind the last argument.

use super::words::{
    A0, A1, A2, A3, AT, NOP, RETURN, SP, SYSCALL, V0, V1, ZERO, addiu, addu, andi, beq, bne, lui, lw, negate,
    sltiu, sltu, sw,
};
use opml_abi::syscall::{EXIT_GROUP, FCNTL, MMAP as CALL_MMAP, READ, WRITE};

/// The function that reads what Linux hands over on the stack; and the variables that it is to know instead, with their values: one
/// argument, the program's name, which is empty, as programs take it for granted; and the size of a page.
pub(super) const START: &str = "runtime.sysargs";
pub(super) const START_VALUES: [(&str, i16); 2] = [("runtime.argc", 1), ("runtime.physPageSize", 4096)];
pub(super) const START_WHY: &str = "the VM hands over nothing at the start: here a program has one argument, an empty name, and pages \
                                    of 4,096 bytes";

/// A function that gets another body.
pub(super) struct Function {
    pub name: &'static str,
    pub body: Body,
    pub why: &'static str,
}

/// What it does then.
pub(super) enum Body {
    /// Stores results, each with its offset from the stack pointer, and returns.
    Returns(&'static [(i16, i16)]),
    /// These words.
    Words(&'static [u32]),
}

/// `ENOSYS` of MIPS, as a system call's wrapper hands it back.
const NO_SUCH_CALL: i16 = -89;

/// `MAP_FIXED`
const MAP_FIXED: i16 = 0x10;

/// `ENOMEM`
const NO_MEMORY: i16 = 12;

/// Ends the program with code 2, as a panic does.
const EXIT: [u32; 3] = [addiu(A0, ZERO, 2), addiu(V0, ZERO, EXIT_GROUP as i16), SYSCALL];

/// Functions without which a program cannot be started; a program that has none of this name is refused.
pub(super) const NEEDED: [Function; 2] = [
    returns(
        "runtime.gcenable",
        &[],
        "the garbage collector runs in threads of its own, and there is one: memory is never given back",
    ),
    exits(
        END,
        "it marks the end of a stack and is never called; here it ends the program for what would trap",
    ),
];

/// The function that ends the program, for those below.
pub(super) const END: &str = "runtime.systemstack_switch";

/// Functions that the linker leaves out of programs that do not use them.
pub(super) const OTHERS: [Function; 45] = [
    returns(
        "runtime.checkfds",
        &[],
        "descriptors 0 to 2 are open, and the contract does not say so when it is asked this way",
    ),
    returns("runtime.closefd", &[(8, NO_SUCH_CALL)], "there is no close"),
    // A thread that never gets a turn: who waits for it ends up in `futex`.
    returns("runtime.clone", &[(24, 1)], "there is one thread; another never runs"),
    returns("runtime.epollcreate", &[(8, NO_SUCH_CALL)], "there is no epoll"),
    returns("runtime.epollcreate1", &[(8, NO_SUCH_CALL)], "there is no epoll"),
    returns("runtime.epollctl", &[(20, NO_SUCH_CALL)], "there is no epoll"),
    returns("runtime.epollwait", &[(20, NO_SUCH_CALL)], "there is no epoll"),
    Function {
        name: "runtime.exit",
        body: Body::Words(&[lw(A0, 4, SP), EXIT[1], SYSCALL]),
        why: "behind the call stands a trap, which the contract has not; no step follows the call",
    },
    exits("runtime.exitThread", "there is one thread; its end is the program's"),
    futex("runtime.futex"),
    futex("runtime.futex_time32"),
    futex("runtime.futex_time64"),
    returns("runtime.getpid", &[(4, 1)], "there is one process"),
    returns("runtime.gettid", &[(4, 1)], "there is one thread"),
    returns("runtime.load_g", &[], "what it loads is kept for C, and no C is in the program"),
    returns("runtime.madvise", &[(16, 0)], "advice may be ignored"),
    returns("runtime.mincore", &[(16, NO_SUCH_CALL)], "there is no mincore"),
    Function {
        name: "runtime.mmap",
        body: Body::Words(&MMAP),
        why: "the contract gives out any memory: here asking for what is not free fails (ENOMEM)",
    },
    returns("runtime.munmap", &[], "memory is never given back"),
    // Not 0: the runtime takes that for a broken clock.
    returns("runtime.nanotime1", &[(4, 0), (8, 1)], "there is no clock: it always is one nanosecond"),
    returns("runtime.open", &[(16, -1)], "there are no files"),
    returns("runtime.osyield", &[], "there is one thread"),
    returns("runtime.pipe2", &[(8, -1), (12, -1), (16, 89)], "there are no pipes"),
    exits("runtime.raise", "there are no signals; one that the program sends to itself is to end it"),
    exits("runtime.raiseproc", "there are no signals; one that the program sends to itself is to end it"),
    Function {
        name: "runtime.read",
        body: Body::Words(&transfer(READ)),
        why: "the contract's number of an error is in $a3, not in $v0",
    },
    returns("runtime.rt_sigaction", &[(20, 0)], "there are no signals: a handler is never called"),
    returns("runtime.rtsigprocmask", &[], "there are no signals"),
    returns("runtime.save_g", &[], "what it saves is for C, and no C is in the program"),
    returns(
        "runtime.sched_getaffinity",
        &[(16, NO_SUCH_CALL)],
        "the runtime then takes it that there is one processor",
    ),
    returns("runtime.setitimer", &[], "there are no signals"),
    returns("runtime.sigaltstack", &[], "there are no signals"),
    returns("runtime.tgkill", &[], "there are no signals"),
    returns("runtime.timer_create", &[(16, NO_SUCH_CALL)], "there are no timers"),
    returns("runtime.timer_delete", &[(8, NO_SUCH_CALL)], "there are no timers"),
    returns("runtime.timer_settime", &[(20, NO_SUCH_CALL)], "there are no timers"),
    returns("runtime.timer_settime32", &[(20, NO_SUCH_CALL)], "there are no timers"),
    returns("runtime.timer_settime64", &[(20, NO_SUCH_CALL)], "there are no timers"),
    returns("runtime.usleep", &[], "there is no clock"),
    returns(
        "runtime.walltime",
        &[(4, 0), (8, 0), (12, 0)],
        "there is no clock: it always is the start of 1970",
    ),
    Function {
        name: "runtime.write1",
        body: Body::Words(&transfer(WRITE)),
        why: "the contract's number of an error is in $a3, not in $v0",
    },
    exits("syscall.rawVforkSyscall", "there is one process"),
    // The same function of Go 1.19, 1.23 and 1.26.
    system_calls("runtime/internal/syscall.Syscall6"),
    system_calls("internal/runtime/syscall.Syscall6"),
    system_calls("internal/runtime/syscall/linux.Syscall6"),
];

/// Functions with a system call that stays as it is: the VM has it, or (the last one, for the number of a process or user) zero is an answer.
pub(super) const UNCHANGED: [&str; 3] = ["runtime.closeonexec", "runtime.sbrk0", "syscall.rawSyscallNoError"];

/// Functions that jump to an address that they were given: of another function, or where a goroutine was stopped.
pub(super) const JUMPS: [&str; 5] =
    ["gogo", "main", "runtime.asyncPreempt", "runtime.reflectcall", "runtime.systemstack"];

/// Functions in assembly with single instructions that the contract has not, or not as MIPS does.
///
/// They move addresses with `add`, `addi` and `sub`. These trap on overflow, which the contract does not; all memory of a program is
/// in the lower half, far from one. And where they must not come to they have a trap, which becomes a jump to [`END`]; the word
/// behind, in the delay slot, still runs once.
pub(super) const REWRITTEN: [&str; 12] = [
    "_main",
    "gcWriteBarrier",
    "reflect.methodValueCall",
    "runtime.abort",
    "runtime.asyncPreempt",
    "runtime.gcWriteBarrier",
    "runtime.morestack",
    "runtime.panicBounds",
    "runtime.panicExtend",
    "runtime.rt0_go",
    "runtime.switchToCrashStack0",
    "runtime.systemstack",
];
pub(super) const REWRITTEN_WHY: &str = "`add` becomes `addu`: it moves an address, far from the overflow on which it would trap; \
                                        and a trap becomes the end of the program with code 2";

const fn returns(name: &'static str, results: &'static [(i16, i16)], why: &'static str) -> Function {
    Function { name, body: Body::Returns(results), why }
}

const fn exits(name: &'static str, why: &'static str) -> Function {
    Function { name, body: Body::Words(&EXIT), why }
}

const fn futex(name: &'static str) -> Function {
    let why =
        "nobody would wake a thread that waits: waiting ends the program with code 2, waking does nothing";
    Function { name, body: Body::Words(&FUTEX), why }
}

/// Every call that is not the runtime's own goes through such a function, as its first argument.
const fn system_calls(name: &'static str) -> Function {
    let why = "read, write, fcntl and exit_group go to the VM; of any other call the contract would say that it went \
               well, so it fails here (ENOSYS)";
    Function { name, body: Body::Words(&SYSTEM_CALL), why }
}

/// `futex(address, operation, …)`: operations are even to wait and odd to wake.
const FUTEX: [u32; 9] = [
    lw(V0, 8, SP),
    andi(V0, V0, 1),
    beq(V0, ZERO, 3),
    NOP,
    RETURN,
    sw(ZERO, 28, SP),
    EXIT[0],
    EXIT[1],
    EXIT[2],
];

/// `read(fd, address, length)` and `write1`, which give the length or the negated number of an error.
const fn transfer(call: u32) -> [u32; 11] {
    [
        lw(A0, 4, SP),
        lw(A1, 8, SP),
        lw(A2, 12, SP),
        addiu(V0, ZERO, call as i16),
        SYSCALL,
        beq(A3, ZERO, 2),
        NOP,
        negate(V0, A3),
        sw(V0, 16, SP),
        RETURN,
        NOP,
    ]
}

/// `mmap(address, length, …)`, which gives an address and the number of an error. Memory that is asked for by its address, as the heap
/// is, ends below that which the VM gives out by itself, and this ends below the stack. What is fixed to an address was given out before.
const MMAP: [u32; 24] = [
    lw(A0, 4, SP),
    lw(A2, 16, SP),
    lui(V1, 0x7fe0),
    andi(A2, A2, MAP_FIXED),
    beq(A0, ZERO, 4),
    addiu(V0, ZERO, CALL_MMAP as i16),
    bne(A2, ZERO, 2),
    NOP,
    lui(V1, 0x6000),
    lw(A1, 8, SP),
    SYSCALL,
    // The end of what was given, and whether it is behind the end of memory or behind the limit.
    addu(AT, V0, A1),
    sltu(A2, AT, V0),
    bne(A2, ZERO, 6),
    sltu(A2, V1, AT),
    bne(A2, ZERO, 4),
    NOP,
    sw(V0, 28, SP),
    RETURN,
    sw(ZERO, 32, SP),
    addiu(V0, ZERO, NO_MEMORY),
    sw(V0, 32, SP),
    RETURN,
    sw(ZERO, 28, SP),
];

/// `Syscall6(number, six arguments)`, which gives two results and the number of an error.
const SYSTEM_CALL: [u32; 20] = [
    lw(V0, 4, SP),
    addiu(AT, V0, -(READ as i16)),
    // WRITE is the number behind.
    sltiu(AT, AT, 2),
    bne(AT, ZERO, 7),
    addiu(AT, V0, -(FCNTL as i16)),
    beq(AT, ZERO, 5),
    addiu(AT, V0, -(EXIT_GROUP as i16)),
    beq(AT, ZERO, 3),
    addiu(A3, ZERO, -NO_SUCH_CALL),
    beq(ZERO, ZERO, 5),
    addiu(V0, ZERO, -1),
    lw(A0, 8, SP),
    lw(A1, 12, SP),
    lw(A2, 16, SP),
    SYSCALL,
    sw(V0, 32, SP),
    sw(ZERO, 36, SP),
    sw(A3, 40, SP),
    RETURN,
    NOP,
];

/// The words of a body.
pub(super) fn words(body: &Body) -> Vec<u32> {
    match body {
        Body::Words(words) => words.to_vec(),
        Body::Returns(results) => {
            let store = |&(offset, value): &(i16, i16)| match value {
                0 => vec![sw(ZERO, offset, SP)],
                value => vec![addiu(V0, ZERO, value), sw(V0, offset, SP)],
            };
            results.iter().flat_map(store).chain([RETURN, NOP]).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use opml_targets::Target;

    use super::*;

    /// The documentation is what a user decides by.
    #[test]
    fn every_function_is_described() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/go.md");
        let text = std::fs::read_to_string(path).unwrap();
        let functions = NEEDED.iter().chain(&OTHERS).map(|function| function.name);
        let names = functions.chain(REWRITTEN).chain([START]);
        let missing: Vec<_> = names.filter(|name| !text.contains(&format!("`{name}`"))).collect();
        assert!(missing.is_empty(), "docs/go.md does not name {missing:?}");
    }

    #[test]
    fn memory_is_given_out_where_the_target_has_it() {
        let target = Target::load("cannon32").unwrap();
        let map = target.memory();
        assert_eq!((map.image.end, map.heap.start), (0x6000_0000, 0x6000_0000));
        assert!(map.heap.contains(0x7fe0_0000) && map.stack.range().start >= 0x7fe0_0000);
    }

    #[test]
    fn each_function_is_changed_once() {
        let functions = NEEDED.iter().chain(&OTHERS).map(|function| function.name);
        let mut names: Vec<_> = functions.chain(REWRITTEN).chain(UNCHANGED).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
