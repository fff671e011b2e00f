"""`bedroll riscv`: run, trace and profile programs for the disputed machine.

Reads: ELF files, inputs.  Gives: `command`.  Never: hides a trap: its step and reason are the result.
Spec: docs/spec/cli.md#riscv
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click

from bedroll.primitives import Invalid
from bedroll.riscv import Call, Program, Row, Trace, register_name
from bedroll.riscv.trace import Read

from .riscv_file import describe, read_file
from .riscv_instance import build
from .run import Context, declare

_ROWS_MAX: Final = 10_000
_SHOWN: Final = 15
_BAR: Final = 16
_SHARE_MIN: Final = 0.01
_DEPTH_MAX: Final = 24


@click.group("riscv")
def command() -> None:
    """Run RISC-V programs as a dispute would: steps, hashes, rows."""


command.add_command(build)


def _arguments(function: Callable[..., None]) -> Callable[..., None]:
    """FILE and --input, which every command here takes."""
    path = click.Path(path_type=Path, exists=True, dir_okay=False)
    function = click.option("--input", "source", type=path, help="File with the input; zeros without one.")(function)
    return click.argument("file", type=path)(function)


@declare("run", group=command)
@_arguments
@click.option("--limit", type=click.IntRange(1, 2**32 - 1), default=1 << 26, show_default=True, help="Steps at most.")
def run(context: Context, _flags: dict[str, object], *, file: Path, source: Path | None, limit: int) -> None:
    """Run a program to its halt."""
    program, data = _load(file, source)
    begun = time.perf_counter()
    outcome = program.run(data, limit=limit)
    context.output.result(describe(outcome) | _speed(outcome.step, begun), title=file.name)


@declare("trace", group=command)
@_arguments
@click.option(
    "--exponent", type=click.IntRange(0, 30), default=26, show_default=True, help="T: the trace has 2^T steps."
)
@click.option("--instance", default="00" * 32, help="Instance that the chain commits to: 32 bytes, hexadecimal.")
@click.option("--step", type=click.IntRange(min=1), help="First row to show; without it the last row.")
@click.option("--count", type=click.IntRange(1, _ROWS_MAX), default=1, show_default=True, help="Rows to show.")
def trace(context: Context, _flags: dict[str, object], **asked: Any) -> None:
    """Run 2^T steps with the hash chain and show rows."""
    program, data = _load(asked["file"], asked["source"])
    try:
        instance_id = bytes.fromhex(asked["instance"])
    except ValueError:
        raise Invalid("not hexadecimal", value=asked["instance"]) from None
    begun = time.perf_counter()
    recorded = Trace(program, data, instance_id=instance_id, exponent=asked["exponent"])
    output, last = context.output, recorded.last_step
    summary = describe(recorded.outcome) | {"last_step": last, "hash": recorded.hash_at(last).hex()}
    summary["accepted"] = recorded.outcome.is_accepted
    first = last if asked["step"] is None else asked["step"]
    # A step beyond the last is asked for as it stands, so that the core says why there is none.
    steps = range(first, max(first, min(first + asked["count"] - 1, last)) + 1) if first else ()
    rows = [recorded.row_at(step) for step in steps]
    if output.as_json:
        shown = [asdict(row) | {"hash": recorded.hash_at(row.step).hex()} for row in rows]
        output.line(summary | _speed(last, begun) | {"rows": shown})
        return
    output.result(summary | _speed(last, begun), title=asked["file"].name)
    # Lines, not a table: ten columns do not fit a terminal.
    for row in rows:
        output.say(f"{_line(row)}  hash {recorded.hash_at(row.step).hex()}")


@declare("profile", group=command)
@_arguments
@click.option("--limit", type=click.IntRange(1, 2**32 - 1), default=1 << 26, show_default=True, help="Steps at most.")
def profile(context: Context, _flags: dict[str, object], *, file: Path, source: Path | None, limit: int) -> None:
    """Show where a program spends its steps."""
    program, data = _load(file, source)
    found = program.profile(data, limit=limit)
    total = max(sum(spot.steps for spot in found.hotspots), 1)
    sizes = {f"{each.name} ({each.kind})": f"{each.size_bytes} bytes" for each in program.sections()}
    names = [(name, steps, f"{100 * steps / total:.2f} %") for name, steps in found.by_mnemonic()]
    most = max((each.steps for each in found.functions), default=1)
    functions = [
        (_bar(each.steps, most), f"{100 * each.steps / total:.2f} %", each.steps, each.calls, each.name)
        for each in found.functions
    ]
    facts = {
        "memory_touched_bytes": 4 * found.words_touched,
        "stack_bytes": found.stack_bytes,
        "same_for_every_input": program.dependence(data, limit=limit).is_uniform,
        "sections": sizes,
    }
    spots = sorted(found.hotspots, key=lambda spot: -spot.steps)[:_SHOWN]
    output = context.output
    if output.as_json:
        output.line(
            describe(found.outcome)
            | facts
            | {
                "instructions": {name: steps for name, steps, _ in names},
                "functions": [asdict(each) for each in found.functions],
                "calls": asdict(found.calls),
                "hotspots": [asdict(spot) for spot in spots],
            }
        )
        return
    output.result(describe(found.outcome) | facts, title=file.name)
    output.rows("instructions", ("instruction", "steps", "share"), names)
    if functions:
        output.rows("functions", ("", "share", "steps", "calls", "function"), functions[:_SHOWN])
    output.rows("calls", ("", "share", "steps", "calls", "function"), list(_tree(found.calls, total)))
    output.rows(
        "hotspots",
        ("address", "instruction", "steps"),
        [(f"{spot.address:#010x}", spot.mnemonic, spot.steps) for spot in spots],
    )


def _tree(call: Call, total: int, depth: int = 0) -> Iterator[tuple[str, str, int, int, str]]:
    """Calls with at least a hundredth of the steps, each below its caller."""
    share = call.steps / total
    if share < _SHARE_MIN:
        return
    yield _bar(call.steps, total), f"{100 * share:.1f} %", call.steps, call.calls, " " * depth + _short(call.name)
    if depth < _DEPTH_MAX:
        for each in call.inside:
            yield from _tree(each, total, depth + 1)


def _short(name: str) -> str:
    """The last two parts of a path: what fits a tree."""
    return "::".join(name.split("::")[-2:])


def _bar(count: int, most: int) -> str:
    """A bar as long as its share of the longest one."""
    eighths = max(round(8 * _BAR * count / max(most, 1)), 1)
    full, rest = divmod(eighths, 8)
    return "█" * full + ("▏▎▍▌▋▊▉"[rest - 1] if rest else "")


def _load(file: Path, source: Path | None) -> tuple[Program, bytes]:
    program = Program(read_file(file))
    return program, bytes(program.input_bytes) if source is None else read_file(source)


def _speed(steps: int, begun: float) -> dict[str, object]:
    seconds = time.perf_counter() - begun
    return {"seconds": round(seconds, 3), "steps_a_second": round(steps / max(seconds, 1e-9))}


def _line(row: Row) -> str:
    """A row: what is read and by which step it was written, what is written."""
    reads = ", ".join(_read_cell(read) for read in (row.read_1, row.read_2, row.read_3) if read.addr)
    write = f" → {register_name(row.write.addr)} = {row.write.value:#x}" if row.write.addr else ""
    witness = f"  witness {row.witness:#x}" if row.witness else ""
    pc, after = f"{row.read_pc.addr:#010x}", f"{row.write_pc:#010x}"
    return f"{row.step:>10}  {pc}  {row.mnemonic:<6} {reads}{write}  next {after}{witness}"


def _read_cell(read: Read) -> str:
    return f"{register_name(read.addr)} = {read.value:#x} @{read.last_step}"
