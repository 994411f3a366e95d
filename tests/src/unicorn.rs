//! An independent executor: unicorn-engine, QEMU's models of MIPS processors as a library.
//!
//! It is loaded at run time from the pinned test tools, so that nothing has to be installed to compile the
//! tests. The handful of functions that are needed are declared here (unicorn 2.0, `include/unicorn/unicorn.h`).

use std::ffi::{c_int, c_uint, c_void};
use std::path::Path;
use std::ptr;

use libloading::Library;
use opml_toolchain::progress::Silent;
use opml_toolchain::provision::{self, Lock};

use crate::SET_UP;

const ARCH_MIPS: c_int = 3;
const MODE_MIPS32_BIG_ENDIAN: c_int = (1 << 2) | (1 << 30);
/// `UC_CTL_WRITE(UC_CTL_CPU_MODEL, 1)`
const SET_CPU_MODEL: c_uint = 7 | (1 << 26) | (1 << 30);
const PROT_ALL: u32 = 7;
pub(super) const HOOK_INTERRUPT: c_int = 1;
pub(super) const HOOK_CODE: c_int = 4;
/// `UC_MIPS_REG_0`; the others follow.
const REGISTER_0: c_int = 2;
/// `UC_MIPS_REG_HI`, `UC_MIPS_REG_LO`
const REGISTER_HI: c_int = 129;
const REGISTER_LO: c_int = 130;
/// QEMU's number of the system call exception.
const EXCEPTION_SYSCALL: u32 = 17;

pub(super) type Handle = *mut c_void;
pub(super) type OnCode = unsafe extern "C" fn(Handle, u64, u32, *mut c_void);
pub(super) type OnInterrupt = unsafe extern "C" fn(Handle, u32, *mut c_void);

/// A processor to emulate. Neither has a floating-point unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum Processor {
    /// MIPS 4Kc, MIPS32 release 1: the nearest to the contract.
    Release1 = 0,
    /// MIPS 24Kc, MIPS32 release 2.
    Release2 = 6,
}

/// The library's functions, with its own names but for the prefix.
#[derive(Clone, Copy)]
pub(super) struct Api {
    open: unsafe extern "C" fn(c_int, c_int, *mut Handle) -> c_int,
    close: unsafe extern "C" fn(Handle) -> c_int,
    // Variadic in C.
    ctl: unsafe extern "C" fn(Handle, c_uint, ...) -> c_int,
    mem_map: unsafe extern "C" fn(Handle, u64, usize, u32) -> c_int,
    mem_write: unsafe extern "C" fn(Handle, u64, *const c_void, usize) -> c_int,
    mem_read: unsafe extern "C" fn(Handle, u64, *mut c_void, usize) -> c_int,
    reg_write: unsafe extern "C" fn(Handle, c_int, *const c_void) -> c_int,
    reg_read: unsafe extern "C" fn(Handle, c_int, *mut c_void) -> c_int,
    // Variadic in C; the end of the argument list is the same without further arguments.
    hook_add:
        unsafe extern "C" fn(Handle, *mut usize, c_int, *const c_void, *mut c_void, u64, u64, ...) -> c_int,
    hook_del: unsafe extern "C" fn(Handle, usize) -> c_int,
    pub(super) emu_start: unsafe extern "C" fn(Handle, u64, u64, u64, usize) -> c_int,
    pub(super) emu_stop: unsafe extern "C" fn(Handle) -> c_int,
    context_alloc: unsafe extern "C" fn(Handle, *mut Handle) -> c_int,
    context_save: unsafe extern "C" fn(Handle, Handle) -> c_int,
    context_restore: unsafe extern "C" fn(Handle, Handle) -> c_int,
    context_free: unsafe extern "C" fn(Handle) -> c_int,
}

impl Api {
    fn load(library: &Library) -> Result<Self, libloading::Error> {
        // SAFETY: the types are those of the header of this version, which the lock pins.
        unsafe {
            Ok(Self {
                open: *library.get(b"uc_open")?,
                close: *library.get(b"uc_close")?,
                ctl: *library.get(b"uc_ctl")?,
                mem_map: *library.get(b"uc_mem_map")?,
                mem_write: *library.get(b"uc_mem_write")?,
                mem_read: *library.get(b"uc_mem_read")?,
                reg_write: *library.get(b"uc_reg_write")?,
                reg_read: *library.get(b"uc_reg_read")?,
                hook_add: *library.get(b"uc_hook_add")?,
                hook_del: *library.get(b"uc_hook_del")?,
                emu_start: *library.get(b"uc_emu_start")?,
                emu_stop: *library.get(b"uc_emu_stop")?,
                context_alloc: *library.get(b"uc_context_alloc")?,
                context_save: *library.get(b"uc_context_save")?,
                context_restore: *library.get(b"uc_context_restore")?,
                context_free: *library.get(b"uc_context_free")?,
            })
        }
    }
}

