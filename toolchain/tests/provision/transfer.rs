//! A toolchain moved as one archive, and archives that are not what they have to be.
//!
//! | what it catches | test |
//! |---|---|
//! | an archive that names its machine or its hour, or that lacks something | `an_archive_brings_a_toolchain_to_a_machine_without_a_network` |
//! | an export that needs the packages to be there still | `what_is_missing_is_fetched_for_an_export` |
//! | a stranger's programs that are run because he sent them | `only_known_locks_are_installed` |
//! | a manifest of last year that can't be verified, as the lock has changed since | `locks_are_found_by_their_hash` |
//! | a hostile archive that leaves anything behind | all others |

use std::fs;
use std::path::{Path, PathBuf};

use opml_toolchain::progress::Silent;
use opml_toolchain::provision::archive::{ArchiveError, LOCK_NAME, archive_length};
use opml_toolchain::provision::deb::DebError;
use opml_toolchain::provision::member::MemberError;
use opml_toolchain::provision::{
    Lock, LockError, Options, ProvisionError, Source, Tool, Toolchain, ensure, export, find, import,
    lock_by_sha256,
};

use super::support::{Member, RUSTC, TOOLS, World, deb, pinned, tar};

fn with_lock(world: &World) -> Options {
    Options { lock: Some(world.lock(TOOLS)), ..world.options() }
}

/// A cache of its own in `world`, without a network and without a package manager.
fn cut_off(world: &World, cache: &str) -> Options {
    Options {
        offline: true,
        cache_dir: Some(world.path(cache)),
        search_path: Some("".into()),
        ..Options::default()
    }
}

/// The archive of the toolchain of `world`.
fn archive(world: &World) -> PathBuf {
    let file = world.path("archive.tar");
    let length = export(&file, &with_lock(world), &Silent).unwrap();
    assert_eq!(length, file.metadata().unwrap().len());
    file
}

fn all_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(listing) = fs::read_dir(folder) else { return Vec::new() };
    let paths = listing.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
}

#[test]
fn an_archive_brings_a_toolchain_to_a_machine_without_a_network() {
    let world = pinned(RUSTC);
    let lock = world.lock(TOOLS);
    let file = archive(&world);
    let away = cut_off(&world, "away");
    let toolchain = import(&file, Some(lock.sha256()), &away, &Silent).unwrap();
    assert_eq!(toolchain.identity().lock_sha256.as_deref(), Some(lock.sha256()));
    assert_eq!(toolchain.identity().source, Source::Reference);
    let output = toolchain.command(Tool::Lld).output().unwrap();
    assert_eq!(output.stdout, b"LLD 2\n");

    // From there it goes on, to the byte; and it can be had by the hash that a manifest names.
    let named = lock_by_sha256(&away, lock.sha256()).unwrap().unwrap();
    assert_eq!(named.text(), lock.text());
    let away = Options { lock: Some(named), ..away };
    assert!(find(&away).unwrap().is_some());
    let again = world.path("again.tar");
    export(&again, &away, &Silent).unwrap();
    assert_eq!(fs::read(&file).unwrap(), fs::read(&again).unwrap());

    // A second import changes nothing.
    let identity = toolchain.identity().clone();
    assert_eq!(*import(&file, None, &away, &Silent).unwrap().identity(), identity);
}

#[test]
fn an_archive_says_nothing_of_its_machine() {
    let world = pinned(RUSTC);
    let file = archive(&world);
    let mut archive = tar::Archive::new(fs::File::open(file).unwrap());
    let names = archive.entries().unwrap().map(|entry| {
        let entry = entry.unwrap();
        let header = entry.header();
        let numbers = [header.mtime().unwrap(), header.uid().unwrap(), header.gid().unwrap()];
        assert_eq!((numbers, header.mode().unwrap()), ([0; 3], 0o644));
        assert_eq!((header.username().unwrap(), header.groupname().unwrap()), (Some(""), Some("")));
        entry.path().unwrap().display().to_string()
    });
    assert_eq!(names.collect::<Vec<_>>(), [LOCK_NAME, &world.lock(TOOLS).packages()[0].stored_name()]);
}

#[test]
fn what_is_missing_is_fetched_for_an_export() {
    let world = pinned(RUSTC);
    ensure(&with_lock(&world), &Silent).unwrap();
    let lock = world.lock(TOOLS);
    fs::remove_file(world.path("cache/downloads").join(lock.packages()[0].stored_name())).unwrap();
    let offline = Options { offline: true, ..with_lock(&world) };
    let file = world.path("archive.tar");
    let Err(ProvisionError::Offline { id, .. }) = export(&file, &offline, &Silent) else { panic!() };
    assert_eq!(id, lock.id());
    assert!(!file.exists());
    archive(&world);
    assert_eq!(world.log(), ["update", "download tools=1", "update", "download tools=1"]);
}

