// Convolutions of bytes, as many as the input has. The test puts the lengths and the first line before it.

use opml_kernels::{self as k, Byte, ByteMatrix, Conv2d, Image, Requantise, spatial::Window};
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

fn image(words: &[u32]) -> Image {
    let [channels, height, width] = [0, 1, 2].map(|i| words[i] as usize);
    let [channel_stride, row_stride, column_stride] = [3, 4, 5].map(|i| words[i] as usize);
    Image { channels, height, width, channel_stride, row_stride, column_stride }
}

fn window(words: &[u32]) -> Window {
    let [size, stride, dilation, pad_before] = [0, 1, 2, 3].map(|i| words[i] as usize);
    Window { size, stride, dilation, pad_before, pad_after: 0 }
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
        let shape = Conv2d {
            input: image(head),
            output: image(&head[6..]),
            vertical: window(&head[12..]),
            horizontal: window(&head[16..]),
            groups: head[20] as usize,
        };
        let rest = &head[SHAPE_LEN..];
        let x = ByteMatrix { bytes: input.bytes(rest[0] as usize), byte: kind(rest[3]), zero: &[rest[6] as u8] };
        let weights = input.bytes(rest[1] as usize);
        let w = ByteMatrix { bytes: weights, byte: kind(rest[4]), zero: input.bytes(rest[2] as usize) };
        let (filters, len) = (shape.output.channels, shape.output.extent());
        let (bias, multipliers) = (input.words(filters), input.words(filters));
        // SAFETY: integers and floats are words.
        let (bias, multipliers, sums) = unsafe {
            (
                core::slice::from_raw_parts(bias.as_ptr().cast(), filters),
                core::slice::from_raw_parts(multipliers.as_ptr().cast(), filters),
                core::slice::from_raw_parts_mut(output[out..][..len].as_mut_ptr().cast(), len),
            )
        };
        k::conv2d_integer(&shape, &x, &w, scratch, sums);
        out += len;
        let byte = kind(rest[5]);
        let result = Requantise { bias, multipliers, zero: rest[7] as u8, byte, rectified: rest[8] != 0 };
        let bytes = &mut bytes[..len];
        bytes.fill(0);
        k::qlinear_conv2d(&shape, &x, &w, &result, scratch, bytes);
        for (word, &byte) in output[out..].iter_mut().zip(&*bytes) {
            *word = byte.into();
        }
        out += len;
    }
    guest.finish(&[OutputTensor { dtype: DataType::Float32, shape: &[OUTPUT_LEN as u32], words: output }])
}

opml_runtime::program!(main);
