"""Execute: one leaf an instruction, which the prover's committed row must pass.

Reads: a layout, a program.  Gives: `execute_leaf`.  Never: looks at hashes: facts and equivocation do.
Spec: docs/spec/bitvm.md#execute
"""

from collections.abc import Mapping
from functools import lru_cache, partial

from bedroll.bitcoin.opcode import Opcode as Op

from ...message import Layout, Message
from ..ground import Territory
from ..leaf import BOTH, Leaf, build_leaf
from .body import WRITERS
from .compute import COMPUTE, Compute
from .frame import Frame
from .hint import derive_hints, hint_fields
from .instruction import INSTRUCTIONS, Format, Instruction, instruction_of


def revealed_messages(layout: Layout, instruction: Instruction) -> tuple[Message, ...]:
    """Messages whose digits the body of an instruction's leaf needs, deepest first."""
    labels = [*instruction.reads, *(("witness",) if instruction.divides else ()), "write", "read_pc", "step"]
    return (*(layout.messages[label] for label in labels), *layout.answers(1))


def execute_body(
    layout: Layout, territory: Territory, instruction: Instruction, compute: Mapping[str, Compute] = COMPUTE
) -> bytes:
    """Script over the revealed digits; hints lie below them. Another form of `compute` is for comparison only."""
    hints = [hint.name for hint in hint_fields(instruction)]
    frame = Frame.of(layout, territory, revealed_messages(layout, instruction), hints, compute)
    frame.check_step(instruction.reads)
    if instruction.format is not Format.ECALL:
        frame.asm.verify(frame.asm.calc(Op.OP_NOT, frame.is_last_step()))
    WRITERS[instruction.format](frame, instruction)
    return frame.asm.finish()


@lru_cache(maxsize=512)
def execute_leaf(layout: Layout, territory: Territory, instruction: Instruction) -> Leaf:
    """Leaf of an instruction."""
    return build_leaf(
        f"execute_{instruction.name}",
        f"the committed row is a step of {instruction.name}, and its number is that of the answers",
        BOTH,
        verified=(layout.messages["left_hash"], layout.messages["right_hash"]),
        revealed=revealed_messages(layout, instruction),
        hints=hint_fields(instruction),
        body=execute_body(layout, territory, instruction),
        derive=partial(derive_hints, instruction),
    )


__all__ = ["INSTRUCTIONS", "Instruction", "execute_body", "execute_leaf", "instruction_of", "revealed_messages"]
