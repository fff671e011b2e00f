"""The batch whose proof is stored and made again by `make prove`: ten transactions of all that people do.

Seven transfers, a transfer of a token, a deployment (a minimal proxy, EIP-1167) and a forced message, in one block of a
new origin, posted without their signatures. All of it is the same each time it is made, so the stored proof fits.
"""

from contextlib import contextmanager
from dataclasses import dataclass

from eth_abi import encode as abi_encode

from bedroll._core._native import program_input
from bedroll.da import Batch, BatchForm, Forced
from bedroll.execution.genesis import artifact
from bedroll.node.executor import native_origin
from bedroll.protocol import REGTEST
from tests.framework.ledger import selector
from tests.framework.site import HOLDERS, LeaderSite, Site, Wallet, address_of, new_rollup

TRANSACTIONS = 10
TO = b"\x77" * 20


@dataclass(frozen=True, slots=True)
class ProofBatch:
    """A leader who has posted the batch; what is proved of it, and what that states."""

    leader: LeaderSite
    batch: Batch
    given: bytes
    stated: bytes


def proxy_code(target: bytes) -> bytes:
    """Creation code of a proxy that hands every call to `target`."""
    runtime = bytes.fromhex("363d3d373d3d3d363d73") + target + bytes.fromhex("5af43d82803e903d91602b57fd5bf3")
    return bytes.fromhex("3d602d80600a3d3981f3") + runtime


@contextmanager
def proof_batch(folder, verifier=None):
    """Make chain and batch below a folder. The batch is in a block, its proof is not."""
    leader = new_rollup(folder / "leader", verifier=verifier)
    alice, bob, carol, dave = (Wallet(holder) for holder in HOLDERS[:4])
    code = bytes.fromhex(str(artifact("demo_token")["creation"])[2:]) + (10**24).to_bytes(32, "big")
    token = leader.seal([alice.sign(to=None, data=code, gas=2_000_000, value=0)]).receipts[-1].contract
    leader.post(Forced(network=REGTEST.number, payload=dave.sign(to=TO, value=9)), fee=10_000)
    forced_height = leader.chain.height
    while leader.youngest < forced_height:
        leader.chain.mine()
    leader.follow()
    while leader.engine.block(leader.engine.tip().number).origin_height < forced_height - 1:
        leader.seal()
    leader.post(leader.batch())
    prover = Site(folder / "prover", leader.genesis, leader.chain, verifier=verifier)
    prover.follow()
    call = selector("transfer(address,uint256)") + abi_encode(["address", "uint256"], [address_of(HOLDERS[1]), 10**18])
    pays = [(alice, TO, 5), (bob, TO, 7), (carol, b"\x01" * 20, 3), (bob, address_of(HOLDERS[0]), 10**15)]
    raws = [wallet.sign(to=to, value=value) for wallet, to, value in pays]
    raws.append(alice.sign(to=token, data=call, value=0, gas=100_000))
    raws.append(carol.sign(to=None, data=proxy_code(token), value=0, gas=100_000))
    raws += [wallet.sign(to=TO, value=10) for wallet in (alice, bob, carol)]
    block = leader.seal(raws, step=True)
    # Before what is forced the system's own tells the light client of the origin.
    assert (len(block.transactions), block.forced_count) == (TRANSACTIONS + 1, 2)
    assert {receipt.status for receipt in block.receipts} == {1}
    batch = leader.batch(form=BatchForm.PROVEN)
    parent = prover.pipeline.safe
    assert parent.height + 1 == batch.header.first_height
    heights = range(parent.origin_height + 1, batch.header.last_origin + 1)
    given, stated = program_input(
        prover.engine, [native_origin(prover.pipeline.origin(height)) for height in heights],
        header=batch.header.encode(), body=batch.body, signatures=b"".join(block.own_signatures()),
    )  # fmt: skip
    prover.close()
    leader.post(batch)
    yield ProofBatch(leader, batch, given, stated)
    leader.close()
