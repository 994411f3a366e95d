use opml_toolchain::manifest::Sizes;
use serde::Serialize;

/// What one shipped model costs.
#[derive(Debug, Serialize)]
pub struct ModelFigures {
    /// Its name.
    pub name: String,
    /// Steps of one inference, input read and output sent.
    pub steps: u64,
    /// Multiply-accumulates of one inference.
    pub multiply_accumulates: u64,
    /// The first by the second.
    pub steps_per_multiply_accumulate: f64,
    /// Bytes of the program's parts.
    pub sizes: Sizes,
    /// The stages of a build that finds nothing compiled, in their order.
    pub stages: Vec<Stage>,
}

/// How long a stage of a build took.
#[derive(Debug, Serialize)]
pub struct Stage {
    /// Its name.
    pub stage: &'static str,
    /// Its time.
    pub milliseconds: f64,
}
