"""A chain of one's own in this process: embedded Bitcoin that mines, a sequencer, other nodes on demand.

Reads: a folder, options.  Gives: `Devnet`.
Never: is anything but regtest; its keys are known to everybody.  Spec: docs/spec/node.md#devnet
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from bedroll.bitcoin.client import BitcoinClient
from bedroll.bitcoin.embedded import EmbeddedClient
from bedroll.bitcoin.header import Header
from bedroll.bitcoin.wallet import Branch, Keyring, SingleKeyring
from bedroll.bitcoin.wallet.key import script_of
from bedroll.crypto import tagged_hash
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.da.envelope import Carrier
from bedroll.da.writer import RatePolicy
from bedroll.execution.genesis import Genesis, GenesisAccount
from bedroll.primitives import COIN, WEI_PER_SATOSHI, Address, BlockHash, L1Height, Misconfigured, Wei
from bedroll.protocol import REGTEST
from bedroll.sdk.account import Account
from bedroll.sdk.mnemonic import DEVNET_MNEMONIC, accounts_of
from bedroll.sequencer.policy import BatchPolicy
from bedroll.sequencer.service import SequencerOption

from .service import LeaderSetup, Node

MATURE_BLOCKS: Final = 120
"""Mined first, so that twenty coinbases can be spent."""
ORIGIN_BLOCKS_HIGH: Final = 3_000
"""L2 blocks with one origin at which a devnet mines an L1 block, before the 3,600 are used."""
_GENESIS_FILE: Final = "genesis.json"
_MNEMONIC_WORDS: Final = (12, 15, 18, 21, 24)


def devnet_key(name: str) -> SecretKey:
    """A devnet's key by its name: the same everywhere, a secret nowhere."""
    return SecretKey(tagged_hash("bedroll/devnet", name.encode()))


@dataclass(frozen=True, slots=True, kw_only=True)
class DevnetOption:
    """How a devnet behaves.

    Attributes:
        accounts: Funded accounts.
        mnemonic: Their words; those every development node uses, unless told otherwise.
        balance_btc: Of each at genesis.
        mine_seconds: Between L1 blocks; 0: only when asked.
        sequencer: Of the leader.
        rates: What the leader pays on Bitcoin.
        carrier: Form of its envelopes.
        archive: Whether the state of every block is kept, so that all of them can be traced.
        keep_blocks: Newest blocks whose state is kept otherwise.
        circuit: Key of a Groth16 circuit of one's own; empty: the published ceremony's.
        sync: Whether stores wait for the disk.
    """

    accounts: int = 20
    mnemonic: str = DEVNET_MNEMONIC
    balance_btc: int = 10_000
    mine_seconds: float = 10.0
    sequencer: SequencerOption = field(
        default_factory=lambda: SequencerOption(batch=BatchPolicy(age_seconds=15.0), stream_port=0)
    )
    rates: RatePolicy = field(default_factory=RatePolicy)
    carrier: Carrier = Carrier.BRANCH
    archive: bool = False
    keep_blocks: int = 0
    circuit: bytes = b""
    sync: bool = True


class Devnet:
    """A running devnet.

    Attributes:
        client: Its Bitcoin.
        node: Its sequencer.
        genesis: What names its chain.
        accounts: Funded ones.
        folder: Everything lies in it.
    """

    def __init__(
        self, client: BitcoinClient, node: Node, genesis: Genesis, accounts: list[Account], folder: Path,
        option: DevnetOption,
    ) -> None:  # fmt: skip
        self.client = client
        self.node = node
        self.genesis = genesis
        self.accounts = accounts
        self.folder = folder
        self.option = option

    async def run(self) -> None:
        """Make blocks and mine until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.node.run(), name="sequencer")
            group.create_task(self._mine_on(), name="miner")

    async def mine(self, count: int = 1) -> list[BlockHash]:
        """Mine L1 blocks."""
        return await self.node.mine(count)

    async def open_node(self, folder: Path, *, follow: bool = False) -> Node:
        """A second node on an empty or an old folder: from Bitcoin alone, or following the sequencer too."""
        url = ""
        if follow and self.node.sequencer is not None:
            url = f"http://127.0.0.1:{self.node.sequencer.stream.port}"
        return await Node.open(
            folder, self.genesis, self.client, follow_url=url, circuit=self.option.circuit, sync=self.option.sync
        )

    async def _mine_on(self) -> None:
        """Mine every so often, and before an origin runs out of blocks."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self.option.mine_seconds
        step_seconds = 0.05 if self.option.sequencer.block_time_seconds == 0 else 0.25
        while True:
            await asyncio.sleep(step_seconds)
            full = self.node.origin_blocks() >= ORIGIN_BLOCKS_HIGH
            if full or (self.option.mine_seconds and loop.time() >= due):
                # As many as it takes for the next origin to be deep enough.
                await self.mine(1)
                due = loop.time() + self.option.mine_seconds


