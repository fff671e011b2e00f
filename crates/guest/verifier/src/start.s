# Where the machine begins, and how memory is copied.
.option arch, +m
.section .text.start, "ax", @progbits
.globl _start
.type _start, @function
_start:
    lui sp, %hi(stack_end)
    addi sp, sp, %lo(stack_end)
    jal main
    li a7, 93
    ecall
.size _start, . - _start

# Copies whole words, ten at a time: what this program copies are elements of ten words. A copy that is not of whole
# words would trap; none is made.
.section .text.memcpy, "ax", @progbits
.globl memcpy
.type memcpy, @function
memcpy:
    mv a3, a0
    li a5, 40
1:  bltu a2, a5, 2f
    lw t0, 0(a1)
    lw t1, 4(a1)
    lw t2, 8(a1)
    lw t3, 12(a1)
    lw t4, 16(a1)
    sw t0, 0(a3)
    sw t1, 4(a3)
    sw t2, 8(a3)
    sw t3, 12(a3)
    sw t4, 16(a3)
    lw t0, 20(a1)
    lw t1, 24(a1)
    lw t2, 28(a1)
    lw t3, 32(a1)
    lw t4, 36(a1)
    sw t0, 20(a3)
    sw t1, 24(a3)
    sw t2, 28(a3)
    sw t3, 32(a3)
    sw t4, 36(a3)
    addi a1, a1, 40
    addi a3, a3, 40
    addi a2, a2, -40
    j 1b
2:  beqz a2, 3f
    lw t0, 0(a1)
    sw t0, 0(a3)
    addi a1, a1, 4
    addi a3, a3, 4
    addi a2, a2, -4
    j 2b
3:  ret
.size memcpy, . - memcpy
