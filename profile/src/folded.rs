//! Folded stacks: a line for each stack, as flame graph tools of others take them.

use miette::Diagnostic;
use thiserror::Error;

use crate::Profile;

/// Most bytes of the text: stacks of a program that calls itself can have as many frames as there are stacks.
const MAX_TEXT: usize = 1 << 28;

/// The stacks cannot be written in this form.
#[derive(Debug, Error, Diagnostic)]
#[error("the folded stacks have more than {limit} bytes")]
#[diagnostic(help(
    "the program's calls are nested too deeply for this form; the flame graph and the JSON have all of them"
))]
pub struct FoldedError {
    limit: usize,
}

impl Profile {
    /// A line for each stack: its functions, the outermost first, with `;` between them, a space, its steps.
    ///
    /// # Errors
    /// [`FoldedError`] if that is too long.
    pub fn folded(&self) -> Result<String, FoldedError> {
        let mut text = String::new();
        // The stack that the loop is at: for each function in it, where its name ends in `path`.
        let (mut path, mut ends): (String, Vec<usize>) = Default::default();
        for (stack, depth) in self.stacks.list().iter().zip(self.stacks.depths()) {
            ends.truncate(depth);
            path.truncate(ends.last().copied().unwrap_or(0));
            if depth > 0 {
                path.push(';');
            }
            path.push_str(&stack.function.replace([';', '\n', '\r'], ":"));
            ends.push(path.len());
            if stack.own > 0 {
                text += &format!("{path} {}\n", stack.own);
            }
            if text.len() + path.len() > MAX_TEXT {
                return Err(FoldedError { limit: MAX_TEXT });
            }
        }
        Ok(text)
    }
}
