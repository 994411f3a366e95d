#!/bin/sh
# Makes every file beside it anew but guest.s and input.bin; README.md says with what. The tool's state files are
# different each time, as it writes pages in no order; all that is in them is not.
#
# CLANG, LLD, CANNON and SERVER are programs: clang and ld.lld of LLVM 19, the tool, and `preimage-server` of this
# workspace. Run it in its own folder.
set -eu

"$CLANG" --target=mips-unknown-elf -mips32 -msoft-float -mno-abicalls -c guest.s -o guest.o
"$LLD" -static --no-dynamic-linker -z max-page-size=4096 -z nognustack --build-id=none \
    -T ../../../linker/cannon32.ld guest.o -o guest.elf
rm guest.o

"$CANNON" load-elf --type singlethreaded --path guest.elf --out prestate.bin.gz --meta meta.json
"$CANNON" witness --input prestate.bin.gz --output witness.bin

run() {
    "$CANNON" run --input prestate.bin.gz --meta meta.json --info-at never "$@" -- "$SERVER" input.bin
}

# The state hash after each step, a line each: the proofs of all steps, and nothing kept but that.
all=$(mktemp -d)
run --proof-at always --proof-fmt "$all/%d.json" --output final.bin.gz
step=0
while [ -f "$all/$step.json" ]; do
    sed -n 's/.*"post": "\(.*\)".*/\1/p' "$all/$step.json"
    step=$((step + 1))
done > hashes.txt
# This one's second half is the memory of step 38, the last one with data.
cp "$all/41.json" proof-41-of-all.json
rm -r "$all"

# One step a run: else, where a step has no data, the tool gives the proof of the step proven before it.
for step in 1 25 37 41 58 60 100 149 154 278 330 365; do
    run --proof-at "=$step" --stop-at "=$((step + 1))" --output ''
done

# Between the two halves of a hint.
run --stop-at =331 --output half-hint.bin.gz

# The tool makes its files executable.
chmod 644 ./*.bin.gz ./*.bin ./*.json ./*.elf
