//! Packages that try to write elsewhere, to take all memory, or are no packages.

use std::fs;

use opml_toolchain::provision::deb::DebError;
use opml_toolchain::provision::member::MemberError;
use opml_toolchain::provision::{ProvisionError, fuzz_deb};

use super::support::{Member, World, deb, deb_of, tar, xz};

/// The error of installing one package with these members, of which nothing may be left.
fn refused(members: &[Member]) -> DebError {
    let mut world = World::new();
    world.add("evil", deb(members));
    let before = fs::read_dir(world.dir.path()).unwrap().count();
    let Err(ProvisionError::Package { package, source }) = world.install() else { panic!() };
    assert_eq!(package, "evil=1");
    assert_eq!(world.cached("toolchains"), Vec::<String>::new());
    // Only the cache and the log are new beside it.
    assert_eq!(fs::read_dir(world.dir.path()).unwrap().count(), before + 2);
    source
}

#[test]
fn members_that_lead_out_are_refused() {
    for name in ["../x", "./usr/../../x", "/tmp/x"] {
        let error = refused(&[Member::File(name, b"x")]);
        assert!(matches!(&error, DebError::Member(MemberError::Escapes(path)) if path == name), "{error}");
    }
    for target in ["/etc/passwd", "../../x", "y/../../../x"] {
        let error = refused(&[Member::Link("usr/link", target)]);
        assert!(matches!(&error, DebError::Member(MemberError::Escapes(_))), "{error}");
    }
    let error = refused(&[Member::HardLink("usr/link", "../../../etc/passwd")]);
    assert!(matches!(&error, DebError::Member(MemberError::Escapes(_))), "{error}");
}

#[test]
fn nothing_is_written_through_a_link() {
    let error = refused(&[Member::Link("link", "usr"), Member::Dir("usr"), Member::File("link/x", b"x")]);
    assert!(matches!(&error, DebError::Through(path) if path == "link"), "{error}");
    let error = refused(&[Member::Link("x", "y"), Member::File("x", b"x")]);
    assert!(matches!(&error, DebError::Exists(path) if path == "x"), "{error}");
    let members = [Member::Link("x", "y"), Member::HardLink("z", "x")];
    let error = refused(&members);
    assert!(matches!(&error, DebError::HardLink { target, .. } if target == "x"), "{error}");
    let error = refused(&[Member::Device("usr/null")]);
    assert!(matches!(&error, DebError::Kind { kind: '3', .. }), "{error}");
}

#[test]
fn two_packages_can_not_share_a_file() {
    let mut world = World::new();
    world.add("one", deb(&[Member::File("same", b"1")]));
    world.add("two", deb(&[Member::File("same", b"2")]));
    let Err(ProvisionError::Package { source: DebError::Exists(path), .. }) = world.install() else {
        panic!()
    };
    assert_eq!(path, "same");
}

#[test]
fn bombs_are_cut_off() {
    let bomb = deb(&[Member::File("big", &vec![0; 40 << 20])]);
    assert!(bomb.len() < 20_000);
    let error = fuzz_deb(&bomb).unwrap_err();
    assert!(matches!(error, DebError::TooLarge { what: "bytes", limit } if limit == 16 << 20), "{error}");

    let many: Vec<_> = (0..10_001).map(|_| Member::Dir("d")).collect();
    let error = fuzz_deb(&deb(&many)).unwrap_err();
    assert!(matches!(error, DebError::TooLarge { what: "members", limit: 10_000 }), "{error}");

    let long = "n".repeat(5_000);
    let error = fuzz_deb(&deb(&[Member::File(&long, b"")])).unwrap_err();
    assert!(matches!(error, DebError::Member(MemberError::Name("too long"))), "{error}");
}

#[test]
fn every_compression_is_read() {
    let tar = tar(&[Member::File("x", b"x")]);
    fuzz_deb(&deb_of("data.tar", &tar)).unwrap();
    fuzz_deb(&deb_of("data.tar.xz", &xz(&tar))).unwrap();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gz, &tar).unwrap();
    fuzz_deb(&deb_of("data.tar.gz", &gz.finish().unwrap())).unwrap();
    let zst = ruzstd::encoding::compress_to_vec(&tar[..], ruzstd::encoding::CompressionLevel::Fastest);
    fuzz_deb(&deb_of("data.tar.zst", &zst)).unwrap();

    let error = fuzz_deb(&deb_of("data.tar.bz2", &tar)).unwrap_err();
    assert!(matches!(&error, DebError::NoData(name) if name == "data.tar.bz2"), "{error}");
    // Damage in the compressed data is found before its end.
    let mut damaged = deb_of("data.tar.xz", &xz(&tar));
    let middle = damaged.len() - 40;
    damaged[middle] ^= 0xff;
    assert!(matches!(fuzz_deb(&damaged), Err(DebError::Io(_))));
}
