//! A C program on the VM: how it begins and ends, and the calls of `opml.h`.

use core::ffi::c_int;
use core::fmt::Write;

use opml_abi::{DataType, exit as codes, fd, local};
use opml_runtime::{Mips, Sys};
use tiny_keccak::{Hasher, Keccak};

use crate::Exchange;
use crate::cell::Global;
use crate::string::text;

static EXCHANGE: Global<Exchange<Mips>> = Global::new(Exchange::new(Mips));

/// What C sees of a tensor: `opml_tensor`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct View {
    dtype: u32,
    rank: u32,
    shape: *const u32,
    count: usize,
    size: usize,
    data: *const u8,
}

/// Functions that [`exit`] calls, last to first; C promises room for 32.
static AT_EXIT: Global<[Option<extern "C" fn()>; 32]> = Global::new([None; 32]);

/// Standard error as a formatter's sink.
struct Stderr;

impl Write for Stderr {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        Mips.write(fd::STDERR, text.as_bytes());
        Ok(())
    }
}

/// Ends the program: it could not compute.
pub(crate) fn fail(message: core::fmt::Arguments<'_>) -> ! {
    // A failure to print cannot be reported anywhere; the exit code says enough.
    let _ = Stderr.write_fmt(message);
    let _ = Stderr.write_str("\n");
    Mips.exit(codes::FAILED)
}

fn exchange() -> &'static mut Exchange<Mips> {
    // SAFETY: there is one thread, and no caller keeps the reference while it calls another function that asks for it.
    unsafe { &mut *EXCHANGE.get() }
}

/// Runs `main` as the program, and ends it with what it returns.
pub fn run(main: impl FnOnce() -> c_int) -> ! {
    exit(main())
}

/// Ends the program. With 0 its outputs are sent and compared with the claim, which gives the exit code; any other number says that it
/// could not compute. So a program cannot confirm or deny a claim by mistake.
#[unsafe(no_mangle)]
pub extern "C" fn exit(code: c_int) -> ! {
    for place in (0..AT_EXIT.load().len()).rev() {
        let mut functions = AT_EXIT.load();
        if let Some(function) = functions[place].take() {
            AT_EXIT.store(functions);
            function();
        }
    }
    _Exit(code)
}

/// Ends the program without the functions of [`atexit`].
#[unsafe(no_mangle)]
pub extern "C" fn _Exit(code: c_int) -> ! {
    if code != 0 {
        fail(format_args!("error: the program ended with {code}"));
    }
    // SAFETY: nothing comes after it.
    unsafe { EXCHANGE.get().read() }.finish()
}

/// Has `function` called by [`exit`]; 0 if there was room.
#[unsafe(no_mangle)]
pub extern "C" fn atexit(function: extern "C" fn()) -> c_int {
    let mut functions = AT_EXIT.load();
    match functions.iter_mut().find(|place| place.is_none()) {
        Some(place) => {
            *place = Some(function);
            AT_EXIT.store(functions);
            0
        }
        None => -1,
    }
}

/// Ends the program: it could not compute.
#[unsafe(no_mangle)]
pub extern "C" fn abort() -> ! {
    fail(format_args!("error: the program called abort()"))
}

/// What `assert` calls.
#[unsafe(no_mangle)]
unsafe extern "C" fn __assert_fail(expression: *const u8, file: *const u8, function: *const u8) -> ! {
    // SAFETY: the macro gives texts.
    let [expression, file, function] = unsafe { [expression, file, function].map(|t| show(text(t))) };
    fail(format_args!("error: assertion `{expression}` failed in {function} ({file})"))
}

/// What the compiler calls in front of a division by zero, which the contract cannot prove.
#[unsafe(no_mangle)]
extern "C" fn __ubsan_handle_divrem_overflow_minimal_abort() -> ! {
    fail(format_args!("error: division by zero, or a quotient that does not fit"))
}

/// Text as far as it is UTF-8.
fn show(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes)
        .unwrap_or_else(|error| core::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default())
}

/// How many input tensors there are.
#[unsafe(no_mangle)]
extern "C" fn opml_input_count() -> usize {
    match exchange().inputs() {
        Ok(inputs) => inputs.len(),
        Err(error) => fail(format_args!("error: the input is no blob of tensors: {error:?}")),
    }
}

