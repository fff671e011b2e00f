"""A worker for tests of whole provers as processes: it runs both programs upon real inputs, and proves nothing.

Run as a program, with the real one's requests and answers. A proof is what it is for; a run of the settlement program
gives values only where those that it verifies lie in its job's folder.
"""

import json
from hashlib import sha256
from pathlib import Path

import rlp

from bedroll._core._native import run_settlement
from bedroll.da import ProofSystem, StatementKind
from bedroll.execution.proof import run_program
from bedroll.node.proof_verifier import Sp1Verifier
from bedroll.protocol import REGTEST
from tests.framework.plain_rollup import shown
from tests.framework.prover_worker import serve

ROOT = Path(__file__).parents[2]
NAMES = json.loads((ROOT / "src/bedroll/node/program_key/names.json").read_text())
SETTLED_SIZE = 362
VERIFIER = Sp1Verifier.of_network(REGTEST)


def digest(values):
    """Key of the program that gave values."""
    kind = StatementKind.SETTLEMENT if len(values) == SETTLED_SIZE else StatementKind.BATCH
    return VERIFIER.program_digest(kind)


def values_of(job):
    given = (job / "input.bin").read_bytes()
    if sha256((job / "program.elf").read_bytes()).hexdigest() == NAMES["batch"]["elf"]:
        return bytes(run_program(given))
    assert rlp.decode(given)[1:3] == [digest(b""), digest(bytes(SETTLED_SIZE))]
    said = [path.read_bytes()[32:] for path in sorted(job.glob("given-*.proof"))]
    return bytes(run_settlement(given, [(digest(values), values) for values in said], [])[0])


def answer(asked):
    if asked["do"] == "key":
        elf = sha256(Path(asked["program"]).read_bytes()).hexdigest()
        (names,) = [each for each in NAMES.values() if each["elf"] == elf]
        return {"key": names | {"key": ""}}
    job = Path(asked["job"])
    if asked["do"] == "plan":
        values = values_of(job)
        (job / "values.bin").write_bytes(values)
        return {
            "planned": {"cycles": 7, "values": values.hex(), "shards": ["core"], "nodes": [["shard-0000.proof"]]},
        }
    values = (job / "values.bin").read_bytes()
    mark = shown(values, system=ProofSystem.COMPRESSED).proof[:32]
    (job / f"{asked['do']}-{asked['index']:04}.proof").write_bytes(mark + values)
    return {"made": True}


if __name__ == "__main__":
    serve(answer)
