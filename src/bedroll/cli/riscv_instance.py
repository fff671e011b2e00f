"""`bedroll riscv instance`: a Groth16 key, proof and statement of another tool become a program to dispute.

Reads: files of gnark or SP1.  Gives: a command of the group `riscv`.  Never: writes a proof that does not parse.
Spec: docs/spec/cli.md#riscv
"""

from pathlib import Path

import click

from bedroll.crypto import sha256
from bedroll.primitives import Invalid, Misconfigured
from bedroll.riscv import Program
from bedroll.riscv.gnark import parse_key, parse_proof, parse_sp1
from bedroll.riscv.verifier import encode_proof, instance

from .riscv_file import describe, read_file
from .run import Context, declare

_PATH = click.Path(path_type=Path, exists=True, dir_okay=False)


@declare("instance")
@click.argument("key", type=_PATH)
@click.argument("proof", type=_PATH)
@click.option(
    "--input", "inputs", multiple=True, help="A public input of gnark's proof, decimal; once for each, in order."
)
@click.option("--program-key", help="SP1: hash of the program's key, 32 bytes, hexadecimal.")
@click.option("--public-values", type=_PATH, help="SP1: file with what the program published.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="Where both files go.")
def build(
    context: Context, _flags: dict[str, object], *, key: Path, proof: Path, inputs: tuple[str, ...],
    program_key: str | None, public_values: Path | None, folder: Path,
) -> None:  # fmt: skip
    """Make verifier.elf and proof.bin from a key and a proof of gnark or SP1, and run them."""
    if program_key is not None and public_values is not None and not inputs:
        of, found = parse_sp1(read_file(key), read_file(proof))
        points, given = found.points, found.public_inputs(_hexadecimal(program_key), read_file(public_values))
    elif program_key is None and public_values is None:
        of, points, given = parse_key(read_file(key)), parse_proof(read_file(proof)), tuple(map(_number, inputs))
    else:
        raise Misconfigured(
            "two kinds of statement", option="program-key", value=program_key,
            allowed="--program-key and --public-values for SP1, or one --input for each public input",
        )  # fmt: skip
    raw, data = instance(of, given), encode_proof(*points)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "verifier.elf").write_bytes(raw)
    (folder / "proof.bin").write_bytes(data)
    outcome = describe(Program(raw).run(data))
    described = {"program": sha256(raw).hex(), "inputs": [str(number) for number in given], **outcome}
    context.output.result(described, title=str(folder))


def _hexadecimal(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise Invalid("not hexadecimal", value=text) from None


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 78:
        raise Invalid("no decimal number", value=text[:80], limit="78 digits")
    return int(text)
