//! Packages made on the spot, and a script in the place of npm.

use std::fs;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use opml_onchain::artifacts::Lock;
use opml_toolchain::provision::Options;
use sha2::{Digest, Sha256, Sha512};
use tempfile::TempDir;

/// The package as npm is asked for it.
pub const NAME: &str = "@scope/contracts@1.0.0";

/// A member of an archive.
#[derive(Clone)]
pub struct Member {
    /// Its name, whatever it is.
    pub name: String,
    pub kind: tar::EntryType,
    pub bytes: Vec<u8>,
    /// Zeros behind the bytes.
    pub zeros: u64,
}

/// A member that is a file.
pub fn file(name: &str, bytes: &[u8]) -> Member {
    Member { name: name.to_owned(), kind: tar::EntryType::Regular, bytes: bytes.to_vec(), zeros: 0 }
}

/// A compiled contract named C.
pub fn artifact() -> Member {
    file("package/C.json", br#"{"abi":[],"bytecode":{"object":"0x6080"}}"#)
}

/// An npm package with these members.
pub fn archive(members: &[Member]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for member in members {
        let mut header = tar::Header::new_ustar();
        // Not `set_path`, which refuses what is to be tested.
        header.as_old_mut().name[..member.name.len()].copy_from_slice(member.name.as_bytes());
        header.set_entry_type(member.kind);
        header.set_size(member.bytes.len() as u64 + member.zeros);
        header.set_cksum();
        archive.append(&header, member.bytes.chain(io::repeat(0).take(member.zeros))).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

/// A lock that names `package` and wants `files` of it; a file `package/C.json` is the contract C.
pub fn lock_text(package: &[u8], files: &[Member]) -> String {
    let integrity = BASE64_STANDARD.encode(Sha512::digest(package));
    let mut text = format!(
        "schema = 1\npackage = \"@scope/contracts\"\nversion = \"1.0.0\"\nsize = {}\nintegrity = \"sha512-{integrity}\"\n",
        package.len()
    );
    for file in files {
        let name = file.name.trim_start_matches("package/").trim_end_matches(".json");
        text.push_str(&format!(
            "[[contract]]\nname = \"{name}\"\npath = \"{}\"\nsize = {}\nsha256 = \"{}\"\n",
            file.name,
            file.bytes.len(),
            hex::encode(Sha256::digest(&file.bytes))
        ));
    }
    text
}

/// A package with `members`, and the lock that wants all of them.
pub fn locked(members: &[Member]) -> (Lock, Vec<u8>) {
    let package = archive(members);
    (Lock::parse(&lock_text(&package, members)).unwrap(), package)
}

/// A cache and a search path of their own.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        fs::create_dir(place.bin()).unwrap();
        place
    }

    fn bin(&self) -> PathBuf {
        self.0.path().join("bin")
    }

    pub fn options(&self) -> Options {
        let (cache, bin) = (self.0.path().join("cache"), self.bin());
        Options { cache_dir: Some(cache), search_path: Some(bin.into()), ..Options::default() }
    }

    pub fn offline(&self) -> Options {
        Options { offline: true, ..self.options() }
    }

    /// Puts a script in the place of npm. Another program writes it: this one might start a process in another
    /// thread meanwhile, which would hold the file open for writing, and such a file can't be run.
    pub fn npm(&self, script: &str) {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "cat > \"$0\" && chmod +x \"$0\""]).arg(self.bin().join("npm"));
        let mut shell = shell.stdin(Stdio::piped()).spawn().unwrap();
        writeln!(shell.stdin.take().unwrap(), "#!/bin/sh\n{script}").unwrap();
        assert!(shell.wait().unwrap().success());
    }

    pub fn remove_npm(&self) {
        fs::remove_file(self.bin().join("npm")).unwrap();
    }

    /// Lets npm bring `package`, and note what it was asked for.
    pub fn serve(&self, package: &[u8]) {
        let (served, asked) = (self.0.path().join("served"), self.0.path().join("asked"));
        fs::write(&served, package).unwrap();
        let copy = format!("/bin/cp '{}' \"$4/scope-contracts.tgz\"", served.display());
        self.npm(&format!("echo \"$@\" > '{}'\n{copy}", asked.display()));
    }

    /// The arguments that npm got.
    pub fn asked(&self) -> Vec<String> {
        let text = fs::read_to_string(self.0.path().join("asked")).unwrap();
        text.split_whitespace().map(str::to_owned).collect()
    }

    /// What is in the cache's folder of installations, finished or not.
    pub fn toolchains(&self) -> Vec<String> {
        names(self.0.path().join("cache/toolchains"))
    }

    pub fn installed(&self, lock: &Lock) -> Vec<String> {
        names(self.0.path().join("cache/toolchains").join(lock.id()))
    }

    pub fn installed_file(&self, lock: &Lock, name: &str) -> PathBuf {
        self.0.path().join("cache/toolchains").join(lock.id()).join(name)
    }
}

fn names(folder: PathBuf) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
