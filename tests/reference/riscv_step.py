"""Whether a committed row is a step that a program may make: the plain model, fed with the row's own reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .riscv_model import NONE, REGISTERS, Model, Trap

Values = Mapping[str, Mapping[str, int]]


@dataclass
class Place:
    """A program's memory: spans of (start, end)."""

    entry: int
    code: tuple[int, int]
    loads: list[tuple[int, int]]
    stores: list[tuple[int, int]]
    steps: int


class Within:
    """Addresses of spans, for `in`."""

    def __init__(self, spans: list[tuple[int, int]]) -> None:
        self.spans = spans

    def __contains__(self, address: int) -> bool:
        return any(start <= address < end for start, end in self.spans)


@dataclass
class RowModel(Model):
    """The model, one step: what it asks of registers and memory is what the row says was read."""

    reads: list[tuple[int, int]] = field(default_factory=list)
    asked: int = 0
    is_load: bool = False

    def register(self, number: int) -> tuple[int, int, int]:
        value, last = self.reads[self.asked % 2]
        self.asked += 1
        return (REGISTERS + 4 * number, value, last) if number else NONE

    def word_at(self, address: int, size: int) -> tuple[int, int, int]:
        if address % size or (address & ~3) not in self.memory:
            raise Trap
        value, last = self.reads[1 if self.is_load else 2]
        return address & ~3, value, last


def is_step(place: Place, values: Values, witness: int) -> bool:
    """Whether a row that commits these fields may stand at its step."""
    step, pc, word = values["step"]["step"] + 1, values["read_pc"]["addr"], values["read_pc"]["opcode"]
    if not place.code[0] <= pc < place.code[1] or pc % 4 or (step == 1 and pc != place.entry):
        return False
    given = [values.get(f"read_{at}", {"addr": 0, "value": 0, "last_step": 0}) for at in (1, 2, 3)]
    if any(read["last_step"] >= step for read in given):
        return False
    model = RowModel({pc: word}, Within(place.loads), Within(place.stores), pc, bytes(32))
    model.reads = [(read["value"], read["last_step"]) for read in given]
    model.is_load = (word & 127) == 0x03
    model.registers[17] = given[0]["value"] if word == 0x73 else 0
    try:
        reads, write, next_pc, hint = model.effect(word)
    except Trap:
        return False
    expected = [(read["addr"], read["value"], read["last_step"]) for read in given]
    if step == place.steps and (word != 0x73 or given[1]["value"] != 1):
        return False
    if write[0] == 0:
        hint = 0
    if hint != witness or any(want != has for want, has in zip(reads, expected, strict=False)):
        return False
    return write == (values["write"]["addr"], values["write"]["value"]) and next_pc == values["write"]["pc"]
