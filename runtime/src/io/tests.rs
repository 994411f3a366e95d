//! What crosses: values as they were sent, and a word on what does not fit. The host's side of a blob is the ABI's own.

extern crate std;

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};

use opml_abi::{DataType, Tensor as Sent, decode_blob, encode_blob, exit, fd};

use super::{Program, Tensor, run};
use crate::{Guest, Sys};

/// A host that has one input blob, and remembers what it is sent.
struct Host<'a> {
    input: Vec<u8>,
    read: usize,
    written: &'a mut Written,
}

#[derive(Debug, Default, PartialEq)]
struct Written {
    hint: Vec<u8>,
    errors: String,
    key: [u32; 8],
}

impl Sys for Host<'_> {
    fn read_preimage(&mut self, words: &mut [u32]) {
        // The preimage of a local key is 32 bytes behind their length; their content is never looked at here.
        let local = self.written.key[0] >> 24 == 1;
        let length = if local { 32 } else { self.input.len() as u64 };
        let bytes: Vec<u8> = if local { vec![0; 32] } else { self.input.clone() };
        let all = [&length.to_be_bytes()[..], &bytes].concat();
        for word in words {
            let next = all.get(self.read..self.read + 4).expect("nothing is read behind the end");
            *word = u32::from_be_bytes(next.try_into().unwrap());
            self.read += 4;
        }
        // As the ABI's elements lie in memory of a big-endian machine: nothing to do for words, and these tests send no others.
    }

    fn write_key(&mut self, key: &[u32; 8]) {
        self.written.key = *key;
        self.read = 0;
    }

    fn write(&mut self, descriptor: u32, bytes: &[u8]) {
        match descriptor {
            fd::HINT_REQUEST => self.written.hint.extend(bytes),
            fd::STDERR => self.written.errors += core::str::from_utf8(bytes).unwrap(),
            other => panic!("descriptor {other}"),
        }
    }

    fn exit(&mut self, code: u8) -> ! {
        panic_any(code)
    }
}

/// Runs `main` on `input`: the exit code, the tensors it sent, and what it said.
fn outcome<P>(input: Vec<u8>, main: impl Program<P>) -> (u8, Vec<Sent>, String) {
    let mut written = Written::default();
    let host = Host { input, read: 0, written: &mut written };
    let ended = catch_unwind(AssertUnwindSafe(|| run(Guest::new(host), main)));
    let code = match ended {
        Ok(never) => never,
        Err(code) => *code.downcast::<u8>().expect("it ends by exit"),
    };
    let sent = written.hint.get(4 + opml_abi::HINT_OUTPUT.len()..);
    (code, sent.map(|blob| decode_blob(blob).unwrap()).unwrap_or_default(), written.errors)
}

fn given<P>(tensors: &[Sent], main: impl Program<P>) -> Vec<Sent> {
    let (code, sent, errors) = outcome(encode_blob(tensors), main);
    // Without a claim, an output differs from it.
    assert_eq!((code, errors), (exit::DIFFERENT, String::new()));
    sent
}

fn refused<P>(input: Vec<u8>, main: impl Program<P>) -> String {
    let (code, sent, errors) = outcome(input, main);
    assert_eq!((code, sent), (exit::FAILED, vec![]));
    errors
}

fn floats(shape: &[u32]) -> Sent {
    let count = shape.iter().product::<u32>();
    Sent::from_f32(shape, &(0..count).map(|i| i as f32 + 0.5).collect::<Vec<_>>())
}

#[test]
fn fixed_shapes_cross() {
    let sent = given(&[floats(&[2, 3]), floats(&[])], |a: [[f32; 3]; 2], b: f32| {
        assert_eq!((a, b), ([[0.5, 1.5, 2.5], [3.5, 4.5, 5.5]], 0.5));
        (a, b)
    });
    assert_eq!(sent, [floats(&[2, 3]), floats(&[])]);
}

#[test]
fn open_shapes_cross() {
    let sent = given(&[floats(&[2, 1, 2]), floats(&[3])], |a: Tensor<f32>, b: Vec<f32>| {
        assert_eq!((a.shape(), a[3], b.len()), (&[2, 1, 2][..], 3.5, 3));
        (a, b)
    });
    assert_eq!(sent, [floats(&[2, 1, 2]), floats(&[3])]);
}

#[test]
fn an_empty_tensor_crosses() {
    assert_eq!(given(&[floats(&[0, 4])], |a: Tensor<f32>| a), [floats(&[0, 4])]);
}

#[test]
fn without_parameters_nothing_is_read() {
    let (code, sent, _) = outcome(Vec::new(), || ());
    assert_eq!((code, sent), (exit::DIFFERENT, vec![]));
}

#[test]
fn errors_of_main_are_told() {
    let main = |_: f32| -> Result<f32, String> { Err("no such thing".to_owned()) };
    assert_eq!(refused(encode_blob(&[floats(&[])]), main), "error: no such thing\n");
}

#[test]
fn what_does_not_fit_is_named() {
    let blob = |tensors: &[Sent]| encode_blob(tensors);
    let one = |message: &str| format!("error: input 0: {message}\n");
    let said = refused(blob(&[floats(&[3])]), |_: [f32; 4]| ());
    assert_eq!(said, one("expected float32 [4], got float32 [3]"));
    let said = refused(blob(&[floats(&[4])]), |_: [i32; 4]| ());
    assert_eq!(said, one("expected int32 [4], got float32 [4]"));
    let said = refused(blob(&[floats(&[2, 2])]), |_: Vec<f32>| ());
    assert_eq!(said, one("expected float32 of one dimension, got float32 [2, 2]"));
    let said = refused(blob(&[floats(&[1])]), |_: Tensor<i64>| ());
    assert_eq!(said, one("expected int64 of any shape, got float32 [1]"));
    let said = refused(blob(&[floats(&[1])]), |_: Vec<f32>, _: f32| ());
    assert_eq!(said, "error: the program takes 2 tensors, the input has 1\n");
    let bytes = Sent { dtype: DataType::Bool, shape: vec![4], data: vec![0, 1, 2, 0] };
    assert_eq!(refused(blob(&[bytes]), |_: Vec<bool>| ()), one("bytes that are no bool"));
}

/// On chain, a read behind the end of a preimage reverts: the guest has to see it coming. The host here panics on one.
#[test]
fn no_blob_is_read_behind_its_end() {
    let whole = encode_blob(&[floats(&[2, 2]), floats(&[1])]);
    for end in 0..whole.len() {
        let said = refused(whole[..end].to_vec(), |_: Tensor<f32>, _: Vec<f32>| ());
        assert!(said.starts_with("error: "), "{end}: {said}");
    }
    let mut huge = whole.clone();
    huge[8..12].copy_from_slice(&u32::MAX.to_be_bytes());
    huge[12..16].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(refused(huge, |_: Tensor<f32>, _: Vec<f32>| ()).contains("ends in the middle"));
    let mut deep = whole;
    deep[5] = 9;
    assert!(refused(deep, |_: Tensor<f32>, _: Vec<f32>| ()).contains("9 dimensions"));
}

#[test]
#[should_panic(expected = "a tensor of the shape [2, 2]")]
fn a_tensor_has_as_many_elements_as_its_shape() {
    let _ = Box::new(Tensor::new(&[2, 2], &[1.0_f32; 3]));
}
