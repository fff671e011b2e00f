"""What a call of a precompile costs in the proved program: between one and many of them in the same transaction."""

import tempfile
from pathlib import Path

from bedroll.crypto import bn254
from tests.costs.guest import executed
from tests.framework.precompile_batch import Call, ran

SHA256, EC_ADD, EC_MUL, EC_PAIRING = 2, 6, 7, 8
TIMES = 9
GAS = 5_000_000
G1 = (1, 2)
G2 = (
    (
        0x1800DEEF121F1E76426A00665E5C4479674322D4F75EDADD46DEBD5CD992F6ED,
        0x198E9393920D483A7260BFB731FB5D25F1AA493335A9E71297E485B7AEF312C2,
    ),
    (
        0x12C85EA5DB8C6DEB4AAB71808DCB408FE3D1E7690C43D37B4CE6CC0166FA7DAA,
        0x090689D0585FF075EC9E99AD690C3395BC4B313370B38EF355ACDADCD122975B,
    ),
)
"""The generators that EIP-197 gives."""
SCALAR = int.from_bytes(bytes(range(0x81, 0xA1)))
"""Of 256 bits, neither sparse nor dense."""


def first(point: bn254.G1 | None) -> bytes:
    """A point of G1 as the EVM writes it."""
    return b"".join(part.to_bytes(32, "big") for part in point or (0, 0))


def second(point: bn254.G2) -> bytes:
    """A point of G2 as the EVM writes it: imaginary parts first."""
    return b"".join(part.to_bytes(32, "big") for pair in point for part in reversed(pair))


PAIR = first(G1) + second(G2)
CALLS = {
    "ec_add": Call(EC_ADD, first(G1) + first(bn254.multiply(G1, 7))),
    "ec_mul": Call(EC_MUL, first(G1) + SCALAR.to_bytes(32, "big")),
    "ec_pairing_1": Call(EC_PAIRING, PAIR),
    "ec_pairing_2": Call(EC_PAIRING, PAIR * 2),
    "ec_pairing_4": Call(EC_PAIRING, PAIR * 4),
    "sha256_32_bytes": Call(SHA256, size=32),
    "sha256_1000_bytes": Call(SHA256, size=1_000),
    "sha256_100000_bytes": Call(SHA256, size=100_000),
}


def call_cycles(executor: Path, call: Call, program: Path) -> int:
    """Cycles of one call more, its way through the interpreter with it."""
    found = []
    for times in (1, TIMES):
        with tempfile.TemporaryDirectory() as folder:
            made = ran(Path(folder), [Call(call.precompile, call.data, call.size, times, GAS)])
        cycles, code, values = executed(executor, made.given, program)
        assert (code, values) == (0, made.stated)
        found.append(cycles)
    return round((found[1] - found[0]) / (TIMES - 1))


def precompile_costs(executor: Path, program: Path) -> dict[str, int]:
    """Each figure by its name in costs.toml."""
    return {f"{name}_cycles": call_cycles(executor, call, program) for name, call in CALLS.items()}
