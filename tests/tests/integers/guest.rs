// Products of bytes, as many as the input has. The test puts the lengths and the first line before it.

use opml_kernels::{self as k, Byte, ByteMatrix, IntegerMatMul, Requantise};
use opml_runtime::{Arena, Guest, Mips, OutputTensor, abi::DataType};

static INPUT: Arena<INPUT_LEN> = Arena::new();
static OUTPUT: Arena<OUTPUT_LEN> = Arena::new();
static SCRATCH: Arena<SCRATCH_LEN> = Arena::new();
static BYTES: Arena<OUTPUT_LEN> = Arena::new();

/// What is left of the input.
struct Reader(&'static [u32]);

impl Reader {
    fn words(&mut self, count: usize) -> &'static [u32] {
        let (words, rest) = self.0.split_at(count);
        self.0 = rest;
        words
    }

    fn bytes(&mut self, count: usize) -> &'static [u8] {
        let words = self.words(count.div_ceil(4));
        // SAFETY: the words have at least as many bytes.
        unsafe { core::slice::from_raw_parts(words.as_ptr().cast(), count) }
    }
}

fn kind(word: u32) -> Byte {
    if word == 0 { Byte::Unsigned } else { Byte::Signed }
}

fn main(mut guest: Guest<Mips>) -> ! {
    let mut input = guest.open_input((12 + 4 * INPUT_LEN) as u32, 1);
    // SAFETY: this is all of the arena, and nothing else refers to it.
    input.tensor(DataType::Float32, [INPUT_LEN as u32], unsafe { INPUT.words(0, INPUT_LEN) });
    // SAFETY: nothing writes to it any more, and each of the others is used here alone.
    let (mut input, output, scratch, bytes) = unsafe {
        let bytes = BYTES.words(0, OUTPUT_LEN);
        (
            Reader(INPUT.words(0, INPUT_LEN)),
            OUTPUT.words(0, OUTPUT_LEN),
            SCRATCH.words(0, SCRATCH_LEN),
            core::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast::<u8>(), 4 * bytes.len()),
        )
    };
    let mut out = 0;
    while input.0[0] != 0 {
        let head = input.words(HEAD_LEN);
        let [m, k, n, words, b_zeros] = [0, 1, 2, 3, 4].map(|i| head[i] as usize);
        let shape = IntegerMatMul { m, k, n };
        let a = ByteMatrix { bytes: input.bytes(m * k), byte: kind(head[5]), zero: &[head[8] as u8] };
        let b = ByteMatrix { bytes: input.bytes(k * n), byte: kind(head[6]), zero: input.bytes(b_zeros) };
        let packed = input.words(words);
        for plain in [false, true] {
            // SAFETY: integers are words.
            let sums =
                unsafe { core::slice::from_raw_parts_mut(output[out..][..m * n].as_mut_ptr().cast(), m * n) };
            if plain {
                k::matmul_integer(&shape, &a, &b, scratch, sums);
            } else {
                k::matmul_integer_packed(&shape, &a, packed, scratch, sums);
            }
            out += m * n;
        }
        let result = Requantise {
            bias: &[0],
            rectified: false,
            multipliers: &[f32::from_bits(head[9])],
            zero: (head[8] >> 8) as u8,
            byte: kind(head[7]),
        };
        let bytes = &mut bytes[..m * n];
        k::qlinear_matmul_packed(&shape, &a, packed, &result, scratch, bytes);
        for (word, &byte) in output[out..].iter_mut().zip(&*bytes) {
            *word = byte.into();
        }
        out += m * n;
    }
    guest.finish(&[OutputTensor { dtype: DataType::Float32, shape: &[OUTPUT_LEN as u32], words: output }])
}

opml_runtime::program!(main);
