"""bitcoind's methods over an embedded chain, answers in bitcoind's form.

Reads: decoded parameters from a caller who knows the cookie.  Gives: what bitcoind would answer.
Never: more than the rpc client asks.  Spec: docs/spec/bitcoin.md#client
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from bedroll.primitives import COIN, BlockHash, Invalid, L1Height, Txid

from ..block import BLOCK_SIZE_MAX
from ..client import Coin, RejectedBlock, RejectedTransaction
from ..embedded import EmbeddedClient
from ..embedded.package import Outcome
from ..fee import MIN_RELAY_RATE
from ..header import Header
from ..refusal import MISSING, UNDECODABLE, Refused, reason_of

Method = Callable[[EmbeddedClient, Sequence[Any]], Awaitable[object]]

LONG_POLL_SECONDS_MAX: Final = 60.0
SCRIPTS_MAX: Final = 10_000
MINE_BLOCKS_MAX: Final = 10_000
_CODE_PARAMETER: Final = -8
_CODE_UNKNOWN: Final = -5
_CODE_DECODE: Final = -22
_CODE_REJECTED: Final = -26
_CODE_MISSING: Final = -25


class MethodError(Invalid):
    """An error that the caller is told, with bitcoind's code."""

    code: int

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text, code=code)
        self.text = text


async def _blockchain(client: EmbeddedClient, _: Sequence[Any]) -> object:
    tip = await client.tip()
    return {
        "chain": "regtest",
        "blocks": tip.height,
        "headers": tip.height,
        "bestblockhash": tip.hash[::-1].hex(),
        "initialblockdownload": False,
    }


async def _best_hash(client: EmbeddedClient, _: Sequence[Any]) -> object:
    return (await client.tip()).hash[::-1].hex()


async def _count(client: EmbeddedClient, _: Sequence[Any]) -> object:
    return (await client.tip()).height


async def _hash(client: EmbeddedClient, params: Sequence[Any]) -> object:
    height = _integer(params, 0)
    found = await client.block_hash(L1Height(height))
    if found is None:
        raise MethodError(_CODE_PARAMETER, "Block height out of range")
    return found[::-1].hex()


async def _header(client: EmbeddedClient, params: Sequence[Any]) -> object:
    block = BlockHash(_hash_bytes(params, 0))
    raw, height = await _known(client.header(block))
    if len(params) > 1 and not params[1]:
        return raw.hex()
    header = Header.parse(raw)
    tip = await client.tip()
    active = await client.block_hash(height) == block
    answer = {
        "hash": block[::-1].hex(),
        "confirmations": tip.height - height + 1 if active else -1,
        "height": height,
        "version": header.version,
        "versionHex": f"{header.version & 0xFFFFFFFF:08x}",
        "merkleroot": header.merkle_root[::-1].hex(),
        "time": header.time,
        "nonce": header.nonce,
        "bits": f"{header.bits:08x}",
    }
    if height:
        answer["previousblockhash"] = header.previous[::-1].hex()
    return answer


async def _block(client: EmbeddedClient, params: Sequence[Any]) -> object:
    if len(params) < 2 or params[1] not in (0, False):
        raise MethodError(_CODE_PARAMETER, "this node gives blocks serialised only: verbosity 0")
    return (await _known(client.block(BlockHash(_hash_bytes(params, 0))))).hex()


async def _wait(client: EmbeddedClient, params: Sequence[Any]) -> object:
    milliseconds = _integer(params, 0) if params else 0
    known = BlockHash(_hash_bytes(params, 1)) if len(params) > 1 else (await client.tip()).hash
    seconds = min(milliseconds / 1_000 or LONG_POLL_SECONDS_MAX, LONG_POLL_SECONDS_MAX)
    tip = await client.wait_for_tip(known, seconds)
    return {"hash": tip.hash[::-1].hex(), "height": tip.height}


async def _send(client: EmbeddedClient, params: Sequence[Any]) -> object:
    raw = _transaction(params, 0)
    try:
        return (await client.submit(raw))[::-1].hex()
    except RejectedTransaction as refusal:
        raise _method_error(refusal) from refusal


async def _submit_package(client: EmbeddedClient, params: Sequence[Any]) -> object:
    try:
        outcome = await client.submit_package(_transactions(params, 0))
    except RejectedTransaction as refusal:
        raise _method_error(refusal) from refusal
    return {
        "package_msg": outcome.message,
        "tx-results": {each.wtxid[::-1].hex(): _submitted(each) for each in outcome.transactions},
        "replaced-transactions": [],
    }


