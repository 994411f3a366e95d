//! The models of this repository, built one after the other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use opml_targets::Target;
use opml_toolchain::progress::Progress;
use opml_toolchain::{BuildError, Built, Checkout, Options, build, provision, roots};

use crate::commands::build_model;
use crate::outcome::Stop;

/// What figures of the shipped models are measured on.
pub const INPUTS: [(&str, &str); 6] = [
    ("models/mnist/mlp.onnx", "models/mnist/digits/7_0002.png"),
    ("models/mnist/mlp500.onnx", "models/mnist/digits/7_0002.png"),
    ("models/mnist/cnn.onnx", "models/mnist/digits/7_0002.png"),
    ("models/mnist/cnn_int8.onnx", "models/mnist/digits/7_0002.png"),
    ("models/lstm/lstm.onnx", "models/mnist/digits/7_0002.png"),
    ("models/encoder/encoder.onnx", "models/mnist/digits/7_0002.png"),
];

/// A model of this repository.
pub struct Shipped {
    /// Its file.
    pub path: PathBuf,
    /// An input for it, if there is one among [`INPUTS`].
    pub input: Option<PathBuf>,
}

impl Shipped {
    /// All of them, by path.
    pub fn all(checkout: &Checkout) -> Result<Vec<Self>, Stop> {
        let root = checkout.root();
        let input = |path: &Path| {
            let known = INPUTS.iter().find(|(model, _)| root.join(model) == path);
            known.map(|(_, input)| root.join(input))
        };
        let paths = roots::shipped(root).map_err(Stop::unable)?;
        Ok(paths.into_iter().map(|path| Self { input: input(&path), path }).collect())
    }
}

/// How shipped models are built: with the pinned toolchain whatever the user's settings are, as nobody else has
/// the roots of another.
pub struct Builder<'a> {
    pub checkout: &'a Checkout,
    pub provision: provision::Options,
    /// A folder for the files.
    pub scratch: &'a Path,
    pub progress: &'a dyn Progress,
}

impl Builder<'_> {
    /// Builds `shipped` for `target`. A program that the audit refuses is the inner error.
    pub fn build(
        &self,
        shipped: &Shipped,
        target: &Target,
    ) -> Result<Result<Built, opml_toolchain::audit::AuditFailure>, Stop> {
        let request = build_model::import(&shipped.path, BTreeMap::new(), None, target.name())?.request;
        let provision =
            provision::Options { provider: provision::Provider::Pinned, ..self.provision.clone() };
        let options = Options {
            provision,
            checkout: self.checkout.clone(),
            out: self.scratch.join(&request.name).join(target.name()),
            work: None,
        };
        match build(request, target, &options, self.progress) {
            Ok(built) => Ok(Ok(built)),
            Err(BuildError::Audit(failure)) => Ok(Err(failure)),
            Err(other) => Err(Stop::unable(other)),
        }
    }
}
