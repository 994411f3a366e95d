//! Guests in C, built and run: the library computes what it computes in Rust, and the machine does what C says.

use std::path::Path;

use opml_abi::{DataType, Tensor, encode_blob};
use opml_libc::math::{double, single};
use opml_state::State;
use opml_tests::guest::{self, Finished};
use opml_tests::program::{build_request, provision_options};
use opml_toolchain::{CFolder, Checkout, GuestProgram, GuestSource, Request};

/// The prestate of the guest in the folder `path` of the checkout.
fn build(path: &str) -> State {
    let checkout = Checkout::new(opml_tests::checkout()).expect("this is a checkout");
    let folder = CFolder::open(&checkout.root().join(path), &checkout, provision_options().offline)
        .unwrap_or_else(|e| panic!("{path}: {e}"));
    let name = folder.name().to_owned();
    let program = GuestProgram { source: GuestSource::C(Box::new(folder)), weights: Vec::new() };
    build_request(Request::bare(&name, program), Path::new(env!("CARGO_TARGET_TMPDIR"))).1
}

fn bytes(data: &[u8]) -> Vec<u8> {
    encode_blob(&[Tensor { dtype: DataType::Uint8, shape: vec![data.len() as u32], data: data.to_vec() }])
}

fn run(prestate: &State, data: &[u8]) -> Finished {
    guest::run_blob(prestate, bytes(data), Default::default())
}

/// The functions of `tests/guests/c-library/main.c`, in its order, as Rust has them.
fn results(x: f64) -> Vec<f64> {
    macro_rules! each {
        ($module:ident $x:expr, $($name:ident)*) => { vec![$(f64::from($module::$name($x))),*] };
    }
    let y = x as f32;
    let mut all = each!(double x, acos acosh asin asinh atan atanh cbrt ceil cos cosh erf erfc exp exp10 exp2 expm1 fabs floor
        lgamma log log10 log1p log2 logb rint round sin sinh sqrt tan tanh tgamma trunc);
    all.extend(each!(single y, acos acosh asin asinh atan atanh cbrt ceil cos cosh erf erfc exp exp10 exp2 expm1 fabs floor
        lgamma log log10 log1p log2 logb rint round sin sinh sqrt tan tanh tgamma trunc));
    all.extend([
        double::pow(x.abs(), 0.3),
        double::atan2(x, 2.5),
        double::hypot(x, 3.5),
        double::fmod(x, 0.7),
    ]);
    all.push(double::fma(x, x, -1.5));
    all.extend([single::pow(y.abs(), 0.3), single::atan2(y, 2.5), single::fmod(y, 0.7)].map(f64::from));
    all.extend([x + 0.1, x * 0.1, x / 0.3, 0.1 - x, f64::from(y * 0.1), f64::from((x / 4.0) as i32)]);
    all
}

#[test]
fn the_library_has_the_bits_that_rust_has() {
    let numbers = [0.0_f64, -0.0, 0.3, -0.7, 1.0, 2.5, -17.25, 1e-30, 123_456.789, 1e22, -3.0, 700.5, 5e-324];
    let input: Vec<u8> = numbers.iter().flat_map(|x| x.to_be_bytes()).collect();
    let finished = run(&build("tests/guests/c-library"), &input);
    assert_eq!((finished.code, &*finished.stderr), (1, ""), "there was no claim");
    let outputs = opml_abi::decode_blob(finished.blob.as_deref().expect("an output")).expect("a blob");
    assert_eq!(outputs.len(), numbers.len());
    for (x, output) in numbers.into_iter().zip(outputs) {
        let got = output.data.chunks(8).map(|b| f64::from_be_bytes(b.try_into().expect("eight bytes")));
        let (got, expected): (Vec<f64>, _) = (got.collect(), results(x));
        assert_eq!(got.len(), expected.len());
        for (place, (got, expected)) in got.into_iter().zip(expected).enumerate() {
            let same = got.to_bits() == expected.to_bits() || got.is_nan() && expected.is_nan();
            assert!(same, "function {place} of {x:e}: {got:e}, in Rust {expected:e}");
        }
    }
    let text = String::from_utf8(finished.stdout).expect("text");
    assert_eq!(
        text.lines().nth(3),
        Some("-0.69999999999999996 -7.000000e-01 -0.700 -0x1.6666666666666p-1 -0.7|     -0.70|-7.0e-01 |")
    );
    assert_eq!(text.lines().count(), numbers.len());
}

