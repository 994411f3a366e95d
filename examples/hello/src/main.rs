//! Greets whom the input names.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::format;
use alloc::string::String;

use opml_runtime::println;

#[opml_runtime::entry]
fn main(name: String) -> String {
    println!("the input has {} bytes", name.len());
    format!("Hello, {name}!")
}
