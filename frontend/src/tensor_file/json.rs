//! Arrays of numbers inside each other, as in JSON (RFC 8259).
//!
//! Read here because a number has to come to its element in one step: a parser for any JSON makes a binary64 of it first, and two
//! roundings are not one. It also keeps the depth and the memory in hand.

use opml_abi::{DataType, Tensor, blob};

use super::stored::Stored;
use super::{Format, Target, TensorProblem};
use crate::elements::Slice;

/// Most characters of a number: messages repeat it.
const MAX_WORD: usize = 64;

/// The elements in `bytes`, of the type of the input.
pub(super) fn read(bytes: &[u8], len: u64, target: &Target) -> Result<Stored, TensorProblem> {
    target.check_size(Format::Json, len)?;
    let malformed = |reason: String| TensorProblem::Malformed { format: Format::Json, reason };
    let text = str::from_utf8(bytes).map_err(|_| malformed("it is not text".into()))?;
    let mut parser = Parser { rest: text, shape: Vec::new(), words: Vec::new() };
    parser.value(0).and_then(|()| parser.end()).map_err(malformed)?;
    target.check_shape(&parser.shape.iter().map(|&d| d.unwrap_or(0)).collect::<Vec<_>>())?;
    let dtype = target.port.dtype;
    let words = parser.words.iter();
    if dtype == DataType::Float32 {
        let numbers = words.map(|word| number(word).map_err(malformed));
        return Ok(Stored::floats(numbers.collect::<Result<Vec<f32>, _>>()?));
    }
    let integer = |(index, &word): (usize, &&str)| match word {
        "true" | "false" if dtype == DataType::Bool => Ok((word == "true").into()),
        _ => word.parse().map_err(|_| {
            let value = word.to_owned();
            TensorProblem::OutOfRange { input: target.input(), index, value, dtype }
        }),
    };
    let integers: Vec<i64> = words.enumerate().map(integer).collect::<Result<_, _>>()?;
    Stored::integers(dtype, integers).map_err(|unfit| target.unfit(dtype, unfit))
}

/// The float32 nearest to a number. What rounds to an infinity is refused: nobody means that.
fn number(word: &str) -> Result<f32, String> {
    let value = word.parse().map_err(|_| format!("`{word}` is no number"))?;
    if f32::is_finite(value) { Ok(value) } else { Err(format!("{word} is more than float32 holds")) }
}

/// The text, without spaces, that is read as `tensor` again; nothing if that has an infinity or a NaN, which JSON has no words for.
pub fn to_json(tensor: &Tensor) -> Option<String> {
    fn words<T: ToString>(values: &[T]) -> Vec<String> {
        values.iter().map(T::to_string).collect()
    }
    let mut words = match Slice::of_tensor(tensor) {
        // As few digits as name the number, and an exponent rather than zeros.
        Slice::F32(values) if values.iter().all(|v| v.is_finite()) => {
            values.iter().map(|v| format!("{v:?}")).collect()
        }
        Slice::F32(_) => return None,
        Slice::I64(values) => words(&values),
        Slice::I32(values) => words(&values),
        Slice::I8(values) => words(&values),
        Slice::U8(values) => words(&values),
        Slice::Bool(values) => words(&values.iter().map(|&v| v != 0).collect::<Vec<_>>()),
        Slice::Words(values) => words(&values),
    };
    for &len in tensor.shape.iter().rev() {
        words = words.chunks((len as usize).max(1)).map(|row| format!("[{}]", row.join(","))).collect();
    }
    Some(words.concat())
}

/// Reads from the front.
struct Parser<'a> {
    rest: &'a str,
    /// Lengths of the arrays, outermost first; none of those inside an array that is empty.
    shape: Vec<Option<u64>>,
    /// The numbers.
    words: Vec<&'a str>,
}

impl<'a> Parser<'a> {
    /// A number, or an array whose elements are `depth` + 1 arrays deep.
    fn value(&mut self, depth: usize) -> Result<(), String> {
        if !self.eat('[') {
            return self.word(depth);
        }
        if depth == blob::MAX_RANK {
            return Err(format!("its arrays are more than {} deep", blob::MAX_RANK));
        }
        if depth == self.shape.len() {
            // Behind the first number it is known how deep they lie.
            if !self.words.is_empty() {
                return Err("its numbers are not all equally deep in arrays".into());
            }
            self.shape.push(None);
        }
        let mut len = 0;
        while !self.eat(']') {
            if len > 0 && !self.eat(',') {
                return Err(format!("a comma or ] is missing {}", self.place()));
            }
            self.value(depth + 1)?;
            len += 1;
        }
        match self.shape[depth].replace(len) {
            Some(other) if other != len => {
                Err(format!("its arrays of one depth have {other} elements, and {len}"))
            }
            _ => Ok(()),
        }
    }

    fn word(&mut self, depth: usize) -> Result<(), String> {
        let text = self.rest.trim_ascii_start();
        let is_part = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        let (word, rest) = text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()));
        let numeric = word.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        if !numeric && !["true", "false"].contains(&word) {
            return Err(format!("a number is missing {}", self.place()));
        }
        if word.len() > MAX_WORD {
            return Err(format!("one of its numbers has {} characters", word.len()));
        }
        if depth != self.shape.len() {
            return Err("its numbers are not all equally deep in arrays".into());
        }
        self.words.push(word);
        self.rest = rest;
        Ok(())
    }

    fn end(&self) -> Result<(), String> {
        if self.rest.trim_ascii().is_empty() { Ok(()) } else { Err(format!("more follows {}", self.place())) }
    }

    fn eat(&mut self, symbol: char) -> bool {
        let after = self.rest.trim_ascii_start().strip_prefix(symbol);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    /// Where it stands, for a message.
    fn place(&self) -> String {
        let text: String = self.rest.trim_ascii_start().chars().take(16).collect();
        if text.is_empty() { "at the end".into() } else { format!("at `{}`", text.escape_debug()) }
    }
}
