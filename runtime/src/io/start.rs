//! From the entry point into `main` and out again.

use alloc::format;
use alloc::string::String;

use super::input::Inputs;
use super::{Input, Outgoing, Output};
use crate::Sys;
use crate::guest::Guest;

/// A function whose parameters are inputs and whose result is an output. `P` is the tuple of its parameters.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no program",
    note = "its parameters have to be `Input`s and its result an `Output`: see opml_runtime::io"
)]
pub trait Program<P> {
    /// Reads the parameters and calls the function.
    ///
    /// # Errors
    /// What keeps it from having a result, for people.
    fn call<S: Sys>(self, guest: &mut Guest<S>, to: &mut Outgoing) -> Result<(), String>;
}

macro_rules! programs {
    ($($($name:ident)*;)*) => {$(
        impl<Main: FnOnce($($name),*) -> R, R: Output, $($name: Input),*> Program<($($name,)*)> for Main {
            #[expect(non_snake_case, reason = "a value has the name of its type")]
            fn call<S: Sys>(self, guest: &mut Guest<S>, to: &mut Outgoing) -> Result<(), String> {
                let parameters: &[&str] = &[$(stringify!($name)),*];
                let mut _inputs = Inputs::open(guest, parameters.len())?;
                $(let $name = _inputs.next::<$name>()?;)*
                self($($name),*).write(to)
            }
        }
    )*};
}

programs! { A; A B; A B C; A B C D; A B C D E; A B C D E F; }

/// One without parameters does not ask for the input.
impl<Main: FnOnce() -> R, R: Output> Program<()> for Main {
    fn call<S: Sys>(self, _: &mut Guest<S>, to: &mut Outgoing) -> Result<(), String> {
        self().write(to)
    }
}

/// Runs `main` on the guest's input, sends its output out and ends the program.
pub fn run<S: Sys, P>(mut guest: Guest<S>, main: impl Program<P>) -> ! {
    let mut out = Outgoing::default();
    match main.call(&mut guest, &mut out) {
        Ok(()) => guest.finish(&out.tensors()),
        Err(problem) => guest.fail(&format!("error: {problem}\n")),
    }
}
