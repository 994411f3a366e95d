//! The second provider: the user's own Rust toolchain with the component `rust-src`. Its version is
//! whatever the user has, so what it builds is marked non-reference.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Options;
use super::cache::Cache;
use super::error::ProvisionError;
use super::search;
use super::toolchain::{Layout, Source, Toolchain};

/// Finds the toolchain that `rustc` on the search path belongs to.
///
/// # Errors
/// [`ProvisionError::Rustup`] naming what is missing and the command that brings it;
/// [`ProvisionError::DoesNotRun`].
pub fn find(options: &Options) -> Result<Toolchain, ProvisionError> {
    let layout = layout(options)?;
    let identity = layout.identify(Source::Rustup, None)?;
    Ok(Toolchain::new(layout, identity))
}

fn layout(options: &Options) -> Result<Layout, ProvisionError> {
    let search_path = options.search_path();
    let on_path = |name: &str| search::program(name, &search_path);
    let shim = on_path("rustc").ok_or_else(|| {
        missing("no rustc on PATH".into(), "install Rust with rustup, then `rustup component add rust-src`")
    })?;
    // The program on the path may be rustup's, which picks a toolchain by the environment: ask it for the
    // real one, with that environment.
    let mut ask = Command::new(&shim);
    let sysroot = search::output(ask.args(["--print", "sysroot"]).env("PATH", &search_path))?;
    let sysroot = PathBuf::from(sysroot);
    let rust_library = sysroot.join("lib/rustlib/src/rust/library");
    if !rust_library.join("core/src/lib.rs").is_file() {
        return Err(missing(
            format!("{} has no Rust library source", rust_library.display()),
            "run `rustup component add rust-src`",
        ));
    }
    let tool = |name: &str| {
        let own = sysroot.join("bin").join(name);
        if search::is_executable(&own) { Some(own) } else { on_path(name) }
    };
    let rustc = tool("rustc").unwrap_or(shim);
    let cargo = tool("cargo").ok_or_else(|| {
        missing("no cargo beside rustc nor on PATH".into(), "run `rustup component add cargo`")
    })?;
    let lld = bundled_lld(&sysroot)?.or_else(|| on_path("ld.lld")).ok_or_else(|| {
        let missing_lld = "no gcc-ld/ld.lld in the toolchain and no ld.lld on PATH";
        missing(missing_lld.into(), "install lld with the system's package manager")
    })?;
    Ok(Layout {
        rustc,
        cargo,
        clang: on_path("clang"),
        lld,
        rust_library,
        library_path: Vec::new(),
        cargo_home: Cache::new(options.cache_dir.as_deref())?.cargo_home(),
    })
}

/// The `ld.lld` that comes with rustc: a small program that starts the `rust-lld` beside its folder.
fn bundled_lld(sysroot: &Path) -> Result<Option<PathBuf>, ProvisionError> {
    let hosts = super::cache::entries(&sysroot.join("lib/rustlib"))?;
    let mut linkers = hosts.into_iter().map(|host| host.join("bin/gcc-ld/ld.lld"));
    Ok(linkers.find(|path| search::is_executable(path)))
}

fn missing(missing: String, fix: &'static str) -> ProvisionError {
    ProvisionError::Rustup { missing, fix }
}
