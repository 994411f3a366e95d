//! An operator of the file, with its operands and results.

use tract_tflite::tflite::Operator;

use super::{Id, LINK_COST, Made, Net, OPERATOR_COST};

/// An operator of the file.
pub struct Op<'a> {
    /// Its options.
    pub options: Operator<'a>,
    inputs: Vec<Option<Id>>,
    outputs: Vec<Id>,
}

impl<'a> Op<'a> {
    /// # Errors
    /// Tensors that the subgraph does not have.
    pub fn new(net: &mut Net<'_>, name: &'static str, options: &Operator<'a>) -> Made<Self> {
        let known = |id: i32| {
            let found = usize::try_from(id).ok().filter(|&id| id < net.tensors.len());
            found.ok_or_else(|| format!("it names tensor {id} of {}", net.tensors.len()))
        };
        // -1 is a tensor that is left out.
        let input = |id: i32| if id == -1 { Ok(None) } else { known(id).map(Some) };
        let inputs: Vec<_> = options.inputs().iter().flatten().map(input).collect::<Made<_>>()?;
        let outputs: Vec<Id> = options.outputs().iter().flatten().map(known).collect::<Made<_>>()?;
        let label = outputs.first().map_or(String::new(), |&id| net.label(id));
        net.node_name = format!("{name} {label}").trim_end().to_owned();
        net.spend(OPERATOR_COST + LINK_COST * (inputs.len() + outputs.len()) as u64)?;
        Ok(Self { options: *options, inputs, outputs })
    }

    /// An operand that has to be there.
    ///
    /// # Errors
    /// If it is not.
    pub fn input(&self, index: usize) -> Made<Id> {
        self.optional(index).ok_or_else(|| format!("its operand {index} is missing"))
    }

    /// An operand that may be absent.
    pub fn optional(&self, index: usize) -> Option<Id> {
        self.inputs.get(index).copied().flatten()
    }

    /// All operands.
    ///
    /// # Errors
    /// If one is absent, or there is none.
    pub fn inputs(&self) -> Made<Vec<Id>> {
        (0..self.inputs.len().max(1)).map(|index| self.input(index)).collect()
    }

    /// A result.
    ///
    /// # Errors
    /// If the operator has not as many.
    pub fn output(&self, index: usize) -> Made<Id> {
        self.outputs.get(index).copied().ok_or_else(|| format!("its result {index} is missing"))
    }

    /// All results.
    pub fn outputs(&self) -> &[Id] {
        &self.outputs
    }
}
