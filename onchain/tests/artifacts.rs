//! How the contracts are fetched: what is taken, and what is refused and why. A script stands in for npm.

mod support;

use std::fs;

use opml_onchain::artifacts::{ArchiveError, ArtifactError, Lock, ensure_lock, find_lock};
use opml_toolchain::progress::Silent;
use opml_toolchain::provision::member::MemberError;
use support::{Member, NAME, Place, archive, artifact, file, lock_text, locked};

#[test]
fn a_package_is_fetched_checked_and_kept() {
    let place = Place::new();
    let (lock, package) = locked(&[artifact()]);
    assert!(find_lock(&lock, &place.options()).unwrap().is_none());
    place.serve(&package);
    let artifacts = ensure_lock(&lock, &place.options(), &Silent).unwrap();
    assert_eq!(artifacts.creation_code("C").unwrap(), [0x60, 0x80]);
    let missing = artifacts.creation_code("D").unwrap_err();
    assert!(matches!(missing, ArtifactError::NotLocked { name: "D" }), "{missing}");
    let asked = place.asked();
    for argument in ["pack", NAME, "--pack-destination", "--ignore-scripts"] {
        assert!(asked.iter().any(|word| word == argument), "{argument}: {asked:?}");
    }
    assert_eq!(place.installed(&lock), ["C.json"]);
    assert_eq!(place.toolchains(), [lock.id()]);
    // From now on, nothing is fetched.
    place.remove_npm();
    for options in [place.options(), place.offline()] {
        ensure_lock(&lock, &options, &Silent).unwrap();
        assert!(find_lock(&lock, &options).unwrap().is_some());
    }
}

/// The error of installing `lock` from `package`; nothing is left of it.
fn refused(lock: &Lock, package: &[u8]) -> ArtifactError {
    let place = Place::new();
    place.serve(package);
    let error = ensure_lock(lock, &place.options(), &Silent).unwrap_err();
    assert_eq!(place.toolchains(), [""; 0], "{error}");
    assert!(find_lock(lock, &place.options()).unwrap().is_none());
    error
}

#[test]
fn another_package_is_refused_before_it_is_opened() {
    let (lock, mut package) = locked(&[artifact()]);
    let last = package.len() - 1;
    package[last] ^= 1;
    let error = refused(&lock, &package);
    let ArtifactError::WrongPackage { package: name, expected, got } = &error else { panic!("{error}") };
    assert_eq!(name, NAME);
    assert!(expected.starts_with("sha512-") && got.starts_with("sha512-") && expected != got, "{error}");
    package.push(0);
    let error = refused(&lock, &package);
    let ArtifactError::WrongPackage { expected, got, .. } = &error else { panic!("{error}") };
    assert_eq!(
        (expected.as_str(), got.as_str()),
        (&*format!("{} bytes", last + 1), &*format!("{} bytes", last + 2))
    );
}

#[test]
fn without_npm_or_network_it_is_said_what_to_do() {
    let (lock, package) = locked(&[artifact()]);
    let place = Place::new();
    let error = ensure_lock(&lock, &place.options(), &Silent).unwrap_err();
    assert!(matches!(&error, ArtifactError::NpmMissing { package } if package == NAME), "{error}");
    place.serve(&package);
    let error = ensure_lock(&lock, &place.offline(), &Silent).unwrap_err();
    assert!(matches!(&error, ArtifactError::Offline { package, .. } if package == NAME), "{error}");
    place.npm("echo nothing; echo network unreachable >&2; exit 7");
    let error = ensure_lock(&lock, &place.options(), &Silent).unwrap_err();
    let ArtifactError::Download { status, tail, .. } = &error else { panic!("{error}") };
    assert_eq!((status.as_str(), tail.as_str()), ("exit status: 7", "network unreachable"));
    place.npm("echo done");
    let error = ensure_lock(&lock, &place.options(), &Silent).unwrap_err();
    let ArtifactError::Download { status, tail, .. } = &error else { panic!("{error}") };
    assert_eq!((status.as_str(), tail.as_str()), ("it said that all went well", "done"));
    assert_eq!(place.toolchains(), [""; 0]);
}

#[test]
fn what_changed_after_the_installation_is_seen() {
    let place = Place::new();
    let (lock, package) = locked(&[artifact()]);
    place.serve(&package);
    ensure_lock(&lock, &place.options(), &Silent).unwrap();
    let path = place.installed_file(&lock, "C.json");
    let longer = [fs::read(&path).unwrap(), vec![b' '; 100]].concat();
    fs::write(&path, longer).unwrap();
    for result in
        [ensure_lock(&lock, &place.options(), &Silent).map(Some), find_lock(&lock, &place.options())]
    {
        let error = result.unwrap_err();
        assert!(matches!(&error, ArtifactError::Changed { expected, got, .. } if expected != got), "{error}");
    }
    fs::remove_file(&path).unwrap();
    let error = find_lock(&lock, &place.options()).unwrap_err();
    assert!(matches!(&error, ArtifactError::Io { doing: "read", .. }), "{error}");
}

/// Why an archive with these members is refused, by a lock that wants the good artifact and has the archive's
/// hash.
fn archive_error(members: &[Member]) -> ArchiveError {
    let package = archive(members);
    let lock = Lock::parse(&lock_text(&package, &[artifact()])).unwrap();
    match refused(&lock, &package) {
        ArtifactError::Archive { source, .. } => source,
        other => panic!("{other}"),
    }
}

