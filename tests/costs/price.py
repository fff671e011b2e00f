"""What a workload costs on Bitcoin: every transaction that carries it, as the writer would build it."""

import hashlib
from dataclasses import dataclass

from bedroll.bitcoin.transaction import OutPoint, Transaction, TxIn, TxOut
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.da import Batch, BatchHeader, Commitment, split
from bedroll.da.codec import ChainTable, encode_body
from bedroll.da.envelope import BODY_MAX
from bedroll.da.writer.envelope import KEY_SPEND, Envelope, commit_size
from tests.costs import workload

SCRIPT = b"\x51\x20" + bytes(32)
L1_BLOCKS_AN_HOUR = 6
SIGNATURE_BYTES = 64 + 1 / 8


@dataclass(frozen=True)
class Price:
    """Bytes a transaction, rounded to hundredths.

    Attributes:
        transfer_bytes: Weight units of everything on Bitcoin.
        unsigned_bytes: Of it the body without signatures.
    """

    transfer_bytes: float
    unsigned_bytes: float


def posted(raw):
    """Transactions that carry an object: commit, then reveals. A single reveal takes the change of its commit."""
    parts = [raw] if len(raw) <= BODY_MAX else [chunk.encode() for chunk in split(raw)]
    envelopes = [Envelope.build(SecretKey(bytes(31) + b"\x01"), part) for part in parts]
    outputs = 1 if len(parts) == 1 else len(parts) + 1
    nowhere = OutPoint(bytes(32), 0)
    commit = Transaction((TxIn(nowhere, witness=KEY_SPEND),), (TxOut(0, SCRIPT),) * outputs)
    assert commit.vsize == commit_size(1, outputs)
    return [commit, *(envelope.reveal(nowhere, TxOut(0, SCRIPT)) for envelope in envelopes)]


def commitment():
    """A commitment's bytes."""
    zero = bytes(32)
    return Commitment(parent_tip=zero, new_tip=zero, block_count=300, last_origin=900_000, anchor_hash=zero).encode()


def commitment_vb():
    """Virtual bytes of a commitment's transactions."""
    return sum(each.vsize for each in posted(commitment()))


def body_of(made):
    """A workload's body."""
    table = ChainTable(
        chain_id=workload.CHAIN_ID, parent_timestamp=workload.PARENT_TIMESTAMP, book=made.book, nonces=made.nonces
    )
    return encode_body(table, made.blocks)


def signed_price(kind):
    """Price of an hour of a workload in the signed form."""
    made = workload.make(kind)
    body = body_of(made)
    header = BatchHeader(
        network=1,
        parent_l2_hash=bytes(32),
        first_height=1,
        block_count=len(made.blocks),
        first_origin=900_000,
        last_origin=900_000 + sum(step for _, step, _, _ in made.blocks) - 1,
        tip_l2_hash=bytes(32),
        body_hash=hashlib.sha256(body).digest(),
    )
    batch = Batch(header=header, leader_key=bytes(32), body=body).encode()
    weight = sum(each.weight for each in posted(batch))
    weight += L1_BLOCKS_AN_HOUR * sum(each.weight for each in posted(commitment()))
    count = made.transactions
    return Price(round(weight / count, 2), round(len(body) / count - SIGNATURE_BYTES, 2))
