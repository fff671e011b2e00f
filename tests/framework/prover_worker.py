"""A worker for tests of the prover: the real one's requests, answers and files, without proofs.

Run as a program. Its job's input says what it does: JSON with `shards` (kinds), and optionally `die` (name of a task at
which it ends, once), `die_always`, `fail` (name of a task that it refuses), `swell` (name of a task at which it takes
memory and waits), `halt` (names of tasks at which it waits, once each), `cycles`. Each task that it really makes is a
line of `made` in the job's folder, or of the pipe `tell`: name, its process, its parent's, and `made` or `halts`.
"""

import json
import os
import runpy
import signal
import sys
from hashlib import sha256
from pathlib import Path

# By its path: the package would take longer to load than a test with it takes.
nodes = runpy.run_path(str(Path(__file__).parents[2] / "src/bedroll/prover/tree.py"))["nodes"]
SWELL_BYTES = 64 << 20


def tell(job, plan, name, what):
    """One line, whole: writes this short are not mixed."""
    with open(plan.get("tell", job / "made"), "a") as made:
        made.write(f"{name} {os.getpid()} {os.getppid()} {what}\n")


def once(job, plan, name, what):
    """Whether something that happens once has not happened yet."""
    mark = Path(plan.get("marks", job)) / f"{name}.{what}"
    if mark.exists():
        return False
    mark.touch()
    return True


def make(job, plan, name):
    if plan.get("fail") == name:
        raise ValueError("this cannot be proved")
    if plan.get("swell") == name:
        held = bytearray(os.urandom(1024)) * (SWELL_BYTES // 1024)
        signal.pause()
        held.clear()
    if name in plan.get("halt", ()) and once(job, plan, name, "halted"):
        tell(job, plan, name, "halts")
        signal.pause()
    if plan.get("die_always") == name or (plan.get("die") == name and once(job, plan, name, "died")):
        os._exit(9)
    tell(job, plan, name, "made")


def prove(job, plan, name, parts):
    """A proof is a hash of what it stands on, so that one from other parts is another."""
    file = job / f"{name}.proof"
    if not file.exists():
        given = sorted(path.name for path in job.glob("given-*.proof"))
        content = b"".join((job / part).read_bytes() for part in [*given, *parts])
        make(job, plan, name)
        file.write_bytes(sha256(name.encode() + content).digest())


def cut(job):
    """The plan's answer; its files are those of the real one."""
    plan = json.loads((job / "input.bin").read_bytes())
    kinds = plan["shards"]
    tree = [[f"{kind}-{place:04}.proof" for kind, place in parts] for parts in nodes(len(kinds))]
    told = {
        "cycles": plan.get("cycles", 7),
        "values": sha256(json.dumps(kinds).encode()).hexdigest(),
        "shards": kinds,
        "nodes": tree,
    }
    if not (job / "plan.json").exists():
        make(job, plan, "plan")
        for place in range(len(kinds)):
            (job / f"shard-{place:04}.trace").write_bytes((job / "input.bin").read_bytes() + bytes([place]))
        (job / "plan.json").write_text(json.dumps({"asked": plan, "told": told}))
    return told


def answer(asked):
    if asked["do"] == "key":
        program = Path(asked["program"]).read_bytes()
        return {"key": {"elf": sha256(program).hexdigest(), "program": "11" * 32, "groth16": "22" * 32, "key": "33"}}
    if asked["do"] == "verify":
        return {"verdict": None if Path(asked["proof"]).stat().st_size == 32 else "another size"}
    job = Path(asked["job"])
    if asked["do"] == "plan":
        return {"planned": cut(job)}
    plan = json.loads((job / "plan.json").read_text())
    if asked["do"] == "wrap":
        last = job / f"node-{len(plan['told']['nodes']) - 1:04}.proof"
        if not (job / "wrapped.proof").exists():
            make(job, plan["asked"], "wrap")
            (job / "wrapped.proof").write_bytes(b"wrapped" + last.read_bytes())
        return {"made": True}
    name = f"{asked['do']}-{asked['index']:04}"
    parts = [f"{name}.trace"] if asked["do"] == "shard" else plan["told"]["nodes"][asked["index"]]
    prove(job, plan["asked"], name, parts)
    return {"made": True}


def serve(answer):
    """Answer each request of the prover with what the function makes of it."""
    for line in sys.stdin:
        try:
            told = answer(json.loads(line))
        except ValueError as error:
            told = {"failed": str(error)}
        print(json.dumps(told | {"seconds": 2.0, "peak_bytes": 1 << 20}), flush=True)


if __name__ == "__main__":
    serve(answer)
