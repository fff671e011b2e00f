"""`bedroll demo`: the whole path of a transaction, from wallet to Bitcoin and back.

Reads: nothing but options.  Gives: `command`, `Demo`.
Never: shows a figure that it did not measure.  Spec: docs/spec/cli.md#demo
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from bedroll.api import Server, ServerOptions, Service
from bedroll.bitcoin.client import BitcoinClient
from bedroll.bitcoin.embedded import EmbeddedClient
from bedroll.bitcoin.rpc import Access
from bedroll.bitcoin.rpc import RpcClient as BitcoinRpcClient
from bedroll.bitcoin.server import RpcServer
from bedroll.bitcoin.wallet import Branch, SingleKeyring, Wallet
from bedroll.bitcoin.wallet.key import script_of
from bedroll.config import Config
from bedroll.da.writer import SCHEMA, Queue, Writer
from bedroll.node.devnet import Devnet, DevnetOption, devnet_key, open_devnet
from bedroll.node.service import Node
from bedroll.primitives import Corrupt, Gas, Hash32, L1Height, Misconfigured, Unavailable, Wei
from bedroll.protocol import REGTEST
from bedroll.sdk import Account, RpcClient, checksum_address
from bedroll.sequencer.policy import BatchPolicy
from bedroll.sequencer.service import SequencerOption
from bedroll.storage import Database

from .bitcoin import access_of, open_bitcoin
from .comparison import Equal, compare
from .forced import message_ids, put_forced
from .output import Output, Steps
from .run import Context, declare, run_once
from .serve import first_of
from .spending import Spending, spending_of
from .traffic import Traffic, current_fees, deploy_token

_POLL_SECONDS: Final = 0.05
_WAIT_SECONDS: Final = 90.0
_RECEIVER: Final = bytes.fromhex("00000000000000000000000000000000000fced0")


@declare("demo", "bitcoin", "log")
@click.option("--transactions", "count", type=click.IntRange(40, 100_000), default=2_000, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Keep everything here.")
def command(context: Context, flags: dict[str, object], *, count: int, folder: Path | None) -> None:
    """Show the whole path of a transaction, from wallet to Bitcoin and back.

    An embedded Bitcoin chain, a sequencer and a second node in one process; a contract and real signed transactions
    through JSON-RPC; batches on Bitcoin; the chain rebuilt on an empty disk from Bitcoin alone; a transaction forced
    through Bitcoin after the sequencer has stopped. With --bitcoin-source rpc on a fresh regtest bitcoind.
    """
    config = context.load(flags, {"log.level": "error", "bitcoin.source": "embedded"})
    with ExitStack() as stack:
        if folder is not None and folder.exists() and any(folder.iterdir()):
            raise Misconfigured("the demo begins anew", option="folder", value=folder, allowed="an empty folder")
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bedroll-demo-")))
        started = time.monotonic()
        found = run_once(Demo(context.output, place, count, config).run())
        found["seconds"] = round(time.monotonic() - started, 1)
    show_result(context.output, found)


class Demo:
    """One run, step by step."""

    def __init__(self, output: Output, folder: Path, count: int, config: Config) -> None:
        self._output = output
        self._folder = folder
        self._count = count
        self._config = replace(config, folder=folder)
        self._user = SingleKeyring(devnet_key("user"))

    async def run(self) -> dict[str, Any]:
        """All steps; what was measured."""
        with self._output.progress() as steps:
            async with AsyncExitStack() as stack:
                return await self._run(steps, stack)

    async def _run(self, steps: Steps, stack: AsyncExitStack) -> dict[str, Any]:
        step = steps.begin(f"Bitcoin: {self._config.bitcoin.source}, a chain with mature coins")
        bitcoin, access = await self._open_bitcoin(stack)
        # The user's coin is mined first, so that it is mature when the sequencer stops.
        await bitcoin.mine(1, script_of(self._user.key(Branch.RECEIVE, 0)))
        devnet = await stack.enter_async_context(open_devnet(self._folder, _option(), client=bitcoin))
        step.done(f"Bitcoin: {self._config.bitcoin.source}, a chain at height {(await bitcoin.tip()).height}")

        leading = asyncio.create_task(devnet.run(), name="devnet")
        try:
            sent = await self._send(steps, devnet, leading)
            spending = await self._post(steps, devnet, leading)
            second, equal, seconds = await self._rebuild(steps, stack, devnet, access)
        finally:
            leading.cancel()
            await asyncio.gather(leading, return_exceptions=True)
        forced = await self._force(steps, devnet, second)
        return _result(devnet, sent, spending, equal, seconds, forced)

    async def _open_bitcoin(self, stack: AsyncExitStack) -> tuple[BitcoinClient, Access]:
        """The chain's own client, and how another process would reach it."""
        bitcoin = await stack.enter_async_context(open_bitcoin(self._config))
        if not isinstance(bitcoin, EmbeddedClient):
            return bitcoin, access_of(self._config.bitcoin, REGTEST.bitcoin)
        served = RpcServer(bitcoin, self._folder / "bitcoin.cookie")
        await served.start()
        stack.push_async_callback(served.stop)
        return bitcoin, Access(served.url, served.cookie)

    # --- steps --------------------------------------------------------------------------------------

    async def _send(self, steps: Steps, devnet: Devnet, leading: asyncio.Task[None]) -> dict[str, Any]:
        """A contract, then the traffic, through the API."""
        server = await _serve(devnet.node)
        chain_id = devnet.node.network.chain_id
        try:
            async with RpcClient(server.url) as client:
                step = steps.begin("Sequencer: deploy a contract")
                token, receipt = await _beside(leading, deploy_token(client, chain_id, devnet.accounts[0]))
                step.done(f"Sequencer: token at {checksum_address(token)}, block {int(receipt['blockNumber'], 16)}")
                step = steps.begin(f"Wallets: sign {self._count:,} transactions of {len(devnet.accounts)} accounts")
                traffic = Traffic(chain_id, devnet.accounts, token)
                await traffic.sign(client, self._count)
                step.done()
                step = steps.begin("JSON-RPC: send them", self._count)
                started = time.monotonic()
                await _beside(leading, traffic.send(client, step.advance))
                accepted = time.monotonic() - started
                await _beside(leading, traffic.wait_included(client))
                step.done(f"JSON-RPC: {self._count:,} accepted in {accepted:.1f} s, all in blocks")
        finally:
            await server.stop()
        return {"transactions": self._count, "accept_seconds": round(accepted, 2)}

    async def _post(self, steps: Steps, devnet: Devnet, leading: asyncio.Task[None]) -> Spending:
        """Mine as the leader posts, until Bitcoin holds every transaction, C blocks deep."""
        target = devnet.node.heads().latest.height
        step = steps.begin("Bitcoin: batches in commit and reveal, mined")

        async def settle() -> None:
            while devnet.node.heads().finalized.height < target:
                # Mining past a leader who has posted nothing would be his silence (protocol.md 5.3).
                if devnet.node.heads().safe.height >= target or await _has_posted(devnet):
                    await _mine(devnet)
                else:
                    await asyncio.sleep(_POLL_SECONDS)

        await _beside(leading, settle())
        assert devnet.node.wallet is not None
        spending = spending_of(devnet.node.wallet)
        step.done(f"Bitcoin: {spending.transactions} transactions carry {target} blocks, final")
        return spending

    async def _rebuild(
        self, steps: Steps, stack: AsyncExitStack, devnet: Devnet, access: Access
    ) -> tuple[Node, Equal, float]:
        """A second node with an empty disk and one Bitcoin node, then the comparison."""
        target = devnet.node.heads().safe.height
        step = steps.begin("Second node: derive everything from Bitcoin alone")
        reader = await BitcoinRpcClient.open(access, REGTEST.bitcoin)
        stack.push_async_callback(reader.close)
        started = time.monotonic()
        node = await Node.open(self._folder / "second", devnet.genesis, reader)
        stack.push_async_callback(node.close)
        running = asyncio.create_task(node.run(), name="second")
        stack.push_async_callback(_cancel, running)
        await _until(lambda: node.heads().safe.height >= target, running)
        seconds = time.monotonic() - started
        step.done(f"Second node: {target} blocks in {seconds:.1f} s")
        step = steps.begin("Compare: blocks, transactions, receipts", target + 1)
        servers = [await _serve(devnet.node), await _serve(node)]
        try:
            async with RpcClient(servers[0].url) as first, RpcClient(servers[1].url) as second:
                equal = await compare(first, second, target, step.advance)
        finally:
            for server in servers:
                await server.stop()
        step.done(f"Compare: {equal.blocks} blocks and {equal.receipts:,} receipts are equal, root {equal.state_root}")
        return node, equal, seconds

    async def _force(self, steps: Steps, devnet: Devnet, second: Node) -> dict[str, Any]:
        """The sequencer is stopped: a user posts his transaction himself, and derivation executes it."""
        step = steps.begin("Sequencer stopped; force a transaction through Bitcoin")
        sender = devnet.accounts[5]
        server = await _serve(second)
        database = Database.open(self._folder / "user.sqlite", SCHEMA)
        try:
            async with RpcClient(server.url) as client:
                raw = await _signed_payment(client, sender)
                wallet = Wallet(database, self._user)
                writer = Writer(
                    devnet.client, wallet, Queue(database), REGTEST, devnet_key("user").secret, start=L1Height(1)
                )
                named = put_forced(writer, REGTEST, raw)
                await writer.step()
                (message,) = message_ids(writer, REGTEST, named)
                posted = (await devnet.client.tip()).height + 1
                while second.forced_status(Hash32(message)).state != "executed":
                    if (await devnet.client.tip()).height - posted > _window():
                        raise Corrupt("the forced message was not executed in its window", window=_window())
                    await devnet.client.mine(1, script_of(self._user.key(Branch.RECEIVE, 0)))
                    await _until_derived(devnet, second)
                status = second.forced_status(Hash32(message))
                receipt = await client.call("eth_getTransactionReceipt", "0x" + (status.transaction_hash or b"").hex())
                block = await client.call("eth_getBlockByNumber", receipt["blockNumber"], False)
        finally:
            database.close()
            await server.stop()
        waited = (await devnet.client.tip()).height - posted
        kind = "automatic block" if block["automatic"] else "block"
        step.done(f"Forced: executed in {kind} {status.l2_height}, {waited} Bitcoin blocks later, leader silent")
        return {
            "message": "0x" + message.hex(),
            "l1_blocks": waited,
            "receipt": receipt,
            "automatic": block["automatic"],
            "window": _window(),
        }


