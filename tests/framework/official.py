"""Contracts that everybody uses, with their official bytecode, on a ledger: deployed, sent to, read."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from eth_abi import decode as abi_decode
from eth_account.signers.local import LocalAccount
from eth_utils import keccak
from eth_utils.abi import get_abi_output_types
from web3 import Web3
from web3.contract import Contract

from bedroll._core._native import Receipt
from bedroll.protocol import CREATE2_DEPLOYER
from tests.framework.ledger import Ledger, address_of, revert_text

VECTORS = Path(__file__).parents[1] / "vectors/contracts"
GAS = 12_000_000


@cache
def published(name: str) -> dict[str, Any]:
    """An artifact by `package/Contract`."""
    return json.loads((VECTORS / f"{name}.json").read_text())


def creation(name: str, *arguments: Any) -> bytes:
    """Official creation code with the constructor's arguments behind it."""
    made = published(name)
    factory = Web3().eth.contract(abi=made["abi"], bytecode=made["creation"])
    return bytes.fromhex(factory.constructor(*arguments).data_in_transaction[2:])


def create2_address(deployer: bytes, salt: bytes, code: bytes) -> bytes:
    """Address of EIP-1014."""
    return keccak(b"\xff" + deployer + salt + keccak(code))[12:]


def shown(address: bytes) -> str:
    """An address as web3 wants it."""
    return Web3.to_checksum_address(address)


def presigned(name: str) -> bytes:
    """A transaction that anyone may send: whoever signed it has no key."""
    return bytes.fromhex(json.loads((VECTORS / "deployer/presigned.json").read_text())[name][2:])


def deploy_at_salt(
    ledger: Ledger, key: LocalAccount, salt: bytes, code: bytes, deployer: bytes = CREATE2_DEPLOYER
) -> bytes:
    """Through a deployer that stands from genesis, the one most tools use unless told otherwise; the address."""
    raw = ledger.sign(key, to=deployer, data=salt + code, gas=40_000_000)
    assert ledger.block(raw).receipts[-1].status == 1
    return create2_address(deployer, salt, code)


@dataclass
class Official:
    """One deployed contract.

    Attributes:
        ledger: The chain it is on.
        address: 20 bytes.
        abi: Of its functions and events.
    """

    ledger: Ledger
    address: bytes
    contract: Contract

    @classmethod
    def at(cls, ledger: Ledger, name: str, address: bytes) -> "Official":
        """A contract that stands at an address."""
        assert ledger.engine.view().code(address), f"nothing stands at 0x{address.hex()}"
        contract = Web3().eth.contract(address=shown(address), abi=published(name)["abi"])
        return cls(ledger, address, contract)

    @classmethod
    def deploy(cls, ledger: Ledger, key: LocalAccount, name: str, *arguments: Any) -> "Official":
        """Create it by a transaction of its own."""
        raw = ledger.sign(key, to=None, data=creation(name, *arguments), gas=40_000_000)
        receipt = ledger.block(raw).receipts[-1]
        assert receipt.status == 1, receipt.output
        assert receipt.contract is not None
        return cls.at(ledger, name, receipt.contract)

    @property
    def hex(self) -> str:
        """Address as web3 wants it."""
        return shown(self.address)

    def data(self, function: str, *arguments: Any) -> bytes:
        """Call data."""
        return bytes.fromhex(self.contract.encode_abi(function, list(arguments))[2:])

    def try_send(self, key: LocalAccount, function: str, *arguments: Any, value: int = 0) -> Receipt:
        """Call a function in a block of its own, however it ends."""
        raw = self.ledger.sign(key, to=self.address, data=self.data(function, *arguments), value=value, gas=GAS)
        return self.ledger.block(raw).receipts[-1]

    def send(self, key: LocalAccount, function: str, *arguments: Any, value: int = 0) -> Receipt:
        """The same, and it succeeds."""
        receipt = self.try_send(key, function, *arguments, value=value)
        assert receipt.status == 1, receipt.output
        return receipt

    def ask(self, function: str, *arguments: Any, sender: LocalAccount | None = None) -> Any:
        """Call it on the tip without a transaction; one result as it is, several as a tuple."""
        outcome = self._call(function, arguments, sender)
        assert outcome.status == "success", outcome.reason or outcome.output
        kind = (
            self.contract.get_function_by_signature(function) if "(" in function else self.contract.functions[function]
        )
        found = abi_decode(get_abi_output_types(kind(*arguments).abi), outcome.output)
        return found[0] if len(found) == 1 else found

    def refusal(self, function: str, *arguments: Any, sender: LocalAccount | None = None) -> str:
        """The words it reverts with."""
        return revert_text(self._call(function, arguments, sender))

    def _call(self, function: str, arguments: tuple[Any, ...], sender: LocalAccount | None) -> Any:
        return self.ledger.engine.view().call(
            sender=bytes(20) if sender is None else address_of(sender),
            to=self.address,
            data=self.data(function, *arguments),
            value=0,
            gas_limit=30_000_000,
            gas_price=0,
            access_list=[],
            overrides="",
        )

    def events(self, receipt: Receipt, name: str) -> list[dict[str, Any]]:
        """Arguments of this contract's events of one kind."""
        event = self.contract.events[name]()
        found = []
        for log in receipt.logs:
            if log.address == self.address and log.topics and log.topics[0] == keccak(text=event.signature):
                entry = {
                    "address": self.hex, "topics": log.topics, "data": log.data, "logIndex": 0, "transactionIndex": 0,
                    "transactionHash": receipt.transaction_hash, "blockHash": bytes(32), "blockNumber": 1,
                }  # fmt: skip
                found.append(dict(event.process_log(entry)["args"]))
        return found
