"""What a use of a contract that everybody uses costs: gas, and bytes of a batch's body, its signatures included.

Each kind is used eight times by turns of two accounts in blocks of their own, after it was used twice, so that storage
is in its usual state; the figures are means. Bytes are of the body alone: a batch shares envelope and commitments.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bedroll._core._native import Receipt
from bedroll.da.codec import encode_batch
from tests.framework.ledger import Ledger
from tests.framework.market import (
    FOREVER,
    ONE,
    PERMIT_FUNCTION,
    ExchangeV2,
    ExchangeV3,
    entry_point,
    operation_of,
    operation_signed,
    permit_of,
    permit_signed,
    safe_call,
    safe_of,
    safe_signed,
    token_of,
)
from tests.framework.official import Official, shown

FIRST_USES = 2
USES = 8
FLOOR_BLOCKS = 12
"""Empty blocks until the base fee is at its floor, where data gas is dearest."""


@dataclass(frozen=True)
class Cost:
    """Means of one kind of use.

    Attributes:
        evm_gas, data_gas: Of the receipts, at the lowest base fee.
        body_bytes: Of the batch.
    """

    evm_gas: int
    data_gas: int
    body_bytes: float


Act = Callable[[int], Receipt]


def token_transfer(ledger: Ledger) -> Act:
    """A plain token, for comparison."""
    owner, other, *rest = ledger.keys
    token = token_of(ledger, owner)
    ledger.send(owner, token, "transfer(address,uint256)", other.address, 10**5 * ONE)
    return lambda n: ledger.send(
        (owner, other)[n % 2], token, "transfer(address,uint256)", rest[n % 2].address, (n + 3) * 10**17
    )


def uniswap_v2_swap(ledger: Ledger) -> Act:
    """Tokens for bitcoin through the router."""
    owner, *traders = ledger.keys
    market = ExchangeV2.open(ledger, owner)
    market.add(owner, 1_000 * ONE, 10 * ONE)
    return lambda n: market.buy(traders[n % 2], (n + 3) * 10**15)


def uniswap_v3_swap(ledger: Ledger) -> Act:
    """A token for another through the router."""
    owner, *traders = ledger.keys
    market = ExchangeV3.open(ledger, owner)
    market.mint(owner, 1_000 * ONE)
    for trader in traders[:2]:
        ledger.send(owner, market.first, "transfer(address,uint256)", trader.address, 100 * ONE)
        ledger.send(trader, market.first, "approve(address,uint256)", market.router.hex, 2**256 - 1)
    return lambda n: market.router.send(
        traders[n % 2], "exactInputSingle", market.order(traders[n % 2], (n + 3) * 10**16)
    )


def safe_payment(ledger: Ledger) -> Act:
    """Bitcoin out of a wallet that two of three owners sign for."""
    payer, *owners = ledger.keys
    wallet = safe_of(ledger, payer, owners, 2)
    ledger.block(ledger.sign(payer, to=wallet.address, value=10 * ONE, gas=200_000))

    def act(number: int) -> Receipt:
        call = safe_call(bytes([0x70 + number % 2]) * 20, (number + 3) * 10**15)
        digest = wallet.ask("getTransactionHash", *call, wallet.ask("nonce"))
        return wallet.send((payer, owners[0])[number % 2], "execTransaction", *call, safe_signed(digest, owners[:2]))

    return act


def user_operation(ledger: Ledger) -> Act:
    """A payment from a simple account, one operation in a transaction."""
    bundler, owner, beneficiary, other = ledger.keys
    entry = entry_point(ledger, bundler)
    factory = Official.deploy(ledger, bundler, "account_abstraction/SimpleAccountFactory", entry.hex)
    account = bytes.fromhex(factory.ask("getAddress", owner.address, 0)[2:])
    ledger.block(ledger.sign(bundler, to=account, value=5 * ONE, gas=100_000))
    entry.send(bundler, "depositTo", shown(account), value=ONE)
    implementation = bytes.fromhex(factory.ask("accountImplementation")[2:])
    interface = Official.at(ledger, "account_abstraction/SimpleAccount", implementation)
    create = factory.address + factory.data("createAccount", owner.address, 0)

    def act(number: int) -> Receipt:
        pay = interface.data("execute", shown(bytes([0x70 + number % 2]) * 20), (number + 3) * 10**15, b"")
        operation = operation_of(entry, account, pay, create=b"" if number else create, nonce=number)
        signed = [operation_signed(entry, owner, operation)]
        return entry.send((bundler, other)[number % 2], "handleOps", signed, beneficiary.address)

    return act


def permit2_transfer(ledger: Ledger) -> Act:
    """Tokens that a signature lets somebody take."""
    owner, *spenders = ledger.keys
    permit = permit_of(ledger, owner)
    token = token_of(ledger, owner)
    ledger.send(owner, token, "approve(address,uint256)", permit.hex, 2**256 - 1)

    def act(number: int) -> Receipt:
        spender, amount = spenders[number % 2], (number + 3) * 10**17
        signature = permit_signed(owner, spender, token, amount, number)
        order = ((shown(token), amount), number, FOREVER)
        return permit.send(
            spender, PERMIT_FUNCTION, order, (spenders[number % 2].address, amount), owner.address, signature
        )

    return act


CONTRACT_KINDS = {
    each.__name__: each
    for each in (token_transfer, uniswap_v2_swap, uniswap_v3_swap, safe_payment, user_operation, permit2_transfer)
}


def contract_cost(kind: str) -> Cost:
    """Use a contract on a fresh ledger and look at receipts and batch."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger.open(Path(folder))
        try:
            act = CONTRACT_KINDS[kind](ledger)
            for number in range(FIRST_USES):
                act(number)
            for _ in range(FLOOR_BLOCKS):
                ledger.block()
            first = ledger.engine.tip().number + 1
            receipts = [act(number) for number in range(FIRST_USES, FIRST_USES + USES)]
            body = encode_batch(ledger.engine, first, ledger.engine.tip().number)
        finally:
            ledger.engine.close()
    assert len({receipt.status for receipt in receipts}) == 1
    return Cost(
        evm_gas=round(sum(receipt.gas_used for receipt in receipts) / USES),
        data_gas=round(sum(receipt.data_gas for receipt in receipts) / USES),
        body_bytes=round(len(body) / USES, 1),
    )
