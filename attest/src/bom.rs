//! The bill of materials: CycloneDX 1.6 in JSON, which is ECMA-424. It rather than SPDX 2.3, because it has words for a
//! model (`machine-learning-model`), for what something was made with (`formulation`), and for how much of it is
//! known (`compositions`).
//!
//! The document has neither time nor serial number, which are optional: equal programs have equal documents.

mod document;

/// What a program consists of.
#[derive(Clone, Debug, Default)]
pub struct Bom {
    /// The program itself.
    pub program: Program,
    /// The model in it.
    pub model: Option<Model>,
    /// The crates that are compiled into it, in the order of the document.
    pub crates: Vec<Crate>,
    /// What made it, in the order of the document.
    pub tools: Vec<Tool>,
    /// Whether this is all there is; if not, nobody knows what else is in the program.
    pub complete: bool,
}

/// The program.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// The machine that it is for.
    pub target: String,
    /// SHA-256 of the file that is loaded.
    pub sha256: String,
}

/// A model.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// SHA-256 of its file.
    pub sha256: String,
}

/// A crate.
#[derive(Clone, Debug, Default)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence, as it says.
    pub license: Option<String>,
    /// SHA-256 of the archive in the registry, if it came from one.
    pub archive_sha256: Option<String>,
    /// What else is known of it, by name.
    pub properties: Vec<(String, String)>,
    /// Whether it is a package of cargo's, which the libraries that come with the compiler are not.
    pub package: bool,
}

/// Something that a program was made with.
#[derive(Clone, Debug, Default)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version, as it says.
    pub version: String,
}

impl Crate {
    /// The package URL: `pkg:cargo/name@version`.
    pub fn purl(&self) -> Option<String> {
        self.package.then(|| purl(&self.name, &self.version))
    }
}

/// Names and versions of crates need no escape but for the `+` before build metadata.
fn purl(name: &str, version: &str) -> String {
    format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"))
}

impl Bom {
    /// The text of the document: keys in a fixed order, a line feed at the end.
    pub fn to_json(&self) -> String {
        let mut text =
            serde_json::to_string_pretty(&document::document(self)).expect("a document is strings");
        text.push('\n');
        text
    }
}
