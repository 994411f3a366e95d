//! The form of the document. Names and meanings of the fields are CycloneDX's.

use serde::Serialize;

use super::{Bom, Crate, Model, Program, Tool};

/// What `bom-ref`s of things other than packages start with: each is unique within the document.
const PROGRAM: &str = "program";
const MODEL: &str = "model";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    bom_format: &'static str,
    spec_version: &'static str,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
    dependencies: Vec<Dependency>,
    compositions: Vec<Composition>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    formulation: Vec<Formula>,
}

#[derive(Serialize)]
struct Metadata {
    component: Component,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Component {
    r#type: &'static str,
    bom_ref: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<License>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

#[derive(Serialize)]
struct License {
    expression: String,
}

#[derive(Serialize)]
struct Property {
    name: String,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    r#ref: String,
    depends_on: Vec<String>,
}

#[derive(Serialize)]
struct Composition {
    aggregate: &'static str,
    dependencies: Vec<String>,
}

#[derive(Serialize)]
struct Formula {
    components: Vec<Component>,
}

pub(super) fn document(bom: &Bom) -> Document {
    let mut components: Vec<Component> = bom.model.iter().map(model).collect();
    components.extend(bom.crates.iter().map(library));
    let program = program(&bom.program);
    let depends_on = components.iter().map(|component| component.bom_ref.clone()).collect();
    let formula = Formula { components: bom.tools.iter().map(tool).collect() };
    Document {
        bom_format: "CycloneDX",
        spec_version: "1.6",
        version: 1,
        dependencies: vec![Dependency { r#ref: program.bom_ref.clone(), depends_on }],
        compositions: vec![Composition {
            aggregate: if bom.complete { "complete" } else { "unknown" },
            dependencies: vec![program.bom_ref.clone()],
        }],
        metadata: Metadata { component: program },
        components,
        formulation: if formula.components.is_empty() { Vec::new() } else { vec![formula] },
    }
}

fn program(program: &Program) -> Component {
    Component {
        r#type: "application",
        bom_ref: PROGRAM.to_owned(),
        name: program.name.clone(),
        hashes: vec![sha256(&program.sha256)],
        properties: vec![Property { name: "opml:target".to_owned(), value: program.target.clone() }],
        ..Component::default()
    }
}

fn model(model: &Model) -> Component {
    Component {
        r#type: "machine-learning-model",
        bom_ref: MODEL.to_owned(),
        name: model.name.clone(),
        hashes: vec![sha256(&model.sha256)],
        ..Component::default()
    }
}

fn library(one: &Crate) -> Component {
    let property = |(name, value): &(String, String)| Property { name: name.clone(), value: value.clone() };
    // Before there were expressions, a slash stood for "or"; cargo still takes it.
    let license = |text: &String| License { expression: text.replace('/', " OR ") };
    Component {
        r#type: "library",
        bom_ref: one.purl().unwrap_or_else(|| format!("library:{}@{}", one.name, one.version)),
        name: one.name.clone(),
        version: Some(one.version.clone()),
        hashes: one.archive_sha256.iter().map(|hash| sha256(hash)).collect(),
        licenses: one.license.iter().map(license).collect(),
        purl: one.purl(),
        properties: one.properties.iter().map(property).collect(),
    }
}

fn tool(tool: &Tool) -> Component {
    Component {
        r#type: "application",
        bom_ref: format!("tool:{}", tool.name),
        name: tool.name.clone(),
        version: Some(tool.version.clone()),
        ..Component::default()
    }
}

fn sha256(content: &str) -> Hash {
    Hash { alg: "SHA-256", content: content.to_owned() }
}
