"""How fast a node derives the chain from local L1 blocks: signatures recovered, blocks executed, roots compared.

    python benches/derivation.py [--transfers 20000] [--accounts 20000] [--block 64] [--batch 2000] [--proven]

A leader makes blocks of plain transfers and posts batches on a handmade L1; then a node with an empty disk reads those
L1 blocks. With `--proven` bodies hold no signatures and proofs follow; a stand-in verifies them (a real one takes
40 ms more, once a batch). Printed: wall and CPU seconds of the second part alone, durable writes included, and
where the time went.
"""

import argparse
import cProfile
import random
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bedroll.da import BatchForm, split  # noqa: E402
from bedroll.primitives import Gas, Wei  # noqa: E402
from bedroll.sdk.account import Account  # noqa: E402
from tests.framework.l1_chain import L1Chain  # noqa: E402
from tests.framework.plain_rollup import PlainVerifier, genesis_on, shown  # noqa: E402
from tests.framework.site import LeaderSite, Site  # noqa: E402

CHUNK_ABOVE = 380_000


def zipf_indices(count, accounts, chance):
    """Receivers: account k with weight 1/k, as workload W1 has them."""
    weights = [1 / (rank + 1) for rank in range(accounts)]
    return chance.choices(range(accounts), weights, k=count)


def make_chain(folder, arguments):
    """(genesis, L1 chain, transfers made) of a leader who posted everything."""
    chance = random.Random(1)
    keys = [Account((1_000 + number).to_bytes(32, "big")) for number in range(arguments.senders)]
    people = [random.Random(number).randbytes(20) for number in range(arguments.accounts)]
    chain = L1Chain()
    funds = Wei(10**24)
    genesis = replace(genesis_on(chain), balances=dict.fromkeys([key.address for key in keys] + people, funds))
    leader = LeaderSite(folder / "leader", genesis, chain, verifier=PlainVerifier())
    form = BatchForm.PROVEN if arguments.proven else BatchForm.SIGNED
    for _ in range(4):
        chain.mine()
    leader.follow()
    receivers = zipf_indices(arguments.transfers, arguments.accounts, chance)
    nonces = [0] * len(keys)
    raws = []
    for number, receiver in enumerate(receivers):
        sender = number % len(keys)
        raws.append(
            keys[sender].sign_transaction(
                chain_id=genesis.network.chain_id,
                nonce=nonces[sender],
                gas_limit=Gas(21_000),
                max_fee_per_gas=Wei(10**12),
                max_priority_fee_per_gas=Wei(chance.choice([0, 10**9, 2 * 10**9])),
                to=people[receiver],
                value=Wei(chance.randint(1, 9_999) * 10 ** chance.randint(10, 15)),
            )
        )
        nonces[sender] += 1
    in_batch = 0
    for start in range(0, len(raws), arguments.block):
        leader.seal(raws[start : start + arguments.block])
        in_batch += arguments.block
        if in_batch >= arguments.batch or start + arguments.block >= len(raws):
            batch = leader.batch(form=form)
            raw, said = batch.encode(), leader.statement(batch)
            leader.post(*([raw] if len(raw) < CHUNK_ABOVE else [chunk.encode() for chunk in split(raw)]))
            if arguments.proven:
                leader.post(shown(said), fee=genesis.network.parameters.proof_fee)
            in_batch = 0
    assert leader.pipeline.safe.height == leader.engine.tip().number
    leader.close()
    return genesis, chain, leader.pipeline.safe


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transfers", type=int, default=20_000)
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--senders", type=int, default=500)
    parser.add_argument("--block", type=int, default=64, help="transfers in an L2 block")
    parser.add_argument("--batch", type=int, default=2_000, help="transfers in a batch")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--proven", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        genesis, chain, tip = make_chain(folder, arguments)
        size = sum(len(raw) for raw in chain.blocks)
        print(f"transfers {arguments.transfers}, L2 blocks {tip.height}, L1 blocks {len(chain.blocks)}, {size:,} bytes")
        for number in range(arguments.repeat):
            site = Site(folder / f"fresh{number}", genesis, chain, verifier=PlainVerifier())
            wall, cpu = time.perf_counter(), time.process_time()
            if arguments.profile:
                cProfile.runctx("site.follow()", {}, {"site": site}, sort="tottime")
            else:
                site.follow()
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            assert site.pipeline.safe == tip
            site.close()
            print(
                f"wall {wall:.2f} s, CPU {cpu:.2f} s: "
                f"{arguments.transfers / wall:,.0f} transfers/s, {arguments.transfers / cpu:,.0f} a CPU second"
            )


if __name__ == "__main__":
    main()
