//! Damaged, random and malicious files: an error or a result, in little time and memory, never a panic.

mod build;
#[path = "../../fuzz/corpus.rs"]
mod corpus;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use opml_abi::Tensor;
use opml_frontend::{ImportError, Model, fuzz_model, fuzz_tensor_file};
use peak_alloc::PeakAlloc;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::{AttributeProto, NodeProto};

use build::{floats, ints, model, node, shape, tensor};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The count of memory is the process's, so one test runs at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs `f` and checks the time it took and the most memory it held.
fn bounded<T>(seconds: u64, megabytes: usize, what: &str, f: impl FnOnce() -> T) -> T {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let start = Instant::now();
    let result = f();
    let (taken, used) = (start.elapsed(), MEMORY.peak_usage().saturating_sub(before));
    assert!(taken < Duration::from_secs(seconds), "{what} took {taken:?}");
    assert!(used < megabytes << 20, "{what} held {used} bytes");
    result
}

fn alone<T>(f: impl FnOnce() -> T) -> T {
    let _guard = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    f()
}

/// Xorshift with a fixed seed: the same files on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// One to three changes: a byte, a bit, bytes lost, bytes doubled, bytes that are a huge number.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..1 + self.below(3) {
            if bytes.is_empty() {
                return;
            }
            let at = self.below(bytes.len());
            let end = (at + 1 + self.below(8)).min(bytes.len());
            match self.below(5) {
                0 => bytes[at] = self.next() as u8,
                1 => bytes[at] ^= 1 << self.below(8),
                2 => drop(bytes.drain(at..end)),
                3 => {
                    let copy = bytes[at..end].to_vec();
                    bytes.splice(at..at, copy);
                }
                _ => bytes[at..end].fill(0xff),
            }
        }
    }
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

#[test]
fn corpora_are_replayed() {
    alone(|| {
        for (name, bytes) in corpus::corpus("tensor_file", 20) {
            bounded(10, 32, &name, || fuzz_tensor_file(&bytes));
        }
        for (target, at_least) in [("onnx", 30), ("tflite", 10)] {
            for (name, bytes) in corpus::corpus(target, at_least) {
                let imported = bounded(10, 32, &name, || fuzz_model(&bytes));
                assert_eq!(imported, name.starts_with("good-"), "{name}");
            }
        }
    });
}

#[test]
fn damaged_models_end_in_an_error_or_a_program() {
    alone(|| {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for name in ["matmul_add_relu/model.onnx", "maxpool_padded/model.onnx", "gemm_transposed/model.onnx"]
        {
            let whole = fixture(name);
            bounded(20, 64, name, || {
                for _ in 0..2_000 {
                    let mut bytes = whole.clone();
                    random.damage(&mut bytes);
                    fuzz_model(&bytes);
                }
            });
        }
    });
}

#[test]
fn damaged_tflite_models_end_in_an_error_or_a_program() {
    alone(|| {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for (name, whole) in corpus::corpus("tflite", 10) {
            bounded(20, 256, &name, || {
                for _ in 0..1_000 {
                    let mut bytes = whole.clone();
                    random.damage(&mut bytes);
                    fuzz_model(&bytes);
                }
            });
        }
    });
}

#[test]
fn every_cut_of_a_model_is_refused_or_imported() {
    alone(|| {
        let whole = fixture("transpose_reshape/model.onnx");
        bounded(10, 64, "a cut model", || (0..whole.len()).for_each(|len| _ = fuzz_model(&whole[..len])));
    });
}

#[test]
fn damaged_tensor_files_end_in_an_error_or_a_tensor() {
    alone(|| {
        let mut random = Random(0x2545_f491_4f6c_dd1d);
        let seeds: Vec<_> = corpus::corpus("tensor_file", 20).into_iter().map(|(_, bytes)| bytes).collect();
        bounded(20, 8, "a damaged tensor file", || {
            for _ in 0..30_000 {
                let mut bytes = seeds[random.below(seeds.len())].clone();
                random.damage(&mut bytes);
                fuzz_tensor_file(&bytes);
            }
        });
    });
}

fn refusal(what: &str, bytes: &[u8]) -> ImportError {
    let result = bounded(20, 64, what, || Model::from_bytes(bytes, &BTreeMap::new()));
    match result {
        Ok(_) => panic!("{what}: imported"),
        Err(error) => error,
    }
}

