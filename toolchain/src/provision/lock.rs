//! The lock: which packages, in which version, with which bytes, make up a toolchain.
//!
//! A lock is TOML. What it says is checked once, here ([`Lock::parse`]); what comes out can be put on a
//! command line and joined to a path without another look.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::member::MemberPath;

/// The guest toolchain of this source tree.
const GUEST_LOCK: &str = include_str!("../../guest-toolchain.lock");

/// Version of the format.
const SCHEMA: u32 = 1;
/// Longest lock, in bytes.
pub(super) const MAX_TEXT: usize = 256 << 10;
/// Most packages of a lock.
const MAX_PACKAGES: usize = 512;
/// Largest package, in bytes.
const MAX_SIZE: u64 = 512 << 20;
/// Longest name or version of a package, in bytes.
const MAX_WORD: usize = 128;

/// Why a lock is refused.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum LockError {
    /// Not TOML, or a field that is missing, unknown or of another type.
    #[error("the lock can't be read: {0}")]
    Syntax(String),
    /// Longer than any lock.
    #[error("the lock has {got} bytes; at most {MAX_TEXT} are read")]
    TooLong {
        /// Its length.
        got: usize,
    },
    /// Written by another version of this tool.
    #[error("the lock has schema {got}, expected {SCHEMA}")]
    Schema {
        /// What it says.
        got: u32,
    },
    /// A value that is not of its field's form.
    #[error("the lock's {field} `{value}` is not {expected}")]
    Value {
        /// Name of the field.
        field: &'static str,
        /// What stands there.
        value: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// A package stands there twice.
    #[error("the lock names the package `{0}` twice")]
    Twice(String),
    /// No package, or more than any toolchain has.
    #[error("the lock names {got} packages; from 1 to {MAX_PACKAGES} are allowed")]
    Count {
        /// How many it names.
        got: usize,
    },
}

/// The lock as it is written. See [`Lock`] for what the fields mean.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawLock {
    pub schema: u32,
    pub host_architecture: String,
    pub library_path: Vec<String>,
    pub tools: BTreeMap<String, String>,
    pub recipe: Recipe,
    pub package: Vec<RawPackage>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPackage {
    pub name: String,
    pub version: String,
    pub architecture: String,
    pub size: u64,
    pub sha256: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<String>,
}

/// What a lock is made from ([`super::propose`]); an installation does not read it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Packages that are wanted for themselves.
    pub roots: Vec<String>,
    /// Dependencies left out: what the host's C compiler brings, and what the tools do without.
    pub omit: Vec<String>,
    /// Which paths of a package to unpack.
    #[serde(default)]
    pub keep: BTreeMap<String, Vec<String>>,
}

/// A checked lock.
#[derive(Clone, Debug)]
pub struct Lock {
    text: String,
    sha256: String,
    host_architecture: String,
    library_path: Vec<MemberPath>,
    tools: BTreeMap<String, MemberPath>,
    recipe: Recipe,
    packages: Vec<Package>,
}

/// One checked package of a lock.
#[derive(Clone, Debug)]
pub struct Package {
    name: String,
    version: String,
    architecture: String,
    size: u64,
    sha256: String,
    keep: Keep,
}

/// Which members of a package are unpacked: all, or those below one of some paths.
#[derive(Clone, Debug, Default)]
pub struct Keep(Vec<MemberPath>);