/// Input tensor `index`.
#[unsafe(no_mangle)]
extern "C" fn opml_input(index: usize) -> View {
    let count = opml_input_count();
    let Some(tensor) = exchange().inputs().ok().and_then(|inputs| inputs.get(index)) else {
        fail(format_args!("error: there is no input {index}: the request has {count}"))
    };
    View {
        dtype: tensor.dtype.code().into(),
        rank: tensor.shape.len() as u32,
        shape: tensor.shape.as_ptr(),
        count: tensor.bytes().len() / tensor.dtype.size(),
        size: tensor.bytes().len(),
        data: tensor.bytes().as_ptr(),
    }
}

/// The elements of input tensor `index`, which has to have this type and so many of them.
#[unsafe(no_mangle)]
extern "C" fn opml_input_data(index: usize, dtype: u32, count: usize) -> *const u8 {
    let view = opml_input(index);
    if view.dtype != dtype || view.count != count {
        fail(format_args!(
            "error: input {index} has {} elements of type {}, the program takes {count} of type {dtype}",
            view.count, view.dtype
        ));
    }
    view.data
}

/// The bytes of the only input, a `uint8` tensor of any shape.
#[unsafe(no_mangle)]
unsafe extern "C" fn opml_input_bytes(size: *mut usize) -> *const u8 {
    let (count, view) = (opml_input_count(), opml_input(0));
    if count != 1 || view.dtype != u32::from(DataType::Uint8.code()) {
        fail(format_args!("error: the program takes one tensor of uint8"));
    }
    // SAFETY: the caller gives a place for it.
    unsafe { *size = view.size };
    view.data
}

/// Appends an output tensor.
#[unsafe(no_mangle)]
unsafe extern "C" fn opml_output(dtype: u32, rank: u32, shape: *const u32, data: *const u8) {
    let type_of = u8::try_from(dtype).ok().and_then(DataType::from_code);
    let Some(type_of) = type_of else { fail(format_args!("error: {dtype} is no type of elements")) };
    // SAFETY: the caller's promise; a scalar may have no shape.
    let shape =
        if rank == 0 { &[][..] } else { unsafe { core::slice::from_raw_parts(shape, rank as usize) } };
    // SAFETY: the caller gives as many bytes as the shape says.
    let fill = |to: &mut [u8]| unsafe { to.as_mut_ptr().copy_from(data, to.len()) };
    if exchange().output(type_of, shape, fill).is_none() {
        fail(format_args!("error: {shape:?} is no shape of an output"));
    }
}

/// Appends an output tensor of bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn opml_output_bytes(data: *const u8, size: usize) {
    // SAFETY: the caller's promise.
    unsafe { opml_output(DataType::Uint8.code().into(), 1, &(size as u32), data) }
}

/// Ends the program with a message: it could not compute.
#[unsafe(no_mangle)]
unsafe extern "C" fn opml_fail(message: *const u8) -> ! {
    // SAFETY: the caller's promise.
    fail(format_args!("error: {}", show(unsafe { text(message) })))
}

/// keccak256 of bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn opml_keccak256(data: *const u8, size: usize, hash: *mut [u8; 32]) {
    let mut keccak = Keccak::v256();
    // SAFETY: the caller's promise; no bytes may have no place.
    unsafe {
        if size != 0 {
            keccak.update(core::slice::from_raw_parts(data, size));
        }
        keccak.finalize(&mut *hash);
    }
}

/// Which of its computations a program of several runs.
#[unsafe(no_mangle)]
extern "C" fn opml_step_index() -> u64 {
    exchange().local_number(local::STEP_INDEX)
}

/// Domain of the request.
#[unsafe(no_mangle)]
extern "C" fn opml_domain() -> u64 {
    exchange().local_number(local::DOMAIN)
}

/// Context of the request, 32 bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn opml_context(context: *mut [u8; 32]) {
    let words = exchange().local_words(local::CONTEXT);
    for (i, word) in words.into_iter().enumerate() {
        // SAFETY: the caller gives room for 32 bytes.
        unsafe { (&mut *context)[4 * i..][..4].copy_from_slice(&word.to_be_bytes()) }
    }
}