def _option() -> DevnetOption:
    """Blocks and batches come quickly; the demo mines itself."""
    policy = BatchPolicy(age_seconds=2.0)
    return DevnetOption(mine_seconds=0.0, sequencer=SequencerOption(block_time_seconds=0.5, batch=policy))


def _window() -> int:
    """L1 blocks within which a forced message ends, whatever the leader does (protocol.md 5.3)."""
    numbers = REGTEST.parameters
    return numbers.proof_ttl + numbers.finality_depth + numbers.max_origin_lag + numbers.auto_block_window


async def _serve(node: Node) -> Server:
    server = Server(Service(node), ServerOptions(port=0))
    await server.start()
    return server


async def _signed_payment(client: RpcClient, sender: Account) -> bytes:
    fees = await current_fees(client)
    nonce = await client.call("eth_getTransactionCount", "0x" + sender.address.hex(), "latest")
    return sender.sign_transaction(
        chain_id=REGTEST.chain_id,
        nonce=int(nonce, 16),
        gas_limit=Gas(21_000),
        max_fee_per_gas=Wei(10 * fees.cap),
        max_priority_fee_per_gas=Wei(0),
        to=_RECEIVER,  # type: ignore[arg-type]
        value=Wei(10**18),
    )


async def _has_posted(devnet: Devnet) -> bool:
    writer = devnet.node.writer_status()
    return writer is not None and writer.unconfirmed > 0


