//! The cases in the VM: many of them linked into one guest, and a run for each.
