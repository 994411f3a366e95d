//! The same model gives the same bytes wherever, and by whomever, it is built.
//!
//! What differs between the two builds: the checkout's path, the cache's path (so that `core` and `alloc` are
//! built anew), home, locale, umask, time zone, terminal width, and everything that cargo reads from the
//! environment or from a home.

mod common;

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

/// Settings for the host's cargo, which resolves the checkout; they have to stay the same, as it would
/// otherwise load the registry again.
fn keep_cargo_home(command: &mut Command) {
    let home = |variable: &str, folder: &str| {
        let own = std::env::var_os(variable).map(PathBuf::from);
        own.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(folder)))
    };
    for (variable, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        if let Some(path) = home(variable, folder) {
            command.env(variable, path);
        }
    }
}

/// `command` with another umask, home and locale, and with variables that change what compilers do.
fn strange(command: &Command, home: &Path) -> Command {
    let mut strange = Command::new("sh");
    strange.args(["-c", "umask 077; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
    strange.current_dir(home);
    for (name, value) in command.get_envs() {
        strange.env(name, value.expect("the command removes no variable"));
    }
    keep_cargo_home(&mut strange);
    strange.env("HOME", home).env("LC_ALL", "tr_TR.UTF-8").env("TZ", "Pacific/Chatham").env("COLUMNS", "40");
    strange.env("RUSTFLAGS", "-Copt-level=0").env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
    strange.env("SOURCE_DATE_EPOCH", "1").env("RAYON_NUM_THREADS", "1");
    strange
}

#[test]
fn two_checkouts_give_the_same_bytes() {
    let places = tempfile::tempdir().expect("there is room");
    let (plain, strange_place) = (FreshCheckout::new(), FreshCheckout::new());
    // Deeper than the other, and of another length.
    let cache = places.path().join("a much longer path/to the/cache of another user");
    let home = places.path().join("home");
    other_cache(&cache);
    // A user's configuration must not reach the guest.
    fs::create_dir_all(home.join(".cargo")).expect("the folder can be made");
    let config = "[profile.release]\nopt-level = 1\n[build]\nrustflags = [\"-Cdebuginfo=0\"]\n";
    fs::write(home.join(".cargo/config.toml"), config).expect("the file can be written");
    fs::create_dir_all(strange_place.root().join(".cargo")).expect("the folder can be made");
    fs::write(strange_place.root().join(".cargo/config.toml"), config).expect("the file can be written");

    let (first, second) = (places.path().join("first"), places.path().join("second"));
    let onnx = model("mlp.onnx");
    assert!(build(&mut common::build_model(plain.root(), &onnx, &first)), "a fresh checkout is compiled");
    let mut other = common::build_model(strange_place.root(), &onnx, &second);
    other.env("OPML_CACHE_DIR", &cache);
    assert!(build(&mut strange(&other, &home)), "the other one as well");

    let (first, second) = (outputs(&first), outputs(&second));
    assert_eq!(hashes(&first), hashes(&second));
}
