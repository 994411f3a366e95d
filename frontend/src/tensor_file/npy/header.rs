//! The header in front of the elements: magic, version, length, and a Python dictionary.
//!
//! Read here and not by one of the crates for the format: those parse it as any Python literal, in
//! time that doubles with each bracket, after reserving whatever length the file claims. An array's
//! header has three keys and nothing nested.

const MAGIC: &[u8] = b"\x93NUMPY";

/// Longest dictionary that is read; numpy writes 118 bytes for an array of floats.
pub const MAX_TEXT: usize = 1 << 10;

/// numpy pads the header so that the elements start at a multiple of this.
const ALIGNMENT: usize = 64;

/// What an array's dictionary says.
#[derive(PartialEq, Debug)]
pub struct Header {
    /// The type of the elements as numpy's string, e.g. `<f4`.
    pub descr: String,
    /// Whether the first axis runs fastest.
    pub fortran_order: bool,
    /// Dimensions, outermost first.
    pub shape: Vec<u64>,
}

impl Header {
    /// The header at the start of `bytes`, and what follows it.
    pub fn split(bytes: &[u8]) -> Result<(Self, &[u8]), String> {
        let rest = bytes.strip_prefix(MAGIC).ok_or("it does not start with numpy's magic")?;
        let (&version, rest) = rest.split_first_chunk::<2>().ok_or(CUT_OFF)?;
        let (len, rest) = match version {
            [1, 0] => {
                let (&len, rest) = rest.split_first_chunk().ok_or(CUT_OFF)?;
                (usize::from(u16::from_le_bytes(len)), rest)
            }
            [2 | 3, 0] => {
                let (&len, rest) = rest.split_first_chunk().ok_or(CUT_OFF)?;
                (u32::from_le_bytes(len) as usize, rest)
            }
            [major, minor] => return Err(format!("version {major}.{minor} of the format is not known")),
        };
        if len > MAX_TEXT {
            return Err(format!("its header is {len} bytes long; an array's has at most {MAX_TEXT}"));
        }
        let (text, data) = rest.split_at_checked(len).ok_or(CUT_OFF)?;
        let text = str::from_utf8(text).map_err(|_| "its header is not text")?;
        let header = Parser { rest: text }.dictionary();
        Ok((
            header
                .ok_or_else(|| format!("its header is not an array's: {}", text.trim_end().escape_debug()))?,
            data,
        ))
    }
}

const CUT_OFF: &str = "it ends inside the header";

/// The header of elements of the type `descr` in C order.
pub fn write(descr: &str, shape: &[u32]) -> Vec<u8> {
    let dims = match shape {
        [only] => format!("({only},)"),
        dims => format!("({})", dims.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
    };
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {dims}, }}");
    let start = MAGIC.len() + 4;
    let end = (start + text.len() + 1).next_multiple_of(ALIGNMENT);
    text.extend(std::iter::repeat_n(' ', end - start - text.len() - 1));
    text.push('\n');
    let len = u16::try_from(text.len()).expect("a shape of the guest ABI has at most 8 dimensions");
    [MAGIC, &[1, 0], &len.to_le_bytes(), text.as_bytes()].concat()
}

