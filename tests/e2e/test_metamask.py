"""What MetaMask asks, in its order: a network is added, a block is tracked, bitcoin is sent, all of it is sent away.

The requests are those of its network, gas-fee and transaction controllers; signatures are eth_account's.
"""

import asyncio

import aiohttp
import pytest
from eth_account import Account
from eth_utils import to_checksum_address

from bedroll.sdk import DEVNET_MNEMONIC, accounts_of
from tests.framework.devnet_process import running_devnet

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

ORIGIN = "chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn"
TRANSFER_GAS = 21_000
FRESH = to_checksum_address("0x00000000000000000000000000000000000f00d5")


@pytest.fixture(scope="module")
def devnet(tmp_path_factory):
    with running_devnet(tmp_path_factory.mktemp("metamask") / "chain") as made:
        yield made


class Wallet:
    """One account as the extension drives it: every request as a page of its origin sends it."""

    def __init__(self, session, url, key):
        self._session = session
        self._url = url
        self._id = 6_291_459_012_345_678
        self.account = Account.from_key(key)

    async def ask(self, method, *params):
        self._id += 1
        body = {"id": self._id, "jsonrpc": "2.0", "method": method, "params": list(params)}
        async with self._session.post(self._url, json=body, headers={"Origin": ORIGIN}) as response:
            assert response.headers["Access-Control-Allow-Origin"] in ("*", ORIGIN)
            answer = await response.json()
        assert answer["id"] == self._id
        assert "error" not in answer, answer
        return answer["result"]

    async def balance(self):
        return int(await self.ask("eth_getBalance", self.account.address, "latest"), 16)

    async def fees(self):
        """The middle choice of the gas-fee controller: the median of the 20th percentile, the base fee with room."""
        history = await self.ask("eth_feeHistory", "0x5", "latest", [10, 20, 30])
        tips = sorted(int(row[1], 16) for row in history["reward"])
        base_fee = int((await self.ask("eth_getBlockByNumber", "latest", False))["baseFeePerGas"], 16)
        tip = max(tips[len(tips) // 2], int(await self.ask("eth_maxPriorityFeePerGas"), 16))
        return base_fee * 135 // 100 + tip, tip

    async def sign(self, chain_id, to, value, **fees):
        nonce = int(await self.ask("eth_getTransactionCount", self.account.address, "pending"), 16)
        fields = {"chainId": chain_id, "nonce": nonce, "to": to, "value": value, "gas": TRANSFER_GAS, **fees}
        return "0x" + self.account.sign_transaction(fields).raw_transaction.hex()

    async def confirmed(self, raw):
        """Send, then poll as its pending-transaction tracker does."""
        sent = await self.ask("eth_sendRawTransaction", raw)
        while (receipt := await self.ask("eth_getTransactionReceipt", sent)) is None:
            await asyncio.sleep(0)
        block = await self.ask("eth_getBlockByHash", receipt["blockHash"], False)
        assert int(block["baseFeePerGas"], 16) <= int(receipt["effectiveGasPrice"], 16)
        assert (await self.ask("eth_getTransactionByHash", sent))["blockNumber"] == receipt["blockNumber"]
        return receipt


@pytest.fixture
async def wallets(devnet):
    """Two accounts of the devnet."""
    async with aiohttp.ClientSession() as session:
        keys = [account.secret for account in accounts_of(DEVNET_MNEMONIC, 12)]
        yield [Wallet(session, devnet.url, key) for key in keys]


async def test_a_network_is_added_and_known_to_have_eip_1559(devnet, wallets):
    wallet = wallets[0]
    async with aiohttp.ClientSession() as session:
        headers = {
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        }
        async with session.options(devnet.url, headers=headers) as response:
            assert response.status in (200, 204)
            assert "content-type" in response.headers["Access-Control-Allow-Headers"].lower()
    assert int(await wallet.ask("eth_chainId"), 16) == devnet.chain_id
    assert await wallet.ask("net_version") == str(devnet.chain_id)
    block = await wallet.ask("eth_getBlockByNumber", "latest", False)
    assert int(block["baseFeePerGas"], 16) > 0
    number = await wallet.ask("eth_blockNumber")
    assert (await wallet.ask("eth_getBlockByNumber", number, False))["number"] == number
    assert await wallet.ask("eth_getCode", wallet.account.address, number) == "0x"
    assert await wallet.balance() > 10**21


async def test_bitcoin_is_sent_at_the_fee_that_was_shown(devnet, wallets):
    wallet = wallets[0]
    before = await wallet.balance()
    call = {"from": wallet.account.address, "to": FRESH, "value": hex(10**15), "data": "0x"}
    assert int(await wallet.ask("eth_estimateGas", call), 16) == TRANSFER_GAS
    cap, tip = await wallet.fees()
    raw = await wallet.sign(devnet.chain_id, FRESH, 10**15, maxFeePerGas=cap, maxPriorityFeePerGas=tip)
    receipt = await wallet.confirmed(raw)
    assert receipt["status"] == "0x1"
    fee = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    assert await wallet.balance() == before - 10**15 - fee
    assert fee <= TRANSFER_GAS * cap


@pytest.mark.parametrize("number", [8, 9])
async def test_all_of_it_can_be_sent_and_what_is_left_is_the_fee_that_was_not_needed(devnet, wallets, number):
    """To an address that the chain knows, and to one that it has never seen."""
    wallet = wallets[number]
    to = wallets[0].account.address if number == 8 else to_checksum_address("0x" + "5e" * 20)
    whole = await wallet.balance()
    call = {"from": wallet.account.address, "to": to, "value": hex(whole)}
    assert int(await wallet.ask("eth_estimateGas", call), 16) == TRANSFER_GAS
    cap, tip = await wallet.fees()
    raw = await wallet.sign(devnet.chain_id, to, whole - TRANSFER_GAS * cap, maxFeePerGas=cap, maxPriorityFeePerGas=tip)
    receipt = await wallet.confirmed(raw)
    assert int(receipt["gasUsed"], 16) == TRANSFER_GAS
    left = TRANSFER_GAS * (cap - int(receipt["effectiveGasPrice"], 16))
    assert await wallet.balance() == left < whole // 10**9


async def test_a_price_that_is_paid_in_full_leaves_nothing(devnet, wallets):
    """A legacy transaction, or equal caps: the account is empty to the last wei."""
    wallet = wallets[10]
    price = 2 * int(await wallet.ask("eth_gasPrice"), 16)
    whole = await wallet.balance()
    raw = await wallet.sign(devnet.chain_id, FRESH, whole - TRANSFER_GAS * price, gasPrice=price)
    assert (await wallet.confirmed(raw))["status"] == "0x1"
    assert await wallet.balance() == 0


async def test_one_wei_too_much_is_refused_in_words_that_wallets_know(devnet, wallets):
    wallet = wallets[11]
    price = 2 * int(await wallet.ask("eth_gasPrice"), 16)
    whole = await wallet.balance()
    raw = await wallet.sign(devnet.chain_id, FRESH, whole - TRANSFER_GAS * price + 1, gasPrice=price)
    with pytest.raises(AssertionError, match="insufficient funds"):
        await wallet.ask("eth_sendRawTransaction", raw)
