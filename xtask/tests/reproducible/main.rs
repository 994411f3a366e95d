//! The same model gives the same bytes wherever, and by whomever, it is built.
//!
//! | what is varied | how |
//! |---|---|
//! | the checkout's path, cold caches, `CARGO_HOME`, home | [`two_machines_give_the_same_bytes`]: folders of its own |
//! | umask, locale, time zone, compilers' and proxies' variables | the same: the environment of the process |
//! | clock, host name, user, number of cores, the order of files in folders | the same: `strange.c`, in every process of the build |
//! | where the guest's crates come from | [`elsewhere`]: outside the workspace, git, vendored, a registry |

#[path = "../common/mod.rs"]
mod common;
mod elsewhere;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{FreshCheckout, build, hashes, model, outputs};
use opml_toolchain::provision::{Options, cache::Cache};

/// A cache folder at another path with the toolchains that are installed, but without what is built from them.
fn other_cache(dir: &Path) {
    let options = Options::from_env().expect("OPML_TOOLCHAIN names a provider");
    let cache = Cache::new(options.cache_dir.as_deref()).expect("there is a cache");
    fs::create_dir_all(dir).expect("the folder can be made");
    symlink(cache.root().join("toolchains"), dir.join("toolchains")).expect("a link can be made");
}

/// A folder of the user: the one that `variable` names, or the one below the home.
pub fn user_folder(variable: &str, below_home: &str) -> PathBuf {
    let own = std::env::var_os(variable).map(PathBuf::from);
    own.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").expect("there is a home")).join(below_home))
}

/// A cargo home at another path with the archives that were downloaded, so that no network is needed, but without what was unpacked
/// from them; and with settings that must not reach the guest.
fn other_cargo_home(dir: &Path) {
    let registry = user_folder("CARGO_HOME", ".cargo").join("registry");
    fs::create_dir_all(dir.join("registry")).expect("the folder can be made");
    for name in ["cache", "index"] {
        symlink(registry.join(name), dir.join("registry").join(name)).expect("a link can be made");
    }
    fs::write(dir.join("config.toml"), CONFIGURATION).expect("the file can be written");
}

/// Of cargo; in the home and in the checkout.
const CONFIGURATION: &str = "[profile.release]\nopt-level = 1\n[build]\nrustflags = [\"-Cdebuginfo=0\"]\n[env]\nCARGO_PKG_NAME = \"x\"\n";

/// Compiles `strange.c`, which writes the processes that it is loaded into to `log`.
fn strange_library(dir: &Path, log: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reproducible/strange.c");
    let library = dir.join("libstrange.so");
    let mut compiler = cc::Build::new();
    compiler.host(HOST).target(HOST).opt_level(1).cargo_metadata(false).pic(true);
    let mut command = compiler.get_compiler().to_command();
    command.args(["-shared", "-Wall", "-Werror"]).arg(format!("-DLOG=\"{}\"", log.display()));
    command.arg(source).arg("-o").arg(&library).arg("-ldl");
    let ran = common::run(&mut command);
    assert_eq!(ran.code, Some(0), "the host's C compiler, which the README asks for: {}", ran.stderr);
    library
}

/// What the guest toolchain runs on.
const HOST: &str = "x86_64-unknown-linux-gnu";

/// `command` on what looks like another machine of another user.
fn strange(command: &Command, place: &Path) -> (Command, PathBuf) {
    let (home, log) = (place.join("home"), place.join("processes"));
    fs::create_dir_all(&home).expect("the folder can be made");
    other_cargo_home(&place.join("cargo home"));
    let mut strange = Command::new("sh");
    strange.args(["-c", "umask 077; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
    strange.current_dir(&home);
    for (name, value) in command.get_envs() {
        strange.env(name, value.expect("the command removes no variable"));
    }
    strange.env("RUSTUP_HOME", user_folder("RUSTUP_HOME", ".rustup"));
    strange.env("CARGO_HOME", place.join("cargo home"));
    strange
        .env("HOME", &home)
        .env("USER", "stranger")
        .env("LOGNAME", "stranger")
        .env("HOSTNAME", "strange-host");
    strange.env("LC_ALL", "tr_TR.UTF-8").env("TZ", "Pacific/Chatham").env("COLUMNS", "40");
    strange.env("RUSTFLAGS", "-Copt-level=0").env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
    strange.env("CARGO_BUILD_JOBS", "1").env("RAYON_NUM_THREADS", "1").env("SOURCE_DATE_EPOCH", "1");
    strange
        .env("CC", "false")
        .env("CFLAGS", "-O0")
        .env("LD_LIBRARY_PATH", "/nonexistent")
        .env("LDFLAGS", "-s");
    strange.env("RUSTC_BOOTSTRAP", "0").env("RUST_BACKTRACE", "full").env("LLD_VERSION", "0");
    for proxy in ["http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
        strange.env(proxy, "http://localhost:9");
    }
    strange.env("LD_PRELOAD", strange_library(place, &log));
    (strange, log)
}

#[test]
fn two_machines_give_the_same_bytes() {
    let places = tempfile::tempdir().expect("there is room");
    let (plain, strange_place) = (FreshCheckout::new(), FreshCheckout::new());
    // Deeper than the other, and of another length.
    let cache = places.path().join("a much longer path/to the/cache of another user");
    other_cache(&cache);
    // A user's configuration must not reach the guest.
    fs::create_dir_all(strange_place.root().join(".cargo")).expect("the folder can be made");
    fs::write(strange_place.root().join(".cargo/config.toml"), CONFIGURATION)
        .expect("the file can be written");

    let (first, second) = (places.path().join("first"), places.path().join("second"));
    let onnx = model("mlp.onnx");
    assert!(build(&mut common::build_model(plain.root(), &onnx, &first)), "a fresh checkout is compiled");
    let mut other = common::build_model(strange_place.root(), &onnx, &second);
    other.env("OPML_CACHE_DIR", &cache);
    let (mut other, log) = strange(&other, places.path());
    assert!(build(&mut other), "the other one as well");

    let processes = fs::read_to_string(log).expect("the library was loaded");
    for tool in ["xtask", "cargo", "rustc", "lld"] {
        assert!(processes.lines().any(|line| line.ends_with(tool)), "{tool} ran elsewhere: {processes}");
    }
    let (first, second) = (outputs(&first), outputs(&second));
    assert_eq!(hashes(&first), hashes(&second));
}
