//! A whole guest in assembly, as guest ABI 1 has it.

use opml_abi::{fd, local, local_key, syscall};
use opml_state::State;

use super::*;

/// Where the guest keeps its key and what it reads.
pub const BUFFER: u32 = 0x0001_0000;

/// Instructions for a system call with three constant arguments, repeated until the count is done.
fn transfer(number: u32, descriptor: u32, address: u32, count: u32) -> Vec<u32> {
    let mut words = Vec::new();
    words.extend(set(A1, address));
    words.extend(set(A2, count));
    words.extend([
        addiu(A0, ZERO, descriptor as i32),
        addiu(V0, ZERO, number as i32),
        SYSCALL,
        addu(A1, A1, V0),
        // a2 -= v0, and again while something is left.
        special(0x23, A2, V0, A2, 0),
        bne(A2, ZERO, -6),
        NOP,
    ]);
    words
}

/// Reads the preimage whose key lies at `BUFFER` + 0x100 to `BUFFER`, all `count` bytes with the length.
fn read_preimage(count: u32) -> Vec<u32> {
    let mut words = transfer(syscall::WRITE, fd::PREIMAGE_WRITE, BUFFER + 0x100, 32);
    words.extend(transfer(syscall::READ, fd::PREIMAGE_READ, BUFFER, count));
    words
}

/// A guest that echoes its input: asks for the root, then the blob, sends it as a hint, and compares the
/// first word of the root with that of the claim.
pub fn echo(blob_len: u32) -> State {
    let mut words = read_preimage(8 + 32);
    // The input root becomes the key: its first byte becomes 2, and it goes where the key is taken from.
    words.extend(set(T0, BUFFER));
    words.extend([lw(T1, T0, 8), addiu(T2, ZERO, 2), imm(0x28, T0, T2, 8)]);
    for i in 0..8 {
        words.extend([lw(T2, T0, 8 + 4 * i), sw(T2, T0, 0x100 + 4 * i)]);
    }
    words.extend(read_preimage(8 + blob_len));
    // The hint: its length, "output ", the blob, in three pieces. The blob comes after the preimage's length.
    words.extend(transfer(syscall::WRITE, fd::HINT_REQUEST, BUFFER + 0x200, 4));
    words.extend(transfer(syscall::WRITE, fd::HINT_REQUEST, BUFFER + 0x204, 7));
    words.extend(transfer(syscall::WRITE, fd::HINT_REQUEST, BUFFER + 8, blob_len));
    words.extend(transfer(syscall::WRITE, fd::STDOUT, BUFFER + 0x204, 6));
    // The claim's key is there already.
    words.extend(set(T0, BUFFER));
    for i in 0..8 {
        words.extend([lw(T2, T0, 0x300 + 4 * i), sw(T2, T0, 0x100 + 4 * i)]);
    }
    words.extend(read_preimage(8 + 32));
    words.extend([lw(T2, T0, 8), special(0x26, T1, T2, T1, 0), special(0x2b, ZERO, T1, A0, 0)]);
    words.extend([addiu(V0, ZERO, syscall::EXIT_GROUP as i32), SYSCALL]);
    let mut memory = memory(START, &words);
    memory.write(BUFFER + 0x100, &local_key(local::INPUT_ROOT)).unwrap();
    memory.write(BUFFER + 0x200, &(7 + blob_len).to_be_bytes()).unwrap();
    memory.write(BUFFER + 0x204, b"output ").unwrap();
    memory.write(BUFFER + 0x300, &local_key(local::CLAIM)).unwrap();
    State::initial(START, memory, 0x2000_0000, 0x7fff_d000).unwrap()
}
