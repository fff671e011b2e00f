"""The cache of read blocks: bounded by blocks and by transactions, and never wrong after a reorganisation."""

import pytest

from bedroll.api import Limits
from bedroll.api.record import Records, record_of
from bedroll.api.worker import Worker


@pytest.fixture
def worker():
    made = Worker(Limits())
    yield made
    made.close()


async def test_the_cache_is_bounded_by_blocks_and_transactions(chain, worker):
    for _ in range(5):
        chain.seal(step=True)
    records = Records(chain.engine, worker, blocks_max=3, transactions_max=2)
    for height in range(6):
        record = await records.at(height)
        assert record is not None
        assert record.header.number == height
    assert [record.header.number for record in records._kept.values()] == [4, 5]
    records.keep(record_of(chain.engine.block(5)))
    assert records._transactions == 2


async def test_a_block_of_another_branch_is_not_served(chain, worker):
    records = Records(chain.engine, worker)
    chain.seal()
    before = await records.at(2)
    chain.unwind(1)
    assert await records.at(2) is None
    chain.seal(step=True)
    after = await records.at(2)
    assert after.header.hash != before.header.hash
