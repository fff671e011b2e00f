"""Genesis: what the first block holds, and the file that names a chain.

Reads: a network, an anchor on Bitcoin, keys, allocations.  Gives: the JSON the core opens a store with.
Never: takes a number that the network's parameters hold from anywhere else.  Spec: docs/spec/execution.md#genesis
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Final

import msgspec

from bedroll.primitives import Address, BlockHash, Invalid, L1Height, Wei
from bedroll.protocol import (
    ADDRESS_BOOK,
    BASE_FEE_VAULT,
    CREATE2_DEPLOYER,
    LIGHT_CLIENT,
    MULTICALL,
    SAFE_DEPLOYER,
    SINGLETON_FACTORY,
    TIP_VAULT,
    WRAPPED_BITCOIN,
    Network,
    network_named,
)

BASE_FEE_FIRST: Final = Wei(10**7)
"""Base fee of block 0, wei a gas; the floor of protocol.md 6 lifts it with the first origin."""
L1_RATE_FIRST: Final = 2_500_000_000
"""The rate "before" the first origin, wei a witness byte: 1 sat/vB."""

_BEACON_ROOTS: Final = (
    "000f3df6d732807ef1319fb7b8bb8522d0beac02",
    "3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff810690815414"
    "603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff015500",
)
"""Address and code of EIP-4788's contract."""
_HISTORY: Final = (
    "0000f90827f1c53a10cb7a02335b175320002935",
    "3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257"
    "611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500",
)
"""Address and code of EIP-2935's contract."""

_PREDEPLOYS: Final = (
    (LIGHT_CLIENT, "bitcoin_light_client"),
    (ADDRESS_BOOK, "address_book"),
    (BASE_FEE_VAULT, "fee_vault"),
    (TIP_VAULT, "fee_vault"),
    (WRAPPED_BITCOIN, "wrapped_bitcoin"),
)
_PREINSTALLS: Final = (
    (CREATE2_DEPLOYER, "create2_deployer"),
    (SAFE_DEPLOYER, "create2_deployer"),
    (SINGLETON_FACTORY, "singleton_factory"),
    (MULTICALL, "multicall3"),
)
"""What others put on a chain by transactions signed once for all chains. Here their gas limits may not cover the data
gas, and whoever sent one at the wrong time would spend its only nonce (docs/design/preinstalls.md)."""
_BEGUN_ANEW: Final = (LIGHT_CLIENT, ADDRESS_BOOK)
_VAULT_RECIPIENT_SLOT: Final = 0