impl Lock {
    /// Reads and checks a lock.
    ///
    /// # Errors
    /// [`LockError`], which says what stands where and what was expected.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        if text.len() > MAX_TEXT {
            return Err(LockError::TooLong { got: text.len() });
        }
        let raw: RawLock = toml::from_str(text)
            .map_err(|error| LockError::Syntax(error.to_string().trim_end().to_owned()))?;
        Self::validate(raw, text)
    }

    /// The lock of the guest toolchain that this source tree builds with.
    ///
    /// # Errors
    /// [`LockError`] if the file was damaged when this program was built.
    pub fn guest() -> Result<Self, LockError> {
        Self::parse(GUEST_LOCK)
    }

    fn validate(raw: RawLock, text: &str) -> Result<Self, LockError> {
        if raw.schema != SCHEMA {
            return Err(LockError::Schema { got: raw.schema });
        }
        if raw.package.is_empty() || raw.package.len() > MAX_PACKAGES {
            return Err(LockError::Count { got: raw.package.len() });
        }
        check_name("host-architecture", &raw.host_architecture)?;
        for name in raw.recipe.roots.iter().chain(&raw.recipe.omit).chain(raw.recipe.keep.keys()) {
            check_name("recipe", name)?;
        }
        let mut packages: Vec<Package> = Vec::with_capacity(raw.package.len());
        for package in raw.package {
            packages.push(Package::validate(package, &raw.host_architecture)?);
        }
        // Sorted, so that the order in the file reaches no message and no progress bar.
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(pair) = packages.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(LockError::Twice(pair[0].name.clone()));
        }
        // Packages are kept under their hashes.
        let mut hashes: Vec<_> = packages.iter().map(|package| (&package.sha256, &package.name)).collect();
        hashes.sort();
        if let Some(pair) = hashes.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(LockError::Twice(pair[1].1.clone()));
        }
        let tools = raw.tools.into_iter().map(|(name, path)| Ok((name, member("tools", &path)?)));
        Ok(Self {
            text: text.to_owned(),
            sha256: hex::encode(Sha256::digest(text.as_bytes())),
            host_architecture: raw.host_architecture,
            library_path: members("library-path", &raw.library_path)?,
            tools: tools.collect::<Result<_, LockError>>()?,
            recipe: raw.recipe,
            packages,
        })
    }

    /// The lock as it is written, without its packages.
    pub(super) fn to_raw(&self) -> RawLock {
        RawLock {
            schema: SCHEMA,
            host_architecture: self.host_architecture.clone(),
            library_path: self.library_path.iter().map(MemberPath::to_string).collect(),
            tools: self.tools.iter().map(|(name, path)| (name.clone(), path.to_string())).collect(),
            recipe: self.recipe.clone(),
            package: Vec::new(),
        }
    }

    /// The lock as it was read, to the byte.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of the lock's text, 64 hexadecimal digits: the identity of what it installs.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The folder name of what it installs: the first 16 digits of [`Lock::sha256`].
    pub fn id(&self) -> &str {
        &self.sha256[..16]
    }

    /// Debian's name of the processor that the tools run on, such as `amd64`.
    pub fn host_architecture(&self) -> &str {
        &self.host_architecture
    }

    /// Folders with the tools' shared libraries.
    pub fn library_path(&self) -> &[MemberPath] {
        &self.library_path
    }

    /// Where each named tool is.
    pub fn tools(&self) -> &BTreeMap<String, MemberPath> {
        &self.tools
    }

    /// What the lock was made from.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The packages, by name.
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }
}

impl Package {
    fn validate(raw: RawPackage, host: &str) -> Result<Self, LockError> {
        check_name("name", &raw.name)?;
        let version_like = |c: char| c.is_ascii_alphanumeric() || "+-.:~".contains(c);
        let version_ok = raw.version.len() <= MAX_WORD
            && raw.version.starts_with(|c: char| c.is_ascii_digit())
            && raw.version.chars().all(version_like);
        if !version_ok {
            return Err(value("version", raw.version, "a package version (deb-version(7))"));
        }
        if raw.architecture != host && raw.architecture != "all" {
            return Err(value("architecture", raw.architecture, "the lock's host-architecture or `all`"));
        }
        if raw.size == 0 || raw.size > MAX_SIZE {
            return Err(value("size", raw.size.to_string(), "between 1 byte and 512 MiB"));
        }
        if !is_sha256(&raw.sha256) {
            return Err(value("sha256", raw.sha256, "64 small hexadecimal digits"));
        }
        Ok(Self {
            name: raw.name,
            version: raw.version,
            architecture: raw.architecture,
            size: raw.size,
            sha256: raw.sha256,
            keep: Keep(members("keep", &raw.keep)?),
        })
    }

    /// Name, such as `lld-19`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Version, such as `1:19.1.7-3~deb12u1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Length of the package file in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// SHA-256 of the package file, 64 hexadecimal digits.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// What of it is unpacked.
    pub fn keep(&self) -> &Keep {
        &self.keep
    }

    /// The file name it is kept under, in the cache and in archives: its hash, so that no two packages share one.
    pub fn stored_name(&self) -> String {
        format!("{}.deb", self.sha256)
    }

    /// The file name the package manager gives it: the version's colon is written as `%3a`.
    pub fn file_name(&self) -> String {
        format!("{}_{}_{}.deb", self.name, self.version.replace(':', "%3a"), self.architecture)
    }
}

/// The package as the package manager is asked for it: `name=version`.
impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.version)
    }
}

impl Keep {
    /// Whether `path` is to be unpacked: it lies below one of the kept paths, or all are kept. A kept
    /// path's component may have one `*`, which stands for any text.
    pub fn wants(&self, path: &MemberPath) -> bool {
        self.0.is_empty() || self.0.iter().any(|kept| is_below(kept, path))
    }
}

fn is_below(kept: &MemberPath, path: &MemberPath) -> bool {
    let mut parts = path.components();
    kept.components().all(|pattern| parts.next().is_some_and(|part| matches(pattern, part)))
}

fn matches(pattern: &str, part: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == part,
        Some((start, end)) => {
            part.len() >= start.len() + end.len() && part.starts_with(start) && part.ends_with(end)
        }
    }
}

/// A package name (Debian Policy 5.6.1). It starts with a letter or a digit, so it can't be an option of a
/// command, and has no slash, so it can't be a path.
fn check_name(field: &'static str, name: &str) -> Result<(), LockError> {
    let name_like = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '+' | '-' | '.');
    let ok = (2..=MAX_WORD).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(name_like);
    if ok {
        Ok(())
    } else {
        Err(value(field, name.to_owned(), "a package name (small letters, digits, + - .)"))
    }
}

