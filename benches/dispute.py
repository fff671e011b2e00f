"""Setup of 30 games of the real size, about the verifier, each side a process: time, messages, disk, memory.

Target: 30 s on two cores, 60 MB for each side; each of the three sizes is held to it, memory with the interpreter.
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bedroll.bitcoin.builder import Input, KeyPath  # noqa: E402
from bedroll.bitcoin.taproot import TaprootOutput, tweak_secret_key  # noqa: E402
from bedroll.bitcoin.transaction import OutPoint, TxOut  # noqa: E402
from bedroll.bitvm.game.book import Book  # noqa: E402
from bedroll.bitvm.graph import MAIN, Party, Terms  # noqa: E402
from bedroll.bitvm.graph.bond import SEAT_BOND_SAT  # noqa: E402
from bedroll.bitvm.player.claim import build_claim  # noqa: E402
from bedroll.bitvm.player.side import Side  # noqa: E402
from bedroll.crypto import sha256  # noqa: E402
from bedroll.primitives import FeeRate, L1Height, Satoshi, Txid  # noqa: E402
from bedroll.riscv import Program  # noqa: E402
from bedroll.riscv.verifier import instance  # noqa: E402
from tests.framework.groth16 import arkworks  # noqa: E402

GAMES, EXPONENT = 30, 26
TARGET_SECONDS, TARGET_MB = 30, 60


def play(party: Party, folder: Path, other: Connection, report: Connection) -> None:
    """One side of all games: an offer for each, then claims, nonces and parts of all in a message each."""
    side = Side(folder, bytes(sha256(party.value.encode())), None)
    sent = 0

    def exchange(message: object) -> object:
        nonlocal sent
        sent += len(message) if isinstance(message, bytes) else sum(map(len, message))
        if party is Party.PROVER:
            other.send(message)
            return other.recv()
        heard = other.recv()
        other.send(message)
        return heard

    begun, used = time.perf_counter(), time.process_time()
    keys = [side.key.public, exchange(side.key.public)]
    prover, challenger = keys if party is Party.PROVER else reversed(keys)
    scripts = [TaprootOutput.build(key[1:]).script for key in (prover, challenger)]
    setups, sample = [], arkworks()[0]
    program = Program(instance(sample.key, sample.inputs))
    for number in range(GAMES):
        name = bytes(sha256(bytes([number])))
        book = Book.build(program, EXPONENT, name)
        terms = Terms(name, bytes(sha256(program.raw)), EXPONENT, MAIN, prover, challenger, *scripts, SEAT_BOND_SAT)
        setups.append(side.setup(terms, party, book, L1Height(0)))
    for setup in setups:
        setup.accept_offer(exchange(setup.offer()))
    claims = [claim_of(side, number, setup) for number, setup in enumerate(setups)] if party is Party.PROVER else []
    given = exchange(claims)
    for setup, claim in zip(setups, claims or given, strict=True):
        setup.accept_claim(claim)
    nonces = exchange([setup.nonces() for setup in setups])
    parts = exchange([setup.accept_nonces(each) for setup, each in zip(setups, nonces, strict=True)])
    for setup, each in zip(setups, parts, strict=True):
        setup.accept_parts(each)
    assert all(setup.done for setup in setups)
    wall, cpu = time.perf_counter() - begun, time.process_time() - used
    side.close()
    disk = sum(file.stat().st_size for file in folder.iterdir())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    report.send((party.value, wall, cpu, sent, disk, peak))


def claim_of(side: Side, number: int, setup) -> bytes:
    """The claim of a game, from a coin that nobody has."""
    script = TaprootOutput.build(side.key.x_only).script
    point = OutPoint(Txid(sha256(b"coin" + bytes([number]))), 0)
    coin = TxOut(Satoshi(2 * SEAT_BOND_SAT), script)
    inputs = [Input(point, coin, KeyPath(tweak_secret_key(side.key)))]
    return build_claim(setup.terms, setup.leaves, inputs, script, FeeRate(1_000)).stripped


def main() -> int:
    """Run both sides and compare with the targets."""
    one, two = multiprocessing.Pipe()
    heard, told = multiprocessing.Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as folder:
        places = {party: Path(folder) / party.value for party in Party}
        for place in places.values():
            place.mkdir()
        sides = [
            multiprocessing.Process(target=play, args=(party, places[party], end, told))
            for party, end in zip(Party, (one, two), strict=True)
        ]
        for each in sides:
            each.start()
        found = [heard.recv() for _ in sides]
        for each in sides:
            each.join()
    missed = False
    for party, wall, cpu, sent, disk, peak in sorted(found):
        size = max(sent, disk, peak) / 1e6
        print(
            f"{party:<10} {GAMES} games: {wall:5.1f} s ({cpu:5.1f} s of one core; target {TARGET_SECONDS}), "
            f"sent {sent / 1e6:.1f} MB, on disk {disk / 1e6:.1f} MB, memory {peak / 1e6:.1f} MB (target {TARGET_MB})"
        )
        missed |= wall > TARGET_SECONDS or size > TARGET_MB
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