/// What a system call comes to.
pub enum Flow {
    /// The program goes on behind the call.
    Continue,
    /// It ends at the call.
    Exit,
}

/// How far a program came until its exit.
pub struct Ran {
    /// Instructions executed, those in delay slots and the last system call included.
    pub steps: u64,
    /// Address of the last one.
    pub last: u32,
}

/// An emulated MIPS machine: a processor, and the memory that is mapped.
pub struct Unicorn {
    pub(super) api: Api,
    pub(super) handle: Handle,
    // Dropped after the handle is closed; the functions of `api` are in it.
    _library: Library,
}

impl Unicorn {
    /// A machine of release 1 without memory. Panics as [`with`](Self::with) does.
    pub fn new() -> Self {
        Self::with(Processor::Release1)
    }

    /// A machine without memory.
    ///
    /// # Panics
    /// If the test tools are not installed, or the library does not work.
    pub fn with(processor: Processor) -> Self {
        let lock =
            Lock::parse(include_str!("../test-tools.lock")).expect("the lock of the test tools is right");
        // A test that waits for a download says nothing of the code.
        let options = provision::Options { offline: true, ..crate::program::provision_options() };
        let tools = provision::ensure_tools(&lock, &options, &Silent);
        let tools = tools.unwrap_or_else(|e| panic!("{e}\n{SET_UP}"));
        Self::open(&tools.paths["libunicorn"], processor)
    }

    fn open(path: &Path, processor: Processor) -> Self {
        // SAFETY: the library is the pinned one; its initialisers only fill tables of its own.
        let library = unsafe { Library::new(path) }.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let api = Api::load(&library).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut handle = ptr::null_mut();
        // SAFETY: `handle` is a place for the result.
        check("open", unsafe { (api.open)(ARCH_MIPS, MODE_MIPS32_BIG_ENDIAN, &raw mut handle) });
        let machine = Self { api, handle, _library: library };
        // SAFETY: the handle is open, and this request takes one int.
        check("choose the processor", unsafe { (api.ctl)(handle, SET_CPU_MODEL, processor as c_int) });
        machine
    }

    /// Maps zero memory; both numbers are multiples of 4,096.
    pub fn map(&self, address: u32, len: usize) {
        // SAFETY: the handle is open.
        check("map", unsafe { (self.api.mem_map)(self.handle, address.into(), len, PROT_ALL) });
    }

    /// Writes to mapped memory.
    pub fn write(&self, address: u32, bytes: &[u8]) {
        // SAFETY: the pointer and the length are those of `bytes`.
        let result =
            unsafe { (self.api.mem_write)(self.handle, address.into(), bytes.as_ptr().cast(), bytes.len()) };
        check("write memory", result);
    }

    /// Reads mapped memory.
    pub fn read(&self, address: u32, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        // SAFETY: the pointer and the length are those of `bytes`.
        let result =
            unsafe { (self.api.mem_read)(self.handle, address.into(), bytes.as_mut_ptr().cast(), len) };
        check("read memory", result);
        bytes
    }

    /// A general register.
    pub fn register(&self, number: u8) -> u32 {
        self.read_register(REGISTER_0 + c_int::from(number))
    }

    /// The registers `hi` and `lo`.
    pub fn hi_lo(&self) -> (u32, u32) {
        (self.read_register(REGISTER_HI), self.read_register(REGISTER_LO))
    }

    fn read_register(&self, id: c_int) -> u32 {
        // Room for a register of the widest processor, although this one's have 32 bits.
        let mut value = [0_u8; 8];
        // SAFETY: the pointer is to more bytes than are written.
        let result = unsafe { (self.api.reg_read)(self.handle, id, value.as_mut_ptr().cast()) };
        check("read a register", result);
        u32::from_ne_bytes([value[0], value[1], value[2], value[3]])
    }

    /// Sets a general register.
    pub fn set_register(&self, number: u8, value: u32) {
        self.write_register(REGISTER_0 + c_int::from(number), value);
    }

    /// Sets the registers `hi` and `lo`.
    pub fn set_hi_lo(&self, hi: u32, lo: u32) {
        self.write_register(REGISTER_HI, hi);
        self.write_register(REGISTER_LO, lo);
    }

    fn write_register(&self, id: c_int, value: u32) {
        let mut wide = [0; 8];
        wide[..4].copy_from_slice(&value.to_ne_bytes());
        // SAFETY: the pointer is to more bytes than are read.
        let result = unsafe { (self.api.reg_write)(self.handle, id, wide.as_ptr().cast()) };
        check("write a register", result);
    }

    /// Keeps the processor as it is now; memory is not part of it.
    pub(super) fn save(&self) -> Saved {
        let mut context = ptr::null_mut();
        // SAFETY: the handle is open, and `context` is a place for the result, which the second call fills.
        unsafe {
            check("make a context", (self.api.context_alloc)(self.handle, &raw mut context));
            check("save the processor", (self.api.context_save)(self.handle, context));
        }
        Saved { context, free: self.api.context_free }
    }

