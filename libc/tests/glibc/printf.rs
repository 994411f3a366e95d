//! `printf`: the text of a format.

use std::ffi::{CString, c_char, c_int};

use opml_libc::stdio::{Arguments, Memory, Refused, Sink, format};

use crate::Random;

unsafe extern "C" {
    fn snprintf(to: *mut c_char, size: usize, format: *const c_char, ...) -> c_int;
}

#[derive(Clone, Copy, Debug)]
enum Value {
    Word(u32),
    Long(u64),
    Double(f64),
    Pointer(*const u8),
}

struct Values<'a>(std::slice::Iter<'a, Value>);

impl<'a> Values<'a> {
    fn of(values: &'a [Value]) -> Self {
        Self(values.iter())
    }
}

impl Arguments for Values<'_> {
    unsafe fn word(&mut self) -> u32 {
        let Some(&Value::Word(word)) = self.0.next() else { panic!("the next argument is no word") };
        word
    }
    unsafe fn long(&mut self) -> u64 {
        let Some(&Value::Long(long)) = self.0.next() else { panic!("the next argument has not 64 bits") };
        long
    }
    unsafe fn double(&mut self) -> f64 {
        let Some(&Value::Double(double)) = self.0.next() else { panic!("the next argument is no double") };
        double
    }
    unsafe fn pointer(&mut self) -> *const u8 {
        let Some(&Value::Pointer(pointer)) = self.0.next() else { panic!("the next argument is no pointer") };
        pointer
    }
}

#[derive(Default)]
struct Text(Vec<u8>);

impl Sink for Text {
    fn put(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
    }
}

fn ours(pattern: &str, values: &[Value]) -> String {
    let mut text = Text::default();
    // SAFETY: the values panic where they are not the format's; pointers are to texts.
    let length = unsafe { format(&mut text, pattern.as_bytes(), &mut Values::of(values)) };
    assert_eq!(length, Ok(text.0.len()), "{pattern}");
    String::from_utf8(text.0).unwrap()
}

fn glibc(pattern: &str, stars: &[c_int], value: Value) -> String {
    let pattern = CString::new(pattern).unwrap();
    let mut room = vec![0u8; 4096];
    let (to, size, format) = (room.as_mut_ptr().cast(), room.len(), pattern.as_ptr());
    // SAFETY: the arguments are those of the format.
    let length = unsafe {
        match (stars, value) {
            ([], Value::Word(v)) => snprintf(to, size, format, v),
            ([], Value::Long(v)) => snprintf(to, size, format, v),
            ([], Value::Double(v)) => snprintf(to, size, format, v),
            ([], Value::Pointer(v)) => snprintf(to, size, format, v),
            ([w, p], Value::Word(v)) => snprintf(to, size, format, *w, *p, v),
            ([w, p], Value::Double(v)) => snprintf(to, size, format, *w, *p, v),
            other => panic!("{other:?}"),
        }
    };
    room.truncate(usize::try_from(length).expect("the format is right"));
    String::from_utf8(room).unwrap()
}

/// Flags, a width and a precision, each or none.
fn modifiers(random: &mut Random) -> String {
    let mut text = "%".to_owned();
    for flag in ["-", "+", " ", "#", "0"] {
        if random.below(4) == 0 {
            text += flag;
        }
    }
    if random.below(2) == 0 {
        text += &(1 + random.below(30)).to_string();
    }
    text + &match random.below(3) {
        0 => String::new(),
        1 => ".".into(),
        _ => format!(".{}", random.below(25)),
    }
}

#[test]
fn integers() {
    let mut random = Random(1);
    for _ in 0..60_000 {
        let modifiers = modifiers(&mut random);
        let letter = random.pick(&["d", "i", "u", "x", "X", "o"]);
        let value = random.next() >> random.below(64);
        let value = if random.below(8) == 0 { 0 } else { value };
        // What it is called here and on the host.
        let (here, there, value) = match random.below(6) {
            0 => ("hh", "hh", Value::Word(value as u32)),
            1 => ("h", "h", Value::Word(value as u32)),
            2 => ("ll", "ll", Value::Long(value)),
            3 => ("j", "j", Value::Long(value)),
            4 => (random.pick(&["l", "z", "t"]), "", Value::Word(value as u32)),
            _ => ("", "", Value::Word(value as u32)),
        };
        let got = ours(&format!("[{modifiers}{here}{letter}]"), &[value]);
        let expected = glibc(&format!("[{modifiers}{there}{letter}]"), &[], value);
        assert_eq!(got, expected, "{modifiers}{here}{letter} of {value:?}");
    }
}

#[test]
fn floats() {
    let mut random = Random(2);
    for _ in 0..150_000 {
        let letter = random.pick(&["f", "F", "e", "E", "g", "G", "a", "A"]);
        let mut pattern = modifiers(&mut random) + letter;
        if "gG".contains(letter) {
            // glibc drops a digit where rounding makes another: `%#.2g` of 99.96 is `1.e+02` there, and has to be `1.0e+02`.
            pattern = pattern.replace('#', "");
        }
        let value = Value::Double(random.double());
        assert_eq!(ours(&pattern, &[value]), glibc(&pattern, &[], value), "{pattern} of {value:?}");
    }
}

