//! The bills of materials against the published schema, and against what is in the program.
//!
//! | what it catches | test |
//! |---|---|
//! | a document that other tools refuse | `documents_are_valid` |
//! | a schema that is not looked at | `violations_are_seen` |
//! | a reference to something that is not in the document | `references_lead_somewhere` |
//! | a crate that is compiled into guests and not named, or the other way round | `a_build_names_what_is_in_it` |
//! | a claim about a program that nobody here compiled | `of_an_adopted_program_nothing_is_claimed` |

mod schema;

use std::collections::BTreeSet;
use std::path::Path;

use opml_attest::{Bom, Crate, Model, Tool};
use opml_tests::program::{self, Program};
use opml_toolchain::elf::Elf;
use opml_toolchain::progress::Silent;
use opml_toolchain::{Adoption, adopt, file};
use schema::Schemas;
use serde_json::{Value, json};

const BOM: &str = "bom-1.6.schema.json";
const DIR: &str = env!("CARGO_TARGET_TMPDIR");

fn violations(document: &Value) -> Vec<String> {
    Schemas::new(&[
        (BOM, include_str!("schema/bom-1.6.schema.json")),
        ("spdx.schema.json", include_str!("schema/spdx.schema.json")),
        ("jsf-0.82.schema.json", include_str!("schema/jsf-0.82.schema.json")),
    ])
    .violations(BOM, document)
}

/// A document with something in every field.
fn full() -> Value {
    let bom = Bom {
        program: opml_attest::Program { name: "p".into(), target: "t".into(), sha256: "1".repeat(64) },
        model: Some(Model { name: "p.onnx".into(), sha256: "2".repeat(64) }),
        crates: vec![
            Crate {
                name: "a".into(),
                version: "1.0.0+b".into(),
                license: Some("MIT/Apache-2.0".into()),
                archive_sha256: Some("3".repeat(64)),
                properties: vec![("opml:features".into(), "std".into())],
                package: true,
            },
            Crate { name: "core".into(), version: "1.0.0".into(), ..Crate::default() },
        ],
        tools: vec![Tool { name: "rustc".into(), version: "1.0.0".into() }],
        complete: true,
    };
    json(&bom.to_json())
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("a document is JSON")
}

fn of_a_build() -> Value {
    json(&String::from_utf8(Program::mlp(DIR).file(file::SBOM)).expect("a document is text"))
}

/// Of `mlp.onnx`, as if somebody else had built it.
fn of_an_adopted_program() -> Value {
    let out = Path::new(DIR).join("adopted");
    let source = Program::mlp(DIR).dir.join(file::PROGRAM);
    let adoption = Adoption {
        name: "of-somebody".into(),
        elf: Elf::parse(Program::mlp(DIR).file(file::PROGRAM)).expect("the program is an ELF file"),
        source,
        patches: None,
        allow_reverting: false,
        rebuild: String::new(),
        out: out.clone(),
        work: Path::new(DIR).join("work"),
    };
    adopt(adoption, &program::target(), &Silent).expect("the program passes");
    json(&std::fs::read_to_string(out.join(file::SBOM)).expect("it was written"))
}

#[test]
fn documents_are_valid() {
    for document in [full(), json(&Bom::default().to_json()), of_a_build(), of_an_adopted_program()] {
        let found = violations(&document);
        // An empty hash is the only thing wrong with a document about nothing.
        let of_nothing = document["metadata"]["component"]["name"] == json!("");
        let expected: &[&str] =
            if of_nothing { &["/metadata/component/hashes/0/content: pattern"] } else { &[] };
        assert_eq!(found, expected, "{document:#}");
    }
}

