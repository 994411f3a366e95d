use super::{Arguments, Refused};

/// How large an integer argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// `hh`: the low byte of a word.
    Byte,
    /// `h`: the low half of a word.
    Half,
    /// None, `l`, `z`, `t`: a word.
    Word,
    /// `ll`, `j`: two words.
    Long,
}

/// What stands between a `%` and its letter, and the letter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conversion {
    /// `-`
    pub left: bool,
    /// `+`, or else a space, in front of positive numbers; zero for none.
    pub plus: u8,
    /// `#`
    pub alternative: bool,
    /// `0`
    pub zeros: bool,
    pub width: usize,
    pub precision: Option<usize>,
    pub size: Size,
    pub letter: u8,
}

impl Conversion {
    /// Reads what follows a `%`; gives how long it is, too.
    ///
    /// # Safety
    /// The arguments are those of the format.
    pub unsafe fn parse(format: &[u8], arguments: &mut impl Arguments) -> Result<(Self, usize), Refused> {
        let mut conversion = Self {
            left: false,
            plus: 0,
            alternative: false,
            zeros: false,
            width: 0,
            precision: None,
            size: Size::Word,
            letter: 0,
        };
        let mut rest = conversion.flags(format);
        // SAFETY: the caller's promise.
        let (width, after) = unsafe { number(rest, arguments)? };
        conversion.left |= width < 0;
        (conversion.width, rest) = (width.unsigned_abs() as usize, after);
        if let Some(after) = rest.strip_prefix(b".") {
            // SAFETY: the caller's promise.
            let (precision, after) = unsafe { number(after, arguments)? };
            // A negative one counts as none.
            conversion.precision = usize::try_from(precision).ok();
            rest = after;
        }
        rest = conversion.size(rest);
        let (letter, rest) = rest.split_first().ok_or(Refused::Ends)?;
        conversion.letter = *letter;
        Ok((conversion, format.len() - rest.len()))
    }

    fn flags<'a>(&mut self, mut format: &'a [u8]) -> &'a [u8] {
        while let [flag, rest @ ..] = format {
            match flag {
                b'-' => self.left = true,
                b'+' => self.plus = b'+',
                b' ' if self.plus == 0 => self.plus = b' ',
                b' ' => {}
                b'#' => self.alternative = true,
                b'0' => self.zeros = true,
                _ => break,
            }
            format = rest;
        }
        format
    }

    fn size<'a>(&mut self, format: &'a [u8]) -> &'a [u8] {
        // `long double` is `double`, and `long` is `int`.
        let (size, length) = match format {
            [b'h', b'h', ..] => (Size::Byte, 2),
            [b'h', ..] => (Size::Half, 1),
            [b'l', b'l', ..] => (Size::Long, 2),
            [b'j', ..] => (Size::Long, 1),
            [b'l' | b'z' | b't' | b'L', ..] => (Size::Word, 1),
            _ => (Size::Word, 0),
        };
        self.size = size;
        &format[length..]
    }
}

/// A decimal number, or the next argument for a `*`; 0 if there is none.
///
/// # Safety
/// The arguments are those of the format.
unsafe fn number<'a>(format: &'a [u8], arguments: &mut impl Arguments) -> Result<(i32, &'a [u8]), Refused> {
    if let Some(rest) = format.strip_prefix(b"*") {
        // SAFETY: the caller's promise.
        return Ok((unsafe { arguments.word() } as i32, rest));
    }
    let (mut value, mut rest) = (0i32, format);
    while let [digit @ b'0'..=b'9', after @ ..] = rest {
        let shifted = value.checked_mul(10).and_then(|v| v.checked_add((digit - b'0').into()));
        (value, rest) = (shifted.ok_or(Refused::TooLong)?, after);
    }
    Ok((value, rest))
}
