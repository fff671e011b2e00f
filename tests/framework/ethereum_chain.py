"""The chain of the recorded rpc-compat conversations, imported through the core, as a backend of the API.

Reads: tests/vectors/execution-apis.  Gives: `Vectors`, `EthereumChain`.
"""

import asyncio
import json
import tarfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import rlp
import zstandard
from rlp.codec import consume_item

from bedroll.api.port import PoolStatus, TransactionsPending
from bedroll.execution.engine import (
    Engine,
    Sidecar,
    Transaction,
    View,
    decode_blob_transaction,
    decode_transaction,
)
from bedroll.execution.fee import FeeRule
from bedroll.execution.mempool import Mempool, add_blobs
from bedroll.primitives import Address, Hash32
from bedroll.protocol import REGTEST, Network
from tests.framework.seal_chain import SealChain

ARCHIVE = Path(__file__).parents[1] / "vectors/execution-apis/execution-apis_033ca6e6.tar.zst"
# A fork that changes nothing that is executed stands with the rules that go on: it counts in the chain's fork id.
HEIGHT_FORKS = (
    ("homesteadBlock", "Homestead"),
    ("eip150Block", "Tangerine"),
    ("eip155Block", "Spurious"),
    ("byzantiumBlock", "Byzantium"),
    ("constantinopleBlock", "Petersburg"),
    ("petersburgBlock", "Petersburg"),
    ("istanbulBlock", "Istanbul"),
    ("muirGlacierBlock", "Istanbul"),
    ("berlinBlock", "Berlin"),
    ("londonBlock", "London"),
    ("arrowGlacierBlock", "London"),
    ("grayGlacierBlock", "London"),
    ("mergeNetsplitBlock", "Merge"),
)
TIME_FORKS = (("shanghaiTime", "Shanghai"), ("cancunTime", "Cancun"), ("pragueTime", "Prague"), ("osakaTime", "Osaka"))
STATE_ROOT = bytes.fromhex("dc43f460541a253c0f64b6943ef83fa3bd601699a255622f088d46f7fde359fc")
"""Of block 0, as `eth_getBlockByNumber/get-genesis` has it; the core computes it and compares."""
BLOB_TIMES = ("cancun", "prague", "osaka", "bpo1", "bpo2")


@dataclass
class Exchange:
    """What a client sent and was answered."""

    request: dict[str, Any]
    response: dict[str, Any]


@dataclass
class Conversation:
    """One recorded file."""

    name: str
    schema_only: bool
    exchanges: list[Exchange] = field(default_factory=list)


@dataclass
class Vectors:
    """The archive, unpacked in memory."""

    files: dict[str, bytes]

    @classmethod
    def read(cls) -> "Vectors":
        """Unpack the archive."""
        reader = zstandard.ZstdDecompressor(max_window_size=1 << 27)
        files = {}
        with (
            ARCHIVE.open("rb") as packed,
            reader.stream_reader(packed) as stream,
            tarfile.open(fileobj=stream, mode="r|") as archive,
        ):
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None:
                    files[member.name.removeprefix("./")] = content.read()
        return cls(files)

    @property
    def genesis(self) -> dict[str, Any]:
        """geth's genesis file."""
        return json.loads(self.files["tests/genesis.json"])

    def blocks(self) -> list[bytes]:
        """Blocks 1, 2, … in RLP."""
        chain, blocks, at = self.files["tests/chain.rlp"], [], 0
        while at < len(chain):
            *_, end = consume_item(chain, at)
            blocks.append(chain[at:end])
            at = end
        return blocks

    def conversations(self) -> list[Conversation]:
        """All of them but those of the engine API, by name."""
        found = []
        for path, content in sorted(self.files.items()):
            if not path.endswith(".io"):
                continue
            text = content.decode()
            talk = Conversation(path.removeprefix("tests/").removesuffix(".io"), "speconly" in text)
            pending = None
            for line in text.splitlines():
                if line.startswith(">> "):
                    pending = json.loads(line[3:])
                elif line.startswith("<< ") and pending is not None:
                    talk.exchanges.append(Exchange(pending, json.loads(line[3:])))
            found.append(talk)
        return found


def genesis_header(genesis: dict[str, Any], state_root: bytes) -> bytes:
    """Block 0's header in RLP, in the form it had before London."""
    number = lambda name: int(genesis[name], 16)  # noqa: E731
    raw = lambda name: bytes.fromhex(genesis[name][2:])  # noqa: E731
    empty_trie = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
    no_uncles = bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347")
    fields = [
        raw("parentHash"), no_uncles, raw("coinbase"), state_root, empty_trie, empty_trie, bytes(256),
        number("difficulty"), number("number"), number("gasLimit"), number("gasUsed"), number("timestamp"),
        raw("extraData"), raw("mixHash"), number("nonce").to_bytes(8, "big"),
    ]  # fmt: skip
    return rlp.encode(fields)


