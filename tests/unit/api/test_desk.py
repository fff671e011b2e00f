"""The core's desk answers byte for byte what the dispatcher answers, refusals too, or leaves a body to it."""

import json
import random
import time

import pytest

from bedroll.api import Dispatcher
from bedroll.api.service import CLIENT_VERSION
from bedroll.crypto.keccak import keccak256
from bedroll.execution.desk import Desk, DeskOption
from bedroll.execution.engine import decode_transactions
from bedroll.execution.fee import FeeRule
from bedroll.execution.mempool import Mempool, PoolLimit, add_many
from bedroll.primitives import Address, Gas, Invalid, Wei
from bedroll.protocol import REGTEST
from bedroll.sdk import Account
from tests.unit.api.test_hostile import SEED, draw_params
from tests.unit.api.test_method import data_of, deploy, pay

ALICE = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
HOT = (
    "eth_chainId", "net_version", "web3_clientVersion", "eth_blockNumber", "eth_gasPrice", "eth_maxPriorityFeePerGas",
    "eth_getBalance", "eth_getTransactionCount", "eth_getTransactionReceipt", "eth_call", "eth_sendRawTransaction",
)  # fmt: skip
LIMIT = PoolLimit(account_count=3, transaction_bytes=5_000, tip_min_wei=5)


class Pair:
    """A desk and a dispatcher over one chain, each with a pool of its own."""

    def __init__(self, chain, service, *, limit=LIMIT):
        self.chain = chain
        self.pools = [Mempool(REGTEST.chain_id, limit) for _ in range(2)]
        self.fee = FeeRule(chain.engine.next_base_fee(), 2_500_000_000, 75)
        self.desk = Desk(chain.engine, self.pools[0])
        limits = service.limits
        option = DeskOption(
            client_version=CLIENT_VERSION, body_bytes=limits.body_bytes, batch_calls=limits.batch_calls,
            response_bytes=limits.response_bytes, call_gas=limits.call_gas,
        )  # fmt: skip
        self.desk.serve(REGTEST.chain_id, option)
        self.desk.refresh(self.fee)
        self.dispatcher = Dispatcher(service, devnet=True)

    def take_sends(self):
        """Transactions go to the dispatcher's pool, and no block is made."""
        chain = self.chain
        chain.send_transactions, chain.send_transaction = self.send_many, self.send_one
        chain.pending_nonce = lambda sender: self.pools[1].next_nonce(sender, chain.engine.view())

    async def send_many(self, raws):
        return add_many(self.pools[1], decode_transactions(raws), self.chain.engine.view(), self.fee)

    async def send_one(self, raw):
        (answer,) = await self.send_many([raw])
        if isinstance(answer, Invalid):
            raise answer
        return answer

    def fast(self, body):
        heads = self.chain.heads()
        answers, _, _ = self.desk.answer(
            [body], heads.latest.height, heads.safe.height, heads.finalized.height, sends=True
        )
        return None if answers[0] is None else answers[0][0]

    async def agree(self, body):
        """The desk's answer, which is the dispatcher's; None where it is left to that."""
        raw = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        fast = self.fast(raw)
        slow = await self.dispatcher.answer(raw)
        if fast is not None:
            assert fast == slow, raw[:300]
        return None if fast is None else json.loads(fast)


@pytest.fixture
def pair(chain, service):
    return Pair(chain, service)


def call(method, *params, id=1):
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": list(params)}


def sign(account, nonce, *, tip=10, cap=10**12, gas=21_000, value=1, data=b"", chain=REGTEST.chain_id, to=b"\x99" * 20):
    raw = account.sign_transaction(
        chain_id=chain, nonce=nonce, gas_limit=Gas(gas), max_fee_per_gas=Wei(cap),
        max_priority_fee_per_gas=Wei(tip), to=None if to is None else Address(to), value=Wei(value), data=data,
    )  # fmt: skip
    return "0x" + raw.hex()


