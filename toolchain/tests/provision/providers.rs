//! The two providers of a toolchain, on tools that the tests lay out.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use opml_toolchain::progress::Silent;
use opml_toolchain::provision::{
    Lock, Options, PASSED_ON, Provider, ProvisionError, Source, Tool, Toolchain, doctor, ensure, find,
};

use super::support::{RUSTC, TOOLS, World, pinned, write_program};

fn ensure_lock(lock: &Lock, options: &Options) -> Result<Toolchain, ProvisionError> {
    ensure(&Options { lock: Some(lock.clone()), ..options.clone() }, &Silent)
}

/// A rustup toolchain in `root`, reached by a shim as rustup's own.
fn lay_out_rustup(world: &World) {
    let sysroot = world.path("sysroot");
    let shim = format!("#!/bin/sh\n[ \"$1\" = --print ] && echo {}\n", sysroot.display());
    write_program(&world.path("bin/rustc"), &shim);
    write_program(&sysroot.join("bin/rustc"), "#!/bin/sh\necho 'rustc 7'\necho 'LLVM version: 6'\n");
    write_program(&sysroot.join("bin/cargo"), "#!/bin/sh\necho 'cargo 7'\n");
    write_program(&sysroot.join("lib/rustlib/some-host/bin/gcc-ld/ld.lld"), "#!/bin/sh\necho 'LLD 6'\n");
    let core = sysroot.join("lib/rustlib/src/rust/library/core/src");
    fs::create_dir_all(&core).unwrap();
    fs::write(core.join("lib.rs"), "").unwrap();
}

fn only_bin(world: &World) -> Options {
    world.options_with_path(world.path("bin").into_os_string())
}

#[test]
fn the_pinned_toolchain_says_what_it_is() {
    let world = pinned(RUSTC);
    let lock = world.lock(TOOLS);
    let toolchain = ensure_lock(&lock, &world.options()).unwrap();
    let identity = toolchain.identity();
    assert!(identity.is_reference());
    assert_eq!(identity.lock_sha256.as_deref(), Some(lock.sha256()));
    assert_eq!((identity.rustc.as_str(), identity.llvm.as_str()), ("rustc 9.9", "8.7"));
    assert_eq!((identity.clang.as_deref(), identity.lld.as_str()), (Some("clang 1"), "LLD 2"));
    assert!(toolchain.path(Tool::Cargo).unwrap().ends_with("bin/cargo"));
    assert!(toolchain.rust_library().join("core/src/lib.rs").is_file());
    assert_eq!(toolchain.vendored_crates(), Some(toolchain.rust_library().join("vendor")));
    // The second time it is read, not asked.
    let again = ensure_lock(&lock, &world.options()).unwrap();
    assert_eq!(again.identity(), identity);
}

#[test]
fn a_damaged_installation_is_told() {
    let world = pinned(RUSTC);
    let lock = world.lock(TOOLS);
    let toolchain = ensure_lock(&lock, &world.options()).unwrap();
    let damage = || match ensure_lock(&lock, &world.options()) {
        Err(ProvisionError::Damaged { detail, .. }) => detail,
        other => panic!("{other:?}"),
    };
    fs::remove_file(toolchain.path(Tool::Lld).unwrap()).unwrap();
    assert_eq!(damage(), "bin/ld.lld is gone");
    let identity = toolchain.rust_library().parent().unwrap().join("identity.json");
    fs::write(identity, "{").unwrap();
    assert!(damage().starts_with("identity.json: "));
}

#[test]
fn tools_get_a_clean_environment() {
    let world = pinned(RUSTC);
    let toolchain = ensure_lock(&world.lock(TOOLS), &world.options()).unwrap();
    // Cargo sets it for tests; any variable that is not on the list would do.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let output = toolchain.command(Tool::Cargo).arg("env").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut names: Vec<_> =
        text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    // The shell's own, and those that this machine may not have.
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    names.retain(|name| !PASSED_ON.iter().any(|(passed, _)| passed == name));
    names.sort();
    let expected =
        ["CARGO_HOME", "LC_ALL", "LD_LIBRARY_PATH", "RUSTC", "RUSTC_BOOTSTRAP", "SOURCE_DATE_EPOCH"];
    assert_eq!(names, expected);
    let rustc = toolchain.path(Tool::Rustc).unwrap().display();
    assert!(text.contains(&format!("RUSTC={rustc}\n")), "{text}");
}

#[test]
fn tools_that_do_not_run_are_not_installed() {
    let world = pinned(b"#!/bin/sh\necho 'GLIBC_2.99 not found' >&2\nexit 1\n");
    let options = Options { provider: Provider::Pinned, ..world.options() };
    let Err(ProvisionError::DoesNotRun { path, detail }) = ensure_lock(&world.lock(TOOLS), &options) else {
        panic!()
    };
    assert!(path.ends_with("bin/rustc") && detail.contains("GLIBC_2.99"), "{detail}");
    assert_eq!(world.cached("toolchains"), Vec::<String>::new());
}

