//! docs/operators.md