#[test]
fn violations_are_seen() {
    let found = |change: &dyn Fn(&mut Value)| {
        let mut document = full();
        change(&mut document);
        violations(&document)
    };
    assert_eq!(found(&|v| v["bomFormat"] = json!("SPDX")), ["/bomFormat: enum"]);
    assert_eq!(found(&|v| v["timestamp"] = json!(0)), ["/timestamp: nothing may be here"]);
    assert_eq!(found(&|v| v["version"] = json!(0)), ["/version: minimum"]);
    assert_eq!(found(&|v| v["version"] = json!("1")), ["/version: type"]);
    assert_eq!(found(&|v| v["serialNumber"] = json!("1")), ["/serialNumber: pattern"]);
    let first =
        |field: &'static str, value: Value| found(&move |v| v["components"][0][field] = value.clone());
    assert_eq!(first("type", json!("model")), ["/components/0/type: enum"]);
    assert_eq!(first("hashes", json!([{"alg": "SHA-256"}])), ["/components/0/hashes/0: required"]);
    assert_eq!(
        first("hashes", json!([{"alg": "SHA256", "content": "1".repeat(64)}])),
        ["/components/0/hashes/0/alg: enum"]
    );
    assert_eq!(first("licenses", json!([{"license": {"id": "Ours"}}])), ["/components/0/licenses: oneOf"]);
    assert_eq!(first("bom-ref", json!("")), ["/components/0/bom-ref: minLength"]);
    assert_eq!(found(&|v| v["components"][1] = v["components"][0].clone()), ["/components: uniqueItems"]);
    assert_eq!(
        found(&|v| v["compositions"][0]["aggregate"] = json!("all")),
        ["/compositions/0/aggregate: enum"]
    );
}

/// Every `bom-ref` of a document, wherever it is.
fn names(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| names(item, into)),
        Value::Object(object) => {
            into.extend(object.get("bom-ref").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|value| names(value, into));
        }
        _ => {}
    }
}

#[test]
fn references_lead_somewhere() {
    for document in [full(), of_a_build(), of_an_adopted_program()] {
        let mut all = Vec::new();
        names(&document, &mut all);
        let unique: BTreeSet<&String> = all.iter().collect();
        assert_eq!(unique.len(), all.len(), "a name stands for two things: {all:?}");
        let dependency = &document["dependencies"][0];
        let used = dependency["dependsOn"].as_array().expect("a list").iter().chain([&dependency["ref"]]);
        for name in used.chain(document["compositions"][0]["dependencies"].as_array().expect("a list")) {
            assert!(all.iter().any(|known| name == known), "{name} is not in the document");
        }
    }
}

#[test]
fn a_build_names_what_is_in_it() {
    let (document, manifest) = (of_a_build(), &Program::mlp(DIR).manifest);
    let sources = manifest.sources.as_ref().expect("it was built here");
    let components = document["components"].as_array().expect("a list");
    let field = |component: &Value, name: &str| component[name].as_str().unwrap_or_default().to_owned();
    let packages = components.iter().filter(|component| component["purl"].is_string());
    let named: BTreeSet<String> =
        packages.map(|c| format!("{} {}", field(c, "name"), field(c, "version"))).collect();
    assert_eq!(named, sources.guest.keys().cloned().collect());
    for (name, one) in &sources.guest {
        let (name, version) = name.split_once(' ').expect("name and version");
        let component = components.iter().find(|c| c["name"] == name).expect("it is named");
        assert_eq!(field(component, "purl"), format!("pkg:cargo/{name}@{version}"));
        assert_eq!(component["hashes"][0]["content"].as_str(), one.checksum.as_deref(), "{name}");
        assert_eq!(component["licenses"][0]["expression"].as_str(), one.license.as_deref(), "{name}");
    }
    let model =
        components.iter().find(|c| c["type"] == "machine-learning-model").expect("the model is named");
    let sha256 = &manifest.model.as_ref().expect("it is a model").sha256;
    assert_eq!(model["hashes"][0]["content"], json!(sha256));
    let program = &document["metadata"]["component"];
    assert_eq!(program["hashes"][0]["content"], json!(manifest.sha256[file::PROGRAM]));
    assert_eq!(document["compositions"][0]["aggregate"], "complete");
    for library in ["core", "alloc", "compiler_builtins"] {
        assert!(components.iter().any(|c| c["name"] == library), "{library} is not named");
    }
    let tools = document["formulation"][0]["components"].as_array().expect("a list");
    let tools: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    assert_eq!(tools, ["cargo", "ld.lld", "llvm", "rustc"]);
}

#[test]
fn of_an_adopted_program_nothing_is_claimed() {
    let document = of_an_adopted_program();
    assert_eq!(document["components"], json!([]));
    assert_eq!(document["formulation"], Value::Null);
    assert_eq!(document["compositions"][0]["aggregate"], "unknown");
}
