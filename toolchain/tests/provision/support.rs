//! A small world of its own for each test: a cache, packages made on the spot, and a package manager.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use opml_toolchain::progress::Silent;
use opml_toolchain::provision::{Lock, Options, ProvisionError, Tools, ensure_tools};
use sha2::{Digest, Sha256};

/// Fetches nothing that is not there, and says so as the real one does.
pub const GOOD_DOWNLOAD: &str = r#"for p; do
  n=${p%%=*}
  cp "$repo/$n"_*.deb . || { echo "E: Unable to locate package $n"; exit 100; }
done"#;

/// A temporary folder with `repo/`, `bin/apt-get` and `cache/`.
pub struct World {
    pub dir: tempfile::TempDir,
    packages: Vec<(String, Vec<u8>)>,
}

impl World {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["repo", "bin"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
        }
        let world = Self { dir, packages: Vec::new() };
        world.apt_get("exit 0", GOOD_DOWNLOAD);
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Lets `apt-get` be a script that does `update` and `download` (its packages in `$@`). What it was
    /// asked for is in [`World::log`].
    pub fn apt_get(&self, update: &str, download: &str) {
        let (repo, log) = (self.path("repo"), self.path("log"));
        let script = format!(
            "#!/bin/sh\nrepo={}\nshift 3\necho \"$@\" >> {}\ncommand=$1\nshift\ncase $command in\n\
             update) {update} ;;\ndownload) {download} ;;\nesac\n",
            repo.display(),
            log.display(),
        );
        write_program(&self.path("bin/apt-get"), &script);
    }