async def _test_accept(client: EmbeddedClient, params: Sequence[Any]) -> object:
    try:
        outcome = await client.test_package(_transactions(params, 0))
    except RejectedTransaction as refusal:
        raise _method_error(refusal) from refusal
    whole = outcome.message not in ("success", "transaction failed")
    return [_tested(each, outcome.message if whole else "") for each in outcome.transactions]


async def _entry(client: EmbeddedClient, params: Sequence[Any]) -> object:
    entry = await client.mempool_entry(Txid(_hash_bytes(params, 0)))
    if entry is None:
        raise MethodError(_CODE_UNKNOWN, "Transaction not in mempool")
    return {
        "vsize": entry.size,
        "fees": {"base": _bitcoin(entry.fee)},
        "ancestorcount": entry.ancestors,
        "descendantcount": entry.descendants,
    }


async def _pool(client: EmbeddedClient, _: Sequence[Any]) -> object:
    return [txid[::-1].hex() for txid in await client.mempool()]


async def _pool_size(client: EmbeddedClient, _: Sequence[Any]) -> object:
    count, size = await client.mempool_size()
    rate = _bitcoin(MIN_RELAY_RATE)
    return {
        "loaded": True, "size": count, "bytes": size,
        "mempoolminfee": rate, "minrelaytxfee": rate, "incrementalrelayfee": rate, "fullrbf": True,
    }  # fmt: skip


async def _output(client: EmbeddedClient, params: Sequence[Any]) -> object:
    txid, index = Txid(_hash_bytes(params, 0)), _integer(params, 1)
    coin = await client.coin(txid, index)
    if coin is None:
        return None
    tip = await client.tip()
    return {
        "bestblock": tip.hash[::-1].hex(),
        "confirmations": 0 if coin.height is None else tip.height - coin.height + 1,
        "value": _bitcoin(coin.value),
        "scriptPubKey": {"hex": coin.script.hex()},
        "coinbase": coin.coinbase,
    }


async def _scan(client: EmbeddedClient, params: Sequence[Any]) -> object:
    wanted = params[1] if len(params) > 1 else None
    if params[:1] != ["start"] or not isinstance(wanted, list) or len(wanted) > SCRIPTS_MAX:
        raise MethodError(_CODE_PARAMETER, f"expected start and at most {SCRIPTS_MAX} descriptors")
    coins = await client.coins([_raw_descriptor(each) for each in wanted])
    tip = await client.tip()
    return {
        "success": True,
        "height": tip.height,
        "bestblock": tip.hash[::-1].hex(),
        "unspents": [_unspent(coin) for coin in coins],
    }


async def _estimate(client: EmbeddedClient, params: Sequence[Any]) -> object:
    blocks = _integer(params, 0)
    if blocks < 1:
        raise MethodError(_CODE_PARAMETER, "Invalid conf_target")
    return {"feerate": _bitcoin(await client.fee_rate(blocks)), "blocks": blocks}


async def _generate(client: EmbeddedClient, params: Sequence[Any]) -> object:
    count = _integer(params, 0)
    if count > MINE_BLOCKS_MAX:
        raise MethodError(_CODE_PARAMETER, f"at most {MINE_BLOCKS_MAX} blocks a call")
    script = _raw_descriptor(params[1] if len(params) > 1 else None)
    return [block[::-1].hex() for block in await client.mine(count, script)]


async def _submit_block(client: EmbeddedClient, params: Sequence[Any]) -> object:
    raw = _hex(params, 0, BLOCK_SIZE_MAX)
    try:
        await client.submit_block(raw)
    except RejectedBlock as refusal:
        return refusal.reason
    except Invalid as failure:
        raise MethodError(_CODE_DECODE, "Block decode failed") from failure
    return None


METHODS: Final[Mapping[str, Method]] = {
    "getblockchaininfo": _blockchain,
    "getbestblockhash": _best_hash,
    "getblockcount": _count,
    "getblockhash": _hash,
    "getblockheader": _header,
    "getblock": _block,
    "waitfornewblock": _wait,
    "sendrawtransaction": _send,
    "submitpackage": _submit_package,
    "testmempoolaccept": _test_accept,
    "getmempoolentry": _entry,
    "getrawmempool": _pool,
    "getmempoolinfo": _pool_size,
    "gettxout": _output,
    "scantxoutset": _scan,
    "estimatesmartfee": _estimate,
    "generatetodescriptor": _generate,
    "submitblock": _submit_block,
}
"""What can be called, by name."""


