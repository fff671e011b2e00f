"""A dispute from setup to verdict in one process; killed anywhere, the next run goes on. Prints JSON.

With `KILL_AT` it dies before that database statement of its own: the places where what is durable changes.
"""

import asyncio
import json
import os
import signal
import sys
from itertools import count
from pathlib import Path

from bedroll.bitvm.graph import REGTEST, Party
from bedroll.bitvm.lie.catalogue import lies
from bedroll.bitvm.lie.scene import Scene
from bedroll.bitvm.player.duel import Duel, Match
from bedroll.storage import Database
from tests.framework.chain import open_embedded
from tests.framework.dispute_game import BOND_SAT, INSTANCE, book_of, honest


def count_statements(last: int) -> count:
    """Count the statements of all databases from now on, and die before number `last`; 0: never."""
    numbers, execute = count(1), Database.execute

    def counted(self, *given):
        if next(numbers) == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(self, *given)

    Database.execute = counted
    return numbers


async def run(folder: Path) -> dict[str, object]:
    scene = Scene.sample(INSTANCE, 7)
    lie = lies(3)["wrong_result"]
    sent = folder / "sent.jsonl"

    def note(event):
        with sent.open("a") as out:
            wtxid = event.transaction.wtxid.hex()
            out.write(json.dumps([event.party.value, event.name, wtxid, event.transaction.version]) + "\n")

    async with open_embedded(folder / "bitcoin") as chain:
        match = Match(scene.program, book_of(scene), REGTEST, INSTANCE, BOND_SAT)
        duel = Duel(chain.client, folder / "duel", match, note)
        minds = {party: honest(scene, party) for party in Party} | {lie.party: lie.make(scene)}
        await duel.begin(minds, chain.fund, chain.mine)
        for _ in range(400):
            await duel.step()
            position = duel.position()
            if position.end is not None:
                break
            await chain.mine()
        alarms = [alarm.kind for side in duel.sides.values() for alarm in side.alarms]
        duel.close()
    versions: dict[str, set[str]] = {}
    for line in sent.read_text().splitlines():
        party, name, wtxid, version = json.loads(line)
        if version == 3:
            versions.setdefault(f"{party} {name}", set()).add(wtxid)
    return {
        "winner": position.winner, "by": position.by, "alarms": alarms, "moves": len(position.played),
        "twice": [name for name, found in versions.items() if len(found) > 1],
    }  # fmt: skip


if __name__ == "__main__":
    statements = count_statements(int(os.environ.get("KILL_AT", "0")))
    outcome = asyncio.run(run(Path(sys.argv[1])))
    print(json.dumps(outcome | {"statements": next(statements) - 1}))
