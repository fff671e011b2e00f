"""`BitcoinClient` over bitcoind's JSON-RPC.

Reads: answers of a node that may stop, lie about its form, or be another network's.  Gives: what the port promises.
Never: goes on with a node of another network; keeps anything of the chain between two calls.
Spec: docs/spec/bitcoin.md#client
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from bedroll.crypto import double_sha256
from bedroll.primitives import BlockHash, FeeRate, Invalid, L1Height, Misconfigured, Txid, Unavailable, VSize

from ..block import BLOCK_SIZE_MAX
from ..client import Acceptance, BlockRef, Coin, MempoolEntry, RejectedBlock, RejectedTransaction
from ..header import HEADER_SIZE
from ..refusal import UNDECODABLE, choose_refusal, reason_of
from ..transaction import Transaction
from .answer import (
    AcceptAnswer,
    ChainAnswer,
    EntryAnswer,
    EstimateAnswer,
    HeaderAnswer,
    OutputAnswer,
    PackageAnswer,
    PoolAnswer,
    ScanAnswer,
    TipAnswer,
    bytes_of,
    hash_of,
    satoshi_of,
    txid_of,
)
from .notification import Notification
from .transport import CALL_SECONDS, Access, RpcError, Transport

GENESIS: Final = {
    "main": "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
    "testnet4": "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
    "signet": "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
    "regtest": "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
}
"""Hash of the first block, by the network's name in `getblockchaininfo`."""
LONG_POLL_SECONDS: Final = 20.0
"""Longest wait in one call: below the time after which bitcoind drops a silent connection."""
NEEDLESS_SECONDS: Final = 1.0
NEEDLESS_MAX: Final = 3
"""Answers in a row that come sooner than that and tell of no block, before there is a pause between questions."""
POLL_SECONDS: Final = 10.0
"""How often the tip is asked for although ZMQ is silent: its messages can be lost."""
SCAN_SECONDS: Final = 600.0
SCAN_SIZE_MAX_BYTES: Final = 64 << 20
MINE_BLOCKS_MAX: Final = 500
"""Blocks mined in one call."""
CONFIRMATION_BLOCKS_MAX: Final = 1_008
"""Farthest target that bitcoind estimates a fee for."""

_UNKNOWN: Final = -5
_DECODE: Final = -22
_REFUSED: Final = (-25, -26)
_KNOWN: Final = -27
_NO_BURN_LIMIT: Final = "21000000"
_BLOCK_TAKEN: Final = (None, "duplicate", "inconclusive", "duplicate-inconclusive")