/// The model that spreads the constant or input `of` to `dims` and adds `x`.
fn spread(of: &str, dims: &[i64]) -> Vec<u8> {
    let weights = vec![floats("w", &[1], &[1.0]), shape("s", dims)];
    let nodes = vec![node("Expand", &[of, "s"], &["e"], vec![]), node("Add", &["x", "e"], &["y"], vec![])];
    model(&[1], weights, nodes)
}

/// Small files that ask for a lot: of elements, of kernel calls, of constants.
#[test]
fn models_that_ask_for_too_much_are_refused() {
    let conv = |dims: &[i64], attributes: Vec<AttributeProto>| {
        let weights = vec![floats("w", &[1, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0])];
        model(dims, weights, vec![node("Conv", &["x", "w"], &["y"], attributes)])
    };
    let relu = |dims: &[i64]| model(dims, vec![], vec![node("Relu", &["x"], &["y"], vec![])]);
    let absent = tensor("value", floats("", &[1 << 29], &[]));
    let absent = vec![node("Constant", &[], &["c"], vec![absent]), node("Add", &["x", "c"], &["y"], vec![])];
    let filled = |len: i64| {
        let nodes =
            vec![node("ConstantOfShape", &["s"], &["c"], vec![]), node("Add", &["x", "c"], &["y"], vec![])];
        model(&[1], vec![shape("s", &[len])], nodes)
    };
    let bounds =
        [("a", 0.0), ("b", 1e9), ("d", 1.0)].map(|(name, value)| floats(name, &[], &[value])).to_vec();
    let range =
        vec![node("Range", &["a", "b", "d"], &["r"], vec![]), node("Add", &["x", "r"], &["y"], vec![])];
    let range = model(&[1], bounds, range);
    let huge = 1 << 40;
    let linear = AttributeProto { name: "mode".into(), s: b"linear".into(), ..AttributeProto::default() };
    let resized = vec![node("Resize", &["x", "", "", "s"], &["y"], vec![linear])];
    let resized = model(&[1, 1, 4, 4], vec![shape("s", &[1, 1, 1 << 30, 4])], resized);
    let cases = [
        ("a huge input", relu(&[huge]), "input `x` of shape [1099511627776] does not fit the VM's memory"),
        ("an input that overflows", relu(&[huge, huge]), "does not fit the VM's memory"),
        ("a huge border", conv(&[1, 1, 4, 4], vec![ints("pads", &[huge; 4])]), "1099511627776 in pads"),
        ("a spread constant", spread("w", &[1 << 29]), "[536870912] does not fit the VM's memory"),
        (
            "a shape of more than 32 bits",
            spread("w", &[huge]),
            "[1099511627776] does not fit the VM's memory",
        ),
        ("a shape that overflows", spread("x", &[huge, huge]), "does not fit the VM's memory"),
        ("a spread input", spread("x", &[1 << 29]), "[536870912] does not fit the VM's memory"),
        ("a negative shape", spread("x", &[-2]), "the shape [-2]"),
        ("a constant of 10^9 elements", filled(1_000_000_000), "[1000000000] does not fit the VM's memory"),
        ("an axis of 10^9 neighbours", resized, "all tables that operators ask for"),
        ("a range of 10^9 elements", range, "it has 1000000000 elements; 1048576 are the most"),
        ("a constant that is not there", model(&[1], vec![], absent), "`c` has 0 elements of data"),
    ];
    alone(|| {
        for (what, bytes, reason) in cases {
            assert!(bytes.len() < 500, "{what} is no small file");
            let error = refusal(what, &bytes).to_string();
            assert!(error.contains(reason) && error.len() < 1_000, "{what}: {error}");
        }
    });
}

/// Nothing is made of it, and nothing is read behind its end.
#[test]
fn tensors_without_elements_are_computed_with() {
    let cut = [shape("starts", &[2]), shape("ends", &[2])].to_vec();
    let nodes = vec![
        node("Slice", &["x", "starts", "ends"], &["none"], vec![]),
        node("ReduceSum", &["none"], &["sum"], vec![]),
        node("Add", &["x", "sum"], &["y"], vec![]),
    ];
    let bytes = model(&[4], cut, nodes);
    let made =
        alone(|| bounded(20, 64, "a slice of nothing", || Model::from_bytes(&bytes, &BTreeMap::new())));
    let x = Tensor::from_f32(&[4], &[1.0, -2.0, 3.0, 4.0]);
    assert_eq!(made.unwrap().run(std::slice::from_ref(&x)).unwrap(), [x]);
}

