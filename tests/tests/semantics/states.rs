//! The states that a word is tried in.

use opml_state::{Memory, PAGE_SIZE, State};
use opml_tests::single_step::Place;

use crate::case::{field, function_of, is_branch, opcode};

/// Values of rs and rt: the ends of the ranges with and without sign, equal and unequal ones, shift amounts of 32 and
/// more, a zero divisor, and quotients and sums that do not fit.
const OPERANDS: [[u32; 2]; 10] = [
    [0, 0],
    [0, 1],
    [1, 0xffff_ffff],
    [0xffff_ffff, 3],
    [0x7fff_ffff, 1],
    [0x8000_0000, 0xffff_ffff],
    [0x8000_0000, 0x8000_0000],
    [33, 0x8765_4321],
    [31, 0x8000_0000],
    [0x1234_5678, 0x9abc_def0],
];

/// Loads and stores go to the eight bytes from here on, in the page at 0. So do those whose base is `$zero`, as far
/// as their offsets allow.
const DATA: u32 = 0x100;

/// The states for `word` at `place`, some of them in the delay slot of a jump that was taken.
pub fn of(word: u32, place: Place) -> Vec<State> {
    let plain = match opcode(word) {
        0x20..=0x3f => memory_states(word, place),
        _ if matches!(function_of(word, 0), Some(8 | 9)) => jump_states(word, place),
        _ => OPERANDS.iter().map(|&[rs, rt]| with_operands(word, place, rs, rt)).collect(),
    };
    let slots: Vec<State> = plain.iter().step_by(4).map(|state| in_slot(state, place)).collect();
    [plain, slots].concat()
}

/// One state in a delay slot and one that is not, for words of which it is known that no state matters.
pub fn few(word: u32, place: Place) -> Vec<State> {
    let state = with_operands(word, place, 0x1234_5678, DATA);
    vec![in_slot(&state, place), state]
}

/// Any registers, `hi`, `lo` and data, all different so that a mix-up shows.
fn base(word: u32, place: Place) -> State {
    let mut memory = Memory::new();
    let data: Vec<u8> = (0..PAGE_SIZE).map(|i| (i % 251) as u8 ^ 0x80).collect();
    memory.write(0, &data).expect("it fits");
    memory.write(place.pc(), &word.to_be_bytes()).expect("it fits");
    let mut registers: [u32; 32] = std::array::from_fn(|i| (0x0101_0101 * i as u32) ^ 0xa5);
    registers[0] = 0;
    let (pc, next_pc) = (place.pc(), place.pc() + 4);
    State { memory, pc, next_pc, registers, lo: 0x1357_9bdf, hi: 0x2468_ace0, ..State::default() }
}

fn in_slot(state: &State, place: Place) -> State {
    State { next_pc: place.near(), ..state.clone() }
}

fn set(state: &mut State, register: usize, value: u32) {
    if register != 0 {
        state.registers[register] = value;
    }
}

fn with_operands(word: u32, place: Place, rs: u32, rt: u32) -> State {
    let mut state = base(word, place);
    set(&mut state, field(word, 16), rt);
    set(&mut state, field(word, 21), rs);
    state
}

fn memory_states(word: u32, place: Place) -> Vec<State> {
    let offset = word as u16 as i16 as u32;
    let state = |address: u32| {
        let mut state = with_operands(word, place, 0, 0xcafe_f00d);
        set(&mut state, field(word, 21), address.wrapping_sub(offset));
        state
    };
    match field(word, 21) {
        // The address is the offset alone. One that is not in the page of data can't be tried.
        0 if offset as usize >= PAGE_SIZE => Vec::new(),
        0 => vec![state(offset)],
        _ => (DATA..DATA + 8).map(state).collect(),
    }
}

fn jump_states(word: u32, place: Place) -> Vec<State> {
    let targets = (0..4).map(Place::far).chain([place.near(), place.pc()]);
    debug_assert!(is_branch(word));
    targets.map(|target| with_operands(word, place, target, 0x1111_1111)).collect()
}
