//! What a long piece of work tells whoever is watching: how much there is, and how far it got.
//!
//! The crate only reports; drawing is the caller's (a terminal shows bars, a log shows lines).

/// What the numbers of a task count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes of a file or a memory image.
    Bytes,
    /// Things, one by one: packages, files, pages.
    Items,
}

/// Receives the start of each task.
pub trait Progress: Send + Sync {
    /// Starts a task of `total` units; a `total` of 0 means that nobody knows how long it takes.
    /// The task ends when the returned value is dropped. Several may run at once.
    fn start<'a>(&'a self, label: &str, total: u64, unit: Unit) -> Box<dyn Task + 'a>;
}

/// One running task; its end is its drop.
pub trait Task: Send + Sync {
    /// `n` more units are done.
    fn advance(&self, n: u64);
    /// `n` units are done in all.
    fn set(&self, n: u64);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn start<'a>(&'a self, _label: &str, _total: u64, _unit: Unit) -> Box<dyn Task + 'a> {
        Box::new(Silent)
    }
}

impl Task for Silent {
    fn advance(&self, _n: u64) {}
    fn set(&self, _n: u64) {}
}
