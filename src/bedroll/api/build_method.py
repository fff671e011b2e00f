"""`testing_buildBlockV1`: a block as it would be made, for benches that test clients; nothing of it is kept.

Reads: a view, the mempool.  Gives: `TABLE`, `parse_attributes`, `parse_raws`.
Never: is served but by a development chain; changes the chain or the mempool.  Spec: docs/spec/api-chain.md#devnet

Source: execution-apis, `testing_buildBlockV1`; geth where that leaves something open.
"""

import heapq
import json
from collections.abc import Mapping
from typing import Final

from bedroll.execution.engine import (
    Block,
    Sidecar,
    Transaction,
    View,
    decode_blob_transaction,
    decode_transactions,
)
from bedroll.execution.mempool import PoolLimit
from bedroll.primitives import Hash32, Invalid

from .block_tag import BlockRef, view_at
from .error import Code, RpcError, from_invalid, invalid_params
from .method import MethodTable, optional, required
from .quantity import parse_address, parse_data, parse_hash, parse_quantity, refuse, show_data, show_quantity
from .render import total_gas
from .render_ethereum import BLOB
from .send_method import parse_raw
from .service import Service

TABLE: Final = MethodTable()

TRANSACTIONS_MAX: Final = 10_000
WITHDRAWALS_MAX: Final = 1_000
EXTRA_BYTES_MAX: Final = 32
_NEEDED: Final = frozenset(("timestamp", "prevRandao", "suggestedFeeRecipient"))
_MEMBERS: Final = _NEEDED | {"withdrawals", "parentBeaconBlockRoot"}
_WITHDRAWAL: Final = frozenset(("index", "validatorIndex", "address", "amount"))


def parse_attributes(value: object, name: str) -> dict[str, object]:
    """Check PayloadAttributes (version 1 to 3) and write them as the core reads them."""
    if not isinstance(value, dict):
        raise refuse(name, value, "an object")
    given = {key: item for key, item in value.items() if item is not None}
    if unknown := given.keys() - _MEMBERS:
        raise invalid_params(f"unknown member {min(unknown)[:40]!r} of {name}")
    if missing := _NEEDED - given.keys():
        raise invalid_params(f"{name} without {min(missing)}")
    checked: dict[str, object] = {
        "timestamp": show_quantity(parse_quantity(given["timestamp"], "timestamp", bits=64)),
        "prevRandao": show_data(parse_hash(given["prevRandao"], "prevRandao")),
        "suggestedFeeRecipient": show_data(parse_address(given["suggestedFeeRecipient"], "suggestedFeeRecipient")),
    }
    if "parentBeaconBlockRoot" in given:
        root = parse_hash(given["parentBeaconBlockRoot"], "parentBeaconBlockRoot")
        checked["parentBeaconBlockRoot"] = show_data(root)
    if "withdrawals" in given:
        checked["withdrawals"] = _read_withdrawals(given["withdrawals"])
    return checked


def _read_withdrawals(value: object) -> list[dict[str, str]]:
    name = "withdrawals"
    if not isinstance(value, list) or len(value) > WITHDRAWALS_MAX:
        raise refuse(name, value, f"an array of at most {WITHDRAWALS_MAX}")
    rows: list[dict[str, str]] = []
    for row in value:
        if not isinstance(row, dict) or row.keys() != _WITHDRAWAL:
            raise refuse(name, row, "objects of index, validatorIndex, address and amount")
        numbers = {
            key: show_quantity(parse_quantity(row[key], f"{name} {key}", bits=64))
            for key in ("index", "validatorIndex", "amount")
        }
        rows.append({**numbers, "address": show_data(parse_address(row["address"], f"{name} address"))})
    return rows


def parse_raws(value: object, name: str) -> list[bytes]:
    """Decode the bytes of signed transactions."""
    if not isinstance(value, list) or len(value) > TRANSACTIONS_MAX:
        raise refuse(name, value, f"an array of at most {TRANSACTIONS_MAX} signed transactions")
    return [parse_raw(raw, name) for raw in value]


def parse_extra(value: object, name: str) -> bytes:
    """Decode what the maker of a block may write into its header."""
    return parse_data(value, name, most=EXTRA_BYTES_MAX)


@TABLE.method(
    "testing_buildBlockV1",
    required("parent block hash", parse_hash),
    required("payload attributes", parse_attributes),
    optional("transactions", parse_raws),
    optional("extra data", parse_extra, b""),
)
async def build_block(
    service: Service, parent: bytes, attributes: dict[str, object], raws: list[bytes] | None, extra: bytes
) -> object:
    """Make a block upon a block and keep nothing. Transactions: in this order; null: what waits, as far as it fits."""
    view = view_at(service, BlockRef(hash=parent))
    waiting = [] if raws is not None else _waiting(service)
    held = {one.hash: service.backend.pool_sidecar(Hash32(one.hash)) for one in waiting if one.kind == BLOB}
    beside = {hash: sidecar for hash, sidecar in held.items() if sidecar is not None}
    told = json.dumps({**attributes, "extraData": show_data(extra)})
    changes = service.limits.proof_changes

    def run() -> dict[str, object]:
        transactions = waiting if raws is None else _decode(raws, view, beside)
        return show_built(*_build(view, told, transactions, leaves_out=raws is None, changes=changes), beside)

    return await service.worker.run(run)


