//! That the reference is one: what it must know for the sweep to see a difference.

use opml_state::State;
use opml_tests::single_step::{Exception, Outcome, Place, SingleStep};
use opml_tests::unicorn::Processor;

use crate::assembly::{D, S, T, branch, immediate, special};
use crate::states;

/// What a processor makes of a word with these operands.
fn step(processor: Processor, word: u32, s: u32, t: u32) -> (Outcome, Place) {
    let machine = SingleStep::new(processor);
    let place = Place::all(3).nth(1).expect("there are three");
    machine.put(place, word);
    let mut before = states::of(word, place).remove(0);
    before.registers[S as usize] = s;
    before.registers[T as usize] = t;
    (machine.step(&before), place)
}

fn goes(processor: Processor, word: u32, s: u32, t: u32) -> (State, Place) {
    match step(processor, word, s, t) {
        (Outcome::Goes(after), place) => (*after, place),
        (Outcome::Raises(exception), _) => panic!("{word:#010x} raises {exception:?}"),
    }
}

#[test]
fn the_releases_differ_where_the_manual_says_so() {
    let rotr = 0x0020_0002 | T << 16 | D << 11 | 4 << 6;
    let results = [Processor::Release1, Processor::Release2]
        .map(|processor| goes(processor, rotr, 0, 0x1234_5678).0.registers[D as usize]);
    assert_eq!(results, [0x0123_4567, 0x8123_4567]);
}

#[test]
fn exceptions_are_told_apart() {
    let cases = [
        (special(0x20), Exception::IntegerOverflow),
        (special(0x34), Exception::Trap),
        (special(0x3f), Exception::ReservedInstruction),
        (0x0000_000c, Exception::SystemCall),
        (0x0000_000d, Exception::Breakpoint),
        (immediate(0x23, S, D, 2), Exception::AddressErrorLoad),
        (immediate(0x29, S, D, 2), Exception::AddressErrorStore),
    ];
    for (word, expected) in cases {
        let operand = 0x7fff_ffff;
        match step(Processor::Release1, word, operand, operand) {
            (Outcome::Raises(exception), _) => assert_eq!(exception, expected, "{word:#010x}"),
            (Outcome::Goes(_), _) => panic!("{word:#010x} raises nothing"),
        }
    }
}

#[test]
fn the_next_two_addresses_are_those_of_the_manual() {
    let next = |word, s, t| {
        let (after, place) = goes(Processor::Release1, word, s, t);
        (after.pc.wrapping_sub(place.pc()), after.next_pc.wrapping_sub(place.pc()))
    };
    assert_eq!(next(special(0x21), 1, 2), (4, 8));
    assert_eq!(next(branch(5), 1, 2), (4, 4 + 20));
    assert_eq!(next(immediate(0x05, S, T, 5), 1, 1), (4, 8), "bne");
    let (after, place) = goes(Processor::Release1, S << 21 | 0x09 | D << 11, Place::far(3), 0);
    assert_eq!((after.pc, after.next_pc), (place.pc() + 4, Place::far(3)));
    assert_eq!(after.registers[D as usize], place.pc() + 8);
}

#[test]
fn a_delay_slot_is_left_for_the_branch_target() {
    let machine = SingleStep::new(Processor::Release2);
    let place = Place::all(1).next().expect("there is one");
    machine.put(place, special(0x21));
    let mut before = states::few(special(0x21), place).remove(0);
    assert_eq!(before.next_pc, place.near());
    (before.registers[S as usize], before.registers[T as usize]) = (40, 2);
    let Outcome::Goes(after) = machine.step(&before) else { panic!("addu raises nothing") };
    assert_eq!((after.pc, after.next_pc), (place.near(), place.near() + 4));
    assert_eq!((after.registers[D as usize], after.step), (42, 1));
}