async def test_every_hot_method_is_answered_here(pair, rpc, chain, token):
    contract = (await deploy(rpc, chain, token))["contractAddress"]
    chain.seal(*[bytes.fromhex(pay(chain, nonce=1)[2:])])
    block = chain.engine.block(chain.engine.tip().number)
    included = "0x" + block.transactions[-1].hash.hex()
    pair.desk.refresh(pair.fee)
    balance = {"to": contract, "data": data_of("balanceOf(address)", int(ALICE, 16))}
    asked = [
        call("eth_chainId"), call("net_version"), call("web3_clientVersion"), call("eth_blockNumber"),
        call("eth_gasPrice"), call("eth_maxPriorityFeePerGas"),
        call("eth_getBalance", ALICE), call("eth_getBalance", ALICE, None), call("eth_getBalance", "0x" + "77" * 20),
        *(call("eth_getBalance", ALICE, tag) for tag in ("latest", "pending", "safe", "finalized", "earliest", "0x1")),
        *(call("eth_getTransactionCount", ALICE, tag) for tag in ("latest", "pending", "0x0")),
        call("eth_getTransactionReceipt", included), call("eth_getTransactionReceipt", "0x" + "ab" * 32),
        call("eth_call", balance), call("eth_call", balance, "latest"), call("eth_call", balance | {"from": ALICE}),
        call("eth_call", {"to": ALICE, "gas": "0x186a0", "value": "0x0", "input": "0x"}, "pending"),
    ]  # fmt: skip
    for body in asked:
        assert await pair.agree(body) is not None, body
    for id in (0, 2**63, "a", "é", None, "x" * 200):
        assert (await pair.agree(call("eth_chainId", id=id)))["id"] == id
    batch = [body | {"id": number} for number, body in enumerate(asked)]
    assert len(await pair.agree(batch)) == len(batch)
    chain.safe = chain.engine.tip().number
    assert await pair.agree(call("eth_getTransactionReceipt", included)) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"", b" ", b"{", b"[]", b"5", b"null", b"[5]", b'{"jsonrpc":"2.0","method":"eth_chainId"}',
        b'{"jsonrpc":"2.0","id":1.0,"method":"eth_chainId"}', b'{"jsonrpc":"2.0","id":-1,"method":"eth_chainId"}',
        b'{"jsonrpc":"2.0","id":{},"method":"eth_chainId"}', b'{"jsonrpc":"2.0","id":true,"method":"eth_chainId"}',
        b'{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}', b'{"jsonrpc":"2.0","id":1,"method":"eth_\\u0063hainId"}',
        b'{"jsonrpc":"2.0","id":"\\n","method":"eth_chainId"}', b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"} x',
        b'{"jsonrpc":"2.0","id":1,"id":2,"method":"eth_chainId"}',
        b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","x":1}',
        b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":null}', b"[" * 100_000,
        b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{}}', b'{"jsonrpc":"2.0","id":1,"method":5}',
        b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":' + b"[" * 90 + b"]" * 90 + b"}",
        b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}',
        b'{"jsonrpc":"2.0","id":"\xff","method":"eth_chainId"}',
        b'\n\t [ {"jsonrpc" : "2.0", "id" : 1, "method" : "eth_chainId" } ] \r\n',
    ],
)  # fmt: skip
async def test_odd_bodies_are_answered_alike_or_left_to_the_dispatcher(pair, raw):
    await pair.agree(raw)


async def test_hostile_parameters_are_answered_alike_or_left_to_the_dispatcher(pair):
    draw = random.Random(SEED)
    here = 0
    for method in HOT:
        for _ in range(400):
            here += await pair.agree(call(method, *draw_params(draw))) is not None
    assert here > 200, f"seed {SEED}"


async def test_transactions_are_taken_and_refused_in_the_same_words(pair, chain):
    pair.take_sends()
    alice, bob = chain.accounts[:2]
    stranger = Account(b"\x05" * 32)
    told = [
        sign(alice, 0), sign(alice, 0), sign(alice, 2), sign(alice, 1), sign(alice, 3), sign(alice, 9_999),
        sign(alice, 0, tip=10, cap=2 * 10**12), sign(alice, 0, tip=12, cap=2 * 10**12), sign(bob, 0, chain=1),
        sign(bob, 0, gas=20_999), sign(bob, 0, tip=4), sign(bob, 0, tip=10**12 + 1), sign(bob, 0, value=10**30),
        sign(bob, 0, data=b"x" * 6_000, gas=10**7), sign(bob, 0, to=None, data=b"\0" * 50_000, gas=10**7),
        sign(bob, 0, gas=2**63), sign(bob, 0, cap=2**127, gas=10**9), sign(stranger, 0), "0x02c0", "0x03aa", "0x",
        "0x" + sign(bob, 0)[2:-2] + "ff", sign(bob, 0, value=6 * 10**21), sign(bob, 1, value=6 * 10**21),
    ]  # fmt: skip
    words = [await pair.agree(call("eth_sendRawTransaction", raw)) for raw in told]
    assert sum("result" in answer for answer in words) == 5
    assert {answer["error"]["code"] for answer in words if "error" in answer} == {-32000}
    assert pair.pools[0].content() == pair.pools[1].content()
    assert (await pair.agree(call("eth_getTransactionCount", ALICE, "pending")))["result"] == "0x3"
    for raw in ("0x0", "02c0", "0xzz", None, 5, "0x" + "00" * (1 << 20) + "00"):
        assert await pair.agree(call("eth_sendRawTransaction", raw)) is None
    chain.seal(*[bytes.fromhex(each[2:]) for each in told[:1]])
    pair.desk.refresh(pair.fee)
    assert (
        "nonce too low"
        in (await pair.agree(call("eth_sendRawTransaction", sign(alice, 0, value=2))))["error"]["message"]
    )


