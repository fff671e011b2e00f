"""A chain that is made the same way each time, and the calls that the API's document shows as examples on it."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bedroll.api import Dispatcher, Limits, Service
from bedroll.api.filter import Filter
from bedroll.api.key import ApiKeys, hash_key, write_keys
from bedroll.api.log_method import parse_filter
from bedroll.encoding.rlp import encode_rlp
from bedroll.execution.engine import decode_transaction
from bedroll.execution.genesis import artifact
from bedroll.primitives import Gas, Wei
from tests.framework.seal_chain import SealChain

KEY = "bedroll_" + "A" * 43
FILTERS = {kind: f"0x{number:032x}" for number, kind in enumerate(("logs", "newHeads", "newPendingTransactions"), 1)}
FRESH = "0x" + "42" * 20
ABSENT = "0x" + "77" * 32
DOCUMENT = {
    "types": {
        "EIP712Domain": [{"name": "name", "type": "string"}],
        "Note": [{"name": "text", "type": "string"}],
    },
    "primaryType": "Note",
    "domain": {"name": "Bedroll"},
    "message": {"text": "hello"},
}


def runtime_creation(runtime: bytes) -> bytes:
    """Creation code that leaves these bytes as the code of the contract."""
    return bytes.fromhex(f"61{len(runtime):04x}600e60003961{len(runtime):04x}6000f3") + runtime


@dataclass
class DocumentedChain:
    """The chain, what serves it, and what is on it.

    Attributes:
        facts: Hashes and addresses by name.
    """

    chain: SealChain
    service: Service
    facts: dict[str, str]

    @staticmethod
    def make(folder: Path) -> "DocumentedChain":
        """A token, a contract that forwards, one that reverts, and two transactions that wait."""
        chain = SealChain.open(folder / "chain")
        write_keys(folder / "api_keys", {"ops": hash_key(KEY)})
        made = DocumentedChain(chain, _service(chain, folder), {})
        made.facts |= {f"account{number}": "0x" + each.address.hex() for number, each in enumerate(chain.accounts)}
        made._deploy("token", bytes.fromhex(artifact("demo_token")["creation"][2:]) + (10**24).to_bytes(32, "big"))
        made._deploy("forwarder", runtime_creation(bytes.fromhex(f"60006000600060003473{FRESH[2:]}5af100")))
        made._deploy("reverting", runtime_creation(bytes.fromhex("63010203046000526004601cfd")))
        made._send("tokenTransfer", "token", data=made.token_transfer(5))
        made._send("forwarded", "forwarder", value=7)
        made._send("failed", "reverting")
        chain.safe, chain.finalized = 5, 3
        for nonce in (0, 2):
            waiting = decode_transaction(made.sign(1, nonce))
            chain.waiting[waiting.hash] = waiting
        for kind, name in FILTERS.items():
            wanted = parse_filter({}) if kind == "logs" else None
            made.service.filters._by_id[name] = Filter(kind, wanted, "", made.service.filters._clock())
        return made

    def token_transfer(self, amount: int) -> bytes:
        """Call data that moves tokens to the second account."""
        to = bytes(12) + self.chain.accounts[1].address
        return bytes.fromhex("a9059cbb") + to + amount.to_bytes(32, "big")

    def sign(self, sender: int, nonce: int, to: str = FRESH, *, data: bytes = b"", value: int = 0) -> bytes:
        """A signed transaction."""
        return self.chain.accounts[sender].sign_transaction(
            chain_id=self.chain.network.chain_id,
            nonce=nonce,
            gas_limit=Gas(1_000_000),
            max_fee_per_gas=Wei(10**10),
            max_priority_fee_per_gas=Wei(10**6),
            to=bytes.fromhex(to[2:]) if to else None,  # type: ignore[arg-type]
            value=Wei(value),
            data=data,
        )

    def _deploy(self, name: str, creation: bytes) -> None:
        raw = self.sign(0, self.chain.engine.view().nonce(self.chain.accounts[0].address), "", data=creation)
        self.chain.seal(raw)
        receipt = self.chain.engine.block(self.chain.engine.tip().number).receipts[0]  # type: ignore[union-attr]
        self.facts[name] = "0x" + receipt.contract.hex()  # type: ignore[union-attr]
        self.facts[f"{name}Made"] = "0x" + receipt.transaction_hash.hex()

    def _send(self, name: str, to: str, *, data: bytes = b"", value: int = 0) -> None:
        nonce = self.chain.engine.view().nonce(self.chain.accounts[0].address)
        raw = self.sign(0, nonce, self.facts[to], data=data, value=value)
        self.chain.seal(raw)
        self.facts[name] = "0x" + decode_transaction(raw).hash.hex()
        self.facts[f"{name}Block"] = "0x" + self.chain.engine.tip().hash.hex()

    def ask(self) -> Callable[[str, list[Any]], Awaitable[Any]]:
        """Runs a call with the operator's key; the whole answer."""
        dispatcher = Dispatcher(self.service, devnet=True)

        async def call(method: str, params: list[Any]) -> Any:
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
            return json.loads(await dispatcher.answer(body, client=f"127.0.0.1 {KEY}") or b"null")

        return call

    def close(self) -> None:
        """Release the store and the threads."""
        self.service.worker.close()
        self.chain.engine.close()


