"""The batch whose proof is stored and made again by `make prove`: ten transactions of all that people do.

Seven transfers, a transfer of a token, a deployment (a minimal proxy, EIP-1167) and a forced message, in one block of a
new origin.
"""

from dataclasses import dataclass

from eth_abi import encode as abi_encode

from bedroll._core._native import program_input
from tests.framework.ledger import address_of, selector
from tests.framework.scene import TO, Scene

TRANSACTIONS = 10


@dataclass(frozen=True, slots=True)
class ProofBatch:
    """What is proved, and what it states."""

    header: bytes
    body: bytes
    given: bytes
    stated: bytes


def proxy_code(target: bytes) -> bytes:
    """Creation code of a proxy that hands every call to `target`."""
    runtime = bytes.fromhex("363d3d373d3d3d363d73") + target + bytes.fromhex("5af43d82803e903d91602b57fd5bf3")
    return bytes.fromhex("3d602d80600a3d3981f3") + runtime


def proof_batch(scene: Scene) -> ProofBatch:
    """Make the batch upon a chain with a token. The scene's prover stands at the parent."""
    ledger = scene.leader
    alice, bob, carol, dave = ledger.keys[:4]
    ledger.block(origin=scene.origin())
    token = ledger.deploy(alice, "demo_token", (10**24).to_bytes(32, "big"))
    scene.catch_up()
    forced = scene.forced(ledger.sign(dave, to=TO, value=9, nonce=0))
    nonces = {key.address: ledger.engine.view().nonce(address_of(key)) for key in (alice, bob, carol)}

    def signed(key, **fields):
        nonce = nonces[key.address]
        nonces[key.address] += 1
        return ledger.sign(key, nonce=nonce, **fields)

    call = selector("transfer(address,uint256)") + abi_encode(["address", "uint256"], [address_of(bob), 10**18])
    pays = [(alice, TO, 5), (bob, TO, 7), (carol, b"\x01" * 20, 3), (bob, address_of(alice), 10**15)]
    raws = [signed(key, to=to, value=value, gas=21_000) for key, to, value in pays]
    raws.append(signed(alice, to=token, data=call))
    raws.append(signed(carol, to=None, data=proxy_code(token)))
    raws += [signed(key, to=TO, value=10, gas=21_000) for key in (alice, bob, carol)]
    block = ledger.block(*raws, origin=scene.origin([forced]))
    assert len(block.transactions) == TRANSACTIONS
    statuses = [receipt.status for receipt in block.receipts]
    assert set(statuses) == {1}, statuses
    header, body = scene.header()
    given, stated = program_input(scene.prover.engine, scene.origins, header=header.encode(), body=body)
    return ProofBatch(header=header.encode(), body=body, given=given, stated=stated)