    /// Makes the processor what it was.
    pub(super) fn restore(&self, saved: &Saved) {
        // SAFETY: the context was made by `save` of a processor of this library.
        check("restore the processor", unsafe { (self.api.context_restore)(self.handle, saved.context) });
    }

    /// Runs from `entry` until `on_syscall` says that the program exits.
    ///
    /// # Errors
    /// Any other end, in words: an access to memory that is not mapped, an exception, what `on_syscall`
    /// refuses, or more than `limit` steps.
    pub fn run(
        &self,
        entry: u32,
        limit: u64,
        on_syscall: &mut dyn FnMut(&Self) -> Result<Flow, String>,
    ) -> Result<Ran, String> {
        let mut running = Running { machine: self, on_syscall, limit, steps: 0, last: 0, end: None };
        let data = (&raw mut running).cast::<c_void>();
        let on_code: OnCode = count_step;
        let on_interrupt: OnInterrupt = interrupt;
        let hooks = [
            self.add_hook(HOOK_CODE, on_code as *const c_void, data),
            self.add_hook(HOOK_INTERRUPT, on_interrupt as *const c_void, data),
        ];
        // An address that is never reached as the place to stop: it is not mapped.
        // SAFETY: `running` outlives the call and is used by the hooks alone until it returns.
        let result =
            unsafe { (self.api.emu_start)(self.handle, entry.into(), u64::from(u32::MAX - 3), 0, 0) };
        for hook in hooks {
            // SAFETY: the hook was added above. Nothing may call it once `running` is gone.
            check("remove a hook", unsafe { (self.api.hook_del)(self.handle, hook) });
        }
        let at = running.last;
        match running.end {
            Some(Ok(())) => Ok(Ran { steps: running.steps, last: at }),
            Some(Err(reason)) => Err(format!("{reason}, at {at:#x}")),
            None => Err(format!("error {result} of unicorn at {at:#x}, step {}", running.steps)),
        }
    }

    pub(super) fn add_hook(&self, kind: c_int, callback: *const c_void, data: *mut c_void) -> usize {
        let mut hook = 0;
        // A range that ends before it starts means all addresses.
        // SAFETY: `callback` has the type that hooks of this kind have.
        let result =
            unsafe { (self.api.hook_add)(self.handle, &raw mut hook, kind, callback, data, 1_u64, 0_u64) };
        check("add a hook", result);
        hook
    }

    fn stop(&self) {
        // SAFETY: the handle is open; hooks may call this.
        check("stop", unsafe { (self.api.emu_stop)(self.handle) });
    }
}

impl Default for Unicorn {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Unicorn {
    fn drop(&mut self) {
        // SAFETY: the handle is open and not used again.
        unsafe { (self.api.close)(self.handle) };
    }
}

/// A processor as it was.
pub(super) struct Saved {
    context: Handle,
    free: unsafe extern "C" fn(Handle) -> c_int,
}

impl Drop for Saved {
    fn drop(&mut self) {
        // SAFETY: the context is not used again, and whoever holds it holds the library too.
        unsafe { (self.free)(self.context) };
    }
}

/// What the hooks know of the run.
struct Running<'a> {
    machine: &'a Unicorn,
    on_syscall: &'a mut dyn FnMut(&Unicorn) -> Result<Flow, String>,
    limit: u64,
    steps: u64,
    last: u32,
    end: Option<Result<(), String>>,
}

impl Running<'_> {
    fn end(&mut self, how: Result<(), String>) {
        self.end = Some(how);
        self.machine.stop();
    }
}

/// SAFETY of both hooks: `data` is the `Running` that [`Unicorn::run`] gave, and nothing else uses it then.
unsafe extern "C" fn count_step(_: Handle, address: u64, _size: u32, data: *mut c_void) {
    // SAFETY: see above.
    let running = unsafe { &mut *data.cast::<Running<'_>>() };
    if running.steps == running.limit {
        running.end(Err(format!("no end within {} steps", running.limit)));
    } else {
        running.steps += 1;
        running.last = address as u32;
    }
}

unsafe extern "C" fn interrupt(_: Handle, number: u32, data: *mut c_void) {
    // SAFETY: see `count_step`.
    let running = unsafe { &mut *data.cast::<Running<'_>>() };
    if number != EXCEPTION_SYSCALL {
        return running.end(Err(format!("exception {number}")));
    }
    match (running.on_syscall)(running.machine) {
        Ok(Flow::Continue) => {}
        Ok(Flow::Exit) => running.end(Ok(())),
        Err(reason) => running.end(Err(reason)),
    }
}

fn check(what: &str, result: c_int) {
    assert_eq!(result, 0, "unicorn could not {what}: error {result}");
}
