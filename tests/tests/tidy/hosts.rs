//! No file names a machine: neither its folders nor the hosts it downloads from. Where things come from is the
//! business of the package managers, and a mirror has another name.

use crate::repository::{report, text_files};

/// Folders of people's machines.
const FOLDERS: [&str; 6] = ["/home/", "/root/", "/tmp/", "/work/", "/Users/", "/var/folders/"];

/// Files that name such folders on purpose.
const ABOUT_FOLDERS: &[(&str, &str)] = &[
    ("docs/audit.md", "says which folders the audit looks for"),
    ("tests/tests/tidy/hosts.rs", "this list"),
    ("toolchain/src/audit/content.rs", "the audit's own list"),
    ("toolchain/tests/", "programs and packages with such paths, to be refused"),
];

/// Hosts of documents, licences and names of formats. No build reads from them.
const DOCUMENTS: [&str; 5] =
    ["creativecommons.org", "in-toto.io", "slsa.dev", "www.apache.org", "www.w3.org"];

/// Words that only stand in names of registries and mirrors, in two parts, so that they do not stand here.
const REGISTRIES: [&str; 7] = [
    concat!("crates", ".io/"),
    concat!("crates", ".io\""),
    concat!("deb.", "debian"),
    concat!("snapshot.", "debian"),
    concat!("registry.", "npmjs"),
    concat!("pypi", ".org"),
    concat!("python", "hosted"),
];

#[test]
fn no_machine_is_named() {
    let mut found = Vec::new();
    // Cargo itself writes the registry into its locks.
    for file in text_files().iter().filter(|file| file.is_ours() && !file.path.ends_with("Cargo.lock")) {
        let about_folders = ABOUT_FOLDERS.iter().any(|(place, _)| file.path.starts_with(place));
        for (number, line) in file.lines() {
            let words = violations(line, about_folders);
            found.extend(words.into_iter().map(|word| format!("{}:{number}: {word}", file.path)));
        }
    }
    report("no file names a folder of a machine, a registry or a mirror", found);
}

fn violations(line: &str, about_folders: bool) -> Vec<&str> {
    let mut found: Vec<&str> = REGISTRIES.into_iter().filter(|word| line.contains(word)).collect();
    // Not where it is a part of another path, as in target/work/.
    let starts_path =
        |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-}*>)".contains(c));
    if !about_folders {
        let named = |folder: &&str| line.match_indices(*folder).any(|(at, _)| starts_path(at));
        found.extend(FOLDERS.iter().filter(|folder| named(folder)).copied());
    }
    for (at, scheme) in line.match_indices("://") {
        let rest = &line[at + scheme.len()..];
        let host =
            &rest[..rest.find(|c: char| !c.is_alphanumeric() && !"-.".contains(c)).unwrap_or(rest.len())];
        if host.contains('.') && !DOCUMENTS.contains(&host) {
            found.push(host);
        }
    }
    found
}

#[test]
fn violations_are_seen() {
    assert_eq!(violations("see /home/somebody/x, target/work/x", false), ["/home/"]);
    assert_eq!(violations("see /home/somebody/x", true), [""; 0]);
    let url = ["get https:", "//example.org/x or https:", "//creativecommons.org/x"].concat();
    assert_eq!(violations(&url, false), ["example.org"]);
    assert_eq!(violations(concat!("from pypi", ".org"), false), [concat!("pypi", ".org")]);
}
