//! What is said of a program in the formats of others: its bill of materials and its provenance. Both say what its manifest
//! says and nothing more; docs/provenance.md describes them.

use std::collections::BTreeMap;

use opml_attest::{
    Bom, BuildDefinition, Builder, Crate, ExternalParameters, InternalParameters, Model, Program, Provenance,
    Resource, RunDetails, Statement, Subject, Tool,
};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::manifest::{Manifest, ModelInfo};
use crate::output::file;
use crate::provision::{Identity, Source};
use crate::sources::{CrateIdentity, Sources};

/// The way from a model, or from a guest's source, to a program.
const BUILD_MODEL: &str = "urn:opml-toolchain:build-model:v1";
/// The way from somebody's ELF file to its initial state.
const IMAGE: &str = "urn:opml-toolchain:image:v1";

/// The ways to make a program that a statement of this project may name.
pub const BUILD_TYPES: [&str; 2] = [BUILD_MODEL, IMAGE];

/// Name of a tree hash (docs/formats.md) among digests: it is a SHA-256 of no file, so it must not be called that.
const TREE: &str = "opmlTree";

/// Where the guest's own source is laid out, which a build writes.
const GENERATED: &str = "guest/src/lib.rs";

/// What comes with the compiler and is compiled into every guest, with the licence that each names.
const LIBRARIES: [(&str, &str); 3] = [
    ("alloc", "MIT OR Apache-2.0"),
    ("compiler_builtins", "MIT AND Apache-2.0 WITH LLVM-exception AND (MIT OR Apache-2.0)"),
    ("core", "MIT OR Apache-2.0"),
];

/// What a program was built with, if it was built here.
pub(crate) type Made<'a> = Option<(&'a Identity, &'a Sources)>;

/// The bill of materials of the program `name` whose file has the hash `sha256`.
pub(crate) fn bill(
    name: &str,
    target: &str,
    sha256: String,
    model: Option<&ModelInfo>,
    made: Made,
) -> String {
    let program = Program { name: name.to_owned(), target: target.to_owned(), sha256 };
    let model = model.map(|model| Model { name: model.file_name(name), sha256: model.sha256.clone() });
    let Some((identity, sources)) = made else {
        return Bom { program, model, ..Bom::default() }.to_json();
    };
    let rustc = version(&identity.rustc);
    let mut crates: Vec<Crate> = sources.guest.iter().map(|(name, one)| guest_crate(name, one)).collect();
    crates.extend(LIBRARIES.map(|(library, license)| Crate {
        name: library.to_owned(),
        version: rustc.clone(),
        license: Some(license.to_owned()),
        ..Crate::default()
    }));
    let tools = tools(identity).into_iter().map(|(name, text)| Tool { name, version: version(&text) });
    Bom { program, model, crates, tools: tools.collect(), complete: true }.to_json()
}

fn guest_crate(name: &str, identity: &CrateIdentity) -> Crate {
    let (name, version) = name_and_version(name);
    Crate {
        name: name.to_owned(),
        version: version.to_owned(),
        license: identity.license.clone(),
        archive_sha256: identity.checksum.clone(),
        // Where it lies, and the tree with the manifest that says so, are no part of the program: they are in the statement.
        properties: vec![("opml:features".to_owned(), identity.features.join(" "))],
        package: true,
    }
}

/// The statement about the program of `manifest`, of which `text` is the file.
pub(crate) fn statement(manifest: &Manifest, text: &str) -> Statement {
    let subject = |name: &str, sha256: &str| Subject { name: name.to_owned(), sha256: sha256.to_owned() };
    let mut subjects: Vec<Subject> =
        manifest.sha256.iter().map(|(name, sha256)| subject(name, sha256)).collect();
    subjects.push(subject(file::MANIFEST, &hex::encode(Sha256::digest(text))));
    let provenance = Provenance {
        build_definition: definition(manifest),
        run_details: RunDetails {
            builder: Builder {
                id: builder(manifest.toolchain.as_ref()).to_owned(),
                version: BTreeMap::from([(
                    "opml-toolchain".to_owned(),
                    env!("CARGO_PKG_VERSION").to_owned(),
                )]),
            },
        },
    };
    Statement::new(subjects, provenance).expect("a build's own files have names and digests")
}

