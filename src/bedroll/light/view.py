"""What can be known of L2 from one block's header: accounts, slots, older blocks, transactions, receipts.

Reads: a trusted header, answers of a node that nobody trusts.  Gives: `TrustedBlock`.
Never: believes an answer that does not hash to the header.  Spec: docs/spec/light.md
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bedroll.crypto.keccak import keccak256
from bedroll.encoding.rlp import decode_rlp
from bedroll.execution.engine import decode_transaction
from bedroll.primitives import Address, Hash32, Invalid, Wei

from .ordered_root import ordered_root
from .trie_proof import Unproved, proved_value

HISTORY: Final = bytes.fromhex("0000f90827f1c53a10cb7a02335b175320002935")
"""EIP-2935's contract: hashes of the blocks before."""
HISTORY_BLOCKS: Final = 8_191
_EMPTY_ROOT: Final = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
_EMPTY_CODE: Final = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
_RECEIPTS_MAX: Final = 100_000
_TRANSACTIONS_MAX: Final = 100_000
_SYSTEM: Final = bytes.fromhex("fffffffffffffffffffffffffffffffffffffffe")
"""Sender of the L1-info call."""
_ORIGIN_CALL: Final = 0x7E
_ATTESTED: Final = 0x7F


@dataclass(frozen=True, slots=True)
class ProvedAccount:
    """An account in the state of a block; all zeros and empty where there is none.

    Attributes:
        nonce: Transactions it sent.
        balance: Wei.
        storage_root: Of its slots.
        code_hash: Keccak of its code.
    """

    nonce: int
    balance: Wei
    storage_root: bytes
    code_hash: bytes


@dataclass(frozen=True, slots=True)
class TrustedBlock:
    """A block whose header is known to be the chain's.

    Attributes:
        number: L2 height.
        hash: Of its header.
        state_root: Of the accounts after it.
        transactions_root: Of its transactions.
        receipts_root: Of its receipts.
        timestamp: Seconds.
    """

    number: int
    hash: Hash32
    state_root: bytes
    transactions_root: bytes
    receipts_root: bytes
    timestamp: int

    @classmethod
    def of_header(cls, raw: bytes, expected: bytes) -> "TrustedBlock":
        """Read a header.

        Args:
            raw: RLP, as `debug_getRawHeader` gives it.
            expected: Hash that is trusted.

        Raises:
            Unproved: It is another header.
        """
        if keccak256(raw) != expected:
            raise Unproved("the header is not the block's", expected=expected.hex())
        fields = decode_rlp(raw)
        return cls(
            number=int.from_bytes(fields[8], "big"),
            hash=Hash32(expected),
            state_root=fields[3],
            transactions_root=fields[4],
            receipts_root=fields[5],
            timestamp=int.from_bytes(fields[11], "big"),
        )

    def account(self, address: Address, answer: Mapping[str, Any]) -> ProvedAccount:
        """An account, from an answer of `eth_getProof` at this block.

        Raises:
            Unproved: The answer does not show it.
        """
        value = proved_value(self.state_root, keccak256(address), _nodes(answer, "accountProof"))
        if value is None:
            return ProvedAccount(0, Wei(0), _EMPTY_ROOT, _EMPTY_CODE)
        nonce, balance, storage_root, code_hash = decode_rlp(value)
        return ProvedAccount(int.from_bytes(nonce, "big"), Wei(int.from_bytes(balance, "big")), storage_root, code_hash)

    def slot(self, address: Address, slot: int, answer: Mapping[str, Any]) -> int:
        """A slot of a contract, from an answer of `eth_getProof` that asked for it first.

        Raises:
            Unproved: The answer does not show it.
        """
        account = self.account(address, answer)
        asked = answer.get("storageProof")
        first = asked[0] if isinstance(asked, list) and asked and isinstance(asked[0], dict) else {}
        value = proved_value(account.storage_root, keccak256(slot.to_bytes(32, "big")), _nodes(first, "proof"))
        return 0 if value is None else int.from_bytes(decode_rlp(value), "big")

    def ancestor(self, number: int, answer: Mapping[str, Any], header: bytes) -> "TrustedBlock":
        """A block up to 8,191 before this one.

        Args:
            number: L2 height.
            answer: Of `eth_getProof` at this block, of the contract `HISTORY` and slot `number` modulo 8,191.
            header: RLP of the block's header.

        Raises:
            Unproved: The answer does not show it, or the block lies too far back.
        """
        if not max(0, self.number - HISTORY_BLOCKS) <= number < self.number:
            raise Unproved(
                f"from block {self.number} on hashes of the {HISTORY_BLOCKS} blocks before are known", number=number
            )
        found = self.slot(Address(HISTORY), number % HISTORY_BLOCKS, answer)
        block = self.of_header(header, found.to_bytes(32, "big"))
        if block.number != number:
            raise Unproved("the header is another block's", number=block.number)
        return block

    def transactions(self, raws: Sequence[bytes]) -> list[bytes | None]:
        """The block's transactions, all of them, in bytes with their signatures.

        Returns:
            The Ethereum hash of each; None of the L1-info call and of those whose signature is not given.

        Raises:
            Unproved: They are others, or not all.
        """
        if len(raws) > _TRANSACTIONS_MAX:
            raise Unproved("the transactions are more than a block holds", given=len(raws), limit=_TRANSACTIONS_MAX)
        leaves, hashes = zip(*map(_leaf, raws), strict=True) if raws else ((), ())
        if ordered_root(leaves) != self.transactions_root:
            raise Unproved("the transactions are not the block's", given=len(raws))
        return list(hashes)

    def receipts(self, raws: Sequence[bytes]) -> Sequence[bytes]:
        """The block's receipts, all of them, as `debug_getRawReceipts` gives them.

        Raises:
            Unproved: They are others, or not all.
        """
        if len(raws) > _RECEIPTS_MAX or ordered_root(raws) != self.receipts_root:
            raise Unproved("the receipts are not the block's", given=len(raws))
        return raws


def _leaf(raw: bytes) -> tuple[bytes, bytes | None]:
    """Sender and unsigned payload, as the transactions root has them, and the Ethereum hash."""
    if raw[:1] == bytes([_ATTESTED]):
        return raw[1:], None
    if raw[:1] == bytes([_ORIGIN_CALL]):
        return _SYSTEM + raw, None
    try:
        found = decode_transaction(raw)
    except Invalid as error:
        raise Unproved("a transaction cannot be read", why=error.message) from None
    return found.sender + found.payload, found.hash


def _nodes(answer: Mapping[str, Any], name: str) -> list[bytes]:
    try:
        return [bytes.fromhex(node.removeprefix("0x")) for node in answer[name]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unproved(f"the answer has no {name}") from error
