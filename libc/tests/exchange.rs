//! What crosses between a program and its request, on a machine that plays the VM.

use opml_abi::{DataType, Tensor, decode_blob, encode_blob};
use opml_libc::{Exchange, InputError};
use opml_runtime::Sys;

/// Answers any key: the first with a hash, the second with the input.
struct Machine {
    input: Vec<u8>,
    /// What can be read next: the length and the bytes.
    preimage: Vec<u8>,
    keys: Vec<u8>,
    hints: Vec<u8>,
}

impl Machine {
    fn new(input: Vec<u8>) -> Self {
        Self { input, preimage: Vec::new(), keys: Vec::new(), hints: Vec::new() }
    }
}

impl Sys for &mut Machine {
    fn read_preimage(&mut self, words: &mut [u32]) {
        for word in words {
            // The contract reverts on a read behind the end.
            let bytes: Vec<u8> = self.preimage.drain(..4).collect();
            *word = u32::from_be_bytes(bytes.try_into().unwrap());
        }
    }

    fn write_key(&mut self, key: &[u32; 8]) {
        let (kind, number) = (key[0] >> 24, key[7] as u8);
        let value = match (kind, number) {
            (1, 4 | 5) => vec![0, 0, 0, 1, 0, 0, 0, number],
            (1, _) => vec![number; 32],
            _ => self.input.clone(),
        };
        self.keys.push(kind as u8);
        self.preimage = (value.len() as u64).to_be_bytes().to_vec();
        self.preimage.extend(value);
    }

    fn write(&mut self, fd: u32, bytes: &[u8]) {
        assert_eq!(fd, opml_abi::fd::HINT_REQUEST);
        self.hints.extend(bytes);
    }

    fn exit(&mut self, code: u8) -> ! {
        std::panic::resume_unwind(Box::new(code))
    }
}

fn tensors() -> Vec<Tensor> {
    vec![
        Tensor::from_f32(&[2, 1], &[1.5, -2.0]),
        Tensor { dtype: DataType::Uint8, shape: vec![3], data: vec![1, 2, 3] },
        Tensor { dtype: DataType::Int64, shape: vec![], data: 7i64.to_be_bytes().to_vec() },
        Tensor { dtype: DataType::Uint8, shape: vec![5, 0], data: vec![] },
    ]
}

#[test]
fn inputs_are_read_once() {
    let mut machine = Machine::new(encode_blob(&tensors()));
    let mut exchange = Exchange::new(&mut machine);
    for _ in 0..2 {
        let inputs = exchange.inputs().unwrap();
        assert_eq!(inputs.len(), 4);
        for (input, tensor) in inputs.iter().zip(tensors()) {
            assert_eq!((input.dtype, &input.shape), (tensor.dtype, &tensor.shape));
            assert_eq!(input.bytes().len(), tensor.data.len());
            assert!(input.bytes().as_ptr().addr().is_multiple_of(8));
        }
        // Words are the machine's own: on a big-endian one bytes lie as they came.
        let float = f32::from_ne_bytes(inputs[0].bytes()[4..].try_into().unwrap());
        assert_eq!(float, -2.0);
    }
    assert_eq!((exchange.local_words(1), exchange.local_number(4)), ([0x0101_0101; 8], 1 << 32 | 4));
    assert_eq!(machine.keys, [1, 2, 1, 1]);
}

#[test]
fn blobs_that_are_none_are_refused_in_time() {
    let blob = encode_blob(&tensors());
    let error = |blob: Vec<u8>| Exchange::new(&mut Machine::new(blob)).inputs().unwrap_err();
    for cut in 0..blob.len() {
        assert_eq!(error(blob[..cut].to_vec()), InputError::Truncated, "{cut} bytes");
    }
    assert_eq!(error([blob.clone(), vec![0; 4]].concat()), InputError::TrailingBytes);
    let with = |place: usize, bytes: [u8; 4]| {
        let mut blob = blob.clone();
        blob[place..place + 4].copy_from_slice(&bytes);
        error(blob)
    };
    // A type that is none, a rank above the highest, a byte that has to be zero.
    assert_eq!(with(4, [99, 2, 0, 0]), InputError::Header(0x6302_0000));
    assert_eq!(with(4, [1, 9, 0, 0]), InputError::Header(0x0109_0000));
    assert_eq!(with(4, [1, 2, 0, 1]), InputError::Header(0x0102_0001));
    // As many tensors, or elements, as nobody has: no memory is taken for them.
    assert_eq!(with(0, [255; 4]), InputError::Truncated);
    assert_eq!(with(8, [255; 4]), InputError::Truncated);
}

#[test]
fn outputs_go_out_as_they_were_given() {
    let mut machine = Machine::new(Vec::new());
    let finish = || {
        let mut exchange = Exchange::new(&mut machine);
        // The same in each place, as a word of this machine may have the bytes the other way round.
        let bytes = |to: &mut [u8]| to.copy_from_slice(&[9; 8]);
        exchange.output(DataType::Uint8, &[2, 4], bytes).unwrap();
        let number = |to: &mut [u8]| to.copy_from_slice(&(-5i32).to_ne_bytes());
        exchange.output(DataType::Int32, &[], number).unwrap();
        assert_eq!(exchange.output(DataType::Uint8, &[1; 9], |_| panic!("there is no such tensor")), None);
        assert_eq!(exchange.output(DataType::Int64, &[u32::MAX; 8], |_| panic!("nor such a one")), None);
        exchange.finish()
    };
    let code = std::panic::catch_unwind(std::panic::AssertUnwindSafe(finish)).unwrap_err();
    assert_eq!(code.downcast_ref::<u8>(), Some(&1), "the claim is not the output's hash");
    let blob = machine.hints.strip_prefix(&(machine.hints.len() as u32 - 4).to_be_bytes()).unwrap();
    let outputs = decode_blob(blob.strip_prefix(b"output ").unwrap()).unwrap();
    assert_eq!(outputs[0], Tensor { dtype: DataType::Uint8, shape: vec![2, 4], data: vec![9; 8] });
    assert_eq!(
        outputs[1],
        Tensor { dtype: DataType::Int32, shape: vec![], data: (-5i32).to_be_bytes().to_vec() }
    );
}
