//! What is compiled: a guest program and the weights it is linked with.

use std::fmt;
use std::io;
use std::sync::Arc;

/// Source and data of a guest.
#[derive(Clone, Debug)]
pub struct GuestProgram {
    /// `src/lib.rs` of the guest crate, which may use `opml-kernels`, `opml-runtime` and `opml-abi`.
    pub source: String,
    /// Data the source refers to as external symbols.
    pub weights: Vec<Weight>,
}

/// One array of 32-bit words in the image.
#[derive(Clone, Debug)]
pub struct Weight {
    /// Its symbol.
    pub symbol: String,
    /// Its elements.
    pub words: Words,
}

/// Takes words and the place of the first of them in their array.
pub type Put<'a> = dyn FnMut(usize, &[u32]) -> io::Result<()> + Send + 'a;

/// Makes an array: gives all its words to `put`, in whatever order and pieces.
type Maker = dyn Fn(&mut Put<'_>) -> io::Result<()> + Send + Sync;

/// The elements of an array.
#[derive(Clone)]
pub enum Words {
    /// In memory.
    Here(Vec<u32>),
    /// Made piece by piece when they are written, so that the whole array is never in memory.
    Made(Arc<Maker>),
}

impl Words {
    /// What `maker` makes. It has to make the same words each time.
    pub fn made(maker: impl Fn(&mut Put<'_>) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self::Made(Arc::new(maker))
    }

    /// Gives all words to `put`.
    ///
    /// # Errors
    /// Those of `put` and of the maker.
    pub fn write(&self, put: &mut Put<'_>) -> io::Result<()> {
        match self {
            Self::Here(words) => put(0, words),
            Self::Made(maker) => maker(put),
        }
    }
}

impl From<Vec<u32>> for Words {
    fn from(words: Vec<u32>) -> Self {
        Self::Here(words)
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(words) => write!(f, "{} words", words.len()),
            Self::Made(_) => f.write_str("words to be made"),
        }
    }
}
