//! A gzip stream of our own cut: parts that are compressed side by side, and left as they are where that is as good.
//!
//! A compressor takes its time to find out that weights hardly shrink, and it takes one thread. A deflate stream is a row of blocks, so
//! parts that do not refer to each other can be made anywhere and put together in their order (RFC 1951, 3.2.3). What is
//! written depends on the content alone.

use std::io::{self, Write};

use flate2::{Compress, Compression, Crc, FlushCompress};
use rayon::prelude::*;

/// Deflate, no flags, no time, fastest level, and an unknown operating system, as Go's gzip writer has it (RFC 1952, 2.3).
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff];

/// A last block without anything in it.
const LAST_BLOCK: [u8; 2] = [3, 0];

/// Most bytes that a stored block can have.
const STORED: usize = 0xffff;

/// Parts that are in work at once; they bound the memory.
const BATCH: usize = 16;

/// How much of a part is tried.
const SAMPLE: usize = 4096;

/// A part of the content. Its memory serves one part after the other: what is new to a process is cleared first, and that takes as long
/// as all else that is done with it.
#[derive(Default)]
struct Part {
    plain: Vec<u8>,
    /// As it stands in the stream.
    packed: Vec<u8>,
    /// The checksum of what it holds.
    crc: Crc,
}

/// Writes the `count` parts of a content as one gzip stream; `part` appends the one with a number to an empty vector.
///
/// # Errors
/// Those of `out`.
pub(super) fn write(
    mut out: impl Write + Send,
    count: usize,
    part: impl Fn(usize, &mut Vec<u8>) + Sync,
) -> io::Result<()> {
    let fill = |parts: &mut Vec<Part>, first: usize| {
        parts.resize_with(count.saturating_sub(first).min(BATCH), Part::default);
        parts.par_iter_mut().enumerate().for_each(|(index, place)| place.fill(|to| part(first + index, to)));
    };
    out.write_all(&HEADER)?;
    let mut all = Crc::new();
    let (mut ready, mut next) = (Vec::new(), Vec::new());
    fill(&mut ready, 0);
    for first in (BATCH..count + BATCH).step_by(BATCH) {
        let write = || -> io::Result<()> {
            for part in &ready {
                out.write_all(&part.packed)?;
                all.combine(&part.crc);
            }
            Ok(())
        };
        let (written, ()) = rayon::join(write, || fill(&mut next, first));
        written?;
        std::mem::swap(&mut ready, &mut next);
    }
    out.write_all(&LAST_BLOCK)?;
    // Number of bytes modulo 2^32, like the checksum.
    out.write_all(&all.sum().to_le_bytes())?;
    out.write_all(&all.amount().to_le_bytes())
}

impl Part {
    fn fill(&mut self, content: impl FnOnce(&mut Vec<u8>)) {
        let Self { plain, packed, crc } = self;
        plain.clear();
        content(plain);
        crc.reset();
        crc.update(plain);
        // The middle: what a part begins with may be another kind of bytes.
        let middle = plain.len() / 2;
        let sample = &plain[middle..plain.len().min(middle + SAMPLE)];
        deflate(sample, packed);
        // A quarter less is what the time is worth.
        let shrinks = packed.len() < sample.len() / 4 * 3;
        if shrinks || plain.len() < 2 * SAMPLE { deflate(plain, packed) } else { store(plain, packed) }
    }
}

/// Makes `out` blocks that end at a byte and refer to nothing in front of them.
fn deflate(plain: &[u8], out: &mut Vec<u8>) {
    // The fastest level: the others take four times as long. It is fixed, because equal states are to have equal files. So is the room:
    // where it ends, a block does. And a compressor that is used again would remember what it had before.
    let mut compress = Compress::new(Compression::fast(), false);
    let mut room = plain.len() / 2 + 64;
    loop {
        out.resize(room, 0);
        let (read, written) = (compress.total_in() as usize, compress.total_out() as usize);
        let (rest, out_rest) = (&plain[read..], &mut out[written..]);
        compress.compress(rest, out_rest, FlushCompress::Full).expect("a compressor takes any bytes");
        // Room that is left over says that nothing waits to be written.
        let written = compress.total_out() as usize;
        if compress.total_in() as usize == plain.len() && written < room {
            return out.truncate(written);
        }
        room *= 2;
    }
}

/// Makes `out` blocks that are not compressed.
fn store(plain: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.reserve(plain.len() + 5 * plain.len().div_ceil(STORED));
    for block in plain.chunks(STORED) {
        let len = block.len() as u16;
        out.push(0);
        out.extend(len.to_le_bytes());
        out.extend((!len).to_le_bytes());
        out.extend_from_slice(block);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    /// `len` bytes, of which deflate makes nothing smaller.
    fn noise(len: usize) -> Vec<u8> {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    fn packed(parts: &[Vec<u8>]) -> Vec<u8> {
        let mut file = Vec::new();
        write(&mut file, parts.len(), |index, to| to.extend_from_slice(&parts[index])).unwrap();
        file
    }

    /// More parts than a batch, of every kind: a decoder of another make reads them back as one.
    #[test]
    fn parts_read_back_as_one_stream() {
        let lens = [0, 1, SAMPLE, 2 * SAMPLE, STORED, STORED + 1, 300_000];
        let mut parts: Vec<Vec<u8>> = lens.iter().map(|&len| noise(len)).collect();
        parts.extend(lens.iter().map(|&len| vec![7; len]));
        parts.extend((0..40).map(|i| noise(100 * i)));
        for parts in [&parts[..], &parts[..1], &[]] {
            let mut content = Vec::new();
            GzDecoder::new(&packed(parts)[..]).read_to_end(&mut content).unwrap();
            assert_eq!(content, parts.concat());
        }
    }

    #[test]
    fn noise_is_stored_and_zeros_are_not() {
        assert_eq!(packed(&[noise(100_000)]).len(), 100_000 + 2 * 5 + HEADER.len() + LAST_BLOCK.len() + 8);
        assert!(packed(&[vec![0; 100_000]]).len() < 1000);
    }

    /// Its memory may have served a larger part before, of other bytes.
    #[test]
    fn a_part_is_packed_alike_wherever_it_stands() {
        // Hardly smaller, so that there is not room enough at first.
        let hardly: Vec<u8> = noise(50_000).iter().map(|byte| byte & 0x7f).collect();
        let (mut new, mut used) = (Vec::new(), Vec::new());
        deflate(&hardly, &mut new);
        assert!(new.len() > hardly.len() / 2 + 64 && new.len() < hardly.len());
        for before in [vec![3; 300_000], noise(300_000)] {
            deflate(&before, &mut used);
            deflate(&hardly, &mut used);
            assert!(used == new);
        }
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let parts: Vec<Vec<u8>> = (0..70).map(|i| noise(i * 1000)).collect();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| packed(&parts))
        };
        assert_eq!(on(1), on(3));
    }
}