async def _mine(devnet: Devnet) -> None:
    """Mine one block and let the sequencer's node read it."""
    await devnet.mine(1)
    height = (await devnet.client.tip()).height
    while devnet.node.l1_status().derived_height < height:
        await asyncio.sleep(_POLL_SECONDS)


async def _until_derived(devnet: Devnet, node: Node) -> None:
    height = (await devnet.client.tip()).height
    while node.l1_status().derived_height < height:
        await asyncio.sleep(_POLL_SECONDS)


async def _until(reached: Callable[[], bool], running: asyncio.Task[None]) -> None:
    async def wait() -> None:
        while not reached():
            await asyncio.sleep(_POLL_SECONDS)

    await _beside(running, wait())


async def _beside(service: asyncio.Task[None], work: Any) -> Any:
    """Do something while a service runs; if the service ends first, raise what ended it.

    Raises:
        Unavailable: It takes too long.
    """
    doing = asyncio.ensure_future(work)
    try:
        await asyncio.wait({service, doing}, return_when=asyncio.FIRST_COMPLETED, timeout=_WAIT_SECONDS)
        if doing.done():
            return doing.result()
        if service.done() and (error := service.exception()) is not None:
            raise first_of(error)
        raise Unavailable("a step of the demo takes too long", seconds=_WAIT_SECONDS)
    finally:
        await _cancel(doing)