def core_genesis(genesis: dict[str, Any], state_root: bytes) -> str:
    """geth's genesis as the core reads it."""
    config = genesis["config"]
    nobody = "0x" + "00" * 20
    blobs = [
        {
            "time": config[f"{name}Time"],
            "target": config["blobSchedule"][name]["target"],
            "max": config["blobSchedule"][name]["max"],
            "update_fraction": config["blobSchedule"][name]["baseFeeUpdateFraction"],
        }
        for name in BLOB_TIMES
    ]
    return json.dumps(
        {
            "config": {
                "chain_id": config["chainId"],
                "network": 0,
                "profile": "ethereum",
                "block_gas_limit": int(genesis["gasLimit"], 16),
                **dict.fromkeys(("forced_gas_limit", "forced_message_gas_limit", "forced_gas_min"), 0),
                **dict.fromkeys(("forced_size_max", "max_origin_lag", "second_blocks_max", "origin_blocks_max"), 0),
                "transfer_bytes": 0,
                **dict.fromkeys(("base_fee_vault", "tip_vault", "light_client", "address_book"), nobody),
                "anchor": {"height": 0, "hash": "0x" + "00" * 32},
                "l1_rate": 0,
            },
            "timestamp": int(genesis["timestamp"], 16),
            "base_fee": 0,
            "alloc": {
                "0x" + address.removeprefix("0x"): {
                    "balance": account.get("balance", "0x0"),
                    "nonce": account.get("nonce", "0x0"),
                    "code": account.get("code", ""),
                    "storage": account.get("storage") or {},
                }
                for address, account in genesis["alloc"].items()
            },
            "ethereum": {
                "header": "0x" + genesis_header(genesis, state_root).hex(),
                "forks": [{"name": name, "height": config[key]} for key, name in HEIGHT_FORKS]
                + [{"name": name, "time": config[key]} for key, name in TIME_FORKS],
                "blobs": blobs,
                "deposit_contract": config["depositContractAddress"],
            },
        }
    )


@dataclass
class EthereumChain(SealChain):
    """That chain behind the API's port: nothing is ever sealed on top, what is sent waits in a mempool."""

    network: Network = REGTEST
    manual: bool = True
    pool: Mempool = field(init=False)

    def __post_init__(self) -> None:
        self.pool = Mempool(self.network.chain_id)

    @classmethod
    def of(cls, vectors: Vectors, folder: Path) -> "EthereumChain":
        """Import the chain into an empty folder."""
        genesis = vectors.genesis
        blocks = vectors.blocks()
        core = core_genesis(genesis, STATE_ROOT)
        engine = Engine.open(str(folder / "chain"), core, map_size_bytes=1 << 30, sync=False)
        for raw in blocks:
            engine.import_block(raw)
        tip = engine.tip().number
        network = replace(REGTEST, chain_id=genesis["config"]["chainId"])
        return cls(engine, [], network=network, safe=tip, finalized=tip)

    def fee(self) -> FeeRule:
        """Of the next block."""
        return FeeRule(self.engine.next_base_fee(), 0, 0)

    def decode(self, raw: bytes, view: View) -> Transaction:
        """Any signed transaction; one with blobs in the form that wallets hand in."""
        if raw[:1] != b"\x03":
            return decode_transaction(raw)
        return decode_blob_transaction(raw, view, self.pool.limit.transaction_bytes)[0]

    async def send_transaction(self, raw: bytes) -> Hash32:
        """Take a signed transaction, with its blobs beside it where it has any."""
        view, fee = self.engine.view(), self.fee()
        if raw[:1] == b"\x03":
            transaction = await asyncio.to_thread(add_blobs, self.pool, raw, view, fee)
        else:
            transaction = self.decode(raw, view)
            self.pool.add(transaction, view, fee)
        self.tell(TransactionsPending([transaction]))
        return Hash32(transaction.hash)

    def pending_nonce(self, sender: Address) -> int:
        """Next nonce after what waits."""
        return self.pool.next_nonce(sender, self.engine.view())

    def pool_status(self) -> PoolStatus:
        """Counts of what waits."""
        return PoolStatus(*self.pool.count(), self.pool.size_bytes)

    def pool_transaction(self, hash: Hash32) -> Transaction | None:
        """A transaction that waits."""
        return self.pool.get(hash)

    def pool_sidecar(self, hash: Hash32) -> Sidecar | None:
        """What stands beside it."""
        return self.pool.sidecar(hash)

    def pool_account(self, sender: Address) -> tuple[list[Transaction], list[Transaction]]:
        """What waits of one sender."""
        return self.pool.account(sender)

    def pool_senders(self, first: Address, count: int) -> list[Address]:
        """Senders of what waits, in order."""
        return self.pool.senders(first, count)

    def pool_content(self) -> dict[Address, tuple[list[Transaction], list[Transaction]]]:
        """What waits, by sender."""
        return self.pool.content()
