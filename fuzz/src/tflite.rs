//! TFLite models that differ from another one in what the importer looks at: operators, options, operands, types, dimensions, constants.
//!
//! A flatbuffer is changed where it lies: numbers in their places, and a list that gets longer or shorter by a new one at the end of the
//! file, to which the offset of the old one leads from then on.

use flatbuffers::Table;
use tract_tflite::tflite::{
    Buffer, BuiltinOptions, Model, Operator, OperatorCode, QuantizationParameters, SubGraph, Tensor,
    root_as_model,
};

use crate::random::{DIMENSIONS, FLOATS, INTEGERS, Random};

/// The last number of an operator, of a table of options and of an element type, rounded up.
const CODES: usize = 220;
const OPTIONS: usize = 130;
const TYPES: usize = 20;

/// What a number stands for, which decides what it is changed to.
#[derive(Clone, Copy)]
enum Kind {
    Dimension,
    Float,
    Integer,
    /// Some number below this one.
    Below(usize),
    /// A tensor, of so many; or none.
    Operand(usize),
    /// A byte of a constant: it changes with the three beside it.
    Data,
}

/// Something in a file that can be changed.
enum Place {
    /// A number of so many bytes.
    Number { at: usize, width: usize, kind: Kind },
    /// The offset that leads to a list of such numbers.
    List { offset: usize, width: usize, kind: Kind },
}

/// A mutator for libFuzzer: changes the model in `data[..size]` and gives its new size. What is no model is changed byte by byte, and
/// so is a model now and then.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Random(seed.into());
    let mut file = data[..size].to_vec();
    if random.below(10) > 0 {
        for _ in 0..=random.below(4) {
            let Some(places) = root_as_model(&file).ok().map(|model| places(&model)) else { break };
            if !places.is_empty() {
                change(&mut file, &places[random.below(places.len())], &mut random);
            }
        }
        if file != data[..size] && file.len() <= max_size {
            data[..file.len()].copy_from_slice(&file);
            return file.len();
        }
    }
    libfuzzer_sys::fuzzer_mutate(data, size, max_size)
}

/// All that is worth a change in a model.
fn places(model: &Model<'_>) -> Vec<Place> {
    let mut places = Vec::new();
    for code in model.operator_codes().iter().flatten() {
        places.extend(number(&code._tab, OperatorCode::VT_DEPRECATED_BUILTIN_CODE, 1, Kind::Below(128)));
        places.extend(number(&code._tab, OperatorCode::VT_BUILTIN_CODE, 4, Kind::Below(CODES)));
    }
    for buffer in model.buffers().iter().flatten() {
        places.extend(list(&buffer._tab, Buffer::VT_DATA, 1, Kind::Data));
    }
    let codes = model.operator_codes().map_or(0, |codes| codes.len());
    let buffers = model.buffers().map_or(0, |buffers| buffers.len());
    for subgraph in model.subgraphs().iter().flatten() {
        let operand = Kind::Operand(subgraph.tensors().map_or(0, |tensors| tensors.len()));
        places.extend(list(&subgraph._tab, SubGraph::VT_INPUTS, 4, operand));
        places.extend(list(&subgraph._tab, SubGraph::VT_OUTPUTS, 4, operand));
        subgraph.tensors().iter().flatten().for_each(|tensor| of_tensor(&tensor, buffers, &mut places));
        let operators = subgraph.operators();
        operators.iter().flatten().for_each(|one| of_operator(&one, codes, operand, &mut places));
    }
    places
}

fn of_tensor(tensor: &Tensor<'_>, buffers: usize, places: &mut Vec<Place>) {
    let table = &tensor._tab;
    places.extend(list(table, Tensor::VT_SHAPE, 4, Kind::Dimension));
    places.extend(number(table, Tensor::VT_TYPE_, 1, Kind::Below(TYPES)));
    places.extend(number(table, Tensor::VT_BUFFER, 4, Kind::Below(buffers)));
    if let Some(parameters) = tensor.quantization() {
        let table = &parameters._tab;
        places.extend(list(table, QuantizationParameters::VT_SCALE, 4, Kind::Float));
        places.extend(list(table, QuantizationParameters::VT_ZERO_POINT, 8, Kind::Integer));
        places.extend(number(table, QuantizationParameters::VT_QUANTIZED_DIMENSION, 4, Kind::Integer));
    }
}