@asynccontextmanager
async def open_devnet(
    folder: Path, option: DevnetOption | None = None, *, client: BitcoinClient | None = None,
    clock: Callable[[], float] = time.time, state: Mapping[Address, GenesisAccount] | None = None,
) -> AsyncIterator[Devnet]:  # fmt: skip
    """Open a devnet in a folder, or make one there; `run` it to have blocks.

    Args:
        folder: Everything lies in it; opening it again goes on where it was.
        option: How it behaves.
        client: A regtest Bitcoin of the caller's; without it an embedded one lies in the folder.
        clock: The sequencer's.
        state: Accounts of another chain that a new devnet begins with.

    Raises:
        Misconfigured: A state for a folder that holds a chain, or a chain with other accounts.
    """
    option = option or DevnetOption()
    bitcoin = client if client is not None else await EmbeddedClient.open(folder / "bitcoin")
    try:
        accounts = accounts_of(checked_mnemonic(option.mnemonic), option.accounts)
        keyring = SingleKeyring(devnet_key("wallet"))
        genesis = await _genesis(folder, bitcoin, keyring, accounts, option, state or {})
        leader = LeaderSetup(
            key=devnet_key("leader"),
            keyring=keyring,
            option=option.sequencer,
            rates=option.rates,
            wallet_start=L1Height(1),
            carrier=option.carrier,
        )
        node = await Node.open(
            folder / "sequencer", genesis, bitcoin, leader=leader, sync=option.sync, clock=clock,
            archive=option.archive, keep_blocks=option.keep_blocks, circuit=option.circuit,
        )  # fmt: skip
        try:
            yield Devnet(bitcoin, node, genesis, accounts, folder, option)
        finally:
            await node.close()
    finally:
        if client is None:
            await bitcoin.close()


async def _genesis(
    folder: Path, bitcoin: BitcoinClient, keyring: Keyring, accounts: list[Account], option: DevnetOption,
    state: Mapping[Address, GenesisAccount],
) -> Genesis:  # fmt: skip
    """The devnet's genesis: of the folder, or made upon a fresh Bitcoin chain."""
    file = folder / _GENESIS_FILE
    if file.exists():
        if state:
            raise Misconfigured(
                "the folder holds a chain already", option="folder", value=str(folder), allowed="an empty one"
            )
        return _kept(Genesis.from_json(file.read_bytes()), accounts, folder)
    script = script_of(keyring.key(Branch.RECEIVE, 0))
    await bitcoin.mine(MATURE_BLOCKS, script)
    anchor = await bitcoin.tip()
    header = Header.parse((await bitcoin.header(anchor.hash))[0])
    balance = Wei(option.balance_btc * COIN * WEI_PER_SATOSHI)
    genesis = Genesis(
        network=REGTEST,
        anchor_height=anchor.height,
        anchor_hash=anchor.hash,
        timestamp=header.time,
        leader_key=devnet_key("leader").x_only,
        rotation_key=devnet_key("rotation").x_only,
        upgrade_key=devnet_key("upgrade").x_only,
        fee_recipient=accounts[0].address,
        balances={account.address: balance for account in accounts},
        accounts=state,
    )
    # The first origin must be deep enough before there can be a block.
    await bitcoin.mine(REGTEST.parameters.finality_depth + 1, script)
    folder.mkdir(parents=True, exist_ok=True)
    aside = file.with_suffix(".new")
    aside.write_text(genesis.to_json())
    aside.replace(file)
    return genesis


def _kept(genesis: Genesis, accounts: list[Account], folder: Path) -> Genesis:
    """A genesis that was made earlier.

    Raises:
        Misconfigured: It did not fund these accounts.
    """
    if any(account.address not in genesis.balances for account in accounts):
        funded = f"the {len(genesis.balances)} accounts that this folder was made with, or another folder"
        raise Misconfigured(
            f"the chain in {folder} has other accounts", option="devnet.mnemonic", value="(other)", allowed=funded
        )
    return genesis


def checked_mnemonic(words: str) -> str:
    """Words as they are, if their number can be one of BIP-0039: a word too few would be other keys, silently.

    Raises:
        Misconfigured: It cannot.
    """
    count = len(words.split())
    if count not in _MNEMONIC_WORDS or not all(word.isalpha() for word in words.split()):
        allowed = f"{', '.join(str(each) for each in _MNEMONIC_WORDS)} words"
        raise Misconfigured("not a mnemonic", option="devnet.mnemonic", value=f"{count} words", allowed=allowed)
    return words


def with_block_time(option: DevnetOption, seconds: float) -> DevnetOption:
    """The same devnet with another block time."""
    return replace(option, sequencer=replace(option.sequencer, block_time_seconds=seconds))
