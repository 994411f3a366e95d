//! The DNN operators, the same source for the guest and for the native twin.
