//! Every flag of the guest's compiler and linker, each with its reason.

use std::collections::BTreeMap;
use std::path::Path;

/// What a guest's sources are said to lie in, wherever they do.
pub(crate) const SOURCES: &str = "/opml";

/// The same for the sources of `core` and `alloc`; near the name rustc's own releases give them.
pub(crate) const LIBRARY: &str = "/rustc/library";

/// Where among a guest's sources the generated one lies.
pub(crate) const GENERATED: &str = "guest/src/lib.rs";

/// What one guest may be compiled with and another not.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The settings of its profile.
    pub profile: toml::Table,
    /// Whether panics say where they happened. That is in the image, so that a comment changes its root: who writes a program
    /// wants it all the same, and a generated one has no lines that anybody knows.
    pub locations: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { profile: profile(), locations: false }
    }
}

/// Profile `release` of guest builds, and of the library they are built on.
pub(crate) fn profile() -> toml::Table {
    toml::toml! {
        // Fewer steps are what the guest is compiled for.
        opt-level = 3
        // Inlines kernels into the program, so that static shapes reach their loops.
        lto = "fat"
        // The split into units would depend on nothing but costs inlining; one unit has one order of functions.
        codegen-units = 1
        // There is nothing to unwind to.
        panic = "abort"
        // Source lines of audit findings and of panics; none of it is loaded.
        debug = "full"
        // Wrapping is what the kernels ask for; a check would be steps.
        overflow-checks = false
        debug-assertions = false
        // Incremental builds have other code than clean ones.
        incremental = false
    }
}

/// What rustc gets for every crate of the guest. `sysroot` is none while the sysroot itself is built.
/// `remap` are folders of this machine and the names they get in messages and debug information.
pub(crate) fn rustc(settings: &Settings, sysroot: Option<&Path>, remap: &[(&Path, &str)]) -> String {
    let mut flags = vec![
        // LLVM guards divisions with a trap, on which the contract reverts. The guest's code divides by
        // what it knows not to be zero: Rust checks before each division.
        "-Cllvm-args=-mno-check-zero-division".to_owned(),
        // The slot behind a branch is a step. LLVM fills it from above only, unless it is told to look into the
        // blocks that the branch leads to and behind calls as well.
        "-Cllvm-args=-disable-mips-df-succbb-search=false -disable-mips-df-forward-search=false".to_owned(),
        // There is one thread: atomics become plain loads and stores, before LLVM makes ll and sc of them.
        "-Cpasses=lower-atomic".to_owned(),
        // The sysroot's crates take part in link-time optimisation.
        "-Cembed-bitcode=yes".to_owned(),
    ];
    // Panics would carry file names and line numbers into the image: a comment would change its root. Debug
    // information has them all the same, beside the image.
    flags.extend((!settings.locations).then(|| "-Zlocation-detail=none".to_owned()));
    // `core` and `alloc` built for this target with these flags.
    flags.extend(sysroot.map(|path| format!("--sysroot={}", path.display())));
    // Where a checkout or a cache lies must not reach the program.
    flags.extend(remap.iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display())));
    // The form that needs no quoting (cargo book, `CARGO_ENCODED_RUSTFLAGS`).
    flags.join("\x1f")
}

/// All of it by tool, as a manifest shows it: without paths of this machine.
pub(crate) fn all(settings: &Settings) -> BTreeMap<String, Vec<String>> {
    let rustc = rustc(settings, None, &[]).split('\x1f').map(str::to_owned).collect();
    let profile = settings.profile.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let linker = LINKER.iter().map(|flag| (*flag).to_owned()).collect();
    let all = [("cargo profile", profile), ("ld.lld", linker), ("rustc", rustc)];
    all.into_iter().map(|(tool, flags)| (tool.to_owned(), flags)).collect()
}

/// What ld.lld gets besides its inputs.
pub(crate) const LINKER: &[&str] = &[
    // A static program for a fixed address: nothing is relocated at run time.
    "-static",
    "--no-dynamic-linker",
    // Code and data that nothing refers to would be proven and committed to for nothing.
    "--gc-sections",
    // A section that the script does not place would land somewhere; it has to be placed on purpose.
    "--orphan-handling=error",
    // Pages of the VM; the default of 64 KiB would leave holes in the file.
    "-zmax-page-size=4096",
    // No PT_GNU_STACK: the VM has no such protection to ask for.
    "-znognustack",
    // An identifier of the build would be a second, weaker hash of it.
    "--build-id=none",
    // The output must not depend on the number of cores.
    "--threads=1",
    // Warnings are found problems that nobody would look at again.
    "--fatal-warnings",
];

/// Leaves out symbols and debug information: what is loaded, and nothing else.
pub(crate) const LINKER_STRIP: &str = "--strip-all";
