//! The few instructions that patches are made of, as words.

/// Register 0 and those that a function may change without saving them.
pub(super) const ZERO: u32 = 0;
pub(super) const AT: u32 = 1;
pub(super) const V0: u32 = 2;
pub(super) const V1: u32 = 3;
pub(super) const A0: u32 = 4;
pub(super) const A1: u32 = 5;
pub(super) const A2: u32 = 6;
pub(super) const A3: u32 = 7;
/// The stack pointer.
pub(super) const SP: u32 = 29;

pub(super) const NOP: u32 = 0;
pub(super) const SYSCALL: u32 = 0x0000_000c;
/// `jr $ra`
pub(super) const RETURN: u32 = 0x03e0_0008;

const fn immediate(opcode: u32, rs: u32, rt: u32, immediate: i16) -> u32 {
    opcode << 26 | rs << 21 | rt << 16 | (immediate as u16) as u32
}

/// `addiu to, from, value`
pub(super) const fn addiu(to: u32, from: u32, value: i16) -> u32 {
    immediate(0x09, from, to, value)
}

/// `sltiu to, from, value`
pub(super) const fn sltiu(to: u32, from: u32, value: i16) -> u32 {
    immediate(0x0b, from, to, value)
}

/// `andi to, from, value`
pub(super) const fn andi(to: u32, from: u32, value: i16) -> u32 {
    immediate(0x0c, from, to, value)
}

/// `lui to, value`
pub(super) const fn lui(to: u32, value: u16) -> u32 {
    immediate(0x0f, ZERO, to, value as i16)
}

/// `lw to, offset(base)`
pub(super) const fn lw(to: u32, offset: i16, base: u32) -> u32 {
    immediate(0x23, base, to, offset)
}

/// `sw from, offset(base)`
pub(super) const fn sw(from: u32, offset: i16, base: u32) -> u32 {
    immediate(0x2b, base, from, offset)
}

/// `beq a, b, distance`; the distance is in words from the delay slot.
pub(super) const fn beq(a: u32, b: u32, distance: i16) -> u32 {
    immediate(0x04, a, b, distance)
}

/// `bne a, b, distance`
pub(super) const fn bne(a: u32, b: u32, distance: i16) -> u32 {
    immediate(0x05, a, b, distance)
}

/// `subu to, $zero, from`
pub(super) const fn negate(to: u32, from: u32) -> u32 {
    from << 16 | to << 11 | 0x23
}

/// `addu to, a, b`
pub(super) const fn addu(to: u32, a: u32, b: u32) -> u32 {
    a << 21 | b << 16 | to << 11 | 0x21
}

/// `sltu to, a, b`
pub(super) const fn sltu(to: u32, a: u32, b: u32) -> u32 {
    a << 21 | b << 16 | to << 11 | 0x2b
}

/// The two halves of an address, for `lui` and the offset of a load or store, which is signed.
pub(super) const fn halves(address: u32) -> (u16, i16) {
    ((address.wrapping_add(0x8000) >> 16) as u16, address as i16)
}

/// The form that wraps around of an `add`, `addi` or `sub`, which trap on overflow; none for any other word.
pub(super) const fn wrapping(word: u32) -> Option<u32> {
    match (word >> 26, word & 0x7ff) {
        (0x08, _) => Some(word | 1 << 26),
        (0x00, 0x20 | 0x22) => Some(word | 1),
        _ => None,
    }
}

/// Whether a word is `jr` to another register than the one that returns are made with.
pub(super) const fn is_jump_to_register(word: u32) -> bool {
    word & 0xfc1f_ffff == 0x08 && word != RETURN
}

/// The trap that is always taken, as Go's assembler writes it: `teq $zero, $zero`.
pub(super) const TRAP: u32 = 0x0000_0034;

/// `j target` for the address `at`; none if the target is out of reach.
pub(super) const fn jump(at: u32, target: u32) -> Option<u32> {
    let is_near = (at.wrapping_add(4) ^ target) >> 28 == 0;
    if is_near { Some(0x02 << 26 | (target & 0x0fff_ffff) >> 2) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_their_names_say() {
        let text = |word| opml_isa::decode(word).at(0x1000).to_string();
        for (word, expected) in [
            (addiu(V0, ZERO, -89), "addiu $v0, $zero, -89"),
            (sltiu(AT, AT, 2), "sltiu $at, $at, 2"),
            (andi(V0, V0, 1), "andi $v0, $v0, 0x1"),
            (lui(V0, 0x8001), "lui $v0, 0x8001"),
            (lw(A0, 4, SP), "lw $a0, 4($sp)"),
            (sw(A3, -8, SP), "sw $a3, -8($sp)"),
            (beq(AT, ZERO, 1), "beq $at, $zero, 0x00001008"),
            (bne(AT, ZERO, -1), "bne $at, $zero, 0x00001000"),
            (negate(V0, A3), "subu $v0, $zero, $a3"),
            (addu(AT, V0, A1), "addu $at, $v0, $a1"),
            (sltu(A2, V1, AT), "sltu $a2, $v1, $at"),
            (RETURN, "jr $ra"),
            (SYSCALL, "syscall"),
            (TRAP, "teq $zero, $zero"),
            (jump(0x1000, 0x0123_4560).unwrap(), "j 0x01234560"),
            (wrapping(0x23a5_0004).unwrap(), "addiu $a1, $sp, 4"),
            (wrapping(0x03b7_0820).unwrap(), "addu $at, $sp, $s7"),
            (wrapping(0x03b7_0822).unwrap(), "subu $at, $sp, $s7"),
        ] {
            assert_eq!(text(word), expected, "{word:08x}");
        }
        for word in [NOP, RETURN, SYSCALL, addiu(V1, ZERO, 1), 0x03b7_0821] {
            assert_eq!(wrapping(word), None, "{word:08x}");
        }
        assert!(
            is_jump_to_register(0x0080_0008) && !is_jump_to_register(RETURN) && !is_jump_to_register(SYSCALL)
        );
        assert_eq!(jump(0x0fff_fff8, 0x1000_0000), None);
        assert!(jump(0x0fff_fffc, 0x1000_0000).is_some(), "the region is that of the delay slot");
    }

    #[test]
    fn halves_of_an_address_add_up() {
        for address in [0, 0x7fff, 0x8000, 0x0012_62a8, 0x0012_e2a8, 0xffff_ffff] {
            let (high, low) = halves(address);
            assert_eq!((u32::from(high) << 16).wrapping_add(i32::from(low) as u32), address, "{address:08x}");
        }
    }
}
