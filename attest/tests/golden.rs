//! The bytes that are written, and what is read of others' bytes that mean the same.
//!
//! | what it catches | test |
//! |---|---|
//! | a field in another order, under another name, or with a time in it | `a_statement_has_these_bytes` |
//! | a reader that refuses what the specifications allow | `what_means_the_same_is_read_the_same` |
//! | a reader that takes another document for a statement | `other_documents_are_refused` |

use std::collections::BTreeMap;

use opml_attest::{
    BuildDefinition, Builder, ExternalParameters, InternalParameters, JsonError, MAX_STATEMENT, MAX_SUBJECTS,
    Provenance, Resource, RunDetails, Statement, StatementError, Subject,
};
use serde_json::{Value, json};

const BUILD_TYPE: &str = "urn:example:build";
const GOLDEN: &str = include_str!("golden/statement.json");

fn map<V: Clone, const N: usize>(entries: [(&str, V); N]) -> BTreeMap<String, V> {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn subject(name: &str, digit: &str) -> Subject {
    Subject { name: name.to_owned(), sha256: digit.repeat(64) }
}

/// A statement with something in every field but those that the recorded ones are older than.
fn statement() -> Statement {
    let mut library = Resource::new("arrayvec 0.7.6", "opmlTree", &"c".repeat(64));
    library.uri = "pkg:cargo/arrayvec@0.7.6".to_owned();
    library.annotations = map([("features", json!(["std"]))]);
    let provenance = Provenance {
        build_definition: BuildDefinition {
            build_type: BUILD_TYPE.to_owned(),
            external_parameters: ExternalParameters {
                source: "mlp.onnx".to_owned(),
                program: "mlp".to_owned(),
                target: "cannon32".to_owned(),
                dims: map([("batch", 1)]),
                ..ExternalParameters::default()
            },
            internal_parameters: InternalParameters {
                abi_version: Some(1),
                flags: map([("lld", vec!["-static".to_owned()])]),
                tools: map([("rustc", "rustc 1.96.0".to_owned())]),
            },
            resolved_dependencies: vec![Resource::file("mlp.onnx", &"a".repeat(64)), library],
        },
        run_details: RunDetails {
            builder: Builder {
                id: "urn:example:builder".to_owned(),
                version: map([("opml-toolchain", "0.1.0".to_owned())]),
            },
        },
    };
    // Not in the order that they are written in.
    let subjects = vec![subject("program.elf", "1"), subject("manifest.json", "2")];
    Statement::new(subjects, provenance).expect("it is a statement")
}

fn parse(value: &Value) -> Result<Statement, StatementError> {
    Statement::parse(value.to_string().as_bytes(), &[BUILD_TYPE])
}

/// The statement as a JSON value, with `change` made to it.
fn changed(change: impl Fn(&mut Value)) -> Value {
    let mut value = serde_json::from_str(GOLDEN).expect("the golden file is JSON");
    change(&mut value);
    value
}

#[test]
fn a_statement_has_these_bytes() {
    assert_eq!(statement().to_json(), GOLDEN);
    assert_eq!(Statement::parse(GOLDEN.as_bytes(), &["urn:other", BUILD_TYPE]), Ok(statement()));
    let statement = statement();
    let names: Vec<&str> = statement.subjects().iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["manifest.json", "program.elf"], "in the order of the names, however they came");
}

