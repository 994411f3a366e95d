//! Random programs through both interpreters: the same state after the same number of steps, or the same
//! refusal. The programs load, store, jump, and write over their own instructions. The profiler counts each step once.

mod common;

use common::*;
use opml_state::State;
use opml_vm::{Profiler, Vm, VmError};

/// A generator with a fixed seed (Marsaglia, "Xorshift RNGs", 2003), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as u32
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.next() % bound
    }

    fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u32) as usize]
    }
}

/// Words of a program; it lies across a page border.
const WORDS: u32 = 300;
const CODE: u32 = 0x2000 - 4 * 150;
const DATA: u32 = 0x0001_0000;

/// Registers that no instruction of the programs writes: addresses, and words to store over the code.
const CODE_BASE: u32 = 29;
const DATA_BASE: u32 = 28;
const JUMP_TARGET: u32 = 27;
const FIRST_WORD: u32 = 20;

fn instruction(random: &mut Random, at: u32) -> u32 {
    let (rs, rt, rd) = (random.below(28), random.below(28), random.below(FIRST_WORD));
    let small = random.below(64) as i32 - 32;
    match random.below(100) {
        0..35 => {
            let funcs = [
                0x00, 0x02, 0x03, 0x04, 0x06, 0x07, 0x0a, 0x0b, 0x10, 0x12, 0x20, 0x21, 0x22, 0x23, 0x24,
                0x25, 0x26, 0x27, 0x2a, 0x2b,
            ];
            special(random.of(&funcs), rs, rt, rd, random.below(32))
        }
        35..55 => imm(random.below(8) + 8, rs, rd, random.below(0x1_0000) as i32),
        55..62 => special(random.of(&[0x11, 0x13, 0x18, 0x19]), rs, rt, 0, 0),
        62..65 => special2(random.of(&[0x02, 0x20, 0x21]), rs, rt, rd),
        65..75 => {
            let loads = [0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x30];
            imm(random.of(&loads), random.of(&[CODE_BASE, DATA_BASE, rs]), rd, small)
        }
        75..83 => {
            let stores = [0x28, 0x29, 0x2a, 0x2b, 0x2e, 0x38];
            imm(random.of(&stores), DATA_BASE, rd, small)
        }
        83 => {
            // Over a word of the program, near by or anywhere.
            let near = at as i32 + random.below(8) as i32 - 3;
            let anywhere = random.below(WORDS) as i32;
            let word = random.of(&[near.clamp(0, WORDS as i32 - 1), anywhere]);
            sw(FIRST_WORD + random.below(7), CODE_BASE, 4 * word)
        }
        84..97 => {
            let target = random.below(24) as i32 - 12;
            let opcode = random.below(5) + 3;
            match opcode {
                3 => imm(1, rs, random.below(2), target),
                _ => imm(opcode, rs, if opcode < 6 { rt } else { 0 }, target),
            }
        }
        97 => {
            let jump = random.of(&[j as fn(u32) -> u32, jal]);
            jump(CODE + 4 * random.below(WORDS))
        }
        98 => random.of(&[jr(JUMP_TARGET), special(0x09, JUMP_TARGET, 0, rd, 0)]),
        // The odd and the rare: an rd where there is none, sync, divisions, a system call.
        _ => {
            let odd = [0x0f, 0x18, 0x11, 0x1a, 0x1b, 0x0c];
            special(random.of(&odd), rs, rt, rd, 0)
        }
    }
}

fn random_state(random: &mut Random) -> State {
    let mut words: Vec<u32> = (0..WORDS).map(|at| instruction(random, at)).collect();
    words.extend([j(CODE), NOP]);
    let mut state = State { pc: CODE, next_pc: CODE + 4, ..State::default() };
    put(&mut state.memory, CODE, &words);
    for register in 1..FIRST_WORD as usize {
        let value = random.next();
        state.registers[register] = random.of(&[value, value % 100, value | 0xffff_ff00, DATA]);
    }
    for register in FIRST_WORD..JUMP_TARGET {
        state.registers[register as usize] = instruction(random, 0);
    }
    state.registers[JUMP_TARGET as usize] = CODE + 4 * random.below(WORDS);
    state.registers[DATA_BASE as usize] = DATA;
    state.registers[CODE_BASE as usize] = CODE;
    state
}

/// Runs up to `steps` steps one by one.
fn step_by_step(vm: &mut Vm, steps: u64) -> Result<(), VmError> {
    (0..steps).try_for_each(|_| vm.step(&mut Bare::default()))
}

#[test]
fn random_programs_run_the_same_both_ways() {
    let mut random = Random(0x0123_4567_89ab_cdef);
    let (mut refused, mut long) = (0, 0);
    for program in 0..250 {
        let state = random_state(&mut random);
        let steps = 2100 + u64::from(random.below(6000));
        let (mut ran, mut stepped) = (Vm::from_state(&state).unwrap(), Vm::from_state(&state).unwrap());
        let (run, step) = (ran.run(&mut Bare::default(), steps), step_by_step(&mut stepped, steps));
        match (&run, &step) {
            (Ok(_), Ok(())) => {}
            (Err(run), Err(step)) => {
                assert_eq!(run.to_string(), step.to_string(), "program {program}");
                refused += 1;
            }
            (run, step) => panic!("program {program}: {run:?} and {step:?}"),
        }
        assert_eq!(ran.state(), stepped.state(), "program {program}");
        let mut counted = Profiler::new(Vm::from_state(&state).unwrap(), vec![CODE, CODE + 400]);
        let counted_to =
            counted.run(&mut Bare::default(), steps).map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(counted_to, step.map_err(|error| error.to_string()), "program {program}");
        assert_eq!(counted.vm().state(), stepped.state(), "program {program}");
        let spans = counted.finish().spans;
        let counts = spans.iter().map(|span| u64::from(span.words) * span.executions);
        assert_eq!(counts.sum::<u64>(), stepped.step_count(), "program {program}");
        long += u32::from(ran.step_count() > 2100);
    }
    // Both ends must be met often, or the test tests little.
    assert!(refused > 50 && long > 50, "{refused} refused, {long} long");
}
