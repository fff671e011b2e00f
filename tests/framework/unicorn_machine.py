"""Unicorn (QEMU's RISC-V) beside the machine, step by step: an oracle that nobody here wrote."""

from dataclasses import dataclass, field

from unicorn import UC_ARCH_RISCV, UC_HOOK_CODE, UC_MODE_RISCV32, Uc
from unicorn.riscv_const import UC_RISCV_REG_PC, UC_RISCV_REG_X0

from bedroll.riscv import Kind, Program, Row, Trace
from bedroll.riscv.trace import REGISTER_START

PAGE = 4096


@dataclass
class Unicorn:
    """A program in Unicorn. Everything is writable: what the machine forbids is never run here."""

    program: Program
    given_input: bytes
    engine: Uc = field(init=False)
    _mapped: set[int] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.engine = Uc(UC_ARCH_RISCV, UC_MODE_RISCV32)
        for section in self.program.sections():
            for page in range(section.start // PAGE, (section.start + section.size_bytes - 1) // PAGE + 1):
                if page not in self._mapped:
                    self.engine.mem_map(page * PAGE, PAGE)
                    self._mapped.add(page)
            if section.words is not None:
                self.engine.mem_write(section.start, b"".join(word.to_bytes(4, "little") for word in section.words))
            elif section.kind is Kind.INPUT:
                self.engine.mem_write(section.start, self.given_input)

    def register(self, number: int) -> int:
        """Value of x0 … x31."""
        return int(self.engine.reg_read(UC_RISCV_REG_X0 + number))

    def word(self, address: int) -> int:
        """Word of memory."""
        return int.from_bytes(self.engine.mem_read(address, 4), "little")

    def written(self, row: Row) -> int:
        """What stands where a row says it wrote."""
        address = row.write.addr
        return self.register((address - REGISTER_START) // 4) if address >= REGISTER_START else self.word(address)

    def follow(self, trace: Trace, steps: int) -> None:
        """Run so many steps; after each, program counter and write must be the trace's.

        Raises:
            AssertionError: They are not.
        """
        reached: list[int] = []
        failures: list[str] = []

        def check(pc: int) -> None:
            step = len(reached)
            if not 1 <= step <= steps:
                return
            row = trace.row_at(step)
            if row.write_pc != pc:
                failures.append(f"step {step}: {row.mnemonic} goes to {row.write_pc:#x}, Unicorn to {pc:#x}")
            elif row.write.addr and self.written(row) != row.write.value:
                failures.append(f"step {step}: {row.mnemonic} wrote {row.write}, Unicorn {self.written(row):#x}")

        def before(engine: Uc, pc: int, _size: int, _user: object) -> None:
            check(pc)
            reached.append(pc)
            if failures:
                engine.emu_stop()

        hook = self.engine.hook_add(UC_HOOK_CODE, before)
        self.engine.emu_start(self.program.entry, 0, count=steps)
        self.engine.hook_del(hook)
        assert not failures, failures
        assert len(reached) == steps
        check(int(self.engine.reg_read(UC_RISCV_REG_PC)))
        assert not failures, failures
