"""Blocks of Ethereum's own chains (profile `ethereum`): the members that this chain's blocks have alike, or never.

Reads: values of the core.  Gives: `amend_header`, `amend_block`, `amend_receipt`, `show_ommer`, `show_blobs`.
Never: touches a block of this chain.  Spec: docs/spec/api-chain.md#objects
"""

from typing import Final

from bedroll.crypto.keccak import keccak256
from bedroll.encoding.rlp import decode_rlp, encode_rlp
from bedroll.execution.engine import Header, Receipt, Transaction

from .quantity import show_data, show_quantity
from .record import EthereumPart

BLOB: Final = 3
"""Type of a transaction with blobs."""
_BLOB_GAS: Final = 1 << 17
_BY_FORK: Final = (
    "baseFeePerGas",
    "withdrawalsRoot",
    "blobGasUsed",
    "excessBlobGas",
    "parentBeaconBlockRoot",
    "requestsHash",
)
"""Members that headers have from some fork on."""
_OMMER: Final = (
    "parentHash",
    "sha3Uncles",
    "miner",
    "stateRoot",
    "transactionsRoot",
    "receiptsRoot",
    "logsBloom",
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "extraData",
    "mixHash",
    "nonce",
    "baseFeePerGas",
)
"""Members of the header of an uncle, in the order of its RLP; the last from London on. Later blocks have none."""
_NUMBERS: Final = frozenset(("difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas"))


def amend_header(shown: dict[str, object], header: Header) -> None:
    """Put the header's own values in place of those that are constant on this chain."""
    for member in _BY_FORK:
        shown.pop(member, None)
    shown.update(header.ethereum)


def amend_block(shown: dict[str, object], header: Header, part: EthereumPart, transactions_bytes: int) -> None:
    """Put in uncles, withdrawals and the size of the block in RLP."""
    amend_header(shown, header)
    shown["uncles"] = [show_data(keccak256(ommer)) for ommer in part.ommers]
    lists = [list_size(transactions_bytes), list_size(sum(map(len, part.ommers)))]
    shown.pop("withdrawals", None)
    if part.withdrawals is not None:
        lists.append(len(encode_withdrawals(part)))
        shown["withdrawals"] = [
            {
                "index": show_quantity(index),
                "validatorIndex": show_quantity(validator),
                "address": show_data(address),
                "amount": show_quantity(gwei),
            }
            for index, validator, address, gwei in part.withdrawals
        ]
    shown["size"] = show_quantity(list_size(len(header.rlp) + sum(lists)))


def show_ommer(ommer: bytes) -> dict[str, object]:
    """An uncle, as a block of which nothing but the header is known."""
    shown: dict[str, object] = {"hash": show_data(keccak256(ommer))}
    for member, value in zip(_OMMER, decode_rlp(ommer), strict=False):
        shown[member] = show_quantity(int.from_bytes(value, "big")) if member in _NUMBERS else show_data(value)
    shown["size"] = show_quantity(list_size(len(ommer) + 2 * list_size(0)))
    shown["uncles"] = []
    return shown


def amend_receipt(shown: dict[str, object], transaction: Transaction, receipt: Receipt, part: EthereumPart) -> None:
    """Before Byzantium a receipt names the state's root, and not whether the transaction succeeded; and blobs' gas."""
    if receipt.post_state is not None:
        del shown["status"]
        shown["root"] = show_data(receipt.post_state)
    if transaction.kind == BLOB and part.blob_base_fee is not None:
        _, hashes = _blob_fields(transaction)
        shown["blobGasUsed"] = show_quantity(len(hashes) * _BLOB_GAS)
        shown["blobGasPrice"] = show_quantity(part.blob_base_fee)


def show_blobs(transaction: Transaction) -> dict[str, object]:
    """What a transaction of type 3 says of its blobs (EIP-4844)."""
    fee, hashes = _blob_fields(transaction)
    return {"maxFeePerBlobGas": show_quantity(fee), "blobVersionedHashes": [show_data(one) for one in hashes]}


def _blob_fields(transaction: Transaction) -> tuple[int, list[bytes]]:
    """Price a blob gas, at most, and hashes: fields 9 and 10 of the signed bytes."""
    fields = decode_rlp(transaction.raw[1:])
    return int.from_bytes(fields[9], "big"), list(fields[10])


def encode_withdrawals(part: EthereumPart) -> bytes:
    """RLP of a block's withdrawals."""
    rows = part.withdrawals or []
    return encode_rlp(
        [[_bare(index), _bare(validator), address, _bare(gwei)] for index, validator, address, gwei in rows]
    )


def list_size(payload: int) -> int:
    """Bytes of an RLP list with so many bytes in it."""
    return payload + 1 if payload <= 55 else payload + 1 + (payload.bit_length() + 7) // 8


def _bare(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
