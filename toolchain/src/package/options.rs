//! `[package.metadata.opml]` of a guest's Cargo.toml.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::BuildError;

/// All there is; other keys are refused, as a misspelt one would be an option that does nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PackageOptions {
    /// The models that the guest calls, by the name of the crate that each becomes.
    #[serde(default)]
    pub models: BTreeMap<String, ModelOptions>,
}

/// A model that a guest calls: its file, or a table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum ModelOptions {
    /// Its file, below the package.
    File(String),
    /// The file, and what `build-model` takes with a model.
    Table(ModelTable),
}

/// The same with options.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelTable {
    /// Its file, below the package.
    pub file: String,
    /// Numbers for open dimensions.
    #[serde(default)]
    pub dims: BTreeMap<String, u32>,
}

impl ModelOptions {
    /// Its file, below the package.
    pub fn file(&self) -> &str {
        match self {
            Self::File(file) | Self::Table(ModelTable { file, .. }) => file,
        }
    }

    /// Numbers for open dimensions.
    pub fn dims(&self) -> BTreeMap<String, u32> {
        match self {
            Self::File(_) => BTreeMap::new(),
            Self::Table(table) => table.dims.clone(),
        }
    }
}

impl PackageOptions {
    /// Of a package's `metadata`.
    pub(super) fn read(metadata: &serde_json::Value) -> Result<Self, BuildError> {
        let Some(own) = metadata.get("opml") else { return Ok(Self::default()) };
        let options: Self = serde_json::from_value(own.clone())
            .map_err(|error| BuildError::PackageOptions { problem: error.to_string() })?;
        match options.models.keys().find(|name| !is_crate_name(name)) {
            None => Ok(options),
            Some(name) => Err(BuildError::PackageOptions {
                problem: format!("`{name}` is no name of a crate: lower-case letters, digits and `_`"),
            }),
        }
    }
}

fn is_crate_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(allowed)
}
