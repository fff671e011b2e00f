"""Engines as processes that answer cases line by line, and their answers held against each other."""

import hashlib
import json
import os
import subprocess
from contextlib import ExitStack
from pathlib import Path

from tests.framework import evm_case

ROOT = Path(__file__).resolve().parents[2]


def core():
    """Builds the core's side of the comparison; its command."""
    profile = os.environ.get("PROFILE", "quick")
    target = os.environ.get("CARGO_TARGET_DIR") or str(Path.home() / ".cache/bedroll/target")
    build = ["cargo", "build", "--locked", "--quiet", "--profile", profile, "-p", "bedroll-core"]
    place = os.environ | {"CARGO_TARGET_DIR": target}
    subprocess.run([*build, "--example", "differential"], cwd=ROOT, env=place, check=True)
    return [f"{target}/{profile}/examples/differential"]


def commands(peers):
    """Commands of the core and of these peers, as `make peers` places them."""
    folder = Path(os.environ.get("BEDROLL_PEERS", Path.home() / ".cache/bedroll/peers"))
    known = {
        "spec": [str(folder / "spec/bin/python"), str(ROOT / "tests/peer/spec.py")],
        "ethrex": [str(folder / "ethrex/release/bedroll-peer")],
    }
    return {"core": core()} | {name: known[name] for name in peers}


class Engine:
    """One process; it is asked and answers in turn."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def ask(self, line):
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the engine ended with {self.process.wait()}")
        return json.loads(line)


class Engines:
    """The core and its peers, by name."""

    def __init__(self, commands):
        self.commands, self.stack, self.engines = commands, ExitStack(), {}

    def __enter__(self):
        for name, command in self.commands.items():
            self.engines[name] = self.stack.enter_context(Engine(command))
        return self

    def __exit__(self, *_):
        self.stack.close()

    def judge(self, case):
        """Answers by engine."""
        line = (json.dumps(case) + "\n").encode()
        for engine in self.engines.values():
            engine.ask(line)
        answers = {name: engine.answer() for name, engine in self.engines.items()}
        # Each says in its own words why a block is invalid.
        return {name: answer if "refused" not in answer else {"refused": True} for name, answer in answers.items()}

    def disagree(self, case):
        answers = list(self.judge(case).values())
        return any(answer != answers[0] for answer in answers)


def differences(answers):
    """What the engines say differently: by field, and of transactions by place."""
    said = {name: dict(answer) for name, answer in answers.items()}
    for answer in said.values():
        answer |= {f"transaction {at}": did for at, did in enumerate(answer.pop("transactions", ()))}
    fields = {field: None for answer in said.values() for field in answer}
    shown = {field: {name: answer.get(field) for name, answer in said.items()} for field in fields}
    return {field: values for field, values in shown.items() if len({json.dumps(v) for v in values.values()}) > 1}


def shrink(engines, case):
    """The same disagreement with fewer transactions, then fewer accounts."""
    for place in range(len(case["transactions"]) - 1, -1, -1):
        left = [raw for at, raw in enumerate(case["transactions"]) if at != place]
        if engines.disagree(tried := case | {"transactions": left}):
            case = tried
    for address in case["pre"].keys() - evm_case.SYSTEM.keys():
        left = {name: held for name, held in case["pre"].items() if name != address}
        if engines.disagree(tried := case | {"pre": left}):
            case = tried
    return case


def run(engines, seed, numbers, progress=None):
    """(transactions by what became of them, disagreements as (number, answers), SHA-256 of all verdicts)."""
    counts = {"succeeded": 0, "failed": 0, "refused": 0}
    found, digest = [], hashlib.sha256()
    for done, number in enumerate(numbers, 1):
        answers = engines.judge(evm_case.make(seed, number))
        first = next(iter(answers.values()))
        if any(answer != first for answer in answers.values()):
            found.append((number, answers))
        digest.update(json.dumps(first, sort_keys=True).encode())
        for verdict in first.get("transactions", ()):
            counts["refused" if verdict is None else "succeeded" if verdict["success"] else "failed"] += 1
        if progress:
            progress(done, counts, found)
    return counts, found, digest.hexdigest()
