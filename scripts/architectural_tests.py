"""Generate tests/vectors/riscv_arch/tests.zip: an architectural test of each instruction, as a program for the machine.

riscv-ctg (PyPI, in an environment of its own: it pins old libraries) writes a test from a coverage description; the C
preprocessor and rustc's assembler make a program of it with the little header below. An hour on a busy core.

    python -m venv ctg && ctg/bin/pip install "setuptools<81" wheel riscv-ctg==0.12.2
    python scripts/architectural_tests.py ctg/bin/riscv_ctg
"""

import argparse
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
ARCHIVE: Final = ROOT / "tests/vectors/riscv_arch/tests.zip"
TARGET: Final = "riscv32im-unknown-none-elf"

THREE: Final = ("add", "sub", "sll", "slt", "sltu", "xor", "srl", "sra", "or", "and")
MULTIPLY: Final = ("mul", "mulh", "mulhsu", "mulhu", "div", "divu", "rem", "remu")
IMMEDIATE: Final = ("addi", "slti", "sltiu", "xori", "ori", "andi")
SHIFT: Final = ("slli", "srli", "srai")
BRANCH: Final = ("beq", "bne", "blt", "bge", "bltu", "bgeu")
LOAD: Final = ("lb", "lh", "lw", "lbu", "lhu")
STORE: Final = ("sb", "sh", "sw")
UNSIGNED: Final = {"sltu", "mulhu", "divu", "remu", "bltu", "bgeu", "sltiu"}
ALL: Final = (*THREE, *MULTIPLY, *IMMEDIATE, *SHIFT, *BRANCH, *LOAD, *STORE, "lui", "auipc", "jal", "jalr")

SIGNED_ENDS: Final = ("0", "1", "(2**(xlen-1)-1)", "(-2**(xlen-1))", "-1")
UNSIGNED_ENDS: Final = ("0", "1", "(2**(xlen-1)-1)", "(2**(xlen-1))", "(2**(xlen)-1)")
ALIGNED: Final = {"b": (0, 1, 2, 3), "h": (0, 2), "w": (0,)}

HEADER: Final = """#define RVMODEL_HALT li a0, 1; li a7, 93; ecall;
#define RVMODEL_BOOT
#define RVMODEL_DATA_BEGIN .align 4; .global begin_signature; begin_signature:
#define RVMODEL_DATA_END .align 4; .global end_signature; end_signature:
#define RVMODEL_IO_INIT
#define RVMODEL_IO_WRITE_STR(_R, _STR)
#define RVMODEL_IO_CHECK()
#define RVMODEL_IO_ASSERT_GPR_EQ(_S, _R, _I)
#define RVMODEL_IO_ASSERT_SFPR_EQ(_F, _R, _I)
#define RVMODEL_IO_ASSERT_DFPR_EQ(_D, _R, _I)
#define RVMODEL_SET_MSW_INT
#define RVMODEL_CLEAR_MSW_INT
#define RVMODEL_CLEAR_MTIMER_INT
#define RVMODEL_CLEAR_MEXT_INT
"""
LAYOUT: Final = """ENTRY(rvtest_entry_point)
SECTIONS {
  . = 0x00010000;
  .text : { *(.text.init) *(.text .text.*) }
  . = 0x00400000;
  .data : { *(.data .data.*) *(.rodata .rodata.*) }
  /DISCARD/ : { *(.eh_frame*) *(.comment) *(.riscv.attributes) *(.tohost) }
}
"""
CRATE: Final = """#![no_std]
#![no_main]
core::arch::global_asm!(include_str!("test.s"), options(raw));
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
"""


def values(name: str) -> tuple[list[str], list[str]]:
    """Pairs of values to cover, and families of values."""
    is_signed = name not in UNSIGNED
    ends = SIGNED_ENDS if is_signed else UNSIGNED_ENDS
    if name in THREE + MULTIPLY:
        # Second factors that the generator cannot draw would keep it looking for ever.
        others = {"mulhsu": UNSIGNED_ENDS, **dict.fromkeys(("sll", "srl", "sra"), ("0", "1", "(xlen-1)"))}.get(
            name, ends
        )
        pairs = [f"rs1_val == {a} and rs2_val == {b}" for a in ends for b in others]
        families = [f'walking_ones("rs1_val", xlen, {is_signed})']
        if name == "mulhsu":
            return pairs, [*families, 'walking_zeros("rs2_val", xlen, False)']
        if name in ("sll", "srl", "sra"):
            return pairs, [*families, 'walking_ones("rs2_val", ceil(log(xlen,2)), False)']
        more = [f'walking_zeros("rs2_val", xlen, {is_signed})', f'alternate("rs1_val", xlen, {is_signed})']
        return pairs, families + more
    if name in IMMEDIATE:
        last = "(2**(12)-1)" if name == "sltiu" else "(-2**(12-1))"
        pairs = [f"rs1_val == {a} and imm_val == {b}" for a in ends for b in ("0", "1", "(2**(12-1)-1)", last)]
        return pairs, [f'walking_ones("rs1_val", xlen, {is_signed})', f'walking_zeros("imm_val", 12, {is_signed})']
    if name in SHIFT:
        pairs = [f"rs1_val == {a} and imm_val == {b}" for a in SIGNED_ENDS for b in ("0", "(xlen-1)")]
        return pairs, ['walking_ones("rs1_val", xlen)', 'walking_ones("imm_val", ceil(log(xlen,2)), False)']
    if name in BRANCH:
        used = ends if name in UNSIGNED else ends[:4]
        pairs = [f"rs1_val == {a} and rs2_val == {b} and imm_val > 0" for a in used for b in used]
        pairs += ["rs1_val > 0 and rs2_val > 0 and imm_val < 0", "rs1_val == rs2_val and imm_val < 0"]
        return pairs, [f'walking_ones("rs1_val", xlen, {is_signed})']
    if name in LOAD + STORE:
        pairs = [f"ea_align == {a} and (imm_val % 4) == {b}" for a in ALIGNED[name[1]] for b in range(4)]
        families = ['walking_ones("rs2_val", xlen)'] if name in STORE else []
        return [*pairs, "imm_val > 0", "imm_val < 0", "imm_val == 0"], families
    if name in ("lui", "auipc"):
        uppers = ["imm_val == 0", "imm_val > 0", "imm_val == ((2**20)-1)"]
        return uppers, ['walking_ones("imm_val", 20, False)', 'walking_zeros("imm_val", 20, False)']
    return ["imm_val > 0", "imm_val < 0"], ['walking_ones("imm_val", 11)'] if name == "jalr" else []


