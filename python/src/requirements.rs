//! The sets of packages that environments are made of.

use sha2::{Digest, Sha256};

/// A set of packages: each with its version and the hashes of its wheels.
#[derive(Clone, Copy, Debug)]
pub struct Requirements {
    /// What it is for, as a part of file names.
    pub name: &'static str,
    /// The text of `requirements/NAME.txt`, in pip's format.
    pub lock: &'static str,
    /// Modules that have to be found afterwards: packages are installed as the lock has them, and pip checks nothing.
    pub modules: &'static [&'static str],
    /// A script that is run before they are looked for.
    pub finish: Option<&'static str>,
}

impl Requirements {
    /// ONNX's test suite.
    pub const ONNX_SUITE: Self = Self {
        name: "onnx-suite",
        lock: include_str!("../requirements/onnx-suite.txt"),
        modules: &["onnx.backend.test.case.node", "onnx.reference"],
        finish: None,
    };

    /// Conversion of PyTorch's files.
    pub const TORCH: Self = Self {
        name: "torch",
        lock: include_str!("../requirements/torch.txt"),
        modules: &["torch.export", "torch.onnx", "onnxscript", "onnxruntime"],
        finish: Some(include_str!("../scripts/no_cuda.py")),
    };

    /// Conversion of Keras's and TensorFlow's files.
    pub const TENSORFLOW: Self = Self {
        name: "tensorflow",
        lock: include_str!("../requirements/tensorflow.txt"),
        modules: &["keras", "tf2onnx", "onnxruntime"],
        finish: None,
    };

    /// Conversion of scikit-learn's files.
    pub const SKLEARN: Self = Self {
        name: "sklearn",
        lock: include_str!("../requirements/sklearn.txt"),
        modules: &["joblib", "skl2onnx", "onnxruntime"],
        finish: None,
    };

    /// Quantisation.
    pub const QUANTIZE: Self = Self {
        name: "quantize",
        lock: include_str!("../requirements/quantize.txt"),
        modules: &["onnxruntime.quantization", "PIL"],
        finish: None,
    };

    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::ONNX_SUITE, Self::QUANTIZE, Self::SKLEARN, Self::TENSORFLOW, Self::TORCH];

    /// How many packages there are.
    pub fn packages(&self) -> usize {
        self.lock.lines().filter(|line| line.contains("==")).count()
    }

    /// Names the environment that a Python with the tag `python` makes of it.
    pub(crate) fn id(&self, python: &str) -> String {
        format!("python-{}-{}", self.name, short_hash(&[self.lock, self.finish.unwrap_or_default(), python]))
    }
}

/// 16 hexadecimal digits that stand for `texts`.
pub(crate) fn short_hash(texts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text);
    }
    hex::encode(&hasher.finalize()[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// pip takes a package without a hash only as long as no other has one, and a lock is cut off silently.
    #[test]
    fn every_package_has_a_version_and_hashes() {
        for requirements in Requirements::ALL {
            let text = requirements.lock.replace("\\\n", " ");
            let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
            assert!(lines.len() > 3 && lines.len() == requirements.packages(), "{}", requirements.name);
            for line in lines {
                let mut words = line.split_whitespace();
                let package = words.next().unwrap_or_default();
                assert!(package.contains("=="), "{}: {line}", requirements.name);
                let hashes: Vec<_> = words.map(|word| word.strip_prefix("--hash=sha256:")).collect();
                assert!(!hashes.is_empty(), "{}: {package} has no hash", requirements.name);
                assert!(hashes.iter().all(|hash| hash.is_some_and(|h| h.len() == 64)), "{package}");
            }
        }
    }

    #[test]
    fn another_lock_or_another_python_is_another_environment() {
        let suite = Requirements::ONNX_SUITE;
        let edited = Requirements { lock: "onnx==1.0", ..suite };
        let ids = [suite.id("cpython-3.11"), suite.id("cpython-3.12"), edited.id("cpython-3.11")];
        assert!(ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2], "{ids:?}");
        assert_ne!(short_hash(&["ab", "c"]), short_hash(&["a", "bc"]));
    }
}
