//! Which crates a guest is made of: its own of this project and all they need, as cargo resolves them with the
//! checkout's lock.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cargo_metadata::{Dependency, DependencyKind, Metadata, MetadataCommand, Node, Package, PackageId};

use super::tree::Tree;
use super::{Checkout, read_toml};
use crate::error::BuildError;

/// Names of the packages a generated guest depends on; their own dependencies follow.
pub(crate) const GUEST_PACKAGES: [&str; 3] = ["opml-abi", "opml-kernels", "opml-runtime"];

/// A crate of the guest with its files.
#[derive(Clone, Debug)]
pub(crate) struct GuestCrate {
    pub package: Package,
    pub tree: Tree,
    /// The features it is compiled with.
    pub features: Vec<String>,
    /// What it needs and when building needs, each with the version that was chosen, if it is needed with these features.
    pub dependencies: Vec<(Dependency, Option<String>)>,
    /// SHA-256 of the registry's archive, by the lock; none for a crate from elsewhere.
    pub checksum: Option<String>,
}

/// Resolves the packages `names` of this project, of which a generated guest is made, by a package of their own, so that cargo asks for nothing but what a guest needs:
/// the commands' own several hundred dependencies are no concern of a guest.
pub(crate) fn resolve(
    checkout: &Checkout,
    offline: bool,
    names: &[&str],
) -> Result<Vec<GuestCrate>, BuildError> {
    let dir = tempfile::tempdir().map_err(BuildError::io("make", &std::env::temp_dir()))?;
    // rustc and cargo print the path without links.
    let folder = fs::canonicalize(dir.path()).map_err(BuildError::io("find", dir.path()))?;
    let metadata = metadata(checkout, &folder, offline, names)?;
    let named = |p: &&Package| names.contains(&p.name.as_str());
    let roots = metadata.packages.iter().filter(named).map(|p| &p.id).collect();
    Graph::new(&metadata, &checkout.root().join("Cargo.lock"))?.crates(roots, checkout)
}

/// What cargo resolved, and the lock it did it by.
pub(crate) struct Graph<'a> {
    metadata: &'a Metadata,
    nodes: BTreeMap<&'a PackageId, &'a Node>,
    lock: Locked,
}

impl<'a> Graph<'a> {
    pub fn new(metadata: &'a Metadata, lock: &Path) -> Result<Self, BuildError> {
        let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes).map(|node| (&node.id, node));
        Ok(Self { metadata, nodes: nodes.collect(), lock: Locked::read(lock)? })
    }

    /// Packages and all they need, build-time needs included, by name and version.
    pub fn crates(
        &self,
        roots: Vec<&'a PackageId>,
        checkout: &Checkout,
    ) -> Result<Vec<GuestCrate>, BuildError> {
        let all = self.closure(roots);
        let crates: Result<Vec<_>, _> = all.into_iter().map(|id| self.guest_crate(id, checkout)).collect();
        let mut crates = crates?;
        crates.sort_by_key(GuestCrate::name);
        match crates.windows(2).find(|pair| pair[0].name() == pair[1].name()) {
            Some(pair) => Err(BuildError::SameCrate { name: pair[0].name() }),
            None => Ok(crates),
        }
    }

    fn closure(&self, mut open: Vec<&'a PackageId>) -> BTreeSet<&'a PackageId> {
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(self.needs(id));
            }
        }
        seen
    }

    /// What a package needs itself, but for its tests.
    pub fn needs(&self, id: &PackageId) -> impl Iterator<Item = &'a PackageId> {
        let needed = self.nodes.get(id).into_iter().flat_map(|node| &node.deps);
        let kept = needed.filter(|d| d.dep_kinds.iter().any(|k| k.kind != DependencyKind::Development));
        kept.map(|d| &d.pkg)
    }

    /// A package with its files.
    pub fn guest_crate(&self, id: &PackageId, checkout: &Checkout) -> Result<GuestCrate, BuildError> {
        let (package, node) = (&self.metadata[id], self.nodes[id]);
        let dir = package.manifest_path.parent().map(|p| p.as_std_path()).unwrap_or(Path::new("/"));
        let dependencies = package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development);
        Ok(GuestCrate {
            tree: Tree::of_crate(dir, checkout.root())?,
            features: node.features.iter().map(ToString::to_string).collect(),
            dependencies: dependencies.map(|d| (d.clone(), chosen(self.metadata, node, d))).collect(),
            checksum: self.lock.checksum(package)?,
            package: package.clone(),
        })
    }
}