async def _cancel(task: asyncio.Future[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _result(
    devnet: Devnet, sent: dict[str, Any], spending: Spending, equal: Equal, seconds: float, forced: dict[str, Any]
) -> dict[str, Any]:
    count = sent["transactions"]
    return sent | {
        "l2_blocks": equal.blocks,
        "receipts_equal": equal.receipts,
        "state_root": equal.state_root,
        "chain_id": devnet.node.network.chain_id,
        "l1_transactions": spending.transactions,
        "l1_weight_wu": spending.weight_wu,
        "l1_size_vb": spending.size_vb,
        "l1_fee_sat": spending.fee_sat,
        "bytes_per_transaction": round(spending.weight_wu / count, 1),
        "derive_seconds": round(seconds, 2),
        "derive_per_second": round(count / seconds),
        "forced": {
            "executed": forced["receipt"]["status"] == "0x1",
            "automatic": forced["automatic"],
            "l1_blocks": forced["l1_blocks"],
            "l1_blocks_at_most": forced["window"],
            "block": int(forced["receipt"]["blockNumber"], 16),
            "message": forced["message"],
        },
    }


def show_result(output: Output, found: dict[str, Any]) -> None:
    """The table at the end."""
    if output.as_json:
        output.line(found)
        return
    forced = found["forced"]
    rows = [
        ("transactions through JSON-RPC", f"{found['transactions']:,} in {found['accept_seconds']} s"),
        ("blocks", found["l2_blocks"]),
        ("Bitcoin transactions that carry them", found["l1_transactions"]),
        ("bytes on Bitcoin a transaction", f"{found['bytes_per_transaction']} witness bytes, all included"),
        ("vbytes spent", f"{found['l1_size_vb']:,}"),
        ("sats spent", f"{found['l1_fee_sat']:,}"),
        ("rebuilt from Bitcoin alone", f"{found['derive_seconds']} s, {found['derive_per_second']:,} transactions/s"),
        ("equal receipts", f"{found['receipts_equal']:,}"),
        ("state root", found["state_root"]),
        (
            "forced transaction, leader silent",
            f"executed after {forced['l1_blocks']} Bitcoin blocks (at most {forced['l1_blocks_at_most']})",
        ),
        ("took", f"{found['seconds']} s"),
    ]
    output.rows("Bedroll: from wallet to Bitcoin and back", ("what", "measured"), rows)
    output.hint("`bedroll devnet` starts a chain of your own; docs/tutorial/first_transfer.md uses it")
