//! A workspace for one compile: every crate of a guest in one form, wherever it came from.
//!
//! What cargo knows of a crate's origin (a path, an address, a registry) goes into the names of its symbols, and through
//! their order into the program. So all crates are laid out as packages of one registry below `vendor/`, with manifests
//! written anew from what cargo made of theirs: nothing of a workspace, a path or a git address is left in them.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use cargo_metadata::{CrateType, Dependency, DependencyKind, TargetKind};

use super::resolve::{GUEST_PACKAGES, GuestCrate};
use crate::error::BuildError;
use crate::flags;
use crate::work_dir::write_new;

/// The generated crate: the same name for all models, so that symbols do not depend on the model's.
pub(crate) const GUEST: &str = "opml-guest";

/// Lays out `crates` below `stage`, an empty folder, with the guest's `source`.
pub(crate) fn lay_out(crates: &[GuestCrate], stage: &Path, source: &str) -> Result<(), BuildError> {
    for one in crates {
        let folder = stage.join("vendor").join(format!("{}-{}", one.package.name, one.package.version));
        for file in one.tree.files.iter().filter(|file| file.path != "Cargo.toml") {
            write_old(&folder.join(&file.path), &file.bytes)?;
        }
        write_old(&folder.join("Cargo.toml"), manifest(one).to_string().as_bytes())?;
        // No checksums: nothing but these files was ever there (cargo book, "Directory Sources").
        write_new(&folder.join(".cargo-checksum.json"), br#"{"files":{}}"#)?;
    }
    write_new(&stage.join("guest/Cargo.toml"), guest_manifest(crates).to_string().as_bytes())?;
    write_new(&stage.join(flags::GENERATED), source.as_bytes())
}

/// Writes a file of a crate as one that was always there: cargo runs build scripts again, and compiles their crates again, for
/// files that are younger than the last time. Other crates than last time are seen by their hash (`Compiler::forget_others`).
fn write_old(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    write_new(path, bytes)?;
    let old = UNIX_EPOCH + Duration::from_secs(1 << 30);
    let file = File::options().write(true).open(path);
    file.and_then(|file| file.set_modified(old)).map_err(BuildError::io("write", path))
}

fn guest_manifest(crates: &[GuestCrate]) -> toml::Table {
    let mut manifest = toml::toml! {
        [package]
        version = "0.0.0"
        edition = "2024"
        [lib]
        crate-type = ["staticlib"]
        [workspace]
        resolver = "3"
    };
    let package = manifest.get_mut("package").and_then(|p| p.as_table_mut()).expect("it stands above");
    package.insert("name".into(), GUEST.into());
    let needs = crates.iter().filter(|one| GUEST_PACKAGES.contains(&one.package.name.as_str()));
    let needs = needs.map(|one| (one.package.name.to_string(), exactly(&one.package.version.to_string())));
    manifest.insert("dependencies".into(), needs.collect::<toml::Table>().into());
    manifest
}

fn exactly(version: &str) -> toml::Value {
    format!("={version}").into()
}

/// The manifest of `one` as a registry would have it, of what a compile needs.
fn manifest(one: &GuestCrate) -> toml::Table {
    let mut manifest = toml::Table::new();
    manifest.insert("package".into(), package(one).into());
    if let Some(library) = library(one) {
        manifest.insert("lib".into(), library.into());
    }
    let features = one.package.features.iter().map(|(name, needs)| (name.clone(), needs.clone().into()));
    manifest.insert("features".into(), features.collect::<toml::Table>().into());
    for (dependency, version) in &one.dependencies {
        let table = match dependency.kind {
            DependencyKind::Build => "build-dependencies",
            _ => "dependencies",
        };
        let place = match &dependency.target {
            Some(platform) => sub(sub(&mut manifest, "target"), &platform.to_string()),
            None => &mut manifest,
        };
        let name = dependency.rename.as_ref().unwrap_or(&dependency.name);
        sub(place, table).insert(name.clone(), requirement(dependency, version.as_deref()).into());
    }
    manifest
}

/// The table `key` in `table`, which is made if it is not there.
fn sub<'a>(table: &'a mut toml::Table, key: &str) -> &'a mut toml::Table {
    let value = table.entry(key).or_insert_with(|| toml::Table::new().into());
    value.as_table_mut().expect("only tables are put under these keys")
}

/// `[package]`: the fields that reach a compiler, through cargo or as environment variables of `env!`.
fn package(one: &GuestCrate) -> toml::Table {
    let package = &one.package;
    let text = |value: &Option<String>| value.clone().map(toml::Value::from);
    let script = one.package.targets.iter().find(|target| target.kind.contains(&TargetKind::CustomBuild));
    let fields = [
        ("name", Some(package.name.to_string().into())),
        ("version", Some(package.version.to_string().into())),
        ("edition", Some(package.edition.to_string().into())),
        ("rust-version", package.rust_version.as_ref().map(|version| version.to_string().into())),
        ("authors", Some(package.authors.clone().into())),
        ("description", text(&package.description)),
        ("homepage", text(&package.homepage)),
        ("repository", text(&package.repository)),
        ("license", text(&package.license)),
        ("links", text(&package.links)),
        // `false` where there is none: a file of that name may lie there for another purpose.
        ("build", Some(script.map_or(false.into(), |target| inside(one, target).into()))),
        ("autobins", Some(false.into())),
    ];
    fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

/// `[lib]`.
fn library(one: &GuestCrate) -> Option<toml::Table> {
    let is_library =
        |kind: &TargetKind| matches!(kind, TargetKind::Lib | TargetKind::RLib | TargetKind::ProcMacro);
    let target = one.package.targets.iter().find(|target| target.kind.iter().any(is_library))?;
    let mut library = toml::Table::new();
    library.insert("name".into(), target.name.replace('-', "_").into());
    library.insert("path".into(), inside(one, target).into());
    library.insert("edition".into(), target.edition.to_string().into());
    library.insert("proc-macro".into(), target.crate_types.contains(&CrateType::ProcMacro).into());
    Some(library)
}

/// The path of a target's first file below its crate.
fn inside(one: &GuestCrate, target: &cargo_metadata::Target) -> String {
    let folder = one.package.manifest_path.parent();
    let path = folder.and_then(|folder| target.src_path.strip_prefix(folder).ok());
    path.unwrap_or(&target.src_path).to_string()
}

fn requirement(dependency: &Dependency, version: Option<&str>) -> toml::Table {
    let mut entry = toml::Table::new();
    // One that is not asked for is never looked up, but has to be named for the features that would.
    let version = version.map_or_else(|| dependency.req.to_string().into(), exactly);
    entry.insert("version".into(), version);
    entry.insert("default-features".into(), dependency.uses_default_features.into());
    entry.insert("features".into(), dependency.features.clone().into());
    entry.insert("optional".into(), dependency.optional.into());
    if dependency.rename.is_some() {
        entry.insert("package".into(), dependency.name.clone().into());
    }
    entry
}
