//! Numbers that kernels/tables/make_tables.py wrote.

pub(super) mod acos;
pub(super) mod acosh;
pub(super) mod asin;
pub(super) mod asinh;
pub(super) mod atan;
pub(super) mod atanh;
pub(super) mod atanh_near_one;
pub(super) mod erf;
pub(super) mod exp;
pub(super) mod log;
pub(super) mod log2;
pub(super) mod sine;
pub(super) mod sinh;
pub(super) mod tangent;
pub(super) mod tanh;
pub(super) mod two_by_pi;
