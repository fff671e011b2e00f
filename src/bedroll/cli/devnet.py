"""`bedroll devnet`: a chain of one's own, on its own Bitcoin, with funded keys.

Reads: options.  Gives: `command`, `devnet_option`.
Never: is reachable from elsewhere unless told: everybody knows its keys.  Spec: docs/spec/cli.md#devnet
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bedroll.api import Server
from bedroll.api.port import BlockAdded, BlockRemoved
from bedroll.bitcoin.address import decode_address
from bedroll.bitcoin.embedded import EmbeddedClient
from bedroll.bitcoin.server import RpcServer
from bedroll.bitcoin.transaction import TxOut
from bedroll.config import Config, Source
from bedroll.da.envelope import Carrier
from bedroll.da.writer import RatePolicy
from bedroll.execution.mempool import PoolLimit
from bedroll.node.devnet import Devnet, DevnetOption, open_devnet
from bedroll.primitives import L2Height, Satoshi, Unavailable
from bedroll.sdk import DEVNET_MNEMONIC, checksum_address
from bedroll.sequencer.policy import BatchPolicy
from bedroll.sequencer.service import SequencerOption

from .output import Output
from .run import Context, declare, run_service
from .serve import run_until, serving

_SECTIONS: Final = ("folder", "rpc", "sequencer", "mempool", "devnet", "log", "bitcoin.serve_port")
_DEFAULTS: Final = {
    "sequencer.batch_age_seconds": 15.0,
    "sequencer.stream_port": 0,
    "bitcoin.serve_port": 0,
    "log.level": "warning",
}
"""A devnet begins anew each time unless a folder is given, and posts often."""


@declare("devnet", *_SECTIONS)
def command(context: Context, flags: dict[str, object]) -> None:
    """A chain of your own with funded keys, on its own Bitcoin. Ctrl-C ends it.

    It begins anew each time, unless --folder says where to keep it.
    """
    config = context.load(flags, dict(_DEFAULTS))
    is_kept = context.sources["folder"] is not Source.DEFAULT
    with ExitStack() as stack:
        if not is_kept:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bedroll-devnet-"))
            config = replace(config, folder=Path(folder))
        run_service(lambda stop: _serve(context.output, config, stop, is_kept=is_kept))


async def _serve(output: Output, config: Config, stop: asyncio.Event, *, is_kept: bool) -> None:
    client = await EmbeddedClient.open(config.folder / "bitcoin")
    bitcoin = RpcServer(client, config.folder / "bitcoin.cookie")
    try:
        await bitcoin.start(port=config.bitcoin.serve_port)
        async with open_devnet(config.folder, devnet_option(config), client=client) as devnet:
            accounts = {account.address: account for account in devnet.accounts}
            async with serving(devnet.node, config.rpc, accounts, _faucet(devnet)) as server:
                _welcome(output, devnet, server, bitcoin, is_kept=is_kept)
                lines = asyncio.create_task(_block_lines(output, devnet))
                try:
                    await run_until(devnet.run(), stop)
                finally:
                    lines.cancel()
                    await asyncio.gather(lines, return_exceptions=True)
                output.say("stopped")
    finally:
        await bitcoin.stop()
        await client.close()


def _faucet(devnet: Devnet) -> Callable[[str, int], Awaitable[bytes]]:
    """Pays from the leader's coins."""

    async def pay(address: str, amount_sat: int) -> bytes:
        wallet = devnet.node.wallet
        if wallet is None:
            raise Unavailable("the devnet has no wallet")
        output = TxOut(Satoshi(amount_sat), decode_address(address, devnet.node.network))
        payment = wallet.pay([output], await devnet.client.fee_rate(1), purpose="faucet")
        await devnet.client.broadcast([payment.transaction.raw])
        return payment.transaction.txid

    return pay


def devnet_option(config: Config) -> DevnetOption:
    """The options as the devnet takes them."""
    return DevnetOption(
        accounts=config.devnet.accounts,
        balance_btc=config.devnet.balance_btc,
        mine_seconds=config.devnet.mine_seconds,
        sequencer=sequencer_option(config),
        rates=rate_policy(config),
        carrier=carrier(config),
    )


