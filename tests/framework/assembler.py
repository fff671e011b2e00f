"""A small RV32IM assembler and ELF writer, for directed programs. It knows nothing of the code under test."""

import struct
from collections.abc import Mapping, Sequence

CODE, DATA, RODATA, STACK, INPUT = 0x1_0000, 0x2_0000, 0x3_0000, 0x4_0000, 0x5_0000
STACK_BYTES = 256

NAMES = ["zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1"]
NAMES += [f"a{number}" for number in range(8)]
NAMES += [f"s{number}" for number in range(2, 12)]
NAMES += [f"t{number}" for number in range(3, 7)]
REGISTERS = {name: number for number, name in enumerate(NAMES)} | {f"x{number}": number for number in range(32)}

R_TYPE = {
    "add": (0, 0), "sub": (0, 32), "sll": (1, 0), "slt": (2, 0), "sltu": (3, 0), "xor": (4, 0), "srl": (5, 0),
    "sra": (5, 32), "or": (6, 0), "and": (7, 0), "mul": (0, 1), "mulh": (1, 1), "mulhsu": (2, 1), "mulhu": (3, 1),
    "div": (4, 1), "divu": (5, 1), "rem": (6, 1), "remu": (7, 1),
}  # fmt: skip
I_TYPE = {"addi": 0, "slti": 2, "sltiu": 3, "xori": 4, "ori": 6, "andi": 7}
SHIFT = {"slli": (1, 0), "srli": (5, 0), "srai": (5, 32)}
LOAD = {"lb": 0, "lh": 1, "lw": 2, "lbu": 4, "lhu": 5}
STORE = {"sb": 0, "sh": 1, "sw": 2}
BRANCH = {"beq": 0, "bne": 1, "blt": 4, "bge": 5, "bltu": 6, "bgeu": 7}
INSTRUCTIONS = {*R_TYPE, *I_TYPE, *SHIFT, *LOAD, *STORE, *BRANCH, "lui", "auipc", "jal", "jalr"}
"""Every instruction but `fence` and `ecall`."""


def encode(name: str, *operands: int) -> int:
    """One instruction; offsets of jumps and branches are relative, loads and stores are (register, base, offset)."""
    if name in R_TYPE:
        funct3, funct7 = R_TYPE[name]
        rd, rs1, rs2 = operands
        return funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x33
    if name in I_TYPE or name in LOAD or name == "jalr":
        rd, rs1, immediate = operands
        funct3, opcode = (I_TYPE[name], 0x13) if name in I_TYPE else (LOAD.get(name, 0), 0x03 if name in LOAD else 0x67)
        return (immediate & 0xFFF) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode
    if name in SHIFT:
        funct3, funct7 = SHIFT[name]
        rd, rs1, amount = operands
        return funct7 << 25 | (amount & 31) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x13
    if name in STORE:
        rs2, rs1, offset = operands
        return (offset >> 5 & 127) << 25 | rs2 << 20 | rs1 << 15 | STORE[name] << 12 | (offset & 31) << 7 | 0x23
    if name in BRANCH:
        rs1, rs2, offset = operands
        high = (offset >> 12 & 1) << 31 | (offset >> 5 & 63) << 25
        return (
            high | rs2 << 20 | rs1 << 15 | BRANCH[name] << 12 | (offset >> 1 & 15) << 8 | (offset >> 11 & 1) << 7 | 0x63
        )
    if name in ("lui", "auipc"):
        rd, upper = operands
        return (upper & 0xF_FFFF) << 12 | rd << 7 | (0x37 if name == "lui" else 0x17)
    if name == "jal":
        rd, offset = operands
        high = (offset >> 20 & 1) << 31 | (offset >> 1 & 0x3FF) << 21 | (offset >> 11 & 1) << 20
        return high | (offset >> 12 & 0xFF) << 12 | rd << 7 | 0x6F
    return {"fence": 0x0FF0_000F, "ecall": 0x73, "ebreak": 0x0010_0073}[name]


def assemble(text: str, start: int = CODE) -> list[int]:
    """Words of a program: one instruction a line, `label:` lines, `li rd, number`, `.word number`, # comments."""
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    labels: dict[str, int] = {}
    placed: list[tuple[int, str, list[str]]] = []
    pc = start
    for line in filter(None, lines):
        if line.endswith(":"):
            labels[line[:-1]] = pc
            continue
        name, _, rest = line.partition(" ")
        operands = rest.replace("(", ",").replace(")", "").replace(",", " ").split()
        placed.append((pc, name, operands))
        pc += 8 if name == "li" else 4
    words = []
    for at, name, operands in placed:
        words += _words(at, name, operands, labels)
    return words


def _words(pc: int, name: str, operands: Sequence[str], labels: Mapping[str, int]) -> list[int]:
    def value(text: str) -> int:
        if text in REGISTERS:
            return REGISTERS[text]
        return labels[text] - pc if text in labels else int(text, 0)

    if name == ".word":
        return [value(operands[0])]
    if name == "li":
        rd, number = value(operands[0]), value(operands[1]) & 0xFFFF_FFFF
        return [encode("lui", rd, (number + 0x800) >> 12), encode("addi", rd, rd, number)]
    if name in LOAD | STORE:
        register, offset, base = operands
        return [encode(name, value(register), value(base), value(offset))]
    return [encode(name, *map(value, operands))]


def section(name: str, address: int, content: bytes | int, *, flags: int) -> tuple[str, int, int, int, bytes, int]:
    """A section as `elf` takes it; `content` is a size where the section has none."""
    if isinstance(content, int):
        return name, 8, flags, address, b"", content
    return name, 1, flags, address, content, len(content)


def elf(sections: Sequence[tuple[str, int, int, int, bytes, int]], *, entry: int = CODE) -> bytes:
    """An ELF file: header, contents, names, section headers."""
    body, headers, names = b"", [bytes(40)], b"\0"
    for name, form, flags, address, content, size in [*sections, (".shstrtab", 3, 0, 0, b"", 0)]:
        offset = len(names)
        names += name.encode() + b"\0"
        if form == 3:
            content, size = names, len(names)
        headers.append(struct.pack("<10I", offset, form, flags, address, 52 + len(body), size, 0, 0, 4, 0))
        body += content
    header = b"\x7fELF\x01\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIIIIIHHHHHH", 2, 243, 1, entry, 0, 52 + len(body), 0, 52, 32, 0, 40, len(headers), len(headers) - 1
    )
    return header + body + b"".join(headers)


def pack(words: Sequence[int]) -> bytes:
    """Words as bytes, little-endian."""
    return struct.pack(f"<{len(words)}I", *words)


def layout(code: Sequence[int], *, data: bytes = b"", rodata: bytes = b"", input_bytes: int = 0) -> bytes:
    """An ELF file with the usual sections: code, read-write data, read-only data, a stack, an input."""
    sections = [section(".text", CODE, pack(code), flags=6)]
    if data:
        sections.append(section(".data", DATA, data, flags=3))
    if rodata:
        sections.append(section(".rodata", RODATA, rodata, flags=2))
    sections.append(section(".stack", STACK, STACK_BYTES, flags=3))
    if input_bytes:
        sections.append(section(".input", INPUT, input_bytes, flags=2))
    return elf(sections)
