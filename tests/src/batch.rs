//! Many small computations in one run of a guest: its input is a row of words with one of them after the other, and zeros behind
//! the last; its output is the row of their results.

use std::mem::take;

use opml_abi::{Tensor, encode_blob, exit};
use opml_state::{Hash, State};

use crate::guest;

/// Computations that wait for a run, and what they give.
pub struct Batch {
    prestate: State,
    /// Words of the guest's input and output.
    room: [usize; 2],
    /// Words in front of a computation, which the guest reads to see that there is none.
    head: usize,
    input: Vec<u32>,
    expected: Vec<u32>,
    names: Vec<String>,
    compared: usize,
}

impl Batch {
    /// For the guest `prestate` with these words of input and output, which reads `head` words before it knows that
    /// it is at the end.
    pub fn new(prestate: State, room: [usize; 2], head: usize) -> Self {
        Self { prestate, room, head, input: vec![], expected: vec![], names: vec![], compared: 0 }
    }

    /// Takes a computation; runs the guest first if there is no room for it.
    pub fn push(&mut self, words: &[u32], expected: &[u32], name: &str) {
        let fits = |batch: &Self| {
            batch.input.len() + words.len() + batch.head <= batch.room[0]
                && batch.expected.len() + expected.len() <= batch.room[1]
        };
        if !fits(self) {
            self.run();
            assert!(fits(self), "{name}: too large for a run");
        }
        self.input.extend(words);
        self.expected.extend(expected);
        self.names.extend(vec![name.to_owned(); expected.len()]);
    }

    /// Runs the guest on what is left; how many results were compared in all.
    pub fn finish(mut self) -> usize {
        self.run();
        self.compared
    }

    fn run(&mut self) {
        let (mut input, expected, names) =
            (take(&mut self.input), take(&mut self.expected), take(&mut self.names));
        input.resize(self.room[0], 0);
        let floats: Vec<f32> = input.into_iter().map(f32::from_bits).collect();
        let blob = encode_blob(&[Tensor::from_f32(&[self.room[0] as u32], &floats)]);
        let run = guest::run_blob(&self.prestate, blob, Hash::default());
        assert_eq!(run.code, exit::DIFFERENT, "{}", run.stderr);
        let got = run.output().to_f32().expect("float32");
        for (at, ((got, &expected), name)) in got.iter().zip(&expected).zip(&names).enumerate() {
            let as_float = f32::from_bits(expected);
            assert_eq!(
                got.to_bits(),
                expected,
                "{name}, result {at} of the run: {got:e}, expected {as_float:e}"
            );
        }
        self.compared += expected.len();
    }
}
