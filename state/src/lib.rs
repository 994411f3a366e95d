//! The VM state: memory pages and their Merkle commitment, witness, state hash, Cannon's file formats.