def _service(chain: SealChain, folder: Path) -> Service:
    async def faucet(_address: str, _amount_sat: int) -> bytes:
        return bytes(range(32))

    accounts = {account.address: account for account in chain.accounts}
    return Service(chain, Limits(), accounts, faucet, keys=ApiKeys(folder / "api_keys"))


Shown = tuple[str, list[Any]]


def examples(made: DocumentedChain) -> dict[str, list[Shown]]:
    """(what it shows, parameters) of each method that has parameters."""
    single = {**_of_ethereum(made), **_of_tools(made)}
    return {name: [each] for name, each in single.items()} | _several(made)


def _transfer(made: DocumentedChain) -> dict[str, str]:
    facts = made.facts
    return {"from": facts["account0"], "to": facts["token"], "data": "0x" + made.token_transfer(1).hex()}


def _of_ethereum(made: DocumentedChain) -> dict[str, Shown]:
    facts, move, height = made.facts, _transfer(made), "0x5"
    me, token, sent, block = facts["account0"], facts["token"], facts["tokenTransfer"], facts["tokenTransferBlock"]
    pay = {"from": facts["account3"], "to": FRESH, "value": "0x1"}
    return {
        "eth_accounts": ("A devnet's", []),
        "eth_capabilities": ("A node that keeps everything", []),
        "eth_config": ("Now, and nothing else to come", []),
        "eth_createAccessList": ("A token's transfer", [move, "latest"]),
        "eth_estimateGas": ("A token's transfer", [move]),
        "eth_feeHistory": ("Four blocks", ["0x4", "latest", [25, 75]]),
        "eth_fillTransaction": ("A payment", [pay]),
        "eth_getAccountInfo": ("A contract", [token, "latest"]),
        "eth_getBlockByHash": ("With hashes", [block, False]),
        "eth_getBlockReceipts": ("By height", [height]),
        "eth_getBlockTransactionCountByHash": ("By hash", [block]),
        "eth_getBlockTransactionCountByNumber": ("By height", [height]),
        "eth_getCode": ("A contract", [facts["forwarder"], "latest"]),
        "eth_getFilterChanges": ("Blocks since then", [FILTERS["newHeads"]]),
        "eth_getFilterLogs": ("All that fit", [FILTERS["logs"]]),
        "eth_getHeaderByHash": ("By hash", [block]),
        "eth_getHeaderByNumber": ("By height", [height]),
        "eth_getRawTransactionByBlockHashAndIndex": ("The first", [block, "0x0"]),
        "eth_getRawTransactionByBlockNumberAndIndex": ("The first", [height, "0x0"]),
        "eth_getRawTransactionByHash": ("An included one", [sent]),
        "eth_newPendingTransactionFilter": ("Whole transactions", [True]),
        "eth_getProof": ("A token's balance", [token, ["0x0", "0x1"], "latest"]),
        "eth_getStorageAt": ("First slot", [token, "0x0", "latest"]),
        "eth_getStorageValues": ("Two slots", [{token: ["0x0", "0x1"]}, "latest"]),
        "eth_getTransactionByBlockHashAndIndex": ("The first", [block, "0x0"]),
        "eth_getTransactionByBlockNumberAndIndex": ("The first", [height, "0x0"]),
        "eth_getTransactionReceipt": ("A token's transfer", [sent]),
        "eth_getUncleByBlockHashAndIndex": ("There is none", [block, "0x0"]),
        "eth_getUncleByBlockNumberAndIndex": ("There is none", [height, "0x0"]),
        "eth_getUncleCountByBlockHash": ("There is none", [block]),
        "eth_getUncleCountByBlockNumber": ("There is none", [height]),
        "eth_newFilter": ("A token's events", [{"address": token}]),
        "eth_sendRawTransaction": ("A payment", ["0x" + made.sign(2, 0).hex()]),
        "eth_sendRawTransactionSync": ("A payment", ["0x" + made.sign(2, 1).hex(), 5_000]),
        "eth_sendTransaction": ("A payment", [pay]),
        "eth_sign": ("Five bytes", [me, "0x68656c6c6f"]),
        "eth_signTypedData_v4": ("A note", [me, DOCUMENT]),
        "eth_simulateV1": (
            "Two blocks, the second one on the first",
            [
                {
                    "blockStateCalls": [
                        {
                            "stateOverrides": {FRESH: {"balance": "0x64"}},
                            "calls": [{"from": FRESH, "to": me, "value": "0x5"}],
                        },
                        {"blockOverrides": {"time": "0x7fffffff"}, "calls": [move]},
                    ]
                },
                "latest",
            ],
        ),
        "eth_uninstallFilter": ("One that waits for transactions", [FILTERS["newPendingTransactions"]]),
    }