#[test]
fn only_known_locks_are_installed() {
    let world = pinned(RUSTC);
    let file = archive(&world);
    for trusted in [None, Some("0".repeat(64))] {
        let error = import(&file, trusted.as_deref(), &cut_off(&world, "away"), &Silent).unwrap_err();
        let ProvisionError::OtherLock { got } = &error else { panic!("{error}") };
        assert_eq!(got, world.lock(TOOLS).sha256());
    }
    // One that was installed here before is known.
    ensure(&with_lock(&world), &Silent).unwrap();
    let options = Options { lock: None, ..cut_off(&world, "cache") };
    import(&file, None, &options, &Silent).unwrap();
}

#[test]
fn locks_are_found_by_their_hash() {
    let world = pinned(RUSTC);
    let (lock, options) = (world.lock(TOOLS), world.options());
    let find = |sha256: &str| lock_by_sha256(&options, sha256);
    assert!(find(lock.sha256()).unwrap().is_none());
    let guest = Lock::guest().unwrap();
    assert_eq!(find(guest.sha256()).unwrap().unwrap().sha256(), guest.sha256());
    ensure(&with_lock(&world), &Silent).unwrap();
    assert_eq!(find(lock.sha256()).unwrap().unwrap().text(), lock.text());
    // What is no hash never becomes a path.
    let kept = world.path("cache/locks").join(format!("{}.lock", lock.sha256()));
    fs::copy(&kept, world.path("cache/out.lock")).unwrap();
    assert!(find("../out").unwrap().is_none());
    // A toolchain of an older version of this tool has no text beside it yet.
    fs::remove_file(&kept).unwrap();
    ensure(&with_lock(&world), &Silent).unwrap();
    assert!(find(lock.sha256()).unwrap().is_some());

    fs::write(&kept, lock.text().replace("[recipe]", "[recipe] # changed")).unwrap();
    let Err(ProvisionError::Damaged { path, .. }) = find(lock.sha256()) else { panic!() };
    assert_eq!(path, kept);
}

/// The error of importing `bytes`, of which nothing may be left, and nothing may have been run.
fn refused(world: &World, bytes: &[u8]) -> ProvisionError {
    let file = world.path("hostile.tar");
    fs::write(&file, bytes).unwrap();
    let before = all_files(world.dir.path());
    let away = cut_off(world, "refused");
    let error = trusting(world, &file, &away).unwrap_err();
    let mut left = all_files(world.dir.path());
    left.retain(|path| !before.contains(path) && !path.ends_with("provision.lock"));
    assert_eq!(left, Vec::<PathBuf>::new());
    error
}

/// Imports whatever lock is in `file`: what is refused is not refused for being unknown.
fn trusting(world: &World, file: &Path, options: &Options) -> Result<Toolchain, ProvisionError> {
    let known = Options { lock: Some(world.lock(TOOLS)), ..options.clone() };
    import(file, None, &known, &Silent)
}

/// The reason, if it is one of the archive.
fn reason(error: ProvisionError) -> ArchiveError {
    match error {
        ProvisionError::Archive(error) => error,
        other => panic!("{other}"),
    }
}

#[test]
fn the_members_are_those_of_the_lock_and_no_others() {
    let world = pinned(RUSTC);
    let lock = world.lock(TOOLS);
    let (text, name) = (lock.text().as_bytes(), lock.packages()[0].stored_name());
    let package = fs::read(world.path("repo").join(lock.packages()[0].file_name())).unwrap();
    let good = [Member::File(LOCK_NAME, text), Member::File(&name, &package)];
    let first = |member: Member| reason(refused(&world, &tar(&[member, Member::File(&name, &package)])));
    for path in ["../x", "/etc/passwd", "a/../../x"] {
        let error = first(Member::File(path, text));
        assert!(matches!(&error, ArchiveError::Name(MemberError::Escapes(got)) if got == path), "{error}");
    }
    for (member, expected) in [
        (Member::Link(LOCK_NAME, "/etc/passwd"), '2'),
        (Member::HardLink(LOCK_NAME, "x"), '1'),
        (Member::Device(LOCK_NAME), '3'),
        (Member::Dir(LOCK_NAME), '5'),
        (Member::File(&"n".repeat(200), text), 'L'),
    ] {
        let error = first(member);
        assert!(matches!(error, ArchiveError::Kind { kind, .. } if kind == expected), "{error}");
    }
    let error = first(Member::File("lock", text));
    assert!(matches!(&error, ArchiveError::Unexpected { got, .. } if got == "lock"), "{error}");
    // The same where a package has to be, and behind the last.
    let second = |member: Member| reason(refused(&world, &tar(&[Member::File(LOCK_NAME, text), member])));
    let error = second(Member::File("../x", &package));
    assert!(matches!(&error, ArchiveError::Name(MemberError::Escapes(_))), "{error}");
    let error = second(Member::File("other.deb", &package));
    assert!(matches!(&error, ArchiveError::Unexpected { got, .. } if got == "other.deb"), "{error}");
    let [lock_member, package_member] = good;
    let error = reason(refused(&world, &tar(&[lock_member, package_member, Member::File("more", b"x")])));
    assert!(
        matches!(&error, ArchiveError::Unexpected { expected, got } if expected == "the end" && got == "more"),
        "{error}"
    );
}

