//! What crosses between a C program and its request: input tensors of any shape, output tensors, local values.

use alloc::vec;
use alloc::vec::Vec;

use opml_abi::{DataType, blob, keccak256_key, local, local_key};
use opml_runtime::{Guest, OutputTensor, Sys};

/// A tensor of the input or of the output.
#[derive(Debug)]
pub struct Tensor {
    /// Element type.
    pub dtype: DataType,
    /// Dimensions, outermost first.
    pub shape: Vec<u32>,
    /// The elements as words of the blob; as units of eight bytes, for the alignment of any element.
    units: Vec<u64>,
    /// Bytes of all elements.
    bytes: usize,
}

impl Tensor {
    /// A tensor of zeros; none if there are more than can be addressed.
    fn zeros(dtype: DataType, shape: &[u32]) -> Option<Self> {
        let count = shape.iter().try_fold(1usize, |count, d| count.checked_mul(*d as usize))?;
        let bytes = count.checked_mul(dtype.size()).filter(|bytes| *bytes <= isize::MAX as usize - 8)?;
        Some(Self { dtype, shape: shape.to_vec(), units: vec![0; bytes.div_ceil(8)], bytes })
    }

    /// The elements, as on the machine: big-endian on the VM.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the units have at least as many bytes.
        unsafe { core::slice::from_raw_parts(self.units.as_ptr().cast(), self.bytes) }
    }

    /// The words they take in a blob.
    fn words(&self) -> &[u32] {
        // SAFETY: the units have at least as many bytes, and a larger alignment.
        unsafe { core::slice::from_raw_parts(self.units.as_ptr().cast(), self.bytes.div_ceil(4)) }
    }

    fn words_mut(&mut self) -> &mut [u32] {
        // SAFETY: as above.
        unsafe { core::slice::from_raw_parts_mut(self.units.as_mut_ptr().cast(), self.bytes.div_ceil(4)) }
    }
}

/// Why an input blob cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputError {
    /// It ends inside a tensor, or before the tensors that were announced.
    Truncated,
    /// A tensor's header is none of this version.
    Header(u32),
    /// Bytes follow the last tensor.
    TrailingBytes,
}

/// The request of a running program.
#[derive(Debug)]
pub struct Exchange<S> {
    sys: S,
    inputs: Option<Vec<Tensor>>,
    outputs: Vec<Tensor>,
}

impl<S: Sys> Exchange<S> {
    /// Of a program on `sys`.
    pub const fn new(sys: S) -> Self {
        Self { sys, inputs: None, outputs: Vec::new() }
    }

    /// The machine.
    pub fn sys(&mut self) -> &mut S {
        &mut self.sys
    }

    /// The input tensors, which are read when they are asked for first.
    ///
    /// # Errors
    /// [`InputError`]: the blob is none.
    pub fn inputs(&mut self) -> Result<&[Tensor], InputError> {
        if self.inputs.is_none() {
            self.inputs = Some(Reader::open(&mut self.sys).tensors()?);
        }
        Ok(self.inputs.as_deref().unwrap_or_default())
    }

    /// Appends an output tensor with elements of as many bytes as shape and type say, which `fill` writes.
    ///
    /// None if the shape is none, or has more dimensions than a blob can say.
    pub fn output(&mut self, dtype: DataType, shape: &[u32], fill: impl FnOnce(&mut [u8])) -> Option<()> {
        let mut tensor = Tensor::zeros(dtype, shape).filter(|_| shape.len() <= blob::MAX_RANK)?;
        let bytes = tensor.bytes;
        fill(&mut opml_runtime::bytes_mut(tensor.words_mut())[..bytes]);
        self.outputs.push(tensor);
        Some(())
    }

