"""Shows that a replayed row is the machine's own for every instruction, so that a liar's rows pass Execute."""

import random

from bedroll.bitvm.lie.replay import replay
from bedroll.riscv import Program, Trace
from tests.framework import assembler
from tests.framework.assembler import DATA, RODATA, encode, layout, pack

SEED = 20261121


def test_every_instruction_is_replayed_as_the_machine_ran_it():
    rng, seen = random.Random(SEED), set()
    print(f"seed {SEED}")
    for _ in range(40):
        code = []
        for register in range(5, 16):
            value = rng.choice([0, 1, 31, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, rng.getrandbits(32)])
            code += [encode("lui", register, (value + 0x800) >> 12), encode("addi", register, register, value)]
        code += [encode("lui", 20, DATA >> 12), encode("lui", 21, RODATA >> 12)]
        for _ in range(80):
            kind = rng.choice("rrrismmbjuf")
            rd, one, two = rng.choice([0, *range(5, 16)]), rng.randrange(5, 16), rng.randrange(5, 16)
            if kind == "r":
                code.append(encode(rng.choice(list(assembler.R_TYPE)), rd, one, two))
            elif kind == "i":
                code.append(encode(rng.choice(list(assembler.I_TYPE)), rd, one, rng.randrange(-2048, 2048)))
            elif kind == "s":
                code.append(encode(rng.choice(list(assembler.SHIFT)), rd, one, rng.randrange(32)))
            elif kind == "m":
                name = rng.choice([*assembler.LOAD, *assembler.STORE])
                size = {"b": 1, "h": 2, "w": 4}[name[1]]
                base = 20 if name in assembler.STORE else rng.choice([20, 21])
                code.append(encode(name, rd if name in assembler.LOAD else one, base, size * rng.randrange(32 // size)))
            elif kind == "b":
                code.append(encode(rng.choice(list(assembler.BRANCH)), one, two, 4 * rng.choice([1, 2, 3])))
            elif kind == "j":
                code.append(encode("jal", rng.choice([0, 1]), 4 * rng.choice([1, 2])))
            elif kind == "u":
                code.append(encode(rng.choice(["lui", "auipc"]), rd, rng.getrandbits(20)))
            else:
                code.append(encode("fence"))
        code += [encode("addi", 0, 0, 0)] * 4 + [encode("auipc", 6, 0), encode("jalr", 1, 6, 8)]
        code += [encode("addi", 17, 0, 93), encode("ecall")]
        raw = layout(code, data=rng.randbytes(32), rodata=rng.randbytes(32), input_bytes=4)
        trace = Trace(Program(raw), pack([0]), instance_id=bytes(32), exponent=8)
        for step in range(1, trace.last_step + 1):
            row = trace.row_at(step)
            assert replay(row) == row, (row.mnemonic, row)
            seen.add(row.mnemonic)
    assert len(seen) >= 46, sorted(seen)
