"""An L2 chain without Bitcoin: an engine on an empty folder, funded keys, one block a call.

For tests of contracts and of execution. Origins are made up here: real ones are derivation's matter.
"""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from eth_abi import decode as abi_decode
from eth_abi import encode as abi_encode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils import keccak

from bedroll._core._native import Block, Engine, Origin, Outcome, Receipt
from bedroll.execution.genesis import Genesis, artifact
from bedroll.primitives import Address, BlockHash, L1Height, Wei
from bedroll.protocol import REGTEST

MAP_SIZE_BYTES = 1 << 30
TIMESTAMP_FIRST = 1_700_000_000
FUNDS = Wei(1_000 * 10**18)


def accounts(count: int) -> list[LocalAccount]:
    """Keys 1, 2, 3, …: the same in every run."""
    return [Account.from_key(number.to_bytes(32, "big")) for number in range(1, count + 1)]


def address_of(account: LocalAccount) -> bytes:
    """20-byte address."""
    return bytes.fromhex(account.address[2:])


def genesis_for(holders: list[LocalAccount]) -> Genesis:
    """Regtest genesis with `FUNDS` for each holder."""
    return Genesis(
        network=REGTEST,
        anchor_height=L1Height(0),
        anchor_hash=BlockHash(bytes(32)),
        timestamp=TIMESTAMP_FIRST,
        leader_key=b"\x01" * 32,
        rotation_key=b"\x02" * 32,
        upgrade_key=b"\x03" * 32,
        fee_recipient=Address(b"\xfe" * 20),
        balances={Address(address_of(holder)): FUNDS for holder in holders},
    )


def selector(signature: str) -> bytes:
    """First four bytes of the hash of `name(types)`."""
    return keccak(text=signature)[:4]


def types_of(signature: str) -> list[str]:
    """Argument types in `name(types)`; tuples are not needed here."""
    inner = signature[signature.index("(") + 1 : -1]
    return inner.split(",") if inner else []


@dataclass
class Ledger:
    """One engine and who may spend on it."""

    engine: Engine
    keys: list[LocalAccount]
    origin_height: int = 0

    @classmethod
    def open(cls, folder: Path, keys: int = 4) -> "Ledger":
        """Start at block 0 in an empty folder."""
        holders = accounts(keys)
        core = genesis_for(holders).core_json()
        return cls(Engine.open(str(folder), core, map_size_bytes=MAP_SIZE_BYTES, sync=False), holders)

    def next_origin(self, forced: list[tuple[bytes, bytes, bool]] | None = None, header: bytes | None = None) -> Origin:
        """The origin after the last one, with a header that names its height."""
        self.origin_height += 1
        header = header or self.origin_height.to_bytes(80, "little")
        return Origin(
            height=self.origin_height,
            hash=sha256(sha256(header).digest()).digest(),
            header=header,
            witness_root=bytes(32),
            median_time=TIMESTAMP_FIRST,
            l1_rate=2_500_000_000,
            forced=forced or [],
        )

    def block(self, *raws: bytes, origin: Origin | None = None) -> Block:
        """Seal a block with these transactions; each must be valid."""
        if self.engine.tip().number == 0 and origin is None:
            origin = self.next_origin()
        self.engine.begin(self.engine.tip().timestamp + 1, origin)
        for raw in raws:
            self.engine.add(raw)
        return self.engine.seal()

    def sign(self, key: LocalAccount, *, to: bytes | None, data: bytes = b"", value: int = 0, **fields: Any) -> bytes:
        """Sign an EIP-1559 transaction with the key's next nonce."""
        base_fee = self.engine.next_base_fee()
        transaction = {
            "type": 2,
            "chainId": REGTEST.chain_id,
            "nonce": self.engine.view().nonce(address_of(key)),
            "gas": 3_000_000,
            "maxFeePerGas": 2 * base_fee,
            "maxPriorityFeePerGas": 0,
            "to": to,
            "value": value,
            "data": data,
        } | fields
        if to is None:
            transaction.pop("to")
        return bytes(key.sign_transaction(transaction).raw_transaction)

    def deploy(self, key: LocalAccount, contract: str, arguments: bytes = b"") -> bytes:
        """Deploy one of the project's contracts; its address."""
        code = bytes.fromhex(str(artifact(contract)["creation"])[2:])
        receipt = self.block(self.sign(key, to=None, data=code + arguments)).receipts[-1]
        assert receipt.status == 1
        assert receipt.contract is not None
        return receipt.contract

    def send(self, key: LocalAccount, to: bytes, signature: str, *values: Any, value: int = 0) -> Receipt:
        """Call a function in a block of its own."""
        data = selector(signature) + abi_encode(types_of(signature), values)
        return self.block(self.sign(key, to=to, data=data, value=value)).receipts[-1]

    def ask(self, to: bytes, signature: str, *values: Any, sender: bytes = bytes(20)) -> Outcome:
        """Call a function on the tip without a transaction."""
        return self.engine.view().call(
            sender=sender,
            to=to,
            data=selector(signature) + abi_encode(types_of(signature), values),
            value=0,
            gas_limit=30_000_000,
            gas_price=0,
            access_list=[],
            overrides="",
        )

    def read(self, to: bytes, signature: str, *values: Any, gives: str) -> Any:
        """The one value that a view function returns."""
        outcome = self.ask(to, signature, *values)
        assert outcome.status == "success", outcome.reason or outcome.output
        return abi_decode([gives], outcome.output)[0]


def revert_text(outcome: Outcome) -> str:
    """The message of `Error(string)`."""
    assert outcome.status == "revert"
    assert outcome.output[:4] == selector("Error(string)")
    return str(abi_decode(["string"], outcome.output[4:])[0])
