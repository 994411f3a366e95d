//! The commitment to memory: a binary tree of 27 levels over 2^27 leaves of 32 bytes.
//!
//! A leaf is the memory itself, not hashed; a node is keccak256(left || right) (`MIPS.sol`, `readMem`).
//! A page is a subtree of height 7, and the pages are the leaves of the 20 levels above.
//!
//! (Z) A subtree of zeros of height h has the hash Z(h): Z(0) is 32 zero bytes, Z(h+1) =
//! keccak256(Z(h) || Z(h)). So absent pages and pages of zeros are never hashed, and a [`MerkleTree`] holds
//! no node for them.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use rayon::prelude::*;

use crate::lanes::hash_pairs;
use crate::memory::{PAGE_SIZE, Page, is_zero};
use crate::proof::MemoryProof;
use crate::{Hash, Memory};

/// Levels from a leaf to the root of its page: 2^7 leaves of 32 bytes.
const PAGE_HEIGHT: usize = 7;

/// Levels from a leaf to the root of memory.
pub(crate) const HEIGHT: usize = 27;

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
        MerkleTree::new(self).root()
    }
}

/// The tree of a memory down to its pages, kept up to date page by page.
///
/// It does not hold the pages: a changed one costs 127 hashes for its inside and 20 for the way up, a
/// [proof](Self::proof) the 127 again, whatever the size of memory.
#[derive(Clone, Default)]
pub struct MerkleTree {
    /// The nodes of height 7 (pages) to 27 (root) by their index in the level; those of (Z) are absent. Only
    /// looked up, never walked through, so the order of a hash table reaches nothing.
    levels: [HashMap<u32, Hash>; HEIGHT - PAGE_HEIGHT + 1],
}

impl fmt::Debug for MerkleTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MerkleTree({} pages, root {})", self.levels[0].len(), self.root())
    }
}

impl MerkleTree {
    /// The tree of `memory`.
    pub fn new(memory: &Memory) -> Self {
        let mut tree = Self::default();
        tree.update(memory.pages());
        tree
    }

    /// The root of memory.
    pub fn root(&self) -> Hash {
        self.node(HEIGHT, 0)
    }

    /// Takes in what these pages are now (index, bytes), each at most once and in any order. Works on all
    /// threads of the current rayon pool.
    pub fn update<'a>(&mut self, pages: impl IntoIterator<Item = (u32, &'a Page)>) {
        let pages: Vec<(u32, &Page)> = pages.into_iter().collect();
        // Zero pages are found in parallel too: they can be most of a large memory.
        let (zero, other): (Vec<_>, Vec<_>) = pages.into_par_iter().partition(|(_, page)| is_zero(page));
        let roots: Vec<(u32, Hash)> = other.par_chunks(PAGE_GROUP).flat_map_iter(page_roots).collect();
        let removed =
            zero.iter().map(|&(index, _)| index).filter(|index| self.levels[0].remove(index).is_some());
        let mut changed: Vec<u32> = removed.collect();
        changed.extend(roots.iter().map(|&(index, _)| index));
        self.levels[0].extend(roots);
        changed.sort_unstable();
        for height in PAGE_HEIGHT + 1..=HEIGHT {
            changed.iter_mut().for_each(|index| *index /= 2);
            changed.dedup();
            self.update_level(height, &changed);
        }
    }

    /// Computes the nodes of a level from the level below.
    fn update_level(&mut self, height: usize, changed: &[u32]) {
        let (mut indices, mut messages) = (Vec::new(), Vec::with_capacity(64 * changed.len()));
        for &index in changed {
            let below = &self.levels[height - 1 - PAGE_HEIGHT];
            if below.contains_key(&(2 * index)) || below.contains_key(&(2 * index + 1)) {
                indices.push(index);
                messages.extend(self.node(height - 1, 2 * index).0);
                messages.extend(self.node(height - 1, 2 * index + 1).0);
            } else {
                self.levels[height - PAGE_HEIGHT].remove(&index);
            }
        }
        let mut hashes = vec![0; messages.len() / 2];
        messages
            .par_chunks(64 * NODE_GROUP)
            .zip(hashes.par_chunks_mut(32 * NODE_GROUP))
            .for_each(|(messages, hashes)| hash_pairs(messages, hashes));
        let hashes = hashes.as_chunks().0.iter().map(|&hash| Hash(hash));
        self.levels[height - PAGE_HEIGHT].extend(indices.into_iter().zip(hashes));
    }

    /// A node of a level from 7 (pages) to 27 (root).
    fn node(&self, height: usize, index: u32) -> Hash {
        self.levels[height - PAGE_HEIGHT].get(&index).copied().unwrap_or(ZERO[height])
    }

    /// Proves the 32 bytes around `address`, whose page is `page` now; `None` for an absent page.
    ///
    /// The proof leads to [`root`](Self::root) only if the tree has been updated with this very page.
    pub fn proof(&self, address: u32, page: Option<&Page>) -> MemoryProof {
        let leaf = address >> 5;
        let mut nodes = Vec::with_capacity(HEIGHT + 1);
        match page {
            Some(page) => {
                let mut level = page.to_vec();
                let of = |level: &[u8], index: u32| Hash(level.as_chunks().0[index as usize]);
                nodes.push(of(&level, leaf & 127));
                for height in 0..PAGE_HEIGHT {
                    nodes.push(of(&level, (leaf & 127) >> height ^ 1));
                    level = above(&level);
                }
            }
            None => nodes.extend([Hash::default()].iter().chain(&ZERO[..PAGE_HEIGHT])),
        }
        nodes.extend((PAGE_HEIGHT..HEIGHT).map(|height| self.node(height, leaf >> height ^ 1)));
        MemoryProof(nodes.try_into().expect("a leaf and 27 siblings"))
    }
}

