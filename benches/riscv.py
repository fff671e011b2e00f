"""How fast the RISC-V machine is on one core: plain runs, recorded runs, the time to find one hash and one row, memory.

Two programs: a loop with the mix of instructions that a pairing has, and the compiled verifier on a real proof.
"""

import resource
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bedroll.riscv import Program, Trace  # noqa: E402
from bedroll.riscv.verifier import instance  # noqa: E402
from tests.framework import assembler  # noqa: E402
from tests.framework.groth16 import arkworks  # noqa: E402

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
    """Seconds of CPU time of the fastest of a few runs; other programs on the machine count little."""
    seconds = []
    for _ in range(RUNS):
        begun = time.process_time()
        call()
        seconds.append(time.process_time() - begun)
    return min(seconds)


def milliseconds(call, steps: list[int]) -> str:
    """Mean and worst of queries at these steps."""
    spent = []
    for step in steps:
        begun = time.process_time()
        call(step)
        spent.append(1e3 * (time.process_time() - begun))
    return f"mean {statistics.mean(spent):.1f} ms, worst {max(spent):.1f} ms"


def measure(name: str, made: Program, given: bytes) -> None:
    """Print the figures of one program."""
    steps = made.run(given).step
    print(f"{name}: {steps:,} steps, T = {EXPONENT}")
    print(f"plain: {steps / best(lambda: made.run(given)) / 1e6:.1f} M steps/s (target 130)")
    print(f"profile: {steps / best(lambda: made.profile(given)) / 1e6:.1f} M steps/s")
    print(f"dependence on the input: {steps / best(lambda: made.dependence(given)) / 1e6:.1f} M steps/s")
    begun = time.process_time()
    trace = Trace(made, given, instance_id=bytes(32), exponent=EXPONENT)
    seconds = time.process_time() - begun
    print(f"recorded, with the hash chain: {2**EXPONENT / seconds / 1e6:.2f} M steps/s (target 10)")
    asked = [1 + number * 0x9E3779B97F4A7C15 % steps for number in range(QUERIES)]
    print(f"hash_at, before the halt: {milliseconds(trace.hash_at, asked)} (target 50)")
    print(f"row_at, before the halt: {milliseconds(trace.row_at, asked)} (target 500)")
    asked = [steps + number * 0x9E3779B97F4A7C15 % (2**EXPONENT - steps) for number in range(QUERIES)]
    print(f"hash_at, after the halt: {milliseconds(trace.hash_at, asked)} (target 50)")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak of the whole process so far: {peak:.0f} MiB (target 256)")


def main() -> None:
    """Print one line a figure."""
    sample = arkworks()[0]
    measure("verifier", Program(instance(sample.key, sample.inputs)), sample.proof)
    measure("loop", Program(program(2**EXPONENT // 170 - 1)), b"")


if __name__ == "__main__":
    main()
