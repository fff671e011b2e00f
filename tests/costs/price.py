"""What a workload costs on Bitcoin: every transaction that carries it, as the writer would build it."""

import hashlib
from dataclasses import dataclass, replace

from bedroll.bitcoin.transaction import OutPoint, Transaction, TxIn, TxOut
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.da import Batch, BatchForm, BatchHeader, Commitment, Proof, ProofSystem, StatementKind, split
from bedroll.da.codec import ChainTable, encode_body
from bedroll.da.envelope import BODY_MAX
from bedroll.da.writer.envelope import KEY_SPEND, Envelope, commit_size
from tests.costs import workload

SCRIPT = b"\x51\x20" + bytes(32)
L1_BLOCKS_AN_HOUR = 6
OBJECT_MAX = 4_000_000
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


def posted(raw, *, fee=False):
    """Transactions that carry an object: commit, then reveals. A single reveal takes the change of its commit.

    With a `fee` the reveal pays it to the fee output.
    """
    parts = [raw] if len(raw) <= BODY_MAX else [chunk.encode() for chunk in split(raw)]
    envelopes = [Envelope.build(SecretKey(bytes(31) + b"\x01"), part) for part in parts]
    outputs = 1 if len(parts) == 1 else len(parts) + 1
    nowhere = OutPoint(bytes(32), 0)
    commit = Transaction((TxIn(nowhere, witness=KEY_SPEND),), (TxOut(0, SCRIPT),) * outputs)
    assert commit.vsize == commit_size(1, outputs)
    reveals = [envelope.reveal(nowhere, TxOut(0, SCRIPT)) for envelope in envelopes]
    if fee:
        last = reveals[-1]
        reveals[-1] = replace(last, outputs=(*last.outputs, TxOut(0, SCRIPT)))
    return [commit, *reveals]


def carried_weight(size):
    """Weight units of the transactions that carry so many bytes, as a batch's are carried."""
    return sum(
        each.weight for part in range(0, size, OBJECT_MAX) for each in posted(bytes(min(OBJECT_MAX, size - part)))
    )


def commitment():
    """A commitment's bytes."""
    zero = bytes(32)
    return Commitment(parent_tip=zero, new_tip=zero, block_count=300, last_origin=900_000, anchor_hash=zero).encode()


def commitment_vb():
    """Virtual bytes of a commitment's transactions."""
    return sum(each.vsize for each in posted(commitment()))


def proof():
    """A Groth16 proof's bytes, its public values with it."""
    return Proof(
        statement=StatementKind.BATCH, system=ProofSystem.GROTH16, public_values=bytes(387), proof=bytes(356)
    ).encode()


def body_of(made, form=BatchForm.SIGNED):
    """A workload's body."""
    table = ChainTable(
        chain_id=workload.CHAIN_ID, parent_timestamp=workload.PARENT_TIMESTAMP, book=made.book, nonces=made.nonces
    )
    return encode_body(table, made.blocks, form=int(form))


def signed_price(kind):
    """Price of an hour of a workload in the signed form."""
    made = workload.make(kind)
    weight, size = _batch_weight(made, BatchForm.SIGNED)
    weight += _commitments_weight()
    count = made.transactions
    return Price(round(weight / count, 2), round(size / count - SIGNATURE_BYTES, 2))


def proven_price(kind):
    """The same in the proven form, its proof included."""
    made = workload.make(kind)
    weight, size = _batch_weight(made, BatchForm.PROVEN)
    weight += _commitments_weight() + sum(each.weight for each in posted(proof(), fee=True))
    count = made.transactions
    return Price(round(weight / count, 2), round(size / count, 2))


def _commitments_weight():
    return L1_BLOCKS_AN_HOUR * sum(each.weight for each in posted(commitment()))


def _batch_weight(made, form):
    """Weight of the transactions that carry a batch, and bytes of its body."""
    body = body_of(made, form)
    header = BatchHeader(
        network=1,
        parent_l2_hash=bytes(32),
        first_height=1,
        block_count=len(made.blocks),
        first_origin=900_000,
        last_origin=900_000 + sum(step for _, step, _, _ in made.blocks) - 1,
        tip_l2_hash=bytes(32),
        body_hash=hashlib.sha256(body).digest(),
        form=form,
    )
    batch = Batch(header=header, leader_key=bytes(32), body=body).encode()
    return sum(each.weight for each in posted(batch)), len(body)
