"""Execute's bodies over committed rows, without signatures: for tests of what they accept."""

from bedroll.bitcoin.script import encode_number
from bedroll.bitvm.interpreter import Cost, ScriptFailure, execute
from bedroll.bitvm.leaf import Ground
from bedroll.bitvm.leaf.execute import Instruction, execute_body, instruction_of, revealed_messages
from bedroll.bitvm.leaf.execute.hint import derive_hints, hint_fields
from bedroll.bitvm.message import Layout, row_messages
from bedroll.bitvm.search import Shape
from bedroll.riscv import Program, Row
from tests.reference.riscv_step import Place


class Bench:
    """A program's Execute leaves.

    Args:
        program: Whose.
        exponent: T.
    """

    def __init__(self, program: Program, exponent: int) -> None:
        self.ground = Ground.of(program, bytes(20))
        self.layout = Layout(Shape(exponent), self.ground.input_words)
        self._bodies: dict[str, bytes] = {}

    def place(self) -> Place:
        """For the reference."""
        territory = self.ground.territory
        loads = [(span.start, span.end) for span in territory.loads]
        stores = [(span.start, span.end) for span in territory.stores]
        code = (territory.code.start, territory.code.end)
        return Place(territory.entry, code, loads, stores, self.layout.shape.steps)

    def messages(self, row: Row) -> dict[str, bytes]:
        """A row's messages, with the answers that lead to it."""
        found = row_messages(self.layout, row)
        for answer, digit in zip(self.layout.answers(1), self.layout.shape.digits(row.step - 1), strict=True):
            found[answer.label] = bytes((digit,))
        return found

    def values(self, instruction: Instruction, messages: dict[str, bytes]) -> dict[str, dict[str, int]]:
        """Fields of what an instruction's leaf reveals."""
        return {each.label: each.decode(messages[each.label]) for each in revealed_messages(self.layout, instruction)}

    def run(
        self, instruction: Instruction, messages: dict[str, bytes], hints: dict[str, int] | None = None
    ) -> Cost | None:
        """Cost of a success; None where the body refuses."""
        if hints is None:
            hints = derive_hints(instruction, self.values(instruction, messages))
        items = [encode_number(hints[hint.name]) for hint in hint_fields(instruction)]
        for message in revealed_messages(self.layout, instruction):
            items += (encode_number(digit) for digit in message.digits(messages[message.label]))
        try:
            return execute(self.body(instruction), items)
        except ScriptFailure:
            return None

    def body(self, instruction: Instruction) -> bytes:
        """Of an instruction's leaf."""
        if instruction.name not in self._bodies:
            self._bodies[instruction.name] = execute_body(self.layout, self.ground.territory, instruction)
        return self._bodies[instruction.name]


def instruction_at(row: Row) -> Instruction:
    """Which leaf a row needs."""
    return instruction_of(row.read_pc.opcode)
