use std::time::Instant;

use opml_state::{Memory, PAGE_SIZE, keccak256};
use serde::Serialize;

/// The memory root beside plain hashing of the same nodes.
#[derive(Debug, Serialize)]
pub struct RootFigures {
    /// Bytes of non-zero memory.
    pub bytes: u64,
    /// Root on all cores, in 10^6 bytes of non-zero memory per second.
    pub megabytes_per_second: f64,
    /// How many times as fast as hashing the same number of 64-byte nodes one after another.
    pub times_plain_hashing: f64,
}

/// Commits to 64 MiB.
pub fn measure() -> RootFigures {
    const PAGES: u32 = 16_384;
    let mut memory = Memory::new();
    for index in 0..PAGES {
        // Any bytes but zeros, and no two pages the same.
        let page: Box<[u8; PAGE_SIZE]> =
            Box::new(std::array::from_fn(|i| (i as u32 ^ index.rotate_left(7)) as u8 | 1));
        memory.set_page(index, page);
    }
    let bytes = u64::from(PAGES) * PAGE_SIZE as u64;
    let (mut root, mut plain) = (f64::MAX, f64::MAX);
    // In turn, so that both see the same machine; the best of each is the least disturbed.
    for _ in 0..3 {
        root = root.min(seconds(|| memory.merkle_root()));
        plain = plain.min(seconds(|| plain_hashing(bytes / 32)));
    }
    RootFigures { bytes, megabytes_per_second: bytes as f64 / root / 1e6, times_plain_hashing: plain / root }
}

/// `nodes` hashes of 64 bytes, each of the one before.
fn plain_hashing(nodes: u64) {
    let mut node = [0; 64];
    for _ in 0..nodes {
        let hash = keccak256(&node);
        node[..32].copy_from_slice(&hash.0);
    }
    std::hint::black_box(node);
}

fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let started = Instant::now();
    std::hint::black_box(work());
    started.elapsed().as_secs_f64()
}
