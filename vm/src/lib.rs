//! The off-chain VM: runs a state to its end, step-exact with the on-chain contract.
