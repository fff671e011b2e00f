"""What is left is the sum of the means of what was not done."""

from bedroll.prover.estimate import FIRST, OTHER_SECONDS, Estimate
from bedroll.prover.job import Plan, Task, TaskState, job_id


def test_what_was_measured_comes_before_what_is_assumed():
    estimate = Estimate({"core": 10.0})
    assert estimate.of("core") == 10.0
    assert estimate.of("memory") == FIRST["memory"]
    assert estimate.of("keccak_permute") == OTHER_SECONDS


def test_done_tasks_take_no_time_and_the_running_one_what_it_has_left():
    tasks = [
        Task(name="shard-0000", kind="core", index=0, state=TaskState.DONE),
        Task(name="shard-0001", kind="core", index=1),
        Task(name="node-0000", kind="node", index=0),
    ]
    estimate = Estimate({"core": 10.0, "node": 4.0})
    assert estimate.left(tasks, {"shard-0001": 7.0}, workers=1) == 7.0
    assert estimate.left(tasks, {"shard-0001": 70.0}, workers=1) == 4.0
    assert estimate.left(tasks[:1], {}, workers=1) == 0.0


def test_many_workers_have_left_the_longest_way_to_the_proof():
    shards = [Task(name=f"shard-{place:04}", kind="core", index=place) for place in range(4)]
    node = Task(name="node-0000", kind="node", index=0, parts=tuple(task.name for task in shards))
    estimate = Estimate({"core": 10.0, "node": 4.0})
    assert estimate.left([*shards, node], {}, workers=1) == 44.0
    assert estimate.left([*shards, node], {}, workers=4) == 14.0
    assert estimate.left([*shards, node], {"shard-0002": 9.0}, workers=2) == 1.0 + 10.0 + 10.0 - 1.0 + 4.0


def test_a_plan_names_shards_before_nodes():
    plan = Plan.of({"cycles": 5, "values": "00ff", "shards": ["core", "memory"], "nodes": [["a"], ["b"]]})
    assert plan.values == b"\x00\xff"
    assert [task.name for task in plan.tasks()] == ["shard-0000", "shard-0001", "node-0000", "node-0001"]
    assert [task.kind for task in plan.tasks()] == ["core", "memory", "node", "node"]


def test_a_job_is_named_by_program_and_input():
    assert job_id(b"a", b"bc") != job_id(b"a", b"bd")
    assert len(job_id(b"", b"")) == 64
