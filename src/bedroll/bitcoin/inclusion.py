"""Proofs that a transaction, with or without its witness, stands in a block.

Reads: blocks; proofs from anyone.  Gives: proofs, verdicts.
Never: takes an inner node for a transaction: a leaf is never 64 bytes, and the coinbase shows how deep leaves lie.
Spec: docs/spec/bitcoin.md#inclusion
"""

from dataclasses import dataclass
from typing import Final

from bedroll.primitives import Invalid

from .block import Block, commitment_hash, witness_commitment
from .header import Header
from .merkle import merkle_path, root_of_path
from .transaction import Transaction

NODE_PAIR_SIZE: Final = 64
"""Size of what an inner node hashes; a transaction of that size could be one (forbidden by BIP-0054)."""


class BadProof(Invalid):
    """A proof of inclusion does not hold."""


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Shows that a transaction stands at one position of a block.

    Attributes:
        index: Position in the block.
        path: Siblings of the txid, bottom up.
        coinbase: The block's coinbase.
        coinbase_path: Siblings of its txid; as long as `path`.
        witness_path: Siblings of the wtxid under the witness commitment; None to prove the txid alone.
    """

    index: int
    path: tuple[bytes, ...]
    coinbase: Transaction
    coinbase_path: tuple[bytes, ...]
    witness_path: tuple[bytes, ...] | None

    @staticmethod
    def build(block: Block, index: int, *, witness: bool = False) -> "InclusionProof":
        """Prove one transaction of a block.

        Args:
            block: A checked block.
            index: Of the transaction.
            witness: Whether to prove its witness too.

        Raises:
            Invalid: There is no such transaction, or no witness commitment to prove a witness by.
        """
        coinbase = block.transactions[0]
        if witness and witness_commitment(coinbase) is None:
            raise Invalid("block commits to no witness", block=block.hash)
        txids = block.txids
        return InclusionProof(
            index,
            merkle_path(txids, index),
            coinbase,
            merkle_path(txids, 0),
            merkle_path(block.wtxids, index) if witness else None,
        )

    def verify(self, header: Header, transaction: Transaction) -> None:
        """Verify that `transaction` stands in the block of `header`, whose work the caller has judged.

        Raises:
            BadProof: It does not, or the proof is one that could be forged.
            Invalid: A path is malformed.
        """
        if len(transaction.stripped) == NODE_PAIR_SIZE or len(self.coinbase.stripped) == NODE_PAIR_SIZE:
            raise BadProof("a 64-byte transaction can be an inner node", txid=transaction.txid)
        if not self.coinbase.is_coinbase:
            raise BadProof("first transaction is not a coinbase", txid=self.coinbase.txid)
        if len(self.path) != len(self.coinbase_path):
            raise BadProof(
                "leaf and coinbase lie at different depths", leaf=len(self.path), coinbase=len(self.coinbase_path)
            )
        if root_of_path(self.coinbase.txid, 0, self.coinbase_path) != header.merkle_root:
            raise BadProof("coinbase is not in the block", block=header.hash)
        if root_of_path(transaction.txid, self.index, self.path) != header.merkle_root:
            raise BadProof("transaction is not in the block", txid=transaction.txid, block=header.hash)
        if self.witness_path is not None:
            self._verify_witness(header, transaction, self.witness_path)

    def _verify_witness(self, header: Header, transaction: Transaction, path: tuple[bytes, ...]) -> None:
        committed = witness_commitment(self.coinbase)
        reserved = self.coinbase.inputs[0].witness
        if committed is None or len(reserved) != 1 or len(reserved[0]) != 32:
            raise BadProof("block commits to no witness", block=header.hash)
        if len(path) != len(self.path):
            raise BadProof("txid and wtxid lie at different depths", txid=len(self.path), wtxid=len(path))
        leaf = transaction.wtxid if self.index else bytes(32)
        if commitment_hash(root_of_path(leaf, self.index, path), reserved[0]) != committed:
            raise BadProof("witness is not the block's", wtxid=transaction.wtxid, block=header.hash)
