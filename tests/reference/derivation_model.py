"""Derivation once more, as one plain loop over the whole of L1: the oracle of `bedroll.derivation`.

It has no stages, keeps no state between calls and unwinds nothing: after a reorganisation it is called again with the
new chain. Blocks are `tests.framework.plain_chain`'s. Written from the protocol's text (docs/spec/derivation.md),
sharing no code with the package.
"""

from dataclasses import dataclass, field

import msgspec

from bedroll.da import Batch, Chunk, Commitment, Forced, Rotate, Upgrade, parse_object
from bedroll.primitives import Invalid
from tests.framework.plain_chain import BAD, plain_child


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
class Outcome:
    blocks: list
    verdicts: dict = field(default_factory=dict)
    silent_since: int = 0
    leader: bytes = b""
    held: list = field(default_factory=list)
    muted: dict = field(default_factory=dict)
    evidence: int = 0
    automatic_runs: int = 0


def mediantime(times, height):
    """Of a list whose last item is block `height`'s."""
    window = times[max(0, len(times) - 11) :]
    return sorted(window)[len(window) // 2]


def model(network, genesis_block, anchor_height, anchor_time, anchor_hash, leader, rotation_key, l1, forced_id):
    """Derive everything from nothing. `l1`: ModelL1Blocks above the anchor."""
    p = network.parameters
    c, lag, v, w = p.finality_depth, p.max_origin_lag, p.proof_ttl, p.auto_block_window
    out = Outcome(blocks=[genesis_block], silent_since=anchor_height)
    rotations = [(0, 0, leader)]
    series = {}
    forced_by_height = {}
    refused = set()
    promises = []
    makers = ["" for _ in out.blocks]  # who made each L2 block: a key, or "" for automatic ones
    times = [anchor_time]
    medians = {}
    hashes = {anchor_height: anchor_hash}

    def origin_of(height):
        return (height, hashes[height], tuple(forced_by_height.get(height, ())))

    def judge(h, place, batch):
        """Try a batch on the tip; True if it was accepted."""
        tip = out.blocks[-1]
        header = batch.header
        youngest = max(place[0] - c, tip.origin_height)
        step = header.first_origin - tip.origin_height
        first_misses_step = tip.height == 0 and step == 0
        if (
            header.parent_l2_hash != tip.hash
            or step not in (0, 1)
            or first_misses_step
            or header.last_origin > youngest
        ):
            out.verdicts[place] = "rejected"
            return False
        if bytes(header.signing_hash()) in refused:
            out.verdicts[place] = "rejected"
            return False
        new = build(batch)
        if new is None:
            out.verdicts[place] = "rejected"
            refused.add(bytes(header.signing_hash()))
            out.muted[batch.leader_key] = h + c
            for waiting in [waiting for waiting in out.held if waiting[1].leader_key == batch.leader_key]:
                out.held.remove(waiting)
                out.verdicts[waiting[0]] = "rejected"
            return False
        out.blocks.extend(new)
        makers.extend([batch.leader_key] * len(new))
        refused.clear()
        out.verdicts[place] = ("accepted", new[0].height, new[-1].height)
        if header.last_origin >= place[0] - c - lag:
            out.silent_since = h
        check_promises(new[0].height)
        return True

    def build(batch):
        """The batch's blocks, or None where any rule is broken."""
        tip = out.blocks[-1]
        header = batch.header
        try:
            rows = msgspec.msgpack.decode(batch.body, type=list[tuple[int, bool, list[bytes]]])
        except msgspec.DecodeError:
            return None
        if len(rows) != header.block_count:
            return None
        new = []
        for timestamp, step, transactions in rows:
            parent = new[-1] if new else tip
            origin = parent.origin_height + (1 if step else 0)
            if origin > header.last_origin or (not new and origin != header.first_origin):
                return None
            whole = out.blocks + new
            if not step and sum(1 for block in whole if block.origin_height == origin) >= p.origin_blocks_max:
                return None
            lowest = max(parent.timestamp, medians[origin])
            highest = None
            if p.timestamp_lead_max is not None:
                highest = max(parent.timestamp, medians[origin] + p.timestamp_lead_max)
            if timestamp < lowest or (highest is not None and timestamp > highest):
                return None
            run = 0
            for block in reversed(whole):
                if block.timestamp != timestamp:
                    break
                run += 1
            if run >= p.second_blocks_max and timestamp != highest:
                return None
            if BAD in transactions:
                return None
            new.append(plain_child(parent, timestamp, origin_of(origin) if step else None, False, transactions))
        if new[-1].origin_height != header.last_origin or new[-1].hash != header.tip_l2_hash:
            return None
        return new

    def judge_held(h):
        again = True
        while again:
            again = False
            for waiting in list(out.held):
                if waiting[1].header.first_height <= out.blocks[-1].height:
                    out.held.remove(waiting)
                    out.verdicts[waiting[0]] = "rejected"
            for waiting in list(out.held):
                if waiting in out.held and waiting[1].header.first_height == out.blocks[-1].height + 1:
                    out.held.remove(waiting)
                    if judge(h, *waiting):
                        again = True
                        break

    def check_promises(first_new):
        """Count promises that derived blocks of the same leader contradict."""
        for promise in promises:
            target = resolve(promise)
            if target is not None and target >= first_new and out.blocks[target].hash != promise[3]:
                out.evidence += 1

    def resolve(promise):
        """Height a promise speaks of, if all blocks from its root to there are its leader's; else None."""
        leader_key, root, offset, _ = promise
        for block in out.blocks:
            if block.hash == root:
                target = block.height + offset
                if target < len(out.blocks) and set(makers[block.height + 1 : target + 1]) == {leader_key}:
                    return target
        return None

    for index, l1_block in enumerate(l1):
        h = anchor_height + 1 + index
        times.append(l1_block.time)
        medians[h] = mediantime(times, h)
        hashes[h] = l1_block.hash
        lead = [key for active, _, key in rotations if active <= h][-1]
        out.leader = lead
        out.muted = {key: until for key, until in out.muted.items() if until >= h}
        for waiting in [waiting for waiting in out.held if waiting[0][0] < h - v]:
            out.held.remove(waiting)
            out.verdicts[waiting[0]] = "rejected"
        series = {root: known for root, known in series.items() if known["first"] >= h - v}

        for position, transaction in enumerate(l1_block.transactions):
            fee_taken = False
            for number, body in enumerate(transaction.bodies):
                place = (h, position, number)
                try:
                    found = parse_object(body)
                except Invalid:
                    continue
                if isinstance(found, Chunk):
                    known = series.setdefault(found.root, {"first": h, "parts": {}})
                    if found.index in known["parts"]:
                        out.verdicts[place] = "rejected"
                        continue
                    known["parts"][found.index] = found.data
                    if len(known["parts"]) < found.count:
                        out.verdicts[place] = "pending"
                        continue
                    del series[found.root]
                    try:
                        found = parse_object(b"".join(known["parts"][at] for at in range(found.count)))
                    except Invalid:
                        out.verdicts[place] = "rejected"
                        continue
                    if not isinstance(found, Batch):
                        out.verdicts[place] = "rejected"
                        continue
                bears = isinstance(found, Forced) or (isinstance(found, Batch) and not found.is_signed_by(lead))
                if bears and fee_taken:
                    out.verdicts[place] = "rejected"
                    continue
                fee_taken = fee_taken or bears

                if isinstance(found, Forced):
                    forced_by_height.setdefault(h, []).append(forced_id(network.number, transaction.wtxid))
                    out.verdicts[place] = "pending"
                elif isinstance(found, Rotate):
                    highest = max(n for _, n, _ in rotations)
                    ok = found.network == network.number and found.n > highest and found.is_signed_by(rotation_key)
                    if ok:
                        rotations.append((h + c, found.n, found.key))
                    out.verdicts[place] = "pending" if ok else "rejected"
                elif isinstance(found, Commitment):
                    anchors = [hashes[known] for known in range(max(anchor_height, h - p.commitment_age_max), h)]
                    ok = found.is_signed_by(lead) and found.anchor_hash in anchors
                    out.verdicts[place] = "pending" if ok else "rejected"
                    if ok:
                        said = (lead, found.parent_tip, found.block_count, found.new_tip)
                        for before in promises:
                            if before[:3] == said[:3] and before[3] != said[3]:
                                out.evidence += 1
                        target = resolve(said)
                        if said not in promises and target is not None and out.blocks[target].hash != said[3]:
                            out.evidence += 1
                        promises.append(said)
                elif isinstance(found, Upgrade):
                    out.verdicts[place] = "rejected"
                elif isinstance(found, Batch):
                    tip = out.blocks[-1]
                    header = found.header
                    refuse = header.network != network.number or not found.is_signed_by(lead) or lead in out.muted
                    if refuse or header.first_height <= tip.height:
                        out.verdicts[place] = "rejected"
                    elif header.first_height > tip.height + 1:
                        same = any(waiting[1].header == header for waiting in out.held)
                        if same or len(out.held) >= p.held_batches_max:
                            out.verdicts[place] = "rejected"
                        else:
                            out.held.append((place, found))
                            out.verdicts[place] = "pending"
                    elif judge(h, place, found):
                        judge_held(h)

        silent = h - out.silent_since
        if silent >= w and (silent - w) % p.auto_block_step == 0:
            made = len(out.blocks)
            for origin in range(out.blocks[-1].origin_height + 1, h - c + 1):
                for count in range(p.automatic_blocks_per_origin_max):
                    parent = out.blocks[-1]
                    if count and not parent.queue:
                        break
                    timestamp = max(parent.timestamp, medians[origin])
                    out.blocks.append(plain_child(parent, timestamp, None if count else origin_of(origin), True, ()))
                    makers.append("")
            if len(out.blocks) > made:
                out.automatic_runs += 1
                refused.clear()
                judge_held(h)
    return out
