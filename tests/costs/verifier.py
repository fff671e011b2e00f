"""What the verifier program costs in a dispute: steps by part, code, memory."""

from collections import Counter

from bedroll.riscv import Call, Kind, Profile, Program
from bedroll.riscv.verifier import instance
from tests.framework.groth16 import arkworks

CHUNK_WORDS = 100
PARTS = {
    "points_steps": ("::root::point", "::root::twist_point"),
    "miller_loop_steps": ("::miller",),
    "final_power_steps": ("::final_power",),
}


def profiled() -> tuple[Program, Profile]:
    """The program of one statement, and its run on a valid proof."""
    sample = arkworks()[0]
    program = Program(instance(sample.key, sample.inputs))
    return program, program.profile(sample.proof)


def verifier_costs() -> dict[str, int]:
    """Each figure by its name in costs.toml."""
    program, profile = profiled()
    code = next(section for section in program.sections() if section.kind is Kind.CODE)
    parts = steps_of(profile.calls)
    return {
        "steps": profile.outcome.step,
        **{name: parts[name] for name in PARTS},
        "code_words": code.size_bytes // 4,
        "code_chunks": -(-code.size_bytes // (4 * CHUNK_WORDS)),
        "constant_words": sum(s.size_bytes for s in program.sections() if s.kind is Kind.READ_ONLY) // 4,
        "stack_bytes": profile.stack_bytes,
        "touched_words": profile.words_touched,
    }


def steps_of(call: Call) -> Counter[str]:
    """Steps in the functions that are parts, with all that they call."""
    for name, ends in PARTS.items():
        if call.name.endswith(ends):
            return Counter({name: call.steps})
    return sum((steps_of(each) for each in call.inside), Counter())
