"""`bedroll light`: know the chain from one proof and Bitcoin's headers, and read accounts through a node nobody trusts.

Reads: a proof file, the genesis file, headers, a node's answers.  Gives: `command`.
Never: shows what was not proved.  Spec: docs/spec/light.md
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from bedroll.bitcoin.work import WORK_RULES
from bedroll.config import Config
from bedroll.execution.genesis import Genesis
from bedroll.light import ProvedAccount, SettledView, view_of_proof
from bedroll.light.proof_file import FILE_BYTES_MAX, LATER_HEADERS_MAX, split_headers
from bedroll.node.proof_verifier import Sp1Verifier
from bedroll.primitives import Address, Hash32, Invalid, Misconfigured
from bedroll.protocol import Network
from bedroll.sdk import RpcClient, checksum_address
from bedroll.sdk.light_client import LightClient, ProvedReceipt

from .node import circuit_of, read_genesis
from .output import Output
from .run import QUIET, Context, declare, run_once

_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
_ANSWER_BYTES_MAX: Final = 64 << 20
_STALE_SECONDS: Final = 3 * 3_600
_SATOSHI_WEI: Final = 10**10
_BITCOIN_WEI: Final = 10**18


@declare("light", "network", "folder", "genesis", "circuit", "log")
@click.option("--proof", type=_FILE, help="Settlement proof file; without it the newest that the node gives.")
@click.option("--headers", type=_FILE, help="Bitcoin headers of your own: 80 bytes each, or hexadecimal lines.")
@click.option("--rpc", "url", envvar="BEDROLL_NODE_URL", help="Node to read from; it is not trusted.")
@click.option("--account", "accounts", multiple=True, metavar="ADDRESS", help="Show balance and nonce; may repeat.")
@click.option("--receipt", "receipts", multiple=True, metavar="HASH", help="Show a transaction's receipt; may repeat.")
@click.option("--save", type=click.Path(path_type=Path, dir_okay=False), help="Keep the checked proof in this file.")
def command(
    context: Context,
    flags: dict[str, object],
    *,
    proof: Path | None,
    headers: Path | None,
    url: str | None,
    accounts: tuple[str, ...],
    receipts: tuple[str, ...],
    save: Path | None,
) -> None:
    """Check a settlement proof against Bitcoin's headers, then read balances and receipts that it proves.

    It needs the chain's genesis file, which names the chain; no node is trusted, and none is needed for the check.
    """
    config = context.load(flags, QUIET)
    asked = [_parse(each, 20, "--account") for each in accounts], [_parse(each, 32, "--receipt") for each in receipts]
    if url is None and (proof is None or accounts or receipts):
        raise Misconfigured(
            "accounts, receipts and the newest proof are read from a node",
            option="--rpc",
            value=None,
            allowed="the address of any node; it is not trusted",
        )
    genesis = read_genesis(config)
    begun = time.perf_counter()
    raw = _read(proof) if proof is not None else run_once(_fetch(str(url)))
    fetched_seconds = time.perf_counter() - begun
    view = view_of_proof(
        raw,
        genesis,
        _verifier(config, genesis),
        headers=None if headers is None else _headers(headers),
        now_seconds=int(time.time()),
    )
    seconds = time.perf_counter() - begun - fetched_seconds
    shown = _show(view, seconds)
    if url is not None and (accounts or receipts):
        shown |= run_once(_ask(view, url, *asked))
    if save is not None:
        save.write_bytes(raw)
        shown["saved"] = str(save)
    context.output.result(shown, title=f"{genesis.network.name}, as Bitcoin proves it")
    _advise(context.output, genesis.network, view, proof or save, bool(accounts or receipts))


def _verifier(config: Config, genesis: Genesis) -> Sp1Verifier:
    return Sp1Verifier.of_network(genesis.network, circuit_of(config))


def _show(view: SettledView, seconds: float) -> dict[str, Any]:
    said, block, newest = view.statement, view.block, view.newest
    return {
        "bitcoin": {
            "settled": said.l1_height,
            "hash": said.l1_hash[::-1].hex(),
            "depth": view.depth,
            "final": view.is_final,
            "newest": newest.height,
            "newestHash": newest.hash[::-1].hex(),
            "newestTime": newest.time,
            "work": hex(view.work),
        },
        "block": {
            "number": block.number,
            "hash": "0x" + block.hash.hex(),
            "timestamp": block.timestamp,
            "stateRoot": "0x" + block.state_root.hex(),
            "origin": said.origin_height,
        },
        "proof": view.system.name.lower(),
        "seconds": round(seconds, 3),
    }


async def _fetch(url: str) -> bytes:
    async with RpcClient(url, answer_bytes_max=_ANSWER_BYTES_MAX) as node:
        found = await node.call("bedroll_getSettlementProof")
    if found is None:
        raise Invalid("the node has no settlement proof yet", url=url)
    text = found.get("file") if isinstance(found, dict) else None
    if not isinstance(text, str) or len(text) > 2 * FILE_BYTES_MAX + 2:
        raise Invalid("the node's answer holds no proof file", url=url, limit=FILE_BYTES_MAX)
    return _hex(text.removeprefix("0x"), "the node's proof file")


async def _ask(view: SettledView, url: str, accounts: Sequence[bytes], receipts: Sequence[bytes]) -> dict[str, object]:
    async with RpcClient(url, answer_bytes_max=_ANSWER_BYTES_MAX) as node:
        client = LightClient(view, node)
        shown: dict[str, object] = {}
        if accounts:
            found = [(each, await client.account(Address(each))) for each in accounts]
            shown["accounts"] = {checksum_address(each): _account(account) for each, account in found}
        if receipts:
            named = [(each, await client.receipt(Hash32(each))) for each in receipts]
            shown["receipts"] = {"0x" + each.hex(): _receipt(receipt) for each, receipt in named}
    return shown


def _account(account: ProvedAccount) -> dict[str, object]:
    whole, rest = divmod(account.balance, _BITCOIN_WEI)
    return {
        "balance": f"{whole}.{rest:018}".rstrip("0").rstrip(".") + " BTC",
        "wei": str(account.balance),
        "sat": account.balance // _SATOSHI_WEI,
        "nonce": account.nonce,
    }


def _receipt(receipt: ProvedReceipt | None) -> dict[str, object] | None:
    if receipt is None:
        return None
    return {
        "block": receipt.block.number,
        "index": receipt.index,
        "succeeded": receipt.succeeded,
        "logs": [
            {
                "address": checksum_address(log.address),
                "topics": ["0x" + topic.hex() for topic in log.topics],
                "data": "0x" + log.data.hex(),
            }
            for log in receipt.logs
        ],
    }


def _advise(output: Output, network: Network, view: SettledView, file: Path | None, has_asked: bool) -> None:
    if not view.is_final:
        lies = f"{view.depth} of {view.finality_depth} Bitcoin blocks lie upon the settled one"
        output.warn(f"{lies}: a reorganisation may undo it")
    if not WORK_RULES[network.bitcoin].fixed and time.time() - view.newest.time > _STALE_SECONDS:
        output.warn("the newest header is hours old: give newer ones by --headers")
    if not has_asked:
        kept = f"--proof {file} " if file is not None else ""
        output.hint(f"bedroll light {kept}--rpc URL --account 0x… reads a balance that this proves")
    elif file is None:
        output.hint("--save FILE keeps the proof: it can be checked again without a node")


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(FILE_BYTES_MAX + 1)


def _headers(path: Path) -> Sequence[bytes]:
    most = 80 * LATER_HEADERS_MAX
    with path.open("rb") as file:
        raw = file.read(2 * most + LATER_HEADERS_MAX + 1)
    text = raw.strip()
    if text and all(byte in b"0123456789abcdefABCDEF\r\n" for byte in text):
        raw = _hex(text.decode(), str(path))
    return split_headers(raw)


def _hex(text: str, what: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Invalid("not hexadecimal", what=what, characters=len(text)) from None


def _parse(text: str, size: int, option: str) -> bytes:
    try:
        raw = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raw = b""
    if len(raw) != size:
        raise Misconfigured("not hexadecimal of that size", option=option, value=text, allowed=f"0x and {size} bytes")
    return raw
