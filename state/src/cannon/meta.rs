use std::io;

use serde::{Deserialize, Serialize};

/// A function or object of the program.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Symbol {
    /// Name in the ELF symbol table.
    pub name: String,
    /// First address.
    pub start: u32,
    /// Bytes; 0 for a label.
    pub size: u32,
}

/// The content of `meta.json`: what lies where in a program.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// Symbols; Cannon searches them by bisection, so they are sorted by `start`.
    pub symbols: Vec<Symbol>,
}

/// Why bytes are not a `meta.json`.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum MetaError {
    /// Not JSON, or not of this shape.
    #[error("the symbol file is not Cannon's meta.json")]
    #[diagnostic(help(r#"it reads {{"symbols":[{{"name":"main","start":4096,"size":8}}]}}"#))]
    Json(#[from] serde_json::Error),
    /// Symbols out of order.
    #[error("symbol {name} at {start:#x} comes after one at {previous:#x}")]
    #[diagnostic(help("symbols stand in the order of their start addresses"))]
    Order {
        /// The symbol's name.
        name: String,
        /// Its address.
        start: u32,
        /// The address of the symbol before it.
        previous: u32,
    },
}

impl Metadata {
    /// Sorts `symbols` by address, then size and name, so that equal programs have equal files.
    pub fn new(mut symbols: Vec<Symbol>) -> Self {
        symbols.sort_by(|a, b| (a.start, a.size, &a.name).cmp(&(b.start, b.size, &b.name)));
        Self { symbols }
    }

    /// Reads a `meta.json`. Memory stays below a small multiple of `json`.
    ///
    /// # Errors
    /// Bytes of another shape, or symbols out of order.
    pub fn from_json(json: &[u8]) -> Result<Self, MetaError> {
        let metadata: Self = serde_json::from_slice(json)?;
        for pair in metadata.symbols.windows(2) {
            if pair[1].start < pair[0].start {
                let (name, start) = (pair[1].name.clone(), pair[1].start);
                return Err(MetaError::Order { name, start, previous: pair[0].start });
            }
        }
        Ok(metadata)
    }

    /// Writes a `meta.json`, indented as Cannon does.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_json(&self, mut out: impl io::Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut out, self)?;
        out.write_all(b"\n")
    }

    /// The symbol that holds `address`: the last one that starts at or below it, if it reaches that far.
    pub fn find(&self, address: u32) -> Option<&Symbol> {
        let after = self.symbols.partition_point(|symbol| symbol.start <= address);
        let symbol = self.symbols[..after].last()?;
        (address - symbol.start < symbol.size || address == symbol.start).then_some(symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(name: &str, start: u32, size: u32) -> Symbol {
        Symbol { name: name.into(), start, size }
    }

    #[test]
    fn the_json_is_cannons() {
        let metadata = Metadata::new(vec![symbol("b", 8, 4), symbol("a", 4, 4)]);
        let mut json = Vec::new();
        metadata.write_json(&mut json).unwrap();
        let compact: String = std::str::from_utf8(&json).unwrap().split_whitespace().collect();
        let expected = r#"{"symbols":[{"name":"a","start":4,"size":4},{"name":"b","start":8,"size":4}]}"#;
        assert_eq!(compact, expected);
        assert_eq!(Metadata::from_json(&json).unwrap(), metadata);
    }

    #[test]
    fn other_json_is_refused() {
        for json in ["", "[]", "{}", r#"{"symbols":[{"name":"a","start":4294967296,"size":0}]}"#] {
            assert!(matches!(Metadata::from_json(json.as_bytes()), Err(MetaError::Json(_))), "{json}");
        }
        let json = r#"{"symbols":[{"name":"a","start":2,"size":0},{"name":"b","start":1,"size":0}]}"#;
        let error = Metadata::from_json(json.as_bytes()).unwrap_err();
        assert!(matches!(error, MetaError::Order { name, start: 1, previous: 2 } if name == "b"));
    }

    #[test]
    fn find_respects_sizes() {
        let metadata = Metadata::new(vec![symbol("a", 4, 4), symbol("end", 8, 0), symbol("z", 16, 8)]);
        let name = |address| metadata.find(address).map(|symbol| symbol.name.as_str());
        assert_eq!([name(3), name(4), name(7)], [None, Some("a"), Some("a")]);
        assert_eq!([name(8), name(9), name(23), name(24)], [Some("end"), None, Some("z"), None]);
    }
}
