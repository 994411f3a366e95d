//! A workspace for one compile: every crate of a guest in one form, wherever it came from.
//!
//! What cargo knows of a crate's origin (a path, an address, a registry) goes into the names of its symbols, and through
//! their order into the program. So all crates are laid out as packages of one registry below `vendor/`, with manifests
//! written anew from what cargo made of theirs: nothing of a workspace, a path or a git address is left in them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use cargo_metadata::{CrateType, Dependency, DependencyKind, TargetKind};

use super::resolve::{GUEST_PACKAGES, GuestCrate};
use super::tree::TreeFile;
use crate::c;
use crate::error::BuildError;
use crate::flags;
use crate::guest::{GENERATED, GuestSource};
use crate::package::Package;
use crate::work_dir::write_new;

/// Lays out `crates` below `stage`, an empty folder, with the guest's `source`.
pub(crate) fn lay_out(crates: &[GuestCrate], stage: &Path, source: &GuestSource) -> Result<(), BuildError> {
    for one in crates {
        let mut manifest = manifest(one);
        manifest.extend(library(one).map(|library| ("lib".to_owned(), library.into())));
        vendor(stage, &one.package.name, &one.package.version.to_string(), &manifest, &one.tree.files)?;
    }
    let guest = stage.join("guest");
    let generate = |text: &str, needs: &[&str]| {
        let manifest = generated(GENERATED, crates, needs);
        write_new(&guest.join("Cargo.toml"), manifest.to_string().as_bytes())?;
        write_new(&stage.join(flags::GENERATED), text.as_bytes())
    };
    match source {
        GuestSource::Generated(text) => generate(text, &GUEST_PACKAGES),
        GuestSource::C(_) => generate(c::ENTRY, &[c::LIBRARY]),
        GuestSource::Package(package) => lay_out_package(package, stage, &guest),
    }
}

/// The package itself, its binary as the library that the program is made of, and the models that it calls.
fn lay_out_package(package: &Package, stage: &Path, guest: &Path) -> Result<(), BuildError> {
    let root = &package.root;
    for model in &package.models {
        let mut manifest = generated(&model.name, &package.crates, &GUEST_PACKAGES);
        manifest.remove("workspace");
        manifest.insert("lib".into(), toml::Table::new().into());
        let file = TreeFile {
            path: "src/lib.rs".into(),
            executable: false,
            bytes: model.source.clone().into_bytes(),
        };
        vendor(stage, &model.name, MODEL_VERSION, &manifest, &[file])?;
    }
    for file in root.tree.files.iter().filter(|file| file.path != "Cargo.toml") {
        write_new(&guest.join(&file.path), &file.bytes)?;
    }
    let mut manifest = manifest(root);
    let needs = sub(&mut manifest, "dependencies");
    needs.extend(package.models.iter().map(|model| (model.name.clone(), exactly(MODEL_VERSION))));
    if library(root).is_some() {
        // The binary is a crate of its own, beside the library of its package.
        let library = toml::toml! { default-features = false };
        let chosen = [
            ("version", exactly(&root.package.version.to_string())),
            ("features", root.features.clone().into()),
        ];
        let chosen = chosen.map(|(key, value)| (key.to_owned(), value));
        needs.insert(
            root.package.name.to_string(),
            library.into_iter().chain(chosen).collect::<toml::Table>().into(),
        );
    }
    manifest.insert("lib".into(), binary(package).into());
    manifest.insert("workspace".into(), toml::toml! { resolver = "3" }.into());
    write_new(&guest.join("Cargo.toml"), manifest.to_string().as_bytes())
}

/// The version of the crates of models.
const MODEL_VERSION: &str = "0.0.0";

/// Where a crate of the registry lies.
pub(crate) fn vendored(stage: &Path, name: &str, version: &str) -> PathBuf {
    stage.join("vendor").join(format!("{name}-{version}"))
}

/// Writes a crate as one of the registry.
fn vendor(
    stage: &Path,
    name: &str,
    version: &str,
    manifest: &toml::Table,
    files: &[TreeFile],
) -> Result<(), BuildError> {
    let folder = vendored(stage, name, version);
    for file in files.iter().filter(|file| file.path != "Cargo.toml") {
        write_old(&folder.join(&file.path), &file.bytes)?;
    }
    write_old(&folder.join("Cargo.toml"), manifest.to_string().as_bytes())?;
    // No checksums: nothing but these files was ever there (cargo book, "Directory Sources").
    write_new(&folder.join(".cargo-checksum.json"), br#"{"files":{}}"#)
}

/// Writes a file of a crate as one that was always there: cargo runs build scripts again, and compiles their crates again, for
/// files that are younger than the last time. Other crates than last time are seen by their hash (`Compiler::forget_others`).
fn write_old(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    write_new(path, bytes)?;
    let old = UNIX_EPOCH + Duration::from_secs(1 << 30);
    let file = File::options().write(true).open(path);
    file.and_then(|file| file.set_modified(old)).map_err(BuildError::io("write", path))
}

/// The manifest of a generated crate, which needs the packages `needs` of those there are.
fn generated(name: &str, crates: &[GuestCrate], needs: &[&str]) -> toml::Table {
    let mut manifest = toml::toml! {
        [package]
        version = "0.0.0"
        edition = "2024"
        [lib]
        crate-type = ["staticlib"]
        [workspace]
        resolver = "3"
    };
    sub(&mut manifest, "package").insert("name".into(), name.into());
    let needs = crates.iter().filter(|one| needs.contains(&one.package.name.as_str()));
    let needs = needs.map(|one| (one.package.name.to_string(), exactly(&one.package.version.to_string())));
    manifest.insert("dependencies".into(), needs.collect::<toml::Table>().into());
    manifest
}

fn exactly(version: &str) -> toml::Value {
    format!("={version}").into()
}

/// The manifest of `one` as a registry would have it, of what a compile needs, but for its library.
fn manifest(one: &GuestCrate) -> toml::Table {
    let mut manifest = toml::Table::new();
    manifest.insert("package".into(), package_table(one).into());
    let features = one.package.features.iter().map(|(name, needs)| {
        let needs: Vec<_> = needs.iter().filter(|need| is_known(one, need)).cloned().collect();
        (name.clone(), needs.into())
    });
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

/// Whether what a feature switches on is there: dependencies of a crate's tests are not.
fn is_known(one: &GuestCrate, need: &str) -> bool {
    let dependency = match (need.strip_prefix("dep:"), need.split_once('/')) {
        (Some(name), _) => name,
        (None, Some((name, _))) => name.trim_end_matches('?'),
        (None, None) => return true,
    };
    one.dependencies.iter().any(|(d, _)| d.rename.as_ref().unwrap_or(&d.name) == dependency)
}

/// The table `key` in `table`, which is made if it is not there.
fn sub<'a>(table: &'a mut toml::Table, key: &str) -> &'a mut toml::Table {
    let value = table.entry(key).or_insert_with(|| toml::Table::new().into());
    value.as_table_mut().expect("only tables are put under these keys")
}

/// `[package]`: the fields that reach a compiler, through cargo or as environment variables of `env!`.
fn package_table(one: &GuestCrate) -> toml::Table {
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

/// `[lib]` of the crate that a binary is compiled as.
fn binary(package: &Package) -> toml::Table {
    let mut library = toml::Table::new();
    library.insert("name".into(), package.bin.replace('-', "_").into());
    library.insert("path".into(), package.entry.clone().into());
    library.insert("crate-type".into(), toml::Value::Array(vec!["staticlib".into()]));
    library
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
