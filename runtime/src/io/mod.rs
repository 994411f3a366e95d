//! Typed input and output of guests written by hand: the types of `main` say what crosses.

mod element;
mod input;
mod output;
mod start;
mod tensor;
#[cfg(test)]
mod tests;

pub use element::{Element, Fixed};
pub use input::{Incoming, Input};
pub use output::{Outgoing, Output};
pub use start::{Program, run};
pub use tensor::Tensor;
