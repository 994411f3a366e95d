//! What a run says of its outputs.

use opml_abi::{Tensor, exit};
use opml_frontend::elements::Slice;
use opml_frontend::tensor_file::Drawn;
use opml_toolchain::manifest::Manifest;
use serde_json::{Value, json};

use super::{Args, Drawing, Finished};
use crate::ui::{self, table};

/// Index and value of the largest element of a vector of floats: a classifier's answer. Integers are labels or tokens, of which the
/// largest says nothing.
fn arg_max(tensor: &Tensor) -> Option<(usize, f32)> {
    let long = tensor.shape.iter().filter(|&&d| d > 1).count();
    let values = tensor.to_f32().filter(|_| long == 1)?;
    values.into_iter().enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best })
}

/// What a program printed, without what a terminal would obey.
pub(super) fn printable(bytes: &[u8]) -> String {
    let is_obeyed = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    String::from_utf8_lossy(bytes).replace(is_obeyed, "\u{fffd}")
}

pub(super) fn text(
    args: &Args,
    manifest: &Manifest,
    finished: &Finished,
    drawing: Option<&Drawing>,
) -> String {
    let mut text = finished.stdout.clone();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for (name, tensor) in named(manifest, finished) {
        text += &format!("{name} {} {:?}\n{}", tensor.dtype, tensor.shape, elements(tensor));
        if let Some((index, value)) = arg_max(tensor) {
            text += &format!(" largest: {index} ({value})\n");
        }
    }
    let verdict = match (args.claim, finished.exit_code) {
        (None, _) => "no claim was given",
        (Some(_), exit::EQUAL) => "the output is the claimed one",
        (Some(_), _) => "the output is not the claimed one",
    };
    let mut rows = vec![
        ("steps", ui::count(finished.steps)),
        ("exit code", format!("{} ({verdict})", finished.exit_code)),
        ("output root", finished.output_root.map_or("nothing was sent".to_owned(), |root| root.to_string())),
        ("state hash", finished.state_hash.to_string()),
    ];
    rows.extend(drawing.map(|drawing| ("picture", picture(drawing))));
    text + "\n" + &table::pairs(rows)
}

/// What is drawn, and how its values became colours.
fn picture(drawing: &Drawing) -> String {
    let (range, outside) = match drawing.drawn {
        Drawn::Bytes => ("bytes are pixels", 0),
        Drawn::FromZero { outside } => ("from 0, black, to 1, white", outside),
        Drawn::FromMinusOne { outside } => ("some values are negative: from -1, black, to 1, white", outside),
    };
    let cut = if outside > 0 {
        format!("; {} values are outside", ui::count(outside as u64))
    } else {
        String::new()
    };
    format!("{}: {range}{cut}", drawing.output)
}

fn elements(tensor: &Tensor) -> String {
    const SHOWN: usize = 64;
    fn some<T: ToString>(values: &[T]) -> String {
        values.iter().take(SHOWN).map(|v| format!(" {}", v.to_string())).collect()
    }
    let mut text = match Slice::of_tensor(tensor) {
        Slice::F32(values) => some(&values),
        Slice::I64(values) => some(&values),
        Slice::I32(values) => some(&values),
        Slice::I8(values) => some(&values),
        Slice::U8(values) => some(&values),
        Slice::Bool(values) => some(&values.iter().map(|&v| v != 0).collect::<Vec<_>>()),
        Slice::Words(values) => some(&values),
    };
    if tensor.elements() > SHOWN {
        text += &format!(" … and {} more (--output writes all)", tensor.elements() - SHOWN);
    }
    text + "\n"
}

/// The outputs with their names; where nobody gave them any, they are numbered.
pub(super) fn named<'a>(
    manifest: &'a Manifest,
    finished: &'a Finished,
) -> impl Iterator<Item = (String, &'a Tensor)> {
    let name = |index: usize| match manifest.outputs.get(index) {
        Some(port) => port.name.clone(),
        None => format!("output {index}"),
    };
    finished.outputs.iter().enumerate().map(move |(index, tensor)| (name(index), tensor))
}

fn values(tensor: &Tensor) -> Value {
    match Slice::of_tensor(tensor) {
        Slice::F32(values) => json!(values),
        Slice::I64(values) => json!(values),
        Slice::I32(values) => json!(values),
        Slice::I8(values) => json!(values),
        Slice::U8(values) => json!(values),
        Slice::Bool(values) => json!(values.iter().map(|&v| v != 0).collect::<Vec<_>>()),
        Slice::Words(values) => json!(values),
    }
}

pub(super) fn json(manifest: &Manifest, finished: &Finished) -> Value {
    let outputs = named(manifest, finished).map(|(name, tensor)| {
        json!({
            "name": name,
            "dtype": tensor.dtype.name(),
            "shape": tensor.shape,
            "values": values(tensor),
            "arg_max": arg_max(tensor).map(|(index, _)| index),
        })
    });
    json!({
        "program": manifest.name,
        "target": manifest.target,
        "outputs": outputs.collect::<Vec<_>>(),
        "steps": finished.steps,
        "exit_code": finished.exit_code,
        "stdout": finished.stdout,
        "output_root": finished.output_root,
        "state_hash": finished.state_hash,
    })
}

#[cfg(test)]
mod tests {
    use opml_abi::DataType;

    use super::*;

    fn tensor(dtype: DataType, data: &[u8]) -> Tensor {
        Tensor { dtype, shape: vec![1, (data.len() / dtype.size()) as u32], data: data.to_vec() }
    }

    #[test]
    fn outputs_of_every_type_are_shown() {
        let ones = 1.5f32.to_be_bytes().repeat(65);
        assert!(
            elements(&tensor(DataType::Float32, &ones))
                .ends_with(" 1.5 … and 1 more (--output writes all)\n")
        );
        let minus = [0xff; 16];
        for (dtype, data, shown, in_json) in [
            (DataType::Int64, &minus[..], " -1 -1\n", "[-1,-1]"),
            (DataType::Int32, &minus[..8], " -1 -1\n", "[-1,-1]"),
            (DataType::Int8, &minus[..2], " -1 -1\n", "[-1,-1]"),
            (DataType::Uint8, &minus[..2], " 255 255\n", "[255,255]"),
            (DataType::Bool, &[0, 1][..], " false true\n", "[false,true]"),
        ] {
            let tensor = tensor(dtype, data);
            assert_eq!((elements(&tensor).as_str(), values(&tensor).to_string().as_str()), (shown, in_json));
            assert_eq!(arg_max(&tensor), None, "{dtype}");
        }
        let floats = Tensor::from_f32(&[1, 3], &[0.5, 2.0, 1.0]);
        assert_eq!(arg_max(&floats), Some((1, 2.0)));
    }

    #[test]
    fn a_picture_says_how_it_was_drawn() {
        let text = |drawn| picture(&Drawing { output: "digit".into(), drawn });
        assert_eq!(text(Drawn::Bytes), "digit: bytes are pixels");
        assert_eq!(text(Drawn::FromZero { outside: 0 }), "digit: from 0, black, to 1, white");
        assert_eq!(
            text(Drawn::FromMinusOne { outside: 2 }),
            "digit: some values are negative: from -1, black, to 1, white; 2 values are outside"
        );
    }
}
