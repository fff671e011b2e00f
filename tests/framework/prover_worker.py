"""A worker for tests of the prover: the real one's requests, answers and files, without proofs.

Run as a program. Its job's input says what it does: JSON with `shards` (kinds), and optionally `die` (name of a task at
which it ends, once), `die_always`, `fail` (name of a task that it refuses), `swell` (name of a task at which it takes
memory and waits). Each task that it really makes is a line of `made` in the job's folder.
"""

import json
import os
import signal
import sys
from hashlib import sha256
from pathlib import Path

SWELL_BYTES = 64 << 20


def names(job):
    plan = json.loads((job / "input.bin").read_bytes())
    return plan, [f"shard-{place:04}.proof" for place in range(len(plan["shards"]))]


def make(job, name):
    plan, _ = names(job)
    if plan.get("fail") == name:
        raise ValueError("this cannot be proved")
    if plan.get("swell") == name:
        held = bytearray(os.urandom(1024)) * (SWELL_BYTES // 1024)
        signal.pause()
        held.clear()
    mark = job / f"{name}.died"
    if plan.get("die_always") == name or (plan.get("die") == name and not mark.exists()):
        mark.touch()
        os._exit(9)
    file = job / f"{name}.proof"
    if not file.exists():
        file.write_bytes(sha256((job / "input.bin").read_bytes() + name.encode()).digest())
        with (job / "made").open("a") as made:
            made.write(name + "\n")


def answer(asked):
    if asked["do"] == "key":
        program = Path(asked["program"]).read_bytes()
        return {"key": {"elf": sha256(program).hexdigest(), "program": "11" * 32, "groth16": "22" * 32, "key": "33"}}
    if asked["do"] == "verify":
        return {"verdict": None if Path(asked["proof"]).stat().st_size == 32 else "another size"}
    job = Path(asked["job"])
    plan, shards = names(job)
    if asked["do"] == "plan":
        make(job, "plan")
        told = {"cycles": 7, "values": sha256(b"values").hexdigest(), "shards": plan["shards"], "nodes": [shards]}
        return {"planned": told}
    make(job, f"{asked['do']}-{asked['index']:04}")
    return {"made": True}


def main():
    for line in sys.stdin:
        try:
            told = answer(json.loads(line))
        except ValueError as error:
            told = {"failed": str(error)}
        print(json.dumps(told | {"seconds": 2.0, "peak_bytes": 1 << 20}), flush=True)


if __name__ == "__main__":
    main()
