//! Names inside a package, and why writing to them can't leave the folder that is unpacked into.
//!
//! Invariant U: nothing is written outside the root, and no link made here leads out of it.
//! 1. A [`MemberPath`] has only plain components: no `..`, no root, nothing empty.
//! 2. A member's parents are real folders, made or checked one by one (`unpack.rs`), never links.
//! 3. A link's target is relative and has `..` only in front, at most as many as the link has parents
//!    ([`link_target`]). By 2 these lead from real folder to real folder, so they end inside the root; what
//!    follows are plain names, each of them a folder, a file, or again such a link.

use std::fmt;
use std::path::{Path, PathBuf};

/// Longest name of a member and longest target of a link, in bytes (Linux: `PATH_MAX`).
pub const MAX_NAME: usize = 4096;
/// Most components of a name.
const MAX_DEPTH: usize = 64;

/// Why a name is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemberError {
    /// `..`, an absolute path, or a link out of the root.
    #[error("`{0}` leads out of the folder that is unpacked into")]
    Escapes(String),
    /// Not text, too long, too deep, or empty where it may not be.
    #[error("a member's name is not a usable path ({0})")]
    Name(&'static str),
}

/// A path below the root: plain components joined by `/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemberPath(String);

impl MemberPath {
    /// Checks `name` as it stands in an archive; `None` is the root itself (`./`).
    ///
    /// # Errors
    /// [`MemberError`] for a name that leads out of the root or is no usable path.
    pub fn parse(name: &[u8]) -> Result<Option<Self>, MemberError> {
        let name = text(name)?;
        if name.is_empty() {
            return Err(MemberError::Name("empty"));
        }
        if name.starts_with('/') {
            return Err(MemberError::Escapes(name.to_owned()));
        }
        let mut parts = Vec::new();
        for part in name.split('/') {
            match part {
                "" | "." => {}
                ".." => return Err(MemberError::Escapes(name.to_owned())),
                plain => parts.push(plain),
            }
        }
        if parts.len() > MAX_DEPTH {
            return Err(MemberError::Name("too deep"));
        }
        Ok((!parts.is_empty()).then(|| Self(parts.join("/"))))
    }

    /// The components, outermost first; at least one.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The path below `root`.
    pub fn below(&self, root: &Path) -> PathBuf {
        root.join(&self.0)
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MemberPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks the target of the symbolic link `path` (rule 3 above) and gives it back as text.
///
/// # Errors
/// [`MemberError::Escapes`] for an absolute target or one with `..` too often or after a name.
pub fn link_target(path: &MemberPath, target: &[u8]) -> Result<String, MemberError> {
    let target = text(target)?;
    let escapes = || MemberError::Escapes(format!("{path} -> {target}"));
    if target.is_empty() || target.starts_with('/') {
        return Err(escapes());
    }
    let mut parents_left = path.components().count() - 1;
    let mut named = false;
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if named || parents_left == 0 => return Err(escapes()),
            ".." => parents_left -= 1,
            _ => named = true,
        }
    }
    Ok(target.to_owned())
}

fn text(name: &[u8]) -> Result<&str, MemberError> {
    if name.len() > MAX_NAME {
        return Err(MemberError::Name("too long"));
    }
    if name.contains(&0) {
        return Err(MemberError::Name("it holds a zero byte"));
    }
    std::str::from_utf8(name).map_err(|_| MemberError::Name("not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str) -> MemberPath {
        MemberPath::parse(name.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn plain_names_are_normalised() {
        assert_eq!(member("./usr//bin/./x").as_str(), "usr/bin/x");
        assert_eq!(MemberPath::parse(b"./").unwrap(), None);
    }

    #[test]
    fn names_that_lead_out_are_refused() {
        for name in ["../x", "usr/../../x", "/etc/passwd", "usr/.."] {
            assert_eq!(MemberPath::parse(name.as_bytes()), Err(MemberError::Escapes(name.into())), "{name}");
        }
        assert_eq!(MemberPath::parse(b""), Err(MemberError::Name("empty")));
        assert_eq!(MemberPath::parse(b"a\0b"), Err(MemberError::Name("it holds a zero byte")));
        assert_eq!(MemberPath::parse(b"\xff"), Err(MemberError::Name("not UTF-8")));
        assert_eq!(MemberPath::parse(&[b'a'; MAX_NAME + 1]), Err(MemberError::Name("too long")));
        assert_eq!(MemberPath::parse("a/".repeat(65).as_bytes()), Err(MemberError::Name("too deep")));
    }

    #[test]
    fn link_targets_stay_inside() {
        let link = member("usr/lib/x/link");
        for good in ["file", "../y", "../../../usr/lib", "./a/b"] {
            assert_eq!(link_target(&link, good.as_bytes()).unwrap(), good);
        }
        // The last one resolves inside as text, but not if `a` is itself a link.
        for bad in ["/etc", "../../../../etc", "", "a/../../b"] {
            assert!(matches!(link_target(&link, bad.as_bytes()), Err(MemberError::Escapes(_))), "{bad}");
        }
    }
}
