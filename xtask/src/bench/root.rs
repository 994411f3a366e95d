use std::time::Instant;

use opml_state::{Memory, PAGE_SIZE};
use rayon::ThreadPoolBuilder;
use serde::Serialize;
use tiny_keccak::{Hasher, Keccak};

/// The memory root beside plain hashing of the same nodes.
#[derive(Debug, Serialize)]
pub struct RootFigures {
    /// Bytes of non-zero memory.
    pub bytes: u64,
    /// Root on one core, in 10^6 bytes of non-zero memory per second.
    pub megabytes_per_second: f64,
    /// How many times as fast that is as `tiny-keccak` hashing as many 64-byte nodes one after another.
    pub times_plain_hashing: f64,
    /// How many times as fast the root is on two cores as on one.
    pub two_cores: f64,
    /// A root of 2^30 bytes of non-zero memory on all cores, in seconds.
    pub gibibyte_seconds: f64,
}

/// Pages of the smaller memory, 64 MiB, and of the larger.
const PAGES: u32 = 1 << 14;
const GIBIBYTE_PAGES: u32 = 1 << 18;

/// Commits to 64 MiB, and to 1 GiB.
pub fn measure() -> RootFigures {
    let pool =
        |threads| ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
    let (one_thread, two_threads) = (pool(1), pool(2));
    let memory = filled(PAGES);
    let bytes = u64::from(PAGES) * PAGE_SIZE as u64;
    let (mut one, mut two, mut plain) = (f64::MAX, f64::MAX, f64::MAX);
    // In turn, so that all see the same machine; the best of each is the least disturbed.
    for _ in 0..5 {
        plain = plain.min(seconds(|| plain_hashing(bytes / 32)));
        one = one.min(seconds(|| one_thread.install(|| memory.merkle_root())));
        two = two.min(seconds(|| two_threads.install(|| memory.merkle_root())));
    }
    drop(memory);
    let gibibyte = filled(GIBIBYTE_PAGES);
    RootFigures {
        bytes,
        megabytes_per_second: bytes as f64 / one / 1e6,
        times_plain_hashing: plain / one,
        two_cores: one / two,
        gibibyte_seconds: seconds(|| gibibyte.merkle_root()),
    }
}

/// Memory without zeros, and without two pages that are the same.
fn filled(pages: u32) -> Memory {
    let mut memory = Memory::new();
    for index in 0..pages {
        let page: Box<[u8; PAGE_SIZE]> =
            Box::new(std::array::from_fn(|i| (i as u32 ^ index.rotate_left(7)) as u8 | 1));
        memory.set_page(index, page);
    }
    memory
}

/// `nodes` hashes of 64 bytes, each of the one before.
fn plain_hashing(nodes: u64) {
    let mut node = [0; 64];
    for _ in 0..nodes {
        let mut keccak = Keccak::v256();
        keccak.update(&node);
        keccak.finalize(&mut node[..32]);
    }
    std::hint::black_box(node);
}

fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let started = Instant::now();
    std::hint::black_box(work());
    started.elapsed().as_secs_f64()
}
