"""Execution once more, short and slow: the oracle of the engine for all of a block that is not EVM code.

Written from docs/spec/execution.md, docs/design/fees.md and the EIPs, sharing no code with the engine. It keeps the
state as plain dictionaries and builds every trie anew for every block. Transactions are transfers to accounts without
code or creations with one of `PROGRAMS`. What contracts of genesis do in system calls is written as the slots they set.
"""

import json
from copy import deepcopy
from hashlib import sha256

from .execution_record import EMPTY_BLOOM, Account, Receipt, Refused, Sealed, Tail, eip1559, number, slot_of, unhex
from .merkle_patricia import keccak, list_root, rlp, secure_root
from .signed_transaction import NoTransaction, Signed, decode

CALLER = bytes.fromhex("fffffffffffffffffffffffffffffffffffffffe")
BEACON_ROOTS = bytes.fromhex("000f3df6d732807ef1319fb7b8bb8522d0beac02")
HISTORY = bytes.fromhex("0000f90827f1c53a10cb7a02335b175320002935")
RING = 8_191
INIT_CODE_MAX = 49_152
EVM_GAS_MAX = 1 << 24
RATE_MIN, RATE_MAX = 10**10 // 4, 200 * 10**10 // 4
ACC, ENQUEUED, DONE_ACC, DONE, L1_HEIGHT, L1_BLOCKS, L1_HEIGHTS = range(7)
STATUS = {"executed": 1, "reverted": 2, "skipped": 3, "ineligible": 4}
PROGRAMS = {b"": (True, 0), b"\x00": (True, 0), b"\x5f\x5f\xfd": (False, 4), b"\xfe": (False, None)}
"""Init code: whether it succeeds, and its gas; None is all there is. Whatever begins with zero stops at once."""