_NOTHING: Final = Wei(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisAccount:
    """An account that a chain begins with: as it was on another chain."""

    balance: Wei = _NOTHING
    nonce: int = 0
    code: bytes = b""
    storage: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """All that two nodes must agree on before the first block.

    Attributes:
        network: The network, with its consensus numbers.
        anchor_height: L1 block before the first origin.
        anchor_hash: Its hash, 32 bytes, internal order.
        timestamp: Of block 0, seconds.
        leader_key: x-only key that signs blocks, batches and commitments (BIP-0340), 32 bytes; kept hot.
        rotation_key: x-only key that replaces the leader's, 32 bytes; kept cold.
        upgrade_key: x-only key without which no `Upgrade` counts, 32 bytes; no `Rotate` touches it.
        fee_recipient: Where the vaults pay.
        balances: wei of each address at block 0.
        accounts: State of another chain that this one begins with; `balances` and what the protocol keeps in its own
            contracts come first.
    """

    network: Network
    anchor_height: L1Height
    anchor_hash: BlockHash
    timestamp: int
    leader_key: bytes
    rotation_key: bytes
    upgrade_key: bytes
    fee_recipient: Address
    balances: Mapping[Address, Wei] = field(default_factory=dict)
    accounts: Mapping[Address, GenesisAccount] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse fields of the wrong size."""
        for name, size in (
            ("anchor_hash", 32),
            ("leader_key", 32),
            ("rotation_key", 32),
            ("upgrade_key", 32),
            ("fee_recipient", 20),
        ):
            value = getattr(self, name)
            if len(value) != size:
                raise Invalid("a field of genesis has the wrong size", field=name, size=len(value), expected=size)

    def core_json(self) -> str:
        """JSON that `Engine.open` takes: consensus numbers and the allocation of block 0."""
        numbers = self.network.parameters
        config = {
            "chain_id": self.network.chain_id,
            "network": self.network.number,
            "profile": "bedroll",
            "block_gas_limit": numbers.block_gas_limit,
            "forced_gas_limit": numbers.forced_gas_limit,
            "forced_message_gas_limit": numbers.forced_message_gas_limit,
            "forced_gas_min": numbers.forced_gas_min,
            "forced_size_max": numbers.forced_size_max,
            "max_origin_lag": numbers.max_origin_lag,
            "second_blocks_max": numbers.second_blocks_max,
            "timestamp_lead_max": numbers.timestamp_lead_max,
            "origin_blocks_max": numbers.origin_blocks_max,
            "automatic_blocks_max": numbers.automatic_blocks_per_origin_max,
            "transfer_bytes": numbers.transfer_bytes,
            "base_fee_vault": _hex(BASE_FEE_VAULT),
            "tip_vault": _hex(TIP_VAULT),
            "light_client": _hex(LIGHT_CLIENT),
            "address_book": _hex(ADDRESS_BOOK),
            "anchor": {"height": self.anchor_height, "hash": _hex(self.anchor_hash)},
            "l1_rate": L1_RATE_FIRST,
            "keys": {
                "leader": _hex(self.leader_key),
                "rotation": _hex(self.rotation_key),
                "upgrade": _hex(self.upgrade_key),
            },
        }
        document = {
            "config": config,
            "timestamp": self.timestamp,
            "base_fee": BASE_FEE_FIRST,
            "alloc": self._allocation(),
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":"))

    def _allocation(self) -> dict[str, dict[str, object]]:
        """Accounts of block 0, keyed by hex address."""
        accounts = {_hex(address): _show(account) for address, account in self.accounts.items()}
        for address, name in (*_PREDEPLOYS, *_PREINSTALLS):
            # What tells of another chain's Bitcoin, or of who has appeared on it, begins anew; tokens are kept.
            before = GenesisAccount() if address in _BEGUN_ANEW else self.accounts.get(address, GenesisAccount())
            accounts[_hex(address)] = _show(before) | {"nonce": 1, "code": runtime_code(name)}
        for vault in (BASE_FEE_VAULT, TIP_VAULT):
            slot = _hex(_VAULT_RECIPIENT_SLOT.to_bytes(32, "big"))
            accounts[_hex(vault)]["storage"] = {slot: _hex(self.fee_recipient.rjust(32, b"\0"))}
        for address_hex, code in (_BEACON_ROOTS, _HISTORY):
            accounts["0x" + address_hex] = {"nonce": 1, "balance": "0x0", "code": "0x" + code, "storage": {}}
        for holder, amount in self.balances.items():
            accounts[_hex(holder)] = accounts.get(_hex(holder), _show(GenesisAccount())) | {"balance": hex(amount)}
        return accounts

    def to_json(self) -> str:
        """The genesis file: what a second node needs besides a Bitcoin node."""
        forked = {_hex(address): _show(account) for address, account in self.accounts.items()}
        return json.dumps(
            {
                "network": self.network.name,
                "anchor": {"height": self.anchor_height, "hash": _hex(self.anchor_hash)},
                "timestamp": self.timestamp,
                "leader_key": _hex(self.leader_key),
                "rotation_key": _hex(self.rotation_key),
                "upgrade_key": _hex(self.upgrade_key),
                "fee_recipient": _hex(self.fee_recipient),
                "balances": {_hex(holder): hex(amount) for holder, amount in self.balances.items()},
            }
            | ({"accounts": forked} if forked else {}),
            indent=1,
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> "Genesis":
        """Read a genesis file.

        Raises:
            Invalid: A field is missing, misspelt or of the wrong size.
        """
        try:
            file = msgspec.json.decode(text, type=_GenesisFile)
            return cls(
                network=network_named(file.network),
                anchor_height=L1Height(file.anchor.height),
                anchor_hash=BlockHash(_bytes(file.anchor.hash)),
                timestamp=file.timestamp,
                leader_key=_bytes(file.leader_key),
                rotation_key=_bytes(file.rotation_key),
                upgrade_key=_bytes(file.upgrade_key),
                fee_recipient=Address(_bytes(file.fee_recipient)),
                balances={Address(_bytes(who)): Wei(int(amount, 16)) for who, amount in file.balances.items()},
                accounts={Address(_bytes(who)): _read(account) for who, account in file.accounts.items()},
            )
        except (msgspec.DecodeError, ValueError) as error:
            raise Invalid("the genesis file cannot be read", reason=str(error)) from error


class _Anchor(msgspec.Struct, forbid_unknown_fields=True):
    height: int
    hash: str


class _AccountRow(msgspec.Struct, forbid_unknown_fields=True):
    balance: str
    nonce: int
    code: str
    storage: dict[str, str]


class _GenesisFile(msgspec.Struct, forbid_unknown_fields=True):
    network: str
    anchor: _Anchor
    timestamp: int
    leader_key: str
    rotation_key: str
    upgrade_key: str
    fee_recipient: str
    balances: dict[str, str]
    accounts: dict[str, _AccountRow] = {}


def artifact(name: str) -> dict[str, object]:
    """A contract that comes with the package: `creation`, `runtime`; of this project's own `abi` and `layout` too.

    Raises:
        Invalid: There is no such contract.
    """
    file = files(__package__).joinpath("artifact", f"{name}.json")
    if not file.is_file():
        raise Invalid("there is no contract of this name", name=name)
    loaded: dict[str, object] = json.loads(file.read_text())
    return loaded


def runtime_code(name: str) -> str:
    """Code of a contract as it stands on the chain, hex with 0x."""
    return str(artifact(name)["runtime"])


def _show(account: GenesisAccount) -> dict[str, object]:
    """An account as files and the core have it."""
    return {
        "nonce": account.nonce,
        "balance": hex(account.balance),
        "code": _hex(account.code),
        "storage": {_word(slot): _word(value) for slot, value in account.storage.items()},
    }


def _read(row: _AccountRow) -> GenesisAccount:
    storage = {int(slot, 16): int(value, 16) for slot, value in row.storage.items()}
    return GenesisAccount(balance=Wei(int(row.balance, 16)), nonce=row.nonce, code=_bytes(row.code), storage=storage)


def _word(number: int) -> str:
    return _hex(number.to_bytes(32, "big"))


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _bytes(text: str) -> bytes:
    if not text.startswith("0x"):
        raise ValueError(f"{text!r} does not begin with 0x")
    return bytes.fromhex(text[2:])