#[test]
fn the_machine_does_what_c_says() {
    let prestate = build("tests/guests/c-machine");
    let finished = run(&prestate, b"a");
    assert_eq!((finished.code, &*finished.stderr), (1, "hello\n"));
    assert_eq!(String::from_utf8_lossy(&finished.stdout), "step 1, domain 0, context 00\n");
    let expected = Tensor {
        dtype: DataType::Int32,
        shape: vec![1, 3],
        data: [-1i32, 2, -3].iter().flat_map(|x| x.to_be_bytes()).collect(),
    };
    assert_eq!(finished.output(), expected);
    let claim = finished.output_root();
    assert_eq!(guest::run_blob(&prestate, bytes(b"a"), claim).code, 0, "the claim is right");
    // What could not be computed says why, and confirms nothing.
    for (what, message) in [
        ("d", "error: division by zero, or a quotient that does not fit\n"),
        ("f", "error: assertion `zero == 1` failed in main (/opml/guest/main.c)\n"),
        ("n", "error: printf has no conversion %n\n"),
        ("r", "error: the program ended with 3\n"),
        ("x", "error: the program called abort()\n"),
        ("t", "error: the program called abort()\n"),
        ("i", "error: there is no input 5: the request has 1\n"),
        ("o", "error: 77 is no type of elements\n"),
        ("z", "error: no such test\n"),
    ] {
        let finished = run(&prestate, what.as_bytes());
        assert_eq!((finished.code, &*finished.stderr), (2, message), "{what}");
        assert_eq!(finished.blob, None);
    }
    let finished = guest::run_blob(&prestate, vec![0, 0, 0, 9], claim);
    assert_eq!(
        (finished.code, &*finished.stderr),
        (2, "error: the input is no blob of tensors: Truncated\n")
    );
}

/// Patients that were held back when `examples/forest-c/train.py` trained: what scikit-learn's trees say of them.
#[test]
fn a_forest_that_emlearn_wrote_says_what_scikit_learn_says() {
    let prestate = build("examples/forest-c");
    let path = opml_tests::checkout().join("examples/forest-c/testdata.json");
    let text = std::fs::read_to_string(path).expect("the file is there");
    let patients: Vec<serde_json::Value> = serde_json::from_str(&text).expect("it is JSON");
    assert!(patients.len() >= 20);
    for patient in patients {
        let number = |value: &serde_json::Value| value.as_f64().expect("a number");
        let features = patient["features"].as_array().expect("a list").iter();
        let features: Vec<f32> = features.map(|x| number(x) as f32).collect();
        let input = Tensor::from_f32(&[1, features.len() as u32], &features);
        let finished = guest::run(&prestate, &input);
        let outputs = opml_abi::decode_blob(&finished.blob.expect("an output")).expect("a blob");
        let label = Tensor {
            dtype: DataType::Int32,
            shape: vec![],
            data: (number(&patient["label"]) as i32).to_be_bytes().to_vec(),
        };
        assert_eq!(outputs, [label, Tensor::from_f32(&[], &[number(&patient["votes"]) as f32 / 10.0])]);
    }
}

#[test]
fn hello_and_keccak() {
    let finished = run(&build("examples/hello-c"), b"World");
    assert_eq!(finished.output().data, b"Hello, World!");
    assert_eq!(finished.stdout, b"Hello, World!\n");
    let prestate = build("examples/keccak-c");
    for data in [&b""[..], b"abc", &[7; 135], &[7; 136], &[7; 500]] {
        let hash = opml_state::keccak256(data);
        assert_eq!(run(&prestate, data).output().data, hash.0, "{} bytes", data.len());
    }
}
