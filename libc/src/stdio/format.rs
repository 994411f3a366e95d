//! What `printf` makes of a format and its arguments.

use super::conversion::Conversion;
use super::{float, integer};
use crate::string::{strnlen, text};

/// The arguments behind a format, in C's sizes: those of the VM, whatever the host.
pub trait Arguments {
    /// The next one: an `int`, or what is passed as one.
    ///
    /// # Safety
    /// It is one.
    unsafe fn word(&mut self) -> u32;

    /// The next one: a `long long`.
    ///
    /// # Safety
    /// It is one.
    unsafe fn long(&mut self) -> u64;

    /// The next one: a `double`, or a `float`, which is passed as one.
    ///
    /// # Safety
    /// It is one.
    unsafe fn double(&mut self) -> f64;

    /// The next one: a pointer.
    ///
    /// # Safety
    /// It is one.
    unsafe fn pointer(&mut self) -> *const u8;
}

/// What takes the text.
pub trait Sink {
    /// Takes the next bytes.
    fn put(&mut self, bytes: &[u8]);
}

/// Why a format makes no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It ends behind a `%`.
    Ends,
    /// This letter behind a `%` stands for nothing that is done here; `%n`, which writes to memory, among them.
    Letter(u8),
    /// A width, a precision or the whole text is longer than an `int` can say.
    TooLong,
}

/// Counts what passes.
pub(super) struct Counted<'a, S> {
    sink: &'a mut S,
    count: usize,
}

impl<S: Sink> Counted<'_, S> {
    pub fn put(&mut self, bytes: &[u8]) {
        self.count = self.count.saturating_add(bytes.len());
        self.sink.put(bytes);
    }

    pub fn repeat(&mut self, byte: u8, mut count: usize) {
        let block = [byte; 16];
        while count > 0 {
            let part = count.min(block.len());
            self.put(&block[..part]);
            count -= part;
        }
    }

    /// Puts `parts` into a field: spaces on the left or the right, or, if `zeros`, zeros behind the first part.
    pub fn field(
        &mut self,
        conversion: &Conversion,
        zeros: bool,
        parts: [Part<'_>; 5],
    ) -> Result<(), Refused> {
        let length = |part: &Part<'_>| match part {
            Part::Text(text) => text.len(),
            Part::Zeros(count) => *count,
        };
        let length = parts.iter().map(length).fold(0usize, usize::saturating_add);
        let padding = conversion.width.saturating_sub(length);
        if self.count.saturating_add(length).saturating_add(padding) > i32::MAX as usize {
            return Err(Refused::TooLong);
        }
        if !conversion.left && !zeros {
            self.repeat(b' ', padding);
        }
        for (i, part) in parts.iter().enumerate() {
            match part {
                Part::Text(text) => self.put(text),
                Part::Zeros(count) => self.repeat(b'0', *count),
            }
            if i == 0 && !conversion.left && zeros {
                self.repeat(b'0', padding);
            }
        }
        if conversion.left {
            self.repeat(b' ', padding);
        }
        Ok(())
    }
}

/// A piece of a field.
#[derive(Clone, Copy)]
pub(super) enum Part<'a> {
    Text(&'a [u8]),
    Zeros(usize),
}

/// No piece.
pub(super) const NOTHING: Part<'static> = Part::Text(b"");

/// Puts the text of `format` with `arguments` into `sink`; gives how long it is.
///
/// # Errors
/// [`Refused`]; what stands before the place that is refused has been put by then.
///
/// # Safety
/// The arguments are those of the format, and the pointers among them are to texts where it says so.
pub unsafe fn format<S: Sink>(
    sink: &mut S,
    format: &[u8],
    arguments: &mut impl Arguments,
) -> Result<usize, Refused> {
    let (mut out, mut rest) = (Counted { sink, count: 0 }, format);
    while !rest.is_empty() {
        let plain = rest.iter().position(|byte| *byte == b'%').unwrap_or(rest.len());
        if plain > 0 {
            out.put(&rest[..plain]);
            rest = &rest[plain..];
            continue;
        }
        // SAFETY: the caller's promise.
        let (conversion, length) = unsafe { Conversion::parse(&rest[1..], arguments)? };
        rest = &rest[1 + length..];
        // SAFETY: the caller's promise.
        unsafe { one(&mut out, &conversion, arguments)? };
    }
    if out.count > i32::MAX as usize { Err(Refused::TooLong) } else { Ok(out.count) }
}

/// One conversion.
///
/// # Safety
/// The next argument is the conversion's.
unsafe fn one<S: Sink>(
    out: &mut Counted<'_, S>,
    conversion: &Conversion,
    arguments: &mut impl Arguments,
) -> Result<(), Refused> {
    // SAFETY: the caller's promise, and pointers of `%s` are to texts.
    unsafe {
        match conversion.letter {
            b'%' => out.put(b"%"),
            b'd' | b'i' => return integer::signed(out, conversion, arguments),
            b'u' | b'o' | b'x' | b'X' => return integer::unsigned(out, conversion, arguments),
            b'p' => return integer::pointer(out, conversion, arguments),
            b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'a' | b'A' => {
                return float::convert(out, conversion, arguments.double());
            }
            b'c' => {
                let byte = [arguments.word() as u8];
                return out.field(conversion, false, [Part::Text(&byte), NOTHING, NOTHING, NOTHING, NOTHING]);
            }
            b's' => {
                let bytes = string(arguments.pointer(), conversion.precision);
                return out.field(conversion, false, [Part::Text(bytes), NOTHING, NOTHING, NOTHING, NOTHING]);
            }
            letter => return Err(Refused::Letter(letter)),
        }
    }
    Ok(())
}

/// The bytes of `%s`. With a precision there may be no zero byte.
///
/// # Safety
/// Null or a text of that many bytes.
unsafe fn string<'a>(pointer: *const u8, precision: Option<usize>) -> &'a [u8] {
    // SAFETY: the caller's promise.
    unsafe {
        match precision {
            // As glibc has it: the word, if there is room for all of it.
            precision if pointer.is_null() => {
                if precision.is_none_or(|most| most >= 6) {
                    b"(null)"
                } else {
                    b""
                }
            }
            Some(most) => core::slice::from_raw_parts(pointer, strnlen(pointer, most)),
            None => text(pointer),
        }
    }
}
