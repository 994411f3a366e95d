//! Reads a digit off a drawing of any size. The picture is brought into the form of MNIST first, which is what the network knows.
#![no_std]
#![no_main]

extern crate alloc;

mod mnist;

use alloc::string::String;

use mnist::Field;
use opml_runtime::Tensor;

/// Takes a grey picture, rows of pixels from 0 black to 255 white, with dark ink on light paper. Gives the digit, and what the
/// network saw.
#[opml_runtime::entry]
fn main(drawing: Tensor<u8>) -> Result<(u8, Field), String> {
    let field = mnist::field(&drawing)?;
    let mut image = [0.0; mnist::SIDE * mnist::SIDE];
    for (pixel, &ink) in image.iter_mut().zip(field.as_flattened()) {
        *pixel = f32::from(ink) / 255.0;
    }
    let scores = mlp::infer(&image);
    let best = (0..10).max_by(|&a, &b| scores[usize::from(a)].total_cmp(&scores[usize::from(b)]));
    Ok((best.expect("there are ten digits"), field))
}
