//! Profiles of a guest, as cargo has them, within what a program for the VM can be.

use std::path::Path;

use crate::error::BuildError;
use crate::flags;
use crate::sources::read_toml;

/// The settings that a guest may choose. The others are the same for all programs: there is nothing to unwind to, what is
/// reproducible is no matter of taste, and `core` and `alloc` are there for link-time optimisation only.
const FREE: [&str; 4] = ["opt-level", "codegen-units", "overflow-checks", "debug-assertions"];

/// Profiles from which others can inherit are no longer than this chain.
const MAX_CHAIN: usize = 16;

/// The settings of the profile `name`, `release` if there is none, with what the workspace's `manifest` says of it.
pub(super) fn of(manifest: &Path, name: Option<&str>) -> Result<toml::Table, BuildError> {
    let workspace = read_toml(manifest)?;
    let none = toml::Table::new();
    let profiles = workspace.get("profile").and_then(|p| p.as_table()).unwrap_or(&none);
    let name = name.unwrap_or("release");
    resolve(profiles, name).ok_or_else(|| BuildError::Profile {
        name: name.to_owned(),
        there: ["dev", "release"]
            .into_iter()
            .chain(profiles.keys().map(String::as_str))
            .map(Into::into)
            .collect(),
    })
}

/// The settings, from those of cargo's own profile down to the one that is asked for; nothing if it leads nowhere.
pub(super) fn resolve(profiles: &toml::Table, name: &str) -> Option<toml::Table> {
    let mut chain = Vec::new();
    let mut name = name;
    let base = loop {
        let own = profiles.get(name).and_then(|profile| profile.as_table());
        chain.extend(own);
        match (name, own.and_then(|own| own.get("inherits")).and_then(|v| v.as_str())) {
            ("release", _) => break flags::profile(),
            ("dev", _) => break dev(),
            (_, Some(parent)) if chain.len() < MAX_CHAIN => name = parent,
            _ => return None,
        }
    };
    Some(chain.into_iter().rev().fold(base, |mut settings, own| {
        let chosen = own.iter().filter(|(key, _)| FREE.contains(&key.as_str()));
        settings.extend(chosen.map(|(key, value)| (key.clone(), value.clone())));
        settings
    }))
}

/// What cargo's `dev` is: compiled fast, with checks.
fn dev() -> toml::Table {
    let mut settings = flags::profile();
    settings.extend(toml::toml! {
        opt-level = 0
        overflow-checks = true
        debug-assertions = true
    });
    settings
}
