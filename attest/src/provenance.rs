//! The predicate: SLSA's provenance, version 1. Names and meanings of the fields are SLSA's; docs/provenance.md says what
//! stands in them here.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::statement::Resource;

/// How something was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// The inputs.
    pub build_definition: BuildDefinition,
    /// Who made it.
    pub run_details: RunDetails,
}

/// The inputs of a build.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    /// URI of the way from the parameters to the files.
    pub build_type: String,
    /// What whoever asks for the build decides.
    pub external_parameters: ExternalParameters,
    /// What the builder decides.
    #[serde(default, deserialize_with = "or_default")]
    pub internal_parameters: InternalParameters,
    /// Everything it was made from.
    #[serde(default, deserialize_with = "or_default")]
    pub resolved_dependencies: Vec<Resource>,
}

/// What whoever asks for a build decides. SLSA has verifiers refuse parameters that they do not know: they might
/// change what was built.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExternalParameters {
    /// Name of the file that the program was made from. Among the dependencies it has its hash.
    pub source: String,
    /// Name of the program.
    pub program: String,
    /// Name of the machine that it is for.
    pub target: String,
    /// The numbers for open dimensions of a model.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub dims: BTreeMap<String, u32>,
    /// The values of inputs of a model that were made constants, as JSON text.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub constants: BTreeMap<String, String>,
    /// The set of changes that was asked for to a program that was built elsewhere.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
    /// Whether instructions were let pass that the machine cannot run.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_false")]
    pub allow_reverting: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// What the builder decides; another one may say more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InternalParameters {
    /// Version of the interface between the program and its host.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Option::is_none")]
    pub abi_version: Option<u32>,
    /// The flags of each tool, in order.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub flags: BTreeMap<String, Vec<String>>,
    /// What each tool says its version is.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub tools: BTreeMap<String, String>,
}

/// What belongs to one run. Time, invocation and machine, for which SLSA has fields, are left out: equal sources
/// give equal statements.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunDetails {
    /// Who made it.
    pub builder: Builder,
}

/// Who made it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Builder {
    /// URI of the kind of builder.
    pub id: String,
    /// Versions of its parts.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub version: BTreeMap<String, String>,
}

/// Unset, null and empty are the same to SLSA.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    json: D,
) -> Result<T, D::Error> {
    Option::deserialize(json).map(Option::unwrap_or_default)
}
