//! A guest that does, as its input says, one of the things that no correct program does.
#![no_std]
#![feature(asm_experimental_arch)]

use core::arch::asm;
use core::hint::black_box;
use core::ptr::{read_volatile, write_volatile};

use opml_runtime::{Guest, Mips, OutputTensor, abi::DataType};

static CONSTANT: u32 = 77;
static mut WORDS: [u32; 4] = [1, 2, 3, 4];

#[inline(never)]
fn load_word(address: usize) -> u32 {
    // SAFETY: none; that is the point.
    unsafe { read_volatile(address as *const u32) } // line: load_word
}

#[inline(never)]
fn store_half(address: usize) -> u32 {
    // SAFETY: as above.
    unsafe { write_volatile(address as *mut u16, 7) } // line: store_half
    black_box(1)
}

#[inline(never)]
fn store_byte(address: usize) -> u32 {
    // SAFETY: as above.
    unsafe { write_volatile(address as *mut u8, 7) } // line: store_byte
    black_box(1)
}

#[inline(never)]
fn recurse(depth: u32) -> u32 {
    let frame = black_box([depth; 64]);
    let deeper = if black_box(depth) == u32::MAX { 0 } else { recurse(depth + 1) }; // line: recurse
    frame[(deeper % 64) as usize] + deeper
}

#[inline(never)]
fn allocate() -> u32 {
    let mut last: u32;
    loop {
        // SAFETY: `mmap` changes no register but $2 and $7, and no memory.
        unsafe {
            asm!(
                "syscall", // line: allocate
                inout("$2") 4090 => last,
                in("$4") 0,
                in("$5") 64 << 20,
                in("$6") 3,
                out("$7") _,
                options(nostack),
            );
        }
        // SAFETY: memory that was just given out.
        unsafe { write_volatile(last as *mut u32, 1) }
    }
}

#[inline(never)]
fn jump(address: usize) -> u32 {
    // SAFETY: as above.
    let function: extern "C" fn() -> u32 = unsafe { core::mem::transmute(address) };
    function() + 1 // line: jump
}

#[inline(never)]
fn index(numbers: &[u32], at: usize) -> u32 {
    numbers[at] // line: index
}

#[inline(always)]
fn unwrap(number: Option<u32>) -> u32 {
    number.unwrap() // line: unwrap
}

#[inline(never)]
fn outer(number: Option<u32>) -> u32 {
    unwrap(number) + 1 // line: outer
}

#[inline(never)]
fn chosen(what: u8) -> u32 {
    let words = &raw mut WORDS as usize;
    match what {
        0 => load_word(words),
        1 => load_word(words) + load_word(words + 2),
        2 => store_half(words + 1),
        3 => load_word(black_box(16)),
        4 => store_byte(black_box(0x9000_0000)),
        5 => store_byte(&raw const CONSTANT as usize),
        6 => store_byte(load_word as usize),
        7 => recurse(0),
        8 => allocate(),
        9 => jump(words),
        10 => jump(words + 2),
        11 => jump(black_box(0)),
        12 => index(&[1, 2, 3], black_box(5)),
        13 => outer(black_box(None)),
        _ => 0,
    }
}

fn main(mut guest: Guest<Mips>) -> ! {
    let mut words = [0; 1];
    guest.open_input(16, 1).tensor(DataType::Uint8, [1], &mut words);
    let [what, ..] = words[0].to_be_bytes();
    if what == 200 {
        guest.fail("the input is not to my taste\n");
    }
    let result = chosen(what); // line: main
    guest.finish(&[OutputTensor { dtype: DataType::Int32, shape: &[1], words: &[result] }])
}

opml_runtime::program!(main);
