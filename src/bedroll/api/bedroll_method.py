"""`bedroll_`: what happens between this chain and Bitcoin.

Reads: the node's state.  Gives: `TABLE`.  Never: hides the reason of a rejection.  Spec: docs/spec/api-chain.md#bedroll

Hashes of Bitcoin are shown as Bitcoin's tools show them: reversed and without prefix. Ids of objects and forced
messages, which are plain SHA-256, are shown as data.
"""

from typing import Final

from bedroll.primitives import L2Height

from .block_tag import BlockRef, need_height, parse_block
from .method import MethodTable, optional, required
from .port import ForcedStatus, ObjectStatus
from .quantity import parse_hash, show_data, show_quantity, show_reversed
from .service import Service

TABLE: Final = MethodTable()


@TABLE.method("bedroll_status")
async def status(service: Service) -> object:
    """State of L1, L2 and the writer."""
    backend = service.backend
    heads, l1, writer, pool = (
        backend.heads(),
        backend.l1_status(),
        backend.writer_status(),
        backend.pool_status(),
    )
    return {
        "network": backend.network.name,
        "chainId": show_quantity(backend.network.chain_id),
        "role": backend.role,
        "condition": str(backend.condition),
        "heads": {
            name: {"number": show_quantity(head.height), "hash": show_data(head.hash)}
            for name, head in (
                ("latest", heads.latest),
                ("committed", heads.committed),
                ("safe", heads.safe),
                ("finalized", heads.finalized),
                ("durable", heads.durable),
            )
        },
        "l1": {
            "reachable": l1.reachable,
            "reason": l1.reason,
            "tipHeight": l1.tip_height,
            "tipHash": show_reversed(l1.tip_hash),
            "derivedHeight": l1.derived_height,
            "finalizedHeight": l1.finalized_height,
            "secondsSinceBlock": round(l1.seconds_since_block, 1),
        },
        "mempool": {"pending": pool.pending, "queued": pool.queued, "sizeBytes": pool.size_bytes},
        "writer": None
        if writer is None
        else {
            "waiting": writer.waiting,
            "unconfirmed": writer.unconfirmed,
            "oldestSeconds": round(writer.oldest_seconds, 1),
            "feeRateSatPerKvb": writer.fee_rate,
            "spentSat": writer.spent_sat,
            "reason": writer.reason,
        },
    }


@TABLE.method("bedroll_getBatch", required("block", parse_block))
async def batch(service: Service, ref: BlockRef) -> object:
    """The batch on Bitcoin that carries a block of this chain; null until there is one."""
    found = service.backend.batch_of(parse_l2(service, ref))
    return None if found is None else show_object(found)


@TABLE.method("bedroll_getObject", required("object id", parse_hash))
async def one_object(service: Service, object_id: bytes) -> object:
    """What became of an object on Bitcoin, with the reason where it was rejected."""
    found = service.backend.object_status(parse_hash(show_data(object_id)))
    return None if found is None else show_object(found)


@TABLE.method("bedroll_getForced", required("message id", parse_hash))
async def forced(service: Service, message_id: bytes) -> object:
    """What became of a forced message, with the reason where it was not executed."""
    return show_forced(service.backend.forced_status(parse_hash(show_data(message_id))))


@TABLE.method("bedroll_getEvidence", optional("leader key", parse_hash))
async def evidence(service: Service, leader: bytes | None) -> object:
    """Commitments and batches of a leader that contradict each other; without a key, of the present one."""
    return [
        {
            "l1Height": each.l1_height,
            "leader": show_data(each.leader),
            "first": show_data(each.first),
            "second": show_data(each.second),
            "promised": show_data(each.promised),
            "other": show_data(each.other),
        }
        for each in service.backend.evidence(leader)
    ]


@TABLE.method("bedroll_getBlockClass", required("block", parse_block))
async def block_class(service: Service, ref: BlockRef) -> object:
    """`latest`, `safe` or `finalized`, and whether a commitment on Bitcoin names the block."""
    height = need_height(service, ref)
    committed = height <= service.backend.heads().committed.height
    return {"number": show_quantity(height), "class": service.class_of(height), "committed": committed}


@TABLE.method("bedroll_getSignatures", required("block", parse_block))
async def signatures(service: Service, ref: BlockRef) -> object:
    """Signatures of the leader's transactions of a block, for nodes that took it on a proof's word.

    Each is r, s and the parity of the transaction, then of each of its authorisations; null where this node has none.
    """
    block = service.backend.engine.block(need_height(service, ref))
    if block is None:
        return None
    listed = [None if each is None else show_data(each) for each in block.own_signatures()]
    return {
        "blockHash": show_data(block.header.hash),
        "blockNumber": show_quantity(block.header.number),
        "signatures": listed,
    }


def parse_l2(service: Service, ref: BlockRef) -> L2Height:
    """Height of a block of this chain, as the backend takes it."""
    return L2Height(need_height(service, ref))


def show_object(status: ObjectStatus) -> dict[str, object]:
    """An object's state."""
    return {
        "id": show_data(status.id),
        "kind": status.kind,
        "state": status.state,
        "reason": status.reason or None,
        "l1Height": status.l1_height,
        "txids": [show_reversed(txid) for txid in status.txids],
        "firstBlock": None if status.first_height is None else show_quantity(status.first_height),
        "lastBlock": None if status.last_height is None else show_quantity(status.last_height),
    }


def show_forced(status: ForcedStatus) -> dict[str, object]:
    """A forced message's state."""
    block, transaction = status.l2_height, status.transaction_hash
    return {
        "id": show_data(status.id),
        "state": status.state,
        "l1Height": status.l1_height,
        "queueIndex": status.queue_index,
        "blockNumber": None if block is None else show_quantity(block),
        "transactionHash": None if transaction is None else show_data(transaction),
        "deadlineL1Height": status.deadline_l1_height,
    }
