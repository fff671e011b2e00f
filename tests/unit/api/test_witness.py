"""`debug_executionWitness`: every part of it is what its hash says, and blocks can be told of at the tip and before."""

import pytest

from bedroll.crypto.keccak import keccak256
from bedroll.encoding.rlp import decode_rlp
from bedroll.sdk import RpcFailure

EMPTY = keccak256(b"")


def parts(rows):
    return {keccak256(bytes.fromhex(row[2:])): bytes.fromhex(row[2:]) for row in rows}


def account_under(nodes, root, address):
    """The account that stands at an address in the trie that the witness has the nodes of."""
    path = "".join(f"{byte:02x}" for byte in keccak256(address))
    node = decode_rlp(nodes[root])
    while True:
        if len(node) == 17:
            child, path = node[int(path[0], 16)], path[1:]
        else:
            prefix = node[0].hex()
            prefix = prefix[1:] if prefix[0] in "13" else prefix[2:]
            if not path.startswith(prefix):
                return None
            path = path[len(prefix) :]
            child = node[1]
            if not path:
                return decode_rlp(child)
        if child == b"":
            return None
        node = child if isinstance(child, list) else decode_rlp(nodes[child])


async def test_a_witness_holds_what_a_block_read(rpc, chain, token):
    sender = chain.accounts[0].address
    await rpc.call("eth_sendTransaction", {"from": "0x" + sender.hex(), "data": token["creation"] + "0" * 63 + "9"})
    receiver = b"\x77" * 20
    for value in ("0x5", "0x6"):
        await rpc.call(
            "eth_sendTransaction", {"from": "0x" + sender.hex(), "to": "0x" + receiver.hex(), "value": value}
        )
    tip = int(await rpc.call("eth_blockNumber"), 16)
    balances = []
    for height in range(1, tip + 1):
        witness = await rpc.call("debug_executionWitness", hex(height))
        parent = await rpc.call("eth_getBlockByNumber", hex(height - 1), False)
        nodes, codes = parts(witness["state"]), parts(witness["codes"])
        assert "0x" + keccak256(bytes.fromhex(witness["headers"][-1][2:])).hex() == parent["hash"]
        root = bytes.fromhex(parent["stateRoot"][2:])
        keys = {bytes.fromhex(key[2:]) for key in witness["keys"]}
        for address in (key for key in keys if len(key) == 20):
            account = account_under(nodes, root, address)
            if account is not None and account[3] in codes:
                assert codes[account[3]] == bytes.fromhex(
                    (await rpc.call("eth_getCode", "0x" + address.hex(), hex(height - 1)))[2:]
                )
        if receiver in keys:
            found = account_under(nodes, root, receiver)
            balances.append(None if found is None else int.from_bytes(found[1], "big"))
        if height > 1:
            assert sender in keys
    assert balances == [None, 5]


async def test_there_is_no_witness_of_a_block_without_a_parent(rpc):
    with pytest.raises(RpcFailure, match="genesis"):
        await rpc.call("debug_executionWitness", "0x0")
    with pytest.raises(RpcFailure, match="header not found"):
        await rpc.call("debug_executionWitness", "0x99")