    pub fn log(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Puts a package of version 1 into the sources and the lock.
    pub fn add(&mut self, name: &str, deb: Vec<u8>) {
        fs::write(self.path(&format!("repo/{name}_1_{}.deb", architecture())), &deb).unwrap();
        self.packages.push((name.to_owned(), deb));
    }

    /// A lock of all packages, with `tools` as lines of TOML.
    pub fn lock(&self, tools: &str) -> Lock {
        Lock::parse(&self.lock_text(tools)).unwrap()
    }

    pub fn lock_text(&self, tools: &str) -> String {
        let architecture = architecture();
        let mut text = format!(
            "schema = 1\nhost-architecture = \"{architecture}\"\nlibrary-path = [\"usr/lib\"]\n\
             [tools]\n{tools}\n[recipe]\nroots = []\nomit = []\n"
        );
        for (name, deb) in &self.packages {
            let (size, sha256) = (deb.len(), hex::encode(Sha256::digest(deb)));
            text += &format!(
                "[[package]]\nname = \"{name}\"\nversion = \"1\"\narchitecture = \"{architecture}\"\n\
                 size = {size}\nsha256 = \"{sha256}\"\n"
            );
        }
        text
    }

    pub fn options(&self) -> Options {
        let mut search_path = self.path("bin").into_os_string();
        search_path.push(":/usr/bin:/bin");
        self.options_with_path(search_path)
    }

    pub fn options_with_path(&self, search_path: OsString) -> Options {
        Options { cache_dir: Some(self.path("cache")), search_path: Some(search_path), ..Options::default() }
    }

    pub fn install(&self) -> Result<Tools, ProvisionError> {
        ensure_tools(&self.lock(""), &self.options(), &Silent)
    }

    /// What [`cached`](Self::cached) gives for packages of `lock`, by their places in it.
    pub fn kept<const N: usize>(lock: &Lock, packages: [usize; N]) -> Vec<String> {
        let mut names = packages.map(|at| lock.packages()[at].stored_name()).to_vec();
        names.sort();
        names
    }

    /// The names in a folder of the cache, sorted.
    pub fn cached(&self, folder: &str) -> Vec<String> {
        let Ok(listing) = fs::read_dir(self.path("cache").join(folder)) else { return Vec::new() };
        let mut names: Vec<_> =
            listing.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

pub fn write_program(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    // Renamed into place: a running program can't be written to.
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(new, path).unwrap();
}

/// Debian's name of this machine's processor.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// One member of a data archive.
pub enum Member<'a> {
    Dir(&'a str),
    File(&'a str, &'a [u8]),
    Program(&'a str, &'a [u8]),
    Link(&'a str, &'a str),
    HardLink(&'a str, &'a str),
    Device(&'a str),
}

/// A data archive with the members as they are named, however hostile.
pub fn tar(members: &[Member]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for member in members {
        let (kind, name, data, link, mode) = match member {
            Member::Dir(name) => (tar::EntryType::Directory, name, &[][..], "", 0o755),
            Member::File(name, data) => (tar::EntryType::Regular, name, *data, "", 0o644),
            Member::Program(name, data) => (tar::EntryType::Regular, name, *data, "", 0o4755),
            Member::Link(name, target) => (tar::EntryType::Symlink, name, &[][..], *target, 0o777),
            Member::HardLink(name, target) => (tar::EntryType::Link, name, &[][..], *target, 0o644),
            Member::Device(name) => (tar::EntryType::Char, name, &[][..], "", 0o644),
        };
        if name.len() > 100 {
            let mut long = tar::Header::new_gnu();
            long.set_entry_type(tar::EntryType::GNULongName);
            long.set_size(name.len() as u64 + 1);
            long.set_cksum();
            builder.append(&long, &[name.as_bytes(), &[0]].concat()[..]).unwrap();
        }
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(data.len() as u64);
        // Past the crate's own checks, which refuse the names that these tests are about.
        let short = &name.as_bytes()[..name.len().min(100)];
        header.as_gnu_mut().unwrap().name[..short.len()].copy_from_slice(short);
        header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        builder.append(&header, data).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A package around a data archive that is named `data_name`.
pub fn deb_of(data_name: &str, data: &[u8]) -> Vec<u8> {
    let mut builder = ar::Builder::new(Vec::new());
    let mut add = |name: &str, data: &[u8]| {
        let header = ar::Header::new(name.as_bytes().to_vec(), data.len() as u64);
        builder.append(&header, data).unwrap();
    };
    add("debian-binary", b"2.0\n");
    // Odd, so that the padding is passed over too.
    add("control.tar.gz", b"odd");
    add(data_name, data);
    builder.into_inner().unwrap()
}

pub fn xz(data: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A package with these members, compressed as Debian does it.
pub fn deb(members: &[Member]) -> Vec<u8> {
    deb_of("data.tar.xz", &xz(&tar(members)))
}

/// The tools that a toolchain has, where [`pinned`] puts them.
pub const TOOLS: &str = "rustc = \"bin/rustc\"\ncargo = \"bin/cargo\"\nclang = \"bin/clang\"\nlld = \"bin/ld.lld\"\n\
                         rust-library = \"library\"";
/// A compiler that says its version and can show its environment.
pub const RUSTC: &[u8] =
    b"#!/bin/sh\n[ \"$1\" = env ] && exec env\necho 'rustc 9.9'\necho 'LLVM version: 8.7'\n";

/// A world with a package of [`TOOLS`].
pub fn pinned(rustc: &[u8]) -> World {
    let mut world = World::new();
    world.add(
        "tools",
        deb(&[
            Member::Program("bin/rustc", rustc),
            Member::Program("bin/cargo", b"#!/bin/sh\n[ \"$1\" = env ] && exec env\necho 'cargo 9.9'\n"),
            Member::Program("bin/clang", b"#!/bin/sh\necho 'clang 1'\necho 'InstalledDir: /somewhere'\n"),
            Member::Program("bin/ld.lld", b"#!/bin/sh\necho 'LLD 2'\n"),
            Member::File("library/core/src/lib.rs", b""),
            Member::File("library/vendor/x", b""),
        ]),
    );
    world
}