fn definition(manifest: &Manifest) -> BuildDefinition {
    let source = source_name(manifest);
    let external_parameters = ExternalParameters {
        source: source.clone(),
        program: manifest.name.clone(),
        target: manifest.target.clone(),
        dims: manifest.model.as_ref().map(|model| model.dims.clone()).unwrap_or_default(),
        constants: manifest.model.as_ref().map(|model| model.constants.clone()).unwrap_or_default(),
    };
    let (Some(sources), Some(identity)) = (&manifest.sources, &manifest.toolchain) else {
        return BuildDefinition {
            build_type: IMAGE.to_owned(),
            external_parameters,
            // Nobody knows what was decided when it was compiled, nor from what.
            internal_parameters: InternalParameters::default(),
            resolved_dependencies: manifest
                .sha256
                .get(file::PROGRAM)
                .map(|sha256| Resource::file(&source, sha256))
                .into_iter()
                .collect(),
        };
    };
    BuildDefinition {
        build_type: BUILD_MODEL.to_owned(),
        external_parameters,
        internal_parameters: InternalParameters {
            abi_version: Some(manifest.abi_version),
            flags: sources.flags.clone(),
            tools: tools(identity).into_iter().collect(),
        },
        resolved_dependencies: dependencies(sources, &source),
    }
}

/// Every digest of the manifest's sources: single files, the generated source, the crates of both kinds, the commit.
fn dependencies(sources: &Sources, source: &str) -> Vec<Resource> {
    let file = |(name, sha256): (&String, &String)| match name.as_str() {
        "model" => Resource::file(source, sha256),
        name => Resource::file(name, sha256),
    };
    let mut all: Vec<Resource> = sources.files.iter().map(file).collect();
    all.extend((!sources.generated.is_empty()).then(|| Resource::file(GENERATED, &sources.generated)));
    all.extend(sources.guest.iter().map(|(name, one)| guest_resource(name, one)));
    all.extend(sources.tool.iter().map(|(folder, tree)| Resource::new(&format!("{folder}/"), TREE, tree)));
    all.extend(sources.commit.iter().map(|commit| Resource::new("checkout", "gitCommit", commit)));
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn guest_resource(name: &str, identity: &CrateIdentity) -> Resource {
    let one = guest_crate(name, identity);
    let mut resource = Resource::new(name, TREE, &identity.sha256);
    resource.uri = one.purl().unwrap_or_default();
    let archive = identity.checksum.iter().map(|sha256| ("sha256".to_owned(), sha256.clone()));
    resource.digest.extend(archive);
    let annotations = [("features", json!(identity.features)), ("source", json!(identity.source))];
    resource.annotations = annotations.map(|(key, value)| (key.to_owned(), value)).into();
    resource
}

/// Name of the file that a program was made from.
fn source_name(manifest: &Manifest) -> String {
    match (&manifest.model, &manifest.sources) {
        (Some(model), _) => model.file_name(&manifest.name),
        (None, Some(_)) => GENERATED.to_owned(),
        (None, None) => format!("{}.elf", manifest.name),
    }
}

/// What kind of builder made a program. It depends on the compilers, as SLSA wants an id for each way of trusting.
fn builder(identity: Option<&Identity>) -> &'static str {
    match identity.map(|identity| identity.source) {
        Some(Source::Reference) => "urn:opml-toolchain:builder:pinned:v1",
        Some(Source::Rustup) => "urn:opml-toolchain:builder:unpinned:v1",
        None => "urn:opml-toolchain:builder:image:v1",
    }
}

/// The tools with a part in a guest, and what they say of themselves. A C compiler has none.
fn tools(identity: &Identity) -> [(String, String); 4] {
    let Identity { rustc, llvm, cargo, lld, .. } = identity;
    [("cargo", cargo), ("ld.lld", lld), ("llvm", llvm), ("rustc", rustc)]
        .map(|(name, text)| (name.to_owned(), text.clone()))
}

/// The first word of what a tool says that is a number, or all of it.
fn version(text: &str) -> String {
    let number = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    number.unwrap_or(text).to_owned()
}

/// The manifest names crates `name version`.
fn name_and_version(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}
