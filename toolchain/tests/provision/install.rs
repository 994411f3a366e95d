//! Installing, and each way in which it fails.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use opml_toolchain::progress::Silent;
use opml_toolchain::provision::{Lock, ProvisionError, ensure_tools, propose, remove};

use super::support::{Member, World, deb, write_program};

fn two_packages() -> World {
    let mut world = World::new();
    world.add(
        "alpha",
        deb(&[
            Member::Dir("./"),
            Member::Dir("./usr/"),
            Member::Program("./usr/bin/alpha", b"#!/bin/sh\n"),
            Member::Link("./usr/bin/alias", "../lib/beta"),
            Member::HardLink("./usr/bin/again", "./usr/bin/alpha"),
        ]),
    );
    world.add("beta", deb(&[Member::File("./usr/lib/beta", b"library")]));
    world
}

#[test]
fn a_good_lock_is_installed_once() {
    let world = two_packages();
    let tools = ensure_tools(&world.lock("alpha = \"usr/bin/alpha\""), &world.options(), &Silent).unwrap();
    let alpha = &tools.paths["alpha"];
    assert_eq!(fs::read(alpha).unwrap(), b"#!/bin/sh\n");
    // The set-user-id bit of the archive is not taken over.
    assert_eq!(alpha.metadata().unwrap().permissions().mode() & 0o7777, 0o755);
    assert_eq!(fs::read(tools.root.join("usr/bin/alias")).unwrap(), b"library");
    assert_eq!(fs::read(tools.root.join("usr/bin/again")).unwrap(), b"#!/bin/sh\n");
    assert_eq!(world.log(), ["update", "download alpha=1 beta=1"]);
    // Packages are kept for an export, and a second time nothing is asked of anyone.
    let lock = world.lock("alpha = \"usr/bin/alpha\"");
    assert_eq!(world.cached("downloads"), World::kept(&lock, [0, 1]));
    assert_eq!(world.cached("locks"), [format!("{}.lock", lock.sha256())]);
    ensure_tools(&lock, &world.options(), &Silent).unwrap();
    assert_eq!(world.log().len(), 2);
}

#[test]
fn a_wrong_package_is_named_and_removed() {
    let world = two_packages();
    let lock = world.lock("");
    let path = world.path(&format!("repo/{}", lock.packages()[1].file_name()));
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, &bytes).unwrap();
    let Err(ProvisionError::WrongPackage { package, expected, got }) = world.install() else { panic!() };
    assert_eq!(package, "beta=1");
    assert_eq!(expected, format!("SHA-256 {}", lock.packages()[1].sha256()));
    assert!(got.starts_with("SHA-256 ") && got != expected, "{got}");
    // The good one stays for the next try, the bad one is gone, nothing is installed.
    assert_eq!(world.cached("downloads"), World::kept(&lock, [0]));
    assert_eq!(world.cached("toolchains"), Vec::<String>::new());

    bytes.push(0);
    fs::write(&path, &bytes).unwrap();
    let Err(ProvisionError::WrongPackage { got, .. }) = world.install() else { panic!() };
    assert_eq!(got, format!("{} bytes", bytes.len()));

    *bytes.iter_mut().rev().nth(1).unwrap() ^= 1;
    bytes.pop();
    fs::write(&path, &bytes).unwrap();
    world.install().unwrap();
    assert_eq!(world.log().last().unwrap(), "download beta=1");
}

#[test]
fn without_a_network_the_last_lines_are_shown() {
    let world = two_packages();
    world.apt_get("echo 'E: Could not resolve the mirror'; exit 100", "exit 1");
    let Err(ProvisionError::Apt { command, tail, .. }) = world.install() else { panic!() };
    assert_eq!((command, tail.as_str()), ("apt-get update", "E: Could not resolve the mirror"));

    // The real one's update goes well without a network; only then are packages unknown.
    world.apt_get("echo 'W: Failed to fetch mirror'", "echo 'E: Unable to locate package alpha'; exit 100");
    let Err(ProvisionError::Apt { command, tail, .. }) = world.install() else { panic!() };
    assert_eq!((command, tail.as_str()), ("apt-get update", "W: Failed to fetch mirror"));

    world.apt_get("exit 0", "echo 'E: Connection reset'; exit 100");
    let Err(ProvisionError::Apt { command, tail, .. }) = world.install() else { panic!() };
    assert_eq!((command, tail.as_str()), ("apt-get download", "E: Connection reset"));

    // One that claims to have done what it has not.
    world.apt_get("exit 0", "exit 0");
    let Err(ProvisionError::Apt { tail, .. }) = world.install() else { panic!() };
    assert!(tail.contains("alpha_1_"), "{tail}");
}

#[test]
fn a_vanished_version_is_named() {
    let world = two_packages();
    world.apt_get("exit 0", "echo \"E: Version '1' for 'beta' was not found\" >&2; exit 100");
    let Err(ProvisionError::Vanished { packages }) = world.install() else { panic!() };
    assert_eq!(packages, ["beta=1"]);

    world.apt_get("exit 0", "echo 'E: Failed to fetch x://y/beta_1_'*'.deb  404  Not Found'; exit 100");
    let name = world.lock("").packages()[1].file_name();
    world.apt_get("exit 0", &format!("echo 'E: Failed to fetch x://y/{name}  404  Not Found'; exit 100"));
    let Err(ProvisionError::Vanished { packages }) = world.install() else { panic!() };
    assert_eq!(packages, ["beta=1"]);
}

