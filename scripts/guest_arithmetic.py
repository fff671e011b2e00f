"""Write the verifier's multiplications for RV32IM: crates/guest/verifier/src/arithmetic.s; `--check` only compares.

The compiler moves a third of its steps to and from memory when it unrolls a product of ten limbs, because it has no
register for each of the eleven columns that two rows touch. Here every register is placed by hand: 22 hold the columns,
4 the two rows' limbs, each also shifted, one the other factor's limb, one the product, one a pointer.
`crates/guest/verifier/src/number.rs` has the same two functions in Rust and says why four instructions add a product.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

TARGET: Final = Path(__file__).resolve().parents[1] / "crates/guest/verifier/src/arithmetic.s"

LIMBS: Final = 10
BITS: Final = 26
SPLIT: Final = 27
NEGATIVE_INVERSE: Final = 8_807_305
SAVED: Final = ("ra", *(f"s{number}" for number in range(12)))
"""What a function gives back as it was. gp and tp are used too: without relaxation or threads nobody else does."""

ROW: Final = ("t0", "t1", "t2", "t3")
OTHER, PRODUCT, POINTER = "t4", "t5", "t6"
FREE: Final = ("a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "gp", "tp", *SAVED)

HEAD: Final = """# Written by scripts/guest_arithmetic.py; do not edit.
"""


class Function:
    """A function that multiplies one or two pairs and reduces their sum; its text grows line by line."""

    def __init__(self, name: str, pairs: int) -> None:
        self.pairs = pairs
        self.lines = [f".globl {name}", f".type {name}, @function", f"{name}:"]
        self.free = list(FREE)
        self.columns: dict[int, tuple[str, str]] = {}
        self.frame = 4 * (len(SAVED) + 1 + 2 * pairs)
        self.emit(f"addi sp, sp, -{self.frame}")
        for index, register in enumerate(SAVED):
            self.emit(f"sw {register}, {4 * index}(sp)")
        for index in range(1 + 2 * pairs):
            self.emit(f"sw a{index}, {self.slot(index)}(sp)")
        for row in range(0, LIMBS, 2):
            for pair in range(pairs):
                self.rows(row, pair)
            self.reduce(row)
        self.finish()
        self.emit("ret")
        self.lines.append(f".size {name}, . - {name}")

    def emit(self, text: str) -> None:
        self.lines.append(f"    {text}")

    def slot(self, argument: int) -> int:
        """Where an argument waits: 0 the result's address, then the factors'."""
        return 4 * (len(SAVED) + argument)

    def accumulate(self, column: int, limb: str, shifted: str) -> None:
        """Add limb · OTHER to a column."""
        if column in self.columns:
            low, high = self.columns[column]
            self.emit(f"mul {PRODUCT}, {limb}, {OTHER}")
            self.emit(f"add {low}, {low}, {PRODUCT}")
            self.emit(f"mulh {PRODUCT}, {shifted}, {OTHER}")
            self.emit(f"add {high}, {high}, {PRODUCT}")
        else:
            low, high = self.columns[column] = self.free.pop(), self.free.pop()
            self.emit(f"mul {low}, {limb}, {OTHER}")
            self.emit(f"mulh {high}, {shifted}, {OTHER}")

    def rows(self, row: int, pair: int) -> None:
        """Add two rows of one pair's product."""
        one, one_shifted, two, two_shifted = ROW
        self.emit(f"lw {POINTER}, {self.slot(1 + 2 * pair)}(sp)")
        self.emit(f"lw {one}, {4 * row}({POINTER})")
        self.emit(f"lw {two}, {4 * row + 4}({POINTER})")
        self.emit(f"lw {POINTER}, {self.slot(2 + 2 * pair)}(sp)")
        self.emit(f"slli {one_shifted}, {one}, {32 - SPLIT}")
        self.emit(f"slli {two_shifted}, {two}, {32 - SPLIT}")
        for limb in range(LIMBS):
            self.emit(f"lw {OTHER}, {4 * limb}({POINTER})")
            self.accumulate(row + limb, one, one_shifted)
            self.accumulate(row + 1 + limb, two, two_shifted)

    def multiple(self, column: int, limb: str, shifted: str) -> None:
        """Choose the multiple of q that clears a column's lowest bits."""
        inverse = NEGATIVE_INVERSE << (32 - BITS)
        self.emit(f"lui {PRODUCT}, {((inverse + 0x800) >> 12) & 0xFFFFF}")
        self.emit(f"addi {PRODUCT}, {PRODUCT}, {(inverse + 0x800 & 0xFFF) - 0x800}")
        self.emit(f"mul {PRODUCT}, {PRODUCT}, {self.columns[column][0]}")
        self.emit(f"srli {limb}, {PRODUCT}, {32 - BITS}")
        self.emit(f"srli {shifted}, {PRODUCT}, {SPLIT - BITS}")

    def load_prime(self, limb: int) -> None:
        self.emit(f"lw {OTHER}, %lo(bedroll_prime + {4 * limb})({POINTER})")

    def reduce(self, row: int) -> None:
        """Add two multiples of q so that the two lowest columns become carries."""
        one, one_shifted, two, two_shifted = ROW
        self.emit(f"lui {POINTER}, %hi(bedroll_prime)")
        self.load_prime(0)
        self.multiple(row, one, one_shifted)
        self.accumulate(row, one, one_shifted)
        self.close(row)
        self.load_prime(1)
        self.accumulate(row + 1, one, one_shifted)
        self.multiple(row + 1, two, two_shifted)
        self.accumulate(row + 2, two, two_shifted)
        self.load_prime(0)
        self.accumulate(row + 1, two, two_shifted)
        self.close(row + 1)
        for limb in range(2, LIMBS):
            self.load_prime(limb)
            self.accumulate(row + limb, one, one_shifted)
            self.accumulate(row + 1 + limb, two, two_shifted)

    def close(self, column: int, limb: str | None = None) -> None:
        """Carry a column into the next; its lowest bits go to a register if they are the result's."""
        low, high = self.columns.pop(column)
        self.emit(f"slli {PRODUCT}, {high}, {SPLIT}")
        self.emit(f"sub {low}, {low}, {PRODUCT}")
        if limb is not None:
            self.emit(f"slli {limb}, {low}, {32 - BITS}")
            self.emit(f"srli {limb}, {limb}, {32 - BITS}")
        self.emit(f"srli {low}, {low}, {BITS}")
        self.emit(f"slli {high}, {high}, {SPLIT - BITS}")
        self.emit(f"add {low}, {low}, {high}")
        if column + 1 in self.columns:
            next_low, next_high = self.columns[column + 1]
            self.emit(f"add {next_low}, {next_low}, {low}")
            self.emit(f"srai {low}, {low}, {SPLIT}")
            self.emit(f"add {next_high}, {next_high}, {low}")
        else:
            self.emit(f"sw {low}, {4 * (LIMBS - 1)}({POINTER})")
        self.free += [low, high]

    def finish(self) -> None:
        """Store the result and leave."""
        self.emit(f"lw {POINTER}, {self.slot(0)}(sp)")
        for column in range(LIMBS, 2 * LIMBS - 1):
            self.close(column, OTHER)
            self.emit(f"sw {OTHER}, {4 * (column - LIMBS)}({POINTER})")
        for index, register in enumerate(SAVED):
            self.emit(f"lw {register}, {4 * index}(sp)")
        self.emit(f"addi sp, sp, {self.frame}")


def text() -> Iterator[str]:
    """The file, line by line."""
    yield HEAD + ".option arch, +m\n.text"
    for name, pairs in (("bedroll_product", 1), ("bedroll_cross", 2)):
        yield from Function(name, pairs).lines


def main() -> int:
    """Write or compare."""
    written = "\n".join(text()) + "\n"
    if "--check" in sys.argv[1:]:
        same = TARGET.read_text() == written
        print("as committed" if same else "not as committed")
        return 0 if same else 1
    TARGET.write_text(written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