def _of_tools(made: DocumentedChain) -> dict[str, Shown]:
    facts, move, height, call_tracer = made.facts, _transfer(made), "0x5", {"tracer": "callTracer"}
    me, token, sent, block = facts["account0"], facts["token"], facts["tokenTransfer"], facts["tokenTransferBlock"]
    forwarded, failed, raw_block = facts["forwarded"], facts["failed"], "0x" + _raw_block(made).hex()
    tip, nobody = made.chain.engine.tip(), "0x" + "00" * 20
    attributes = {
        "timestamp": hex(tip.timestamp + 1),
        "prevRandao": "0x" + "00" * 32,
        "suggestedFeeRecipient": nobody,
        "withdrawals": [],
    }
    paid = "0x" + made.sign(3, 0, value=1).hex()
    return {
        "admin_clients": ("Who asks", []),
        "admin_setLogLevel": ("Warnings and errors alone", ["warning"]),
        "admin_submitProof": ("A proof", ["0x0105" + "00" * 8, True]),
        "bedroll_fund": ("10,000 satoshi", ["bcrt1q" + "q" * 38, 10_000]),
        "bedroll_getBatch": ("Of a safe block", ["0x2"]),
        "bedroll_getBlockClass": ("Of a safe block", ["0x5"]),
        "bedroll_getEvidence": ("Of one leader", ["0x" + "00" * 32]),
        "bedroll_getForced": ("One that nobody sent", [ABSENT]),
        "bedroll_getProofInput": ("Of a block that Bitcoin does not hold yet", ["latest"]),
        "bedroll_getObject": ("A rejected batch", ["0x" + "00" * 32]),
        "bedroll_getSignatures": ("By height", ["0x2"]),
        "bedroll_mine": ("One Bitcoin block", ["0x1"]),
        "bedroll_status": ("A leader", []),
        "testing_buildBlockV1": ("One payment on the newest block", ["0x" + tip.hash.hex(), attributes, [paid]]),
        "debug_getRawBlock": ("By height", ["0x6"]),
        "debug_executionWitness": ("By height", ["0x2"]),
        "debug_getRawHeader": ("By hash", [block]),
        "debug_getRawReceipts": ("By height", [height]),
        "debug_getRawTransaction": ("An included one", [sent]),
        "debug_traceBlock": ("By its bytes", [raw_block, call_tracer]),
        "debug_traceBlockByHash": ("Calls", [block, call_tracer]),
        "debug_traceBlockByNumber": ("Calls", [height, call_tracer]),
        "erigon_getHeaderByNumber": ("By number", [5]),
        "ots_getBlockDetails": ("By number", [5]),
        "ots_getBlockDetailsByHash": ("By hash", [block]),
        "ots_getBlockTransactions": ("The newest page", [5, 0, 25]),
        "ots_getContractCreator": ("A token's", [token]),
        "ots_getInternalOperations": ("A payment that a contract passes on", [forwarded]),
        "ots_getTransactionBySenderAndNonce": ("The first", [me, 0]),
        "ots_getTransactionError": ("A transaction that reverted", [failed]),
        "ots_hasCode": ("A contract", [token, "latest"]),
        "ots_searchTransactionsAfter": ("From the oldest", [FRESH, 0, 25]),
        "ots_searchTransactionsBefore": ("From the newest", [FRESH, 0, 25]),
        "ots_traceTransaction": ("A payment that a contract passes on", [forwarded]),
        "personal_sign": ("Five bytes", ["0x68656c6c6f", me]),
        "trace_block": ("By height", [height]),
        "trace_call": ("A token's transfer", [move, ["trace"], "latest"]),
        "trace_callMany": ("One upon the other", [[[move, ["trace"]], [move, ["trace"]]], "latest"]),
        "trace_filter": ("Calls of a token", [{"fromBlock": "0x2", "toBlock": "latest", "toAddress": [token]}]),
        "trace_get": ("The inner call", [forwarded, ["0x0"]]),
        "trace_rawTransaction": ("A payment", ["0x" + made.sign(2, 5).hex(), ["trace"]]),
        "trace_replayBlockTransactions": ("Calls", [height, ["trace"]]),
        "trace_replayTransaction": ("Changes of state", [sent, ["stateDiff"]]),
        "trace_transaction": ("A payment that a contract passes on", [forwarded]),
        "txpool_contentFrom": ("One sender", [facts["account1"]]),
        "web3_sha3": ("Five bytes", ["0x68656c6c6f"]),
    }


