"""Real transactions through JSON-RPC: a contract, then transfers and contract calls of many accounts.

Reads: accounts, a node's API.  Gives: `deploy_token`, `Traffic`.
Never: signs with a key that the caller did not give.  Spec: docs/spec/cli.md#demo
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bedroll.crypto.keccak import keccak256
from bedroll.execution.genesis import artifact
from bedroll.primitives import Address, Gas, Unavailable, Wei
from bedroll.sdk import Account, RpcClient

_BATCH_CALLS: Final = 100
_POLL_SECONDS: Final = 0.05
_WAIT_SECONDS: Final = 60.0
_SUPPLY: Final = 10**27
_SHARE: Final = 10**24
_NOTHING: Final = Wei(0)
_TRANSFER: Final = keccak256(b"transfer(address,uint256)")[:4]
_TRANSFER_GAS: Final = Gas(21_000)
_DATA_MARGIN_PERCENT: Final = 25
"""Above an estimate: data gas rises while the base fee falls."""


@dataclass(frozen=True, slots=True)
class Fees:
    """What the traffic pays a gas."""

    cap: Wei
    tip: Wei


async def current_fees(client: RpcClient) -> Fees:
    """A cap that outlives several rises of the base fee."""
    block, tip = await client.batch([("eth_getBlockByNumber", ("latest", False)), ("eth_maxPriorityFeePerGas", ())])
    return Fees(Wei(4 * int(block["baseFeePerGas"], 16) + int(tip, 16)), Wei(int(tip, 16)))


async def deploy_token(client: RpcClient, chain_id: int, account: Account) -> tuple[Address, dict[str, Any]]:
    """Deploy the demo token; its address and its receipt."""
    creation = bytes.fromhex(str(artifact("demo_token")["creation"])[2:]) + _SUPPLY.to_bytes(32, "big")
    request = {"from": "0x" + account.address.hex(), "data": "0x" + creation.hex()}
    gas = int(await client.call("eth_estimateGas", request), 16)
    fees = await current_fees(client)
    raw = account.sign_transaction(
        chain_id=chain_id,
        nonce=int(await client.call("eth_getTransactionCount", request["from"], "pending"), 16),
        gas_limit=_padded(gas),
        max_fee_per_gas=fees.cap,
        max_priority_fee_per_gas=fees.tip,
        data=creation,
    )
    sent = await client.call("eth_sendRawTransaction", "0x" + raw.hex())
    receipt = await wait_for_receipt(client, sent)
    return Address(bytes.fromhex(receipt["contractAddress"][2:])), receipt


async def wait_for_receipt(client: RpcClient, transaction_hash: str) -> dict[str, Any]:
    """The receipt, once the transaction is in a block.

    Raises:
        Unavailable: It is in none after a minute.
    """
    try:
        async with asyncio.timeout(_WAIT_SECONDS):
            while (receipt := await client.call("eth_getTransactionReceipt", transaction_hash)) is None:
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise Unavailable("the transaction is in no block", hash=transaction_hash, seconds=_WAIT_SECONDS) from None
    found: dict[str, Any] = receipt
    return found


class Traffic:
    """Signed transactions of many accounts: transfers and token transfers by turns.

    Attributes:
        raws: In an order in which every sender's nonces rise.
    """

    def __init__(self, chain_id: int, accounts: Sequence[Account], token: Address) -> None:
        self._chain_id = chain_id
        self._accounts = accounts
        self._token = token
        self._nonces: dict[Address, int] = {}
        self.raws: list[bytes] = []

    async def sign(self, client: RpcClient, count: int) -> None:
        """Sign `count` transactions, the shares of the token that accounts begin with among them."""
        names = ["0x" + account.address.hex() for account in self._accounts]
        nonces = await client.batch([("eth_getTransactionCount", (name, "pending")) for name in names])
        self._nonces = {account.address: int(nonce, 16) for account, nonce in zip(self._accounts, nonces, strict=True)}
        fees = await current_fees(client)
        owner = self._accounts[0]
        request = {"from": names[0], "to": "0x" + self._token.hex(), "data": "0x" + self._pay(owner, _SHARE).hex()}
        token_gas = _padded(int(await client.call("eth_estimateGas", request), 16))
        for account in self._accounts[1:]:
            self._add(owner, fees, token_gas, self._token, data=self._pay(account, _SHARE))
        for number in range(count - len(self.raws)):
            sender = self._accounts[number % len(self._accounts)]
            receiver = self._accounts[(number * 7 + 3) % len(self._accounts)]
            if (number // len(self._accounts)) % 2:
                self._add(sender, fees, token_gas, self._token, data=self._pay(receiver, 10**18 + number))
            else:
                self._add(sender, fees, _TRANSFER_GAS, receiver.address, value=Wei((number % 97 + 1) * 10**13))

    async def send(self, client: RpcClient, advance: Callable[[int], None]) -> list[str]:
        """Hand all of them in, in batches; their hashes."""
        hashes: list[str] = []
        for start in range(0, len(self.raws), _BATCH_CALLS):
            part = self.raws[start : start + _BATCH_CALLS]
            hashes += await client.batch([("eth_sendRawTransaction", ("0x" + raw.hex(),)) for raw in part])
            advance(len(part))
        return hashes

    async def wait_included(self, client: RpcClient) -> None:
        """Wait until every sender's nonce says that all of his transactions are in blocks.

        Raises:
            Unavailable: Some are not after a minute.
        """
        calls = [("eth_getTransactionCount", ("0x" + address.hex(), "latest")) for address in self._nonces]
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                while [int(nonce, 16) for nonce in await client.batch(calls)] != list(self._nonces.values()):
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            raise Unavailable("not all transactions are in blocks", seconds=_WAIT_SECONDS) from None

    def _add(
        self, sender: Account, fees: Fees, gas: Gas, to: Address, *, value: Wei = _NOTHING, data: bytes = b""
    ) -> None:
        raw = sender.sign_transaction(
            chain_id=self._chain_id,
            nonce=self._nonces[sender.address],
            gas_limit=gas,
            max_fee_per_gas=fees.cap,
            max_priority_fee_per_gas=fees.tip,
            to=to,
            value=value,
            data=data,
        )
        self._nonces[sender.address] += 1
        self.raws.append(raw)

    @staticmethod
    def _pay(receiver: Account, amount: int) -> bytes:
        return _TRANSFER + receiver.address.rjust(32, b"\0") + amount.to_bytes(32, "big")


def _padded(gas: int) -> Gas:
    return Gas(gas * (100 + _DATA_MARGIN_PERCENT) // 100)
