# What Cannon and this project's VM both run: every kind of memory access, of branch and of system call that a
# guest makes, once. It reads the input blob as the guest ABI says, sends it back as its output, and exits with 1.
# Delay slots are written out, since each is a step of its own.

    .set noreorder
    .set noat

    .section .text.entry, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    j       main
    nop
    .size _start, . - _start

    .text
    .type move_all, @function
# System call $2 on descriptor $4 for the $6 bytes at $5, as often as it takes: the preimage descriptors move at
# most to the end of an aligned word. $8 keeps the number.
move_all:
    move    $8, $2
1:  syscall
    subu    $6, $6, $2
    addu    $5, $5, $2
    bnez    $6, 1b
    move    $2, $8
    jr      $31
    nop
    .size move_all, . - move_all

    .type main, @function
main:
    # Products and quotients, with signs.
    li      $9, -7
    li      $10, 3
    mult    $9, $10
    mflo    $11
    mfhi    $12
    multu   $9, $10
    div     $zero, $9, $10
    mflo    $13
    mfhi    $14
    divu    $zero, $9, $10
    mul     $15, $9, $10
    clz     $16, $10
    clo     $17, $9
    sltu    $18, $9, $10
    slt     $19, $9, $10
    movn    $20, $9, $19
    movz    $21, $9, $19
    mthi    $9
    mtlo    $10
    sra     $22, $9, 1
    nor     $23, $9, $10

    # Loads and stores of each width, at odd addresses where they may be odd.
    lui     $24, %hi(words)
    addiu   $24, $24, %lo(words)
    lw      $9, 0($24)
    lb      $9, 1($24)
    lbu     $9, 1($24)
    lh      $9, 2($24)
    lhu     $9, 2($24)
    lwl     $9, 1($24)
    lwr     $9, 4($24)
    lui     $25, %hi(scratch)
    addiu   $25, $25, %lo(scratch)
    sw      $9, 0($25)
    sb      $9, 5($25)
    sh      $9, 6($25)
    swl     $9, 9($25)
    swr     $9, 12($25)

    # Branches that are not taken, and those that are: $9 is negative.
    bgez    $9, 1f
    nop
    bltz    $9, 1f
    nop
1:  bgtz    $9, 2f
    nop
    blez    $9, 2f
    addiu   $9, $9, 1
2:  bne     $zero, $zero, 3f
    nop
    beq     $zero, $zero, 3f
    addiu   $9, $9, 1
3:  lui     $10, %hi(4f)
    addiu   $10, $10, %lo(4f)
    jalr    $11, $10
    nop
4:

    # The calls that touch neither memory nor the oracle, the failing ones included.
    li      $2, 4090
    li      $4, 0
    li      $5, 5000
    syscall                     # mmap: the heap grows by two pages
    move    $16, $2
    sw      $9, 4096($16)
    li      $2, 4090
    lui     $4, 0x3000
    syscall                     # mmap with a hint: the hint
    li      $2, 4045
    syscall                     # brk
    li      $2, 4120
    syscall                     # clone
    li      $2, 4055
    li      $4, 6
    li      $5, 3
    syscall                     # fcntl F_GETFL
    li      $2, 4055
    li      $4, 7
    syscall                     # fcntl of no descriptor
    li      $2, 4055
    li      $5, 1
    syscall                     # fcntl of another command
    li      $2, 4003
    li      $4, 0
    move    $5, $25
    li      $6, 4
    syscall                     # read standard input: empty
    li      $2, 4003
    li      $4, 3
    syscall                     # read the response to a hint: said to be read
    li      $2, 4003
    li      $4, 9
    syscall                     # read from no descriptor
    li      $2, 4004
    syscall                     # write to no descriptor
    lw      $2, 8($24)
    syscall                     # munmap, which does nothing; the audit refuses such a number if it sees it

    # Local value 2, the input root.
    li      $2, 4004
    li      $4, 6
    lui     $5, %hi(key)
    addiu   $5, $5, %lo(key)
    jal     move_all
    li      $6, 32
    li      $2, 4003
    li      $4, 5
    lui     $5, %hi(root)
    addiu   $5, $5, %lo(root)
    jal     move_all
    li      $6, 40

    # Its preimage, the input blob, to an odd address.
    lui     $17, %hi(root)
    addiu   $17, $17, %lo(root)
    li      $9, 2
    sb      $9, 8($17)
    li      $2, 4004
    li      $4, 6
    addiu   $5, $17, 8
    jal     move_all
    li      $6, 32
    li      $2, 4003
    li      $4, 5
    move    $5, $17
    jal     move_all
    li      $6, 8
    lw      $18, 4($17)         # bytes of the blob
    li      $2, 4003
    lui     $5, %hi(output + 11)
    addiu   $5, $5, %lo(output + 11)
    jal     move_all
    move    $6, $18

    # The output as a hint in two pieces, so that there is a state between them.
    lui     $19, %hi(output)
    addiu   $19, $19, %lo(output)
    addiu   $9, $18, 7
    sw      $9, 0($19)
    li      $2, 4004
    li      $4, 4
    move    $5, $19
    jal     move_all
    li      $6, 6
    li      $2, 4004
    addiu   $5, $19, 6
    jal     move_all
    addiu   $6, $18, 5

    li      $2, 4004
    li      $4, 1
    lui     $5, %hi(text)
    addiu   $5, $5, %lo(text)
    jal     move_all
    li      $6, 7
    li      $2, 4246
    li      $4, 1
    syscall                     # exit_group
5:  b       5b
    nop
    .size main, . - main

    .section .rodata, "a", @progbits
    .type words, @object
words:
    .word   0x01fe8384, 0x05060708, 4091
    .size words, . - words
    .type text, @object
text:
    .ascii  "golden\n"
    .size text, . - text
    .align  2
    .type key, @object
key:
    .word   0x01000000, 0, 0, 0, 0, 0, 0, 2
    .size key, . - key

    .data
    .align  2
    .type output, @object
# Length of the hint, its first word, and room for the blob.
output:
    .word   0
    .ascii  "output "
    .space  53
    .size output, . - output

    .bss
    .align  2
    .type scratch, @object
scratch:
    .space  16
    .size scratch, . - scratch
    .type root, @object
root:
    .space  40
    .size root, . - root