impl GuestCrate {
    /// Name and version.
    pub fn name(&self) -> String {
        format!("{} {}", self.package.name, self.package.version)
    }

    /// Where it comes from, without a path of this machine.
    pub fn source(&self) -> &'static str {
        match self.package.source.as_ref().map(|source| source.repr.as_str()) {
            None => "path",
            Some(source) if source.starts_with("git+") => "git",
            Some(_) => "registry",
        }
    }
}

/// Asks cargo about a package in `dir` that needs what guests need.
fn metadata(checkout: &Checkout, dir: &Path, offline: bool, names: &[&str]) -> Result<Metadata, BuildError> {
    let workspace = read_toml(&checkout.root().join("Cargo.toml"))?;
    let table = |key: &str| workspace.get("workspace").and_then(|w| w.get(key)).and_then(|t| t.as_table());
    let mut needs = toml::Table::new();
    for name in names {
        let mut entry = table("dependencies").and_then(|d| d.get(*name)).cloned().unwrap_or("*".into());
        if let Some(path) = entry.get("path").and_then(|path| path.as_str()) {
            let path = checkout.root().join(path).display().to_string();
            entry.as_table_mut().expect("it has a key").insert("path".into(), path.into());
        }
        needs.insert((*name).into(), entry);
    }
    let mut manifest = toml::toml! {
        [package]
        name = "opml-guest"
        version = "0.0.0"
        edition = "2024"
        [lib]
        path = "lib.rs"
        [workspace]
    };
    manifest.insert("dependencies".into(), needs.into());
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.join(name);
        fs::write(&path, bytes).map_err(BuildError::io("write", &path))
    };
    write("Cargo.toml", manifest.to_string().as_bytes())?;
    write("lib.rs", b"")?;
    // cargo drops from it what a guest does not need, and adds the package; `Locked` sees to it that no more happens.
    let lock = checkout.root().join("Cargo.lock");
    write("Cargo.lock", &fs::read(&lock).map_err(BuildError::io("read", &lock))?)?;
    let mut command = MetadataCommand::new();
    // Where the checkout's own configuration of cargo holds, such as a folder of vendored crates.
    command.manifest_path(dir.join("Cargo.toml")).current_dir(checkout.root());
    command.other_options(offline.then(|| "--offline".to_owned()).into_iter().collect::<Vec<_>>());
    command.exec().map_err(|source| BuildError::Metadata { source })
}

/// The version that stands for `dependency` of the package `node`; none for one that its features do not ask for.
fn chosen(metadata: &Metadata, node: &Node, dependency: &Dependency) -> Option<String> {
    let fits = |package: &&Package| {
        package.name.as_str() == dependency.name
            && (dependency.req.matches(&package.version) || dependency.path.is_some())
    };
    let kind = |dep: &&cargo_metadata::NodeDep| dep.dep_kinds.iter().any(|k| k.kind == dependency.kind);
    let mut packages = node.deps.iter().filter(kind).map(|dep| &metadata[&dep.pkg]).filter(fits);
    packages.next().map(|package| package.version.to_string())
}

/// What the checkout's lock says of packages: the checksum by name and version, empty for those that have none.
struct Locked(BTreeMap<(String, String), Option<String>>);

impl Locked {
    fn read(path: &Path) -> Result<Self, BuildError> {
        let lock = read_toml(path)?;
        let field =
            |entry: &toml::Value, key: &str| entry.get(key).and_then(|v| v.as_str()).map(str::to_owned);
        let packages = lock.get("package").and_then(|p| p.as_array()).into_iter().flatten();
        let packages = packages.filter_map(|entry| {
            Some(((field(entry, "name")?, field(entry, "version")?), field(entry, "checksum")))
        });
        Ok(Self(packages.collect()))
    }

    /// Refuses a package that the lock does not name: cargo has chosen it by the day's registry.
    fn checksum(&self, package: &Package) -> Result<Option<String>, BuildError> {
        let key = (package.name.to_string(), package.version.to_string());
        let found = self.0.get(&key).cloned();
        found.ok_or_else(|| BuildError::NotLocked { package: format!("{} {}", key.0, key.1) })
    }
}
