# Written by scripts/guest_arithmetic.py; do not edit.
.option arch, +m
.text
.globl bedroll_product
.type bedroll_product, @function
bedroll_product:
    addi sp, sp, -64
    sw ra, 0(sp)
    sw s0, 4(sp)
    sw s1, 8(sp)
    sw s2, 12(sp)
    sw s3, 16(sp)
    sw s4, 20(sp)
    sw s5, 24(sp)
    sw s6, 28(sp)
    sw s7, 32(sp)
    sw s8, 36(sp)
    sw s9, 40(sp)
    sw s10, 44(sp)
    sw s11, 48(sp)
    sw a0, 52(sp)
    sw a1, 56(sp)
    sw a2, 60(sp)
    lw t6, 56(sp)
    lw t0, 0(t6)
    lw t2, 4(t6)
    lw t6, 60(sp)
    slli t1, t0, 5
    slli t3, t2, 5
    lw t4, 0(t6)
    mul s11, t0, t4
    mulh s10, t1, t4
    mul s9, t2, t4
    mulh s8, t3, t4
    lw t4, 4(t6)
    mul t5, t0, t4
    add s9, s9, t5
    mulh t5, t1, t4
    add s8, s8, t5
    mul s7, t2, t4
    mulh s6, t3, t4
    lw t4, 8(t6)
    mul t5, t0, t4
    add s7, s7, t5
    mulh t5, t1, t4
    add s6, s6, t5
    mul s5, t2, t4
    mulh s4, t3, t4
    lw t4, 12(t6)
    mul t5, t0, t4
    add s5, s5, t5
    mulh t5, t1, t4
    add s4, s4, t5
    mul s3, t2, t4
    mulh s2, t3, t4
    lw t4, 16(t6)
    mul t5, t0, t4
    add s3, s3, t5
    mulh t5, t1, t4
    add s2, s2, t5
    mul s1, t2, t4
    mulh s0, t3, t4
    lw t4, 20(t6)
    mul t5, t0, t4
    add s1, s1, t5
    mulh t5, t1, t4
    add s0, s0, t5
    mul ra, t2, t4
    mulh tp, t3, t4
    lw t4, 24(t6)
    mul t5, t0, t4
    add ra, ra, t5
    mulh t5, t1, t4
    add tp, tp, t5
    mul gp, t2, t4
    mulh a7, t3, t4
    lw t4, 28(t6)
    mul t5, t0, t4
    add gp, gp, t5
    mulh t5, t1, t4
    add a7, a7, t5
    mul a6, t2, t4
    mulh a5, t3, t4
    lw t4, 32(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul a4, t2, t4
    mulh a3, t3, t4
    lw t4, 36(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul a2, t2, t4
    mulh a1, t3, t4
    lui t6, %hi(bedroll_prime)
    lw t4, %lo(bedroll_prime + 0)(t6)
    lui t5, 137614
    addi t5, t5, 576
    mul t5, t5, s11
    srli t0, t5, 6
    srli t1, t5, 1
    mul t5, t0, t4
    add s11, s11, t5
    mulh t5, t1, t4
    add s10, s10, t5
    slli t5, s10, 27
    sub s11, s11, t5
    srli s11, s11, 26
    slli s10, s10, 1
    add s11, s11, s10
    add s9, s9, s11
    srai s11, s11, 27
    add s8, s8, s11
    lw t4, %lo(bedroll_prime + 4)(t6)
    mul t5, t0, t4
    add s9, s9, t5
    mulh t5, t1, t4
    add s8, s8, t5
    lui t5, 137614
    addi t5, t5, 576
    mul t5, t5, s9
    srli t2, t5, 6
    srli t3, t5, 1
    mul t5, t2, t4
    add s7, s7, t5
    mulh t5, t3, t4
    add s6, s6, t5
    lw t4, %lo(bedroll_prime + 0)(t6)
    mul t5, t2, t4
    add s9, s9, t5
    mulh t5, t3, t4
    add s8, s8, t5
    slli t5, s8, 27
    sub s9, s9, t5
    srli s9, s9, 26
    slli s8, s8, 1
    add s9, s9, s8
    add s7, s7, s9
    srai s9, s9, 27
    add s6, s6, s9
    lw t4, %lo(bedroll_prime + 8)(t6)
    mul t5, t0, t4
    add s7, s7, t5
    mulh t5, t1, t4
    add s6, s6, t5
    mul t5, t2, t4
    add s5, s5, t5
    mulh t5, t3, t4
    add s4, s4, t5
    lw t4, %lo(bedroll_prime + 12)(t6)
    mul t5, t0, t4
    add s5, s5, t5
    mulh t5, t1, t4
    add s4, s4, t5
    mul t5, t2, t4
    add s3, s3, t5
    mulh t5, t3, t4
    add s2, s2, t5
    lw t4, %lo(bedroll_prime + 16)(t6)
    mul t5, t0, t4
    add s3, s3, t5
    mulh t5, t1, t4
    add s2, s2, t5
    mul t5, t2, t4
    add s1, s1, t5
    mulh t5, t3, t4
    add s0, s0, t5
    lw t4, %lo(bedroll_prime + 20)(t6)
    mul t5, t0, t4
    add s1, s1, t5
    mulh t5, t1, t4
    add s0, s0, t5
    mul t5, t2, t4
    add ra, ra, t5
    mulh t5, t3, t4
    add tp, tp, t5
    lw t4, %lo(bedroll_prime + 24)(t6)
    mul t5, t0, t4
    add ra, ra, t5
    mulh t5, t1, t4
    add tp, tp, t5
    mul t5, t2, t4
    add gp, gp, t5
    mulh t5, t3, t4
    add a7, a7, t5
    lw t4, %lo(bedroll_prime + 28)(t6)
    mul t5, t0, t4
    add gp, gp, t5
    mulh t5, t1, t4
    add a7, a7, t5
    mul t5, t2, t4
    add a6, a6, t5
    mulh t5, t3, t4
    add a5, a5, t5
    lw t4, %lo(bedroll_prime + 32)(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, %lo(bedroll_prime + 36)(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t6, 56(sp)
    lw t0, 8(t6)
    lw t2, 12(t6)
    lw t6, 60(sp)
    slli t1, t0, 5
    slli t3, t2, 5
    lw t4, 0(t6)
    mul t5, t0, t4
    add s7, s7, t5
    mulh t5, t1, t4
    add s6, s6, t5
    mul t5, t2, t4
    add s5, s5, t5
    mulh t5, t3, t4
    add s4, s4, t5
    lw t4, 4(t6)
    mul t5, t0, t4
    add s5, s5, t5
    mulh t5, t1, t4
    add s4, s4, t5
    mul t5, t2, t4
    add s3, s3, t5
    mulh t5, t3, t4
    add s2, s2, t5
    lw t4, 8(t6)
    mul t5, t0, t4
    add s3, s3, t5
    mulh t5, t1, t4
    add s2, s2, t5
    mul t5, t2, t4
    add s1, s1, t5
    mulh t5, t3, t4
    add s0, s0, t5
    lw t4, 12(t6)
    mul t5, t0, t4
    add s1, s1, t5
    mulh t5, t1, t4
    add s0, s0, t5
    mul t5, t2, t4
    add ra, ra, t5
    mulh t5, t3, t4
    add tp, tp, t5
    lw t4, 16(t6)
    mul t5, t0, t4
    add ra, ra, t5
    mulh t5, t1, t4
    add tp, tp, t5
    mul t5, t2, t4
    add gp, gp, t5
    mulh t5, t3, t4
    add a7, a7, t5
    lw t4, 20(t6)
    mul t5, t0, t4
    add gp, gp, t5
    mulh t5, t1, t4
    add a7, a7, t5
    mul t5, t2, t4
    add a6, a6, t5
    mulh t5, t3, t4
    add a5, a5, t5
    lw t4, 24(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, 28(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t4, 32(t6)
    mul t5, t0, t4
    add a2, a2, t5
    mulh t5, t1, t4
    add a1, a1, t5
    mul s8, t2, t4
    mulh s9, t3, t4
    lw t4, 36(t6)
    mul t5, t0, t4
    add s8, s8, t5
    mulh t5, t1, t4
    add s9, s9, t5
    mul s10, t2, t4
    mulh s11, t3, t4
    lui t6, %hi(bedroll_prime)
    lw t4, %lo(bedroll_prime + 0)(t6)
    lui t5, 137614
    addi t5, t5, 576
    mul t5, t5, s7
    srli t0, t5, 6
    srli t1, t5, 1
    mul t5, t0, t4
    add s7, s7, t5
    mulh t5, t1, t4
    add s6, s6, t5
    slli t5, s6, 27
    sub s7, s7, t5
    srli s7, s7, 26
    slli s6, s6, 1
    add s7, s7, s6
    add s5, s5, s7
    srai s7, s7, 27
    add s4, s4, s7
    lw t4, %lo(bedroll_prime + 4)(t6)
    mul t5, t0, t4
    add s5, s5, t5
    mulh t5, t1, t4
    add s4, s4, t5
    lui t5, 137614
    addi t5, t5, 576
    mul t5, t5, s5
    srli t2, t5, 6
    srli t3, t5, 1
    mul t5, t2, t4
    add s3, s3, t5
    mulh t5, t3, t4
    add s2, s2, t5
    lw t4, %lo(bedroll_prime + 0)(t6)
    mul t5, t2, t4
    add s5, s5, t5
    mulh t5, t3, t4
    add s4, s4, t5
    slli t5, s4, 27
    sub s5, s5, t5
    srli s5, s5, 26
    slli s4, s4, 1
    add s5, s5, s4
    add s3, s3, s5
    srai s5, s5, 27
    add s2, s2, s5
    lw t4, %lo(bedroll_prime + 8)(t6)
    mul t5, t0, t4
    add s3, s3, t5
    mulh t5, t1, t4
    add s2, s2, t5
    mul t5, t2, t4
    add s1, s1, t5
    mulh t5, t3, t4
    add s0, s0, t5
    lw t4, %lo(bedroll_prime + 12)(t6)
    mul t5, t0, t4
    add s1, s1, t5
    mulh t5, t1, t4
    add s0, s0, t5
    mul t5, t2, t4
    add ra, ra, t5
    mulh t5, t3, t4
    add tp, tp, t5
    lw t4, %lo(bedroll_prime + 16)(t6)
    mul t5, t0, t4
    add ra, ra, t5
    mulh t5, t1, t4
    add tp, tp, t5
    mul t5, t2, t4
    add gp, gp, t5
    mulh t5, t3, t4
    add a7, a7, t5
    lw t4, %lo(bedroll_prime + 20)(t6)
    mul t5, t0, t4
    add gp, gp, t5
    mulh t5, t1, t4
    add a7, a7, t5
    mul t5, t2, t4
    add a6, a6, t5
    mulh t5, t3, t4
    add a5, a5, t5
    lw t4, %lo(bedroll_prime + 24)(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, %lo(bedroll_prime + 28)(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t4, %lo(bedroll_prime + 32)(t6)
    mul t5, t0, t4
    add a2, a2, t5
    mulh t5, t1, t4
    add a1, a1, t5
    mul t5, t2, t4
    add s8, s8, t5
    mulh t5, t3, t4
    add s9, s9, t5
    lw t4, %lo(bedroll_prime + 36)(t6)
    mul t5, t0, t4
    add s8, s8, t5
    mulh t5, t1, t4
    add s9, s9, t5
    mul t5, t2, t4
    add s10, s10, t5
    mulh t5, t3, t4
    add s11, s11, t5
    lw t6, 56(sp)
    lw t0, 16(t6)
    lw t2, 20(t6)
    lw t6, 60(sp)
    slli t1, t0, 5
    slli t3, t2, 5
    lw t4, 0(t6)
    mul t5, t0, t4
    add s3, s3, t5
    mulh t5, t1, t4
    add s2, s2, t5
    mul t5, t2, t4
    add s1, s1, t5
    mulh t5, t3, t4
    add s0, s0, t5
    lw t4, 4(t6)
    mul t5, t0, t4
    add s1, s1, t5
    mulh t5, t1, t4
    add s0, s0, t5
    mul t5, t2, t4
    add ra, ra, t5
    mulh t5, t3, t4
    add tp, tp, t5
    lw t4, 8(t6)
    mul t5, t0, t4
    add ra, ra, t5
    mulh t5, t1, t4
    add tp, tp, t5
    mul t5, t2, t4
    add gp, gp, t5
    mulh t5, t3, t4
    add a7, a7, t5
    lw t4, 12(t6)
    mul t5, t0, t4
    add gp, gp, t5
    mulh t5, t1, t4
    add a7, a7, t5
    mul t5, t2, t4
    add a6, a6, t5
    mulh t5, t3, t4
    add a5, a5, t5
    lw t4, 16(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, 20(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t4, 24(t6)
    mul t5, t0, t4
    add a2, a2, t5
    mulh t5, t1, t4
    add a1, a1, t5
    mul t5, t2, t4
    add s8, s8, t5
    mulh t5, t3, t4
    add s9, s9, t5
    lw t4, 28(t6)
    mul t5, t0, t4
    add s8, s8, t5
    mulh t5, t1, t4
    add s9, s9, t5
    mul t5, t2, t4
    add s10, s10, t5
    mulh t5, t3, t4
    add s11, s11, t5
    lw t4, 32(t6)
    mul t5, t0, t4
    add s10, s10, t5
    mulh t5, t1, t4
    add s11, s11, t5
    mul s4, t2, t4
    mulh s5, t3, t4
    lw t4, 36(t6)
    mul t5, t0, t4
    add s4, s4, t5
    mulh t5, t1, t4
    add s5, s5, t5
    mul s6, t2, t4
    mulh s7, t3, t4
    lui t6, %hi(bedroll_prime)
    lw t4, %lo(bedroll_prime + 0)(t6)
    lui t5, 137614
    addi t5, t5, 576
    mul t5, t5, s3
    srli t0, t5, 6
    srli t1, t5, 1
    mul t5, t0, t4
    add s3, s3, t5
    mulh t5, t1, t4
    add s2, s2, t5
    slli t5, s2, 27
    sub s3, s3, t5
    srli s3, s3, 26
    slli s2, s2, 1
    add s3, s3, s2
    add s1, s1, s3
    srai s3, s3, 27
    add s0, s0, s3
    lw t4, %lo(bedroll_prime + 4)(t6)
    mul t5, t0, t4
    add s1, s1, t5
    mulh t5, t1, t4
    add s0, s0, t5
    lui t5, 137614
    addi t5, t5, 576
    mul t5, t5, s1
    srli t2, t5, 6
    srli t3, t5, 1
    mul t5, t2, t4
    add ra, ra, t5
    mulh t5, t3, t4
    add tp, tp, t5
    lw t4, %lo(bedroll_prime + 0)(t6)
    mul t5, t2, t4
    add s1, s1, t5
    mulh t5, t3, t4
    add s0, s0, t5
    slli t5, s0, 27
    sub s1, s1, t5
    srli s1, s1, 26
    slli s0, s0, 1
    add s1, s1, s0
    add ra, ra, s1
    srai s1, s1, 27
    add tp, tp, s1
    lw t4, %lo(bedroll_prime + 8)(t6)
    mul t5, t0, t4
    add ra, ra, t5
    mulh t5, t1, t4
    add tp, tp, t5
    mul t5, t2, t4
    add gp, gp, t5
    mulh t5, t3, t4
    add a7, a7, t5
    lw t4, %lo(bedroll_prime + 12)(t6)
    mul t5, t0, t4
    add gp, gp, t5
    mulh t5, t1, t4
    add a7, a7, t5
    mul t5, t2, t4
    add a6, a6, t5
    mulh t5, t3, t4
    add a5, a5, t5
    lw t4, %lo(bedroll_prime + 16)(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, %lo(bedroll_prime + 20)(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t4, %lo(bedroll_prime + 24)(t6)
    mul t5, t0, t4
    add a2, a2, t5
    mulh t5, t1, t4
    add a1, a1, t5
    mul t5, t2, t4
    add s8, s8, t5
    mulh t5, t3, t4
    add s9, s9, t5
    lw t4, %lo(bedroll_prime + 28)(t6)
    mul t5, t0, t4
    add s8, s8, t5
    mulh t5, t1, t4
    add s9, s9, t5
    mul t5, t2, t4
    add s10, s10, t5
    mulh t5, t3, t4
    add s11, s11, t5
    lw t4, %lo(bedroll_prime + 32)(t6)
    mul t5, t0, t4
    add s10, s10, t5
    mulh t5, t1, t4
    add s11, s11, t5
    mul t5, t2, t4
    add s4, s4, t5
    mulh t5, t3, t4
    add s5, s5, t5
    lw t4, %lo(bedroll_prime + 36)(t6)
    mul t5, t0, t4
    add s4, s4, t5
    mulh t5, t1, t4
    add s5, s5, t5
    mul t5, t2, t4
    add s6, s6, t5
    mulh t5, t3, t4
    add s7, s7, t5
    lw t6, 56(sp)
    lw t0, 24(t6)
    lw t2, 28(t6)
    lw t6, 60(sp)
    slli t1, t0, 5
    slli t3, t2, 5
    lw t4, 0(t6)
    mul t5, t0, t4
    add ra, ra, t5
    mulh t5, t1, t4
    add tp, tp, t5
    mul t5, t2, t4
    add gp, gp, t5
    mulh t5, t3, t4
    add a7, a7, t5
    lw t4, 4(t6)
    mul t5, t0, t4
    add gp, gp, t5
    mulh t5, t1, t4
    add a7, a7, t5
    mul t5, t2, t4
    add a6, a6, t5
    mulh t5, t3, t4
    add a5, a5, t5
    lw t4, 8(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, 12(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t4, 16(t6)
    mul t5, t0, t4
    add a2, a2, t5
    mulh t5, t1, t4
    add a1, a1, t5
    mul t5, t2, t4
    add s8, s8, t5
    mulh t5, t3, t4
    add s9, s9, t5
    lw t4, 20(t6)
    mul t5, t0, t4
    add s8, s8, t5
    mulh t5, t1, t4
    add s9, s9, t5
    mul t5, t2, t4
    add s10, s10, t5
    mulh t5, t3, t4
    add s11, s11, t5
    lw t4, 24(t6)
    mul t5, t0, t4
    add s10, s10, t5
    mulh t5, t1, t4
    add s11, s11, t5
    mul t5, t2, t4
    add s4, s4, t5
    mulh t5, t3, t4
    add s5, s5, t5
    lw t4, 28(t6)
    mul t5, t0, t4
    add s4, s4, t5
    mulh t5, t1, t4
    add s5, s5, t5
    mul t5, t2, t4
    add s6, s6, t5
    mulh t5, t3, t4
    add s7, s7, t5
    lw t4, 32(t6)
    mul t5, t0, t4
    add s6, s6, t5
    mulh t5, t1, t4
    add s7, s7, t5
    mul s0, t2, t4
    mulh s1, t3, t4
    lw t4, 36(t6)
    mul t5, t0, t4
    add s0, s0, t5
    mulh t5, t1, t4
    add s1, s1, t5
    mul s2, t2, t4
    mulh s3, t3, t4
    lui t6, %hi(bedroll_prime)
    lw t4, %lo(bedroll_prime + 0)(t6)
    lui t5, 137614
    addi t5, t5, 576
    mul t5, t5, ra
    srli t0, t5, 6
    srli t1, t5, 1
    mul t5, t0, t4
    add ra, ra, t5
    mulh t5, t1, t4
    add tp, tp, t5
    slli t5, tp, 27
    sub ra, ra, t5
    srli ra, ra, 26
    slli tp, tp, 1
    add ra, ra, tp
    add gp, gp, ra
    srai ra, ra, 27
    add a7, a7, ra
    lw t4, %lo(bedroll_prime + 4)(t6)
    mul t5, t0, t4
    add gp, gp, t5
    mulh t5, t1, t4
    add a7, a7, t5
    lui t5, 137614
    addi t5, t5, 576
    mul t5, t5, gp
    srli t2, t5, 6
    srli t3, t5, 1
    mul t5, t2, t4
    add a6, a6, t5
    mulh t5, t3, t4
    add a5, a5, t5
    lw t4, %lo(bedroll_prime + 0)(t6)
    mul t5, t2, t4
    add gp, gp, t5
    mulh t5, t3, t4
    add a7, a7, t5
    slli t5, a7, 27
    sub gp, gp, t5
    srli gp, gp, 26
    slli a7, a7, 1
    add gp, gp, a7
    add a6, a6, gp
    srai gp, gp, 27
    add a5, a5, gp
    lw t4, %lo(bedroll_prime + 8)(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, %lo(bedroll_prime + 12)(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t4, %lo(bedroll_prime + 16)(t6)
    mul t5, t0, t4
    add a2, a2, t5
    mulh t5, t1, t4
    add a1, a1, t5
    mul t5, t2, t4
    add s8, s8, t5
    mulh t5, t3, t4
    add s9, s9, t5
    lw t4, %lo(bedroll_prime + 20)(t6)
    mul t5, t0, t4
    add s8, s8, t5
    mulh t5, t1, t4
    add s9, s9, t5
    mul t5, t2, t4
    add s10, s10, t5
    mulh t5, t3, t4
    add s11, s11, t5
    lw t4, %lo(bedroll_prime + 24)(t6)
    mul t5, t0, t4
    add s10, s10, t5
    mulh t5, t1, t4
    add s11, s11, t5
    mul t5, t2, t4
    add s4, s4, t5
    mulh t5, t3, t4
    add s5, s5, t5
    lw t4, %lo(bedroll_prime + 28)(t6)
    mul t5, t0, t4
    add s4, s4, t5
    mulh t5, t1, t4
    add s5, s5, t5
    mul t5, t2, t4
    add s6, s6, t5
    mulh t5, t3, t4
    add s7, s7, t5
    lw t4, %lo(bedroll_prime + 32)(t6)
    mul t5, t0, t4
    add s6, s6, t5
    mulh t5, t1, t4
    add s7, s7, t5
    mul t5, t2, t4
    add s0, s0, t5
    mulh t5, t3, t4
    add s1, s1, t5
    lw t4, %lo(bedroll_prime + 36)(t6)
    mul t5, t0, t4
    add s0, s0, t5
    mulh t5, t1, t4
    add s1, s1, t5
    mul t5, t2, t4
    add s2, s2, t5
    mulh t5, t3, t4
    add s3, s3, t5
    lw t6, 56(sp)
    lw t0, 32(t6)
    lw t2, 36(t6)
    lw t6, 60(sp)
    slli t1, t0, 5
    slli t3, t2, 5
    lw t4, 0(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, 4(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t4, 8(t6)
    mul t5, t0, t4
    add a2, a2, t5
    mulh t5, t1, t4
    add a1, a1, t5
    mul t5, t2, t4
    add s8, s8, t5
    mulh t5, t3, t4
    add s9, s9, t5
    lw t4, 12(t6)
    mul t5, t0, t4
    add s8, s8, t5
    mulh t5, t1, t4
    add s9, s9, t5
    mul t5, t2, t4
    add s10, s10, t5
    mulh t5, t3, t4
    add s11, s11, t5
    lw t4, 16(t6)
    mul t5, t0, t4
    add s10, s10, t5
    mulh t5, t1, t4
    add s11, s11, t5
    mul t5, t2, t4
    add s4, s4, t5
    mulh t5, t3, t4
    add s5, s5, t5
    lw t4, 20(t6)
    mul t5, t0, t4
    add s4, s4, t5
    mulh t5, t1, t4
    add s5, s5, t5
    mul t5, t2, t4
    add s6, s6, t5
    mulh t5, t3, t4
    add s7, s7, t5
    lw t4, 24(t6)
    mul t5, t0, t4
    add s6, s6, t5
    mulh t5, t1, t4
    add s7, s7, t5
    mul t5, t2, t4
    add s0, s0, t5
    mulh t5, t3, t4
    add s1, s1, t5
    lw t4, 28(t6)
    mul t5, t0, t4
    add s0, s0, t5
    mulh t5, t1, t4
    add s1, s1, t5
    mul t5, t2, t4
    add s2, s2, t5
    mulh t5, t3, t4
    add s3, s3, t5
    lw t4, 32(t6)
    mul t5, t0, t4
    add s2, s2, t5
    mulh t5, t1, t4
    add s3, s3, t5
    mul a7, t2, t4
    mulh gp, t3, t4
    lw t4, 36(t6)
    mul t5, t0, t4
    add a7, a7, t5
    mulh t5, t1, t4
    add gp, gp, t5
    mul tp, t2, t4
    mulh ra, t3, t4
    lui t6, %hi(bedroll_prime)
    lw t4, %lo(bedroll_prime + 0)(t6)
    lui t5, 137614
    addi t5, t5, 576
    mul t5, t5, a6
    srli t0, t5, 6
    srli t1, t5, 1
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    slli t5, a5, 27
    sub a6, a6, t5
    srli a6, a6, 26
    slli a5, a5, 1
    add a6, a6, a5
    add a4, a4, a6
    srai a6, a6, 27
    add a3, a3, a6
    lw t4, %lo(bedroll_prime + 4)(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    lui t5, 137614
    addi t5, t5, 576
    mul t5, t5, a4
    srli t2, t5, 6
    srli t3, t5, 1
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t4, %lo(bedroll_prime + 0)(t6)
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    slli t5, a3, 27
    sub a4, a4, t5
    srli a4, a4, 26
    slli a3, a3, 1
    add a4, a4, a3
    add a2, a2, a4
    srai a4, a4, 27
    add a1, a1, a4
    lw t4, %lo(bedroll_prime + 8)(t6)
    mul t5, t0, t4
    add a2, a2, t5
    mulh t5, t1, t4
    add a1, a1, t5
    mul t5, t2, t4
    add s8, s8, t5
    mulh t5, t3, t4
    add s9, s9, t5
    lw t4, %lo(bedroll_prime + 12)(t6)
    mul t5, t0, t4
    add s8, s8, t5
    mulh t5, t1, t4
    add s9, s9, t5
    mul t5, t2, t4
    add s10, s10, t5
    mulh t5, t3, t4
    add s11, s11, t5
    lw t4, %lo(bedroll_prime + 16)(t6)
    mul t5, t0, t4
    add s10, s10, t5
    mulh t5, t1, t4
    add s11, s11, t5
    mul t5, t2, t4
    add s4, s4, t5
    mulh t5, t3, t4
    add s5, s5, t5
    lw t4, %lo(bedroll_prime + 20)(t6)
    mul t5, t0, t4
    add s4, s4, t5
    mulh t5, t1, t4
    add s5, s5, t5
    mul t5, t2, t4
    add s6, s6, t5
    mulh t5, t3, t4
    add s7, s7, t5
    lw t4, %lo(bedroll_prime + 24)(t6)
    mul t5, t0, t4
    add s6, s6, t5
    mulh t5, t1, t4
    add s7, s7, t5
    mul t5, t2, t4
    add s0, s0, t5
    mulh t5, t3, t4
    add s1, s1, t5
    lw t4, %lo(bedroll_prime + 28)(t6)
    mul t5, t0, t4
    add s0, s0, t5
    mulh t5, t1, t4
    add s1, s1, t5
    mul t5, t2, t4
    add s2, s2, t5
    mulh t5, t3, t4
    add s3, s3, t5
    lw t4, %lo(bedroll_prime + 32)(t6)
    mul t5, t0, t4
    add s2, s2, t5
    mulh t5, t1, t4
    add s3, s3, t5
    mul t5, t2, t4
    add a7, a7, t5
    mulh t5, t3, t4
    add gp, gp, t5
    lw t4, %lo(bedroll_prime + 36)(t6)
    mul t5, t0, t4
    add a7, a7, t5
    mulh t5, t1, t4
    add gp, gp, t5
    mul t5, t2, t4
    add tp, tp, t5
    mulh t5, t3, t4
    add ra, ra, t5
    lw t6, 52(sp)
    slli t5, a1, 27
    sub a2, a2, t5
    slli t4, a2, 6
    srli t4, t4, 6
    srli a2, a2, 26
    slli a1, a1, 1
    add a2, a2, a1
    add s8, s8, a2
    srai a2, a2, 27
    add s9, s9, a2
    sw t4, 0(t6)
    slli t5, s9, 27
    sub s8, s8, t5
    slli t4, s8, 6
    srli t4, t4, 6
    srli s8, s8, 26
    slli s9, s9, 1
    add s8, s8, s9
    add s10, s10, s8
    srai s8, s8, 27
    add s11, s11, s8
    sw t4, 4(t6)
    slli t5, s11, 27
    sub s10, s10, t5
    slli t4, s10, 6
    srli t4, t4, 6
    srli s10, s10, 26
    slli s11, s11, 1
    add s10, s10, s11
    add s4, s4, s10
    srai s10, s10, 27
    add s5, s5, s10
    sw t4, 8(t6)
    slli t5, s5, 27
    sub s4, s4, t5
    slli t4, s4, 6
    srli t4, t4, 6
    srli s4, s4, 26
    slli s5, s5, 1
    add s4, s4, s5
    add s6, s6, s4
    srai s4, s4, 27
    add s7, s7, s4
    sw t4, 12(t6)
    slli t5, s7, 27
    sub s6, s6, t5
    slli t4, s6, 6
    srli t4, t4, 6
    srli s6, s6, 26
    slli s7, s7, 1
    add s6, s6, s7
    add s0, s0, s6
    srai s6, s6, 27
    add s1, s1, s6
    sw t4, 16(t6)
    slli t5, s1, 27
    sub s0, s0, t5
    slli t4, s0, 6
    srli t4, t4, 6
    srli s0, s0, 26
    slli s1, s1, 1
    add s0, s0, s1
    add s2, s2, s0
    srai s0, s0, 27
    add s3, s3, s0
    sw t4, 20(t6)
    slli t5, s3, 27
    sub s2, s2, t5
    slli t4, s2, 6
    srli t4, t4, 6
    srli s2, s2, 26
    slli s3, s3, 1
    add s2, s2, s3
    add a7, a7, s2
    srai s2, s2, 27
    add gp, gp, s2
    sw t4, 24(t6)
    slli t5, gp, 27
    sub a7, a7, t5
    slli t4, a7, 6
    srli t4, t4, 6
    srli a7, a7, 26
    slli gp, gp, 1
    add a7, a7, gp
    add tp, tp, a7
    srai a7, a7, 27
    add ra, ra, a7
    sw t4, 28(t6)
    slli t5, ra, 27
    sub tp, tp, t5
    slli t4, tp, 6
    srli t4, t4, 6
    srli tp, tp, 26
    slli ra, ra, 1
    add tp, tp, ra
    sw tp, 36(t6)
    sw t4, 32(t6)
    lw ra, 0(sp)
    lw s0, 4(sp)
    lw s1, 8(sp)
    lw s2, 12(sp)
    lw s3, 16(sp)
    lw s4, 20(sp)
    lw s5, 24(sp)
    lw s6, 28(sp)
    lw s7, 32(sp)
    lw s8, 36(sp)
    lw s9, 40(sp)
    lw s10, 44(sp)
    lw s11, 48(sp)
    addi sp, sp, 64
    ret
.size bedroll_product, . - bedroll_product
.globl bedroll_cross
.type bedroll_cross, @function
bedroll_cross:
    addi sp, sp, -72
    sw ra, 0(sp)
    sw s0, 4(sp)
    sw s1, 8(sp)
    sw s2, 12(sp)
    sw s3, 16(sp)
    sw s4, 20(sp)
    sw s5, 24(sp)
    sw s6, 28(sp)
    sw s7, 32(sp)
    sw s8, 36(sp)
    sw s9, 40(sp)
    sw s10, 44(sp)
    sw s11, 48(sp)
    sw a0, 52(sp)
    sw a1, 56(sp)
    sw a2, 60(sp)
    sw a3, 64(sp)
    sw a4, 68(sp)
    lw t6, 56(sp)
    lw t0, 0(t6)
    lw t2, 4(t6)
    lw t6, 60(sp)
    slli t1, t0, 5
    slli t3, t2, 5
    lw t4, 0(t6)
    mul s11, t0, t4
    mulh s10, t1, t4
    mul s9, t2, t4
    mulh s8, t3, t4
    lw t4, 4(t6)
    mul t5, t0, t4
    add s9, s9, t5
    mulh t5, t1, t4
    add s8, s8, t5
    mul s7, t2, t4
    mulh s6, t3, t4
    lw t4, 8(t6)
    mul t5, t0, t4
    add s7, s7, t5
    mulh t5, t1, t4
    add s6, s6, t5
    mul s5, t2, t4
    mulh s4, t3, t4
    lw t4, 12(t6)
    mul t5, t0, t4
    add s5, s5, t5
    mulh t5, t1, t4
    add s4, s4, t5
    mul s3, t2, t4
    mulh s2, t3, t4
    lw t4, 16(t6)
    mul t5, t0, t4
    add s3, s3, t5
    mulh t5, t1, t4
    add s2, s2, t5
    mul s1, t2, t4
    mulh s0, t3, t4
    lw t4, 20(t6)
    mul t5, t0, t4
    add s1, s1, t5
    mulh t5, t1, t4
    add s0, s0, t5
    mul ra, t2, t4
    mulh tp, t3, t4
    lw t4, 24(t6)
    mul t5, t0, t4
    add ra, ra, t5
    mulh t5, t1, t4
    add tp, tp, t5
    mul gp, t2, t4
    mulh a7, t3, t4
    lw t4, 28(t6)
    mul t5, t0, t4
    add gp, gp, t5
    mulh t5, t1, t4
    add a7, a7, t5
    mul a6, t2, t4
    mulh a5, t3, t4
    lw t4, 32(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul a4, t2, t4
    mulh a3, t3, t4
    lw t4, 36(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul a2, t2, t4
    mulh a1, t3, t4
    lw t6, 64(sp)
    lw t0, 0(t6)
    lw t2, 4(t6)
    lw t6, 68(sp)
    slli t1, t0, 5
    slli t3, t2, 5
    lw t4, 0(t6)
    mul t5, t0, t4
    add s11, s11, t5
    mulh t5, t1, t4
    add s10, s10, t5
    mul t5, t2, t4
    add s9, s9, t5
    mulh t5, t3, t4
    add s8, s8, t5
    lw t4, 4(t6)
    mul t5, t0, t4
    add s9, s9, t5
    mulh t5, t1, t4
    add s8, s8, t5
    mul t5, t2, t4
    add s7, s7, t5
    mulh t5, t3, t4
    add s6, s6, t5
    lw t4, 8(t6)
    mul t5, t0, t4
    add s7, s7, t5
    mulh t5, t1, t4
    add s6, s6, t5
    mul t5, t2, t4
    add s5, s5, t5
    mulh t5, t3, t4
    add s4, s4, t5
    lw t4, 12(t6)
    mul t5, t0, t4
    add s5, s5, t5
    mulh t5, t1, t4
    add s4, s4, t5
    mul t5, t2, t4
    add s3, s3, t5
    mulh t5, t3, t4
    add s2, s2, t5
    lw t4, 16(t6)
    mul t5, t0, t4
    add s3, s3, t5
    mulh t5, t1, t4
    add s2, s2, t5
    mul t5, t2, t4
    add s1, s1, t5
    mulh t5, t3, t4
    add s0, s0, t5
    lw t4, 20(t6)
    mul t5, t0, t4
    add s1, s1, t5
    mulh t5, t1, t4
    add s0, s0, t5
    mul t5, t2, t4
    add ra, ra, t5
    mulh t5, t3, t4
    add tp, tp, t5
    lw t4, 24(t6)
    mul t5, t0, t4
    add ra, ra, t5
    mulh t5, t1, t4
    add tp, tp, t5
    mul t5, t2, t4
    add gp, gp, t5
    mulh t5, t3, t4
    add a7, a7, t5
    lw t4, 28(t6)
    mul t5, t0, t4
    add gp, gp, t5
    mulh t5, t1, t4
    add a7, a7, t5
    mul t5, t2, t4
    add a6, a6, t5
    mulh t5, t3, t4
    add a5, a5, t5
    lw t4, 32(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, 36(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lui t6, %hi(bedroll_prime)
    lw t4, %lo(bedroll_prime + 0)(t6)
    lui t5, 137614
    addi t5, t5, 576
    mul t5, t5, s11
    srli t0, t5, 6
    srli t1, t5, 1
    mul t5, t0, t4
    add s11, s11, t5
    mulh t5, t1, t4
    add s10, s10, t5
    slli t5, s10, 27
    sub s11, s11, t5
    srli s11, s11, 26
    slli s10, s10, 1
    add s11, s11, s10
    add s9, s9, s11
    srai s11, s11, 27
    add s8, s8, s11
    lw t4, %lo(bedroll_prime + 4)(t6)
    mul t5, t0, t4
    add s9, s9, t5
    mulh t5, t1, t4
    add s8, s8, t5
    lui t5, 137614
    addi t5, t5, 576
    mul t5, t5, s9
    srli t2, t5, 6
    srli t3, t5, 1
    mul t5, t2, t4
    add s7, s7, t5
    mulh t5, t3, t4
    add s6, s6, t5
    lw t4, %lo(bedroll_prime + 0)(t6)
    mul t5, t2, t4
    add s9, s9, t5
    mulh t5, t3, t4
    add s8, s8, t5
    slli t5, s8, 27
    sub s9, s9, t5
    srli s9, s9, 26
    slli s8, s8, 1
    add s9, s9, s8
    add s7, s7, s9
    srai s9, s9, 27
    add s6, s6, s9
    lw t4, %lo(bedroll_prime + 8)(t6)
    mul t5, t0, t4
    add s7, s7, t5
    mulh t5, t1, t4
    add s6, s6, t5
    mul t5, t2, t4
    add s5, s5, t5
    mulh t5, t3, t4
    add s4, s4, t5
    lw t4, %lo(bedroll_prime + 12)(t6)
    mul t5, t0, t4
    add s5, s5, t5
    mulh t5, t1, t4
    add s4, s4, t5
    mul t5, t2, t4
    add s3, s3, t5
    mulh t5, t3, t4
    add s2, s2, t5
    lw t4, %lo(bedroll_prime + 16)(t6)
    mul t5, t0, t4
    add s3, s3, t5
    mulh t5, t1, t4
    add s2, s2, t5
    mul t5, t2, t4
    add s1, s1, t5
    mulh t5, t3, t4
    add s0, s0, t5
    lw t4, %lo(bedroll_prime + 20)(t6)
    mul t5, t0, t4
    add s1, s1, t5
    mulh t5, t1, t4
    add s0, s0, t5
    mul t5, t2, t4
    add ra, ra, t5
    mulh t5, t3, t4
    add tp, tp, t5
    lw t4, %lo(bedroll_prime + 24)(t6)
    mul t5, t0, t4
    add ra, ra, t5
    mulh t5, t1, t4
    add tp, tp, t5
    mul t5, t2, t4
    add gp, gp, t5
    mulh t5, t3, t4
    add a7, a7, t5
    lw t4, %lo(bedroll_prime + 28)(t6)
    mul t5, t0, t4
    add gp, gp, t5
    mulh t5, t1, t4
    add a7, a7, t5
    mul t5, t2, t4
    add a6, a6, t5
    mulh t5, t3, t4
    add a5, a5, t5
    lw t4, %lo(bedroll_prime + 32)(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, %lo(bedroll_prime + 36)(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t6, 56(sp)
    lw t0, 8(t6)
    lw t2, 12(t6)
    lw t6, 60(sp)
    slli t1, t0, 5
    slli t3, t2, 5
    lw t4, 0(t6)
    mul t5, t0, t4
    add s7, s7, t5
    mulh t5, t1, t4
    add s6, s6, t5
    mul t5, t2, t4
    add s5, s5, t5
    mulh t5, t3, t4
    add s4, s4, t5
    lw t4, 4(t6)
    mul t5, t0, t4
    add s5, s5, t5
    mulh t5, t1, t4
    add s4, s4, t5
    mul t5, t2, t4
    add s3, s3, t5
    mulh t5, t3, t4
    add s2, s2, t5
    lw t4, 8(t6)
    mul t5, t0, t4
    add s3, s3, t5
    mulh t5, t1, t4
    add s2, s2, t5
    mul t5, t2, t4
    add s1, s1, t5
    mulh t5, t3, t4
    add s0, s0, t5
    lw t4, 12(t6)
    mul t5, t0, t4
    add s1, s1, t5
    mulh t5, t1, t4
    add s0, s0, t5
    mul t5, t2, t4
    add ra, ra, t5
    mulh t5, t3, t4
    add tp, tp, t5
    lw t4, 16(t6)
    mul t5, t0, t4
    add ra, ra, t5
    mulh t5, t1, t4
    add tp, tp, t5
    mul t5, t2, t4
    add gp, gp, t5
    mulh t5, t3, t4
    add a7, a7, t5
    lw t4, 20(t6)
    mul t5, t0, t4
    add gp, gp, t5
    mulh t5, t1, t4
    add a7, a7, t5
    mul t5, t2, t4
    add a6, a6, t5
    mulh t5, t3, t4
    add a5, a5, t5
    lw t4, 24(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, 28(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t4, 32(t6)
    mul t5, t0, t4
    add a2, a2, t5
    mulh t5, t1, t4
    add a1, a1, t5
    mul s8, t2, t4
    mulh s9, t3, t4
    lw t4, 36(t6)
    mul t5, t0, t4
    add s8, s8, t5
    mulh t5, t1, t4
    add s9, s9, t5
    mul s10, t2, t4
    mulh s11, t3, t4
    lw t6, 64(sp)
    lw t0, 8(t6)
    lw t2, 12(t6)
    lw t6, 68(sp)
    slli t1, t0, 5
    slli t3, t2, 5
    lw t4, 0(t6)
    mul t5, t0, t4
    add s7, s7, t5
    mulh t5, t1, t4
    add s6, s6, t5
    mul t5, t2, t4
    add s5, s5, t5
    mulh t5, t3, t4
    add s4, s4, t5
    lw t4, 4(t6)
    mul t5, t0, t4
    add s5, s5, t5
    mulh t5, t1, t4
    add s4, s4, t5
    mul t5, t2, t4
    add s3, s3, t5
    mulh t5, t3, t4
    add s2, s2, t5
    lw t4, 8(t6)
    mul t5, t0, t4
    add s3, s3, t5
    mulh t5, t1, t4
    add s2, s2, t5
    mul t5, t2, t4
    add s1, s1, t5
    mulh t5, t3, t4
    add s0, s0, t5
    lw t4, 12(t6)
    mul t5, t0, t4
    add s1, s1, t5
    mulh t5, t1, t4
    add s0, s0, t5
    mul t5, t2, t4
    add ra, ra, t5
    mulh t5, t3, t4
    add tp, tp, t5
    lw t4, 16(t6)
    mul t5, t0, t4
    add ra, ra, t5
    mulh t5, t1, t4
    add tp, tp, t5
    mul t5, t2, t4
    add gp, gp, t5
    mulh t5, t3, t4
    add a7, a7, t5
    lw t4, 20(t6)
    mul t5, t0, t4
    add gp, gp, t5
    mulh t5, t1, t4
    add a7, a7, t5
    mul t5, t2, t4
    add a6, a6, t5
    mulh t5, t3, t4
    add a5, a5, t5
    lw t4, 24(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, 28(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t4, 32(t6)
    mul t5, t0, t4
    add a2, a2, t5
    mulh t5, t1, t4
    add a1, a1, t5
    mul t5, t2, t4
    add s8, s8, t5
    mulh t5, t3, t4
    add s9, s9, t5
    lw t4, 36(t6)
    mul t5, t0, t4
    add s8, s8, t5
    mulh t5, t1, t4
    add s9, s9, t5
    mul t5, t2, t4
    add s10, s10, t5
    mulh t5, t3, t4
    add s11, s11, t5
    lui t6, %hi(bedroll_prime)
    lw t4, %lo(bedroll_prime + 0)(t6)
    lui t5, 137614
    addi t5, t5, 576
    mul t5, t5, s7
    srli t0, t5, 6
    srli t1, t5, 1
    mul t5, t0, t4
    add s7, s7, t5
    mulh t5, t1, t4
    add s6, s6, t5
    slli t5, s6, 27
    sub s7, s7, t5
    srli s7, s7, 26
    slli s6, s6, 1
    add s7, s7, s6
    add s5, s5, s7
    srai s7, s7, 27
    add s4, s4, s7
    lw t4, %lo(bedroll_prime + 4)(t6)
    mul t5, t0, t4
    add s5, s5, t5
    mulh t5, t1, t4
    add s4, s4, t5
    lui t5, 137614
    addi t5, t5, 576
    mul t5, t5, s5
    srli t2, t5, 6
    srli t3, t5, 1
    mul t5, t2, t4
    add s3, s3, t5
    mulh t5, t3, t4
    add s2, s2, t5
    lw t4, %lo(bedroll_prime + 0)(t6)
    mul t5, t2, t4
    add s5, s5, t5
    mulh t5, t3, t4
    add s4, s4, t5
    slli t5, s4, 27
    sub s5, s5, t5
    srli s5, s5, 26
    slli s4, s4, 1
    add s5, s5, s4
    add s3, s3, s5
    srai s5, s5, 27
    add s2, s2, s5
    lw t4, %lo(bedroll_prime + 8)(t6)
    mul t5, t0, t4
    add s3, s3, t5
    mulh t5, t1, t4
    add s2, s2, t5
    mul t5, t2, t4
    add s1, s1, t5
    mulh t5, t3, t4
    add s0, s0, t5
    lw t4, %lo(bedroll_prime + 12)(t6)
    mul t5, t0, t4
    add s1, s1, t5
    mulh t5, t1, t4
    add s0, s0, t5
    mul t5, t2, t4
    add ra, ra, t5
    mulh t5, t3, t4
    add tp, tp, t5
    lw t4, %lo(bedroll_prime + 16)(t6)
    mul t5, t0, t4
    add ra, ra, t5
    mulh t5, t1, t4
    add tp, tp, t5
    mul t5, t2, t4
    add gp, gp, t5
    mulh t5, t3, t4
    add a7, a7, t5
    lw t4, %lo(bedroll_prime + 20)(t6)
    mul t5, t0, t4
    add gp, gp, t5
    mulh t5, t1, t4
    add a7, a7, t5
    mul t5, t2, t4
    add a6, a6, t5
    mulh t5, t3, t4
    add a5, a5, t5
    lw t4, %lo(bedroll_prime + 24)(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, %lo(bedroll_prime + 28)(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t4, %lo(bedroll_prime + 32)(t6)
    mul t5, t0, t4
    add a2, a2, t5
    mulh t5, t1, t4
    add a1, a1, t5
    mul t5, t2, t4
    add s8, s8, t5
    mulh t5, t3, t4
    add s9, s9, t5
    lw t4, %lo(bedroll_prime + 36)(t6)
    mul t5, t0, t4
    add s8, s8, t5
    mulh t5, t1, t4
    add s9, s9, t5
    mul t5, t2, t4
    add s10, s10, t5
    mulh t5, t3, t4
    add s11, s11, t5
    lw t6, 56(sp)
    lw t0, 16(t6)
    lw t2, 20(t6)
    lw t6, 60(sp)
    slli t1, t0, 5
    slli t3, t2, 5
    lw t4, 0(t6)
    mul t5, t0, t4
    add s3, s3, t5
    mulh t5, t1, t4
    add s2, s2, t5
    mul t5, t2, t4
    add s1, s1, t5
    mulh t5, t3, t4
    add s0, s0, t5
    lw t4, 4(t6)
    mul t5, t0, t4
    add s1, s1, t5
    mulh t5, t1, t4
    add s0, s0, t5
    mul t5, t2, t4
    add ra, ra, t5
    mulh t5, t3, t4
    add tp, tp, t5
    lw t4, 8(t6)
    mul t5, t0, t4
    add ra, ra, t5
    mulh t5, t1, t4
    add tp, tp, t5
    mul t5, t2, t4
    add gp, gp, t5
    mulh t5, t3, t4
    add a7, a7, t5
    lw t4, 12(t6)
    mul t5, t0, t4
    add gp, gp, t5
    mulh t5, t1, t4
    add a7, a7, t5
    mul t5, t2, t4
    add a6, a6, t5
    mulh t5, t3, t4
    add a5, a5, t5
    lw t4, 16(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, 20(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t4, 24(t6)
    mul t5, t0, t4
    add a2, a2, t5
    mulh t5, t1, t4
    add a1, a1, t5
    mul t5, t2, t4
    add s8, s8, t5
    mulh t5, t3, t4
    add s9, s9, t5
    lw t4, 28(t6)
    mul t5, t0, t4
    add s8, s8, t5
    mulh t5, t1, t4
    add s9, s9, t5
    mul t5, t2, t4
    add s10, s10, t5
    mulh t5, t3, t4
    add s11, s11, t5
    lw t4, 32(t6)
    mul t5, t0, t4
    add s10, s10, t5
    mulh t5, t1, t4
    add s11, s11, t5
    mul s4, t2, t4
    mulh s5, t3, t4
    lw t4, 36(t6)
    mul t5, t0, t4
    add s4, s4, t5
    mulh t5, t1, t4
    add s5, s5, t5
    mul s6, t2, t4
    mulh s7, t3, t4
    lw t6, 64(sp)
    lw t0, 16(t6)
    lw t2, 20(t6)
    lw t6, 68(sp)
    slli t1, t0, 5
    slli t3, t2, 5
    lw t4, 0(t6)
    mul t5, t0, t4
    add s3, s3, t5
    mulh t5, t1, t4
    add s2, s2, t5
    mul t5, t2, t4
    add s1, s1, t5
    mulh t5, t3, t4
    add s0, s0, t5
    lw t4, 4(t6)
    mul t5, t0, t4
    add s1, s1, t5
    mulh t5, t1, t4
    add s0, s0, t5
    mul t5, t2, t4
    add ra, ra, t5
    mulh t5, t3, t4
    add tp, tp, t5
    lw t4, 8(t6)
    mul t5, t0, t4
    add ra, ra, t5
    mulh t5, t1, t4
    add tp, tp, t5
    mul t5, t2, t4
    add gp, gp, t5
    mulh t5, t3, t4
    add a7, a7, t5
    lw t4, 12(t6)
    mul t5, t0, t4
    add gp, gp, t5
    mulh t5, t1, t4
    add a7, a7, t5
    mul t5, t2, t4
    add a6, a6, t5
    mulh t5, t3, t4
    add a5, a5, t5
    lw t4, 16(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, 20(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t4, 24(t6)
    mul t5, t0, t4
    add a2, a2, t5
    mulh t5, t1, t4
    add a1, a1, t5
    mul t5, t2, t4
    add s8, s8, t5
    mulh t5, t3, t4
    add s9, s9, t5
    lw t4, 28(t6)
    mul t5, t0, t4
    add s8, s8, t5
    mulh t5, t1, t4
    add s9, s9, t5
    mul t5, t2, t4
    add s10, s10, t5
    mulh t5, t3, t4
    add s11, s11, t5
    lw t4, 32(t6)
    mul t5, t0, t4
    add s10, s10, t5
    mulh t5, t1, t4
    add s11, s11, t5
    mul t5, t2, t4
    add s4, s4, t5
    mulh t5, t3, t4
    add s5, s5, t5
    lw t4, 36(t6)
    mul t5, t0, t4
    add s4, s4, t5
    mulh t5, t1, t4
    add s5, s5, t5
    mul t5, t2, t4
    add s6, s6, t5
    mulh t5, t3, t4
    add s7, s7, t5
    lui t6, %hi(bedroll_prime)
    lw t4, %lo(bedroll_prime + 0)(t6)
    lui t5, 137614
    addi t5, t5, 576
    mul t5, t5, s3
    srli t0, t5, 6
    srli t1, t5, 1
    mul t5, t0, t4
    add s3, s3, t5
    mulh t5, t1, t4
    add s2, s2, t5
    slli t5, s2, 27
    sub s3, s3, t5
    srli s3, s3, 26
    slli s2, s2, 1
    add s3, s3, s2
    add s1, s1, s3
    srai s3, s3, 27
    add s0, s0, s3
    lw t4, %lo(bedroll_prime + 4)(t6)
    mul t5, t0, t4
    add s1, s1, t5
    mulh t5, t1, t4
    add s0, s0, t5
    lui t5, 137614
    addi t5, t5, 576
    mul t5, t5, s1
    srli t2, t5, 6
    srli t3, t5, 1
    mul t5, t2, t4
    add ra, ra, t5
    mulh t5, t3, t4
    add tp, tp, t5
    lw t4, %lo(bedroll_prime + 0)(t6)
    mul t5, t2, t4
    add s1, s1, t5
    mulh t5, t3, t4
    add s0, s0, t5
    slli t5, s0, 27
    sub s1, s1, t5
    srli s1, s1, 26
    slli s0, s0, 1
    add s1, s1, s0
    add ra, ra, s1
    srai s1, s1, 27
    add tp, tp, s1
    lw t4, %lo(bedroll_prime + 8)(t6)
    mul t5, t0, t4
    add ra, ra, t5
    mulh t5, t1, t4
    add tp, tp, t5
    mul t5, t2, t4
    add gp, gp, t5
    mulh t5, t3, t4
    add a7, a7, t5
    lw t4, %lo(bedroll_prime + 12)(t6)
    mul t5, t0, t4
    add gp, gp, t5
    mulh t5, t1, t4
    add a7, a7, t5
    mul t5, t2, t4
    add a6, a6, t5
    mulh t5, t3, t4
    add a5, a5, t5
    lw t4, %lo(bedroll_prime + 16)(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, %lo(bedroll_prime + 20)(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t4, %lo(bedroll_prime + 24)(t6)
    mul t5, t0, t4
    add a2, a2, t5
    mulh t5, t1, t4
    add a1, a1, t5
    mul t5, t2, t4
    add s8, s8, t5
    mulh t5, t3, t4
    add s9, s9, t5
    lw t4, %lo(bedroll_prime + 28)(t6)
    mul t5, t0, t4
    add s8, s8, t5
    mulh t5, t1, t4
    add s9, s9, t5
    mul t5, t2, t4
    add s10, s10, t5
    mulh t5, t3, t4
    add s11, s11, t5
    lw t4, %lo(bedroll_prime + 32)(t6)
    mul t5, t0, t4
    add s10, s10, t5
    mulh t5, t1, t4
    add s11, s11, t5
    mul t5, t2, t4
    add s4, s4, t5
    mulh t5, t3, t4
    add s5, s5, t5
    lw t4, %lo(bedroll_prime + 36)(t6)
    mul t5, t0, t4
    add s4, s4, t5
    mulh t5, t1, t4
    add s5, s5, t5
    mul t5, t2, t4
    add s6, s6, t5
    mulh t5, t3, t4
    add s7, s7, t5
    lw t6, 56(sp)
    lw t0, 24(t6)
    lw t2, 28(t6)
    lw t6, 60(sp)
    slli t1, t0, 5
    slli t3, t2, 5
    lw t4, 0(t6)
    mul t5, t0, t4
    add ra, ra, t5
    mulh t5, t1, t4
    add tp, tp, t5
    mul t5, t2, t4
    add gp, gp, t5
    mulh t5, t3, t4
    add a7, a7, t5
    lw t4, 4(t6)
    mul t5, t0, t4
    add gp, gp, t5
    mulh t5, t1, t4
    add a7, a7, t5
    mul t5, t2, t4
    add a6, a6, t5
    mulh t5, t3, t4
    add a5, a5, t5
    lw t4, 8(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, 12(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t4, 16(t6)
    mul t5, t0, t4
    add a2, a2, t5
    mulh t5, t1, t4
    add a1, a1, t5
    mul t5, t2, t4
    add s8, s8, t5
    mulh t5, t3, t4
    add s9, s9, t5
    lw t4, 20(t6)
    mul t5, t0, t4
    add s8, s8, t5
    mulh t5, t1, t4
    add s9, s9, t5
    mul t5, t2, t4
    add s10, s10, t5
    mulh t5, t3, t4
    add s11, s11, t5
    lw t4, 24(t6)
    mul t5, t0, t4
    add s10, s10, t5
    mulh t5, t1, t4
    add s11, s11, t5
    mul t5, t2, t4
    add s4, s4, t5
    mulh t5, t3, t4
    add s5, s5, t5
    lw t4, 28(t6)
    mul t5, t0, t4
    add s4, s4, t5
    mulh t5, t1, t4
    add s5, s5, t5
    mul t5, t2, t4
    add s6, s6, t5
    mulh t5, t3, t4
    add s7, s7, t5
    lw t4, 32(t6)
    mul t5, t0, t4
    add s6, s6, t5
    mulh t5, t1, t4
    add s7, s7, t5
    mul s0, t2, t4
    mulh s1, t3, t4
    lw t4, 36(t6)
    mul t5, t0, t4
    add s0, s0, t5
    mulh t5, t1, t4
    add s1, s1, t5
    mul s2, t2, t4
    mulh s3, t3, t4
    lw t6, 64(sp)
    lw t0, 24(t6)
    lw t2, 28(t6)
    lw t6, 68(sp)
    slli t1, t0, 5
    slli t3, t2, 5
    lw t4, 0(t6)
    mul t5, t0, t4
    add ra, ra, t5
    mulh t5, t1, t4
    add tp, tp, t5
    mul t5, t2, t4
    add gp, gp, t5
    mulh t5, t3, t4
    add a7, a7, t5
    lw t4, 4(t6)
    mul t5, t0, t4
    add gp, gp, t5
    mulh t5, t1, t4
    add a7, a7, t5
    mul t5, t2, t4
    add a6, a6, t5
    mulh t5, t3, t4
    add a5, a5, t5
    lw t4, 8(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, 12(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t4, 16(t6)
    mul t5, t0, t4
    add a2, a2, t5
    mulh t5, t1, t4
    add a1, a1, t5
    mul t5, t2, t4
    add s8, s8, t5
    mulh t5, t3, t4
    add s9, s9, t5
    lw t4, 20(t6)
    mul t5, t0, t4
    add s8, s8, t5
    mulh t5, t1, t4
    add s9, s9, t5
    mul t5, t2, t4
    add s10, s10, t5
    mulh t5, t3, t4
    add s11, s11, t5
    lw t4, 24(t6)
    mul t5, t0, t4
    add s10, s10, t5
    mulh t5, t1, t4
    add s11, s11, t5
    mul t5, t2, t4
    add s4, s4, t5
    mulh t5, t3, t4
    add s5, s5, t5
    lw t4, 28(t6)
    mul t5, t0, t4
    add s4, s4, t5
    mulh t5, t1, t4
    add s5, s5, t5
    mul t5, t2, t4
    add s6, s6, t5
    mulh t5, t3, t4
    add s7, s7, t5
    lw t4, 32(t6)
    mul t5, t0, t4
    add s6, s6, t5
    mulh t5, t1, t4
    add s7, s7, t5
    mul t5, t2, t4
    add s0, s0, t5
    mulh t5, t3, t4
    add s1, s1, t5
    lw t4, 36(t6)
    mul t5, t0, t4
    add s0, s0, t5
    mulh t5, t1, t4
    add s1, s1, t5
    mul t5, t2, t4
    add s2, s2, t5
    mulh t5, t3, t4
    add s3, s3, t5
    lui t6, %hi(bedroll_prime)
    lw t4, %lo(bedroll_prime + 0)(t6)
    lui t5, 137614
    addi t5, t5, 576
    mul t5, t5, ra
    srli t0, t5, 6
    srli t1, t5, 1
    mul t5, t0, t4
    add ra, ra, t5
    mulh t5, t1, t4
    add tp, tp, t5
    slli t5, tp, 27
    sub ra, ra, t5
    srli ra, ra, 26
    slli tp, tp, 1
    add ra, ra, tp
    add gp, gp, ra
    srai ra, ra, 27
    add a7, a7, ra
    lw t4, %lo(bedroll_prime + 4)(t6)
    mul t5, t0, t4
    add gp, gp, t5
    mulh t5, t1, t4
    add a7, a7, t5
    lui t5, 137614
    addi t5, t5, 576
    mul t5, t5, gp
    srli t2, t5, 6
    srli t3, t5, 1
    mul t5, t2, t4
    add a6, a6, t5
    mulh t5, t3, t4
    add a5, a5, t5
    lw t4, %lo(bedroll_prime + 0)(t6)
    mul t5, t2, t4
    add gp, gp, t5
    mulh t5, t3, t4
    add a7, a7, t5
    slli t5, a7, 27
    sub gp, gp, t5
    srli gp, gp, 26
    slli a7, a7, 1
    add gp, gp, a7
    add a6, a6, gp
    srai gp, gp, 27
    add a5, a5, gp
    lw t4, %lo(bedroll_prime + 8)(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, %lo(bedroll_prime + 12)(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t4, %lo(bedroll_prime + 16)(t6)
    mul t5, t0, t4
    add a2, a2, t5
    mulh t5, t1, t4
    add a1, a1, t5
    mul t5, t2, t4
    add s8, s8, t5
    mulh t5, t3, t4
    add s9, s9, t5
    lw t4, %lo(bedroll_prime + 20)(t6)
    mul t5, t0, t4
    add s8, s8, t5
    mulh t5, t1, t4
    add s9, s9, t5
    mul t5, t2, t4
    add s10, s10, t5
    mulh t5, t3, t4
    add s11, s11, t5
    lw t4, %lo(bedroll_prime + 24)(t6)
    mul t5, t0, t4
    add s10, s10, t5
    mulh t5, t1, t4
    add s11, s11, t5
    mul t5, t2, t4
    add s4, s4, t5
    mulh t5, t3, t4
    add s5, s5, t5
    lw t4, %lo(bedroll_prime + 28)(t6)
    mul t5, t0, t4
    add s4, s4, t5
    mulh t5, t1, t4
    add s5, s5, t5
    mul t5, t2, t4
    add s6, s6, t5
    mulh t5, t3, t4
    add s7, s7, t5
    lw t4, %lo(bedroll_prime + 32)(t6)
    mul t5, t0, t4
    add s6, s6, t5
    mulh t5, t1, t4
    add s7, s7, t5
    mul t5, t2, t4
    add s0, s0, t5
    mulh t5, t3, t4
    add s1, s1, t5
    lw t4, %lo(bedroll_prime + 36)(t6)
    mul t5, t0, t4
    add s0, s0, t5
    mulh t5, t1, t4
    add s1, s1, t5
    mul t5, t2, t4
    add s2, s2, t5
    mulh t5, t3, t4
    add s3, s3, t5
    lw t6, 56(sp)
    lw t0, 32(t6)
    lw t2, 36(t6)
    lw t6, 60(sp)
    slli t1, t0, 5
    slli t3, t2, 5
    lw t4, 0(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, 4(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t4, 8(t6)
    mul t5, t0, t4
    add a2, a2, t5
    mulh t5, t1, t4
    add a1, a1, t5
    mul t5, t2, t4
    add s8, s8, t5
    mulh t5, t3, t4
    add s9, s9, t5
    lw t4, 12(t6)
    mul t5, t0, t4
    add s8, s8, t5
    mulh t5, t1, t4
    add s9, s9, t5
    mul t5, t2, t4
    add s10, s10, t5
    mulh t5, t3, t4
    add s11, s11, t5
    lw t4, 16(t6)
    mul t5, t0, t4
    add s10, s10, t5
    mulh t5, t1, t4
    add s11, s11, t5
    mul t5, t2, t4
    add s4, s4, t5
    mulh t5, t3, t4
    add s5, s5, t5
    lw t4, 20(t6)
    mul t5, t0, t4
    add s4, s4, t5
    mulh t5, t1, t4
    add s5, s5, t5
    mul t5, t2, t4
    add s6, s6, t5
    mulh t5, t3, t4
    add s7, s7, t5
    lw t4, 24(t6)
    mul t5, t0, t4
    add s6, s6, t5
    mulh t5, t1, t4
    add s7, s7, t5
    mul t5, t2, t4
    add s0, s0, t5
    mulh t5, t3, t4
    add s1, s1, t5
    lw t4, 28(t6)
    mul t5, t0, t4
    add s0, s0, t5
    mulh t5, t1, t4
    add s1, s1, t5
    mul t5, t2, t4
    add s2, s2, t5
    mulh t5, t3, t4
    add s3, s3, t5
    lw t4, 32(t6)
    mul t5, t0, t4
    add s2, s2, t5
    mulh t5, t1, t4
    add s3, s3, t5
    mul a7, t2, t4
    mulh gp, t3, t4
    lw t4, 36(t6)
    mul t5, t0, t4
    add a7, a7, t5
    mulh t5, t1, t4
    add gp, gp, t5
    mul tp, t2, t4
    mulh ra, t3, t4
    lw t6, 64(sp)
    lw t0, 32(t6)
    lw t2, 36(t6)
    lw t6, 68(sp)
    slli t1, t0, 5
    slli t3, t2, 5
    lw t4, 0(t6)
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    lw t4, 4(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t4, 8(t6)
    mul t5, t0, t4
    add a2, a2, t5
    mulh t5, t1, t4
    add a1, a1, t5
    mul t5, t2, t4
    add s8, s8, t5
    mulh t5, t3, t4
    add s9, s9, t5
    lw t4, 12(t6)
    mul t5, t0, t4
    add s8, s8, t5
    mulh t5, t1, t4
    add s9, s9, t5
    mul t5, t2, t4
    add s10, s10, t5
    mulh t5, t3, t4
    add s11, s11, t5
    lw t4, 16(t6)
    mul t5, t0, t4
    add s10, s10, t5
    mulh t5, t1, t4
    add s11, s11, t5
    mul t5, t2, t4
    add s4, s4, t5
    mulh t5, t3, t4
    add s5, s5, t5
    lw t4, 20(t6)
    mul t5, t0, t4
    add s4, s4, t5
    mulh t5, t1, t4
    add s5, s5, t5
    mul t5, t2, t4
    add s6, s6, t5
    mulh t5, t3, t4
    add s7, s7, t5
    lw t4, 24(t6)
    mul t5, t0, t4
    add s6, s6, t5
    mulh t5, t1, t4
    add s7, s7, t5
    mul t5, t2, t4
    add s0, s0, t5
    mulh t5, t3, t4
    add s1, s1, t5
    lw t4, 28(t6)
    mul t5, t0, t4
    add s0, s0, t5
    mulh t5, t1, t4
    add s1, s1, t5
    mul t5, t2, t4
    add s2, s2, t5
    mulh t5, t3, t4
    add s3, s3, t5
    lw t4, 32(t6)
    mul t5, t0, t4
    add s2, s2, t5
    mulh t5, t1, t4
    add s3, s3, t5
    mul t5, t2, t4
    add a7, a7, t5
    mulh t5, t3, t4
    add gp, gp, t5
    lw t4, 36(t6)
    mul t5, t0, t4
    add a7, a7, t5
    mulh t5, t1, t4
    add gp, gp, t5
    mul t5, t2, t4
    add tp, tp, t5
    mulh t5, t3, t4
    add ra, ra, t5
    lui t6, %hi(bedroll_prime)
    lw t4, %lo(bedroll_prime + 0)(t6)
    lui t5, 137614
    addi t5, t5, 576
    mul t5, t5, a6
    srli t0, t5, 6
    srli t1, t5, 1
    mul t5, t0, t4
    add a6, a6, t5
    mulh t5, t1, t4
    add a5, a5, t5
    slli t5, a5, 27
    sub a6, a6, t5
    srli a6, a6, 26
    slli a5, a5, 1
    add a6, a6, a5
    add a4, a4, a6
    srai a6, a6, 27
    add a3, a3, a6
    lw t4, %lo(bedroll_prime + 4)(t6)
    mul t5, t0, t4
    add a4, a4, t5
    mulh t5, t1, t4
    add a3, a3, t5
    lui t5, 137614
    addi t5, t5, 576
    mul t5, t5, a4
    srli t2, t5, 6
    srli t3, t5, 1
    mul t5, t2, t4
    add a2, a2, t5
    mulh t5, t3, t4
    add a1, a1, t5
    lw t4, %lo(bedroll_prime + 0)(t6)
    mul t5, t2, t4
    add a4, a4, t5
    mulh t5, t3, t4
    add a3, a3, t5
    slli t5, a3, 27
    sub a4, a4, t5
    srli a4, a4, 26
    slli a3, a3, 1
    add a4, a4, a3
    add a2, a2, a4
    srai a4, a4, 27
    add a1, a1, a4
    lw t4, %lo(bedroll_prime + 8)(t6)
    mul t5, t0, t4
    add a2, a2, t5
    mulh t5, t1, t4
    add a1, a1, t5
    mul t5, t2, t4
    add s8, s8, t5
    mulh t5, t3, t4
    add s9, s9, t5
    lw t4, %lo(bedroll_prime + 12)(t6)
    mul t5, t0, t4
    add s8, s8, t5
    mulh t5, t1, t4
    add s9, s9, t5
    mul t5, t2, t4
    add s10, s10, t5
    mulh t5, t3, t4
    add s11, s11, t5
    lw t4, %lo(bedroll_prime + 16)(t6)
    mul t5, t0, t4
    add s10, s10, t5
    mulh t5, t1, t4
    add s11, s11, t5
    mul t5, t2, t4
    add s4, s4, t5
    mulh t5, t3, t4
    add s5, s5, t5
    lw t4, %lo(bedroll_prime + 20)(t6)
    mul t5, t0, t4
    add s4, s4, t5
    mulh t5, t1, t4
    add s5, s5, t5
    mul t5, t2, t4
    add s6, s6, t5
    mulh t5, t3, t4
    add s7, s7, t5
    lw t4, %lo(bedroll_prime + 24)(t6)
    mul t5, t0, t4
    add s6, s6, t5
    mulh t5, t1, t4
    add s7, s7, t5
    mul t5, t2, t4
    add s0, s0, t5
    mulh t5, t3, t4
    add s1, s1, t5
    lw t4, %lo(bedroll_prime + 28)(t6)
    mul t5, t0, t4
    add s0, s0, t5
    mulh t5, t1, t4
    add s1, s1, t5
    mul t5, t2, t4
    add s2, s2, t5
    mulh t5, t3, t4
    add s3, s3, t5
    lw t4, %lo(bedroll_prime + 32)(t6)
    mul t5, t0, t4
    add s2, s2, t5
    mulh t5, t1, t4
    add s3, s3, t5
    mul t5, t2, t4
    add a7, a7, t5
    mulh t5, t3, t4
    add gp, gp, t5
    lw t4, %lo(bedroll_prime + 36)(t6)
    mul t5, t0, t4
    add a7, a7, t5
    mulh t5, t1, t4
    add gp, gp, t5
    mul t5, t2, t4
    add tp, tp, t5
    mulh t5, t3, t4
    add ra, ra, t5
    lw t6, 52(sp)
    slli t5, a1, 27
    sub a2, a2, t5
    slli t4, a2, 6
    srli t4, t4, 6
    srli a2, a2, 26
    slli a1, a1, 1
    add a2, a2, a1
    add s8, s8, a2
    srai a2, a2, 27
    add s9, s9, a2
    sw t4, 0(t6)
    slli t5, s9, 27
    sub s8, s8, t5
    slli t4, s8, 6
    srli t4, t4, 6
    srli s8, s8, 26
    slli s9, s9, 1
    add s8, s8, s9
    add s10, s10, s8
    srai s8, s8, 27
    add s11, s11, s8
    sw t4, 4(t6)
    slli t5, s11, 27
    sub s10, s10, t5
    slli t4, s10, 6
    srli t4, t4, 6
    srli s10, s10, 26
    slli s11, s11, 1
    add s10, s10, s11
    add s4, s4, s10
    srai s10, s10, 27
    add s5, s5, s10
    sw t4, 8(t6)
    slli t5, s5, 27
    sub s4, s4, t5
    slli t4, s4, 6
    srli t4, t4, 6
    srli s4, s4, 26
    slli s5, s5, 1
    add s4, s4, s5
    add s6, s6, s4
    srai s4, s4, 27
    add s7, s7, s4
    sw t4, 12(t6)
    slli t5, s7, 27
    sub s6, s6, t5
    slli t4, s6, 6
    srli t4, t4, 6
    srli s6, s6, 26
    slli s7, s7, 1
    add s6, s6, s7
    add s0, s0, s6
    srai s6, s6, 27
    add s1, s1, s6
    sw t4, 16(t6)
    slli t5, s1, 27
    sub s0, s0, t5
    slli t4, s0, 6
    srli t4, t4, 6
    srli s0, s0, 26
    slli s1, s1, 1
    add s0, s0, s1
    add s2, s2, s0
    srai s0, s0, 27
    add s3, s3, s0
    sw t4, 20(t6)
    slli t5, s3, 27
    sub s2, s2, t5
    slli t4, s2, 6
    srli t4, t4, 6
    srli s2, s2, 26
    slli s3, s3, 1
    add s2, s2, s3
    add a7, a7, s2
    srai s2, s2, 27
    add gp, gp, s2
    sw t4, 24(t6)
    slli t5, gp, 27
    sub a7, a7, t5
    slli t4, a7, 6
    srli t4, t4, 6
    srli a7, a7, 26
    slli gp, gp, 1
    add a7, a7, gp
    add tp, tp, a7
    srai a7, a7, 27
    add ra, ra, a7
    sw t4, 28(t6)
    slli t5, ra, 27
    sub tp, tp, t5
    slli t4, tp, 6
    srli t4, t4, 6
    srli tp, tp, 26
    slli ra, ra, 1
    add tp, tp, ra
    sw tp, 36(t6)
    sw t4, 32(t6)
    lw ra, 0(sp)
    lw s0, 4(sp)
    lw s1, 8(sp)
    lw s2, 12(sp)
    lw s3, 16(sp)
    lw s4, 20(sp)
    lw s5, 24(sp)
    lw s6, 28(sp)
    lw s7, 32(sp)
    lw s8, 36(sp)
    lw s9, 40(sp)
    lw s10, 44(sp)
    lw s11, 48(sp)
    addi sp, sp, 72
    ret
.size bedroll_cross, . - bedroll_cross
