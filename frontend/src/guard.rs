//! Panics of the importer and of the kernels that it folds constants with, as errors.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// What `f` gives, or where and why it panicked. Nothing is written to standard error, and other threads are as they were.
pub fn guarded<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| if GUARDED.get() { note(info) } else { previous(info) }));
    });
    let outside = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(f));
    GUARDED.set(outside);
    result.map_err(|_| LAST.take())
}

fn note(info: &PanicHookInfo<'_>) {
    let place =
        info.location().map_or_else(String::new, |place| format!("{}:{}: ", place.file(), place.line()));
    LAST.set(place + info.payload_as_str().unwrap_or("a panic without a message"));
}
