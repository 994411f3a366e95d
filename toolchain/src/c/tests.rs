//! `opml.toml`: what it may say, and what is refused. Objects: what they depend on.

use std::fs;
use std::path::Path;

use super::options::COptions;
use super::{CCompiler, CFolder};
use crate::error::BuildError;
use crate::provision::{self, Toolchain};
use crate::sources::Checkout;

fn refused(text: &str) -> String {
    match COptions::read(text) {
        Err(BuildError::COptions { problem }) => problem,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn options_are_read() {
    let text = "name = \"a\"\nsources = [\"a.c\", \"lib/b.c\"]\ninclude = [\"lib\", \".\"]\nstandard = \"c99\"\n\
                [define]\nN = -3\nTEXT = \"\\\"x\\\"\"\nON = true\nOFF = false\n";
    let options = COptions::read(text).unwrap();
    assert_eq!(
        (options.name.as_str(), options.version.as_str(), options.standard.as_str()),
        ("a", "0.0.0", "c99")
    );
    let defined: Vec<_> = options.define.iter().map(|(name, value)| (name.as_str(), value.text())).collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(defined, [("N", text("-3")), ("OFF", None), ("ON", text("1")), ("TEXT", text("\"x\""))]);
    assert_eq!(COptions::read("name = \"a\"\nsources = [\"a.c\"]").unwrap().standard, "c17");
}

#[test]
fn what_would_do_nothing_or_harm_is_refused() {
    let with = |rest: &str| refused(&format!("name = \"a\"\n{rest}"));
    assert!(with("sorces = [\"a.c\"]").contains("unknown field `sorces`"));
    assert!(with("").contains("missing field `sources`"));
    assert_eq!(with("sources = []"), "sources: there is none");
    assert_eq!(with("sources = [\"a.c\", \"a.c\"]"), "sources: a.c is there twice");
    assert_eq!(with("sources = [\"a.s\"]"), "sources: a.s is no .c file");
    for path in ["../a.c", "/a.c", "x/../../a.c", ""] {
        assert_eq!(
            with(&format!("sources = [{path:?}]")),
            format!("sources: `{path}` is no path below the folder")
        );
    }
    assert!(with("sources = [\"a.c\"]\ninclude = [\"..\"]").starts_with("include: `..` is no path"));
    assert!(with("sources = [\"a.cpp\"]").contains("a.cpp is C++, of which guests are not made"));
    assert!(
        with("sources = [\"a.c\"]\nstandard = \"c++17\"")
            .starts_with("standard: `c++17` is none of c89, c99")
    );
    assert!(with("sources = [\"a.c\"]\ndefine = { \"A B\" = 1 }").starts_with("define: `A B` is no name"));
    assert!(refused("name = \"-o\"\nsources = [\"a.c\"]").starts_with("name: `-o` has other characters"));
}

/// The checkout, and the toolchain that `cargo xtask test` installs.
fn installed() -> (Checkout, Toolchain) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a folder of the checkout");
    let found = provision::find(&provision::Options::from_env().unwrap()).unwrap_or_else(|e| panic!("{e}"));
    let toolchain = found.expect("there is no toolchain: `cargo xtask test` installs it and runs the tests");
    (Checkout::new(root).unwrap(), toolchain)
}

/// A folder with these files and `opml.toml`.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let options = "name = \"x\"\nsources = [\"src/a.c\"]\ninclude = [\"include\"]\n[define]\nTWO = 2\n";
    for (path, text) in files.iter().chain(&[("opml.toml", options)]) {
        crate::work_dir::write_new(&dir.path().join(path), text.as_bytes()).unwrap();
    }
    dir
}

fn compile(dir: &Path) -> Result<(Vec<u8>, String), BuildError> {
    let (checkout, toolchain) = installed();
    let objects = tempfile::tempdir().unwrap();
    let compiler = CCompiler { toolchain: &toolchain, objects: objects.path() };
    let folder = CFolder::open(dir, &checkout, true)?;
    let object = compiler.compile(&folder)?;
    assert!(!object.cached);
    let again = compiler.compile(&folder)?;
    assert!(again.cached && again.path == object.path && again.warnings == object.warnings);
    Ok((fs::read(&object.path).unwrap(), object.warnings))
}

/// Neither where a folder lies nor where it is compiled reaches the object, debug information included.
#[test]
fn objects_do_not_depend_on_places() {
    let files = [
        (
            "src/a.c",
            "#include <math.h>\n#include \"b.h\"\nconst char *f(void) { return __FILE__ B; }\nint g(int x) { return x >> TWO; }\n",
        ),
        ("include/b.h", "#define B __DATE__\nstatic inline int unused(double x) { return (int)sin(x); }\n"),
    ];
    let ((a, warnings), (b, _)) =
        (compile(folder(&files).path()).unwrap(), compile(folder(&files).path()).unwrap());
    assert_eq!(warnings, "");
    assert!(a == b, "the object has its place in it");
    let text = String::from_utf8_lossy(&a);
    assert!(text.contains("/opml/guest/src/a.cJan  1 1970"), "the names that sources have everywhere");
    assert!(!text.contains(&*std::env::temp_dir().to_string_lossy()));
}

/// A call with constant arguments stays a call: a compiler's own mathematics is its machine's.
#[test]
fn functions_of_mathematics_are_not_worked_out() {
    let calls = "#include <math.h>\ndouble a(void) { return sin(1.0) + __builtin_exp(2.0); }\nfloat b(void) { return powf(1.5f, 2.0f); }\n";
    let (object, _) = compile(folder(&[("src/a.c", calls)]).path()).unwrap();
    let file = object::File::parse(&*object).unwrap();
    let wanted: Vec<_> = object::Object::symbols(&file)
        .filter(object::ObjectSymbol::is_undefined)
        .filter_map(|symbol| object::ObjectSymbol::name(&symbol).ok().map(str::to_owned))
        .collect();
    assert!(
        ["sin", "exp", "powf"].iter().all(|name| wanted.iter().any(|symbol| symbol == name)),
        "{wanted:?}"
    );
}

#[test]
fn messages_name_files_as_their_author_does() {
    let (_, warnings) =
        compile(folder(&[("src/a.c", "int f(int x) { int y; return x; }\n")]).path()).unwrap();
    assert!(warnings.starts_with("src/a.c:1:20: warning: unused variable 'y'"), "{warnings}");
    let broken = compile(folder(&[("src/a.c", "int f(void) { return y; }\n")]).path());
    let Err(BuildError::Tool { stage: "compiling the guest", output, .. }) = broken else {
        panic!("{broken:?}")
    };
    assert!(output.starts_with("src/a.c:1:22: error: use of undeclared identifier 'y'"), "{output}");
    let missing = compile(folder(&[]).path());
    let Err(BuildError::COptions { problem }) = missing else { panic!("{missing:?}") };
    assert_eq!(problem, "sources: there is no src/a.c in the folder, or .gitignore names it");
}
