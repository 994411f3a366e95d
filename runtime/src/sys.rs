/// What a guest asks of the machine it runs on.
///
/// `buffer` lengths are in bytes. The preimage descriptors move at most to the end of one aligned
/// 4-byte word per call on the on-chain VM (`MIPS.sol`, `handleSyscall`), hence the loops live behind this interface,
/// where the machine's own form of them can be cheapest.
pub trait Sys {
    /// Fills `words` from the preimage descriptor. The caller has made sure that the preimage is
    /// that long; a machine that runs out of bytes may not return.
    fn read_preimage(&mut self, words: &mut [u32]);

    /// Sends the 32 bytes of a preimage key, so that the next read starts at its length.
    fn write_key(&mut self, key: &[u32; 8]);

    /// Writes `bytes` to descriptor `fd`, all of them.
    fn write(&mut self, fd: u32, bytes: &[u8]);

    /// Ends the program.
    fn exit(&mut self, code: u8) -> !;
}
