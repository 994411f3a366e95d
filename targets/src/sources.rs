//! The embedded files of every target.

/// What a target's folder holds.
pub(crate) struct Source {
    pub name: &'static str,
    /// `target.toml`
    pub description: &'static str,
    /// `rustc.toml`, the compiler's target specification.
    pub rustc_spec: &'static str,
}

/// Every target, in the order of their names.
pub(crate) const TARGETS: &[Source] = &[Source {
    name: "cannon32",
    description: include_str!("../cannon32/target.toml"),
    rustc_spec: include_str!("../cannon32/rustc.toml"),
}];

/// Every linker script: several targets may share a memory map.
pub(crate) const LINKER_SCRIPTS: &[(&str, &str)] =
    &[("cannon32.ld", include_str!("../../linker/cannon32.ld"))];

/// The names [`Target::load`](crate::Target::load) knows, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    TARGETS.iter().map(|source| source.name)
}