    /// Sends the outputs out, compares their hash with the claim and ends the program.
    pub fn finish(self) -> ! {
        let Self { sys, outputs, .. } = self;
        let tensors: Vec<_> = outputs
            .iter()
            .map(|t| OutputTensor { dtype: t.dtype, shape: &t.shape, words: t.words() })
            .collect();
        Guest::new(sys).finish(&tensors)
    }

    /// The eight words of the local value `number`, of 32 bytes.
    pub fn local_words(&mut self, number: u8) -> [u32; 8] {
        local_words(&mut self.sys, number)
    }

    /// The local value `number`, of 8 bytes.
    pub fn local_number(&mut self, number: u8) -> u64 {
        self.sys.write_key(&words_of(local_key(number)));
        let mut words = [0; 4];
        self.sys.read_preimage(&mut words);
        u64::from(words[2]) << 32 | u64::from(words[3])
    }
}

/// A local value of 32 bytes. The two words in front are its length, which the host may not choose.
fn local_words(sys: &mut impl Sys, number: u8) -> [u32; 8] {
    sys.write_key(&words_of(local_key(number)));
    let mut value = [0; 10];
    sys.read_preimage(&mut value);
    let [_, _, words @ ..] = value;
    words
}

/// The big-endian words of 32 bytes.
fn words_of(bytes: [u8; 32]) -> [u32; 8] {
    core::array::from_fn(|i| u32::from_be_bytes(core::array::from_fn(|k| bytes[4 * i + k])))
}

/// Reads the input blob, never behind its end: on chain that reverts, and the program could not say what is wrong.
struct Reader<'a, S> {
    sys: &'a mut S,
    /// Bytes that are left.
    left: u64,
}

impl<'a, S: Sys> Reader<'a, S> {
    fn open(sys: &'a mut S) -> Self {
        let root = local_words(sys, local::INPUT_ROOT);
        let mut hash = [0; 32];
        hash.chunks_exact_mut(4)
            .zip(root)
            .for_each(|(bytes, word)| bytes.copy_from_slice(&word.to_be_bytes()));
        sys.write_key(&words_of(keccak256_key(hash)));
        let mut length = [0; 2];
        sys.read_preimage(&mut length);
        Self { sys, left: u64::from(length[0]) << 32 | u64::from(length[1]) }
    }

    fn word(&mut self) -> Result<u32, InputError> {
        let mut word = [0];
        self.read(&mut word)?;
        Ok(word[0])
    }

    fn read(&mut self, words: &mut [u32]) -> Result<(), InputError> {
        let left = self.left.checked_sub(4 * words.len() as u64);
        self.left = left.ok_or(InputError::Truncated)?;
        self.sys.read_preimage(words);
        Ok(())
    }

    fn tensors(mut self) -> Result<Vec<Tensor>, InputError> {
        let count = self.word()?;
        // No room is taken for them before they are there: the number may be any.
        let mut tensors = Vec::new();
        for _ in 0..count {
            tensors.push(self.tensor()?);
        }
        if self.left == 0 { Ok(tensors) } else { Err(InputError::TrailingBytes) }
    }

    fn tensor(&mut self) -> Result<Tensor, InputError> {
        let header = self.word()?;
        let rank = (header >> 16 & 0xff) as usize;
        let dtype = DataType::from_code((header >> 24) as u8);
        let (Some(dtype), true) = (dtype, rank <= blob::MAX_RANK && header & 0xffff == 0) else {
            return Err(InputError::Header(header));
        };
        let mut shape = [0; blob::MAX_RANK];
        let shape = &mut shape[..rank];
        self.read(shape)?;
        let bytes = shape.iter().try_fold(dtype.size() as u64, |bytes, d| bytes.checked_mul((*d).into()));
        let fits = bytes.is_some_and(|bytes| bytes <= self.left);
        let tensor = Tensor::zeros(dtype, shape).filter(|_| fits);
        let mut tensor = tensor.ok_or(InputError::Truncated)?;
        self.read(tensor.words_mut())?;
        Ok(tensor)
    }
}
