"""Derivation once more, as one plain loop over the whole of L1: the oracle of `bedroll.derivation`.

It has no stages, keeps no state between calls and unwinds nothing: after a reorganisation it is called again with the
new chain. Blocks are `tests.framework.plain_chain`'s. Written from the protocol's text (docs/spec/derivation.md),
sharing no code with the package.
"""

import hashlib
from dataclasses import dataclass, field

import msgspec

from bedroll.da import Batch, BatchForm, Chunk, Commitment, Forced, Proof, Rotate, Upgrade, parse_object
from bedroll.primitives import Invalid
from tests.framework.plain_chain import BAD, RULES, plain_child, plain_facts


@dataclass
class ModelTransaction:
    """A relevant transaction: what it paid, and the object bytes of its inputs."""

    fee: int
    bodies: list
    wtxid: bytes


@dataclass
class ModelL1Block:
    hash: bytes
    time: int
    transactions: list


@dataclass
class Waiting:
    """A held batch; of the proven form with what its proof says and where that stands."""

    place: tuple
    batch: Batch
    said: bytes | None = None
    shown_at: tuple | None = None


@dataclass
class Outcome:
    blocks: list
    verdicts: dict = field(default_factory=dict)
    silent_since: int = 0
    leader: bytes = b""
    held: list = field(default_factory=list)
    muted: dict = field(default_factory=dict)
    evidence: int = 0
    automatic_runs: int = 0
    pending: list = field(default_factory=list)
    proven: int = 0
    proven_ranges: list = field(default_factory=list)
    idle: int = 0
    ended: int | None = None
    finalized: list = field(default_factory=list)


