//! The table of instructions, in the order of their primary opcodes.
//!
//! One line: variant, name in the manual, kind, operands, mask, and the values the masked word may have. Several
//! values are the formats (`.fmt`) of a floating-point instruction. Where two lines match, the first one counts.
//!
//! Operands are letters, separated by commas: `d s t` registers rd, rs, rt; `L` rd unless it is `$ra`; `E` rt unless
//! it is `$zero`; `h` shift amount; `i` signed and `x` unsigned immediate; `o` offset(base); `X` index(base);
//! `p` branch and `a` jump target; `D S T R` floating-point registers fd, fs, ft, fr; `g` number of a coprocessor
//! register in rd, `G` in rt; `e` its select field; `F` condition code of a comparison, `B` of a branch, `N` of a
//! move; `k` operation in rt, `H` hint in rd; `z` position, `Z` size of `ext`, `Y` size of `ins`; codes: `c` trap,
//! `b` break, `y` 20 bits, `w` 19 bits, `m` 25 bits, `u` sync type.

use crate::decode::Kind;

/// A line of the table.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    pub mnemonic: Mnemonic,
    pub kind: Kind,
    pub operands: &'static str,
    pub mask: u32,
    pub values: &'static [u32],
}

/// Stands for every word that is not an instruction.
pub(crate) static UNKNOWN: Entry =
    Entry { mnemonic: Mnemonic::Unknown, kind: Kind::Effect, operands: "", mask: 0, values: &[] };

macro_rules! instructions {
    ($($variant:ident $name:literal $kind:ident $operands:literal $mask:literal [$($value:literal)+];)+) => {
        /// The instructions of MIPS32 releases 1 and 2, as the manual names them: one for all formats of a
        /// floating-point instruction.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum Mnemonic {
            $(#[doc = concat!("`", $name, "`")] $variant,)+
            /// No instruction of MIPS32 release 1 or 2.
            Unknown,
        }

        impl Mnemonic {
            /// Every instruction, in the order of the primary opcodes.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name in the manual: `addu`, `add.fmt`, `c.cond.fmt`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                    Self::Unknown => ".word",
                }
            }
        }

        static TABLE: &[Entry] = &[$(Entry {
            mnemonic: Mnemonic::$variant,
            kind: Kind::$kind,
            operands: $operands,
            mask: $mask,
            values: &[$($value),+],
        }),+];
    };
}

