"""The tree merges each shard once and in order, and many workers take as long as its longest path."""

import pytest

from bedroll.prover.tree import ARITY, makespan, nodes


def leaves(tree, part):
    kind, place = part
    return [place] if kind == "shard" else [leaf for below in tree[place] for leaf in leaves(tree, below)]


@pytest.mark.parametrize("count", [1, 2, 4, 5, 6, 7, 16, 17, 63, 64, 65, 200])
def test_every_shard_is_merged_once_in_order_by_as_few_nodes_as_can_be(count):
    tree = nodes(count)
    assert leaves(tree, ("node", len(tree) - 1)) == list(range(count))
    assert len(tree) == max(-(-(count - 1) // (ARITY - 1)), 1)
    assert all(1 <= len(parts) <= ARITY for parts in tree)


def test_one_worker_takes_the_sum():
    assert makespan([10.0, 20.0, 30.0, 40.0, 50.0], 5.0, 1) == 150.0 + 2 * 5.0


def test_many_workers_take_the_longest_path():
    assert makespan([10.0] * 64, 5.0, 1_000) == 10.0 + 3 * 5.0
    assert makespan([10.0] * 64, 5.0, 64) == 10.0 + 3 * 5.0


def test_more_workers_are_never_slower():
    shards = [float(10 + place % 7) for place in range(50)]
    times = [makespan(shards, 4.0, workers) for workers in (1, 2, 4, 8, 16, 64)]
    assert times == sorted(times, reverse=True)