/// The roots of a group of pages, with the pages' indices.
fn page_roots<'a>(pages: &'a [(u32, &'a Page)]) -> impl Iterator<Item = (u32, Hash)> + 'a {
    let mut level = Vec::with_capacity(pages.len() * PAGE_SIZE);
    pages.iter().for_each(|(_, page)| level.extend_from_slice(*page));
    // A page has an even number of nodes on each level below its root, so pairs never mix pages.
    for _ in 0..PAGE_HEIGHT {
        level = above(&level);
    }
    let roots: Vec<Hash> = level.as_chunks().0.iter().map(|&root| Hash(root)).collect();
    pages.iter().map(|&(index, _)| index).zip(roots)
}

/// The level above some whole pages' level.
fn above(level: &[u8]) -> Vec<u8> {
    let mut above = vec![0; level.len() / 2];
    hash_pairs(level, &mut above);
    above
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
    fn a_tree_kept_up_to_date_is_the_tree_built_anew() {
        let mut memory = sample();
        let mut tree = MerkleTree::new(&memory);
        // A new page, a change, a page that becomes zeros (present, so no longer in the tree), and back.
        let writes: [(u32, &[u8]); 5] = [
            (0x9999_0000, b"new"),
            (0x2000_0004, b"x"),
            (0x1000, &[0; 4096]),
            (0xffff_ffff, b"z"),
            (0x1fff, b"!"),
        ];
        for (address, bytes) in writes {
            memory.write(address, bytes).unwrap();
            tree.update([(address >> 12, memory.page(address >> 12).unwrap())]);
            assert_eq!(tree.root(), by_definition(&memory, 0, HEIGHT), "after {address:#x}");
        }
        let zeros = [0; PAGE_SIZE];
        tree.update(memory.pages().map(|(index, _)| (index, &zeros)));
        assert_eq!(tree.root(), ZERO[HEIGHT]);
        assert!(tree.levels.iter().all(HashMap::is_empty), "a tree of zeros has no nodes");
    }

    #[test]
    fn proofs_lead_from_their_leaf_to_the_root() {
        let memory = sample();
        let tree = MerkleTree::new(&memory);
        for address in [0u32, 31, 32, 0x1123, 0x2000_0fff, 0x2002_7fff, 0x5555_5555, 0x7fff_c000, 0xffff_ffff]
        {
            let proof = tree.proof(address, memory.page(address >> 12));
            let mut leaf = [0; 32];
            memory.read(address & !31, &mut leaf).unwrap();
            assert_eq!(proof.leaf().0, leaf, "{address:#x}");
            assert_eq!(proof.root(address), tree.root(), "{address:#x}");
            assert_ne!(proof.root(address ^ 1 << 31), tree.root(), "{address:#x}: another place");
            for flipped in 0..MemoryProof::LEN {
                let mut bytes = proof.to_bytes();
                bytes[flipped] ^= 1;
                assert_ne!(
                    MemoryProof::from_bytes(&bytes).root(address),
                    tree.root(),
                    "{address:#x} {flipped}"
                );
            }
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