instructions! {
    Nop        "nop"          Result           ""        0xffff_ffff [0x0000_0000];
    Ssnop      "ssnop"        Effect           ""        0xffff_ffff [0x0000_0040];
    Ehb        "ehb"          Effect           ""        0xffff_ffff [0x0000_00c0];
    Pause      "pause"        Effect           ""        0xffff_ffff [0x0000_0140];
    Sll        "sll"          Result           "d,t,h"   0xffe0_003f [0x0000_0000];
    Movf       "movf"         Result           "d,s,N"   0xfc03_07ff [0x0000_0001];
    Movt       "movt"         Result           "d,s,N"   0xfc03_07ff [0x0001_0001];
    Srl        "srl"          Result           "d,t,h"   0xffe0_003f [0x0000_0002];
    Rotr       "rotr"         Result           "d,t,h"   0xffe0_003f [0x0020_0002];
    Sra        "sra"          Result           "d,t,h"   0xffe0_003f [0x0000_0003];
    Sllv       "sllv"         Result           "d,t,s"   0xfc00_07ff [0x0000_0004];
    Srlv       "srlv"         Result           "d,t,s"   0xfc00_07ff [0x0000_0006];
    Rotrv      "rotrv"        Result           "d,t,s"   0xfc00_07ff [0x0000_0046];
    Srav       "srav"         Result           "d,t,s"   0xfc00_07ff [0x0000_0007];
    Jr         "jr"           JumpRegister     "s"       0xfc1f_ffff [0x0000_0008];
    JrHb       "jr.hb"        JumpRegister     "s"       0xfc1f_ffff [0x0000_0408];
    Jalr       "jalr"         JumpRegisterLink "L,s"     0xfc1f_07ff [0x0000_0009];
    JalrHb     "jalr.hb"      JumpRegisterLink "L,s"     0xfc1f_07ff [0x0000_0409];
    Movz       "movz"         Result           "d,s,t"   0xfc00_07ff [0x0000_000a];
    Movn       "movn"         Result           "d,s,t"   0xfc00_07ff [0x0000_000b];
    Syscall    "syscall"      SystemCall       "y"       0xfc00_003f [0x0000_000c];
    Break      "break"        Effect           "b"       0xfc00_003f [0x0000_000d];
    Sync       "sync"         Effect           "u"       0xffff_f83f [0x0000_000f];
    Mfhi       "mfhi"         Result           "d"       0xffff_07ff [0x0000_0010];
    Mthi       "mthi"         Effect           "s"       0xfc1f_ffff [0x0000_0011];
    Mflo       "mflo"         Result           "d"       0xffff_07ff [0x0000_0012];
    Mtlo       "mtlo"         Effect           "s"       0xfc1f_ffff [0x0000_0013];
    Mult       "mult"         Effect           "s,t"     0xfc00_ffff [0x0000_0018];
    Multu      "multu"        Effect           "s,t"     0xfc00_ffff [0x0000_0019];
    Div        "div"          Effect           "s,t"     0xfc00_ffff [0x0000_001a];
    Divu       "divu"         Effect           "s,t"     0xfc00_ffff [0x0000_001b];
    Add        "add"          Result           "d,s,t"   0xfc00_07ff [0x0000_0020];
    Addu       "addu"         Result           "d,s,t"   0xfc00_07ff [0x0000_0021];
    Sub        "sub"          Result           "d,s,t"   0xfc00_07ff [0x0000_0022];
    Subu       "subu"         Result           "d,s,t"   0xfc00_07ff [0x0000_0023];
    And        "and"          Result           "d,s,t"   0xfc00_07ff [0x0000_0024];
    Or         "or"           Result           "d,s,t"   0xfc00_07ff [0x0000_0025];
    Xor        "xor"          Result           "d,s,t"   0xfc00_07ff [0x0000_0026];
    Nor        "nor"          Result           "d,s,t"   0xfc00_07ff [0x0000_0027];
    Slt        "slt"          Result           "d,s,t"   0xfc00_07ff [0x0000_002a];
    Sltu       "sltu"         Result           "d,s,t"   0xfc00_07ff [0x0000_002b];
    Tge        "tge"          Effect           "s,t,c"   0xfc00_003f [0x0000_0030];
    Tgeu       "tgeu"         Effect           "s,t,c"   0xfc00_003f [0x0000_0031];
    Tlt        "tlt"          Effect           "s,t,c"   0xfc00_003f [0x0000_0032];
    Tltu       "tltu"         Effect           "s,t,c"   0xfc00_003f [0x0000_0033];
    Teq        "teq"          Effect           "s,t,c"   0xfc00_003f [0x0000_0034];
    Tne        "tne"          Effect           "s,t,c"   0xfc00_003f [0x0000_0036];

    Bltz       "bltz"         Branch           "s,p"     0xfc1f_0000 [0x0400_0000];
    Bgez       "bgez"         Branch           "s,p"     0xfc1f_0000 [0x0401_0000];
    Bltzl      "bltzl"        BranchLikely     "s,p"     0xfc1f_0000 [0x0402_0000];
    Bgezl      "bgezl"        BranchLikely     "s,p"     0xfc1f_0000 [0x0403_0000];
    Tgei       "tgei"         Effect           "s,i"     0xfc1f_0000 [0x0408_0000];
    Tgeiu      "tgeiu"        Effect           "s,i"     0xfc1f_0000 [0x0409_0000];
    Tlti       "tlti"         Effect           "s,i"     0xfc1f_0000 [0x040a_0000];
    Tltiu      "tltiu"        Effect           "s,i"     0xfc1f_0000 [0x040b_0000];
    Teqi       "teqi"         Effect           "s,i"     0xfc1f_0000 [0x040c_0000];
    Tnei       "tnei"         Effect           "s,i"     0xfc1f_0000 [0x040e_0000];
    Bltzal     "bltzal"       BranchLink       "s,p"     0xfc1f_0000 [0x0410_0000];
    Bgezal     "bgezal"       BranchLink       "s,p"     0xfc1f_0000 [0x0411_0000];
    Bltzall    "bltzall"      BranchLikely     "s,p"     0xfc1f_0000 [0x0412_0000];
    Bgezall    "bgezall"      BranchLikely     "s,p"     0xfc1f_0000 [0x0413_0000];
    Synci      "synci"        Effect           "o"       0xfc1f_0000 [0x041f_0000];

    J          "j"            Jump             "a"       0xfc00_0000 [0x0800_0000];
    Jal        "jal"          JumpLink         "a"       0xfc00_0000 [0x0c00_0000];
    Beq        "beq"          Branch           "s,t,p"   0xfc00_0000 [0x1000_0000];
    Bne        "bne"          Branch           "s,t,p"   0xfc00_0000 [0x1400_0000];
    Blez       "blez"         Branch           "s,p"     0xfc1f_0000 [0x1800_0000];
    Bgtz       "bgtz"         Branch           "s,p"     0xfc1f_0000 [0x1c00_0000];
    Addi       "addi"         Result           "t,s,i"   0xfc00_0000 [0x2000_0000];
    Addiu      "addiu"        Result           "t,s,i"   0xfc00_0000 [0x2400_0000];
    Slti       "slti"         Result           "t,s,i"   0xfc00_0000 [0x2800_0000];
    Sltiu      "sltiu"        Result           "t,s,i"   0xfc00_0000 [0x2c00_0000];
    Andi       "andi"         Result           "t,s,x"   0xfc00_0000 [0x3000_0000];
    Ori        "ori"          Result           "t,s,x"   0xfc00_0000 [0x3400_0000];
    Xori       "xori"         Result           "t,s,x"   0xfc00_0000 [0x3800_0000];
    Lui        "lui"          Result           "t,x"     0xffe0_0000 [0x3c00_0000];

    Mfc0       "mfc0"         Result           "t,g,e"   0xffe0_07f8 [0x4000_0000];
    Mtc0       "mtc0"         Effect           "t,g,e"   0xffe0_07f8 [0x4080_0000];
    Rdpgpr     "rdpgpr"       Result           "d,t"     0xffe0_07ff [0x4140_0000];
    Di         "di"           Result           "E"       0xffe0_ffff [0x4160_6000];
    Ei         "ei"           Result           "E"       0xffe0_ffff [0x4160_6020];
    Wrpgpr     "wrpgpr"       Effect           "d,t"     0xffe0_07ff [0x41c0_0000];
    Tlbr       "tlbr"         Effect           ""        0xffff_ffff [0x4200_0001];
    Tlbwi      "tlbwi"        Effect           ""        0xffff_ffff [0x4200_0002];
    Tlbwr      "tlbwr"        Effect           ""        0xffff_ffff [0x4200_0006];
    Tlbp       "tlbp"         Effect           ""        0xffff_ffff [0x4200_0008];
    Eret       "eret"         Effect           ""        0xffff_ffff [0x4200_0018];
    Deret      "deret"        Effect           ""        0xffff_ffff [0x4200_001f];
    Wait       "wait"         Effect           "w"       0xfe00_003f [0x4200_0020];

    Mfc1       "mfc1"         Result           "t,S"     0xffe0_07ff [0x4400_0000];
    Cfc1       "cfc1"         Result           "t,g"     0xffe0_07ff [0x4440_0000];
    Mfhc1      "mfhc1"        Result           "t,S"     0xffe0_07ff [0x4460_0000];
    Mtc1       "mtc1"         Effect           "t,S"     0xffe0_07ff [0x4480_0000];
    Ctc1       "ctc1"         Effect           "t,g"     0xffe0_07ff [0x44c0_0000];
    Mthc1      "mthc1"        Effect           "t,S"     0xffe0_07ff [0x44e0_0000];
    Bc1f       "bc1f"         Branch           "B,p"     0xffe3_0000 [0x4500_0000];
    Bc1t       "bc1t"         Branch           "B,p"     0xffe3_0000 [0x4501_0000];
    Bc1fl      "bc1fl"        BranchLikely     "B,p"     0xffe3_0000 [0x4502_0000];
    Bc1tl      "bc1tl"        BranchLikely     "B,p"     0xffe3_0000 [0x4503_0000];
    AddFmt     "add.fmt"      Effect           "D,S,T"   0xffe0_003f [0x4600_0000 0x4620_0000 0x46c0_0000];
    SubFmt     "sub.fmt"      Effect           "D,S,T"   0xffe0_003f [0x4600_0001 0x4620_0001 0x46c0_0001];
    MulFmt     "mul.fmt"      Effect           "D,S,T"   0xffe0_003f [0x4600_0002 0x4620_0002 0x46c0_0002];
    DivFmt     "div.fmt"      Effect           "D,S,T"   0xffe0_003f [0x4600_0003 0x4620_0003];
    SqrtFmt    "sqrt.fmt"     Effect           "D,S"     0xffff_003f [0x4600_0004 0x4620_0004];
    AbsFmt     "abs.fmt"      Effect           "D,S"     0xffff_003f [0x4600_0005 0x4620_0005 0x46c0_0005];
    MovFmt     "mov.fmt"      Effect           "D,S"     0xffff_003f [0x4600_0006 0x4620_0006 0x46c0_0006];
    NegFmt     "neg.fmt"      Effect           "D,S"     0xffff_003f [0x4600_0007 0x4620_0007 0x46c0_0007];
    RoundLFmt  "round.l.fmt"  Effect           "D,S"     0xffff_003f [0x4600_0008 0x4620_0008];
    TruncLFmt  "trunc.l.fmt"  Effect           "D,S"     0xffff_003f [0x4600_0009 0x4620_0009];
    CeilLFmt   "ceil.l.fmt"   Effect           "D,S"     0xffff_003f [0x4600_000a 0x4620_000a];
    FloorLFmt  "floor.l.fmt"  Effect           "D,S"     0xffff_003f [0x4600_000b 0x4620_000b];
    RoundWFmt  "round.w.fmt"  Effect           "D,S"     0xffff_003f [0x4600_000c 0x4620_000c];
    TruncWFmt  "trunc.w.fmt"  Effect           "D,S"     0xffff_003f [0x4600_000d 0x4620_000d];
    CeilWFmt   "ceil.w.fmt"   Effect           "D,S"     0xffff_003f [0x4600_000e 0x4620_000e];
    FloorWFmt  "floor.w.fmt"  Effect           "D,S"     0xffff_003f [0x4600_000f 0x4620_000f];
    MovfFmt    "movf.fmt"     Effect           "D,S,N"   0xffe3_003f [0x4600_0011 0x4620_0011 0x46c0_0011];
    MovtFmt    "movt.fmt"     Effect           "D,S,N"   0xffe3_003f [0x4601_0011 0x4621_0011 0x46c1_0011];
    MovzFmt    "movz.fmt"     Effect           "D,S,t"   0xffe0_003f [0x4600_0012 0x4620_0012 0x46c0_0012];
    MovnFmt    "movn.fmt"     Effect           "D,S,t"   0xffe0_003f [0x4600_0013 0x4620_0013 0x46c0_0013];
    RecipFmt   "recip.fmt"    Effect           "D,S"     0xffff_003f [0x4600_0015 0x4620_0015];
    RsqrtFmt   "rsqrt.fmt"    Effect           "D,S"     0xffff_003f [0x4600_0016 0x4620_0016];
    CvtSFmt    "cvt.s.fmt"    Effect           "D,S"     0xffff_003f [0x4620_0020 0x4680_0020 0x46a0_0020];
    CvtSPu     "cvt.s.pu"     Effect           "D,S"     0xffff_003f [0x46c0_0020];
    CvtDFmt    "cvt.d.fmt"    Effect           "D,S"     0xffff_003f [0x4600_0021 0x4680_0021 0x46a0_0021];
    CvtWFmt    "cvt.w.fmt"    Effect           "D,S"     0xffff_003f [0x4600_0024 0x4620_0024];
    CvtLFmt    "cvt.l.fmt"    Effect           "D,S"     0xffff_003f [0x4600_0025 0x4620_0025];
    CvtPsS     "cvt.ps.s"     Effect           "D,S,T"   0xffe0_003f [0x4600_0026];
    CvtSPl     "cvt.s.pl"     Effect           "D,S"     0xffff_003f [0x46c0_0028];
    PllPs      "pll.ps"       Effect           "D,S,T"   0xffe0_003f [0x46c0_002c];
    PluPs      "plu.ps"       Effect           "D,S,T"   0xffe0_003f [0x46c0_002d];
    PulPs      "pul.ps"       Effect           "D,S,T"   0xffe0_003f [0x46c0_002e];
    PuuPs      "puu.ps"       Effect           "D,S,T"   0xffe0_003f [0x46c0_002f];
    CCondFmt   "c.cond.fmt"   Effect           "F,S,T"   0xffe0_00f0 [0x4600_0030 0x4620_0030 0x46c0_0030];

    Mfc2       "mfc2"         Result           "t,g,e"   0xffe0_07f8 [0x4800_0000];
    Cfc2       "cfc2"         Result           "t,g"     0xffe0_07ff [0x4840_0000];
    Mfhc2      "mfhc2"        Result           "t,g,e"   0xffe0_07f8 [0x4860_0000];
    Mtc2       "mtc2"         Effect           "t,g,e"   0xffe0_07f8 [0x4880_0000];
    Ctc2       "ctc2"         Effect           "t,g"     0xffe0_07ff [0x48c0_0000];
    Mthc2      "mthc2"        Effect           "t,g,e"   0xffe0_07f8 [0x48e0_0000];
    Bc2f       "bc2f"         Branch           "B,p"     0xffe3_0000 [0x4900_0000];
    Bc2t       "bc2t"         Branch           "B,p"     0xffe3_0000 [0x4901_0000];
    Bc2fl      "bc2fl"        BranchLikely     "B,p"     0xffe3_0000 [0x4902_0000];
    Bc2tl      "bc2tl"        BranchLikely     "B,p"     0xffe3_0000 [0x4903_0000];
    Cop2       "cop2"         Effect           "m"       0xfe00_0000 [0x4a00_0000];

    Lwxc1      "lwxc1"        Effect           "D,X"     0xfc00_f83f [0x4c00_0000];
    Ldxc1      "ldxc1"        Effect           "D,X"     0xfc00_f83f [0x4c00_0001];
    Luxc1      "luxc1"        Effect           "D,X"     0xfc00_f83f [0x4c00_0005];
    Swxc1      "swxc1"        Effect           "S,X"     0xfc00_07ff [0x4c00_0008];
    Sdxc1      "sdxc1"        Effect           "S,X"     0xfc00_07ff [0x4c00_0009];
    Suxc1      "suxc1"        Effect           "S,X"     0xfc00_07ff [0x4c00_000d];
    Prefx      "prefx"        Effect           "H,X"     0xfc00_07ff [0x4c00_000f];
    AlnvPs     "alnv.ps"      Effect           "D,S,T,s" 0xfc00_003f [0x4c00_001e];
    MaddFmt    "madd.fmt"     Effect           "D,R,S,T" 0xfc00_003f [0x4c00_0020 0x4c00_0021 0x4c00_0026];
    MsubFmt    "msub.fmt"     Effect           "D,R,S,T" 0xfc00_003f [0x4c00_0028 0x4c00_0029 0x4c00_002e];
    NmaddFmt   "nmadd.fmt"    Effect           "D,R,S,T" 0xfc00_003f [0x4c00_0030 0x4c00_0031 0x4c00_0036];
    NmsubFmt   "nmsub.fmt"    Effect           "D,R,S,T" 0xfc00_003f [0x4c00_0038 0x4c00_0039 0x4c00_003e];

    Beql       "beql"         BranchLikely     "s,t,p"   0xfc00_0000 [0x5000_0000];
    Bnel       "bnel"         BranchLikely     "s,t,p"   0xfc00_0000 [0x5400_0000];
    Blezl      "blezl"        BranchLikely     "s,p"     0xfc1f_0000 [0x5800_0000];
    Bgtzl      "bgtzl"        BranchLikely     "s,p"     0xfc1f_0000 [0x5c00_0000];

    Madd       "madd"         Effect           "s,t"     0xfc00_ffff [0x7000_0000];
    Maddu      "maddu"        Effect           "s,t"     0xfc00_ffff [0x7000_0001];
    Mul        "mul"          Result           "d,s,t"   0xfc00_07ff [0x7000_0002];
    Msub       "msub"         Effect           "s,t"     0xfc00_ffff [0x7000_0004];
    Msubu      "msubu"        Effect           "s,t"     0xfc00_ffff [0x7000_0005];
    Clz        "clz"          Result           "d,s"     0xfc00_07ff [0x7000_0020];
    Clo        "clo"          Result           "d,s"     0xfc00_07ff [0x7000_0021];
    Sdbbp      "sdbbp"        Effect           "y"       0xfc00_003f [0x7000_003f];

    Ext        "ext"          Result           "t,s,z,Z" 0xfc00_003f [0x7c00_0000];
    Ins        "ins"          Result           "t,s,z,Y" 0xfc00_003f [0x7c00_0004];
    Wsbh       "wsbh"         Result           "d,t"     0xffe0_07ff [0x7c00_00a0];
    Seb        "seb"          Result           "d,t"     0xffe0_07ff [0x7c00_0420];
    Seh        "seh"          Result           "d,t"     0xffe0_07ff [0x7c00_0620];
    Rdhwr      "rdhwr"        Result           "t,g"     0xffe0_07ff [0x7c00_003b];

    Lb         "lb"           Result           "t,o"     0xfc00_0000 [0x8000_0000];
    Lh         "lh"           Result           "t,o"     0xfc00_0000 [0x8400_0000];
    Lwl        "lwl"          Result           "t,o"     0xfc00_0000 [0x8800_0000];
    Lw         "lw"           Result           "t,o"     0xfc00_0000 [0x8c00_0000];
    Lbu        "lbu"          Result           "t,o"     0xfc00_0000 [0x9000_0000];
    Lhu        "lhu"          Result           "t,o"     0xfc00_0000 [0x9400_0000];
    Lwr        "lwr"          Result           "t,o"     0xfc00_0000 [0x9800_0000];
    Sb         "sb"           Effect           "t,o"     0xfc00_0000 [0xa000_0000];
    Sh         "sh"           Effect           "t,o"     0xfc00_0000 [0xa400_0000];
    Swl        "swl"          Effect           "t,o"     0xfc00_0000 [0xa800_0000];
    Sw         "sw"           Effect           "t,o"     0xfc00_0000 [0xac00_0000];
    Swr        "swr"          Effect           "t,o"     0xfc00_0000 [0xb800_0000];
    Cache      "cache"        Effect           "k,o"     0xfc00_0000 [0xbc00_0000];
    Ll         "ll"           Result           "t,o"     0xfc00_0000 [0xc000_0000];
    Lwc1       "lwc1"         Effect           "T,o"     0xfc00_0000 [0xc400_0000];
    Lwc2       "lwc2"         Effect           "G,o"     0xfc00_0000 [0xc800_0000];
    Pref       "pref"         Effect           "k,o"     0xfc00_0000 [0xcc00_0000];
    Ldc1       "ldc1"         Effect           "T,o"     0xfc00_0000 [0xd400_0000];
    Ldc2       "ldc2"         Effect           "G,o"     0xfc00_0000 [0xd800_0000];
    Sc         "sc"           Result           "t,o"     0xfc00_0000 [0xe000_0000];
    Swc1       "swc1"         Effect           "T,o"     0xfc00_0000 [0xe400_0000];
    Swc2       "swc2"         Effect           "G,o"     0xfc00_0000 [0xe800_0000];
    Sdc1       "sdc1"         Effect           "T,o"     0xfc00_0000 [0xf400_0000];
    Sdc2       "sdc2"         Effect           "G,o"     0xfc00_0000 [0xf800_0000];
}

impl Mnemonic {
    /// The instruction whose [`name`](Self::name) is `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mnemonic| mnemonic.name() == name)
    }
}

impl core::fmt::Display for Mnemonic {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// Where the lines of each primary opcode start; the last element is the end of the table.
static STARTS: [usize; 65] = starts(TABLE);

/// Finds the first line of each primary opcode, and refuses to compile a table out of order.
const fn starts(table: &[Entry]) -> [usize; 65] {
    let mut starts = [0; 65];
    let mut line = 0;
    let mut opcode = 0;
    while opcode < 64 {
        starts[opcode] = line;
        while line < table.len() && (table[line].values[0] >> 26) as usize == opcode {
            line += 1;
        }
        opcode += 1;
    }
    assert!(line == table.len(), "the table is not in the order of the primary opcodes");
    starts[64] = line;
    starts
}

/// The lines of a primary opcode (the upper six bits of a word).
pub(crate) fn entries(opcode: u32) -> &'static [Entry] {
    let opcode = opcode as usize;
    &TABLE[STARTS[opcode]..STARTS[opcode + 1]]
}
