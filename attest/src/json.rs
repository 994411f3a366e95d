//! JSON of strangers: one meaning per text, and an end to it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Longest part of a stranger's text that is repeated in a message, in characters.
const SHOWN: usize = 80;

/// Why bytes are not the JSON that is wanted.
#[derive(Debug, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum JsonError {
    /// Longer than anything of its kind.
    #[error("it has {got} bytes; at most {most} are read")]
    TooLong {
        /// Its length.
        got: usize,
        /// The most that is read.
        most: usize,
    },
    /// No JSON, cut off, or nested too deeply.
    #[error("it is no JSON: {0}")]
    Syntax(String),
    /// An object has a key twice. Which of the two counts is not defined, so that two readers could see two things.
    #[error("the key `{0}` stands twice in one object")]
    DuplicateKey(String),
    /// JSON, but a field is missing or has another type.
    #[error("a field is missing or wrong: {0}")]
    Shape(String),
}

/// Reads `bytes`, at most `most` of them, as a `T`.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8], most: usize) -> Result<T, JsonError> {
    check(bytes, most)?;
    serde_json::from_slice(bytes).map_err(|error| JsonError::Shape(shown(&error.to_string())))
}

/// A stranger's text for a message: bounded, and without what could play with a terminal.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(SHOWN) {
        if matches!(c, ' '..='~') {
            shown.push(c);
        } else {
            shown.extend(c.escape_debug());
        }
    }
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

fn check(bytes: &[u8], most: usize) -> Result<(), JsonError> {
    if bytes.len() > most {
        return Err(JsonError::TooLong { got: bytes.len(), most });
    }
    let twice = RefCell::new(None);
    // Nesting ends where serde_json ends it, at 128 levels.
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let walked = OneMeaning(&twice).deserialize(&mut json).and_then(|()| json.end());
    match (twice.take(), walked) {
        (Some(key), _) => Err(JsonError::DuplicateKey(shown(&key))),
        (None, Err(error)) => Err(JsonError::Syntax(shown(&error.to_string()))),
        (None, Ok(())) => Ok(()),
    }
}

/// Walks through a value and keeps nothing but the first key that an object has twice.
#[derive(Clone, Copy)]
struct OneMeaning<'a>(&'a RefCell<Option<String>>);

impl<'de> DeserializeSeed<'de> for OneMeaning<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OneMeaning<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(key) = object.next_key::<String>()? {
            if let Some(key) = keys.replace(key) {
                self.0.replace(Some(key));
                return Err(A::Error::custom("a key stands twice"));
            }
            object.next_value_seed(self)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
