"""Random blocks of Ethereum: a state, a header and signed transactions, all of it from one seed and a number.

A case is a JSON object that every engine reads: `fork`, `chain_id`, `block`, `pre` (accounts by address), and
`transactions` as raw bytes. Most transactions are valid; some may not be in a block, and all engines must say so.
"""

import json
import random
from functools import lru_cache
from pathlib import Path

from coincurve import PrivateKey

from tests.framework import evm_input
from tests.framework.evm_program import Program, creation, runtime
from tests.reference.merkle_patricia import keccak, rlp

SYSTEM = json.loads((Path(__file__).parents[1] / "vectors/ethereum/system_contracts.json").read_text())
ORDER = evm_input.ORDER
MAX = (1 << 256) - 1
GAS_CAP = 1 << 24
GWEI = 10**9
CHAIN_ID = 1
SENDERS, AUTHORITIES = range(1, 7), range(7, 11)
KINDS = {0: 25, 1: 12, 2: 38, 4: 25}
STRANGERS = [bytes(18) + (0xE000 + index).to_bytes(2, "big") for index in range(3)]

DEPOSITS = bytes.fromhex("00000000219ab540356cbb839cbe05303d7705fa")
DEPOSIT_TOPIC = bytes.fromhex("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5")
DEPOSIT_FIELDS = ((160, 48), (256, 32), (320, 8), (384, 96), (512, 8))


def _hex(raw):
    return "0x" + raw.hex()


@lru_cache(maxsize=32)
def address_of(key):
    """Address of a private key."""
    return keccak(PrivateKey.from_int(key).public_key.format(compressed=False)[1:])[12:]


def signature(key, digest):
    """(parity, r, s)."""
    signed = PrivateKey.from_int(key).sign_recoverable(digest, hasher=None)
    return signed[64], int.from_bytes(signed[:32], "big"), int.from_bytes(signed[32:64], "big")


def delegation(target):
    """Code of an account that lends itself another's (EIP-7702)."""
    return b"\xef\x01\x00" + target