/// Unknown fields are ignored, and null, empty and absent are the same: in-toto's and SLSA's rules for readers.
#[test]
fn what_means_the_same_is_read_the_same() {
    let unknown = changed(|v| {
        v["later"] = json!({"a": 1});
        v["subject"][0]["mediaType"] = json!("application/json");
        v["predicate"]["later"] = json!([]);
        v["predicate"]["buildDefinition"]["later"] = json!(true);
        v["predicate"]["buildDefinition"]["internalParameters"]["later"] = json!(0.5);
        v["predicate"]["runDetails"]["metadata"] = json!({"startedOn": "2026-01-01T00:00:00Z"});
    });
    assert_eq!(parse(&unknown), Ok(statement()));
    let nothing = |empty: Value| {
        parse(&changed(|v| {
            let build = &mut v["predicate"]["buildDefinition"];
            build["internalParameters"] = empty.clone();
            build["externalParameters"]["dims"] = empty.clone();
            build["resolvedDependencies"][1]["annotations"] = empty.clone();
            build["resolvedDependencies"][0]["uri"] = json!(null);
            v["predicate"]["runDetails"]["builder"]["version"] = empty.clone();
        }))
    };
    let empty = nothing(json!({})).expect("empty fields may be there");
    assert_eq!(nothing(json!(null)), Ok(empty));
}

#[test]
fn other_documents_are_refused() {
    let changed_to = |change: &dyn Fn(&mut Value)| parse(&changed(change)).expect_err("it is no statement");
    let got = |text: &str| text.to_owned();
    let older = "https://in-toto.io/Statement/v0.1";
    assert_eq!(changed_to(&|v| v["_type"] = json!(older)), StatementError::Type { got: got(older) });
    let other = "https://in-toto.io/attestation/vulns/v0.1";
    assert_eq!(
        changed_to(&|v| v["predicateType"] = json!(other)),
        StatementError::PredicateType { got: got(other) }
    );
    assert_eq!(
        changed_to(&|v| v["predicate"]["buildDefinition"]["buildType"] = json!("urn:example:ship")),
        StatementError::BuildType { got: got("urn:example:ship"), known: vec![got(BUILD_TYPE)] }
    );
    for shape in [
        changed_to(&|v| v["subject"][0]["digest"] = json!("no object")),
        changed_to(&|v| v["predicate"]["runDetails"] = json!(null)),
        // SLSA has verifiers refuse parameters that they do not know.
        changed_to(&|v| v["predicate"]["buildDefinition"]["externalParameters"]["seed"] = json!("x")),
    ] {
        assert!(matches!(shape, StatementError::Json(JsonError::Shape(_))), "{shape:?}");
    }
    let long = changed_to(&|v| v["later"] = json!(" ".repeat(MAX_STATEMENT)));
    assert!(matches!(long, StatementError::Json(JsonError::TooLong { most: MAX_STATEMENT, .. })), "{long:?}");
    assert_eq!(changed_to(&|v| v["subject"] = json!([])), StatementError::Count { got: 0 });
    assert_eq!(changed_to(&|v| v["subject"] = json!(null)), StatementError::Count { got: 0 });
    let many = json!(vec![json!({}); MAX_SUBJECTS + 1]);
    assert_eq!(changed_to(&|v| v["subject"] = many.clone()), StatementError::Count { got: MAX_SUBJECTS + 1 });
    assert_eq!(
        changed_to(&|v| v["subject"][1]["name"] = json!("manifest.json")),
        StatementError::Twice(got("manifest.json"))
    );
    let escapes =
        ["../x", "/x", "a/b", "a\\b", "..", ".", "", ".partial-1", "C:x", "a\u{1b}[2J", "a\0b", "ü"];
    for name in escapes {
        let error = changed_to(&|v| v["subject"][0]["name"] = json!(name));
        assert!(matches!(error, StatementError::Name(_)), "{name:?}: {error:?}");
        assert!(!error.to_string().contains('\u{1b}'), "a message plays with the terminal: {error}");
    }
    for digest in [
        json!({"sha512": "1"}),
        json!({"sha256": "22"}),
        json!({"sha256": "G".repeat(64)}),
        json!({"sha256": "A".repeat(64)}),
        json!(null),
    ] {
        let error = changed_to(&|v| v["subject"][0]["digest"] = digest.clone());
        assert_eq!(error, StatementError::NoDigest(got("manifest.json")), "{digest}");
    }
}
