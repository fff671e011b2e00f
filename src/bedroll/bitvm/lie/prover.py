"""Lies of a prover. Each is told as well as it can be: everything else that he says fits.

Reads: a scene.  Gives: strategies by name.  Never: says how they end.  Spec: docs/spec/dispute.md#lies
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from bedroll.riscv import Read, ReadPc, Row, Write

from ..game.chain import blake3_block
from ..game.record import Execute2Message, ExecuteMessage, HashesMessage, InputMessage, Message, Record
from ..graph import Move, Terms
from ..player.strategy import HonestProver, Strategy
from .claimant import Change, Claimant, Mute, unchanged
from .replay import replay
from .run import LyingRun
from .scene import FALSE_WORDS, TRAP_WORDS, TRUE_WORDS, Scene, data_of

Make = Callable[[Scene], Strategy]
Entry = tuple[str, str, str, Make]
"""Name, what is said, leaf by which it ends, and who says it."""

NOISE = blake3_block(b"noise")[:20]


def prover_lies(rounds: int) -> Iterator[Entry]:
    """All lies of a prover in a game of so many rounds."""
    yield "wrong_result", "the program said no, the claim says yes", "opened_wrong_value", _wrong_result
    for number in range(1, rounds + 1):
        yield (
            f"wrong_hash_{number}",
            f"one hash of round {number} is noise",
            "trace_hash",
            partial(_tampered, _noise(1, number)),
        )
    yield "wrong_hash_end", "all hashes are true but the last", "trace_hash", partial(_tampered, _wrong_end)
    yield "wrong_hash_first", "the first step leads to a false hash", "trace_hash", _wrong_first
    yield from _row_lies()
    yield "wrong_input", "the run is that of another input", "input_word", _wrong_input
    yield "another_statement", "a true run for another statement's constant", "initialized", _another_statement
    yield "trap", "the program trapped, the claim goes on", "opened_wrong_value", _trap
    yield "early_halt", "a halt where the code has another instruction", "opcode", _early_halt
    yield "steps_after_halt", "an instruction after the halt", "program_counter", _after_halt
    for side in ("left", "right"):
        text = f"signs another {side} hash than the digits select"
        yield f"equivocate_{side}", f"Execute {text}", f"equivocation_{side}_", partial(_equivocate, side)
        yield f"equivocate_2_{side}", f"Execute2 {text}", f"equivocation_2_{side}_", partial(_equivocate_2, side)
    yield "equivocate_start", "Execute of step 1 signs another H_0", "trace_hash_zero", partial(_bracket, "left", 1)
    yield (
        "equivocate_end",
        "Execute of the last step signs another end",
        "equivocation_end",
        (partial(_bracket, "right", 0)),
    )
    for number in range(2, rounds + 1):
        yield (
            f"second_noise_{number}",
            f"hashes of the second search are noise from round {number}",
            "opened_wrong_hash",
            partial(_second, _noise(2, number)),
        )
    yield "second_difference", "the second search shows other hashes for the same steps", "equivocation_search", _near
    yield from _silences(rounds)
    yield from _malformed()


def _tampered(change: Change, scene: Scene) -> Strategy:
    return Claimant(scene.true_run, data_of(TRUE_WORDS), change)


def _wrong_result(scene: Scene) -> Strategy:
    true = scene.run_of(FALSE_WORDS)
    last = 1 << scene.exponent
    row = true.trace.row_at(last)
    claimed = replay(replace(row, read_2=replace(row.read_2, value=1)))
    return Claimant(LyingRun(true, last, claimed), data_of(FALSE_WORDS))


def _noise(search: int, number: int) -> Change:
    """One hash of a round of the first search, the second last; all of a round and those after it in the second."""

    def change(terms: Terms, record: Record, move: Move, message: Message) -> Message:
        del record
        if not isinstance(message, HashesMessage) or move.search != search:
            return message
        hashes = list(message.hashes)
        if search == 1 and move.round == number:
            hashes[-1] = NOISE
        elif search == 2 and move.round >= number:
            hashes = [blake3_block(NOISE + bytes((move.round, at)))[:20] for at in range(len(hashes))]
        del terms
        return HashesMessage(tuple(hashes))

    return change


def _wrong_end(terms: Terms, record: Record, move: Move, message: Message) -> Message:
    del terms, record, move
    return replace(message, final=NOISE) if isinstance(message, InputMessage) else message


def _wrong_first(scene: Scene) -> Strategy:
    true = scene.true_run
    return Claimant(LyingRun(true, 1, true.trace.row_at(1), breaks_hash=True), data_of(TRUE_WORDS))


def _lie_at(scene: Scene, step: int, change: Callable[[Row], Row], *, breaks_hash: bool = True) -> LyingRun:
    true = scene.true_run
    return LyingRun(true, step, change(true.trace.row_at(step)), breaks_hash=breaks_hash)


def _at(scene: Scene, mnemonic: str, wanted: Callable[[Row], bool] | None = None) -> int:
    return scene.step_of(scene.true_run, lambda row: row.mnemonic == mnemonic and (wanted is None or wanted(row)))


def _reads(row: Row) -> tuple[Read, Read, Read]:
    return row.read_1, row.read_2, row.read_3


def _with_read(row: Row, number: int, read: Read) -> Row:
    reads = list(_reads(row))
    reads[number - 1] = read
    return replay(replace(row, read_1=reads[0], read_2=reads[1], read_3=reads[2]))


def _field(number: int, change: Callable[[Read], Read], mnemonic: str) -> Make:
    def make(scene: Scene) -> Strategy:
        step = _at(scene, mnemonic, lambda row: 1 < _reads(row)[number - 1].last_step < row.step - 1)
        run = _lie_at(scene, step, lambda row: _with_read(row, number, change(_reads(row)[number - 1])))
        return Claimant(run, data_of(TRUE_WORDS))

    return make


def _row_lies() -> Iterator[Entry]:
    """Each field of a row that Execute takes as it is."""
    for number, mnemonic in ((1, "divu"), (2, "add"), (3, "sb")):
        name, text = f"read_{number}", f"read {number} of a row"
        yield f"{name}_value", f"{text} has another value", "opened_wrong_value", _field(
            number, lambda read: replace(read, value=read.value ^ 1), mnemonic)  # fmt: skip
        yield f"{name}_earlier", f"{text} is said to be older than it is", "opened_", _field(
            number, lambda read: replace(read, last_step=read.last_step - 1), mnemonic)  # fmt: skip
        yield f"{name}_initial", f"{text} is said to be never written", "opened_later_write", _field(
            number, lambda read: replace(read, last_step=0), mnemonic)  # fmt: skip
        yield f"{name}_later", f"{text} is said to be younger than it is", "opened_wrong_value", _field(
            number, lambda read: replace(read, last_step=read.last_step + 1), mnemonic)  # fmt: skip
    yield "initial_data", "declared memory held another word", "initialized", _initial(0x20000)
    yield "initial_stack", "the stack was not zero", "uninitialized", _initial(0x40000)
    yield "initial_register", "a register was not zero", "opened_", _field(
        1, lambda read: Read(read.addr, read.value ^ 2, 0), "addi")  # fmt: skip
    yield "pc", "a step is at another address", "program_counter", _pc
    yield "opcode", "the code has another instruction", "opcode", _opcode


def _initial(section: int) -> Make:
    def make(scene: Scene) -> Strategy:
        step = _at(scene, "lw", lambda row: row.read_2.last_step == 0 and row.read_2.addr >> 16 == section >> 16)
        run = _lie_at(scene, step, lambda row: replay(replace(row, read_2=replace(row.read_2, value=77))),
                      breaks_hash=False)  # fmt: skip
        return Claimant(run, data_of(TRUE_WORDS))

    return make


def _pc(scene: Scene) -> Strategy:
    row = scene.true_run.trace.row_at
    run = _lie_at(scene, _at(scene, "mul"), lambda _: replace(row(1), step=_at(scene, "mul")))
    return Claimant(run, data_of(TRUE_WORDS))


def _opcode(scene: Scene) -> Strategy:
    def sub(row: Row) -> Row:
        return replay(replace(row, read_pc=ReadPc(row.read_pc.addr, row.read_pc.opcode ^ 1 << 30)))

    run = _lie_at(scene, _at(scene, "add"), sub, breaks_hash=False)
    return Claimant(run, data_of(TRUE_WORDS))


def _wrong_input(scene: Scene) -> Strategy:
    return Claimant(scene.true_run, data_of(FALSE_WORDS))


def _another_statement(scene: Scene) -> Strategy:
    constants = bytes.fromhex("0300000005000000")
    other = scene.patched(constants, b"\x04" + constants[1:])
    words = (*TRUE_WORDS[:2], 4 * TRUE_WORDS[0] + TRUE_WORDS[1], *TRUE_WORDS[3:])
    return Claimant(scene.run_of(words, other), data_of(words))


def _trap(scene: Scene) -> Strategy:
    true = scene.run_of(TRAP_WORDS)
    step = true.trace.last_step + 1
    at_pc = true.trace.row_at(true.trace.last_step).write_pc
    code = scene.program.sections()[0]
    assert code.words is not None
    opcode = code.words[(at_pc - code.start) // 4]
    address = 0xF000_0000 + 4 * (opcode >> 15 & 31)
    value, last = true.last_write(address, step)
    memory = true.initial(value + 4)
    row = Row(
        step, Read(address, value + 2, last), Read(value + 4, memory, 0), Read(0, 0, 0), ReadPc(at_pc, opcode),
        true.trace.row_at(1).write, 0, 0,
    )  # fmt: skip
    return Claimant(LyingRun(true, step, replay(row)), data_of(TRAP_WORDS))


def _early_halt(scene: Scene) -> Strategy:
    # `andi a1, a1, 1; beq a1, zero, sound` becomes `addi a0, zero, 1; addi a7, zero, 93`, the load after it `ecall`.
    words = scene.program.sections()[0].words
    assert words is not None
    at = next(at for at, word in enumerate(words) if word & 0xFFF0707F == 0x00107013)
    old = b"".join(word.to_bytes(4, "little") for word in words[at : at + 3])
    new = b"".join(word.to_bytes(4, "little") for word in (0x00100513, 0x05D00893, 0x73))
    return Claimant(scene.run_of(FALSE_WORDS, scene.patched(old, new)), data_of(FALSE_WORDS))


def _after_halt(scene: Scene) -> Strategy:
    true = scene.true_run
    step = _at(scene, "ecall") + 2
    row = true.trace.row_at(1)
    return Claimant(LyingRun(true, step, replace(row, step=step)), data_of(TRUE_WORDS))


def _equivocate(side: str, scene: Scene) -> Strategy:
    return Claimant(_lie_at(scene, _at(scene, "mul"), lambda row: row), data_of(TRUE_WORDS), _sign_noise(side))


def _bracket(side: str, step: int, scene: Scene) -> Strategy:
    """The same where the hash stands in no round: before step 1, after the last."""
    true = scene.true_run
    run = LyingRun(true, step, true.trace.row_at(step), breaks_hash=True) if step else true
    return Claimant(run, data_of(TRUE_WORDS), _sign_noise(side))


def _sign_noise(side: str) -> Change:
    def change(terms: Terms, record: Record, move: Move, message: Message) -> Message:
        del terms, record, move
        if not isinstance(message, ExecuteMessage):
            return message
        return replace(message, left=NOISE) if side == "left" else replace(message, right=NOISE)

    return change


def _equivocate_2(side: str, scene: Scene) -> Strategy:
    def change(terms: Terms, record: Record, move: Move, message: Message) -> Message:
        del terms, record, move
        if not isinstance(message, Execute2Message):
            return message
        return replace(message, left=NOISE) if side == "left" else replace(message, right=NOISE)

    return _second(change, scene)


def _second(change: Change, scene: Scene) -> Strategy:
    """A false read of a value written long before, then another lie in the second search."""
    place = 1 << (scene.exponent - 3)

    def far(row: Row) -> bool:
        apart = (row.read_2.last_step - 1) // place != (row.step - 1) // place
        return row.read_2.last_step > 1 and apart and row.read_2.addr >= 0xF000_0000 and row.write.addr != 0

    step = scene.step_of(scene.true_run, far)
    run = _lie_at(scene, step, _second_read_false)
    return Claimant(run, data_of(TRUE_WORDS), change)


def _second_read_false(row: Row) -> Row:
    return _with_read(row, 2, replace(row.read_2, value=row.read_2.value ^ 1))


def _near(scene: Scene) -> Strategy:
    """A false read of a value written just before: both searches go the same way for some rounds."""
    place = 1 << (scene.exponent - 3)

    def near(row: Row) -> bool:
        return row.read_1.last_step > 1 and (row.read_1.last_step - 1) // place == (row.step - 1) // place

    step = scene.step_of(scene.true_run, near)
    run = _lie_at(scene, step, lambda row: _with_read(row, 1, replace(row.read_1, value=row.read_1.value ^ 1)))
    return Claimant(run, data_of(TRUE_WORDS), _noise(2, 2))


def _silences(rounds: int) -> Iterator[Entry]:
    for name in ("input", *(f"hashes_1_{number}" for number in range(1, rounds + 1)), "execute"):
        yield f"silent_{name}", f"nothing is said from {name} on", "timeout", partial(_silent, name)
    for name in (*(f"hashes_2_{number}" for number in range(2, rounds + 1)), "execute_2"):
        yield f"silent_{name}", f"a false read, then nothing from {name} on", "timeout", partial(_silent_later, name)


def _silent(name: str, scene: Scene) -> Strategy:
    return Mute(HonestProver(scene.true_run, data_of(TRUE_WORDS)), name)


def _silent_later(name: str, scene: Scene) -> Strategy:
    return Mute(_second(unchanged, scene), name)


def _malformed() -> Iterator[Entry]:
    """Rows that Execute does not take: their prover has no move."""
    changes: tuple[tuple[str, str, str, Callable[[Row], Row]], ...] = (
        ("write_value", "add", "the sum is wrong", lambda r: replace(r, write=_moved(r.write, 0, 1))),
        ("write_addr", "add", "another register is written", lambda r: replace(r, write=_moved(r.write, 4, 0))),
        ("write_pc", "add", "the next address is wrong", lambda r: replace(r, write_pc=r.write_pc + 4)),
        ("read_1_addr", "add", "another register is read", lambda r: replace(
            r, read_1=replace(r.read_1, addr=r.read_1.addr + 4))),
        ("read_2_addr", "lw", "another word is loaded", lambda r: replace(
            r, read_2=replace(r.read_2, addr=r.read_2.addr + 4))),
        ("read_3_addr", "sb", "the old word is another one", lambda r: replace(
            r, read_3=replace(r.read_3, addr=r.read_3.addr + 4))),
        ("step_number", "add", "the row is of another step", lambda r: replace(r, step=r.step + 1)),
        ("future_read_1", "add", "read 1 is from the future", lambda r: replace(
            r, read_1=replace(r.read_1, last_step=r.step))),
        ("future_read_2", "add", "read 2 is from the future", lambda r: replace(
            r, read_2=replace(r.read_2, last_step=r.step))),
        ("future_read_3", "sb", "read 3 is from the future", lambda r: replace(
            r, read_3=replace(r.read_3, last_step=r.step))),
        ("pc_unaligned", "add", "the address is inside a word", lambda r: replace(
            r, read_pc=ReadPc(r.read_pc.addr + 2, r.read_pc.opcode), write_pc=r.write_pc + 2)),
        ("witness", "divu", "the remainder is wrong", lambda r: replace(r, witness=r.witness + 1)),
        ("instruction", "add", "the opcode is none", lambda r: replace(r, read_pc=ReadPc(r.read_pc.addr, 0))),
    )  # fmt: skip
    for name, mnemonic, text, change in changes:
        yield f"malformed_{name}", text, "timeout", partial(_refused, mnemonic, change)
    yield "malformed_entry", "the first step is elsewhere", "timeout", _wrong_entry


def _moved(write: Write, addr: int, value: int) -> Write:
    return Write(write.addr + addr, write.value ^ value)


def _refused(mnemonic: str, change: Callable[[Row], Row], scene: Scene) -> Strategy:
    return Claimant(_lie_at(scene, _at(scene, mnemonic), change), data_of(TRUE_WORDS))


def _wrong_entry(scene: Scene) -> Strategy:
    row = scene.true_run.trace.row_at(1)
    first = replace(row, read_pc=ReadPc(row.read_pc.addr + 8, row.read_pc.opcode), write_pc=row.write_pc + 8)
    return Claimant(LyingRun(scene.true_run, 1, first, breaks_hash=True), data_of(TRUE_WORDS))