#[test]
fn a_full_disk_is_told_by_the_package_manager() {
    let world = two_packages();
    world.apt_get("exit 0", "echo 'E: Write error - write (28: No space left on device)'; exit 100");
    assert!(matches!(world.install(), Err(ProvisionError::DiskFull { .. })));
}

#[test]
fn offline_takes_what_is_there_and_starts_nothing() {
    let world = two_packages();
    let mut options = world.options();
    options.offline = true;
    let lock = world.lock("");
    let Err(ProvisionError::Offline { id, .. }) = ensure_tools(&lock, &options, &Silent) else { panic!() };
    assert_eq!(id, lock.id());
    // Packages that are in the cache are enough.
    for package in lock.packages() {
        let kept = world.path("cache/downloads").join(package.stored_name());
        fs::copy(world.path("repo").join(package.file_name()), kept).unwrap();
    }
    ensure_tools(&lock, &options, &Silent).unwrap();
    assert_eq!(world.log(), Vec::<String>::new());
}

#[test]
fn a_system_without_the_package_manager_and_another_processor_are_told() {
    let world = two_packages();
    let options = world.options_with_path(world.path("repo").into());
    assert!(matches!(ensure_tools(&world.lock(""), &options, &Silent), Err(ProvisionError::NoApt)));

    let text = "schema = 1\nhost-architecture = \"vax\"\nlibrary-path = []\n[tools]\n[recipe]\nroots = []\n\
                omit = []\n[[package]]\nname = \"aa\"\nversion = \"1\"\narchitecture = \"vax\"\nsize = 1\n";
    let lock = Lock::parse(&format!("{text}sha256 = \"{}\"\n", "0".repeat(64))).unwrap();
    let Err(ProvisionError::Architecture { expected, .. }) = ensure_tools(&lock, &world.options(), &Silent)
    else {
        panic!()
    };
    assert_eq!(expected, "linux vax");
}

#[test]
fn a_tool_that_is_not_in_its_packages_is_told() {
    let world = two_packages();
    let lock = world.lock("gamma = \"usr/bin/gamma\"");
    let Err(ProvisionError::NoTool { tool, path }) = ensure_tools(&lock, &world.options(), &Silent) else {
        panic!()
    };
    assert_eq!((tool.as_str(), path.as_str()), ("gamma", "usr/bin/gamma"));
    assert_eq!(world.cached("toolchains"), Vec::<String>::new());
}

#[test]
fn removing_leaves_nothing_and_is_repeatable() {
    let world = two_packages();
    assert_eq!(remove(&world.options(), &Silent).unwrap().len(), 0);
    let root = world.install().unwrap().root;
    assert!(remove(&world.options(), &Silent).unwrap().contains(&root));
    assert!(!root.exists());
    for folder in ["toolchains", "downloads", "locks"] {
        assert_eq!(world.cached(folder), Vec::<String>::new(), "{folder}");
    }
    world.install().unwrap();
}

#[test]
fn a_lock_is_proposed_from_the_package_lists() {
    let world = two_packages();
    let record = |name: &str, more: &str| {
        format!(
            "Package: {name}\nArchitecture: all\nVersion: 2\nSize: 7\nSHA256: {}\n{more}\n",
            name[..1].repeat(64)
        )
    };
    let alpha = record("alpha", "Depends: libc6 (>= 2), beta (= 1) | gamma");
    let script = format!(
        "#!/bin/sh\nshift 4\nfor p; do case $p in\nalpha) echo '{alpha}' ;;\nbeta) echo '{}' ;;\nesac; done\n",
        record("beta", "")
    );
    write_program(&world.path("bin/apt-cache"), &script);
    let text = |root: &str| {
        format!(
            "schema = 1\nhost-architecture = \"amd64\"\nlibrary-path = []\n[tools]\n[recipe]\n\
             roots = [\"{root}\"]\nomit = [\"libc6\"]\n[recipe.keep]\nbeta = [\"usr/lib\"]\n[[package]]\n\
             name = \"old\"\nversion = \"1\"\narchitecture = \"all\"\nsize = 1\nsha256 = \"{}\"\n",
            "0".repeat(64)
        )
    };
    let old = Lock::parse(&text("alpha")).unwrap();
    let new = Lock::parse(&propose(&old, &world.options(), &Silent).unwrap()).unwrap();
    let packages: Vec<_> = new.packages().iter().map(|package| package.to_string()).collect();
    assert_eq!(packages, ["alpha=2", "beta=2"]);
    assert_eq!(new.recipe(), old.recipe());
    let changes = |from: &Lock, to: &Lock| {
        let changes = from.package_changes(to).into_iter();
        changes.map(|change| (change.name, change.old, change.new)).collect::<Vec<_>>()
    };
    let text_of = |text: &str| Some(text.to_owned());
    let expected = [("alpha", None, text_of("2")), ("beta", None, text_of("2")), ("old", text_of("1"), None)];
    assert_eq!(changes(&old, &new), expected.map(|(name, old, new)| (name.to_owned(), old, new)));
    assert_eq!(changes(&new, &new), []);
    let rebuilt = Lock::parse(&new.text().replace(&"a".repeat(64), &"c".repeat(64))).unwrap();
    assert_eq!(changes(&new, &rebuilt), [("alpha".into(), text_of("2"), text_of("2"))]);
    // From the same lists the same text.
    let again = propose(&new, &world.options(), &Silent).unwrap();
    assert_eq!(Lock::parse(&again).unwrap().sha256(), new.sha256());

    let unknown = Lock::parse(&text("delta")).unwrap();
    let Err(ProvisionError::Unknown(names)) = propose(&unknown, &world.options(), &Silent) else { panic!() };
    assert_eq!(names, ["delta"]);
}