#[test]
fn a_rustup_toolchain_is_found_and_marked() {
    let world = pinned(RUSTC);
    lay_out_rustup(&world);
    let options = Options { provider: Provider::Rustup, ..only_bin(&world) };
    let toolchain = find(&options).unwrap().unwrap();
    assert_eq!(toolchain.identity().source, Source::Rustup);
    assert!(!toolchain.identity().is_reference());
    assert_eq!(toolchain.identity().rustc, "rustc 7");
    assert_eq!(toolchain.path(Tool::Rustc).unwrap(), world.path("sysroot/bin/rustc"));
    assert!(toolchain.path(Tool::Lld).unwrap().ends_with("gcc-ld/ld.lld"));
    let Err(ProvisionError::Rustup { missing, .. }) = toolchain.path(Tool::Clang) else { panic!() };
    assert_eq!(missing, "no clang on PATH");
}

#[test]
fn what_a_rustup_toolchain_lacks_is_named() {
    let world = pinned(RUSTC);
    lay_out_rustup(&world);
    let options = Options { provider: Provider::Rustup, ..only_bin(&world) };
    let lacks = |options: &Options| match find(options) {
        Err(ProvisionError::Rustup { missing, fix }) => (missing, fix),
        other => panic!("{other:?}"),
    };
    fs::remove_dir_all(world.path("sysroot/lib/rustlib/some-host")).unwrap();
    assert!(lacks(&options).0.contains("ld.lld"));
    fs::remove_file(world.path("sysroot/bin/cargo")).unwrap();
    assert_eq!(lacks(&options).1, "run `rustup component add cargo`");
    fs::remove_dir_all(world.path("sysroot/lib/rustlib/src")).unwrap();
    assert_eq!(lacks(&options).1, "run `rustup component add rust-src`");
    fs::remove_file(world.path("bin/rustc")).unwrap();
    assert!(lacks(&options).0.contains("no rustc"));
}

#[test]
fn auto_falls_back_only_where_the_pinned_one_can_not_be() {
    let world = pinned(RUSTC);
    lay_out_rustup(&world);
    // No apt-get: the fall-back says why it is one.
    fs::rename(world.path("bin/apt-get"), world.path("apt-get")).unwrap();
    let toolchain = ensure_lock(&world.lock(TOOLS), &only_bin(&world)).unwrap();
    assert_eq!(toolchain.identity().source, Source::Rustup);
    assert!(toolchain.fallback().unwrap().contains("apt-get"));
    // A network that is down may be up again.
    fs::rename(world.path("apt-get"), world.path("bin/apt-get")).unwrap();
    world.apt_get("exit 100", "exit 100");
    let error = ensure_lock(&world.lock(TOOLS), &world.options()).unwrap_err();
    assert!(matches!(error, ProvisionError::Apt { .. }), "{error}");
}

#[test]
fn the_doctor_finds_and_misses() {
    let world = pinned(RUSTC);
    let empty = doctor(&only_bin(&world));
    assert!(!empty.can_build());
    assert_eq!(empty.pinned[0].problem.as_deref(), Some("not installed"));
    assert!(empty.rustup[0].fix.as_deref().unwrap().contains("rust-src"));
    assert_eq!(empty.system[0].problem.as_deref(), Some("not on PATH"));
    // Looking changes nothing.
    assert!(!Path::new(&world.path("cache")).exists());

    lay_out_rustup(&world);
    write_program(&world.path("bin/cc"), "#!/bin/sh\necho 'cc 1'\n");
    write_program(&world.path("bin/clang"), "#!/bin/sh\necho 'clang 3'\n");
    let report = doctor(&only_bin(&world));
    assert!(report.can_build(), "{report:#?}");
    assert_eq!(report.rustup[0].version.as_deref(), Some("rustc 7"));
    assert_eq!(report.rustup[0].path, Some(world.path("sysroot/bin/rustc")));
    assert!(report.free_bytes.is_some());
}

#[test]
fn providers_have_names_and_cache_folders_have_rules() {
    let Err(ProvisionError::Provider { got }) = "nix".parse::<Provider>() else { panic!() };
    assert_eq!(got, "nix");
    assert_eq!("rustup".parse::<Provider>().unwrap(), Provider::Rustup);
    let options =
        Options { cache_dir: Some("/a:b".into()), search_path: Some(OsString::new()), ..Options::default() };
    assert!(matches!(find(&options), Err(ProvisionError::CacheDir { .. })));
}
