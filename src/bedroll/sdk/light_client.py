"""A wallet's view of L2 through a node that it does not trust.

Reads: a checked settlement proof, answers of any node.  Gives: `LightClient`.
Never: gives what does not hash to the settled block.  Spec: docs/spec/light.md#client
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from bedroll.encoding.rlp import decode_rlp, encode_rlp
from bedroll.light import ProvedAccount, SettledView, TrustedBlock, Unproved
from bedroll.light.view import HISTORY, HISTORY_BLOCKS
from bedroll.primitives import Address, Hash32, Invalid

from .client import RpcClient

_RAW_BYTES_MAX: Final = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedLog:
    """A log of a proved receipt."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedReceipt:
    """What became of a transaction.

    Attributes:
        block: That holds it.
        index: Its place there.
        succeeded: Whether it was not reverted.
        cumulative_gas_used: EVM gas of the block up to it.
        logs: Its events.
    """

    block: TrustedBlock
    index: int
    succeeded: bool
    cumulative_gas_used: int
    logs: tuple[ProvedLog, ...]


class LightClient:
    """Accounts, slots and receipts as of one settled block."""

    def __init__(self, view: SettledView, node: RpcClient) -> None:
        """Look through a node.

        Args:
            view: From `bedroll.light.view_of_proof`.
            node: Any; open.
        """
        self.view = view
        self._node = node

    async def account(self, address: Address) -> ProvedAccount:
        """Balance and nonce at the settled block.

        Raises:
            Unproved: The answer does not show them.
            RpcFailure: The node refuses, or does not keep that block's state.
            Unavailable: It does not answer.
        """
        return self.view.block.account(address, await self._proof(self.view.block, address))

    async def slot(self, contract: Address, slot: int) -> int:
        """A contract's storage at the settled block; raises as `account`."""
        return self.view.block.slot(contract, slot, await self._proof(self.view.block, contract, slot))

    async def block(self, number: int) -> TrustedBlock:
        """A block up to the settled one; raises as `account`.

        Beyond 8,191 blocks back the way leads over blocks in between, whose state the node must keep.
        """
        if not 0 <= number <= self.view.block.number:
            raise Unproved("the block is not settled yet", number=number, limit=self.view.block.number)
        block = self.view.block
        while block.number > number:
            nearer = max(number, block.number - HISTORY_BLOCKS)
            answer = await self._proof(block, Address(HISTORY), nearer % HISTORY_BLOCKS)
            block = block.ancestor(nearer, answer, await self._raw("debug_getRawHeader", hex(nearer)))
        return block

    async def receipt(self, transaction_hash: Hash32) -> ProvedReceipt | None:
        """What became of a transaction; None where the node knows none of it, which proves nothing.

        Raises:
            Unproved: The node's answers do not show it, or the transaction is not settled yet.
            RpcFailure, Unavailable: As `account`.
        """
        found = await self._node.call("eth_getTransactionReceipt", "0x" + transaction_hash.hex())
        if found is None:
            return None
        number = _number(found)
        block = await self.block(number)
        hashes = block.transactions(_transactions(await self._raw("debug_getRawBlock", hex(number))))
        if transaction_hash not in hashes:
            raise Unproved("the block does not hold the transaction", number=number)
        return await self.receipt_at(block, hashes.index(transaction_hash))

    async def receipt_at(self, block: TrustedBlock, index: int) -> ProvedReceipt:
        """The receipt at a place in a block; raises as `account`."""
        raws = await self._node.call("debug_getRawReceipts", hex(block.number))
        if not isinstance(raws, list) or not 0 <= index < len(raws):
            raise Unproved("the answer has no such receipt", index=index)
        raw = block.receipts([_bytes(each) for each in raws])[index]
        status, gas, _, logs = decode_rlp(raw[1:] if raw[0] < 0xC0 else raw)
        return ProvedReceipt(
            block=block,
            index=index,
            succeeded=status == b"\x01",
            cumulative_gas_used=int.from_bytes(gas, "big"),
            logs=tuple([ProvedLog(address=Address(log[0]), topics=tuple(log[1]), data=log[2]) for log in logs]),
        )

    async def _proof(self, block: TrustedBlock, address: Address, *slots: int) -> dict[str, Any]:
        answer = await self._node.call(
            "eth_getProof", "0x" + address.hex(), [hex(each) for each in slots], hex(block.number)
        )
        if not isinstance(answer, dict):
            raise Unproved("the answer is no proof")
        return answer

    async def _raw(self, method: str, *params: object) -> bytes:
        return _bytes(await self._node.call(method, *params))


def _bytes(value: object) -> bytes:
    if not isinstance(value, str) or len(value) > 2 * _RAW_BYTES_MAX:
        raise Unproved("the answer is not data", limit=_RAW_BYTES_MAX)
    try:
        return bytes.fromhex(value.removeprefix("0x"))
    except ValueError:
        raise Unproved("the answer is not hexadecimal") from None


def _number(receipt: Any) -> int:
    try:
        return int(receipt["blockNumber"], 16)
    except (KeyError, TypeError, ValueError):
        raise Unproved("the answer names no block") from None


def _transactions(raw: bytes) -> Sequence[bytes]:
    """Of a block in RLP; legacy ones are lists there."""
    try:
        block = decode_rlp(raw)
    except Invalid as error:
        raise Unproved("the answer is no block", why=error.message) from None
    if not isinstance(block, list) or len(block) < 2 or not isinstance(block[1], list):
        raise Unproved("the answer is no block")
    return [each if isinstance(each, bytes) else encode_rlp(each) for each in block[1]]
