"""Random EVM code that mostly runs: statements that leave the stack as it was, edges now and then, noise rarely.

What a program computes goes into slots, logs and return data, so that two engines that differ anywhere differ there.
"""

from tests.framework import evm_input

MAX = (1 << 256) - 1
EXTREMES = (
    0, 1, 2, 3, 4, 5, 7, 8, 31, 32, 33, 255, 256, 257, (1 << 64) - 1, 1 << 64, 1 << 128, 1 << 255, (1 << 255) - 1,
    MAX, MAX - 1, MAX - 255, 0x0102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F20,
)  # fmt: skip
NULLARY = bytes.fromhex("30 32 33 34 36 38 3a 3d 41 42 43 44 45 46 47 48 4a 58 59 5a")
UNARY = bytes.fromhex("15 19 31 35 3b 3f 40 49 1e")
BINARY = bytes.fromhex("01 02 03 04 05 06 07 0a 0b 10 11 12 13 14 16 17 18 1a 1b 1c 1d")
UNDEFINED = bytes.fromhex("0c 0f 1f 21 2f 4b 4f a5 b0 bf c0 d0 e0 e3 ef f6 f7 f8 f9 fb fc fe")


class Program:
    """Code under construction; `actors` are addresses that it may call, read or pay."""

    def __init__(self, rng, actors, *, depth=0):
        self.rng, self.actors, self.depth = rng, actors, depth
        self.code, self.holes, self.constants = bytearray(), [], bytearray()

    # --- pieces ------------------------------------------------------------------------------------

    def emit(self, *opcodes):
        self.code += bytes(opcodes)

    def push(self, number):
        size = (number.bit_length() + 7) // 8
        if size < 32 and self.rng.random() < 0.05:
            size += 1
        self.code += bytes([0x5F + size]) + number.to_bytes(size, "big")

    def push_bytes(self, raw):
        self.code += bytes([0x5F + len(raw)]) + raw

    def target(self):
        """An address that is pushed."""
        self.push_bytes(self.rng.choice(self.actors))

    def jump_place(self):
        """PUSH2 of a place not yet known; gives its hole."""
        self.emit(0x61, 0, 0)
        return len(self.code) - 2

    def land(self, hole):
        self.code[hole : hole + 2] = len(self.code).to_bytes(2, "big")
        self.emit(0x5B)

    def keep(self, raw):
        """Put a constant behind the code; gives how to push where it will be."""
        at = len(self.constants)
        self.constants += raw
        return at

    def load_constant(self, raw, to):
        """CODECOPY of a constant to a place in memory."""
        self.push(len(raw))
        self.emit(0x61, 0, 0)
        self.holes.append((len(self.code) - 2, self.keep(raw)))
        self.push(to)
        self.emit(0x39)

    def finish(self):
        self.emit(0x00)
        start = len(self.code)
        for hole, at in self.holes:
            self.code[hole : hole + 2] = (start + at).to_bytes(2, "big")
        return bytes(self.code + self.constants)

    # --- values ------------------------------------------------------------------------------------

    def place(self):
        """An offset in memory or input."""
        if self.rng.random() < 0.012:
            self.push(self.rng.choice((1 << 16, 1 << 20, (1 << 32) - 1, 1 << 32, 1 << 64, MAX)))
        else:
            self.push(self.rng.choice((0, 0, 0, 1, 31, 32, 33, 64, 95, 128, 255, 1_000)))

    def length(self):
        if self.rng.random() < 0.012:
            self.push(self.rng.choice((1 << 16, 1 << 24, 1 << 32, (1 << 64) - 1, MAX)))
        else:
            self.push(self.rng.choice((0, 0, 1, 4, 20, 31, 32, 32, 33, 64, 100, 500)))

    def slot(self):
        self.push(self.rng.choice((0, 0, 1, 1, 2, 3, 5, MAX)))

    def value(self, left=3):
        """Leaves one word."""
        rng = self.rng
        way = rng.random() if left else rng.random() * 0.5
        if way < 0.3:
            self.push(rng.choice(EXTREMES) if rng.random() < 0.8 else rng.getrandbits(rng.randrange(1, 257)))
        elif way < 0.5:
            self.emit(rng.choice(NULLARY))
        elif way < 0.62:
            self.value(left - 1)
            self.emit(rng.choice(UNARY))
        elif way < 0.72:
            self.read()
        elif way < 0.96:
            self.value(left - 1)
            self.value(left - 1)
            self.emit(rng.choice(BINARY))
        else:
            for _ in range(3):
                self.value(left - 1)
            self.emit(rng.choice((0x08, 0x09)))

    def read(self):
        """A word from memory, a slot, transient storage, another account, a hash."""
        way = self.rng.randrange(6)
        if way == 0:
            self.place()
            self.emit(0x51)
        elif way == 1:
            self.slot()
            self.emit(0x54)
        elif way == 2:
            self.slot()
            self.emit(0x5C)
        elif way == 3:
            self.target()
            self.emit(self.rng.choice((0x31, 0x3B, 0x3F)))
        elif way == 4:
            self.length()
            self.place()
            self.emit(0x20)
        else:
            self.place()
            self.emit(0x35)

    # --- statements --------------------------------------------------------------------------------

    def statement(self, left):
        ways = (
            (self.store, 20), (self.memory, 16), (self.log, 7), (self.call, 22), (self.precompile, 9),
            (self.create, 5), (self.branch, 9), (self.loop, 4), (self.shuffle, 6), (self.answer, 3), (self.end, 2),
            (self.noise, 0.6), (self.overflow, 0.2), (self.again, 2), (self.slot_dance, 6), (self.pointless_jump, 0.5),
        )  # fmt: skip
        chosen = self.rng.choices([way for way, _ in ways], [share for _, share in ways])[0]
        if chosen in (self.branch, self.loop):
            chosen(left)
        else:
            chosen()

    def body(self, statements, left=2):
        for _ in range(statements):
            self.statement(left)
        return self

    def store(self):
        self.value()
        self.slot()
        self.emit(self.rng.choice((0x55, 0x55, 0x55, 0x5D)))

    def slot_dance(self):
        """One slot over and over: every case of EIP-2200 and EIP-3529."""
        slot = self.rng.randrange(4)
        for _ in range(self.rng.randrange(2, 5)):
            self.push(self.rng.choice((0, 0, 1, 2)))
            self.push(slot)
            self.emit(0x55)

    def memory(self):
        way = self.rng.randrange(7)
        if way == 0:
            self.value()
            self.place()
            self.emit(self.rng.choice((0x52, 0x52, 0x53)))
        elif way == 1:
            self.length(), self.place(), self.place(), self.target(), self.emit(0x3C)
        else:
            self.length()
            self.place()
            self.place()
            self.emit(self.rng.choice((0x5E, 0x5E, 0x37, 0x39)))
        if way == 6:
            # Beyond what was returned, this halts.
            self.push(self.rng.choice((0, 0, 0, 1))), self.push(0), self.place(), self.emit(0x3E)

    def log(self):
        topics = self.rng.randrange(5)
        for _ in range(topics):
            self.value(1)
        self.length(), self.place(), self.emit(0xA0 + topics)

    def gas(self):
        way = self.rng.random()
        if way < 0.6:
            self.emit(0x5A)
        elif way < 0.95:
            self.push(self.rng.choice((0, 1, 700, 2_300, 2_301, 5_000, 30_000, 100_000)))
        else:
            self.push(MAX)

    def paid(self):
        self.push(self.rng.choice((0, 0, 0, 1, 1, 7, 10**15, MAX)))

    def call(self):
        opcode = self.rng.choice((0xF1, 0xF1, 0xF1, 0xF2, 0xF4, 0xF4, 0xFA))
        self.length(), self.place(), self.length(), self.place()
        if opcode in (0xF1, 0xF2):
            self.paid()
        self.target(), self.gas(), self.emit(opcode)
        self.result()

    def result(self):
        """Make use of what a call left."""
        way = self.rng.random()
        if way < 0.5:
            self.slot(), self.emit(0x55)
        elif way < 0.8:
            self.emit(0x3D, 0x5F, 0x5F, 0x3E, 0x3D, 0x5F, 0xA1)
        else:
            self.emit(0x3D, 0x01), self.slot(), self.emit(0x55)

    def precompile(self):
        number, made = evm_input.draw(self.rng)
        self.load_constant(made, 0)
        out = self.rng.choice((0, 32, 64, 128))
        self.push(out), self.push(512), self.push(len(made)), self.push(0)
        opcode = self.rng.choice((0xF1, 0xFA, 0xFA, 0xF4))
        if opcode == 0xF1:
            self.paid()
        self.push(number), self.gas(), self.emit(opcode)
        self.result()
        self.push(out), self.push(512), self.emit(0x20), self.slot(), self.emit(0x55)

    def create(self):
        if self.depth >= 2:
            return self.store()
        made = creation(self.rng, self.actors, depth=self.depth + 1)
        self.load_constant(made, 0)
        second = self.rng.random() < 0.6
        if second:
            self.push(self.rng.randrange(2))
        self.push(len(made) if self.rng.random() < 0.97 else self.rng.choice((49_152, 49_153, 1 << 40)))
        self.push(0), self.paid(), self.emit(0xF5 if second else 0xF0)
        way = self.rng.random()
        if way < 0.4:
            # Call what was made.
            self.emit(0x5F, 0x5F, 0x5F, 0x5F, 0x5F, 0x85)
            self.gas(), self.emit(0xF1, 0x50)
        return self.result()

    def again(self):
        """Call itself until gas or depth ends, at most as deep as a slot counts."""
        self.push(0), self.emit(0x5C), self.push(self.rng.choice((2, 5, 40))), self.emit(0x11, 0x15)
        hole = self.jump_place()
        self.emit(0x57)
        self.push(0), self.emit(0x5C), self.push(1), self.emit(0x01), self.push(0), self.emit(0x5D)
        self.emit(0x5F, 0x5F, 0x5F, 0x5F, 0x5F, 0x30, 0x5A, 0xF1, 0x50)
        self.land(hole)

    def branch(self, left):
        self.value(1)
        hole = self.jump_place()
        self.emit(0x57)
        if left:
            self.body(self.rng.randrange(1, 3), left - 1)
        self.land(hole)

    def loop(self, left):
        self.push(self.rng.randrange(1, 6))
        start = len(self.code)
        self.emit(0x5B)
        if left:
            self.body(self.rng.randrange(1, 3), left - 1)
        self.push(1), self.emit(0x90, 0x03, 0x80)
        self.push_bytes(start.to_bytes(2, "big"))
        self.emit(0x57, 0x50)

    def shuffle(self):
        count = self.rng.randrange(1, 17)
        for _ in range(count):
            self.push(self.rng.randrange(1 << 16))
        for _ in range(self.rng.randrange(8)):
            self.emit(self.rng.choice((0x80, 0x90)) + self.rng.randrange(max(1, count - 1)))
            if 0x80 <= self.code[-1] < 0x90:
                self.emit(0x18)
        for _ in range(count):
            self.slot() if self.rng.random() < 0.05 else self.emit(0x58)
            self.emit(0x50, 0x50)

    def answer(self):
        """Return or revert in a branch that is taken sometimes."""
        self.value(1)
        hole = self.jump_place()
        self.emit(0x57)
        self.length(), self.place(), self.emit(self.rng.choice((0xF3, 0xF3, 0xFD)))
        self.land(hole)

    def end(self):
        way = self.rng.random()
        if way < 0.5:
            self.target(), self.emit(0xFF)
        elif way < 0.6:
            self.emit(0x30, 0xFF)
        elif way < 0.8:
            self.length(), self.place(), self.emit(self.rng.choice((0xF3, 0xFD)))
        else:
            self.emit(self.rng.choice((0x00, 0xFE, self.rng.choice(UNDEFINED))))

    def noise(self):
        self.code += self.rng.randbytes(self.rng.randrange(1, 12))

    def overflow(self):
        start = len(self.code)
        self.emit(0x5B, 0x5F)
        self.push_bytes(start.to_bytes(2, "big"))
        self.emit(0x56)

    def pointless_jump(self):
        self.push(self.rng.choice((0, 1, len(self.code), len(self.code) + 3, 1 << 16, MAX)))
        self.emit(self.rng.choice((0x56, 0x57)))


def runtime(rng, actors, *, depth=0):
    """Code of a contract."""
    return Program(rng, actors, depth=depth).body(rng.randrange(1, 12)).finish()


def creation(rng, actors, *, depth=0):
    """Init code: some statements, then what it deploys, which may be forbidden, empty, dear or of any kind."""
    program = Program(rng, actors, depth=depth)
    program.body(rng.choice((0, 0, 0, 1, 1, 3)), 1)
    way = rng.random()
    if way < 0.08:
        return program.finish()
    if way < 0.14:
        program.push(rng.choice((24_576, 24_577, 0, 1, 200))), program.push(0), program.emit(0xF3)
        return program.finish()
    if way < 0.2:
        code = rng.choice((b"\xef", b"\xef\x00", b"\xef\x01\x00" + bytes(20), b"\xef\x00\x01", b"\xfe", b"\x00"))
    elif way < 0.9 and depth < 2:
        code = Program(rng, actors, depth=depth + 1).body(rng.randrange(1, 5), 1).finish()
    else:
        code = rng.randbytes(rng.randrange(40))
    program.load_constant(code, 0)
    program.push(len(code)), program.push(0), program.emit(0xFD if rng.random() < 0.06 else 0xF3)
    return program.finish()
