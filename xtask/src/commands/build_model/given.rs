//! What the command line gives for the open parts of a model: numbers for dimensions, constants for inputs.

use std::collections::BTreeMap;
use std::path::Path;

use miette::Diagnostic;
use opml_abi::{Tensor, TensorInfo};
use opml_frontend::tensor_file::{self, TensorProblem};
use opml_frontend::{ImportError, Model, ModelFile, shell_word};
use thiserror::Error;

use crate::outcome::Stop;

/// What is given for the open parts of a model.
#[derive(Default)]
pub(crate) struct Given {
    /// Numbers for dimensions.
    pub dims: BTreeMap<String, u32>,
    /// Values for inputs that become constants: the name of a tensor file, or numbers.
    pub constants: BTreeMap<String, String>,
}

/// The constants of a model, by the names of the inputs that they stand for.
#[derive(Default)]
pub(crate) struct Constants {
    /// Their elements.
    pub tensors: BTreeMap<String, Tensor>,
    /// The same as JSON text.
    pub texts: BTreeMap<String, String>,
}

/// Most elements of a constant: the manifest has each of them.
const MAX_ELEMENTS: usize = 4096;

/// A constant that cannot be one.
#[derive(Debug, Error, Diagnostic)]
enum ConstantError {
    #[error("the constant `{name}`: {problem}")]
    #[diagnostic(forward(problem))]
    Text { name: String, problem: TensorProblem },

    #[error("the constant `{name}` has {got} elements, more than {MAX_ELEMENTS}")]
    #[diagnostic(help(
        "the manifest lists them: make a tensor of this size an initializer of the model instead"
    ))]
    TooLong { name: String, got: usize },

    #[error("the constant `{name}` holds an infinity")]
    #[diagnostic(help(
        "the manifest lists the numbers, and JSON has none for it: use the largest float32, 3.4028235e38"
    ))]
    Infinite { name: String },
}

impl Given {
    /// The constants for the inputs of the model in `file`.
    pub fn constants(&self, file: &ModelFile) -> Result<Constants, Stop> {
        let mut all = Constants::default();
        // The model is parsed once more to see its inputs.
        if self.constants.is_empty() {
            return Ok(all);
        }
        let inputs = Model::inputs(file, &self.dims).map_err(Stop::rejected)?;
        for (name, value) in &self.constants {
            let unknown = || ImportError::UnknownInput {
                name: name.clone(),
                known: inputs.iter().map(|input| input.name.clone()).collect(),
            };
            let input = inputs.iter().find(|input| input.name == *name);
            let tensor = read(value, input.ok_or_else(unknown).map_err(Stop::rejected)?)?;
            if tensor.elements() > MAX_ELEMENTS {
                let error = ConstantError::TooLong { name: name.clone(), got: tensor.elements() };
                return Err(Stop::unable(error));
            }
            let infinite = || Stop::unable(ConstantError::Infinite { name: name.clone() });
            all.texts.insert(name.clone(), tensor_file::to_json(&tensor).ok_or_else(infinite)?);
            all.tensors.insert(name.clone(), tensor);
        }
        Ok(all)
    }
}

/// The tensor in a file, or the numbers themselves.
fn read(value: &str, input: &TensorInfo) -> Result<Tensor, Stop> {
    if tensor_file::Format::of(Path::new(value)).is_ok() {
        return tensor_file::read(Path::new(value), input).map_err(Stop::unable);
    }
    let tensor = tensor_file::read_bytes(tensor_file::Format::Json, value.as_bytes(), input);
    tensor.map_err(|problem| Stop::unable(ConstantError::Text { name: input.name.clone(), problem }))
}

/// The flags that give all of it again, each as a word or two of a shell's command line.
pub(super) fn flags(dims: &BTreeMap<String, u32>, constants: &BTreeMap<String, String>) -> Vec<String> {
    let dims = dims.iter().map(|(name, n)| format!("--dim {}", shell_word(&format!("{name}={n}"))));
    let constants =
        constants.iter().map(|(name, text)| format!("--constant {}", shell_word(&format!("{name}={text}"))));
    dims.chain(constants).collect()
}

pub(super) fn dimension(text: &str) -> Result<(String, u32), String> {
    let (name, number) = text.rsplit_once('=').ok_or("write it as NAME=N, for example batch=1")?;
    match number.parse() {
        Ok(n) if n > 0 && !name.is_empty() => Ok((name.to_owned(), n)),
        _ => Err("write it as NAME=N with a positive number, for example batch=1".into()),
    }
}

/// The last `=` divides: a name may have one, numbers have none.
pub(super) fn constant(text: &str) -> Result<(String, String), String> {
    let divided = text.rsplit_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
    let (name, value) =
        divided.ok_or("write it as NAME=FILE, or as NAME=NUMBERS, for example sizes=[1,3]")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_again() {
        assert_eq!(constant("a=b=[1,2]").unwrap(), ("a=b".to_owned(), "[1,2]".to_owned()));
        for bad in ["", "x", "=1", "x="] {
            assert!(constant(bad).unwrap_err().contains("NAME=FILE"), "{bad}");
        }
        assert_eq!(dimension("batch=2").unwrap(), ("batch".to_owned(), 2));
        let constants = BTreeMap::from([("sizes".to_owned(), "[1,3]".to_owned())]);
        let flags = flags(&BTreeMap::from([("n".to_owned(), 2)]), &constants);
        assert_eq!(flags, ["--dim n=2", "--constant 'sizes=[1,3]'"]);
    }
}
