"""The settlement program where the stored Groth16 proof, or one near it, is posted for the batch that it is of.

`Groth16Settlement` has the chain up to that batch's body. A run takes the L1 block in which something is posted: once
natively, told what the node's verifier says of the proof, to be compared with the program that judges it by itself.
"""

import json
from pathlib import Path

from bedroll.da import Proof, ProofSystem, StatementKind
from bedroll.node.proof_verifier import Sp1Verifier
from bedroll.protocol import REGTEST

from .l1_chain import Grinder
from .proof_batch import proof_batch
from .settling_site import SettlingSite, settlement_of

FOLDER = Path(__file__).parents[1] / "vectors/proofs"
WRAPPED = {name: bytes.fromhex(text) for name, text in json.loads((FOLDER / "batch.json").read_text()).items()}
BATCH_KEY, SETTLEMENT_KEY = ((FOLDER / f"{name}.key").read_bytes() for name in ("batch", "settlement"))
TRUE = Proof(
    statement=StatementKind.BATCH,
    system=ProofSystem.GROTH16,
    public_values=WRAPPED["public_values"],
    proof=WRAPPED["proof"],
)
FEE = REGTEST.parameters.proof_fee


def stored_verifier(batch=BATCH_KEY, circuit=WRAPPED["key"]):
    """The node's, under the keys that the stored proof was made with or others."""
    return Sp1Verifier({StatementKind.BATCH: batch, StatementKind.SETTLEMENT: SETTLEMENT_KEY}, circuit)


class Groth16Settlement:
    """A history up to the body of the proven batch; `parent` and `tip` are the headers before and after it."""

    def __init__(self, folder):
        self.verifier = stored_verifier()
        self.grinder = Grinder()
        with proof_batch(folder, self.verifier) as posted:
            self.batch, self.stated = posted.batch, posted.stated
            self.chain, self.genesis = posted.leader.chain, posted.leader.genesis
            self.tip = posted.leader.engine.header(posted.leader.engine.tip().number)
        self.site = SettlingSite(folder / "settling", self.genesis, self.chain, verifier=self.verifier)
        self.site.follow()
        self.parent = self.site.engine.header(self.site.pipeline.safe.height)
        self.before = self.site.steps[-1]

    def block(self, *objects, fee=FEE):
        """The L1 block in which these are posted, as the next one; the chain stays as it is."""
        height = self.chain.height
        raws = [each if isinstance(each, bytes) else each.encode() for each in objects]
        raw = self.chain.mine(*[self.grinder.carry(raw, fee=fee) for raw in raws])
        self.chain.fork(height)
        return raw

    def run(self, *objects, fee=FEE):
        """The run over that block, with the node's verdicts; and whether the batch was taken."""
        proofs = [each for each in objects if isinstance(each, Proof) and fee >= FEE]
        shown = [proof for proof in proofs if self.verifier.is_valid(proof)]
        last = self.tip if shown else self.parent
        settlement = settlement_of(self.genesis, self.chain, self.verifier)
        settlement.last = self.before
        said = [(proof.public_values, proof.proof) for proof in shown]
        return settlement.advance([self.block(*objects, fee=fee)], [], [last.rlp], said), bool(shown)

    def whole_run(self, proof, verifier):
        """As `run`, but one run from the anchor on: under other keys everything before is another chain's."""
        settlement = settlement_of(self.genesis, self.chain, verifier)
        said = [(proof.public_values, proof.proof)] if verifier.is_valid(proof) else []
        blocks = [*self.chain.blocks, self.block(proof)]
        last = self.tip if said else self.parent
        return settlement.advance(blocks, self.site.verdicts, [last.rlp], said), bool(said)

    def close(self):
        self.site.close()