/// A kernel would divide by these, or reach behind an image.
#[test]
fn windows_that_cannot_move_are_refused() {
    alone(|| {
        for (what, window, expected) in [
            (
                "a stride of 0",
                [ints("kernel_shape", &[2, 2]), ints("strides", &[1, 0])],
                "0 in strides [1, 0]",
            ),
            (
                "a negative stride",
                [ints("kernel_shape", &[2, 2]), ints("strides", &[-1, 1])],
                "-1 in strides [-1, 1]",
            ),
            (
                "a dilation of 0",
                [ints("kernel_shape", &[2, 2]), ints("dilations", &[0, 0])],
                "0 in dilations [0, 0]",
            ),
            (
                "a window of nothing",
                [ints("kernel_shape", &[0, 2]), ints("strides", &[1, 1])],
                "0 in kernel_shape [0, 2]",
            ),
            (
                "too few borders",
                [ints("kernel_shape", &[2, 2]), ints("pads", &[1])],
                "pads [1] is not for 2 spatial dimensions",
            ),
            (
                "a border of one axis",
                [ints("kernel_shape", &[2, 2]), ints("pads", &[1, 1])],
                "pads [1, 1] is not for 2 spatial dimensions",
            ),
            (
                "a negative border",
                [ints("kernel_shape", &[2, 2]), ints("pads", &[0, -9, 0, 0])],
                "-9 in pads [0, -9, 0, 0]",
            ),
        ] {
            let pool = NodeProto { name: "pool".into(), ..node("MaxPool", &["x"], &["y"], window.to_vec()) };
            let error = refusal(what, &model(&[1, 1, 4, 4], vec![], vec![pool]));
            let ImportError::Unsupported(nodes) = &error else { panic!("{what}: {error:?}") };
            assert!(nodes[0].node == "pool" && nodes[0].reason.starts_with(expected), "{what}: {error}");
        }
        for (what, window) in [
            ("a window larger than the image", ints("kernel_shape", &[9, 9])),
            ("a window for one axis of two", ints("kernel_shape", &[2])),
            ("a window for three axes of two", ints("kernel_shape", &[2, 2, 2])),
        ] {
            let error = refusal(
                what,
                &model(&[1, 1, 4, 4], vec![], vec![node("MaxPool", &["x"], &["y"], vec![window])]),
            );
            let fitting = matches!(error, ImportError::Unsupported(_) | ImportError::Inconsistent { .. });
            assert!(fitting, "{what}: {error:?}");
        }
    });
}

/// A permutation that is none would read elements twice, or those of another tensor.
#[test]
fn axes_that_do_not_exist_are_refused() {
    let axis = |axis| AttributeProto {
        name: "axis".into(),
        r#type: AttributeType::Int as i32,
        i: axis,
        ..Default::default()
    };
    let cases = [
        (
            "an axis named twice",
            "Transpose",
            ints("perm", &[1, 1, 2]),
            "perm [1, 1, 2] does not name each axis once",
        ),
        ("an axis left out", "Transpose", ints("perm", &[0, 1, 3]), "axis 3 of a tensor of rank 3"),
        ("an axis before the first", "Softmax", axis(-7), "axis -7 of a tensor of rank 3"),
    ];
    alone(|| {
        for (what, operator, attribute, reason) in cases {
            let bytes = model(&[2, 3, 4], vec![], vec![node(operator, &["x"], &["y"], vec![attribute])]);
            let error = refusal(what, &bytes).to_string();
            assert!(error.contains(reason), "{what}: {error}");
        }
    });
}

/// Nothing may recurse along the graph.
#[test]
fn a_long_chain_of_nodes_does_not_overflow_the_stack() {
    alone(|| {
        let name = |index: usize| if index == 3_000 { "y".to_owned() } else { format!("v{index}") };
        let mut nodes = vec![node("Neg", &["x"], &["v0"], vec![])];
        nodes.extend((1..=3_000).map(|i| node("Neg", &[&name(i - 1)], &[&name(i)], vec![])));
        let bytes = model(&[1], vec![], nodes);
        let result = bounded(60, 64, "a long chain", || Model::from_bytes(&bytes, &BTreeMap::new()));
        assert_eq!(result.unwrap().graph().inputs.len(), 1);
    });
}
