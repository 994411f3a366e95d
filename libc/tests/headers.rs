//! The headers declare what there is, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What the compiler's own library has.
const COMPILERS: [&str; 6] = ["bcmp", "memcmp", "memcpy", "memmove", "memset", "strlen"];

fn texts(folder: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                open.push(entry.path());
            } else {
                texts.push(fs::read_to_string(entry.path()).unwrap());
            }
        }
    }
    texts
}

/// Names of functions that are declared: what stands in front of the first parenthesis of a line that begins with a type.
fn declared() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for text in texts("include") {
        for line in text.lines() {
            let starts = line.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
            if !starts
                || line.starts_with("typedef")
                || line.starts_with("static inline")
                || line.starts_with("extern")
            {
                continue;
            }
            if let Some((head, _)) = line.split_once('(') {
                let name =
                    head.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
                names.insert(name.to_owned());
            }
        }
    }
    names
}

#[test]
fn what_is_declared_is_there() {
    let sources = texts("src").concat();
    let words: BTreeSet<&str> = sources.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    let declared = declared();
    assert!(declared.len() > 250, "the declarations were not found: {declared:?}");
    let missing: Vec<_> = declared
        .iter()
        .filter(|name| !words.contains(name.as_str()) && !COMPILERS.contains(&name.as_str()))
        .collect();
    assert!(missing.is_empty(), "declared and not there: {missing:?}");
}

/// Functions with C's names in the source: `fn NAME(` behind `no_mangle`.
#[test]
fn what_is_there_is_declared() {
    let declared = declared();
    // The compiler calls it, and nobody else.
    let hidden = ["__ubsan_handle_divrem_overflow_minimal_abort", "opml_main", "_Exit", "__errno_location"];
    let mut missing = Vec::new();
    for text in texts("src") {
        for (at, _) in text.match_indices("unsafe(no_mangle)") {
            let Some((_, rest)) = text[at..].split_once("extern \"C\" fn ") else { continue };
            let name = rest.split('(').next().unwrap_or_default();
            let is_name = !name.starts_with('$') && !hidden.contains(&name);
            if is_name && !declared.contains(name) {
                missing.push(name.to_owned());
            }
        }
    }
    assert!(missing.is_empty(), "there and not declared: {missing:?}");
}
