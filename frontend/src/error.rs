use std::fmt;

use miette::Diagnostic;
use thiserror::Error;

/// A node that the compiler has no lowering for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Unsupported {
    /// The operator, with its domain if that is not ONNX's own.
    pub operator: String,
    /// The node's name in the model.
    pub node: String,
    /// What exactly is not supported.
    pub reason: String,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (node `{}`): {}", self.operator, self.node, self.reason)
    }
}

/// Why a model was not imported. Nothing is written in any of these cases.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum ImportError {
    /// The bytes do not parse as an ONNX model.
    #[error("this is not an ONNX model: {reason}")]
    #[diagnostic(help(
        "the file may be truncated or of another format; `onnx.checker.check_model` in Python tells more"
    ))]
    NotOnnx {
        /// What the parser met.
        reason: String,
    },

    /// The bytes begin like a TFLite model and are none.
    #[error("this is not a TFLite model: {reason}")]
    #[diagnostic(help("the file may be truncated: copy it again, or convert the model again"))]
    NotTflite {
        /// What the parser met.
        reason: String,
    },

    /// The model parses, and contradicts itself or the ONNX specification.
    #[error("the model is malformed: {problem}")]
    #[diagnostic(help(
        "export the model again; `onnx.checker.check_model(path, full_check=True)` in Python tells more"
    ))]
    Malformed {
        /// What is wrong, and where.
        problem: String,
    },

    /// Operators without a lowering, all of them.
    #[error("{} of the model's nodes cannot be compiled:\n{}", .0.len(), list(.0))]
    #[diagnostic(help(
        "docs/operators.md lists the operators; replace these in the model, or leave them to code outside the model; an input that shapes depend on can be made a constant with --constant"
    ))]
    Unsupported(Vec<Unsupported>),

    /// Input dimensions without a number.
    #[error("the model leaves dimensions open, and a compiled program has none: {}", .0.join(", "))]
    #[diagnostic(help("fix them with {}", flags(.0)))]
    DynamicDimensions(Vec<String>),

    /// A dimension was given that leaves a tensor without elements.
    #[error("dimension `{name}` is given as 0")]
    #[diagnostic(help("give at least 1: `--dim {name}=1`"))]
    EmptyDimension {
        /// Its name.
        name: String,
    },

    /// An input that no program could hold.
    #[error("input `{input}` of shape {shape:?} does not fit the VM's memory")]
    #[diagnostic(help("make its dimensions smaller; a batch can be split into several requests"))]
    TooLarge {
        /// Name of the input.
        input: String,
        /// Its dimensions.
        shape: Vec<i64>,
    },

    /// A dimension was given that the model does not have.
    #[error("the model has no open dimension `{name}`; it has: {}", if .known.is_empty() { "none".into() } else { .known.join(", ") })]
    #[diagnostic(help("leave `--dim {name}=…` out"))]
    UnknownDimension {
        /// The name that was given.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },

    /// A constant was given for an input that the model does not have.
    #[error("the model has no input `{name}`; it has: {}", if .known.is_empty() { "none".into() } else { .known.join(", ") })]
    #[diagnostic(help("leave `--constant {name}=…` out"))]
    UnknownInput {
        /// The name that was given.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },

    /// A constant was given that is not of the input's type and shape.
    #[error("the constant for the input `{name}` is {got}; the input is {expected}")]
    #[diagnostic(help("give a tensor of the input's type and shape"))]
    Constant {
        /// Name of the input.
        name: String,
        /// Its type and shape.
        expected: String,
        /// Those of the constant.
        got: String,
    },

    /// An input, output or weight of an element type that no kernel computes with.
    #[error("`{tensor}` has elements of type {dtype}; float32 is what the kernels compute")]
    #[diagnostic(help("convert the model to float32 before the export"))]
    ElementType {
        /// Name of the tensor.
        tensor: String,
        /// ONNX's name of the type.
        dtype: String,
    },

    /// A weight that is not a number.
    #[error("weight `{tensor}` holds {value} at element {index}")]
    #[diagnostic(help("training diverged, or the file is damaged: outputs would not be numbers"))]
    NotFinite {
        /// Name of the weight.
        tensor: String,
        /// Index of the first such element, row-major.
        index: usize,
        /// NaN or an infinity.
        value: f32,
    },

    /// The graph contradicts itself.
    #[error("shapes or types of the model do not fit together: {reason}")]
    #[diagnostic(help(
        "`onnx.checker.check_model(path, full_check=True)` in Python runs an independent check"
    ))]
    Inconsistent {
        /// How.
        reason: String,
    },

    /// A check inside the importer or a kernel failed that the checks of the model should have foreseen.
    #[error("the importer broke down: {reason}")]
    #[diagnostic(help(
        "this is a bug of the importer, even if the model is wrong: please report it with the model; `onnx.checker.check_model(path, full_check=True)` in Python tells whether the model is"
    ))]
    Unforeseen {
        /// Where in the source, and what it says.
        reason: String,
    },
}

fn list(nodes: &[Unsupported]) -> String {
    nodes.iter().map(|n| format!("  - {n}")).collect::<Vec<_>>().join("\n")
}

/// `text` as one word of a shell's command line.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn flags(names: &[String]) -> String {
    names.iter().map(|n| format!("--dim {}", shell_word(&format!("{n}=1")))).collect::<Vec<_>>().join(" ")
}