/// Reads from the front; nothing wherever the text is not as it should be.
struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn dictionary(mut self) -> Option<Header> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.expect('{')?;
        while !self.eat('}') {
            let key = self.string()?;
            self.expect(':')?;
            // The last one counts where a key stands twice, as in Python.
            match key {
                "descr" => descr = Some(self.string()?.to_owned()),
                "fortran_order" => fortran_order = Some(self.boolean()?),
                "shape" => shape = Some(self.tuple()?),
                _ => return None,
            }
            if !self.eat(',') {
                self.expect('}')?;
                break;
            }
        }
        let end = self.rest.trim_ascii().is_empty();
        Some(Header { descr: descr?, fortran_order: fortran_order?, shape: shape? }).filter(|_| end)
    }

    fn eat(&mut self, symbol: char) -> bool {
        let after = self.rest.trim_ascii_start().strip_prefix(symbol);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn expect(&mut self, symbol: char) -> Option<()> {
        self.eat(symbol).then_some(())
    }

    fn string(&mut self) -> Option<&'a str> {
        let quote = ['\'', '"'].into_iter().find(|&quote| self.eat(quote))?;
        let (string, rest) = self.rest.split_once(quote)?;
        self.rest = rest;
        Some(string)
    }

    fn boolean(&mut self) -> Option<bool> {
        let text = self.rest.trim_ascii_start();
        let (value, rest) = match text.strip_prefix("True") {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix("False")?),
        };
        self.rest = rest;
        Some(value)
    }

    fn tuple(&mut self) -> Option<Vec<u64>> {
        let mut numbers = Vec::new();
        self.expect('(')?;
        while !self.eat(')') {
            let text = self.rest.trim_ascii_start();
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            numbers.push(text[..end].parse().ok()?);
            self.rest = &text[end..];
            if !self.eat(',') {
                self.expect(')')?;
                break;
            }
        }
        Some(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(version: [u8; 2], text: &str) -> Vec<u8> {
        let len = text.len() as u32;
        let len =
            if version == [1, 0] { len.to_le_bytes()[..2].to_vec() } else { len.to_le_bytes().to_vec() };
        [MAGIC, &version, &len, text.as_bytes(), &[1, 2]].concat()
    }

    #[test]
    fn every_spelling_that_numpy_accepts_is_read() {
        for version in [[1, 0], [2, 0], [3, 0]] {
            for (text, shape) in [
                ("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }   \n", vec![2, 3]),
                ("{\"shape\":(5,),\"fortran_order\":True,\"descr\":\"<f4\"}", vec![5]),
                (" { 'fortran_order' : True , 'shape' : ( ) , 'descr' : '<f4' } ", vec![]),
            ] {
                let bytes = file(version, text);
                let (header, data) = Header::split(&bytes).unwrap();
                assert_eq!(header, Header { descr: "<f4".into(), fortran_order: true, shape }, "{text}");
                assert_eq!(data, [1, 2]);
            }
        }
    }

    #[test]
    fn what_is_no_header_is_refused_with_the_reason() {
        let reason = |bytes: &[u8]| Header::split(bytes).unwrap_err();
        assert_eq!(reason(b"NUMPY"), "it does not start with numpy's magic");
        assert_eq!(reason(&file([4, 0], "{}")), "version 4.0 of the format is not known");
        let good = file([1, 0], "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}");
        for len in MAGIC.len()..good.len() - 2 {
            assert_eq!(reason(&good[..len]), CUT_OFF, "{len} bytes");
        }
        let claims_4_gb = [MAGIC, &[2, 0], &[0xff; 4]].concat();
        assert_eq!(reason(&claims_4_gb), "its header is 4294967295 bytes long; an array's has at most 1024");
        for text in [
            "",
            "{}",
            "{'descr': '<f4', 'fortran_order': False}",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': ()}",
            "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': ()}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': ()} and more",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (), 'other': 1}",
        ] {
            assert!(reason(&file([1, 0], text)).starts_with("its header is not an array's: "), "{text}");
        }
    }

    #[test]
    fn header_is_padded_and_reads_back() {
        for (shape, dims) in [(&[][..] as &[u32], "()"), (&[7], "(7,)"), (&[1, 10], "(1, 10)")] {
            let bytes = write("<f4", shape);
            assert_eq!(bytes.len(), 128);
            assert_eq!(bytes[..10], *b"\x93NUMPY\x01\x00\x76\x00");
            let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {dims}, }}");
            assert_eq!(str::from_utf8(&bytes[10..]).unwrap(), format!("{text:<117}\n"));
            let (header, data) = Header::split(&bytes).unwrap();
            assert!(header.shape.iter().copied().eq(shape.iter().map(|&d| u64::from(d))));
            assert!(data.is_empty());
        }
    }
}
