//! Options and profiles: what is misspelt is refused, what is chosen is had.

use super::options::PackageOptions;
use super::profile::resolve;
use super::*;

fn options(text: &str) -> Result<PackageOptions, BuildError> {
    let table: toml::Table = text.parse().unwrap();
    PackageOptions::read(&serde_json::to_value(table).unwrap())
}

#[test]
fn options_are_read() {
    assert_eq!(options("").unwrap(), PackageOptions::default());
    assert_eq!(options("[docs]\nall = 1").unwrap(), PackageOptions::default());
    let text = "[opml.models]\nmnist = 'a/mnist.onnx'\nfee = { file = 'fee.onnx', dims = { batch = 2 } }";
    let models = options(text).unwrap().models;
    assert_eq!((models["mnist"].file(), models["mnist"].dims()), ("a/mnist.onnx", BTreeMap::new()));
    assert_eq!((models["fee"].file(), models["fee"].dims()["batch"]), ("fee.onnx", 2));
}

#[test]
fn unknown_options_are_refused() {
    let problem = |text: &str| match options(text) {
        Err(BuildError::PackageOptions { problem }) => problem,
        other => panic!("{text}: {other:?}"),
    };
    assert!(problem("[opml]\nmodel = 'a'").contains("unknown field `model`"));
    assert!(problem("[opml.models]\nMnist = 'a'").contains("`Mnist` is no name of a crate"));
    assert!(problem("[opml.models]\n'a/../b' = 'a'").contains("no name of a crate"));
    assert!(problem("[opml.models.a]\nfile = 'a'\ndim = 1").contains("did not match"));
}

fn profile(manifest: &str, name: &str) -> Option<toml::Table> {
    let table: toml::Table = manifest.parse().unwrap();
    resolve(table.get("profile").and_then(|p| p.as_table()).unwrap_or(&toml::Table::new()), name)
}

#[test]
fn profiles_inherit_and_keep_what_all_programs_have() {
    let release = crate::flags::profile();
    assert_eq!(profile("", "release").unwrap(), release);
    assert_eq!(profile("", "dev").unwrap()["overflow-checks"].as_bool(), Some(true));
    let text = "[profile.release]\nopt-level = 's'\npanic = 'unwind'\n[profile.small]\ninherits = 'release'\ncodegen-units = 4\n\
        [profile.mine]\ninherits = 'small'\nopt-level = 'z'\nincremental = true";
    let mine = profile(text, "mine").unwrap();
    assert_eq!((mine["opt-level"].as_str(), mine["codegen-units"].as_integer()), (Some("z"), Some(4)));
    assert_eq!(profile(text, "small").unwrap()["opt-level"].as_str(), Some("s"));
    for key in ["panic", "incremental", "debug", "lto"] {
        assert_eq!(mine[key], release[key], "{key} is not theirs to choose");
    }
}

#[test]
fn profiles_that_lead_nowhere_are_refused() {
    assert_eq!(profile("", "mine"), None);
    assert_eq!(profile("[profile.mine]\nopt-level = 1", "mine"), None);
    let circle = "[profile.a]\ninherits = 'b'\n[profile.b]\ninherits = 'a'";
    assert_eq!(profile(circle, "a"), None);
}

#[test]
fn selections_are_arguments() {
    let all = Selection {
        bin: Some("x".into()),
        features: vec!["a".into(), "b/c".into()],
        all_features: true,
        no_default_features: true,
        profile: Some("small".into()),
    };
    let expected =
        ["--bin=x", "--features=a,b/c", "--all-features", "--no-default-features", "--profile=small"];
    assert_eq!(all.arguments(), expected);
    assert!(Selection::default().arguments().is_empty());
}
