//! The commitment to memory: a binary tree of 27 levels over 2^27 leaves of 32 bytes.
//!
//! A leaf is the memory itself, not hashed; a node is keccak256(left || right) (`MIPS.sol`, `readMem`).
//! A page is a subtree of height 7, and the pages are the leaves of the 20 levels above.
//!
//! (Z) A subtree of zeros of height h has the hash Z(h): Z(0) is 32 zero bytes, Z(h+1) =
//! keccak256(Z(h) || Z(h)). So absent pages and pages of zeros are never hashed.

use std::sync::LazyLock;

use rayon::prelude::*;

use crate::lanes::hash_pairs;
use crate::memory::{PAGE_SIZE, Page, is_zero};
use crate::{Hash, Memory};

/// Levels from a leaf to the root of its page: 2^7 leaves of 32 bytes.
const PAGE_HEIGHT: usize = 7;

/// Levels from a leaf to the root of memory.
const HEIGHT: usize = 27;

/// Pages that go through the levels of their subtrees together, so that even the top levels fill the
/// vector lanes of [`hash_pairs`].
const PAGE_GROUP: usize = 16;

/// Nodes a thread takes at once in the levels above the pages.
const NODE_GROUP: usize = 1024;

/// Z(0) to Z(27), see (Z).
static ZERO: LazyLock<[Hash; HEIGHT + 1]> = LazyLock::new(|| {
    let mut zero = [Hash::default(); HEIGHT + 1];
    for height in 1..=HEIGHT {
        let below = zero[height - 1].0;
        hash_pairs(&[below, below].concat(), &mut zero[height].0);
    }
    zero
});

impl Memory {
    /// The root of memory. Hashes only pages that are not all zeros, on all threads of the current rayon
    /// pool; the result depends on the bytes of memory alone.
    pub fn merkle_root(&self) -> Hash {
        let pages: Vec<(u32, &Page)> = self.pages().collect();
        // Zero pages are found in parallel too: they can be most of a large memory. By (Z) they may go.
        let pages: Vec<(u32, &Page)> = pages.into_par_iter().filter(|(_, page)| !is_zero(page)).collect();
        let mut nodes: Vec<(u32, Hash)> = pages.par_chunks(PAGE_GROUP).flat_map_iter(page_roots).collect();
        for height in PAGE_HEIGHT..HEIGHT {
            nodes = parents(&nodes, ZERO[height]);
        }
        nodes.first().map_or(ZERO[HEIGHT], |&(_, root)| root)
    }
}

/// The roots of a group of pages, with the pages' indices.
fn page_roots<'a>(pages: &'a [(u32, &'a Page)]) -> impl Iterator<Item = (u32, Hash)> + 'a {
    let mut level = Vec::with_capacity(pages.len() * PAGE_SIZE);
    pages.iter().for_each(|(_, page)| level.extend_from_slice(*page));
    // A page has an even number of nodes on each level below its root, so pairs never mix pages.
    for _ in 0..PAGE_HEIGHT {
        let mut above = vec![0; level.len() / 2];
        hash_pairs(&level, &mut above);
        level = above;
    }
    let roots: Vec<Hash> = level.as_chunks().0.iter().map(|&root| Hash(root)).collect();
    pages.iter().map(|&(index, _)| index).zip(roots)
}

/// The level above `nodes` (index in the level, hash; rising), where a node that is not there is `zero`.
fn parents(nodes: &[(u32, Hash)], zero: Hash) -> Vec<(u32, Hash)> {
    let mut indices = Vec::with_capacity(nodes.len());
    let mut messages = Vec::with_capacity(64 * nodes.len());
    for siblings in nodes.chunk_by(|(a, _), (b, _)| a / 2 == b / 2) {
        indices.push(siblings[0].0 / 2);
        for side in [0, 1] {
            let child = siblings.iter().find(|(index, _)| index % 2 == side);
            messages.extend(child.map_or(zero, |&(_, hash)| hash).0);
        }
    }
    let mut hashes = vec![0; messages.len() / 2];
    messages
        .par_chunks(64 * NODE_GROUP)
        .zip(hashes.par_chunks_mut(32 * NODE_GROUP))
        .for_each(|(messages, hashes)| hash_pairs(messages, hashes));
    indices.into_iter().zip(hashes.as_chunks().0.iter().map(|&hash| Hash(hash))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keccak256;

    /// The tree by its definition: recursion over address ranges, one hash at a time.
    fn by_definition(memory: &Memory, start: u64, height: usize) -> Hash {
        let end = start + (32 << height);
        if !memory.pages().any(|(index, _)| (start..end).contains(&(u64::from(index) << 12)))
            && height >= PAGE_HEIGHT
        {
            return (0..height).fold(Hash::default(), |z, _| keccak256(&[z.0, z.0].concat()));
        }
        if height == 0 {
            let mut leaf = Hash::default();
            memory.read(start as u32, &mut leaf.0).unwrap();
            return leaf;
        }
        let left = by_definition(memory, start, height - 1);
        let right = by_definition(memory, start + (16 << height), height - 1);
        keccak256(&[left.0, right.0].concat())
    }

    fn sample() -> Memory {
        let mut memory = Memory::new();
        // Neighbours, far pages, both ends of the address space, more pages than one group.
        for (i, page) in [0, 1, 2, 7, 0x10, 0x7fffc, 0x80000, 0xf_fffe, 0xf_ffff].into_iter().enumerate() {
            memory.write((page << 12) + 0x123 * i as u32, b"some bytes in this page").unwrap();
        }
        for page in 0..40u32 {
            memory.write(0x2000_0000 + page * 4096 + page, &[page as u8 + 1; 77]).unwrap();
        }
        memory
    }

    #[test]
    fn the_root_is_the_one_of_the_definition() {
        for memory in [Memory::new(), sample()] {
            assert_eq!(memory.merkle_root(), by_definition(&memory, 0, HEIGHT));
        }
    }

    #[test]
    fn pages_of_zeros_do_not_change_the_root() {
        let mut memory = sample();
        let root = memory.merkle_root();
        memory.make_present(0x4000_0000, 0x10000).unwrap();
        memory.make_present(0xffff_0000, 0x100).unwrap();
        assert_eq!(memory.merkle_root(), root);
    }

    #[test]
    fn every_byte_counts() {
        let root = sample().merkle_root();
        for address in [0u32, 31, 32, 4095, 0x2000_0fff, 0x5555_5555, 0xffff_ffff] {
            let mut memory = sample();
            let mut byte = [0];
            memory.read(address, &mut byte).unwrap();
            memory.write(address, &[byte[0] ^ 1]).unwrap();
            assert_ne!(memory.merkle_root(), root, "{address:#x}");
        }
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let memory = sample();
        let single = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let many = rayon::ThreadPoolBuilder::new().num_threads(5).build().unwrap();
        assert_eq!(single.install(|| memory.merkle_root()), many.install(|| memory.merkle_root()));
    }
}
