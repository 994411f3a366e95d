//! Numbers that kernels/tables/make_tables.py wrote.

pub(super) mod erf;
pub(super) mod exp;
pub(super) mod log;
pub(super) mod log2;
pub(super) mod sine;
pub(super) mod tanh;
pub(super) mod two_by_pi;
