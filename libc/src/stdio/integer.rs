use super::conversion::{Conversion, Size};
use super::format::{Counted, NOTHING, Part};
use super::{Arguments, Refused, Sink};

/// The most digits: 64 bits in octal.
const DIGITS: usize = 22;

/// `%d`.
///
/// # Safety
/// The next argument is the conversion's.
pub(super) unsafe fn signed<S: Sink>(
    out: &mut Counted<'_, S>,
    conversion: &Conversion,
    arguments: &mut impl Arguments,
) -> Result<(), Refused> {
    // SAFETY: the caller's promise.
    let value = unsafe {
        match conversion.size {
            Size::Byte => (arguments.word() as i8).into(),
            Size::Half => (arguments.word() as i16).into(),
            Size::Word => (arguments.word() as i32).into(),
            Size::Long => arguments.long() as i64,
        }
    };
    let sign = [if value < 0 { b'-' } else { conversion.plus }];
    let sign = if sign[0] == 0 { &sign[..0] } else { &sign };
    number(out, conversion, sign, value.unsigned_abs(), 10)
}

/// `%u`, `%o`, `%x` and `%X`.
///
/// # Safety
/// The next argument is the conversion's.
pub(super) unsafe fn unsigned<S: Sink>(
    out: &mut Counted<'_, S>,
    conversion: &Conversion,
    arguments: &mut impl Arguments,
) -> Result<(), Refused> {
    // SAFETY: the caller's promise.
    let value: u64 = unsafe {
        match conversion.size {
            Size::Byte => (arguments.word() as u8).into(),
            Size::Half => (arguments.word() as u16).into(),
            Size::Word => arguments.word().into(),
            Size::Long => arguments.long(),
        }
    };
    let (base, prefix): (u64, &[u8]) = match conversion.letter {
        b'o' => (8, b""),
        b'x' => (16, b"0x"),
        b'X' => (16, b"0X"),
        _ => (10, b""),
    };
    let prefix = if conversion.alternative && value != 0 { prefix } else { b"" };
    number(out, conversion, prefix, value, base)
}

/// `%p`, as glibc has it.
///
/// # Safety
/// The next argument is a pointer.
pub(super) unsafe fn pointer<S: Sink>(
    out: &mut Counted<'_, S>,
    conversion: &Conversion,
    arguments: &mut impl Arguments,
) -> Result<(), Refused> {
    // SAFETY: the caller's promise.
    match unsafe { arguments.pointer() }.addr() {
        0 => out.field(conversion, false, [Part::Text(b"(nil)"), NOTHING, NOTHING, NOTHING, NOTHING]),
        address => number(out, conversion, b"0x", address as u64, 16),
    }
}

fn number<S: Sink>(
    out: &mut Counted<'_, S>,
    conversion: &Conversion,
    prefix: &[u8],
    value: u64,
    base: u64,
) -> Result<(), Refused> {
    let mut buffer = [0; DIGITS];
    let letters: &[u8; 16] =
        if conversion.letter == b'X' { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    let digits = digits(value, base, letters, &mut buffer);
    let mut least = conversion.precision.unwrap_or(1);
    if base == 8 && conversion.alternative {
        // The first digit is to be a zero, which that of zero is.
        least = least.max(if value == 0 { 1 } else { digits.len() + 1 });
    }
    let missing = least.saturating_sub(digits.len());
    let zeros = conversion.zeros && conversion.precision.is_none();
    out.field(
        conversion,
        zeros,
        [Part::Text(prefix), Part::Zeros(missing), Part::Text(digits), NOTHING, NOTHING],
    )
}

/// The digits of `value`, of zero none.
fn digits<'a>(value: u64, base: u64, letters: &[u8; 16], buffer: &'a mut [u8; DIGITS]) -> &'a [u8] {
    let mut first = DIGITS;
    let mut put = |digit: u32| {
        first -= 1;
        buffer[first] = letters[digit as usize];
    };
    let mut rest = value;
    // 64 bits take a call for each division; most values are soon below them.
    while rest > u32::MAX.into() {
        put((rest % base) as u32);
        rest /= base;
    }
    let (mut rest, base) = (rest as u32, base as u32);
    while rest > 0 {
        put(rest % base);
        rest /= base;
    }
    &buffer[first..]
}
