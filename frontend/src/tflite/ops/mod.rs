//! What each operator becomes: a file for each family, a function for each operator or for several that differ in little.

mod arithmetic;
mod images;
mod logic;
mod movement;
mod products;
mod recurrent;
mod reductions;
mod shapes;
mod slices;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use tract_tflite::tflite::BuiltinOperator;

use super::net::{Made, Net};
use super::op::Op;

/// Appends the nodes of an operator, and binds its results.
pub(super) type Translate = fn(&mut Net<'_>, &Op<'_>) -> Made;

/// Names of operators and what translates them.
type Family = &'static [(&'static str, Translate)];

const FAMILIES: [Family; 9] = [
    arithmetic::OPERATORS,
    images::OPERATORS,
    logic::OPERATORS,
    movement::OPERATORS,
    products::OPERATORS,
    recurrent::OPERATORS,
    reductions::OPERATORS,
    shapes::OPERATORS,
    slices::OPERATORS,
];

static ALL: LazyLock<BTreeMap<&str, Translate>> =
    LazyLock::new(|| FAMILIES.iter().flat_map(|family| family.iter().copied()).collect());

/// The schema's names of all operators that have a form here, sorted.
pub fn supported() -> impl Iterator<Item = &'static str> {
    ALL.keys().copied()
}

/// What translates an operator.
pub(super) fn find(name: &str) -> Option<Translate> {
    ALL.get(name).copied()
}

/// Why an operator has no form here.
pub(super) fn why_not(operator: BuiltinOperator) -> String {
    match operator {
        BuiltinOperator::CUSTOM => "an operator that is not of the format",
        BuiltinOperator::IF | BuiltinOperator::WHILE | BuiltinOperator::CALL | BuiltinOperator::CALL_ONCE => {
            "control flow is not read from this format; `cargo xtask convert` takes the model that the file was made of"
        }
        BuiltinOperator::VAR_HANDLE | BuiltinOperator::READ_VARIABLE | BuiltinOperator::ASSIGN_VARIABLE => {
            "a program has nothing that it remembers from one input to the next"
        }
        BuiltinOperator::WHERE
        | BuiltinOperator::UNIQUE
        | BuiltinOperator::NON_MAX_SUPPRESSION_V4
        | BuiltinOperator::NON_MAX_SUPPRESSION_V5 => "the shape of its result depends on the input",
        BuiltinOperator::RANDOM_UNIFORM
        | BuiltinOperator::RANDOM_STANDARD_NORMAL
        | BuiltinOperator::MULTINOMIAL => "its result is random",
        _ => "the operator has no lowering",
    }
    .to_owned()
}
