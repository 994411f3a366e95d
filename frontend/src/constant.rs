//! Weights on their way into the image: made piece by piece, so that no more of them than that is ever in memory.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::Arc;

use opml_kernels::packed::{Packer, Rows, groups};
use rayon::prelude::*;

use crate::elements::Elements;
use crate::values::Values;

/// Rows that are packed together, by one thread.
const TILE: usize = 32;
/// Tiles that are in work at once; they bound the memory.
const TILES: usize = 16;
/// Elements of plain weights that are given away at once.
const PIECE: usize = 1 << 16;

/// Takes words and the place of the first of them in their array.
pub type Put<'a> = dyn FnMut(usize, &[u32]) -> io::Result<()> + Send + 'a;

/// Rows of weights that the image has in the form of [`opml_kernels::packed`].
#[derive(Clone, PartialEq, Debug)]
pub struct Packed {
    /// What they are part of.
    pub elements: Arc<Elements>,
    /// The first of them.
    pub offset: usize,
    /// Weights of a row.
    pub k: usize,
    /// Rows.
    pub n: usize,
}

impl Packed {
    /// The weights row by row, for the native twin.
    pub fn rows(&self) -> Cow<'_, [f32]> {
        self.values().slice(self.offset..self.offset + self.k * self.n)
    }

    fn values(&self) -> &Values {
        self.elements.floats().expect("float32 weights are packed")
    }

    /// Packs tile by tile on all threads of the current rayon pool; what comes out does not depend on how many there are.
    fn write(&self, put: &mut Put<'_>) -> io::Result<()> {
        // A thread keeps its copy of the weights: memory that is new to a process is cleared first.
        let tile = |copy: &mut Vec<f32>, &first: &usize| self.tile(first, copy);
        let tiles = |firsts: &[usize]| -> Vec<Rows> { firsts.par_iter().map_init(Vec::new, tile).collect() };
        let firsts: Vec<usize> = (0..self.n).step_by(TILE).collect();
        let mut packer = Packer::new(self.k, self.n);
        let mut batches = firsts.chunks(TILES).map(Some).chain([None]);
        let mut ready = Vec::new();
        batches.try_for_each(|batch| {
            let write = || {
                std::mem::take(&mut ready).into_iter().try_for_each(|tile| {
                    let (place, words) = packer.add(tile);
                    put(place, &words)
                })
            };
            let (written, following) = rayon::join(write, || batch.map(tiles));
            ready = following.unwrap_or_default();
            written
        })?;
        packer.finish().iter().try_for_each(|(place, words)| put(*place, words))
    }

    fn tile(&self, first: usize, weights: &mut Vec<f32>) -> Rows {
        let rows = first..self.n.min(first + TILE);
        let groups: Vec<usize> = groups(rows.clone(), self.n).map(|group| group.len()).collect();
        weights.resize(rows.len() * self.k, 0.0);
        self.values().gather(self.offset + first * self.k, &groups, self.k, weights);
        Rows::new(self.k, self.n, rows, weights)
    }
}

/// What the image has of a weight.
#[derive(Clone, PartialEq)]
pub(crate) enum Content {
    Plain(Arc<Elements>),
    Packed(Packed),
}

/// A weight as the linker sees it.
#[derive(Clone, PartialEq)]
pub struct Constant {
    /// Its symbol.
    pub symbol: String,
    pub(crate) content: Content,
}

impl Constant {
    /// The same under the name that the crate `owner` of a model has for it: a program may call several models.
    pub fn owned_by(self, owner: &str) -> Self {
        Self { symbol: crate::emit::owned_symbol(owner, &self.symbol), ..self }
    }

    /// Gives its words to `put`, each once, in pieces of any order. How many words packed weights take depends on their values.
    ///
    /// # Errors
    /// Those of `put`.
    pub fn write(&self, put: &mut Put<'_>) -> io::Result<()> {
        match &self.content {
            Content::Packed(packed) => packed.write(put),
            Content::Plain(elements) => write_plain(elements, put),
        }
    }

    /// All its words.
    ///
    /// # Panics
    /// Never: nothing can fail in memory.
    pub fn words(&self) -> Vec<u32> {
        let mut words = Vec::new();
        let written = self.write(&mut |place, piece| {
            words.resize(words.len().max(place + piece.len()), 0);
            words[place..][..piece.len()].copy_from_slice(piece);
            Ok(())
        });
        written.expect("memory takes all words");
        words
    }
}

/// Elements as the words of a big-endian memory, the last one filled up with zeros.
fn write_plain(elements: &Elements, put: &mut Put<'_>) -> io::Result<()> {
    let size = elements.dtype().size();
    // Pieces end with a word.
    (0..elements.len()).step_by(PIECE).try_for_each(|start| {
        let mut bytes = elements.slice(start..elements.len().min(start + PIECE)).to_bytes();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let words: Vec<u32> = bytes.as_chunks().0.iter().map(|&word| u32::from_be_bytes(word)).collect();
        put(start * size / 4, &words)
    })
}

impl fmt::Debug for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole tiles, and rows that are left over.
    #[test]
    fn tiles_are_packed_as_the_whole_is() {
        for (k, n) in [(3, 1), (70, 64), (130, 65), (9, 8 * TILE + 13)] {
            let weight = |i: usize| (i as f32 * 0.37).sin() * (i % 7) as f32 * 1e-3;
            let values = (0..5 + k * n).map(weight).collect::<Vec<_>>();
            let packed = Packed { elements: Arc::new(Elements::F32(values.into())), offset: 5, k, n };
            let expected = opml_kernels::packed::pack(k, n, |row, element| weight(5 + row * k + element));
            let constant = Constant { symbol: String::new(), content: Content::Packed(packed) };
            assert!(constant.words() == expected, "{k} x {n}");
        }
    }
}