def mediantime(times, height):
    """Of a list whose last item is block `height`'s."""
    window = times[max(0, len(times) - 11) :]
    return sorted(window)[len(window) // 2]


@dataclass
class Known:
    """What a chain is told at its birth."""

    network: object
    genesis_block: object
    anchor_height: int
    anchor_time: int
    anchor_hash: bytes
    leader: bytes
    rotation_key: bytes
    l1_link: object


def model(known, l1, forced_id):
    """Derive everything from nothing. `l1`: ModelL1Blocks above the anchor."""
    run = Model(known, forced_id)
    for index, l1_block in enumerate(l1):
        run.take_block(known.anchor_height + 1 + index, l1_block)
    return run.out


class Model:
    """One derivation from the anchor to the tip."""

    def __init__(self, known, forced_id):
        self.known = known
        self.number = known.network.number
        self.p = known.network.parameters
        self.forced_id = forced_id
        self.out = Outcome(blocks=[known.genesis_block], silent_since=known.anchor_height)
        self.rotations = [(0, 0, known.leader)]
        self.series = {}
        self.forced_by_height = {}
        self.refused = set()
        self.promises = []
        self.makers = [""]  # who made each L2 block: a key, or "" for automatic ones
        self.counted = 0
        self.times = [known.anchor_time]
        self.medians = {}
        self.hashes = {known.anchor_height: known.anchor_hash}

    # --- one L1 block -----------------------------------------------------------------------------

    def take_block(self, h, l1_block):
        out, p = self.out, self.p
        self.times.append(l1_block.time)
        self.medians[h] = mediantime(self.times, h)
        self.hashes[h] = l1_block.hash
        out.leader = [key for active, _, key in self.rotations if active <= h][-1]
        out.muted = {key: until for key, until in out.muted.items() if until >= h}
        for waiting in [each for each in out.held if (each.shown_at or each.place)[0] < h - p.proof_ttl]:
            out.held.remove(waiting)
            out.verdicts[waiting.shown_at or waiting.place] = "rejected"
        shown = [each.place for each in out.held if each.said is not None]
        for body in [body for body in out.pending if body[0][0] < h - p.proof_ttl and body[0] not in shown]:
            out.pending.remove(body)
            out.verdicts[body[0]] = "rejected"
        self.counted = 0
        proven_before = out.proven
        self.series = {root: it for root, it in self.series.items() if it["first"] >= h - p.proof_ttl}
        for position, transaction in enumerate(l1_block.transactions):
            self.take_transaction(h, position, transaction)
        if out.proven > proven_before:
            out.idle = 0
        elif self.counted < p.proofs_max:
            out.idle += 1
        if p.proofs_required and out.ended is None and out.idle >= p.exodus_window:
            out.ended = h
        silent = h - out.silent_since
        if (
            out.ended is None
            and silent >= p.auto_block_window
            and (silent - p.auto_block_window) % p.auto_block_step == 0
        ):
            self.make_automatic(h)

    def take_transaction(self, h, position, transaction):
        fee_taken = False
        for number, body in enumerate(transaction.bodies):
            place = (h, position, number)
            try:
                found = parse_object(body)
            except Invalid:
                continue
            if isinstance(found, Chunk):
                found = self.take_chunk(h, place, found)
                if found is None:
                    continue
            strange = isinstance(found, Batch) and not found.is_signed_by(self.out.leader)
            bears = isinstance(found, Forced | Proof) or strange
            if bears and fee_taken:
                self.out.verdicts[place] = "rejected"
                continue
            fee_taken = fee_taken or bears
            self.take_object(h, place, found, transaction)

    def take_chunk(self, h, place, chunk):
        """The batch that a chunk completes, or None."""
        it = self.series.setdefault(chunk.root, {"first": h, "parts": {}})
        if chunk.index in it["parts"]:
            self.out.verdicts[place] = "rejected"
            return None
        it["parts"][chunk.index] = chunk.data
        if len(it["parts"]) < chunk.count:
            self.out.verdicts[place] = "pending"
            return None
        del self.series[chunk.root]
        try:
            found = parse_object(b"".join(it["parts"][at] for at in range(chunk.count)))
        except Invalid:
            found = None
        if not isinstance(found, Batch | Proof):
            self.out.verdicts[place] = "rejected"
            return None
        return found

    def take_object(self, h, place, found, transaction):
        out = self.out
        if isinstance(found, Forced):
            self.forced_by_height.setdefault(h, []).append(self.forced_id(self.number, transaction.wtxid))
            out.verdicts[place] = "pending"
        elif isinstance(found, Rotate):
            highest = max(n for _, n, _ in self.rotations)
            ok = found.network == self.number and found.n > highest and found.is_signed_by(self.known.rotation_key)
            if ok:
                self.rotations.append((h + self.p.finality_depth, found.n, found.key))
            out.verdicts[place] = "pending" if ok else "rejected"
        elif isinstance(found, Commitment):
            self.take_commitment(h, place, found)
        elif isinstance(found, Upgrade) or out.ended is not None:
            out.verdicts[place] = "rejected"
        elif isinstance(found, Batch):
            self.take_batch(h, place, found)
        elif isinstance(found, Proof):
            self.take_proof(h, place, found, transaction.fee)

    # --- commitments ------------------------------------------------------------------------------

    def take_commitment(self, h, place, found):
        out = self.out
        first = max(self.known.anchor_height, h - self.p.commitment_age_max)
        anchors = [self.hashes[height] for height in range(first, h)]
        ok = found.is_signed_by(out.leader) and found.anchor_hash in anchors
        out.verdicts[place] = "pending" if ok else "rejected"
        if not ok:
            return
        said = (out.leader, found.parent_tip, found.block_count, found.new_tip)
        for before in self.promises:
            if before[:3] == said[:3] and before[3] != said[3]:
                out.evidence += 1
        target = self.resolve(said)
        if said not in self.promises and target is not None and out.blocks[target].hash != said[3]:
            out.evidence += 1
        self.promises.append(said)

    def check_promises(self, first_new):
        """Count promises that derived blocks of the same leader contradict."""
        for promise in self.promises:
            target = self.resolve(promise)
            if target is not None and target >= first_new and self.out.blocks[target].hash != promise[3]:
                self.out.evidence += 1

    def resolve(self, promise):
        """Height a promise speaks of, if all blocks from its root to there are its leader's; else None."""
        leader_key, root, offset, _ = promise
        for block in self.out.blocks:
            if block.hash == root:
                target = block.height + offset
                made_by = set(self.makers[block.height + 1 : target + 1])
                if target < len(self.out.blocks) and made_by == {leader_key}:
                    return target
        return None

    # --- batches ----------------------------------------------------------------------------------

    def take_batch(self, h, place, batch):
        out = self.out
        tip, header, lead = out.blocks[-1], batch.header, out.leader
        proven = header.form == BatchForm.PROVEN
        muted = lead in out.muted and not proven
        refuse = header.network != self.number or not batch.is_signed_by(lead) or muted
        if refuse or header.first_height <= tip.height:
            out.verdicts[place] = "rejected"
        elif proven:
            out.pending.append((place, batch))
            out.verdicts[place] = "pending"
        elif header.first_height > tip.height + 1:
            same = any(waiting.batch.header == header for waiting in out.held)
            if same or len(out.held) >= self.p.held_batches_max:
                out.verdicts[place] = "rejected"
            else:
                out.held.append(Waiting(place, batch))
                out.verdicts[place] = "pending"
        elif self.judge(h, place, batch):
            self.judge_held(h)

    def take_proof(self, h, place, found, fee):
        """A proof makes the first body that it names part of the chain, or held, if all it says is so."""
        out, p = self.out, self.p
        out.verdicts[place] = "rejected"
        said = found.public_values
        if fee < p.proof_fee or found.system not in p.proof_systems or found.statement != 1:
            return
        if len(said) != 387 or said[0] != 1:
            return
        named = [body for body in out.pending if bytes(body[1].header.signing_hash()) == said[34:66]]
        if not named or self.counted >= p.proofs_max:
            return
        self.counted += 1
        true = hashlib.sha256(b"proof" + said).digest() == found.proof[:32]
        sound = true and said[1] == self.number and said[2:34] == RULES and said[322] == 0
        if named[0][1].header.first_height == out.blocks[-1].height + 1:
            fitting = [body for body in named if self.fits_tip(*body)]
            if fitting and sound and self.is_about(said, fitting[0][1]) and self.judge(h, *fitting[0], place):
                self.judge_held(h)
            return
        same = any(each.batch.header == named[0][1].header and each.said == said for each in out.held)
        if sound and not same and len(out.held) < p.held_batches_max:
            out.held.append(Waiting(*named[0], said, place))
            out.verdicts[place] = "pending"

    def is_about(self, said, batch):
        """Whether a statement speaks of this batch upon the tip."""
        tip, digest = self.out.blocks[-1], bytes(32)
        for height in range(tip.origin_height + 1, batch.header.last_origin + 1):
            digest = self.known.l1_link(digest, height)
        expected = tip.hash + plain_facts(tip) + digest
        return said[66:162] == expected and said[323:355] == batch.header.tip_l2_hash

    def fits_tip(self, place, batch):
        """Whether a header may follow the tip."""
        tip, header = self.out.blocks[-1], batch.header
        youngest = max(place[0] - self.p.finality_depth, tip.origin_height)
        step = header.first_origin - tip.origin_height
        misfit = header.parent_l2_hash != tip.hash or step not in (0, 1) or header.last_origin > youngest
        return not (misfit or (tip.height == 0 and step == 0) or bytes(header.signing_hash()) in self.refused)

    def judge(self, h, place, batch, shown_at=None):
        """Try a batch on the tip; True if it was accepted."""
        out, p = self.out, self.p
        header = batch.header
        if not self.fits_tip(place, batch):
            out.verdicts[shown_at or place] = "rejected"
            return False
        new = self.build(batch)
        if shown_at is not None:
            out.pending = [body for body in out.pending if body[0] != place]
        if new is None and shown_at is not None:
            out.verdicts[place] = out.verdicts[shown_at] = "rejected"
            return False
        if new is None:
            out.verdicts[place] = "rejected"
            self.refused.add(bytes(header.signing_hash()))
            out.muted[batch.leader_key] = h + p.finality_depth
            for waiting in [each for each in out.held if each.batch.leader_key == batch.leader_key]:
                if waiting.said is None:
                    out.held.remove(waiting)
                    out.verdicts[waiting.place] = "rejected"
            return False
        out.blocks.extend(new)
        self.makers.extend([batch.leader_key] * len(new))
        self.refused.clear()
        out.verdicts[place] = ("accepted", new[0].height, new[-1].height)
        if shown_at is not None:
            out.verdicts[shown_at] = out.verdicts[place]
            out.proven_ranges.append((new[0].height, new[-1].height))
            while any(first <= out.proven + 1 <= last for first, last in out.proven_ranges):
                out.proven = max(last for first, last in out.proven_ranges if first <= out.proven + 1)
        self.drop_overtaken()
        if header.last_origin >= place[0] - p.finality_depth - p.max_origin_lag:
            out.silent_since = h
        self.check_promises(new[0].height)
        return True

    def build(self, batch):
        """The batch's blocks, or None where any rule is broken."""
        header = batch.header
        try:
            rows = msgspec.msgpack.decode(batch.body, type=list[tuple[int, bool, list[bytes]]])
        except msgspec.DecodeError:
            return None
        if len(rows) != header.block_count:
            return None
        whole = list(self.out.blocks)
        for timestamp, step, transactions in rows:
            parent = whole[-1]
            origin = parent.origin_height + (1 if step else 0)
            first = parent is self.out.blocks[-1]
            if origin > header.last_origin or (first and origin != header.first_origin):
                return None
            if not self.fits(whole, timestamp, step, origin) or BAD in transactions:
                return None
            taken = self.origin_of(origin) if step else None
            whole.append(plain_child(parent, timestamp, taken, False, transactions))
        new = whole[len(self.out.blocks) :]
        if new[-1].origin_height != header.last_origin or new[-1].hash != header.tip_l2_hash:
            return None
        return new

    def fits(self, whole, timestamp, step, origin):
        """Whether a block may follow a chain, by time and by its origin's count."""
        p, parent = self.p, whole[-1]
        if not step and sum(1 for block in whole if block.origin_height == origin) >= p.origin_blocks_max:
            return False
        lowest, highest = max(parent.timestamp, self.medians[origin]), None
        if p.timestamp_lead_max is not None:
            highest = max(parent.timestamp, self.medians[origin] + p.timestamp_lead_max)
        if timestamp < lowest or (highest is not None and timestamp > highest):
            return False
        run = 0
        for block in reversed(whole):
            if block.timestamp != timestamp:
                break
            run += 1
        return run < p.second_blocks_max or timestamp == highest

    def judge_held(self, h):
        out = self.out
        again = True
        while again:
            again = False
            for waiting in list(out.held):
                if waiting.batch.header.first_height <= out.blocks[-1].height:
                    out.held.remove(waiting)
                    out.verdicts[waiting.shown_at or waiting.place] = "rejected"
            for waiting in list(out.held):
                if waiting in out.held and waiting.batch.header.first_height == out.blocks[-1].height + 1:
                    out.held.remove(waiting)
                    fits = self.fits_tip(waiting.place, waiting.batch)
                    if waiting.said is not None and not (fits and self.is_about(waiting.said, waiting.batch)):
                        out.verdicts[waiting.shown_at] = "rejected"
                    elif self.judge(h, waiting.place, waiting.batch, waiting.shown_at):
                        again = True
                        break

    def drop_overtaken(self):
        """Bodies that begin no higher than the tip can extend nothing any more."""
        out = self.out
        for body in [body for body in out.pending if body[1].header.first_height <= out.blocks[-1].height]:
            out.pending.remove(body)
            out.verdicts[body[0]] = "rejected"

    # --- silence ----------------------------------------------------------------------------------

    def origin_of(self, height):
        return (height, self.hashes[height], tuple(self.forced_by_height.get(height, ())))

    def make_automatic(self, h):
        blocks = self.out.blocks
        made = len(blocks)
        for origin in range(blocks[-1].origin_height + 1, h - self.p.finality_depth + 1):
            for count in range(self.p.automatic_blocks_per_origin_max):
                parent = blocks[-1]
                if count and not parent.queue:
                    break
                timestamp = max(parent.timestamp, self.medians[origin])
                blocks.append(plain_child(parent, timestamp, None if count else self.origin_of(origin), True, ()))
                self.makers.append("")
        if len(blocks) > made:
            self.out.automatic_runs += 1
            self.drop_overtaken()
            self.refused.clear()
            self.judge_held(h)
