//! `#[opml_runtime::entry]`.
#![forbid(unsafe_code)]

use proc_macro::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, FnArg, ItemFn, ReturnType, Signature};

/// Makes a function the program that a guest runs: its parameters are the tensors of the input, in their order, and what it
/// returns are those of the output.
///
/// ```text
/// #[opml_runtime::entry]
/// fn main(pixels: [f32; 784]) -> Vec<u8> {
/// ```
///
/// Types of parameters have the trait `Input`, that of the result the trait `Output`.
#[proc_macro_attribute]
pub fn entry(arguments: TokenStream, function: TokenStream) -> TokenStream {
    let function = syn::parse_macro_input!(function as ItemFn);
    if !arguments.is_empty() {
        return refuse(&function.sig.ident, "`entry` takes no arguments");
    }
    match problem(&function.sig) {
        Some(error) => error.into_compile_error().into(),
        None => program(&function),
    }
}

fn refuse(at: &impl Spanned, message: &str) -> TokenStream {
    Error::new(at.span(), message).into_compile_error().into()
}

/// Why a function cannot be the program.
fn problem(signature: &Signature) -> Option<Error> {
    let generics = &signature.generics;
    let message = match signature {
        Signature { asyncness: Some(_), .. } => "there is nothing that would run an async program",
        Signature { unsafety: Some(_), .. } => "nobody could keep what an unsafe program asks for",
        Signature { constness: Some(_), .. } => "a program runs in the VM, not in the compiler",
        Signature { abi: Some(_), .. } => "write it as an ordinary function: `entry` adds what the VM calls",
        _ if !generics.params.is_empty() => "write the types out: nobody chooses them for a program",
        _ if signature.inputs.len() > 6 => "more than six tensors: put some of them together",
        _ => return None,
    };
    Some(Error::new(signature.span(), message))
}

/// Asks for the traits of each type by itself, so that the compiler's message is about the one that has not got it.
fn checks(signature: &Signature) -> proc_macro2::TokenStream {
    let inputs = signature.inputs.iter().filter_map(|parameter| match parameter {
        FnArg::Typed(parameter) => {
            let kind = &parameter.ty;
            Some(quote_spanned!(kind.span() => is_input::<#kind>();))
        }
        FnArg::Receiver(_) => None,
    });
    let output = match &signature.output {
        ReturnType::Default => quote!(),
        ReturnType::Type(_, kind) => quote_spanned!(kind.span() => is_output::<#kind>();),
    };
    quote! {
        #[allow(dead_code)]
        fn is_input<T: ::opml_runtime::io::Input>() {}
        #[allow(dead_code)]
        fn is_output<T: ::opml_runtime::io::Output>() {}
        const _: [fn(); 2] = [|| { #(#inputs)* }, || { #output }];
    }
}

/// The function, and the one that the entry point calls.
fn program(function: &ItemFn) -> TokenStream {
    let name = &function.sig.ident;
    // Where the compiler says that a type is none of a tensor.
    let span = match &function.sig.output {
        ReturnType::Default => name.span(),
        ReturnType::Type(_, result) => result.span(),
    };
    let start = quote_spanned!(span => ::opml_runtime::start(#name));
    let checks = checks(&function.sig);
    let both = quote! {
        #function

        const _: () = {
            #checks

            // SAFETY: the entry point calls it, and nothing else has this name.
            #[unsafe(no_mangle)]
            extern "C" fn opml_main() -> ! {
                #start
            }
        };
    };
    both.into()
}
