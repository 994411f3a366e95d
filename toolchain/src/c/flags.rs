//! Every flag of the C compiler, each with its reason.

/// Functions of `math.h` with more than one right answer. A compiler knows the names, and works out a call with constant arguments by the
/// mathematics of the machine that it runs on: another number than the program computes for the same argument, and another one on each machine.
const MATHEMATICS: [&str; 31] = [
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "erf", "erfc", "exp",
    "exp10", "exp2", "expm1", "hypot", "lgamma", "log", "log10", "log1p", "log2", "nan", "pow", "sin",
    "sincos", "sinh", "tan", "tanh", "tgamma", "sqrt",
];

/// What clang gets for every C file of a guest, besides its folders, macros and standard.
const COMPILER: &[&str] = &[
    // The processor: MIPS32 release 1, big-endian, no floating-point unit, nothing shared and no $gp; as in the target's rustc.toml.
    "--target=mips-unknown-none-elf",
    "-march=mips32",
    "-mabi=32",
    "-msoft-float",
    "-mno-abicalls",
    "-fno-pic",
    // No small data: nothing sets $gp.
    "-G0",
    // The compiler's own headers, and of others those that come with the guest's library.
    "-nostdlibinc",
    // Fewer steps are what the guest is compiled for.
    "-O3",
    // A product and a sum in one rounding would be another number than the two.
    "-ffp-contract=off",
    // The linker leaves out what nothing calls.
    "-ffunction-sections",
    "-fdata-sections",
    // Source lines for findings, profiles and backtraces; none of it is loaded.
    "-gdwarf-5",
    // Unwinding tables: there is nothing to unwind to.
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
    // Nobody attacks the stack of a program whose memory is committed to, and each check would be steps.
    "-fno-stack-protector",
    // LLVM guards divisions with a trap, on which the contract reverts.
    "-mllvm",
    "-mno-check-zero-division",
    // The contract reverts on a division by zero, and then nobody could prove the step: two steps in front of each division end the program
    // with 2 instead.
    "-fsanitize=integer-divide-by-zero",
    "-fsanitize-minimal-runtime",
    "-fno-sanitize-recover=all",
    // `__builtin_trap` would be `break`, on which the contract reverts.
    "-ftrap-function=abort",
    // The slot behind a branch is a step. LLVM fills it from above only, unless it is told to look into the
    // blocks that the branch leads to and behind calls as well.
    "-mllvm",
    "-disable-mips-df-succbb-search=false",
    "-mllvm",
    "-disable-mips-df-forward-search=false",
    // Messages for people whose terminal is not known here.
    "-fno-color-diagnostics",
    // What is likely a mistake is said; it is no error.
    "-Wall",
    "-Wextra",
];

/// All flags of the compiler but those with paths.
pub(crate) fn compiler() -> Vec<String> {
    let fixed = COMPILER.iter().map(|flag| (*flag).to_owned());
    let names =
        MATHEMATICS.iter().flat_map(|name| ["", "f", "l"].map(|of| format!("-fno-builtin-{name}{of}")));
    fixed.chain(names).collect()
}
