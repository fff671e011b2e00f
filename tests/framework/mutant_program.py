"""The batch program with one rule of the EVM flipped: SMOD takes its operands for unsigned ones, as MOD does.

It is built from a copy of the sources, so that nothing of it is in the programs that ship. What is below the core is
taken from the build of the true program.
"""

import subprocess

from scripts.guest_proved import CACHE, ROOT, build

SOURCES = ("crates", "rust-toolchain.toml", "Cargo.toml", "Cargo.lock")
PLACE = "crates/core/src/stf/run.rs"
TRUE = "        let evm = Context::mainnet()"
AFTER = "            .with_precompiles(precompiles);\n"
FLIPPED = """
        evm.instruction.insert_instruction(
            revm::bytecode::opcode::SMOD,
            revm::interpreter::Instruction::new(revm::interpreter::instructions::arithmetic::rem),
            5,
        );
"""
FOLDER = CACHE / "guest-mutant"


def mutant_program():
    """Its ELF file's bytes. The folder stays, so that a second build is none."""
    listed = subprocess.run(["git", "ls-files", "-z", *SOURCES], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        content = (ROOT / name).read_bytes()
        write_changed(FOLDER / name, flipped(content.decode()).encode() if name == PLACE else content)
    return build(ROOT, CACHE / "guest", sources=FOLDER)


def flipped(source):
    """The source of the EVM's table with the rule flipped."""
    assert source.count(TRUE) == source.count(AFTER) == 1, "the table is made somewhere else now"
    return source.replace(TRUE, TRUE.replace("let evm", "let mut evm")).replace(AFTER, AFTER + FLIPPED)


def write_changed(file, content):
    """Leave a file alone that is as it shall be: cargo goes by its time."""
    if not file.exists() or file.read_bytes() != content:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
