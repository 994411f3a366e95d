//! The crates and what they may use, as ARCHITECTURE.md has it.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, Package, PackageId};

use crate::repository::{metadata, read, report};

/// Crates from elsewhere that are compiled into guests, or for the compiler of guests. Each is a part of what a
/// prestate commits to, so a new one is a decision.
const IN_GUESTS: [&str; 4] = ["arrayvec", "crunchy", "libm", "tiny-keccak"];

/// The same for guests that are written by hand: the heap with what it uses elsewhere, and what `entry` is made with.
const IN_WRITTEN: [&str; 7] = ["cfg-if", "dlmalloc", "libc", "proc-macro2", "quote", "syn", "unicode-ident"];

/// Crates that guests are built from.
const GUEST: [&str; 6] =
    ["opml-abi", "opml-entry", "opml-kernels", "opml-libc", "opml-runtime", "opml-softfloat"];

/// The rows of the table of crates: folder, crate, purpose, uses, must not know.
fn rooms() -> BTreeMap<String, Vec<String>> {
    let text = read("ARCHITECTURE.md");
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    let rows = text.lines().filter(|line| line.starts_with("| `")).map(cells);
    rows.map(|cells: Vec<String>| (cells[0].trim_matches('`').to_owned(), cells)).collect()
}

/// The words of a cell that are set as code.
fn code_words(cell: &str) -> BTreeSet<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Crates of the workspace that `package` uses outside its tests.
fn uses(metadata: &Metadata, package: &Package) -> BTreeSet<String> {
    let own: BTreeSet<_> = metadata.workspace_packages().iter().map(|p| p.name.to_string()).collect();
    let kept = package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development);
    kept.map(|d| d.name.clone()).filter(|name| own.contains(name)).collect()
}

#[test]
fn every_crate_is_on_the_map_and_uses_what_it_may() {
    let (metadata, rooms) = (metadata(), rooms());
    let mut wrong = Vec::new();
    for package in metadata.workspace_packages() {
        let manifest =
            package.manifest_path.strip_prefix(&metadata.workspace_root).expect("a member is below the root");
        let folder = format!("{}/", manifest.parent().expect("a manifest lies in a folder"));
        let Some(cells) = rooms.get(&folder).filter(|cells| cells.len() == 5) else {
            wrong.push(format!("`{folder}` has no row of five cells"));
            continue;
        };
        if cells[1] != format!("`{}`", package.name) {
            wrong.push(format!("`{folder}`: the crate is `{}`, the row says {}", package.name, cells[1]));
        }
        let (says, does) = (code_words(&cells[3]), uses(&metadata, package));
        let does: BTreeSet<_> = does.iter().map(|name| name.trim_start_matches("opml-")).collect();
        if !says.contains("*") && says != does {
            wrong.push(format!("`{folder}`: uses {does:?}, the row says {says:?}"));
        }
    }
    report("ARCHITECTURE.md has a row for each crate, with the crates it uses", wrong);
}

#[test]
fn nothing_depends_on_the_ends() {
    let metadata = metadata();
    let users = metadata.workspace_packages().into_iter().flat_map(|package| {
        let kept = package.dependencies.iter().filter(|d| ["xtask", "opml-tests"].contains(&d.name.as_str()));
        kept.map(move |d| format!("{} depends on {}", package.name, d.name))
    });
    report("the command line and the tests are used by nobody", users);
}

#[test]
fn guests_are_built_from_few_crates() {
    let metadata = metadata();
    let resolve = metadata.resolve.as_ref().expect("cargo resolved the workspace");
    let nodes: BTreeMap<&PackageId, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let packages = metadata.packages.iter().filter(|p| GUEST.contains(&p.name.as_str()));
    let mut open: Vec<&PackageId> = packages.map(|p| &p.id).collect();
    assert_eq!(open.len(), GUEST.len());
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            let kept = nodes[id]
                .deps
                .iter()
                .filter(|d| d.dep_kinds.iter().any(|k| k.kind != DependencyKind::Development));
            open.extend(kept.map(|d| &d.pkg));
        }
    }
    let names: BTreeSet<&str> = seen.into_iter().map(|id| metadata[id].name.as_str()).collect();
    let known: BTreeSet<&str> = GUEST.into_iter().chain(IN_GUESTS).chain(IN_WRITTEN).collect();
    let difference = names.symmetric_difference(&known);
    report("a crate that comes into guests, or leaves them, is a decision", difference);
}

/// A crate that is not in the list could change what is built, and no manifest would show it.
#[test]
fn manifests_have_digests_of_all_that_makes_a_program() {
    let metadata = metadata();
    let used = |name: &str| {
        let package = metadata.workspace_packages().into_iter().find(|p| p.name == name).cloned();
        uses(&metadata, &package.unwrap_or_else(|| panic!("{name} is a crate of the workspace")))
    };
    let mut makers = BTreeSet::from(["opml-frontend".to_owned(), "opml-toolchain".to_owned()]);
    while let Some(new) = makers.iter().flat_map(|name| used(name)).find(|name| !makers.contains(name)) {
        makers.insert(new);
    }
    // Those that are part of the program have digests as such.
    makers.retain(|name| !GUEST.contains(&name.as_str()));
    let listed: BTreeSet<_> = opml_toolchain::TOOL.iter().map(|folder| format!("opml-{folder}")).collect();
    report("the manifest's `tool` lists the crates that make programs", makers.symmetric_difference(&listed));
}

#[test]
fn guest_crates_do_without_std() {
    let with =
        ["abi", "kernels", "libc", "runtime", "softfloat"].map(|folder| format!("{folder}/src/lib.rs"));
    report("guests have no operating system", with.iter().filter(|path| !read(path).contains("#![no_std]")));
}
