//! What is compiled: a guest program and the weights it is linked with.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::Arc;

use crate::c::{self, CFolder};
use crate::flags::Settings;
use crate::package::{ModelCrate, Package};

/// Source and data of a guest.
#[derive(Clone, Debug)]
pub struct GuestProgram {
    /// What is compiled.
    pub source: GuestSource,
    /// Data the source refers to as external symbols.
    pub weights: Vec<Weight>,
}

/// What is compiled.
#[derive(Clone, Debug)]
pub enum GuestSource {
    /// `src/lib.rs` of the guest crate, which may use `opml-kernels`, `opml-runtime` and `opml-abi`.
    Generated(String),
    /// A package that somebody wrote.
    Package(Box<Package>),
    /// A folder of C that somebody wrote.
    C(Box<CFolder>),
}

/// Name of a generated crate: the same for all models, so that symbols do not depend on the model's.
pub(crate) const GENERATED: &str = "opml-guest";

impl GuestSource {
    /// Name of the library that the program is compiled to.
    pub(crate) fn library(&self) -> String {
        match self {
            Self::Generated(_) | Self::C(_) => GENERATED,
            Self::Package(package) => &package.bin,
        }
        .replace('-', "_")
    }

    /// How it is compiled.
    pub(crate) fn settings(&self) -> Settings {
        match self {
            Self::Generated(_) | Self::C(_) => Settings::default(),
            Self::Package(package) => Settings { profile: package.profile.clone(), locations: true },
        }
    }

    /// Whether instructions that the VM has not are replaced in it. Generated programs are made of kernels, which have none: they
    /// would cost steps.
    pub(crate) fn is_expanded(&self) -> bool {
        !matches!(self, Self::Generated(_))
    }

    /// The models that a package calls.
    pub(crate) fn models(&self) -> &[ModelCrate] {
        match self {
            Self::Generated(_) | Self::C(_) => &[],
            Self::Package(package) => &package.models,
        }
    }

    /// The source that was generated for the program, if any was: for a package, that of each model behind its name.
    pub(crate) fn generated(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Generated(source) => Some(source.into()),
            Self::C(_) => Some(c::ENTRY.into()),
            Self::Package(package) if package.models.is_empty() => None,
            Self::Package(package) => {
                let sources = package.models.iter().map(|model| format!("{}\n{}", model.name, model.source));
                Some(sources.collect::<String>().into())
            }
        }
    }
}

impl GuestProgram {
    /// A program of one generated file.
    pub fn generated(source: String, weights: Vec<Weight>) -> Self {
        Self { source: GuestSource::Generated(source), weights }
    }
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