class RpcClient:
    """A bitcoind elsewhere; `open` makes one. Bitcoin Core 30 or later: older ones lack calls and rules."""

    def __init__(self, transport: Transport, network: str, notification: Notification | None) -> None:
        self._transport = transport
        self._network = network
        self._notification = notification
        self._scan = asyncio.Lock()

    @staticmethod
    async def open(
        access: Access, network: str, *, zmq_address: str = "", call_seconds: float = CALL_SECONDS
    ) -> "RpcClient":
        """Connect, and see that it is the right network.

        Args:
            access: Where, and as whom.
            network: As `getblockchaininfo` names it.
            zmq_address: Of bitcoind's `zmqpubsequence`; empty waits for blocks by long calls.
            call_seconds: Limit of one call.

        Raises:
            Unavailable: It does not answer, or has not caught up with its network yet.
            Misconfigured: It is on another network.
        """
        transport = Transport(access, call_seconds)
        client = RpcClient(transport, network, None)
        try:
            await client._check_network()
        except BaseException:
            await transport.close()
            raise
        if zmq_address:
            client._notification = Notification(zmq_address)
        return client

    async def tip(self) -> BlockRef:
        """Newest block of the best chain."""
        answer = await self._transport.call(ChainAnswer, "getblockchaininfo")
        return BlockRef(L1Height(answer.blocks), BlockHash(hash_of(answer.bestblockhash)))

    async def block_hash(self, height: L1Height) -> BlockHash | None:
        """Hash at a height of the best chain; None above the tip."""
        try:
            return BlockHash(hash_of(await self._transport.call(str, "getblockhash", height)))
        except RpcError as error:
            if error.code == -8:
                return None
            raise

    async def header(self, block: BlockHash) -> tuple[bytes, L1Height]:
        """80-byte header and height of any known block. Invalid if unknown."""
        answer = await self._ask_about(block, HeaderAnswer, "getblockheader", True)
        header = answer.header()
        if header.hash != block:
            raise Unavailable("bitcoind's header is of another block", block=block, header=header.raw)
        return header.raw, L1Height(answer.height)

    async def block(self, block: BlockHash) -> bytes:
        """Serialised block with witnesses. Invalid if unknown."""
        return bytes_of(await self._ask_about(block, str, "getblock", 0))

    async def wait_for_tip(self, known: BlockHash, timeout_seconds: float) -> BlockRef:
        """Return when the tip differs from `known`, or after the timeout."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_seconds
        needless = 0
        while (tip := await self.tip()).hash == known and (left := deadline - loop.time()) > 0:
            if self._notification is not None:
                await self._notification.wait(min(left, POLL_SECONDS))
                continue
            asked = loop.time()
            await self._poll_long(known, min(left, LONG_POLL_SECONDS))
            # A node that answers at once that nothing happened must not make us ask without pause.
            needless = needless + 1 if loop.time() - asked < min(left, NEEDLESS_SECONDS) else 0
            if needless > NEEDLESS_MAX:
                await asyncio.sleep(min(left, NEEDLESS_SECONDS))
        return tip

    async def broadcast(self, package: Sequence[bytes]) -> None:
        """Hand in one transaction, or parents with their child. Known already is success."""
        if len(package) == 1:
            await self._send(package[0])
            return
        _check_sizes(package)
        parsed = [_txid_of_raw(raw) for raw in package]
        arguments = ([raw.hex() for raw in package], 0, _NO_BURN_LIMIT)
        try:
            answer = await self._transport.call(PackageAnswer, "submitpackage", *arguments)
        except RpcError as error:
            raise _refusal_of(error, parsed[-1]) from error
        told = {txid_of(each.txid): each.error for each in answer.transactions.values()}
        refusal = choose_refusal(answer.message, [(txid, told.get(txid)) for txid in parsed])
        if refusal is not None:
            raise refusal

    async def test_accept(self, transactions: Sequence[bytes]) -> list[Acceptance]:
        """Ask what `broadcast` would say, in order, changing nothing."""
        _check_sizes(transactions)
        try:
            answers = await self._transport.call(
                list[AcceptAnswer], "testmempoolaccept", [raw.hex() for raw in transactions], 0
            )
        except RpcError as error:
            raise _refusal_of(error, b"") from error
        return [_acceptance_of(answer) for answer in answers]

    async def mempool_entry(self, txid: Txid) -> MempoolEntry | None:
        """The unconfirmed transaction, if the node has it."""
        try:
            answer = await self._transport.call(EntryAnswer, "getmempoolentry", txid[::-1].hex())
        except RpcError as error:
            if error.code == _UNKNOWN:
                return None
            raise
        fee = satoshi_of(answer.fees.base)
        return MempoolEntry(txid, fee, VSize(answer.vsize), answer.ancestorcount, answer.descendantcount)

    async def coin(self, txid: Txid, index: int) -> Coin | None:
        """An unspent output, unconfirmed ones and spends by the mempool taken into account."""
        answer = await self._transport.call_or_none(OutputAnswer, "gettxout", txid[::-1].hex(), index, True)
        if answer is None:
            return None
        height: L1Height | None = None
        if answer.confirmations > 0:
            _, best = await self.header(BlockHash(hash_of(answer.bestblock)))
            height = L1Height(best - answer.confirmations + 1)
        return Coin(
            txid=txid,
            index=index,
            value=satoshi_of(answer.value),
            script=bytes_of(answer.script.hex),
            height=height,
            coinbase=answer.coinbase,
        )

    async def coins(self, scripts: Sequence[bytes]) -> list[Coin]:
        """All confirmed unspent outputs with one of these scripts. Reads the whole coin set: slow on large networks."""
        if not scripts:
            return []
        wanted = [f"raw({script.hex()})" for script in sorted(set(scripts))]
        async with self._scan:  # bitcoind runs one scan at a time.
            answer = await self._transport.call(
                ScanAnswer,
                "scantxoutset", "start", wanted,
                seconds=SCAN_SECONDS, size_max_bytes=SCAN_SIZE_MAX_BYTES,
            )  # fmt: skip
        if not answer.success:
            raise Unavailable("bitcoind's scan of its coins was stopped")
        coins = [
            Coin(
                txid=txid_of(each.txid),
                index=each.vout,
                value=satoshi_of(each.amount),
                script=bytes_of(each.script),
                height=L1Height(each.height),
                coinbase=each.coinbase,
            )
            for each in answer.unspents
        ]
        return sorted(coins, key=lambda coin: (coin.height, coin.txid, coin.index))

    async def fee_rate(self, blocks: int) -> FeeRate:
        """Estimate for confirmation within `blocks`, never below what the mempool takes now."""
        if blocks < 1:
            raise Invalid("a fee is estimated for at least one block", blocks=blocks, limit=1)
        estimate = await self._transport.call(EstimateAnswer, "estimatesmartfee", min(blocks, CONFIRMATION_BLOCKS_MAX))
        pool = await self._transport.call(PoolAnswer, "getmempoolinfo")
        rates = [pool.mempoolminfee, pool.minrelaytxfee]
        if estimate.feerate is not None:
            rates.append(estimate.feerate)
        return FeeRate(max(satoshi_of(rate) for rate in rates))

    async def mine(self, count: int, script: bytes) -> list[BlockHash]:
        """Mine blocks on regtest, coinbase to `script`.

        Raises:
            Misconfigured: The network is not regtest.
        """
        if self._network != "regtest":
            raise Misconfigured("blocks are mined on regtest only", option="network", value=self._network,
                                allowed="regtest")  # fmt: skip
        mined: list[BlockHash] = []
        while len(mined) < count:
            part = min(count - len(mined), MINE_BLOCKS_MAX)
            hashes = await self._transport.call(list[str], "generatetodescriptor", part, f"raw({script.hex()})")
            mined += (BlockHash(hash_of(each)) for each in hashes)
        return mined

    async def submit_block(self, raw: bytes) -> None:
        """Hand in a block, on any parent.

        Raises:
            RejectedBlock: With Bitcoin Core's reason.
            Invalid: It does not parse.
        """
        if len(raw) > BLOCK_SIZE_MAX:
            raise Invalid("block is too long", size=len(raw), limit=BLOCK_SIZE_MAX)
        try:
            verdict = await self._transport.call_or_none(str, "submitblock", raw.hex())
        except RpcError as error:
            if error.code == _DECODE:
                raise Invalid("block does not parse", size=len(raw)) from error
            raise
        if verdict not in _BLOCK_TAKEN:
            reason, _, detail = str(verdict).partition(", ")
            raise RejectedBlock("block refused", reason=reason, detail=detail, block=double_sha256(raw[:HEADER_SIZE]))

    async def close(self) -> None:
        """Let go of all connections."""
        if self._notification is not None:
            await self._notification.close()
            self._notification = None
        await self._transport.close()

    async def _check_network(self) -> None:
        chain = await self._transport.call(ChainAnswer, "getblockchaininfo")
        genesis = await self._transport.call(str, "getblockhash", 0)
        if chain.chain != self._network or genesis != GENESIS.get(self._network, genesis):
            raise Misconfigured(
                "bitcoind is on another network",
                option="network", value=chain.chain, allowed=self._network, genesis=genesis,
            )  # fmt: skip
        if chain.initialblockdownload and self._network != "regtest":
            raise Unavailable("bitcoind has not caught up with its network", reason=f"at block {chain.blocks}")

    async def _poll_long(self, known: BlockHash, seconds: float) -> None:
        await self._transport.call(
            TipAnswer,
            "waitfornewblock", max(1, int(seconds * 1_000)), known[::-1].hex(),
            seconds=seconds + CALL_SECONDS, long_poll=True,
        )  # fmt: skip

    async def _ask_about(self, block: BlockHash, kind: type[Any], method: str, *params: object) -> Any:
        if len(block) != 32:
            raise Invalid("block hash is not 32 bytes", size=len(block))
        try:
            return await self._transport.call(kind, method, block[::-1].hex(), *params)
        except RpcError as error:
            if error.code == _UNKNOWN:
                raise Invalid("unknown block", block=block) from error
            raise

    async def _send(self, raw: bytes) -> None:
        _check_sizes([raw])
        try:
            await self._transport.call(str, "sendrawtransaction", raw.hex(), 0, _NO_BURN_LIMIT)
        except RpcError as error:
            if error.code == _KNOWN:
                return
            raise _refusal_of(error, _txid_of_raw(raw)) from error


def _refusal_of(error: RpcError, txid: bytes) -> RejectedTransaction | RpcError:
    """What an error of the node means for a transaction; itself if it is about something else."""
    if error.code == _DECODE:
        return RejectedTransaction("transaction refused", reason=UNDECODABLE, txid=txid)
    if error.code in _REFUSED:
        return RejectedTransaction("transaction refused", reason=reason_of(error.reason), txid=txid)
    return error


def _txid_of_raw(raw: bytes) -> Txid:
    try:
        return Transaction.parse(raw).txid
    except Invalid:
        return Txid(b"")


def _check_sizes(package: Sequence[bytes]) -> None:
    for raw in package:
        if len(raw) > BLOCK_SIZE_MAX:
            raise RejectedTransaction("transaction refused", reason=UNDECODABLE, txid=b"")


def _acceptance_of(answer: AcceptAnswer) -> Acceptance:
    accepted = answer.allowed is True and not answer.package_error
    reason = answer.package_error or answer.reason or ("" if accepted else "package-not-validated")
    return Acceptance(
        txid=txid_of(answer.txid),
        accepted=accepted,
        reason=reason_of(reason),
        fee=satoshi_of(answer.fees.base) if accepted and answer.fees is not None else None,
        size=VSize(answer.vsize) if accepted and answer.vsize is not None else None,
    )
