"""`bedroll sequencer`: lead a chain. `--init` makes keys and genesis of a new one.

Reads: options, key files, the genesis file.  Gives: `command`.
Never: leads with a key that it cannot keep to itself.  Spec: docs/spec/cli.md#sequencer
"""

import logging
import os
from pathlib import Path
from typing import Final

import click

from bedroll.bitcoin.address import encode_address
from bedroll.bitcoin.header import Header
from bedroll.bitcoin.wallet import Branch, SeedKeyring
from bedroll.bitcoin.wallet.key import script_of
from bedroll.config import Config, read_key, write_key
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.execution.genesis import Genesis
from bedroll.node.batch_cycles import ProofLimit
from bedroll.node.service import LeaderSetup
from bedroll.primitives import COIN, WEI_PER_SATOSHI, Address, Invalid, L1Height, Misconfigured, Wei
from bedroll.protocol import network_named
from bedroll.prover.executor import find_executor

from .bitcoin import open_bitcoin
from .devnet import carrier, rate_policy, sequencer_option
from .node import read_genesis, serve_node
from .prover import program_of
from .run import Context, declare, run_once, run_service

_SECTIONS: Final = (
    "network", "folder", "genesis", "circuit", "bitcoin", "rpc", "sequencer", "mempool", "history", "log",
    "prover.program", "prover.executor", "prover.cycles_max",
)  # fmt: skip
_LOG: Final = logging.getLogger("bedroll.cli")
_KEYS: Final = ("leader", "rotation", "upgrade", "wallet")


@declare("sequencer", *_SECTIONS)
@click.option("--init", is_flag=True, help="Make keys and genesis of a new chain in the folder, then stop.")
@click.option("--fund", multiple=True, metavar="ADDRESS=BTC", help="With --init: a balance at genesis; may repeat.")
def command(context: Context, flags: dict[str, object], *, init: bool, fund: tuple[str, ...]) -> None:
    """Lead the chain: take transactions, make blocks, post batches. Ctrl-C ends it."""
    config = context.load(flags)
    if init:
        context.output.result(run_once(_make_chain(config, fund)), title="new chain")
        context.output.warn("keep the rotation and upgrade keys away from this machine")
        context.output.hint("pay some coins to the wallet's address, then `bedroll sequencer`")
        return
    genesis = read_genesis(config)
    secrets = {name: read_key(_key_file(config, name), name, config.key_password) for name in ("leader", "wallet")}
    leader = LeaderSetup(
        key=SecretKey(secrets["leader"]),
        keyring=SeedKeyring(secrets["wallet"], genesis.network),
        option=sequencer_option(config),
        rates=rate_policy(config),
        wallet_start=L1Height(genesis.anchor_height),
        carrier=carrier(config),
        proof_limit=proof_limit(config),
    )
    run_service(lambda stop: serve_node(context.output, config, stop, leader=leader))


def proof_limit(config: Config) -> ProofLimit | None:
    """How long the batches of a leader who posts without signatures may be; None where they cannot be counted."""
    if config.sequencer.form != "proven":
        return None
    executor = find_executor(config.prover.executor)
    if executor is None:
        _LOG.warning("batches are not cut by their cycles: there is no executor", extra={"option": "prover.executor"})
        return None
    return ProofLimit(executor=executor, program=program_of(config), cycles_max=config.prover.cycles_max)


async def _make_chain(config: Config, fund: tuple[str, ...]) -> dict[str, object]:
    """Keys, and a genesis whose anchor is Bitcoin's newest final block."""
    network = network_named(config.network)
    file = config.genesis or config.folder / "genesis.json"
    if file.exists():
        text = "there is a chain here already"
        raise Misconfigured(text, option="genesis", value=file, allowed="a file that does not exist")
    balances = dict(_parse_balance(each) for each in fund)
    async with open_bitcoin(config) as client:
        tip = await client.tip()
        height = L1Height(max(0, tip.height - network.parameters.finality_depth))
        anchor = await client.block_hash(height)
        if anchor is None:
            raise Invalid("Bitcoin has no block at the anchor's height", height=height)
        header = Header.parse((await client.header(anchor))[0])
    secrets = {name: os.urandom(32) for name in _KEYS}
    genesis = Genesis(
        network=network,
        anchor_height=height,
        anchor_hash=anchor,
        timestamp=header.time,
        leader_key=SecretKey(secrets["leader"]).x_only,
        rotation_key=SecretKey(secrets["rotation"]).x_only,
        upgrade_key=SecretKey(secrets["upgrade"]).x_only,
        fee_recipient=next(iter(balances), Address(bytes(20))),
        balances=balances,
    )
    for name, secret in secrets.items():
        write_key(_key_file(config, name), name, secret, config.key_password)
    file.write_text(genesis.to_json())
    script = script_of(SeedKeyring(secrets["wallet"], network).key(Branch.RECEIVE, 0))
    return {
        "genesis": str(file),
        "anchor_height": height,
        "leader_key": genesis.leader_key.hex(),
        "keys": str(_key_file(config, "leader").parent),
        "wallet_address": encode_address(script, network),
    }


def _key_file(config: Config, name: str) -> Path:
    return config.folder / "keys" / f"{name}.json"


def _parse_balance(text: str) -> tuple[Address, Wei]:
    address, _, amount = text.partition("=")
    try:
        raw, btc = bytes.fromhex(address.removeprefix("0x")), int(amount)
    except ValueError:
        raw, btc = b"", 0
    if len(raw) != 20 or not 0 < btc <= 21_000_000:
        raise Misconfigured("a balance cannot be this", option="fund", value=text, allowed="ADDRESS=BTC, whole bitcoin")
    return Address(raw), Wei(btc * COIN * WEI_PER_SATOSHI)