def sequencer_option(config: Config) -> SequencerOption:
    """The options as the sequencer takes them."""
    chosen = config.sequencer
    return SequencerOption(
        block_time_seconds=chosen.block_time_seconds,
        batch=BatchPolicy(
            age_seconds=chosen.batch_age_seconds,
            size_bytes=chosen.batch_bytes,
            fee_rate_high=chosen.fee_rate_high,
            age_high_seconds=chosen.batch_age_high_seconds,
            commitments=chosen.commitments,
        ),
        pool=PoolLimit(
            size_bytes=config.mempool.size_bytes,
            account_count=config.mempool.account_count,
            tip_min_wei=config.mempool.tip_min_wei,
        ),
        stream_host=chosen.stream_host,
        stream_port=chosen.stream_port,
        resume_above=None if chosen.resume_above is None else L2Height(chosen.resume_above),
    )


def rate_policy(config: Config) -> RatePolicy:
    """What the leader pays on Bitcoin at most."""
    return RatePolicy(cap=1_000 * config.sequencer.fee_rate_max)


def carrier(config: Config) -> Carrier:
    """Form of the leader's envelopes."""
    return Carrier[config.sequencer.carrier.upper()]


def _welcome(output: Output, devnet: Devnet, server: Server, bitcoin: RpcServer, *, is_kept: bool) -> None:
    """Say all that a wallet or a script needs."""
    chain_id = devnet.node.network.chain_id
    if output.as_json:
        output.line(
            {
                "rpc": server.url,
                "chainId": chain_id,
                "mnemonic": DEVNET_MNEMONIC,
                "accounts": [
                    {"address": checksum_address(one.address), "key": "0x" + one.secret.hex()}
                    for one in devnet.accounts
                ],
                "bitcoin": {"url": bitcoin.url, "cookie": str(bitcoin.cookie)},
                "folder": str(devnet.folder),
            }
        )
        return
    output.say("Accounts", style="bold")
    balance = f"{devnet.option.balance_btc:,} BTC"
    for number, account in enumerate(devnet.accounts):
        output.say(f"({number}) {checksum_address(account.address)} ({balance})")
    output.say("\nPrivate keys", style="bold")
    for number, account in enumerate(devnet.accounts):
        output.say(f"({number}) 0x{account.secret.hex()}")
    output.warn("everybody knows these keys; never pay to them on another chain")
    if not _is_loopback(server.url):
        output.warn("others can reach this devnet and spend from its accounts")
    output.say(f"\nMnemonic  {DEVNET_MNEMONIC}\nPath      m/44'/60'/0'/0/")
    output.say(f"\nChain id  {chain_id}\nRPC       {server.url} (HTTP and WebSocket)", style="bold")
    output.say(f"Bitcoin   {bitcoin.url} (JSON-RPC, cookie {bitcoin.cookie})")
    if is_kept:
        output.say(f"Folder    {devnet.folder}")
    output.hint(f"cast send --rpc-url {server.url} --private-key 0x{devnet.accounts[0].secret.hex()} …\n")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _block_lines(output: Output, devnet: Devnet) -> None:
    """One line for each block."""
    async for event in devnet.node.subscribe():
        if isinstance(event, BlockAdded | BlockRemoved):
            block = event.block
            header, count = block.header, len(block.transactions) - block.forced_count
            facts = {
                "block": header.number,
                "hash": "0x" + header.hash.hex(),
                "transactions": count,
                "gas": header.gas_used,
                "origin": block.origin_height,
                "forced": len(block.forced),
                "removed": isinstance(event, BlockRemoved),
            }
            if output.as_json:
                output.line(facts)
            elif isinstance(event, BlockRemoved):
                output.say(f"block {header.number} left the chain", style="yellow")
            elif count or block.forced or block.origin_step:
                forced = f"  {len(block.forced)} forced" if block.forced else ""
                output.say(
                    f"block {header.number:>6}  {count:>5} transactions  {header.gas_used:>10,} gas  "
                    f"origin {block.origin_height}{forced}  0x{header.hash.hex()[:16]}…"
                )
