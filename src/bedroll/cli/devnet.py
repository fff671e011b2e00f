"""`bedroll devnet`: a chain of one's own, on its own Bitcoin, with funded keys.

Reads: options.  Gives: `command`, `devnet_option`.
Never: is reachable from elsewhere unless told: everybody knows its keys.  Spec: docs/spec/cli.md#devnet
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click

from bedroll.api import Server
from bedroll.bitcoin.address import decode_address
from bedroll.bitcoin.embedded import EmbeddedClient
from bedroll.bitcoin.server import RpcServer
from bedroll.bitcoin.transaction import TxOut
from bedroll.config import Config, Source
from bedroll.da import BatchForm
from bedroll.da.envelope import Carrier
from bedroll.da.writer import RatePolicy
from bedroll.execution.genesis import GenesisAccount
from bedroll.execution.mempool import PoolLimit
from bedroll.node.devnet import Devnet, DevnetOption, open_devnet
from bedroll.node.snapshot import read_allocation
from bedroll.primitives import Address, Invalid, L2Height, Satoshi, Unavailable, Wei
from bedroll.sdk import checksum_address
from bedroll.sequencer.policy import BatchPolicy
from bedroll.sequencer.service import SequencerOption

from .artifact import Artifacts, read_artifacts
from .chronicle import Chronicle
from .db import parse_hash, reporting
from .node import circuit_of
from .output import Output
from .run import Context, declare, run_service
from .serve import need_port, run_until, serving

_SECTIONS: Final = (
    "folder", "circuit", "rpc", "sequencer", "mempool", "history", "devnet", "log", "bitcoin.serve_port",
)  # fmt: skip
_FORK_ROWS_MAX: Final = 1_000_000
"""Accounts and slots of a state that a genesis begins with; the core reads them as one text."""
_DEFAULTS: Final = {
    "sequencer.block_time_seconds": 0.0,
    "sequencer.batch_age_seconds": 15.0,
    "sequencer.stream_port": 0,
    "bitcoin.serve_port": 0,
    "history.mode": "archive",
    "log.level": "warning",
}
"""A devnet begins anew each time unless a folder is given; it seals a block for each transaction, keeps the state of
all of them, and posts often."""


@declare("devnet", *_SECTIONS)
@click.option("--silent", is_flag=True, help="Say nothing but warnings and errors; with --json the first line alone.")
@click.option(
    "--abi",
    "folders",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="JSON ABI or artifact, or a folder with such, to name calls by in the lines. May be given many times.",
)
@click.option(
    "--fork-from",
    "snapshot",
    type=click.Path(exists=True, path_type=Path, dir_okay=False),
    help="Begin with the state in a snapshot of another chain (`bedroll db export`); its blocks are not taken over.",
)
@click.option("--fork-block", "block", metavar="HASH", help="Newest block that the snapshot must have.")
def command(
    context: Context,
    flags: dict[str, object],
    *,
    silent: bool,
    folders: tuple[Path, ...],
    snapshot: Path | None,
    block: str | None,
) -> None:
    """A chain of your own with funded keys, on its own Bitcoin. Ctrl-C ends it.

    A block for each transaction as it comes; --block-time makes one every so often instead. It begins anew each time,
    unless --folder says where to keep it.
    """
    known = read_artifacts(folders, context.output)
    config = context.load(flags, dict(_DEFAULTS))
    need_port(config)
    is_kept = context.sources["folder"] is not Source.DEFAULT
    with ExitStack() as stack:
        if not is_kept:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bedroll-devnet-"))
            config = replace(config, folder=Path(folder))
        state = None if snapshot is None else read_state(context.output, snapshot, block, config.folder)
        run_service(
            lambda stop: _serve(context.output, config, stop, None if silent else known, state, is_kept=is_kept)
        )


def read_state(output: Output, snapshot: Path, block: str | None, folder: Path) -> dict[Address, GenesisAccount]:
    """The state in a snapshot, every root compared, as a genesis takes it.

    Raises:
        Invalid: The snapshot is none, is of another block, or its state is too large for a genesis.
    """
    wanted = None if block is None else parse_hash(block)
    folder.mkdir(parents=True, exist_ok=True)
    with reporting(output) as report:
        _head, entries = read_allocation(snapshot, folder, block_hash=wanted, report=report)
    rows = sum(1 + len(entry.storage) for entry in entries.values())
    if rows > _FORK_ROWS_MAX:
        raise Invalid("the state is too large to begin a chain with", accounts_and_slots=rows, limit=_FORK_ROWS_MAX)
    return {
        Address(address): GenesisAccount(
            balance=Wei(entry.balance), nonce=entry.nonce, code=entry.code, storage=entry.storage
        )
        for address, entry in entries.items()
    }


async def _serve(
    output: Output,
    config: Config,
    stop: asyncio.Event,
    known: Artifacts | None,
    state: dict[Address, GenesisAccount] | None,
    *,
    is_kept: bool,
) -> None:
    client = await EmbeddedClient.open(config.folder / "bitcoin")
    bitcoin = RpcServer(client, config.folder / "bitcoin.cookie")
    try:
        await bitcoin.start(port=config.bitcoin.serve_port)
        async with open_devnet(config.folder, devnet_option(config), client=client, state=state) as devnet:
            accounts = {account.address: account for account in devnet.accounts}
            async with serving(devnet.node, config, accounts, _faucet(devnet)) as server:
                if known is not None or output.as_json:
                    _welcome(output, devnet, server, bitcoin, is_kept=is_kept)
                async with _telling(output, devnet, known):
                    await run_until(devnet.run(), stop)
                if known is not None:
                    output.say("stopped")
    finally:
        await bitcoin.stop()
        await client.close()


@asynccontextmanager
async def _telling(output: Output, devnet: Devnet, known: Artifacts | None) -> AsyncIterator[None]:
    """Tell of blocks meanwhile, unless told to be silent."""
    if known is None:
        yield
        return
    chronicle = Chronicle(output, devnet.node.engine, known)
    telling = asyncio.create_task(chronicle.follow(devnet.node.subscribe), name="chronicle")
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


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
        mnemonic=config.devnet.mnemonic,
        balance_btc=config.devnet.balance_btc,
        mine_seconds=config.devnet.mine_seconds,
        archive=config.history.mode == "archive",
        keep_blocks=config.history.keep_blocks,
        circuit=circuit_of(config),
        sequencer=sequencer_option(config),
        rates=rate_policy(config),
        carrier=carrier(config),
    )


def sequencer_option(config: Config) -> SequencerOption:
    """The options as the sequencer takes them."""
    chosen = config.sequencer
    return SequencerOption(
        block_time_seconds=chosen.block_time_seconds,
        manual=config.devnet.no_mining,
        batch=BatchPolicy(
            age_seconds=chosen.batch_age_seconds,
            size_bytes=chosen.batch_bytes,
            fee_rate_high=chosen.fee_rate_high,
            age_high_seconds=chosen.batch_age_high_seconds,
            commitments=chosen.commitments,
            form=BatchForm[chosen.form.upper()],
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
                "mnemonic": devnet.option.mnemonic,
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
    output.say(f"\nMnemonic  {devnet.option.mnemonic}\nPath      m/44'/60'/0'/0/")
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
