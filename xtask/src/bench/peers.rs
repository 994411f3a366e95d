//! Figures of other projects, measured with their own code. Executed instructions are exact.

use serde::Serialize;

/// One figure.
#[derive(Debug, Serialize)]
pub struct Peer {
    /// What was computed.
    pub work: &'static str,
    /// By whom.
    pub who: &'static str,
    /// How many steps it took.
    pub steps: u64,
}

/// All figures.
pub const PEERS: &[Peer] = &[
    Peer {
        work: "MNIST perceptron 784-20-10, one inference",
        who: "opML's own program (mlgo, Go, soft-float)",
        steps: 14_719_124,
    },
    Peer {
        work: "one more multiply-accumulate",
        who: "opML's own program (slope between two of its networks)",
        steps: 814,
    },
    Peer {
        work: "one multiply-accumulate",
        who: "plain Rust loop, rustc 1.96 and compiler_builtins, MIPS32 release 1",
        steps: 167,
    },
];