class ExecutionModel:
    """A chain from its genesis JSON; `begin`, `add`, `seal` make one block."""

    def __init__(self, core_json):
        genesis = json.loads(core_json)
        self.rules = genesis["config"]
        self.light_client, self.book, self.base_vault, self.tip_vault = (
            unhex(self.rules[name]) for name in ("light_client", "address_book", "base_fee_vault", "tip_vault")
        )
        self.state = {
            unhex(address): Account(
                number(entry["nonce"]), number(entry["balance"]), unhex(entry["code"]),
                {number(slot): number(value) for slot, value in entry["storage"].items()},
            )
            for address, entry in genesis["alloc"].items()
        }  # fmt: skip
        anchor = self.rules["anchor"]
        self.tail = Tail(anchor["height"], unhex(anchor["hash"]), 0, self.rules["l1_rate"])
        self.waiting = []
        self.height, self.time, self.base_fee = 0, genesis["timestamp"], genesis["base_fee"]
        self.parent = bytes(32)
        self._clear()
        self.seal()

    def _clear(self):
        self.gas_used, self.forced_count = 0, 0
        self.included, self.receipts, self.forced = [], [], []

    def account(self, address):
        return self.state.setdefault(address, Account())

    def balance(self, address):
        return self.state.get(address, Account()).balance

    def nonce(self, address):
        return self.state.get(address, Account()).nonce

    def book_length(self):
        return self.state[self.book].storage.get(0, 0)

    # --- a block -------------------------------------------------------------------------------

    def next_base_fee(self, rate):
        floor = rate * self.rules["transfer_bytes"] // 21_000
        return max(eip1559(self.base_fee, self.gas_used_before, self.rules["block_gas_limit"]), floor)

    def time_bounds(self, median_time):
        low, lead = max(self.time, median_time), self.rules["timestamp_lead_max"]
        return low, None if lead is None else max(self.time, median_time + lead)

    def begin(self, timestamp, origin=None, automatic=False):
        tail = self._next_tail(timestamp, origin, automatic)
        self.base_fee = self.next_base_fee(tail.l1_rate)
        self.tail, self.time, self.automatic = tail, timestamp, automatic
        self.height += 1
        self._clear()
        beacon, history = self.account(BEACON_ROOTS).storage, self.account(HISTORY).storage
        beacon[timestamp % RING] = timestamp
        beacon[timestamp % RING + RING] = int.from_bytes(tail.origin_hash, "big")
        history[(self.height - 1) % RING] = int.from_bytes(self.parent, "big")
        if origin is not None:
            self._take_origin(origin)
        self._forced_part()
        self.forced_count = len(self.included)

    def _next_tail(self, timestamp, origin, automatic):
        tail = deepcopy(self.tail)
        if origin is not None:
            if origin.height != tail.origin_height + 1:
                raise Refused("origin height")
            if sha256(sha256(origin.header).digest()).digest() != origin.hash:
                raise Refused("origin header")
            if not RATE_MIN <= origin.l1_rate <= RATE_MAX:
                raise Refused("rate")
            tail = Tail(origin.height, origin.hash, origin.median_time, origin.l1_rate)
        elif self.height == 0:
            raise Refused("the first block takes an origin")
        elif tail.origin_blocks >= self.rules["origin_blocks_max"] and not automatic:
            raise Refused("blocks of one origin")
        low, high = self.time_bounds(tail.median_time)
        if timestamp < low or (high is not None and timestamp > high) or (automatic and timestamp != low):
            raise Refused("timestamp")
        tail.second_blocks = 1
        if timestamp == self.time:
            full = self.tail.second_blocks >= self.rules["second_blocks_max"]
            if full and not automatic and timestamp != high:
                raise Refused("blocks in one second")
            tail.second_blocks = self.tail.second_blocks + 1
        tail.origin_blocks += 1
        return tail

    def _take_origin(self, origin):
        queue = self.state[self.light_client].storage
        for identity, payload, paid in origin.forced:
            index = queue.get(ENQUEUED, 0)
            fate = sha256(payload).digest() + bytes([paid]) + origin.height.to_bytes(8, "big")
            self._link(ACC, index, identity + fate)
            queue[ENQUEUED] = index + 1
            self.waiting.append((index, identity, payload, paid, origin.height))
        words = [
            origin.hash, origin.header[36:68], origin.witness_root, origin.header[68:72][::-1],
            origin.median_time, origin.l1_rate,
        ]  # fmt: skip
        place = slot_of(L1_BLOCKS, origin.height.to_bytes(32, "big"))
        for offset, word in enumerate(words):
            value = word if isinstance(word, int) else int.from_bytes(word, "big")
            queue[(place + offset) % 2**256] = value
        queue[slot_of(L1_HEIGHTS, origin.hash)] = queue[L1_HEIGHT] = origin.height
        arguments = [5 * 32, origin.height, int.from_bytes(origin.witness_root, "big"), origin.l1_rate]
        head = b"".join(word.to_bytes(32, "big") for word in [*arguments, origin.median_time, 80])
        call = keccak(b"set_origin(bytes,uint256,bytes32,uint256,uint256)")[:4] + head + origin.header + bytes(16)
        payload = b"\x7e" + rlp([self.rules["chain_id"], origin.height, 1 << 40, self.light_client, call])
        self.included.append((CALLER, payload, None))
        self.receipts.append(Receipt(0x7E, 1, 0, 0, 0, 0, keccak(payload), None))

    def _link(self, place, index, tail):
        queue = self.state[self.light_client].storage
        before = queue.get(place, 0).to_bytes(32, "big")
        queue[place] = int.from_bytes(sha256(before + index.to_bytes(8, "big") + tail).digest(), "big")

    def seal(self):
        for sender, _, transaction in self.included:
            if transaction is not None:
                self._note(sender)
                self._note(transaction.to or transaction.contract)
        # An account that is empty does not exist (EIP-161).
        self.state = {who: one for who, one in self.state.items() if one.nonce or one.balance or one.code}
        leaves = [sender + payload for sender, payload, _ in self.included]
        header = rlp([
            self.parent, keccak(rlp([])), self.tip_vault,
            secure_root({address: account.leaf() for address, account in self.state.items()}),
            list_root(leaves), list_root([receipt.leaf() for receipt in self.receipts]), EMPTY_BLOOM,
            0, self.height, self.rules["block_gas_limit"], self.gas_used, self.time, b"",
            keccak(self.tail.origin_hash + self.height.to_bytes(8, "big")), bytes(8),
            self.base_fee, list_root([]), 0, 0, self.tail.origin_hash, sha256(b"").digest(),
        ])  # fmt: skip
        self.parent, self.gas_used_before = keccak(header), self.gas_used
        return Sealed(header, self.parent, self.receipts, leaves, self.forced, self.forced_count)

    def _note(self, address):
        book, slot = self.state[self.book].storage, slot_of(1, address)
        if not book.get(slot):
            book[0] = book[slot] = book.get(0, 0) + 1

    # --- transactions --------------------------------------------------------------------------

    def _forced_part(self):
        queue, charged, least = self.state[self.light_client].storage, 0, self.rules["forced_gas_min"]
        while self.waiting:
            index, identity, payload, paid, origin_height = self.waiting[0]
            transaction = self._eligible(payload, paid)
            need = max(transaction.gas_limit, least) if transaction else least
            whole = self.automatic or origin_height < self.tail.origin_height - self.rules["max_origin_lag"]
            budget = self.rules["block_gas_limit" if whole else "forced_gas_limit"]
            if need > budget - charged:
                break
            status, gas_used = "ineligible", 0
            if transaction:
                status, gas_used = self._run_forced(transaction)
            charged += max(gas_used, least)
            del self.waiting[0]
            self._link(DONE_ACC, index, identity + bytes([STATUS[status]]))
            queue[DONE] = index + 1
            self.forced.append((index, identity, status, transaction.hash if transaction else None))

    def _eligible(self, payload, paid) -> Signed | None:
        if not paid or len(payload) > self.rules["forced_size_max"]:
            return None
        try:
            found = decode(payload)
        except NoTransaction:
            return None
        broken = (
            found.chain_id != self.rules["chain_id"]
            or found.gas_limit > self.rules["forced_message_gas_limit"]
            or found.gas_limit < max(found.intrinsic_gas, found.floor_gas)
            or self._malformed(found)
        )
        return None if broken else found

    @staticmethod
    def _malformed(found):
        too_long = not found.to and len(found.data) > INIT_CODE_MAX
        return found.tip > found.max_fee or too_long or found.nonce == 2**64 - 1 or found.kind == 4

    def _fits(self, found):
        """Whether the sender's state lets it run."""
        sender = self.state.get(found.sender, Account())
        cost = found.gas_limit * found.max_fee + found.value
        return sender.nonce == found.nonce and sender.balance >= cost and not sender.code

    def _run_forced(self, found):
        if not self._fits(found):
            return "skipped", 0
        receipt = self._run(found, found.gas_limit, 0, min(found.max_fee, self.base_fee))
        return ("executed" if receipt.status else "reverted"), receipt.gas_used

    def data_gas(self, found):
        """Gas for its bytes beyond a transfer's, in the open block."""
        transfer_bytes = self.rules["transfer_bytes"]
        beyond = max(0, found.size(transfer_bytes) - transfer_bytes)
        return -(-self.tail.l1_rate * beyond // self.base_fee)

    def add(self, raw):
        """One of the leader's transactions; Refused if it cannot be in this block."""
        try:
            found = decode(raw)
        except NoTransaction as error:
            raise Refused("no transaction") from error
        replayable = found.chain_id is None and not found.to
        if found.chain_id != self.rules["chain_id"] and not replayable:
            raise Refused("chain id")
        data_gas = self.data_gas(found)
        if found.gas_limit < data_gas:
            raise Refused("data gas")
        evm_gas = min(found.gas_limit - data_gas, EVM_GAS_MAX)
        if evm_gas > self.rules["block_gas_limit"] - self.gas_used:
            raise Refused("block gas limit")
        if evm_gas < max(found.intrinsic_gas, found.floor_gas) or self._malformed(found):
            raise Refused("intrinsic gas, fees, init code, nonce or type")
        if found.max_fee < self.base_fee or not self._fits(found):
            raise Refused("max fee, nonce or balance")
        return self._run(found, evm_gas, data_gas, min(found.max_fee, self.base_fee + found.tip))

    def _run(self, found, evm_gas, data_gas, price):
        success, gas = (True, 0) if found.to or found.data[:1] == b"\0" else PROGRAMS[found.data]
        gas = evm_gas if gas is None else max(found.intrinsic_gas + gas, found.floor_gas)
        if gas > evm_gas:
            success, gas = False, evm_gas
        sender, target = self.account(found.sender), self.account(found.to or found.contract)
        assert not target.code, "the model runs no code"
        sender.nonce += 1
        sender.balance -= (gas + data_gas) * price
        if success:
            sender.balance -= found.value
            target.balance += found.value
            target.nonce += 0 if found.to else 1
        self.account(self.base_vault).balance += (gas + data_gas) * min(price, self.base_fee)
        self.account(self.tip_vault).balance += (gas + data_gas) * max(0, price - self.base_fee)
        self.gas_used += gas
        receipt = Receipt(found.kind, int(success), gas, data_gas, self.gas_used, price, found.hash, found.contract)
        self.included.append((found.sender, found.payload, found))
        self.receipts.append(receipt)
        return receipt