class Maker:
    """Makes one case."""

    def __init__(self, seed, number):
        self.rng = random.Random(f"{seed}:{number}")
        self.fork = "Prague" if self.rng.random() < 0.2 else "Osaka"
        self.nonces = {key: self.rng.choice((0, 0, 1, 7, 300)) for key in (*SENDERS, *AUTHORITIES)}
        self.contracts = [bytes(18) + (0xC000 + index).to_bytes(2, "big") for index in range(self.rng.randrange(3, 8))]
        self.base_fee = self.rng.choice((0, 7, 7, GWEI, 10 * GWEI))
        self.gas_limit = self.rng.choice((60_000_000,) * 8 + (200_000, 1_000_000))
        self.actors = self._actors()
        self.poor = set()

    def _actors(self):
        precompiles = [(number).to_bytes(20, "big") for number in (1, 2, 4, 5, 9, 17, evm_input.P256)]
        keys = [address_of(key) for key in (*SENDERS, *AUTHORITIES)]
        made = [self.future(self.contracts[0], 1), self.future(self.contracts[-1], 1)]
        systems = [bytes.fromhex(text[2:]) for text in SYSTEM]
        few = [self.rng.choice(precompiles), self.rng.choice(systems), *STRANGERS, *made, *self.rng.sample(keys, 4)]
        if self.rng.random() < 0.1:
            few += [DEPOSITS] * 3
        return self.contracts * 3 + few

    def deposit(self):
        """Code that logs a deposit; now and then a malformed one, with which the block is invalid (EIP-6110)."""
        rng, fields = self.rng, bytearray(576)
        for place, (start, size) in enumerate(DEPOSIT_FIELDS):
            fields[32 * place : 32 * place + 32] = start.to_bytes(32, "big")
            fields[start : start + 32] = size.to_bytes(32, "big")
            fields[start + 32 : start + 32 + size] = rng.randbytes(size)
        way = rng.random()
        if way < 0.1:
            place = rng.randrange(5)
            fields[rng.choice((32 * place + 31, DEPOSIT_FIELDS[place][0] + rng.choice((0, 31))))] ^= 1
        elif way < 0.15:
            fields = fields[:-1] if way < 0.12 else fields + b"\0"
        topic = DEPOSIT_TOPIC if rng.random() < 0.9 else bytes(32)
        program = Program(rng, self.actors)
        program.load_constant(bytes(fields), 0)
        program.push_bytes(topic), program.push(len(fields)), program.push(0), program.emit(0xA1)
        return program.finish()

    @staticmethod
    def future(creator, nonce):
        """Address of a contract that `creator` makes."""
        return keccak(rlp([creator, nonce]))[12:]

    # --- state -------------------------------------------------------------------------------------

    def account(self, *, nonce=0, balance=0, code=b"", storage=None):
        slots = {hex(slot): hex(value) for slot, value in (storage or {}).items() if value}
        return {"nonce": nonce, "balance": hex(balance), "code": _hex(code), "storage": slots}

    def slots(self):
        rng = self.rng
        return {slot: rng.choice((0, 1, 2, MAX)) for slot in rng.sample((0, 1, 2, 3, 5, MAX), rng.randrange(5))}

    def state(self):
        rng, made = self.rng, {}
        for text, code in SYSTEM.items():
            made[text] = self.account(nonce=1, code=bytes.fromhex(code[2:]))
        for contract in self.contracts:
            balance = rng.choice((0, 0, 1, 10**18))
            code = runtime(rng, self.actors)
            made[_hex(contract)] = self.account(nonce=1, balance=balance, code=code, storage=self.slots())
        for key in SENDERS:
            balance = 10**24
            code = delegation(rng.choice(self.actors)) if rng.random() < 0.15 else b""
            if rng.random() < 0.07:
                self.poor.add(key)
                balance = rng.choice((1, 10**15, 21_000 * (self.base_fee + 1)))
            elif rng.random() < 0.02:
                self.poor.add(key)
                code = b"\x00"
            made[_hex(address_of(key))] = self.account(nonce=self.nonces[key], balance=balance, code=code)
        for key in AUTHORITIES:
            self.authority(key, made)
        if DEPOSITS in self.actors:
            made[_hex(DEPOSITS)] = self.account(nonce=1, code=self.deposit())
        if rng.random() < 0.3:
            self.collision(made)
        if rng.random() < 0.3:
            # As much as there is room for: that all ether together overflows is nothing the specification thinks of.
            made[_hex(STRANGERS[0])] = self.account(balance=rng.choice((1, MAX - 10**26)))
        return made

    def authority(self, key, made):
        """May be absent, delegated already, or a contract, which may not be delegated."""
        way = self.rng.random()
        if way < 0.4:
            self.nonces[key] = 0
            return
        code = b""
        if way < 0.7:
            zero, own = bytes(20), address_of(key)
            code = delegation(self.rng.choice((*self.actors, zero, own, (4).to_bytes(20, "big"))))
        elif way < 0.75:
            code = runtime(self.rng, self.actors)
        storage = self.slots() if code else None
        made[_hex(address_of(key))] = self.account(nonce=self.nonces[key] or 1, balance=5, code=code, storage=storage)
        self.nonces[key] = self.nonces[key] or 1

    def collision(self, made):
        """Something where a contract will be made (EIP-684, EIP-7610), or just ether."""
        key = self.rng.choice(SENDERS)
        creator, nonce = self.rng.choice(((address_of(key), self.nonces[key]), (self.contracts[0], 1)))
        way = self.rng.randrange(4)
        made[_hex(self.future(creator, nonce))] = (
            self.account(balance=3),
            self.account(nonce=1),
            self.account(nonce=1, code=b"\x00"),
            self.account(balance=1, storage={1: 1}),
        )[way]

    # --- block -------------------------------------------------------------------------------------

    def header(self):
        rng = self.rng
        number = rng.choice((1, 5, 300, 8_191, 100_000))
        coinbase = rng.choice((bytes(18) + b"\xcc\xcc", self.contracts[0], address_of(1), STRANGERS[1], b"\0" * 20))
        withdrawals = [
            {"index": index, "validator": 1, "address": _hex(rng.choice(self.actors)), "amount": rng.choice((0, 1, 5))}
            for index in range(rng.choice((0, 0, 1, 3)))
        ]
        return {
            "number": number, "timestamp": 1_700_000_000 + rng.randrange(1 << 20), "gas_limit": self.gas_limit,
            "base_fee": self.base_fee, "coinbase": _hex(coinbase), "prevrandao": _hex(rng.randbytes(32)),
            "excess_blob_gas": rng.choice((0, 0, 393_216, 50_000_000)), "beacon_root": _hex(rng.randbytes(32)),
            "hashes": [_hex(keccak(back.to_bytes(4, "big"))) for back in range(min(number, 256))],
            "withdrawals": withdrawals,
        }  # fmt: skip

    # --- transactions ------------------------------------------------------------------------------

    def transaction(self):
        """One more, signed; most are valid."""
        rng = self.rng
        key = rng.choice(SENDERS)
        if key in self.poor:
            key = rng.choice(SENDERS)
        kind = rng.choices(list(KINDS), KINDS.values())[0]
        to, data = self.purpose(kind)
        listed = self.access_list() if kind else []
        nonce, chain_id, value = self.nonces[key], CHAIN_ID, self.amount()
        fits = key not in self.poor and value < 10**23 and (to or len(data) <= 49_152)
        if rng.random() < 0.03:
            nonce += rng.choice((-1, 1, 1 << 40)) if nonce else 1
            fits = False
        elif rng.random() < 0.01:
            chain_id, fits = 2, False
        grants, own = self.grants(key) if kind == 4 else ([], 0)
        gas, enough = self.gas(to, data, listed, grants)
        tip, fee = self.fees()
        if fits and enough and tip <= fee >= self.base_fee and (grants or kind != 4):
            # What follows from this sender counts on it.
            self.nonces[key] += 1 + own
        access = [[address, list(slots)] for address, slots in listed]
        rest = [gas, to, value, data]
        body = {
            0: [nonce, fee, *rest],
            1: [chain_id, nonce, fee, *rest, access],
            2: [chain_id, nonce, tip, fee, *rest, access],
            4: [chain_id, nonce, tip, fee, *rest, access, grants],
        }[kind]
        return self.signed(key, kind, chain_id, body)

    def signed(self, key, kind, chain_id, body):
        prefix = bytes([kind]) if kind else b""
        protected = kind == 0 and self.rng.random() < 0.8
        tail = [chain_id, 0, 0] if protected else []
        parity, r, s = signature(key, keccak(prefix + rlp(body + tail)))
        if self.rng.random() < 0.004:
            s = ORDER - s
            parity ^= 1
        v = parity if kind else parity + (chain_id * 2 + 35 if protected else 27)
        return prefix + rlp([*body, v, r, s])

    def purpose(self, kind):
        """(to, data)."""
        rng = self.rng
        way = rng.random()
        if way < 0.15 and kind != 4:
            made = creation(rng, self.actors)
            if rng.random() < 0.02:
                made += bytes(rng.choice((49_152, 49_153)) - len(made))
            return b"", made
        if way < 0.25:
            number, made = evm_input.draw(rng)
            return number.to_bytes(20, "big"), made
        if way < 0.3:
            return bytes.fromhex(rng.choice(list(SYSTEM))[2:]), rng.randbytes(rng.choice((0, 32, 56, 96)))
        target = rng.choice(self.actors) if way < 0.9 else address_of(rng.choice((*SENDERS, *AUTHORITIES)))
        data = rng.choice((b"", rng.randbytes(4), bytes(rng.randrange(300)), rng.randbytes(rng.randrange(300))))
        return target, data

    def access_list(self):
        rng = self.rng
        return [
            (rng.choice(self.actors), [rng.choice((0, 1, 2, MAX)).to_bytes(32, "big") for _ in range(rng.randrange(4))])
            for _ in range(rng.choice((0, 0, 1, 2)))
        ]

    def grants(self, sender):
        """(authorisations, how many of them are the sender's own and have effect)."""
        rng, made, own = self.rng, [], 0
        for _ in range(rng.choice((0, 1, 2, 3)) if rng.random() < 0.15 else 1):
            key = sender if rng.random() < 0.1 else rng.choice(AUTHORITIES)
            nonce = self.nonces[key] + (1 + own if key == sender else 0)
            chain_id = rng.choice((0, 0, 0, 2)) if rng.random() < 0.3 else CHAIN_ID
            target = rng.choice((*self.actors, bytes(20), address_of(key), (4).to_bytes(20, "big")))
            way = rng.random()
            if way < 0.1:
                nonce = rng.choice((nonce + 1, (1 << 64) - 1, 1 << 63))
            parity, r, s = signature(key, keccak(b"\x05" + rlp([chain_id, target, nonce])))
            if 0.1 < way < 0.16:
                spoiled = ((1 - parity, r, ORDER - s), (parity ^ 1, r, s), (2, r, s), (0, 0, 0), (27, r, s))
                parity, r, s = rng.choice(spoiled)
            elif way >= 0.16 and chain_id != 2:
                own += key == sender
                self.nonces[key] += key != sender
            made.append([chain_id, target, nonce, parity, r, s])
        return made, own

    def gas(self, to, data, listed, grants):
        """(limit, whether it is enough); often at an edge."""
        rng = self.rng
        tokens = data.count(0) + 4 * (len(data) - data.count(0))
        need = 21_000 + 4 * tokens + sum(2_400 + 1_900 * len(slots) for _, slots in listed) + 25_000 * len(grants)
        if not to:
            need += 32_000 + 2 * -(-len(data) // 32)
        floor = 21_000 + 10 * tokens
        least = max(need, floor)
        way = rng.random()
        if way < 0.025:
            return rng.choice((least - 1, need - 1, floor - 1, 0)), False
        if way < 0.1:
            return rng.choice((least, least + 1, least + 100)), True
        if way < 0.985:
            extra = rng.choice((500, 3_000, 10_000, 30_000, 100_000, 100_000, 300_000, 300_000, 1_000_000))
            return least + extra, least + extra <= self.gas_limit
        chosen = rng.choice((GAS_CAP, GAS_CAP + 1, self.gas_limit, self.gas_limit + 1))
        return chosen, least <= chosen <= min(self.gas_limit, GAS_CAP)

    def fees(self):
        """(tip, max fee)."""
        rng = self.rng
        way = rng.random()
        if way < 0.03:
            fee = max(0, self.base_fee - 1)
            return rng.choice((0, fee, fee + 1)), fee
        tip = rng.choice((0, 0, 1, GWEI))
        fee = self.base_fee + rng.choice((0, 1, tip, 2 * GWEI, 10 * GWEI))
        return (tip if way > 0.98 else min(tip, fee)), fee

    def amount(self):
        rng = self.rng
        if rng.random() < 0.03:
            return rng.choice((10**24, 10**24 - 10**17, MAX, 1 << 255))
        return rng.choice((0, 0, 0, 1, 1_000, 10**18))

    def make(self):
        pre = self.state()
        block = self.header()
        count = self.rng.choice((1, 2, 4, 6, 8, 12))
        return {
            "fork": self.fork, "chain_id": CHAIN_ID, "block": block, "pre": pre,
            "transactions": [_hex(self.transaction()) for _ in range(count)],
        }  # fmt: skip


def deep(seed, number):
    """A contract that calls itself as deep as its gas or the limit of 1,024 lets it; Prague has no cap on gas."""
    maker = Maker(seed, number)
    rng = maker.rng
    program = Program(rng, maker.actors)
    opcode = rng.choice((0xF1, 0xF4, 0xF2, 0xFA))
    values = 5 if opcode in (0xF1, 0xF2) else 4
    program.emit(*[0x5F] * values, 0x30, 0x5A, opcode)
    if opcode != 0xFA:
        program.push(0), program.emit(0x5C, 0x01), program.push(0), program.emit(0x5D)
        program.push(0), program.emit(0x5C), program.push(0), program.emit(0x55)
    case = maker.make()
    if maker.fork == "Prague":
        case["block"]["gas_limit"] = 1 << 42
    gas = 1 << 41 if maker.fork == "Prague" else GAS_CAP
    case["pre"][_hex(maker.contracts[0])]["code"] = _hex(program.finish())
    richest = max(SENDERS, key=lambda key: int(case["pre"][_hex(address_of(key))]["balance"], 16))
    held = case["pre"][_hex(address_of(richest))]
    body = [held["nonce"], maker.base_fee, gas, maker.contracts[0], 0, b""]
    case["transactions"] = [_hex(maker.signed(richest, 0, CHAIN_ID, body))]
    return case


def make(seed, number):
    """The case with this number."""
    if number % 200 == 199:
        return deep(seed, number)
    return Maker(seed, number).make()
