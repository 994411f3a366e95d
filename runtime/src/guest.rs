use opml_abi::{DataType, HINT_OUTPUT, blob, exit, fd, keccak256_key, local, local_key};
use tiny_keccak::{Hasher, Keccak};

use crate::Sys;

/// A running guest: the input comes out of it, the output goes into it.
#[derive(Debug)]
pub struct Guest<S> {
    sys: S,
}

/// An output tensor of a guest, its elements as the words they take in a blob.
#[derive(Clone, Copy, Debug)]
pub struct OutputTensor<'a> {
    /// Element type.
    pub dtype: DataType,
    /// Dimensions, outermost first.
    pub shape: &'a [u32],
    /// The elements, row-major, packed as in a blob.
    pub words: &'a [u32],
}

impl<S: Sys> Guest<S> {
    /// A guest on `sys`.
    pub fn new(sys: S) -> Self {
        Self { sys }
    }

    /// Opens the input blob, which has to be `blob_len` bytes long and hold `tensors` tensors; the
    /// caller knows both, since its shapes are static. Ends the program if they differ.
    pub fn open_input(&mut self, blob_len: u32, tensors: u32) -> InputReader<'_, S> {
        self.ask_for_input();
        let mut reader = InputReader { guest: self };
        // The length of a preimage has 8 bytes; nothing this long exists. The count is read only where there
        // is one: on chain, a read behind the end of a preimage reverts, and the guest could not say no.
        let [high, low] = reader.read_words::<2>();
        if high != 0 || low != blob_len || reader.read_words::<1>() != [tensors] {
            reader.guest.fail("the input blob has not the tensors that the program takes\n");
        }
        reader
    }

    /// Asks for the preimage of the input root; its length can be read next.
    fn ask_for_input(&mut self) {
        let root = self.read_local(local::INPUT_ROOT);
        self.sys.write_key(&words_of(keccak256_key(bytes_of(root))));
    }

    /// Opens the input blob, of whatever length: gives its bytes.
    #[cfg(feature = "guest")]
    pub(crate) fn open_preimage_of_input(&mut self) -> u64 {
        self.ask_for_input();
        let mut length = [0; 2];
        self.sys.read_preimage(&mut length);
        u64::from(length[0]) << 32 | u64::from(length[1])
    }

    /// The next words of the preimage that was opened.
    #[cfg(feature = "guest")]
    pub(crate) fn read_preimage(&mut self, words: &mut [u32]) {
        self.sys.read_preimage(words);
    }

    /// Sends out the output blob, compares its hash with the claim and ends the program.
    pub fn finish(mut self, outputs: &[OutputTensor<'_>]) -> ! {
        let payload: usize = blob::COUNT_LEN
            + outputs.iter().map(|o| blob::header_len(o.shape.len()) + 4 * o.words.len()).sum::<usize>();
        self.sys.write(fd::HINT_REQUEST, &((HINT_OUTPUT.len() + payload) as u32).to_be_bytes());
        self.sys.write(fd::HINT_REQUEST, HINT_OUTPUT);
        let mut keccak = Keccak::v256();
        self.emit(&mut keccak, &[outputs.len() as u32]);
        for output in outputs {
            self.emit(&mut keccak, &[blob::header_word(output.dtype, output.shape.len())]);
            self.emit(&mut keccak, output.shape);
            self.emit(&mut keccak, output.words);
        }
        let mut root = [0; 32];
        keccak.finalize(&mut root);
        let claim = self.read_local(local::CLAIM);
        let code = if words_of(root) == claim { exit::EQUAL } else { exit::DIFFERENT };
        self.sys.exit(code)
    }

    /// The step index of the request: which of its computations a program of several runs.
    pub fn step_index(&mut self) -> u64 {
        self.sys.write_key(&words_of(local_key(local::STEP_INDEX)));
        // The length and the value, of 8 bytes each.
        let mut words = [0; 4];
        self.sys.read_preimage(&mut words);
        let [_, _, high, low] = words;
        u64::from(high) << 32 | u64::from(low)
    }

    /// Ends the program with `message` on standard error: it could not compute.
    pub fn fail(&mut self, message: &str) -> ! {
        self.sys.write(fd::STDERR, message.as_bytes());
        self.sys.exit(exit::FAILED)
    }

    /// A local value of 32 bytes.
    fn read_local(&mut self, number: u8) -> [u32; 8] {
        self.sys.write_key(&words_of(local_key(number)));
        let mut value = [0; 10];
        self.sys.read_preimage(&mut value);
        // The first two words are the length. The host may not choose another: the contract pads
        // and measures local values itself.
        let [_, _, words @ ..] = value;
        words
    }

    /// Sends `words` into the output hint and the hash of it.
    fn emit(&mut self, keccak: &mut Keccak, words: &[u32]) {
        let mut send = |bytes: &[u8]| {
            self.sys.write(fd::HINT_REQUEST, bytes);
            keccak.update(bytes);
        };
        if cfg!(target_endian = "big") {
            send(bytes_in_place(words));
        } else {
            words.iter().for_each(|w| send(&w.to_be_bytes()));
        }
    }
}

/// The input blob, read front to back.
#[derive(Debug)]
pub struct InputReader<'a, S> {
    guest: &'a mut Guest<S>,
}

impl<S: Sys> InputReader<'_, S> {
    /// Reads the next tensor into `words`, one blob word each. Ends the program if its element
    /// type or its dimensions are not those given.
    pub fn tensor<const RANK: usize>(&mut self, dtype: DataType, shape: [u32; RANK], words: &mut [u32]) {
        let [header] = self.read_words::<1>();
        let dims = self.read_words::<RANK>();
        if header != blob::header_word(dtype, RANK) || dims != shape {
            self.guest.fail("an input tensor has another dtype or shape than the program takes\n");
        }
        self.guest.sys.read_preimage(words);
    }

    fn read_words<const N: usize>(&mut self) -> [u32; N] {
        let mut words = [0; N];
        self.guest.sys.read_preimage(&mut words);
        words
    }
}

/// The big-endian words of 32 bytes.
fn words_of(bytes: [u8; 32]) -> [u32; 8] {
    core::array::from_fn(|i| {
        u32::from_be_bytes([bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2], bytes[4 * i + 3]])
    })
}

/// The bytes of big-endian words.
fn bytes_of(words: [u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, word) in bytes.chunks_exact_mut(4).zip(words) {
        chunk.copy_from_slice(&word.to_be_bytes());
    }
    bytes
}

/// The bytes of `words` where they lie: the blob's, on a big-endian machine.
fn bytes_in_place(words: &[u32]) -> &[u8] {
    // SAFETY: the bytes are those of `words`, initialised, and a byte has no alignment to keep.
    unsafe { core::slice::from_raw_parts(words.as_ptr().cast(), size_of_val(words)) }
}
