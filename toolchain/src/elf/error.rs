use miette::Diagnostic;
use thiserror::Error;

/// Why bytes are not an ELF file that can be read.
#[derive(Debug, Error, Diagnostic)]
#[diagnostic(help("the file is damaged or no ELF file; build it again, or check that the path is right"))]
pub enum ElfError {
    /// The file header is not one.
    #[error("not an ELF file: {0}")]
    NoHeader(String),
    /// A table or a range of bytes is not inside the file.
    #[error("{what} {index} needs bytes 0x{start:x} to 0x{end:x}, but the file ends at 0x{file:x}")]
    OutsideFile {
        /// What needs the bytes.
        what: &'static str,
        /// Its number in its table.
        index: usize,
        /// Offset of the first byte.
        start: u64,
        /// Offset behind the last byte; `u64::MAX` if it overflows.
        end: u64,
        /// Size of the file in bytes.
        file: u64,
    },
    /// The entries of a table have another size than the format says.
    #[error("an entry of the {table} has {got} bytes; expected {expected}")]
    EntrySize {
        /// Which table.
        table: &'static str,
        /// Size that belongs to the file's class, in bytes.
        expected: u16,
        /// Size in the file header, in bytes.
        got: u16,
    },
    /// More than 65,534 program headers or sections.
    #[error("the file numbers its {table} in the extended way, for more than 65,000 of them")]
    ExtendedNumbering {
        /// Which table.
        table: &'static str,
    },
    /// A table cannot be decoded.
    #[error("the {table} cannot be read: {message}")]
    Table {
        /// Which table.
        table: &'static str,
        /// What the reader says.
        message: String,
    },
}
