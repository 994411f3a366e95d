//! What crosses crates: end-to-end, conformance, rejection cases.