async def test_a_batch_of_transactions_is_one_answer(pair, chain):
    pair.take_sends()
    alice, bob = chain.accounts[:2]
    raws = [sign(alice, 0), sign(bob, 1), sign(alice, 0), sign(bob, 0), "0x02c0", sign(alice, 1)]
    batch = [call("eth_sendRawTransaction", raw, id=number) for number, raw in enumerate(raws)]
    answers = await pair.agree(batch)
    assert ["result" in answer for answer in answers] == [True, True, False, True, False, True]
    mixed = [call("eth_sendRawTransaction", sign(bob, 2)), call("eth_getBalance", ALICE)]
    assert pair.fast(json.dumps(mixed).encode()) is None, "a long answer could be left over once a transaction is taken"
    assert len(pair.pools[0]) == 4


async def test_however_many_transactions_come_in_a_turn_each_gets_its_own_answer(chain, service):
    pair = Pair(chain, service, limit=PoolLimit(account_count=64, transaction_bytes=5_000, tip_min_wei=5))
    pair.take_sends()
    alice, bob = chain.accounts[:2]
    told = [sign(account, nonce) for nonce in range(16) for account in (alice, bob)]
    for place in (3, 11):
        told.insert(place, "0x02c0")
    for count in (1, 2, 3, 9, len(told)):
        turn, told = told[:count], told[count:]
        batch = [call("eth_sendRawTransaction", raw, id=number) for number, raw in enumerate(turn)]
        answers = await pair.agree(batch)
        wanted = [None if raw == "0x02c0" else "0x" + keccak256(bytes.fromhex(raw[2:])).hex() for raw in turn]
        assert [answer.get("result") for answer in answers] == wanted
    assert len(pair.pools[0]) == 32
    assert pair.pools[0].content() == pair.pools[1].content()


async def test_a_transaction_of_a_block_that_is_not_durable_is_known(pair, chain):
    raw = sign(chain.accounts[0], 0)
    chain.engine.begin(chain.engine.tip().timestamp + 1)
    pair.desk.refresh(pair.fee)
    assert "result" in json.loads(pair.fast(json.dumps(call("eth_sendRawTransaction", raw)).encode()))
    step = pair.desk.execute(pair.fee, 10, 10**10)
    assert (len(step.transactions), step.is_busy, step.is_full, step.dropped) == (1, True, False, [])
    assert (
        step.transactions.raws() == ["0x" + each.raw.hex() for each in []] or step.transactions[0].raw.hex() == raw[2:]
    )
    again = json.loads(pair.fast(json.dumps(call("eth_sendRawTransaction", raw)).encode()))
    assert again["error"]["message"] == "already known"
    assert pair.pools[0].kept_bytes == len(raw) // 2 - 1
    pair.pools[0].settle(chain.engine.seal())
    assert pair.pools[0].kept_bytes == 0


async def test_a_long_call_is_left_to_the_workers(pair, rpc, chain):
    code = "5b6001600150600056"
    made = await rpc.call("eth_sendTransaction", {"from": ALICE, "data": f"0x68{code}60b81b5f5260095ff3"})
    contract = (await rpc.call("eth_getTransactionReceipt", made))["contractAddress"]
    assert await pair.agree(call("eth_call", {"to": contract})) is None
    dear = {"to": "0x0000000000000000000000000000000000000005", "data": "0x"}
    assert await pair.agree(call("eth_call", dear)) is None


async def test_many_calls_that_do_much_with_few_instructions_are_left_to_the_workers(pair, rpc, chain):
    """Each hashes 1.1 MiB for 266,000 gas in 38 steps; all of them together would keep the loop from everybody."""
    code = bytes.fromhex("620200005f2050") * 9 + b"\x00"
    size = len(code).to_bytes(2, "big").hex()
    sent = await rpc.call(
        "eth_sendTransaction", {"from": ALICE, "data": f"0x61{size}600e60003961{size}6000f3" + code.hex()}
    )
    hashing = (await rpc.call("eth_getTransactionReceipt", sent))["contractAddress"]
    pair.desk.refresh(pair.fee)
    batch = [call("eth_call", {"to": hashing}, id=number) for number in range(500)]
    taken = []
    for body in batch[0], batch:
        start = time.thread_time_ns()
        answer = pair.fast(json.dumps(body, separators=(",", ":")).encode())
        taken.append(time.thread_time_ns() - start)
        assert (answer is None) is (body is batch)
    # Some ten of them are begun.
    assert taken[1] < 100 * taken[0]


async def test_nothing_is_answered_before_it_is_said_what_is_served(chain):
    desk = Desk(chain.engine, None)
    answers, taken, brought = desk.answer([json.dumps(call("eth_chainId")).encode()], 1, 0, 0, sends=False)
    assert (answers, len(taken), brought) == ([None], 0, [0])