#[test]
fn hostile_archives_are_refused() {
    for name in ["../evil", "package/../../evil", "/etc/evil"] {
        let error = archive_error(&[artifact(), file(name, b"x")]);
        assert!(matches!(&error, ArchiveError::Name(MemberError::Escapes(n)) if n == name), "{error}");
    }
    for kind in [tar::EntryType::Symlink, tar::EntryType::Link, tar::EntryType::Char, tar::EntryType::XHeader]
    {
        let error = archive_error(&[artifact(), Member { kind, ..file("package/link", b"") }]);
        assert!(matches!(&error, ArchiveError::Kind { path, .. } if path == "package/link"), "{error}");
    }
    let error = archive_error(&[artifact(), artifact()]);
    assert!(matches!(&error, ArchiveError::Twice(path) if path == "package/C.json"), "{error}");
    let error = archive_error(&[file("package/D.json", b"x")]);
    assert!(matches!(&error, ArchiveError::Missing(path) if path == "package/C.json"), "{error}");
    // As long as the right one, shorter, and longer.
    let length = artifact().bytes.len();
    let sizes = [length, length - 1, length + 1, 100 * length];
    let got = ["SHA-256 ", "bytes", "more bytes", "more bytes"];
    for (size, expected) in sizes.into_iter().zip(got) {
        let error = archive_error(&[file("package/C.json", &vec![b' '; size])]);
        let ArchiveError::Wrong { got, .. } = &error else { panic!("{error}") };
        assert!(got.contains(expected), "{got}");
    }
}

#[test]
fn archives_are_read_in_bounded_time_and_memory() {
    let many = vec![file("package/x", b""); 20_001];
    let error = archive_error(&many);
    assert!(matches!(&error, ArchiveError::TooLarge { what: "members", limit: 20_000 }), "{error}");
    // Half a GiB of zeros, which takes half a MB.
    let bomb = archive_error(&[Member { zeros: 513 << 20, ..file("package/x", b"") }]);
    assert!(matches!(&bomb, ArchiveError::TooLarge { what: "bytes", .. }), "{bomb}");
}

#[test]
fn damaged_archives_are_refused() {
    let (_, package) = locked(&[artifact()]);
    for bytes in [&package[..package.len() / 2], b"no archive at all", &[0x1f, 0x8b]] {
        let lock = Lock::parse(&lock_text(bytes, &[artifact()])).unwrap();
        let error = refused(&lock, bytes);
        assert!(
            matches!(&error, ArtifactError::Archive { source: ArchiveError::Read(_), .. }),
            "{error}: {bytes:?}"
        );
    }
}

#[test]
fn files_without_code_are_refused() {
    for (text, says) in [
        ("{}", "missing field `bytecode`"),
        ("{\"bytecode\":{\"object\":\"6080\"}}", "does not begin with 0x"),
        ("{\"bytecode\":{\"object\":\"0x60__$ab-lib$__80\"}}", "Invalid character"),
        ("{\"bytecode\":{\"object\":\"0x608\"}}", "Odd number"),
    ] {
        let (lock, package) = locked(&[file("package/C.json", text.as_bytes())]);
        let place = Place::new();
        place.serve(&package);
        let error = ensure_lock(&lock, &place.options(), &Silent).unwrap_err();
        let ArtifactError::NoCode { detail, .. } = &error else { panic!("{error}") };
        assert!(detail.contains(says), "{detail}");
    }
}

#[test]
fn each_field_of_a_lock_is_checked() {
    let good = lock_text(b"package", &[artifact()]);
    Lock::parse(&good).unwrap();
    let refused = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        match Lock::parse(&good.replacen(from, to, 1)).unwrap_err() {
            ArtifactError::Lock { detail } => detail,
            other => panic!("{other}"),
        }
    };
    assert_eq!(refused("schema = 1", "schema = 2"), "its schema `2` is not 1");
    for name in ["--registry=x", "../x", "git+ssh", "A", ""] {
        let says = format!("its package `{name}` is not the name of an npm package");
        assert_eq!(refused("\"@scope/contracts\"", &format!("\"{name}\"")), says);
    }
    for version in ["^1.0.0", "latest", "1 || 2", ""] {
        assert!(refused("\"1.0.0\"", &format!("\"{version}\"")).starts_with("its version"), "{version}");
    }
    assert!(refused("sha512-", "sha1-").starts_with("its integrity"));
    assert!(refused("sha512-", "sha512-AAAA").starts_with("its integrity"));
    assert!(refused("size = 7", "size = 0").starts_with("its size"));
    assert!(refused("size = 7", "size = 999999999999").starts_with("its size"));
    assert!(refused("name = \"C\"", "name = \"../C\"").starts_with("its name"));
    assert!(refused("package/C.json", "package/../../C.json").starts_with("its path"));
    assert!(refused("sha256 = \"", "sha256 = \"A").starts_with("its sha256"));
    assert!(refused("schema", "scheme").contains("unknown field `scheme`"));
}

#[test]
fn the_lock_of_this_tree_is_good() {
    let lock = Lock::contracts().unwrap();
    assert_eq!(lock.package(), "@eth-optimism/contracts-bedrock@0.17.3");
}
