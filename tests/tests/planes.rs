//! Depthwise convolutions in the VM: what the guest's assembly makes of hostile data is what the definition says.
//!
//! One guest takes any number of convolutions with their shapes and data as its input, so that a hundred thousand sums need one
//! build. They are compared with `opml_kernels::conv2d`, which the kernels' own tests compare with big integers.

#[path = "../../kernels/tests/support/mod.rs"]
mod support;

use std::path::Path;

use opml_kernels::spatial::Window;
use opml_kernels::{Conv2d, Image, conv2d, planes_scratch, planes_take};
use opml_tests::batch::Batch;
use opml_tests::program::bare;
use support::{KINDS, Kind, Random};

/// Words of input and of output of a run, and of scratch.
const INPUT: usize = 1 << 19;
const OUTPUT: usize = 1 << 18;
const SCRATCH: usize = 1 << 16;
/// Words of a shape.
const HEAD: usize = 15;

/// For each convolution: the shape, then image, weights and bias. A shape that begins with zero ends the list.
fn source() -> String {
    format!(
        "#![no_std]
use opml_kernels::{{Conv2d, Image, conv2d_planes, spatial::Window}};
use opml_runtime::{{Arena, Guest, Mips, OutputTensor, abi::DataType}};

static INPUT: Arena<{INPUT}> = Arena::new();
static OUTPUT: Arena<{OUTPUT}> = Arena::new();
static SCRATCH: Arena<{SCRATCH}> = Arena::new();

fn image(last: u32, [channels, height, width]: [u32; 3]) -> Image {{
    let [channels, height, width] = [channels as usize, height as usize, width as usize];
    if last == 0 {{ Image::planes(channels, height, width) }} else {{ Image::channels_last(channels, height, width) }}
}}

fn window(words: &[u32]) -> Window {{
    let [size, stride, dilation, pad_before] = [0, 1, 2, 3].map(|i| words[i] as usize);
    Window {{ size, stride, dilation, pad_before, pad_after: 0 }}
}}

fn main(mut guest: Guest<Mips>) -> ! {{
    let mut input = guest.open_input({blob}, 1);
    // SAFETY: this is all of the arena, and nothing else refers to it.
    input.tensor(DataType::Float32, [{INPUT}], unsafe {{ INPUT.words(0, {INPUT}) }});
    let (mut at, mut out) = (0, 0);
    loop {{
        // SAFETY: the test has put together what is read; nothing writes to it any more.
        let head: &[u32] = unsafe {{ INPUT.words(4 * at, {HEAD}) }};
        if head[0] == 0 {{
            break;
        }}
        at += {HEAD};
        let shape = Conv2d {{
            input: image(head[6], [head[0], head[2], head[3]]),
            output: image(head[6], [head[1], head[4], head[5]]),
            vertical: window(&head[7..11]),
            horizontal: window(&head[11..15]),
            groups: head[0] as usize,
        }};
        let filters = head[1] as usize;
        let (x, w) = (shape.input.extent(), filters * shape.vertical.size * shape.horizontal.size);
        let sums = shape.output.extent();
        // SAFETY: as above; output and scratch are arenas of their own.
        unsafe {{
            let (image, weights) = (INPUT.read(4 * at, x), INPUT.read(4 * (at + x), w));
            let bias = INPUT.read(4 * (at + x + w), filters);
            let (scratch, result) = (SCRATCH.words(0, {SCRATCH}), OUTPUT.write(4 * out, sums));
            conv2d_planes(&shape, image, weights, Some(bias), scratch, result);
        }}
        at += x + w + filters;
        out += sums;
    }}
    // SAFETY: nothing writes any more.
    let words = unsafe {{ OUTPUT.words(0, {OUTPUT}) }};
    guest.finish(&[OutputTensor {{ dtype: DataType::Float32, shape: &[{OUTPUT}], words }}])
}}

opml_runtime::program!(main);
",
        blob = 12 + 4 * INPUT,
    )
}

/// The words of a convolution for the guest, and the bits that it gives.
fn words(shape: &Conv2d, [x, w, bias]: &[Vec<f32>; 3]) -> [Vec<u32>; 2] {
    assert!(planes_take(shape) && planes_scratch(shape) <= SCRATCH, "{shape:?}");
    let Conv2d { input, output, vertical, horizontal, .. } = shape;
    // With one channel both layouts are the same.
    let last = usize::from(input.column_stride > 1 || output.column_stride > 1);
    let sizes = [input.channels, output.channels, input.height, input.width, output.height, output.width];
    let windows = [vertical, horizontal].map(|w| [w.size, w.stride, w.dilation, w.pad_before]);
    let head = [&sizes[..], &[last], windows.as_flattened()].concat();
    let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    let mut out = vec![0.0; output.extent()];
    conv2d(shape, x, w, Some(bias), &mut out);
    let head: Vec<u32> = head.into_iter().map(|v| v as u32).collect();
    [[head, bits(x), bits(w), bits(bias)].concat(), bits(&out)]
}

/// Mostly three by three, as these have loops of their own; strips of all widths, with and without padding.
fn random_shape(random: &mut Random) -> Conv2d {
    let mut window = |size: usize| {
        let (stride, dilation) = ([1, 1, 1, 2, 3][random.below(5)], [1, 1, 1, 2][random.below(4)]);
        Window { stride, dilation, ..Window::new(size, 1) }.padded(random.below(3), 0)
    };
    let (vertical, horizontal) = (window(3), window(3));
    let sizes = [[3, 3], [3, 3], [3, 3], [1, 5], [5, 2], [1, 1]][random.below(6)];
    let (vertical, horizontal) =
        (Window { size: sizes[0], ..vertical }, Window { size: sizes[1], ..horizontal });
    let (channels, filters) = (1 + random.below(3), 1 + random.below(2));
    let [height, width] = [1 + random.below(12), 1 + random.below(16)];
    let (rows, columns) = (1 + random.below(height), 1 + random.below(width + 3));
    let image = if random.below(4) == 0 { Image::channels_last } else { Image::planes };
    Conv2d {
        input: image(channels, height, width),
        output: image(channels * filters, rows, columns),
        vertical,
        horizontal,
        groups: channels,
    }
}

#[test]
fn the_guest_gives_a_hundred_thousand_hostile_sums_as_defined() {
    // Would catch: a register of the assembly that two values share, strips or rows that begin in the wrong place, elements
    // that stop the loops and are not taken up again where they stopped.
    let prestate = bare("planes", &source(), Path::new(env!("CARGO_TARGET_TMPDIR")));
    let mut random = Random(61);
    let mut batch = Batch::new(prestate, [INPUT, OUTPUT], HEAD);
    for (x, w) in KINDS.iter().flat_map(|&x| KINDS.map(|w| (x, w))) {
        for round in 0..8 {
            let shape = random_shape(&mut random);
            let bias = [Kind::Normal, KINDS[random.below(KINDS.len())]][round % 2];
            let taps = shape.vertical.size * shape.horizontal.size;
            let filters = shape.output.channels;
            let lengths = [(x, shape.input.extent()), (w, filters * taps), (bias, filters)];
            let data = lengths.map(|(kind, len)| random.floats(kind, len));
            let [input, expected] = words(&shape, &data);
            batch.push(&input, &expected, &format!("{x:?} {w:?} {bias:?}, {shape:?}"));
        }
    }
    let sums = batch.finish();
    assert!(sums >= 100_000, "only {sums} sums");
}
