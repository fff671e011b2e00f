"""A batch and its parent: an engine that leads, and one that stands where a prover stands."""

from hashlib import sha256

from bedroll._core._native import Statement, encode_batch, program_input, run_program
from bedroll.da import BatchForm, BatchHeader
from bedroll.protocol import REGTEST
from tests.framework.ledger import Ledger, address_of

TO = b"\x77" * 20


class Scene:
    """Two engines: one that leads, and one that stands at the batch's parent."""

    def __init__(self, folder):
        self.leader = Ledger.open(folder / "leader")
        self.prover = Ledger.open(folder / "prover")
        self.origins = []

    def forced(self, raw, paid=True):
        return (sha256(raw).digest(), raw, paid)

    def origin(self, forced=None):
        origin = self.leader.next_origin(forced)
        self.origins.append(origin)
        return origin

    def catch_up(self):
        """Bring the prover to the leader's tip."""
        origins = iter(self.origins)
        for height in range(1, self.leader.engine.tip().number + 1):
            block = self.leader.engine.block(height)
            origin = next(origins) if block.origin_step else None
            self.prover.engine.begin(block.header.timestamp, origin)
            for transaction in block.transactions[block.forced_count :]:
                self.prover.engine.add(transaction.raw)
            assert self.prover.engine.seal().header.hash == block.header.hash
        self.origins = []

    def signatures(self):
        """What the proven form of the batch leaves out, one item a transaction."""
        heights = range(self.prover.engine.tip().number + 1, self.leader.engine.tip().number + 1)
        return [each for height in heights for each in self.leader.engine.block(height).own_signatures()]

    def header(self, **fields):
        """Of the batch from the prover's tip to the leader's."""
        parent, tip = self.prover.engine.tip(), self.leader.engine.tip()
        form = fields.get("form", BatchForm.SIGNED)
        body = encode_batch(self.leader.engine, parent.number + 1, tip.number, form=int(form))
        first = self.leader.engine.block(parent.number + 1)
        return BatchHeader(
            **{
                "network": REGTEST.number,
                "parent_l2_hash": parent.hash,
                "first_height": parent.number + 1,
                "block_count": tip.number - parent.number,
                "first_origin": first.origin_height,
                "last_origin": self.leader.engine.block(tip.number).origin_height,
                "tip_l2_hash": tip.hash,
                "body_hash": sha256(body).digest(),
            }
            | fields
        ), body

    def statement(self, header, body, signatures=b""):
        """Of the program, run with the store and from the witness alone."""
        given, stated = program_input(
            self.prover.engine, self.origins, header=header.encode(), body=body, signatures=signatures
        )
        assert run_program(given) == stated
        return Statement.decode(stated)


def busy(scene):
    """Blocks with transfers, a deployment, a call and a creation that fails."""
    ledger = scene.leader
    alice, bob = ledger.keys[:2]
    ledger.block(ledger.sign(alice, to=TO, value=5), ledger.sign(bob, to=TO, value=7))
    token = ledger.deploy(alice, "demo_token", (10**24).to_bytes(32, "big"))
    assert ledger.send(alice, token, "transfer(address,uint256)", address_of(bob), 10**18).status == 1
    ledger.block(ledger.sign(bob, to=None, data=b"\xfe", gas=100_000), origin=scene.origin())
    return token