def _waiting(service: Service) -> list[Transaction]:
    """What could be executed of the mempool: by the highest tip, of each sender by nonce."""
    content = service.backend.pool_content()
    rows = [pending for pending, _queued in content.values() if pending]
    heads = [(-row[0].max_priority_fee_per_gas, place, 0) for place, row in enumerate(rows)]
    heapq.heapify(heads)
    ordered: list[Transaction] = []
    while heads and len(ordered) < TRANSACTIONS_MAX:
        _, place, at = heapq.heappop(heads)
        ordered.append(rows[place][at])
        if at + 1 < len(rows[place]):
            heapq.heappush(heads, (-rows[place][at + 1].max_priority_fee_per_gas, place, at + 1))
    return ordered


def _decode(raws: list[bytes], view: View, beside: dict[bytes, Sidecar]) -> list[Transaction]:
    """Decode them all; what stands beside those with blobs is verified and put into `beside`."""
    kinds = [view.has_blobs and raw[:1] == bytes((BLOB,)) for raw in raws]
    others = iter(decode_transactions([raw for raw, has_blobs in zip(raws, kinds, strict=True) if not has_blobs]))
    decoded: list[Transaction] = []
    for place, (raw, has_blobs) in enumerate(zip(raws, kinds, strict=True)):
        one = _decode_blobs(raw, view, beside) if has_blobs else next(others)
        if isinstance(one, str):
            raise invalid_params(f"transaction {place}: {one}")
        decoded.append(one)
    return decoded


def _decode_blobs(raw: bytes, view: View, beside: dict[bytes, Sidecar]) -> Transaction | str:
    try:
        transaction, sidecar = decode_blob_transaction(raw, view, PoolLimit().transaction_bytes)
        sidecar.verify()
    except Invalid as error:
        return error.message
    beside[transaction.hash] = sidecar
    return transaction


def _build(
    view: View, attributes: str, transactions: list[Transaction], *, leaves_out: bool, changes: int
) -> tuple[Block, list[bytes]]:
    try:
        return view.build_block(attributes, transactions, leaves_out=leaves_out, changes_max=changes)
    except Invalid as error:
        if error.fields.get("reason") == "limit":
            text = f"block {view.height} is too far back to build on: more than {changes} values changed since"
            raise RpcError(Code.LIMIT, text) from None
        raise from_invalid(error) from None


def show_built(block: Block, requests: list[bytes], beside: Mapping[bytes, Sidecar]) -> dict[str, object]:
    """The envelope that the engine API has for a payload. Value: all tips. `beside`: the transactions with blobs."""
    header = block.header
    by_fork = dict(header.ethereum)
    payload: dict[str, object] = {
        "parentHash": show_data(header.parent_hash),
        "feeRecipient": by_fork["miner"],
        "stateRoot": show_data(header.state_root),
        "receiptsRoot": show_data(header.receipts_root),
        "logsBloom": show_data(header.logs_bloom),
        "prevRandao": show_data(header.prev_randao),
        "blockNumber": show_quantity(header.number),
        "gasLimit": show_quantity(header.gas_limit),
        "gasUsed": show_quantity(header.gas_used),
        "timestamp": show_quantity(header.timestamp),
        "extraData": by_fork["extraData"],
        "baseFeePerGas": show_quantity(header.base_fee_per_gas),
        "blockHash": show_data(header.hash),
        "transactions": [show_data(transaction.raw) for transaction in block.transactions],
    }
    if block.withdrawals is not None:
        payload["withdrawals"] = [
            {
                "index": show_quantity(index),
                "validatorIndex": show_quantity(validator),
                "address": show_data(address),
                "amount": show_quantity(gwei),
            }
            for index, validator, address, gwei in block.withdrawals
        ]
    payload |= {member: by_fork[member] for member in ("blobGasUsed", "excessBlobGas") if member in by_fork}
    tips = sum(
        total_gas(receipt) * max(receipt.effective_gas_price - header.base_fee_per_gas, 0) for receipt in block.receipts
    )
    return {
        "executionPayload": payload,
        "blockValue": show_quantity(tips),
        "blobsBundle": _show_bundle([beside[one.hash] for one in block.transactions if one.hash in beside]),
        "executionRequests": [show_data(request) for request in requests],
        "shouldOverrideBuilder": False,
    }


def _show_bundle(sidecars: list[Sidecar]) -> dict[str, list[str]]:
    return {
        "commitments": [show_data(one) for sidecar in sidecars for one in sidecar.commitments],
        "proofs": [show_data(one) for sidecar in sidecars for one in sidecar.proofs],
        "blobs": [show_data(one) for sidecar in sidecars for one in sidecar.blobs],
    }
