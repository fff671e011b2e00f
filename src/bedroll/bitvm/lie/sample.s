# The program that the demo and the tests dispute. Input: 32 words, of which it reads 8. It accepts if
#   word_2 = 3 × word_0 + word_1,  word_3 ÷ word_1 = word_4,  and the bytes of word_5 sum to word_6.
# The 3 is declared read-only at 0x30000. An odd word_7 makes it trap: it then loads from address 2 of the data.
li s0, 0x50000
li s1, 0x30000
li s2, 0x20000
lw t0, 0(s0)
lw t1, 4(s0)
lw t2, 8(s0)
lw t3, 12(s0)
lw t4, 16(s0)
lw t5, 20(s0)
lw t6, 24(s0)
lw a1, 28(s0)
andi a1, a1, 1
beq a1, zero, sound
lw a1, 2(s2)
sound:
lw a2, 0(s1)
mul a3, a2, t0
add a3, a3, t1
sw a3, 0(s2)
lw a4, 4(s2)
li sp, 0x40040
lw a5, 0(sp)
add a4, a4, a5
sb t0, 1(s2)
lw a5, 0(s2)
sw a3, 0(s2)
li a6, 0
li s3, 4
again:
andi s4, t5, 255
add a6, a6, s4
srli t5, t5, 8
addi s3, s3, -1
bne s3, zero, again
lw a3, 0(s2)
bne a3, t2, refuse
divu s5, t3, t1
bne s5, t4, refuse
bne a6, t6, refuse
addi a0, zero, 1
jal zero, halt
refuse:
addi a0, zero, 0
halt:
addi a7, zero, 93
ecall
