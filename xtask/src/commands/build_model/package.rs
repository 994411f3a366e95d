//! A guest that is a package, and the models that it calls.

use std::path::Path;

use opml_toolchain::{CFolder, Checkout, GuestProgram, GuestSource, ModelCrate, Package, Request, Selection};

use super::{Given, Imported};
use crate::outcome::Stop;

/// What of a package is built, as cargo takes it.
#[derive(Clone, Default, clap::Args)]
#[command(next_help_heading = "Options for the folder of a guest")]
pub struct Selected {
    /// The binary, if the package has several
    #[arg(long, value_name = "NAME")]
    bin: Option<String>,
    /// Features of the package to switch on, with commas between them; may be repeated
    #[arg(long, short = 'F', value_name = "FEATURES", value_delimiter = ',')]
    features: Vec<String>,
    /// Switch on all features of the package
    #[arg(long)]
    all_features: bool,
    /// Leave the package's default features off
    #[arg(long)]
    no_default_features: bool,
    /// The profile: `release`, `dev`, or one that the workspace of the package defines [default: release]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

impl From<Selected> for Selection {
    fn from(selected: Selected) -> Self {
        let Selected { bin, features, all_features, no_default_features, profile } = selected;
        Self { bin, features, all_features, no_default_features, profile }
    }
}

/// Reads the package in the folder `dir` and imports its models.
pub fn import(
    dir: &Path,
    selection: Selection,
    checkout: &Checkout,
    offline: bool,
    name: Option<&str>,
    target: &str,
) -> Result<Imported, Stop> {
    let mut package = Package::open(dir, selection, checkout, offline).map_err(Stop::unable)?;
    let (mut weights, mut kernel_calls) = (Vec::new(), 0);
    for (owner, options) in package.options().models.clone() {
        let given = Given { dims: options.dims(), ..Given::default() };
        let (model, info) = super::model(&dir.join(options.file()), given)?;
        weights.extend(model.constants().into_iter().map(|one| super::weight(one.owned_by(&owner))));
        kernel_calls += model.graph().nodes.len();
        let source = model.library_source(&owner);
        package.add_model(ModelCrate { name: owner, source, info }).map_err(Stop::unable)?;
    }
    let name = name.unwrap_or_else(|| package.bin()).to_owned();
    let arguments: String =
        package.info().selection.arguments().iter().map(|flag| format!(" {flag}")).collect();
    // The folder has the name of its package, wherever it lies.
    let folder = package.info().package;
    let folder = folder.split(' ').next().unwrap_or_default();
    let rebuild = format!("cargo xtask build-model {folder} --target {target}{arguments} --name {name}");
    let program = GuestProgram { source: GuestSource::Package(Box::new(package)), weights };
    Ok(Imported { kernel_calls, request: Request { rebuild, ..Request::bare(&name, program) } })
}

/// Reads the folder `dir` of a guest in C.
pub fn import_c(
    dir: &Path,
    checkout: &Checkout,
    offline: bool,
    name: Option<&str>,
    target: &str,
) -> Result<Imported, Stop> {
    let folder = CFolder::open(dir, checkout, offline).map_err(Stop::unable)?;
    let own = folder.name().to_owned();
    let name = name.unwrap_or(&own).to_owned();
    let rebuild = format!("cargo xtask build-model {own} --target {target} --name {name}");
    let program = GuestProgram { source: GuestSource::C(Box::new(folder)), weights: Vec::new() };
    Ok(Imported { kernel_calls: 0, request: Request { rebuild, ..Request::bare(&name, program) } })
}