def _several(made: DocumentedChain) -> dict[str, list[Shown]]:
    facts, move, call_tracer = made.facts, _transfer(made), {"tracer": "callTracer"}
    me, token, sent, block = facts["account0"], facts["token"], facts["tokenTransfer"], facts["tokenTransferBlock"]
    forwarded, fails = facts["forwarded"], {"from": me, "to": facts["reverting"]}
    return {
        "debug_traceCall": [
            ("Calls", [move, "latest", call_tracer]),
            ("A revert", [fails, "latest", call_tracer]),
            ("Four steps", [fails, "latest", {"limit": 4}]),
        ],
        "debug_traceTransaction": [
            ("Calls", [forwarded, call_tracer]),
            ("State before", [sent, {"tracer": "prestateTracer"}]),
            ("Flat calls", [forwarded, {"tracer": "flatCallTracer"}]),
        ],
        "eth_call": [
            ("A token's supply", [{"to": token, "data": "0x18160ddd"}, "latest"]),
            ("At a block of EIP-1898", [{"to": token, "data": "0x18160ddd"}, {"blockHash": block}]),
            ("Code for this call alone", [{"to": FRESH}, "latest", {FRESH: {"code": "0x60ff60005260206000f3"}}]),
        ],
        "eth_getBalance": [("Newest", [me, "latest"]), ("At a height", [me, "0x1"])],
        "eth_getBlockByNumber": [
            ("Newest, with transactions", ["latest", True]),
            ("With hashes", ["0x1", False]),
            ("What waits for the next one", ["pending", False]),
            ("None", ["0xffffff", False]),
        ],
        "eth_getLogs": [("A token's events", [{"fromBlock": "0x0", "toBlock": "latest", "address": token}])],
        "eth_getTransactionByHash": [("An included one", [sent]), ("None", [ABSENT])],
        "eth_getTransactionCount": [("Newest", [me, "latest"]), ("With what waits", [facts["account1"], "pending"])],
        "txpool_content": [("All", []), ("A page", [{"count": 1}])],
        "txpool_inspect": [("All", []), ("A page", [{"count": 1}])],
    }


def _raw_block(made: DocumentedChain) -> bytes:
    """A block's bytes as `debug_getRawBlock` gives them."""
    block = made.chain.engine.block(5)
    assert block is not None
    body = encode_rlp([[each.raw for each in block.transactions], [], []])
    # The header is RLP already: its bytes stand first in the list.
    inner = block.header.rlp + body[3 if body[0] == 0xF9 else 2 if body[0] == 0xF8 else 1 :]
    length = len(inner).to_bytes(2, "big")
    return b"\xf9" + length + inner
