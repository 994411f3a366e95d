//! The lock: which npm package, with which bytes, and which of its files.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use opml_toolchain::provision::member::MemberPath;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::ArtifactError;

/// The lock of this source tree.
const CONTRACTS: &str = include_str!("../../contracts.lock");

/// Version of the format.
const SCHEMA: u32 = 1;

/// Largest package and largest file of it, in bytes.
const MAX_SIZE: u64 = 256 << 20;

/// How npm writes a SHA-512 ("Subresource Integrity", W3C).
const INTEGRITY_PREFIX: &str = "sha512-";

/// The lock as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLock {
    schema: u32,
    package: String,
    version: String,
    size: u64,
    integrity: String,
    contract: Vec<RawContract>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawContract {
    name: String,
    path: String,
    size: u64,
    sha256: String,
}

/// A checked lock: what it says can be put on a command line and joined to a path without another look.
#[derive(Clone, Debug)]
pub struct Lock {
    sha256: String,
    package: String,
    version: String,
    size: u64,
    integrity: String,
    contracts: Vec<LockedFile>,
}

/// A compiled contract: one file of the package.
#[derive(Clone, Debug)]
pub(super) struct LockedFile {
    /// The contract's name in Solidity.
    pub name: String,
    /// Where the archive has it.
    pub path: MemberPath,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-256, in small hexadecimal digits.
    pub sha256: String,
}

impl Lock {
    /// The lock of the contracts that this source tree is checked against.
    ///
    /// # Errors
    /// [`ArtifactError::Lock`] if the file was damaged when this program was built.
    pub fn contracts() -> Result<Self, ArtifactError> {
        Self::parse(CONTRACTS)
    }

    /// Reads and checks a lock.
    ///
    /// # Errors
    /// [`ArtifactError::Lock`], which says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ArtifactError> {
        let raw: RawLock = toml::from_str(text)
            .map_err(|error| ArtifactError::Lock { detail: error.to_string().trim_end().to_owned() })?;
        if raw.schema != SCHEMA {
            return Err(wrong("schema", &raw.schema.to_string(), "1"));
        }
        // Neither can be an option of a command, a folder or an address.
        let package_like = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_' | '@' | '/');
        let starts = raw.package.starts_with(|c: char| c == '@' || c.is_ascii_lowercase());
        if !starts || !raw.package.chars().all(package_like) {
            return Err(wrong("package", &raw.package, "the name of an npm package"));
        }
        let digit = |c: char| c.is_ascii_digit();
        if !raw.version.starts_with(digit) || !raw.version.chars().all(|c| digit(c) || c == '.') {
            return Err(wrong("version", &raw.version, "one version, in digits and dots"));
        }
        let hash = raw.integrity.strip_prefix(INTEGRITY_PREFIX);
        let hash = hash.and_then(|text| BASE64_STANDARD.decode(text).ok()).filter(|hash| hash.len() == 64);
        if hash.is_none() {
            return Err(wrong("integrity", &raw.integrity, "sha512- and 64 bytes in base64"));
        }
        check_size(raw.size)?;
        Ok(Self {
            sha256: hex::encode(Sha256::digest(text.as_bytes())),
            contracts: raw.contract.into_iter().map(LockedFile::checked).collect::<Result<_, _>>()?,
            package: raw.package,
            version: raw.version,
            size: raw.size,
            integrity: raw.integrity,
        })
    }

    /// The folder name of what it installs.
    pub fn id(&self) -> String {
        format!("contracts-{}", &self.sha256[..16])
    }

    /// The package as npm is asked for it: `name@version`.
    pub fn package(&self) -> String {
        format!("{}@{}", self.package, self.version)
    }

    /// Length of the package in bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// SHA-512 of the package, as npm writes it.
    pub(super) fn integrity(&self) -> &str {
        &self.integrity
    }

    pub(super) fn files(&self) -> &[LockedFile] {
        &self.contracts
    }
}

impl LockedFile {
    fn checked(raw: RawContract) -> Result<Self, ArtifactError> {
        if raw.name.is_empty() || !raw.name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(wrong("name", &raw.name, "the name of a contract"));
        }
        let path = MemberPath::parse(raw.path.as_bytes()).ok().flatten();
        let path = path.ok_or_else(|| wrong("path", &raw.path, "a path in the package, without `..`"))?;
        check_size(raw.size)?;
        let digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        if raw.sha256.len() != 64 || !raw.sha256.chars().all(digit) {
            return Err(wrong("sha256", &raw.sha256, "64 small hexadecimal digits"));
        }
        Ok(Self { name: raw.name, path, size: raw.size, sha256: raw.sha256 })
    }

    /// What the file is called where it is installed.
    pub(super) fn file_name(&self) -> String {
        format!("{}.json", self.name)
    }
}

/// `hash` as npm writes it.
pub(super) fn integrity_of(hash: &[u8]) -> String {
    format!("{INTEGRITY_PREFIX}{}", BASE64_STANDARD.encode(hash))
}

fn check_size(size: u64) -> Result<(), ArtifactError> {
    match size {
        1..=MAX_SIZE => Ok(()),
        _ => Err(wrong("size", &size.to_string(), "between 1 byte and 256 MiB")),
    }
}

fn wrong(field: &str, value: &str, expected: &str) -> ArtifactError {
    ArtifactError::Lock { detail: format!("its {field} `{value}` is not {expected}") }
}
