"""How fast the RISC-V machine is on one core: plain runs, recorded runs, and the time to find one hash and one row."""

import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bedroll.riscv import Program, Trace  # noqa: E402
from tests.framework import assembler  # noqa: E402

EXPONENT = 26
RUNS = 3
QUERIES = 40

# Multiply and accumulate over four words, as field arithmetic does: the mix of instructions that a pairing was measured
# to have (add 35 %, sltu 21 %, mul and mulhu 8 % each, lw 8 %, sw 6 %).
LIMB = """
    lw t0, {offset}(s0)
    lw t1, {offset}(s1)
    mul t2, t0, s2
    mulhu t3, t0, s2
    add a0, a0, t2
    sltu t4, a0, t2
    add t3, t3, t4
    add a1, a1, t3
    sltu t5, a1, t3
    add a2, a2, t5
    mul t2, t1, s3
    mulhu t3, t1, s3
    add a0, a0, t2
    sltu t4, a0, t2
    add t3, t3, t4
    add a1, a1, t3
    sltu t5, a1, t3
    add a2, a2, t5
    add a3, a3, a2
    sltu t5, a3, a2
    sw a0, {offset}(s0)
"""


def program(rounds: int) -> bytes:
    """A program that goes round its loop so often, then halts with 1."""
    limbs = "".join(LIMB.format(offset=4 * limb) for limb in range(8))
    setup = (
        f"li s0, {assembler.STACK}\nli s1, {assembler.DATA}\nli s2, 0x9e3779b9\nli s3, 0xd87cfd47\nli s4, {rounds}\n"
    )
    text = setup + "loop:\n" + limbs + "addi s4, s4, -1\nbne s4, zero, loop\nli a0, 1\nli a7, 93\necall\n"
    return assembler.layout(assembler.assemble(text), data=bytes(range(64)))


def best(call) -> float:
    """Seconds of the fastest of a few runs."""
    seconds = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def milliseconds(call, steps: list[int]) -> str:
    """Mean and worst of queries at these steps."""
    spent = []
    for step in steps:
        begun = time.perf_counter()
        call(step)
        spent.append(1e3 * (time.perf_counter() - begun))
    return f"mean {statistics.mean(spent):.1f} ms, worst {max(spent):.1f} ms"


def main() -> None:
    """Print one line a figure."""
    rounds = 2**EXPONENT // 170 - 1
    made = Program(program(rounds))
    steps = made.run().step
    print(f"{steps:,} steps, T = {EXPONENT}")
    print(f"plain: {steps / best(made.run) / 1e6:.1f} M steps/s (target 130)")
    print(f"profile: {steps / best(made.profile) / 1e6:.1f} M steps/s")
    begun = time.perf_counter()
    trace = Trace(made, instance_id=bytes(32), exponent=EXPONENT)
    seconds = time.perf_counter() - begun
    print(f"recorded, with the hash chain: {2**EXPONENT / seconds / 1e6:.2f} M steps/s (target 10)")
    asked = [1 + number * 0x9E3779B97F4A7C15 % 2**EXPONENT for number in range(QUERIES)]
    print(f"hash_at: {milliseconds(trace.hash_at, asked)} (target 50)")
    print(f"row_at: {milliseconds(trace.row_at, asked)} (target 500)")


if __name__ == "__main__":
    main()