/// Whether `text` is a SHA-256 as locks and manifests write it: nothing but 64 small hexadecimal digits.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

fn members(field: &'static str, paths: &[String]) -> Result<Vec<MemberPath>, LockError> {
    paths.iter().map(|path| member(field, path)).collect()
}

fn member(field: &'static str, path: &str) -> Result<MemberPath, LockError> {
    let parsed = MemberPath::parse(path.as_bytes()).ok().flatten();
    parsed.ok_or_else(|| value(field, path.to_owned(), "a path below the unpacked root, without `..`"))
}

fn value(field: &'static str, value: String, expected: &'static str) -> LockError {
    // A hostile value could fill the screen.
    LockError::Value { field, value: value.chars().take(MAX_WORD).collect(), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
schema = 1
host-architecture = "amd64"
library-path = ["usr/lib"]
[tools]
tool = "usr/bin/tool"
[recipe]
roots = ["tool"]
omit = []
[[package]]
name = "tool"
version = "1:2.0-1"
architecture = "amd64"
size = 12
sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
keep = ["usr/src/tool-*/library"]
"#;

    fn refused(from: &str, to: &str) -> LockError {
        assert!(GOOD.contains(from), "{from}");
        Lock::parse(&GOOD.replacen(from, to, 1)).unwrap_err()
    }

    #[test]
    fn a_good_lock_is_read() {
        let lock = Lock::parse(GOOD).unwrap();
        let package = &lock.packages()[0];
        assert_eq!(package.to_string(), "tool=1:2.0-1");
        assert_eq!(package.file_name(), "tool_1%3a2.0-1_amd64.deb");
        assert_eq!(lock.id(), &hex::encode(Sha256::digest(GOOD.as_bytes()))[..16]);
        let path = |name: &str| MemberPath::parse(name.as_bytes()).unwrap().unwrap();
        assert!(package.keep().wants(&path("usr/src/tool-1.2/library/core")));
        assert!(!package.keep().wants(&path("usr/src/tool-1.2/compiler")));
        assert!(!package.keep().wants(&path("usr/src/tool-1.2")));
    }

    #[test]
    fn the_guest_lock_of_this_tree_is_good() {
        let lock = Lock::guest().unwrap();
        for tool in ["cargo", "clang", "lld", "rust-library", "rustc"] {
            assert!(lock.tools().contains_key(tool), "{tool}");
        }
    }

    #[test]
    fn a_name_is_a_name_and_never_a_path_or_an_option() {
        for bad in ["../x", "a/b", "-oDir=x", "A", "a b", ""] {
            let error = refused(r#"name = "tool""#, &format!("name = \"{bad}\""));
            assert!(
                matches!(&error, LockError::Value { field: "name", value, .. } if value == bad),
                "{error}"
            );
        }
    }

    #[test]
    fn each_field_is_checked() {
        let field = |error| match error {
            LockError::Value { field, .. } => field,
            other => panic!("{other}"),
        };
        assert_eq!(field(refused("1:2.0-1", "/../x")), "version");
        assert_eq!(field(refused("\"amd64\"\nsize", "\"s390x\"\nsize")), "architecture");
        assert_eq!(field(refused("size = 12", "size = 0")), "size");
        assert_eq!(field(refused("size = 12", "size = 99999999999")), "size");
        assert_eq!(field(refused("0123456789abcdef", "0123456789ABCDEF")), "sha256");
        assert_eq!(field(refused("usr/src", "../src")), "keep");
        assert_eq!(field(refused("usr/bin/tool", "/usr/bin/tool")), "tools");
        assert_eq!(field(refused("\"usr/lib\"", "\"..\"")), "library-path");
        assert_eq!(field(refused("roots = [\"tool\"]", "roots = [\"-x\"]")), "recipe");
    }

    #[test]
    fn the_form_is_checked() {
        let package = GOOD.split_once("[[package]]").unwrap().1;
        let twice = Lock::parse(&format!("{GOOD}[[package]]{package}")).unwrap_err();
        assert!(matches!(&twice, LockError::Twice(name) if name == "tool"), "{twice}");
        let renamed = package.replace(r#""tool""#, r#""zool""#);
        let twice = Lock::parse(&format!("{GOOD}[[package]]{renamed}")).unwrap_err();
        assert!(matches!(&twice, LockError::Twice(name) if name == "zool"), "{twice}");
        assert!(matches!(refused("schema = 1", "schema = 2"), LockError::Schema { got: 2 }));
        let unknown = refused("size = 12", "size = 12\nshasum = 1");
        assert!(matches!(&unknown, LockError::Syntax(text) if text.contains("shasum")), "{unknown}");
        let none = format!("package = []\n{}", GOOD.split_once("[[package]]").unwrap().0);
        assert!(matches!(Lock::parse(&none), Err(LockError::Count { got: 0 })));
        assert!(matches!(Lock::parse(&" ".repeat(MAX_TEXT + 1)), Err(LockError::TooLong { .. })));
    }
}
