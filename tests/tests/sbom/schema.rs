//! JSON Schema, draft 7, as far as the schema of CycloneDX goes. A keyword that is not known here fails the test: what is not
//! checked must not look as if it were.
//!
//! The libraries for it were tried first: each changes the features of a package below tract, which would then be
//! compiled twice, once for the commands and once for the tests.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value};

/// Keywords that say nothing about whether a document is right. `format` is one of them unless a reader chooses otherwise.
const REMARKS: [&str; 11] = [
    "$comment",
    "$id",
    "$schema",
    "default",
    "definitions",
    "deprecated",
    "description",
    "examples",
    "format",
    "meta:enum",
    "title",
];

/// Schemas that refer to each other, by file name.
pub struct Schemas(BTreeMap<&'static str, Value>);

/// A place in a schema: a file, and the part of it that is looked at.
#[derive(Clone, Copy)]
struct Rule<'a> {
    file: &'a str,
    schema: &'a Value,
}

impl Schemas {
    pub fn new(texts: &[(&'static str, &str)]) -> Self {
        let parse = |text| serde_json::from_str(text).expect("a schema is JSON");
        Self(texts.iter().map(|(name, text)| (*name, parse(text))).collect())
    }

    /// What is wrong with `document` by the schema `file`: where, and by which keyword.
    pub fn violations(&self, file: &str, document: &Value) -> Vec<String> {
        let mut found = Vec::new();
        self.check(Rule { file, schema: &self.0[file] }, document, "", &mut found);
        found
    }

    fn holds(&self, rule: Rule, value: &Value) -> bool {
        let mut found = Vec::new();
        self.check(rule, value, "", &mut found);
        found.is_empty()
    }

    fn check(&self, rule: Rule, value: &Value, at: &str, found: &mut Vec<String>) {
        let schema = match rule.schema {
            Value::Bool(true) => return,
            Value::Bool(false) => return found.push(format!("{at}: nothing may be here")),
            Value::Object(schema) => schema,
            other => panic!("no schema: {other}"),
        };
        if let Some(reference) = schema.get("$ref") {
            // In draft 7, what stands beside a reference does not count.
            return self.check(self.resolve(rule.file, text(reference)), value, at, found);
        }
        for (keyword, argument) in schema {
            let part = |schema| Rule { schema, ..rule };
            let list = || argument.as_array().expect("a list").iter().map(part);
            let valid = match keyword.as_str() {
                "allOf" => list().all(|rule| self.holds(rule, value)),
                "anyOf" => list().any(|rule| self.holds(rule, value)),
                "oneOf" => list().filter(|rule| self.holds(*rule, value)).count() == 1,
                "if" => {
                    let branch = schema.get(if self.holds(part(argument), value) { "then" } else { "else" });
                    branch.is_none_or(|branch| self.holds(part(branch), value))
                }
                "then" | "else" => true,
                "items" | "additionalItems" | "properties" | "additionalProperties" => {
                    self.check_parts(rule, keyword, schema, value, at, found);
                    true
                }
                keyword => REMARKS.contains(&keyword) || is_valid(keyword, argument, value),
            };
            if !valid {
                found.push(format!("{at}: {keyword}"));
            }
        }
    }

    /// Keywords about what lies within a value.
    fn check_parts(
        &self,
        rule: Rule,
        keyword: &str,
        schema: &Map<String, Value>,
        value: &Value,
        at: &str,
        found: &mut Vec<String>,
    ) {
        let argument = &schema[keyword];
        match (keyword, argument, value) {
            // An argument for each element; `additionalItems` is about those behind them.
            ("items", Value::Array(arguments), Value::Array(items)) => {
                for (i, (schema, item)) in arguments.iter().zip(items).enumerate() {
                    self.check(Rule { schema, ..rule }, item, &format!("{at}/{i}"), found);
                }
            }
            ("items", _, Value::Array(items)) => {
                for (i, item) in items.iter().enumerate() {
                    self.check(Rule { schema: argument, ..rule }, item, &format!("{at}/{i}"), found);
                }
            }
            ("additionalItems", _, Value::Array(items)) => {
                let named = schema.get("items").and_then(Value::as_array).map_or(items.len(), Vec::len);
                for (i, item) in items.iter().enumerate().skip(named) {
                    self.check(Rule { schema: argument, ..rule }, item, &format!("{at}/{i}"), found);
                }
            }
            ("properties", Value::Object(properties), Value::Object(object)) => {
                for (name, schema) in properties {
                    if let Some(value) = object.get(name) {
                        self.check(Rule { schema, ..rule }, value, &format!("{at}/{name}"), found);
                    }
                }
            }
            ("additionalProperties", _, Value::Object(object)) => {
                let named = schema.get("properties").and_then(Value::as_object);
                for (name, value) in
                    object.iter().filter(|(name, _)| !named.is_some_and(|n| n.contains_key(*name)))
                {
                    self.check(Rule { schema: argument, ..rule }, value, &format!("{at}/{name}"), found);
                }
            }
            _ => {}
        }
    }

    /// Follows `reference` from the schema `file`: a file, a place in it, or both.
    fn resolve<'a>(&'a self, file: &'a str, reference: &'a str) -> Rule<'a> {
        let (name, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let file = if name.is_empty() { file } else { name };
        let whole = self.0.get(file).unwrap_or_else(|| panic!("no schema {file}"));
        let schema = whole.pointer(pointer).unwrap_or_else(|| panic!("nothing at {reference}"));
        Rule { file, schema }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// Keywords about a value alone. They say nothing about values of other types than theirs.
fn is_valid(keyword: &str, argument: &Value, value: &Value) -> bool {
    let most = || argument.as_u64().expect("a number") as usize;
    let length = || value.as_str().map(|text| text.chars().count());
    let items = || value.as_array().map(Vec::len);
    match keyword {
        "const" => value == argument,
        "enum" => argument.as_array().expect("a list").contains(value),
        "maximum" => value.as_f64().is_none_or(|n| n <= argument.as_f64().expect("a number")),
        "minimum" => value.as_f64().is_none_or(|n| n >= argument.as_f64().expect("a number")),
        "maxLength" => length().is_none_or(|n| n <= most()),
        "minLength" => length().is_none_or(|n| n >= most()),
        "maxItems" => items().is_none_or(|n| n <= most()),
        "minItems" => items().is_none_or(|n| n >= most()),
        "pattern" => value.as_str().is_none_or(|value| {
            Regex::new(text(argument)).expect("the pattern is one of this library, too").is_match(value)
        }),
        "required" => value.as_object().is_none_or(|object| {
            argument.as_array().expect("a list").iter().all(|name| object.contains_key(text(name)))
        }),
        "type" => match argument {
            Value::Array(types) => types.iter().any(|name| is_of_type(value, text(name))),
            name => is_of_type(value, text(name)),
        },
        "uniqueItems" => {
            let unique =
                |items: &Vec<Value>| items.iter().enumerate().all(|(i, item)| !items[..i].contains(item));
            argument == &Value::Bool(false) || value.as_array().is_none_or(unique)
        }
        unknown => panic!("the schema has the keyword {unknown}, which is not checked here"),
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|n| n.fract() == 0.0),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        unknown => panic!("no type of JSON: {unknown}"),
    }
}
