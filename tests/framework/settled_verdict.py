"""The shortest chain with a batch, for the settlement program to take the batch program's verdict on it by recursion.

The batch is signed, so no proof of it is posted: the program wants one of its verdict. One run takes all L1 blocks.
"""

from .l1_chain import L1Chain
from .settled_file import headers_of
from .settling_site import SettlingSite, settlement_of
from .site import HOLDERS, LeaderSite, Wallet, funded_genesis


class VerdictSettlement:
    """`batch_input` is what the batch program is given, `verdict` what it says, `step` the run that takes it."""

    def __init__(self, folder, verifier):
        chain = L1Chain(anchor_height=0)
        self.genesis = funded_genesis(chain)
        leader = LeaderSite(folder / "leader", self.genesis, chain)
        for _ in range(self.genesis.network.parameters.finality_depth):
            chain.mine()
        leader.follow()
        leader.seal([Wallet(HOLDERS[0]).sign(value=5)])
        leader.post(leader.batch())
        site = SettlingSite(folder / "settling", self.genesis, chain, verifier=verifier)
        site.follow()
        (self.batch_input,), (self.verdict,) = site.inputs, site.verdicts
        self.tip = site.engine.header(site.pipeline.safe.height)
        self.headers = headers_of(chain)
        self.step = settlement_of(self.genesis, chain, verifier).advance(chain.blocks, [self.verdict], [self.tip.rlp])
        site.close()
        leader.close()

    def parts(self):
        """What a proof file has beside the proof of the run."""
        return {
            "network": self.genesis.network.number,
            "block": self.tip.rlp,
            "anchor": (self.headers[0],),
            "settled": tuple(self.headers),
            "later": (),
        }