def registers(name: str) -> tuple[list[tuple[str, int]], list[str]]:
    """Operands with the first register of each, and which must be equal or differ."""
    if name in THREE + MULTIPLY:
        kinds = ["rs1 == rs2 and rs2 != rd", "rs1 == rd and rs2 != rd", "rs2 == rd and rs1 != rd", "rs1 == rs2 == rd"]
        return [("rs1", 0), ("rs2", 0), ("rd", 0)], [*kinds, "rs1 != rs2 and rs1 != rd and rs2 != rd"]
    if name in BRANCH + STORE:
        return [("rs1", int(name in STORE)), ("rs2", 0)], ["rs1 == rs2", "rs1 != rs2"]
    if name in ("lui", "auipc", "jal"):
        return [("rd", 0)], []
    return [("rs1", int(name in LOAD or name == "jalr")), ("rd", 0)], ["rs1 == rd", "rs1 != rd"]


def coverage(name: str) -> Iterator[str]:
    """What a test of an instruction must cover, in riscv-ctg's format."""
    extensions = "I.*M" if name in MULTIPLY else "I"
    yield f"{name}:\n    config:\n      - check ISA:=regex(.*{extensions}.*)\n    mnemonics:\n      {name}: 0"
    operands, kinds = registers(name)
    for operand, first in operands:
        yield f"    {operand}:"
        yield from (f"      x{number}: 0" for number in range(first, 32))
    if kinds:
        yield "    op_comb:"
        yield from (f"      '{kind}': 0" for kind in kinds)
    pairs, families = values(name)
    yield "    val_comb:"
    yield from (f"      '{pair}': 0" for pair in pairs)
    if families:
        yield "      abstract_comb:"
        yield from (f"        '{family}': 0" for family in families)


def run(command: Sequence[str | Path], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def shorter(text: str) -> str:
    """The jumps of `jal`'s test, over at most 2 kB of padding instead of a megabyte."""
    count = 0

    def replace(found: re.Match[str]) -> str:
        nonlocal count
        count += 1
        distance = int(found[2], 0)
        return f"{found[1]}{distance if distance < 2_000 else 8 + 50 * count:#x}{found[3]}"

    return re.sub(r"(TEST_JAL_OP\(x\d+, x\d+, )(0x[0-9a-f]+)(,)", replace, text)


def build(name: str, generator: Path, folder: Path) -> bytes:
    """The program that tests an instruction."""
    (folder / f"{name}.cgf").write_text("\n".join(coverage(name)) + "\n")
    run([generator, "-r", "-d", folder / "out", "-bi", "rv32i", "-cf", folder / f"{name}.cgf", "-p", "1"], folder)
    (folder / "model_test.h").write_text(HEADER)
    (folder / "layout.ld").write_text(LAYOUT)
    (folder / "test.rs").write_text(CRATE)
    (folder / "test.S").write_text(shorter((folder / f"out/{name}-01.S").read_text()))
    (headers,) = generator.parents[1].glob("lib/python3*/site-packages/riscv_ctg/env")
    defined = ["-D__riscv_xlen=32", "-D__riscv=1", "-DXLEN=32", "-DTEST_CASE_1=True", "-I.", f"-I{headers}"]
    run(["cc", "-E", "-P", "-x", "assembler-with-cpp", *defined, "test.S", "-o", "raw.s"], folder)
    # LLVM's assembler does not compare names of labels.
    text = (folder / "raw.s").read_text()
    for one in ("1b", "3f"):
        for two in ("1b", "3f"):
            text = text.replace(f"({one} == {two})", f"({int(one == two)} == 1)")
    (folder / "test.s").write_text(".option arch, +m\n" + text)
    options = ["-O", "-Cpanic=abort", "-Clink-arg=-Tlayout.ld", "-Clink-arg=--no-relax", "-Cstrip=symbols"]
    run(["rustc", "--target", TARGET, "--edition", "2021", *options, "-o", "test.elf", "test.rs"], folder)
    return (folder / "test.elf").read_bytes()


def main() -> None:
    """Write the archive."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("generator", type=Path, help="riscv_ctg of its environment")
    generator = options.parse_args().generator.absolute()
    with tempfile.TemporaryDirectory() as name, zipfile.ZipFile(ARCHIVE, "w") as archive:
        for instruction in sorted(ALL):
            print(f"{instruction} …", flush=True)
            entry = zipfile.ZipInfo(f"{instruction}.elf", (2026, 11, 21, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, build(instruction, generator, Path(name)), compresslevel=9)


if __name__ == "__main__":
    main()
