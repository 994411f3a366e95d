//! The toolchain as one file: from the cache of this machine to one that has nothing and reaches nobody.

mod common;

use std::fs;
use std::path::Path;

use common::{FreshCheckout, checkout, require_toolchain, run, xtask, xtask_in};
use opml_toolchain::provision::{Lock, Options, Tool, find};

/// What a test says that misses the packages: it fails, as a test that did not run has shown nothing.
const SET_UP: &str = "the packages of the toolchain are not in the cache: `cargo xtask test` fetches them";

#[test]
fn an_exported_toolchain_works_where_nothing_can_be_downloaded() {
    require_toolchain();
    let place = tempfile::tempdir().expect("there is room");
    let (archive, cache) = (place.path().join("toolchain.tar"), place.path().join("cache"));
    let ran = run(xtask().args(["toolchain", "export", "--offline"]).arg(&archive));
    assert_eq!(ran.code, Some(0), "{SET_UP}\n{}", ran.stderr);

    // No package manager, and no program at all.
    let away = |arguments: &[&str], file: &Path| {
        let mut command = xtask();
        command.env("PATH", place.path().join("nothing")).env("OPML_CACHE_DIR", &cache);
        run(command.args(arguments).arg(file))
    };
    let ran = away(&["toolchain", "import"], &archive);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let there = Options { offline: true, cache_dir: Some(cache.clone()), ..Options::default() };
    let imported = find(&there).expect("it can be read").expect("it was imported");
    let own = find(&Options::default()).expect("it can be read").expect("it is installed");
    assert_eq!(imported.identity(), own.identity());
    for tool in Tool::ALL {
        let output = imported.command(tool).arg("--version").output().expect("it can be started");
        assert!(output.status.success(), "{}: {}", tool.name(), String::from_utf8_lossy(&output.stderr));
        assert!(imported.path(tool).expect("it is there").starts_with(&cache));
    }

    // From there on to the next, to the byte.
    let again = place.path().join("again.tar");
    let ran = away(&["toolchain", "export", "--offline"], &again);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(fs::read(&archive).expect("it was written") == fs::read(&again).expect("it was written"));
}

#[test]
fn what_is_refused_is_told_apart_from_what_is_not_there() {
    let place = tempfile::tempdir().expect("there is room");
    let import = |file: &Path| {
        run(xtask().env("OPML_CACHE_DIR", place.path().join("cache")).args(["toolchain", "import"]).arg(file))
    };
    import(&place.path().join("nowhere.tar")).assert_fails(2, &["nowhere.tar"]);
    let file = place.path().join("hostile.tar");
    fs::write(&file, [b'x'; 4096]).expect("the file can be written");
    import(&file).assert_fails(1, &["the archive is refused", "toolchain export"]);

    let ran = run(xtask().args(["toolchain", "export", "--lock", &"0".repeat(64)]).arg(&file));
    ran.assert_fails(2, &["no lock with SHA-256 000"]);
}

/// No program is built with the test tools, so this is the whole of it without a build.
#[test]
fn an_update_names_what_changes_and_writes_when_told() {
    const LOCK: &str = "tests/test-tools.lock";
    let copy = FreshCheckout::new();
    let old = fs::read_to_string(checkout().join(LOCK)).expect("the checkout has it");
    let parsed = Lock::parse(&old).expect("it is good");
    let package = &parsed.packages()[0];
    let new = old.replacen(&format!("version = \"{}\"", package.version()), "version = \"9:9\"", 1);
    let file = copy.root().join("new.lock");
    fs::write(&file, &new).expect("the file can be written");
    let update = |more: &[&str]| {
        let mut command = xtask_in(copy.root());
        command.args(["toolchain", "update", "test-tools", "--offline", "--lock"]).arg(&file);
        let ran = run(command.args(more));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let row = ran.stdout.lines().find(|line| line.contains(package.name())).unwrap_or_default();
        assert!(row.contains(package.version()) && row.contains("9:9"), "{}", ran.stdout);
        fs::read_to_string(copy.root().join(LOCK)).expect("it is there")
    };
    assert_eq!(update(&[]), old);
    assert_eq!(update(&["--write"]), new);
}

#[test]
fn an_update_to_the_same_lock_changes_nothing() {
    let place = tempfile::tempdir().expect("there is room");
    let file = place.path().join("new.lock");
    fs::write(&file, Lock::guest().expect("it is good").text()).expect("the file can be written");
    let update = || run(xtask().args(["toolchain", "update", "--offline", "--lock"]).arg(&file));
    let ran = update();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("nothing has changed"), "{}", ran.stdout);
    fs::write(&file, "schema = 1\n").expect("the file can be written");
    update().assert_fails(2, &["the lock can't be read"]);
}