#[test]
fn each_package_has_to_be_the_locks() {
    let world = pinned(RUSTC);
    let lock = world.lock(TOOLS);
    let name = lock.packages()[0].stored_name();
    let mut package = fs::read(world.path("repo").join(lock.packages()[0].file_name())).unwrap();
    let with = |package: &[u8]| {
        let text = lock.text().as_bytes();
        reason(refused(&world, &tar(&[Member::File(LOCK_NAME, text), Member::File(&name, package)])))
    };
    *package.last_mut().unwrap() ^= 1;
    let ArchiveError::Package { package: named, expected, got } = with(&package) else { panic!() };
    assert_eq!((named.as_str(), expected), ("tools=1", format!("SHA-256 {}", lock.packages()[0].sha256())));
    assert!(got.starts_with("SHA-256 "), "{got}");
    package.push(0);
    let ArchiveError::Package { got, .. } = with(&package) else { panic!() };
    assert_eq!(got, format!("{} bytes", package.len()));
}

#[test]
fn what_is_cut_off_goes_on_or_is_no_archive_is_told() {
    let world = pinned(RUSTC);
    let bytes = fs::read(archive(&world)).unwrap();
    let length = archive_length(&world.lock(TOOLS));
    for cut in [bytes.len() - 1, bytes.len() - 1024, bytes.len() / 2] {
        let error = reason(refused(&world, &bytes[..cut]));
        assert!(
            matches!(error, ArchiveError::Truncated { expected, got } if expected == length && got == cut as u64),
            "{error}"
        );
    }
    assert!(matches!(reason(refused(&world, b"")), ArchiveError::Truncated { got: 0, .. }));
    // Cut inside the lock.
    let error = reason(refused(&world, &bytes[..700]));
    assert!(matches!(error, ArchiveError::Format(_) | ArchiveError::Lock(_)), "{error}");
    // It ends before its package, and is as long as it should be.
    let lock = world.lock(TOOLS);
    let mut ended = tar(&[Member::File(LOCK_NAME, lock.text().as_bytes())]);
    ended.resize(bytes.len(), 0);
    let error = reason(refused(&world, &ended));
    let expected = lock.packages()[0].stored_name();
    assert!(
        matches!(&error, ArchiveError::Unexpected { expected: name, got } if name.contains(&expected) && got == "the end"),
        "{error}"
    );
    let error = reason(refused(&world, &[&bytes[..], &[0; 512]].concat()));
    assert!(matches!(error, ArchiveError::Trailing { expected, .. } if expected == length), "{error}");
    let error = reason(refused(&world, &[b'x'; 2048]));
    assert!(matches!(error, ArchiveError::Format(_)), "{error}");
    // A folder, as would be a pipe or a device.
    let error = reason(import(world.dir.path(), None, &cut_off(&world, "away"), &Silent).unwrap_err());
    assert!(matches!(error, ArchiveError::NotAFile), "{error}");
}

#[test]
fn a_lock_that_is_none_is_refused() {
    let world = pinned(RUSTC);
    let good = world.lock_text(TOOLS);
    let lock = |text: &[u8]| reason(refused(&world, &tar(&[Member::File(LOCK_NAME, text)])));
    let field = |error: ArchiveError| match error {
        ArchiveError::Lock(LockError::Value { field, .. }) => field,
        other => panic!("{other}"),
    };
    assert_eq!(field(lock(good.replace("name = \"tools\"", "name = \"../tools\"").as_bytes())), "name");
    assert_eq!(field(lock(good.replace("\"bin/rustc\"", "\"/bin/rustc\"").as_bytes())), "tools");
    assert_eq!(field(lock(good.replace("\"bin/rustc\"", "\"../rustc\"").as_bytes())), "tools");
    assert!(matches!(lock(b"\xff"), ArchiveError::LockText));
    let long = lock(&vec![b' '; 300 << 10]);
    assert!(matches!(long, ArchiveError::Lock(LockError::TooLong { .. })), "{long}");
    // The most that locks may name is far more than any toolchain has.
    let package = |n: usize| {
        format!(
            "[[package]]\nname = \"p{n}\"\nversion = \"1\"\narchitecture = \"all\"\nsize = 536870912\nsha256 = \"{n:064}\"\n"
        )
    };
    let text: String = [good].into_iter().chain((0..5).map(package)).collect();
    assert!(matches!(lock(text.as_bytes()), ArchiveError::TooLarge { got } if got > 5 << 29));
}

/// The packages are the lock's, and what is in them is hostile.
#[test]
fn a_bomb_in_a_package_installs_nothing() {
    let mut world = World::new();
    let many: Vec<_> = (0..200_001).map(|_| Member::Dir("d")).collect();
    world.add("bomb", deb(&many));
    let file = world.path("archive.tar");
    export(&file, &with_lock(&world), &Silent).unwrap();
    assert!(file.metadata().unwrap().len() < 100_000);
    let away = cut_off(&world, "away");
    let error = trusting(&world, &file, &away).unwrap_err();
    let ProvisionError::Package { package, source: DebError::TooLarge { what: "members", .. } } = &error
    else {
        panic!("{error}")
    };
    assert_eq!(package, "bomb=1");
    assert_eq!(fs::read_dir(world.path("away/toolchains")).unwrap().count(), 0);
}
