"""A user's own coins and postings: one file in the folder, and the Bitcoin node beside it.

Reads: the key file and the wallet's file in the folder.  Gives: `Purse`, `open_purse`, `make_purse`.
Never: shares its file with a running sequencer, which has a wallet of its own.  Spec: docs/spec/cli.md#wallet
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bedroll.bitcoin.client import BitcoinClient
from bedroll.bitcoin.wallet import SeedKeyring, Wallet, follow
from bedroll.config import Config, read_key, write_key
from bedroll.crypto import tagged_hash
from bedroll.da.writer import SCHEMA, Queue, Writer
from bedroll.primitives import Misconfigured
from bedroll.protocol import network_named
from bedroll.storage import Database

from .bitcoin import open_bitcoin

KEY_KIND: Final = "wallet"


@dataclass(frozen=True, slots=True)
class Purse:
    """An open wallet at the tip of its Bitcoin node."""

    client: BitcoinClient
    wallet: Wallet
    writer: Writer


def folder_of(config: Config) -> Path:
    """Where key and wallet lie."""
    return config.folder / "wallet"


async def make_purse(config: Config) -> None:
    """Make a seed and a wallet that begins at the tip.

    Raises:
        Misconfigured: There is one already.
    """
    async with open_bitcoin(config) as client:
        tip = await client.tip()
        seed = os.urandom(32)
        write_key(folder_of(config) / "seed.json", KEY_KIND, seed, config.key_password)
        wallet, _, database = _open_wallet(config, seed)
        try:
            await follow(wallet, client, tip.height)
        finally:
            database.close()


@asynccontextmanager
async def open_purse(config: Config) -> AsyncIterator[Purse]:
    """Open the wallet and bring it to the tip.

    Raises:
        Misconfigured: There is none; the message says how to make one.
        Unavailable: Bitcoin does not answer, or another process has the wallet open.
    """
    file = folder_of(config) / "seed.json"
    if not file.exists():
        text = "there is no wallet here: make one by `bedroll wallet new`"
        raise Misconfigured(text, option="folder", value=config.folder, allowed="a folder with a wallet")
    seed = read_key(file, KEY_KIND, config.key_password)
    async with open_bitcoin(config) as client:
        wallet, queue, database = _open_wallet(config, seed)
        try:
            tip = await client.tip()
            await follow(wallet, client, tip.height)
            secret = tagged_hash("bedroll/envelope-keys", seed)
            yield Purse(
                client, wallet, Writer(client, wallet, queue, network_named(config.network), secret, start=tip.height)
            )
        finally:
            database.close()


def _open_wallet(config: Config, seed: bytes) -> tuple[Wallet, Queue, Database]:
    database = Database.open(folder_of(config) / "wallet.sqlite", SCHEMA)
    return Wallet(database, SeedKeyring(seed, network_named(config.network))), Queue(database), database
