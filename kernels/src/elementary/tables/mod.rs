//! Numbers that kernels/tables/make_tables.py wrote.

pub(super) mod erf;
pub(super) mod exp;
pub(super) mod log;
pub(super) mod tanh;
