//! What is compiled: a guest program and the weights it is linked with.

/// Source and data of a guest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GuestProgram {
    /// `src/lib.rs` of the guest crate, which may use `opml-kernels`, `opml-runtime` and `opml-abi`.
    pub source: String,
    /// Data the source refers to as external symbols.
    pub weights: Vec<Weight>,
}

/// One array of 32-bit words in the image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Weight {
    /// Its symbol.
    pub symbol: String,
    /// Its elements.
    pub words: Vec<u32>,
}