fn of_operator(operator: &Operator<'_>, codes: usize, operand: Kind, places: &mut Vec<Place>) {
    let table = &operator._tab;
    places.extend(number(table, Operator::VT_OPCODE_INDEX, 4, Kind::Below(codes)));
    places.extend(list(table, Operator::VT_INPUTS, 4, operand));
    places.extend(list(table, Operator::VT_OUTPUTS, 4, operand));
    places.extend(number(table, Operator::VT_BUILTIN_OPTIONS_TYPE, 1, Kind::Below(OPTIONS)));
    // Tables of other types are nobody's, and not looked at when a file is read: their fields may lie anywhere.
    let kind = operator.builtin_options_type();
    let is_known = kind != BuiltinOptions::NONE && kind.variant_name().is_some();
    if let Some(options) = operator.builtin_options().filter(|_| is_known) {
        // Which field has which width says the type of the table; all that are not absent are words or bytes.
        let vtable = options.vtable();
        // Behind the sizes of the two tables.
        let names = (4..vtable.num_bytes().min(256) as u16).step_by(2);
        let fields = names.map(|name| usize::from(vtable.get(name)));
        for at in fields.filter(|&field| field > 0).map(|field| options.loc() + field) {
            places.push(Place::Number { at, width: 1, kind: Kind::Below(8) });
            if at % 4 == 0 {
                places.push(Place::Number { at, width: 4, kind: Kind::Integer });
                places.push(Place::Number { at, width: 4, kind: Kind::Float });
            }
        }
    }
}

/// Where a field of a table is, if it is there.
fn field(table: &Table<'_>, field: u16) -> Option<usize> {
    let at = usize::from(table.vtable().get(field));
    (at > 0).then(|| table.loc() + at)
}

fn number(table: &Table<'_>, name: u16, width: usize, kind: Kind) -> Option<Place> {
    field(table, name).map(|at| Place::Number { at, width, kind })
}

fn list(table: &Table<'_>, name: u16, width: usize, kind: Kind) -> Option<Place> {
    field(table, name).map(|offset| Place::List { offset, width, kind })
}

/// Another number in a place. What does not lie in the file stays as it is.
fn change(file: &mut Vec<u8>, place: &Place, random: &mut Random) {
    match *place {
        Place::Number { at, width, kind } => put(file, at, &value(kind, random)[..width]),
        Place::List { offset, width, kind } => change_list(file, offset, width, kind, random),
    }
}

fn change_list(file: &mut Vec<u8>, offset: usize, width: usize, kind: Kind, random: &mut Random) {
    let Some(start) = word(file, offset).map(|distance| offset + distance) else { return };
    let Some(len) = word(file, start) else { return };
    let Some(old) = file.get(start + 4..start + 4 + len * width) else { return };
    let mut list = old.to_vec();
    let (index, new) = (random.below(len), value(kind, random));
    match (random.below(4), kind) {
        (0, _) => list.truncate(list.len().saturating_sub(width)),
        (1, Kind::Data) => list.extend(&new[..4]),
        (1, _) => drop(list.splice(index * width..index * width, new[..width].iter().copied())),
        (_, Kind::Data) => put(&mut list, index & !3, &new[..4]),
        _ => put(&mut list, index * width, &new[..width]),
    }
    if list.len() == old.len() {
        return put(file, start + 4, &list);
    }
    // The list's numbers lie at a multiple of their width, and its length, of four bytes, in front of them.
    let start = (file.len() + 4).next_multiple_of(8) - 4;
    file.resize(start, 0);
    file.extend(((list.len() / width) as u32).to_le_bytes());
    file.extend(list);
    put(file, offset, &((start - offset) as u32).to_le_bytes());
}

/// The bytes of a new number; narrower ones are in front.
fn value(kind: Kind, random: &mut Random) -> [u8; 8] {
    let number = match kind {
        Kind::Dimension => random.one_of(DIMENSIONS),
        Kind::Float => random.one_of(FLOATS).to_bits().into(),
        Kind::Integer => random.one_of(INTEGERS),
        Kind::Below(end) => random.below(end) as i64,
        Kind::Operand(count) => random.below(count + 1) as i64 - 1,
        Kind::Data => return value([Kind::Dimension, Kind::Float, Kind::Integer][random.below(3)], random),
    };
    number.to_le_bytes()
}

fn put(bytes: &mut [u8], at: usize, new: &[u8]) {
    bytes.iter_mut().skip(at).zip(new).for_each(|(to, byte)| *to = *byte);
}

fn word(file: &[u8], at: usize) -> Option<usize> {
    let bytes = file.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes) as usize)
}