async def _known(asked: Awaitable[Any]) -> Any:
    try:
        return await asked
    except Invalid as failure:
        raise MethodError(_CODE_UNKNOWN, "Block not found") from failure


def _method_error(refusal: RejectedTransaction) -> MethodError:
    if refusal.reason == UNDECODABLE:
        return MethodError(_CODE_DECODE, "TX decode failed. Make sure the tx has at least one input.")
    text = refusal.text() if isinstance(refusal, Refused) else refusal.reason
    return MethodError(_CODE_MISSING if refusal.reason == MISSING else _CODE_REJECTED, text)


def _submitted(outcome: Outcome) -> dict[str, object]:
    answer: dict[str, object] = {"txid": outcome.txid[::-1].hex()}
    if outcome.error:
        answer["error"] = outcome.error
    elif outcome.fee is not None:
        answer |= {"vsize": outcome.size, "fees": {"base": _bitcoin(outcome.fee)}}
    return answer


def _tested(outcome: Outcome, package_error: str) -> dict[str, object]:
    answer: dict[str, object] = {"txid": outcome.txid[::-1].hex(), "wtxid": outcome.wtxid[::-1].hex()}
    if package_error:
        answer["package-error"] = package_error
    elif outcome.error == "package-not-validated":
        return answer
    elif outcome.error:
        answer |= {"allowed": False, "reject-reason": reason_of(outcome.error), "reject-details": outcome.error}
    elif outcome.fee is not None:
        answer |= {"allowed": True, "vsize": outcome.size, "fees": {"base": _bitcoin(outcome.fee)}}
    return answer


def _unspent(coin: Coin) -> dict[str, object]:
    return {
        "txid": coin.txid[::-1].hex(), "vout": coin.index, "scriptPubKey": coin.script.hex(),
        "amount": _bitcoin(coin.value), "coinbase": coin.coinbase, "height": coin.height,
    }  # fmt: skip


def _bitcoin(value_sat: int) -> Decimal:
    return (Decimal(value_sat) / COIN).quantize(Decimal("0.00000001"))


def _integer(params: Sequence[Any], at: int) -> int:
    value = params[at] if at < len(params) else None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 32:
        raise MethodError(_CODE_PARAMETER, f"parameter {at} is not a number from 0 to 2^32 - 1")
    return value


def _hex(params: Sequence[Any], at: int, size_max: int) -> bytes:
    text = params[at] if at < len(params) else None
    if not isinstance(text, str) or len(text) > 2 * size_max:
        raise MethodError(_CODE_PARAMETER, f"parameter {at} is not hex of at most {size_max} bytes")
    try:
        return bytes.fromhex(text)
    except ValueError as failure:
        raise MethodError(_CODE_PARAMETER, f"parameter {at} is not hex") from failure


def _hash_bytes(params: Sequence[Any], at: int) -> bytes:
    raw = _hex(params, at, 32)
    if len(raw) != 32:
        raise MethodError(_CODE_PARAMETER, f"parameter {at} is not a hash of 32 bytes")
    return raw[::-1]


def _transaction(params: Sequence[Any], at: int) -> bytes:
    try:
        return _hex(params, at, BLOCK_SIZE_MAX)
    except MethodError as failure:
        raise MethodError(_CODE_DECODE, "TX decode failed. Make sure the tx has at least one input.") from failure


def _transactions(params: Sequence[Any], at: int) -> list[bytes]:
    given = params[at] if at < len(params) else None
    if not isinstance(given, list) or not 1 <= len(given) <= 25:
        raise MethodError(_CODE_PARAMETER, "Array must contain between 1 and 25 transactions.")
    return [_transaction(given, position) for position in range(len(given))]


def _raw_descriptor(text: object) -> bytes:
    if not isinstance(text, str) or not text.startswith("raw(") or not text.endswith(")"):
        raise MethodError(_CODE_PARAMETER, "this node knows descriptors of the form raw(HEX) only")
    return _hex([text[4:-1]], 0, 10_000)
