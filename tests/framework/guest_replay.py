"""A plugin of pytest: every block that the tests of a run make becomes an input of the proved program, in a folder.

`-p tests.framework.guest_replay` with BEDROLL_REPLAY=FOLDER. A block is a batch of its own upon its parent, of the
signed and of the proven form in turns; automatic ones too, which as batches are mostly rejected. `<number>.values` is
what the node states of `<number>.input`; `left.json` counts blocks that were left out, by why. Runs of the settlement
program lie in the folder `settlement` alike, but for those over posted proofs, which are stand-ins.
"""

import json
import os
from hashlib import sha256
from pathlib import Path

import pytest

from bedroll._core._native import encode_batch, program_input
from bedroll.da import BatchForm, BatchHeader, scan_block
from bedroll.light import Settlement
from bedroll.primitives import Invalid, Unavailable
from bedroll.protocol import REGTEST
from tests.framework.execution_pair import Pair
from tests.framework.ledger import Ledger

PROOF_KIND = b"\x05"


class Chain:
    """An engine that a test drives, the origins that it was given, and up to where its blocks were taken."""

    def __init__(self, engine):
        self.engine = engine
        self.origins = {}
        self.taken = 0


class Recorder:
    """Writes inputs and statements, numbered; `left` counts blocks by why they could not be taken."""

    def __init__(self, folder):
        self.folder = folder
        self.settlement = folder / "settlement"
        self.settlement.mkdir()
        self.count = self.settled = 0
        self.left = {}

    def take(self, chain):
        """All blocks since the last time."""
        tip = chain.engine.tip().number
        chain.taken = min(chain.taken, tip)
        for height in range(chain.taken + 1, tip + 1):
            try:
                self.write(*replayed(chain, height))
            except (Invalid, KeyError) as error:
                reason = f"{type(error).__name__}: {error}"
                self.left[reason] = self.left.get(reason, 0) + 1
        chain.taken = tip

    def write(self, given, stated):
        (self.folder / f"{self.count:06}.input").write_bytes(given)
        (self.folder / f"{self.count:06}.values").write_bytes(stated)
        self.count += 1

    def settle(self, step):
        """A run of the settlement program."""
        (self.settlement / f"{self.settled:06}.input").write_bytes(step.input)
        (self.settlement / f"{self.settled:06}.values").write_bytes(step.statement)
        self.settled += 1


def posts_proofs(raw, tag):
    """Whether an L1 block carries a proof of a batch."""
    bodies = [body or b"" for found in scan_block(raw, tag).relevant for _, body, _ in found.objects]
    return any(body[1:2] == PROOF_KIND for body in bodies)


def replayed(chain, height):
    """Input and statement of a block as a batch."""
    engine, block = chain.engine, chain.engine.block(height)
    origins = [chain.origins[block.origin_height]] if block.origin_step else []
    form = BatchForm.PROVEN if height % 2 else BatchForm.SIGNED
    body = encode_batch(engine, height, height, form=int(form))
    header = BatchHeader(
        network=REGTEST.number,
        parent_l2_hash=engine.header(height - 1).hash,
        first_height=height,
        block_count=1,
        first_origin=block.origin_height,
        last_origin=block.origin_height,
        tip_l2_hash=block.header.hash,
        body_hash=sha256(body).digest(),
        form=form,
    )
    signatures = b"".join(block.own_signatures()) if form == BatchForm.PROVEN else None
    return program_input(engine, origins, header=header.encode(), body=body, signatures=signatures, parent=height - 1)


class Watch:
    """Knows all engines of `Ledger` and `Pair`, and takes their blocks before they close."""

    def __init__(self, recorder):
        self.recorder = recorder
        self.chains = {}

    def chain_of(self, owner):
        return self.chains.setdefault(id(owner), (owner, Chain(owner.engine)))[1]

    def origin_made(self, make):
        def made(owner, *args, **fields):
            origin = make(owner, *args, **fields)
            self.chain_of(owner).origins[origin.height] = origin
            return origin

        return made

    def closes(self, close):
        def closing(owner):
            self.recorder.take(self.chain_of(owner))
            del self.chains[id(owner)]
            close(owner)

        return closing

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        result = yield
        for key, (_, chain) in list(self.chains.items()):
            try:
                chain.engine.tip()
            except Unavailable:
                del self.chains[key]
            else:
                self.recorder.take(chain)
        return result

    def pytest_sessionfinish(self):
        (self.recorder.folder / "left.json").write_text(json.dumps(self.recorder.left))

    def advances(self, advance):
        def advanced(settlement, blocks, verdicts, headers, shown=()):
            step = advance(settlement, blocks, verdicts, headers, shown)
            if not shown and not any(posts_proofs(raw, settlement._tag) for raw in blocks):
                self.recorder.settle(step)
            return step

        return advanced


def pytest_configure(config):
    watch = Watch(Recorder(Path(os.environ["BEDROLL_REPLAY"])))
    Ledger.next_origin = watch.origin_made(Ledger.next_origin)
    Pair.origin = watch.origin_made(Pair.origin)
    Pair.close = watch.closes(Pair.close)
    Settlement.advance = watch.advances(Settlement.advance)
    config.pluginmanager.register(watch)
