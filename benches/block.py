"""What a full block costs: transactions with known senders to a durable block, and the same with senders to recover,
together (eight at a time where the processor can) and one by one (by libsecp256k1).

    python benches/block.py [--accounts 100000] [--transactions 10000] [--repeat 5] [--folder FOLDER]
    python benches/block.py --genesis FILE    # only writes what crates/store/examples/large.rs begins with

Everything that a node does is in it: execution, receipts, postings of logs and addresses, reverse diffs, tries, root,
and one synced write. Printed: CPU milliseconds of all threads (medians; of small blocks LMDB takes many at once, so the
mean has its part and the median has not), transactions a CPU second, and queries of
logs over 10,000 blocks that were made.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from hashlib import sha256
from pathlib import Path

from bedroll.execution.engine import Engine, Origin, decode_transaction, decode_transactions
from bedroll.execution.genesis import Genesis, artifact
from bedroll.primitives import Address, BlockHash, Gas, L1Height, Wei
from bedroll.protocol import REGTEST
from bedroll.sdk.account import Account

TRANSFER_TOPIC = bytes.fromhex("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")
TRANSFER_SELECTOR = bytes.fromhex("a9059cbb")
FEE = Wei(10**12)
KEYED = 20_000
"""Accounts that sign; the others receive."""


def word(number):
    return number.to_bytes(32, "big")


def core_genesis(people):
    """JSON that an engine opens the chain with; blocks of any size."""
    genesis = Genesis(
        network=REGTEST,
        anchor_height=L1Height(0),
        anchor_hash=BlockHash(bytes(32)),
        timestamp=1_700_000_000,
        leader_key=b"\x01" * 32,
        rotation_key=b"\x02" * 32,
        upgrade_key=b"\x03" * 32,
        fee_recipient=Address(b"\xfe" * 20),
        balances=dict.fromkeys(map(Address, people), Wei(10**24)),
    )
    core = json.loads(genesis.core_json())
    core["config"]["block_gas_limit"] = 3_000_000_000
    return json.dumps(core)


class Bench:
    """An engine, accounts with keys, and their nonces."""

    def __init__(self, folder, arguments):
        self.random = random.Random(1)
        self.count = arguments.transactions
        self.keys = [Account(word(1_000 + number)) for number in range(KEYED)]
        others = [random.Random(number).randbytes(20) for number in range(arguments.accounts - KEYED)]
        self.people = [key.address for key in self.keys] + others
        self.nonces = [0] * KEYED
        self.engine = Engine.open(str(folder), core_genesis(self.people))
        self.origins = 0
        self.next_origin()

    def next_origin(self):
        """A block at a new origin, made up."""
        self.origins += 1
        header = self.origins.to_bytes(80, "little")
        origin = Origin(
            height=self.origins,
            hash=sha256(sha256(header).digest()).digest(),
            header=header,
            witness_root=bytes(32),
            median_time=1_700_000_000,
            l1_rate=2_500_000_000,
            forced=[],
        )
        self.engine.begin(self.engine.tip().timestamp + 1, origin)
        self.engine.seal()

    def sign(self, sender, to, *, value=0, data=b"", gas=21_000):
        nonce = self.nonces[sender]
        self.nonces[sender] += 1
        return self.keys[sender].sign_transaction(
            chain_id=REGTEST.chain_id,
            nonce=nonce,
            gas_limit=Gas(gas),
            max_fee_per_gas=FEE,
            max_priority_fee_per_gas=Wei(0),
            to=to,
            value=Wei(value),
            data=data,
        )

    def block(self, given, times=None, *, one_by_one=False):
        """Execute, seal and make durable; CPU and wall of the three, and before them of decoding `one_by_one`."""
        engine, spent = self.engine, {}

        def step(name, work):
            cpu, wall = time.process_time(), time.perf_counter()
            result = work()
            spent[name] = (time.process_time() - cpu, time.perf_counter() - wall)
            return result

        engine.begin(engine.tip().timestamp + 1)
        if one_by_one:
            given = step("decode", lambda: [decode_transaction(raw) for raw in given])
        receipts = step("execute", lambda: engine.add_many(given))
        refused = [one for one in receipts if isinstance(one, str)]
        assert not refused, refused[:3]
        assert all(one.status == 1 for one in receipts)
        step("seal", engine.seal)
        step("durable", engine.commit)
        if times is not None:
            for name, both in spent.items():
                times.setdefault(name, []).append(both)

    def transfers(self):
        return [
            self.sign(self.random.randrange(KEYED), self.random.choice(self.people), value=1) for _ in range(self.count)
        ]

    def warm_up(self):
        """Every account appears once, so that measured blocks find them all in the address book."""
        raws = [self.sign(number % KEYED, who, value=1) for number, who in enumerate(self.people)]
        for start in range(0, len(raws), 10_000):
            self.block(raws[start : start + 10_000])

    def deploy(self):
        creation = bytes.fromhex(str(artifact("demo_token")["creation"])[2:])
        raw = self.sign(0, None, data=creation + word(10**30), gas=3_000_000)
        self.engine.begin(self.engine.tip().timestamp + 1)
        self.token = self.engine.add(raw).contract
        self.engine.seal()
        self.block([self.pay(0, key.address, 10**20) for key in self.keys])

    def pay(self, sender, receiver, amount):
        data = TRANSFER_SELECTOR + bytes(12) + receiver + word(amount)
        return self.sign(sender, self.token, data=data, gas=100_000)

    def payments(self):
        return [
            self.pay(self.random.randrange(KEYED), self.keys[self.random.randrange(KEYED)].address, 1)
            for _ in range(self.count)
        ]


def show(title, times, count):
    """One line a step, and the rate."""
    total = [sum(cpu for cpu, _ in run) for run in zip(*times.values(), strict=True)]
    walls = [sum(wall for _, wall in run) for run in zip(*times.values(), strict=True)]
    cpu, wall = statistics.median(total), statistics.median(walls)
    parts = ", ".join(f"{name} {statistics.median(cpu for cpu, _ in rows) * 1e3:.1f}" for name, rows in times.items())
    rate = f"{count / cpu:,.0f} a CPU second" if count else ""
    mean = statistics.fmean(total)
    print(
        f"{title:34} {cpu * 1e3:8.2f} ms CPU (mean {mean * 1e3:.2f}) {wall * 1e3:8.2f} ms wall  ({parts})  {rate}",
        flush=True,
    )
    return cpu


def measured(bench, make, repeat, *, known=False, one_by_one=False):
    times = {}
    for _ in range(repeat):
        raws = make()
        given = decode_transactions(raws) if known else raws
        bench.block(given, times, one_by_one=one_by_one)
    return times


def best_of(repeat, work):
    rows = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        rows.append(time.perf_counter() - start)
    return statistics.median(rows)


def logs(bench):
    """A sparse and a dense query over 10,000 blocks."""
    engine, token = bench.engine, bench.token
    first = engine.tip().number + 1
    raws = [bench.pay(number % KEYED, bench.people[number % 97], 1) for number in range(10_000)]
    rare = bytes(12) + bench.people[-1]
    for number in range(10_000):
        if number % 3_000 == 0:
            bench.next_origin()
        engine.begin(engine.tip().timestamp + 1)
        engine.add(raws[number])
        if number % 2_000 == 1_000:
            engine.add(bench.pay(10_000 + number // 1_000, bench.people[-1], 1))
        engine.seal()
        if number % 100 == 99:
            engine.commit()
    engine.commit()
    last = engine.tip().number
    sparse = ([token], [[TRANSFER_TOPIC], [], [rare]])
    dense = ([token], [[TRANSFER_TOPIC], [], [bytes(12) + who for who in bench.people[:97]]])

    def ask(addresses, topics, count):
        found = engine.logs_json(first, last, addresses, topics, 10_000, result_bytes=25 << 20)
        assert found.count(b"logIndex") == count, found.count(b"logIndex")
        return found

    seconds = best_of(50, lambda: ask(*sparse, 5))
    print(f"sparse logs of {last - first + 1:,} blocks, 5 hits: {seconds * 1e3:.3f} ms as JSON")
    size = len(ask(*dense, 10_000))
    seconds = best_of(9, lambda: ask(*dense, 10_000))
    print(f"10,000 hits in as many blocks: {seconds * 1e3:.1f} ms as JSON of {size:,} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--transactions", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--skip-logs", action="store_true")
    parser.add_argument("--genesis", type=Path)
    arguments = parser.parse_args()
    if arguments.genesis:
        arguments.genesis.write_text(core_genesis([]))
        return
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(arguments.folder or Path(scratch), arguments)
        bench.warm_up()
        count, repeat = bench.count, arguments.repeat
        times = {}
        for _ in range(1_000):
            bench.block([], times)
        show("empty block", times, 0)
        known = show("transfers, senders known", measured(bench, bench.transfers, repeat, known=True), count)
        fresh = show("transfers, senders recovered", measured(bench, bench.transfers, repeat), count)
        alone = show("the same, one by one", measured(bench, bench.transfers, repeat, one_by_one=True), count)
        print(f"senders known: {fresh / known:.2f} times the rate, against one by one {alone / known:.2f} times")
        bench.deploy()
        show("ERC-20, senders known", measured(bench, bench.payments, repeat, known=True), count)
        if not arguments.skip_logs:
            logs(bench)
        bench.engine.close()


if __name__ == "__main__":
    main()