/// All digits that there are, and zeros behind them.
#[test]
fn long_floats() {
    let mut random = Random(3);
    let mut values = vec![5e-324, f64::MIN_POSITIVE, f64::MAX, 0.1, 1e22, 1e23, 123_456_789.0];
    values.extend((0..300).map(|_| f64::from_bits(random.next())).filter(|x| x.is_finite()));
    for value in values {
        for pattern in ["%.1100f", "%.1074f", "%.800e", "%.1200e", "%.780g", "%#.1100g", "%.40a", "%1500.3f"]
        {
            let value = Value::Double(value);
            assert_eq!(ours(pattern, &[value]), glibc(pattern, &[], value), "{pattern} of {value:?}");
        }
    }
}

#[test]
fn shorter_floats_can_keep_their_zeros() {
    let cases = [
        (99.96, "%#.2g", "1.0e+02"),
        (0.0, "%#g", "0.00000"),
        (1.0, "%#.3g", "1.00"),
        (1e10, "%#.0g", "1.e+10"),
    ];
    for (value, pattern, text) in cases {
        assert_eq!(ours(pattern, &[Value::Double(value)]), text, "{pattern}");
    }
}

/// Numbers whose digits end just where a format cuts them off.
#[test]
fn ties_go_to_the_even_digit() {
    for eighths in 0..4000 {
        for (pattern, scale) in
            [("%.0f", 2.0), ("%.1f", 4.0), ("%.2f", 8.0), ("%.3e", 16.0), ("%.2g", 8.0), ("%.1a", 512.0)]
        {
            let value = Value::Double(f64::from(eighths) / scale);
            assert_eq!(ours(pattern, &[value]), glibc(pattern, &[], value), "{pattern} of {value:?}");
        }
    }
}

#[test]
fn texts_and_characters() {
    let texts = [c"", c"a", c"hello, world", c"0123456789012345678901234567890123456789"];
    let mut random = Random(4);
    for _ in 0..5000 {
        let modifiers = modifiers(&mut random).replace(['+', ' ', '#', '0'], "");
        let value = Value::Pointer(random.pick(&texts).as_ptr().cast());
        let pattern = format!("<{modifiers}s>");
        assert_eq!(ours(&pattern, &[value]), glibc(&pattern, &[], value), "{pattern}");
        let modifiers = modifiers.split('.').next().unwrap();
        let value = Value::Word(u32::from(b'!') + random.below(90) as u32);
        let pattern = format!("<{modifiers}c>");
        assert_eq!(ours(&pattern, &[value]), glibc(&pattern, &[], value), "{pattern}");
    }
    for pattern in ["%s", "%.3s", "%.6s", "%9s", "%p", "%12p"] {
        let null = Value::Pointer(std::ptr::null());
        assert_eq!(ours(pattern, &[null]), glibc(pattern, &[], null), "{pattern}");
    }
    let pointer = Value::Pointer(std::ptr::without_provenance(0x1234));
    assert_eq!(ours("%p %-12p|", &[pointer, pointer]), "0x1234 0x1234      |");
}

#[test]
fn widths_and_precisions_can_be_arguments() {
    let mut random = Random(5);
    for _ in 0..2000 {
        let (width, precision) = (random.below(40) as i32 - 20, random.below(30) as i32 - 10);
        let stars = [Value::Word(width as u32), Value::Word(precision as u32)];
        for (pattern, value) in [("%*.*d", Value::Word(12_345)), ("%0*.*f", Value::Double(-1.25))] {
            let got = ours(pattern, &[stars[0], stars[1], value]);
            assert_eq!(got, glibc(pattern, &[width, precision], value), "{pattern} {width} {precision}");
        }
    }
    assert_eq!(ours("%d%% %s", &[Value::Word(50), Value::Pointer(c"off".as_ptr().cast())]), "50% off");
}

#[test]
fn what_it_cannot_do_is_refused() {
    let refused = |pattern: &str, values: &[Value]| {
        let mut text = Text::default();
        // SAFETY: as above.
        unsafe { format(&mut text, pattern.as_bytes(), &mut Values::of(values)) }.unwrap_err()
    };
    assert_eq!(refused("%n", &[Value::Pointer(std::ptr::null())]), Refused::Letter(b'n'));
    assert_eq!(refused("%d %y", &[Value::Word(1)]), Refused::Letter(b'y'));
    assert_eq!(refused("100%", &[]), Refused::Ends);
    assert_eq!(refused("%99999999999d", &[]), Refused::TooLong);
    assert_eq!(refused("%2147483647d%d", &[Value::Word(1), Value::Word(1)]), Refused::TooLong);
}

#[test]
fn memory_keeps_what_fits() {
    for size in 0..8 {
        let mut room = [b'#'; 8];
        // SAFETY: the room has that many bytes.
        let mut memory = unsafe { Memory::new(room.as_mut_ptr(), size) };
        // SAFETY: the value is the format's.
        let length = unsafe { format(&mut memory, b"<%d>", &mut Values::of(&[Value::Word(123)])) };
        memory.end();
        assert_eq!(length, Ok(5));
        let mut expected = [b'#'; 8];
        // SAFETY: the same.
        unsafe { snprintf(expected.as_mut_ptr().cast(), size, c"<%d>".as_ptr(), 123) };
        assert_eq!(room, expected, "{size} bytes");
    }
}
