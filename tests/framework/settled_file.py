"""Proof files over a handmade L1 whose anchor is its first block, with a stand-in for the proof system.

`StandIn` takes a hash for a proof; everything else of a file is what a real one has. `stored_chain` is the chain of the
real settlement proof in tests/vectors/proofs (scripts/settlement_fixture.py makes its input).
"""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from bedroll.da import Forced, ProofSystem, StatementKind
from bedroll.light import AnchorFacts, BlockZero, ProofFile, Settlement, parameters_of
from bedroll.light.settlement import LIMIT_BITS
from bedroll.node.proof_verifier import Sp1Verifier, read_program_key
from bedroll.primitives import Address
from bedroll.protocol import MAINNET

from .l1_chain import Grinder, L1Chain
from .plain_rollup import shown
from .plain_settlement import BATCH_KEY, SETTLEMENT_KEY
from .settling_site import SettlingSite
from .site import HOLDERS, LeaderSite, Wallet, address_of, funded_genesis

REGTEST_NUMBER = 3
STORED = Path(__file__).parents[1] / "vectors/proofs"


class StandIn:
    """Takes a hash for a proof."""

    circuit = b""

    def __init__(self):
        self.asked = 0

    def program_digest(self, kind):
        return {StatementKind.BATCH: BATCH_KEY, StatementKind.SETTLEMENT: SETTLEMENT_KEY}[kind]

    def is_valid(self, proof):
        self.asked += 1
        return proof.proof[:32] == hashlib.sha256(b"proof" + proof.public_values).digest()


def headers_of(chain):
    """Headers from the anchor on."""
    return [raw[:80] for raw in [chain.anchor, *chain.blocks]]


def file_at(site, height):
    """The proof file for the L1 block at a height, with all headers after it."""
    chain, step = site.chain, site.steps[height - 1]
    headers, tip = headers_of(chain), site.settled_heights[height - 1]
    return ProofFile(
        network=site.genesis.network.number,
        system=ProofSystem.COMPRESSED,
        values=step.statement,
        proof=shown(step.statement, system=ProofSystem.COMPRESSED).proof,
        block=site.engine.header(tip).rlp,
        anchor=(headers[0],),
        settled=tuple(headers[: height + 1]),
        later=tuple(headers[height + 1 :]),
    )


class SettledSite(SettlingSite):
    """A settling node that remembers the derived tip after each L1 block."""

    def __init__(self, *given):
        self.settled_heights = []
        super().__init__(*given)

    def settle(self, *given):
        super().settle(*given)
        self.settled_heights.append(self.pipeline.safe.height)


class SettledChain:
    """A leader, a node that settles, two batches, transfers; further L1 blocks upon them."""

    def __init__(self, folder, later=3):
        chain = L1Chain(anchor_height=0)
        genesis = funded_genesis(chain)
        self.leader = LeaderSite(folder / "leader", genesis, chain)
        for _ in range(4):
            chain.mine()
        self.leader.follow()
        payer = Wallet(HOLDERS[0])
        self.receiver = Address(b"\x77" * 20)
        self.holder = Address(address_of(HOLDERS[0]))
        self.paid = [payer.sign(value=5), payer.sign(value=7)]
        self.leader.seal(self.paid[:1])
        self.leader.post(self.leader.batch())
        self.leader.seal(self.paid[1:])
        self.leader.post(self.leader.batch())
        self.settled_height = chain.height
        for _ in range(later):
            chain.mine()
        self.site = SettledSite(folder / "settling", genesis, chain)
        self.site.follow()
        self.genesis = genesis
        self.chain = chain

    def file(self, **changes):
        """The file for the block of the second batch, with fields replaced."""
        return replace(file_at(self.site, self.settled_height), **changes)

    def close(self):
        self.site.close()
        self.leader.close()


def stored_chain():
    """An L1 without batches: a forced message waits, the L2 tip is block 0. Gives the chain and its genesis."""
    chain = L1Chain(anchor_height=0)
    genesis = funded_genesis(chain)
    payload = Wallet(HOLDERS[1]).sign(value=9)
    chain.mine()
    chain.mine(Grinder().carry(Forced(network=REGTEST_NUMBER, payload=payload).encode(), fee=1_000))
    for _ in range(3):
        chain.mine()
    return chain, genesis


STORED_HEIGHT = 3
"""L1 block up to which the stored proof speaks; two more lie upon it."""


class StoredSettlement:
    """Runs of the settlement program over that chain; the proof of the first, up to `STORED_HEIGHT`, is kept."""

    def __init__(self, verifier):
        self.chain, self.genesis = stored_chain()
        self.zero, self.headers = BlockZero.of(self.genesis), headers_of(self.chain)
        anchor = AnchorFacts.of_headers(0, self.headers[:1], LIMIT_BITS["regtest"])
        self.settlement = Settlement(
            parameters_of(self.genesis, anchor, self.zero, verifier.circuit),
            self.genesis.network.parameters.tag,
            batch_key=verifier.program_digest(StatementKind.BATCH),
            settlement_key=verifier.program_digest(StatementKind.SETTLEMENT),
        )
        self.height = 0

    def run(self, upto):
        """The next run, up to an L1 block."""
        blocks, self.height = self.chain.blocks[self.height : upto], upto
        return self.settlement.advance(blocks, [], [self.zero.header])

    def parts(self):
        """What a file has beside the newest run's proof."""
        return {
            "network": self.genesis.network.number,
            "block": self.zero.header,
            "anchor": (self.headers[0],),
            "settled": tuple(self.headers[: self.height + 1]),
            "later": tuple(self.headers[self.height + 1 :]),
        }


class StoredVerifier(Sp1Verifier):
    """Judges the stored proof under its own key: it is made again at a release, keys change with every rule."""

    def __init__(self):
        key = read_program_key(STORED / "settlement.key")
        super().__init__({StatementKind.SETTLEMENT: key}, Sp1Verifier.of_network(MAINNET).circuit)

    def program_digest(self, kind):
        if kind is StatementKind.BATCH:
            return (STORED / "settlement.values").read_bytes()[34:66]
        return super().program_digest(kind)


def stored_file(verifier):
    """The proof file for `STORED_HEIGHT` with the real proof, and the genesis that it is of."""
    made = StoredSettlement(verifier)
    made.run(STORED_HEIGHT)
    block = bytes.fromhex(json.loads((STORED / "settlement.json").read_text())["block"])
    assert made.zero.header == block, "block 0 is another now: run scripts/settlement_fixture.py"
    values, proof = ((STORED / f"settlement.{end}").read_bytes() for end in ("values", "proof"))
    return ProofFile(system=ProofSystem.COMPRESSED, values=values, proof=proof, **made.parts()), made.genesis
