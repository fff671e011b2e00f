"""A rollup of plain blocks on a handmade L1: a leader who may lie, a pipeline, and the oracle beside it."""

import hashlib
from dataclasses import replace
from itertools import count

from bedroll.crypto import schnorr, sha256
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.da import (
    Batch,
    BatchForm,
    BatchHeader,
    Commitment,
    Forced,
    Proof,
    ProofSystem,
    Rotate,
    StatementKind,
    parse_object,
    split,
)
from bedroll.derivation import Pipeline
from bedroll.derivation.forced_queue import forced_id
from bedroll.derivation.record import EvidenceFound, L1Unwound, ObjectJudged
from bedroll.derivation.verdict import Accepted, Pending
from bedroll.execution.genesis import Genesis
from bedroll.protocol import REGTEST
from tests.reference.derivation_model import Known, ModelL1Block, ModelTransaction, model

from .l1_block import double_sha256
from .l1_chain import ANCHOR_TIME, Grinder, L1Chain
from .plain_chain import BAD, RULES, PlainExecutor, plain_body, plain_child, plain_facts, plain_genesis
from .plain_settlement import PlainSettlement, facts_of


def key_named(name):
    return SecretKey(bytes(sha256(name.encode())))


LEADER, OTHER = key_named("leader"), key_named("other")
ROTATION, UPGRADE = key_named("rotation"), key_named("upgrade")


def signed(thing, key):
    """A copy of an object with the signature of `key`."""
    return replace(thing, signature=schnorr.sign(key, thing.signing_hash()))


def genesis_on(chain, network=REGTEST):
    return Genesis(
        network=network,
        anchor_height=chain.anchor_height,
        anchor_hash=chain.anchor_hash,
        timestamp=ANCHOR_TIME,
        leader_key=LEADER.x_only,
        rotation_key=ROTATION.x_only,
        upgrade_key=UPGRADE.x_only,
        fee_recipient=bytes(20),
    )


def shown(values, *, system=ProofSystem.GROTH16, statement=StatementKind.BATCH, size=356):
    """A proof that `PlainVerifier` takes."""
    proof = hashlib.sha256(b"proof" + values).digest() + bytes(size - 32)
    return Proof(statement=statement, system=system, public_values=values, proof=proof)


class PlainVerifier:
    """Takes a hash for a proof. The real one is tested with real proofs in tests/unit/crypto/test_proof.py."""

    def __init__(self):
        self.asked = 0
        self.shown = []

    def is_valid(self, proof):
        self.asked += 1
        valid = proof.proof[:32] == hashlib.sha256(b"proof" + proof.public_values).digest()
        if valid:
            self.shown.append((proof.public_values, proof.proof))
        return valid


class PlainRollup:
    """Stages transactions, mines them, and can compare the pipeline with the model after each step."""

    def __init__(self, network=REGTEST):
        self.network = network
        self.chain = L1Chain()
        self.grinder = Grinder(network.parameters.tag)
        self.genesis = genesis_on(self.chain, network)
        self.first_block = plain_genesis(ANCHOR_TIME, self.chain.anchor_height)
        self.executor = PlainExecutor(self.first_block)
        self.verifier = PlainVerifier()
        self.settlement = PlainSettlement(self)
        self.settles = True
        self.pipeline = self.new_pipeline(self.executor)
        self.history = []
        self.records = []
        self.checkpoints = []
        self.objects = {}
        self.staged = []
        self.private = [self.first_block]
        self.serial = count()

    def new_pipeline(self, executor):
        return Pipeline(
            self.genesis,
            self.chain.anchor_times,
            executor,
            verifier=self.verifier,
            on_question=self.settlement.ask,
        )

    # --- L1 ---------------------------------------------------------------------------------------

    def stage(self, *bodies, fee=0):
        """Put a transaction into the next block; returns its index among the staged ones."""
        self.staged.append((self.grinder.carry(*bodies, fee=fee), bodies, fee))
        return len(self.staged) - 1

    def mine(self, *, time=None):
        """Mine what is staged and derive it."""
        staged, self.staged = self.staged, []
        raw = self.chain.mine(*[transaction for transaction, _, _ in staged], time=time)
        self.history.append(
            ModelL1Block(
                hash=self.chain.tip,
                time=int.from_bytes(raw[68:72], "little"),
                transactions=[ModelTransaction(fee, bodies, double_sha256(full)) for (full, _), bodies, fee in staged],
            )
        )
        self.settlement.asked.clear()
        self.verifier.shown.clear()
        step = self.pipeline.advance(raw)
        if self.settles:
            self.settlement.shown = list(self.verifier.shown)
            self.settlement.advance(raw)
        self.records.extend(step.records)
        checkpoint = self.pipeline.checkpoint()
        self.checkpoints.append(checkpoint)
        for reference in checkpoint.references:
            self.objects[reference] = self.pipeline.object_bytes(reference)
        self.private = list(self.executor.blocks)
        return step

    def quiet(self, blocks):
        """Mine blocks with nothing in them."""
        for _ in range(blocks):
            step = self.mine()
        return step

    def reorganise(self, depth):
        """Drop the newest blocks, from the pipeline too."""
        height = self.chain.height - depth
        self.chain.fork(height)
        del self.history[height - self.chain.anchor_height :]
        del self.checkpoints[height - self.chain.anchor_height :]
        step = self.pipeline.unwind(height)
        self.records = [record for record in self.records if _height_of(record) <= height]
        self.private = list(self.executor.blocks)
        return step

    def restart(self):
        """A new pipeline from what was stored of the old one."""
        again = self.new_pipeline(self.executor)
        needed = [point for point in self.checkpoints if point.height >= self.pipeline.needed_from()]
        if needed:
            assert again.restore(needed, self.objects.__getitem__)
            self.pipeline = again

    # --- the leader -------------------------------------------------------------------------------

    @property
    def next_height(self):
        return self.chain.height + 1

    def forced_of(self, height):
        """Ids of forced messages of an L1 block, by the history."""
        found = []
        for transaction in self.history[height - self.chain.anchor_height - 1].transactions:
            for body in transaction.bodies:
                if body[:2] == b"\x01\x03":
                    found.append(forced_id(self.network.number, transaction.wtxid))
                    break
        return tuple(found)

    def grow(self, parent, *, blocks=1, steps=1, transactions=(), youngest=None):
        """(rows of a body, blocks) of an honest leader upon `parent`."""
        youngest = self.next_height - self.network.parameters.finality_depth if youngest is None else youngest
        rows, made = [], []
        for index in range(blocks):
            tip = made[-1] if made else parent
            step = index < steps and tip.origin_height < youngest
            origin_height = tip.origin_height + step
            origin = None
            if step:
                origin = (origin_height, self.chain.hash_at(origin_height), self.forced_of(origin_height))
            timestamp = tip.timestamp + 2
            if origin_height > self.chain.anchor_height:
                timestamp = max(timestamp, self.pipeline.origin(origin_height).median_time)
            content = [*transactions, str(next(self.serial)).encode()]
            rows.append((timestamp, step, content))
            made.append(plain_child(tip, timestamp, origin, False, content))
        return rows, made

    def batch(self, parent, rows, tip_hash, *, key=LEADER, body=None, **header):
        """A signed batch; `header` overrides single fields."""
        body = plain_body(rows) if body is None else body
        steps = sum(step for _, step, _ in rows)
        first_step = rows[0][1] if rows else 0
        fields = {
            "network": self.network.number,
            "parent_l2_hash": parent.hash,
            "first_height": parent.height + 1,
            "block_count": len(rows),
            "first_origin": parent.origin_height + first_step,
            "last_origin": parent.origin_height + steps,
            "tip_l2_hash": tip_hash,
            "body_hash": bytes(sha256(body)),
        } | header
        return signed(Batch(header=BatchHeader(**fields), leader_key=key.x_only, body=body), key)

    def honest(self, *, key=LEADER, parent=None, **shape):
        """An honest batch upon the leader's newest block, which moves on."""
        parent = self.private[-1] if parent is None else parent
        rows, made = self.grow(parent, **shape)
        self.private = [*self.private[: parent.height + 1], *made]
        return self.batch(parent, rows, made[-1].hash, key=key)

    def proven(self, *, key=LEADER, parent=None, **shape):
        """A batch without signatures upon the leader's newest block, and the statement that proves it."""
        parent = self.private[-1] if parent is None else parent
        rows, made = self.grow(parent, **shape)
        self.private = [*self.private[: parent.height + 1], *made]
        batch = self.batch(parent, rows, made[-1].hash, key=key, form=BatchForm.PROVEN)
        return batch, self.statement(batch, parent)

    def statement(self, batch, upon, **fields):
        """Public values about a batch; `fields` overrides single ones."""
        header, digest = batch.header, bytes(32)
        for height in range(upon.origin_height + 1, header.last_origin + 1):
            digest = self.l1_link(digest, height)
        said = {
            "version": b"\x01",
            "network": bytes([self.network.number]),
            "rules": RULES,
            "header_id": bytes(header.signing_hash()),
            "parent": upon.hash,
            "facts": plain_facts(upon),
            "l1": digest,
            "queues": bytes(160),
            "verdict": b"\x00",
            "tip": header.tip_l2_hash,
            "tip_facts": facts_of(header.tip_l2_hash),
        } | fields
        return b"".join(said.values())

    def l1_link(self, digest, height):
        """The chain over L1 data with one more origin."""
        record = self.pipeline._l1.record(height)
        forced = [
            (forced_id(self.network.number, transaction.wtxid), parse_object(body), transaction.fee)
            for transaction in self.history[height - self.chain.anchor_height - 1].transactions
            for body in [next((body for body in transaction.bodies if body[:2] == b"\x01\x03"), None)]
            if body is not None
        ]
        parts = [digest, height.to_bytes(8, "big"), record.hash, record.witness_root]
        parts += [record.median_time.to_bytes(8, "big"), record.l1_rate.to_bytes(16, "big")]
        parts.append(len(forced).to_bytes(8, "big"))
        for id, message, fee in forced:
            paid = fee >= self.network.parameters.forced_fee and message.network == self.network.number
            parts += [id, hashlib.sha256(message.payload).digest(), bytes([paid])]
        return hashlib.sha256(b"".join(parts)).digest()

    def post_proof(self, proof, fee=None):
        """Stage a proof with its fee."""
        return self.stage(proof.encode(), fee=self.network.parameters.proof_fee if fee is None else fee)

    def lying(self, *, key=LEADER):
        """A batch with its header in order whose second transaction is bad."""
        parent = self.private[-1]
        rows, made = self.grow(parent)
        rows[0][2].append(BAD)
        return self.batch(parent, rows, made[-1].hash, key=key)

    def commitment(self, parent, tip_hash, blocks, *, key=LEADER, anchor=None):
        return signed(
            Commitment(
                parent_tip=parent.hash,
                new_tip=tip_hash,
                block_count=blocks,
                last_origin=parent.origin_height,
                anchor_hash=self.chain.tip if anchor is None else anchor,
            ),
            key,
        )

    def forced(self, payload=b"payload", network=None):
        return Forced(network=self.network.number if network is None else network, payload=payload)

    def rotate(self, number, key, *, signer=ROTATION, network=None):
        network = self.network.number if network is None else network
        return signed(Rotate(network=network, n=number, key=key.x_only), signer)

    @staticmethod
    def chunks(raw, parts=3):
        """Bodies of a series."""
        return [chunk.encode() for chunk in split(raw, -(-len(raw) // parts))]

    # --- the oracle -------------------------------------------------------------------------------

    def verdicts(self):
        """Newest verdict of each place: "pending", "rejected" or ("accepted", first, last)."""
        found = {}
        for record in self.records:
            if isinstance(record, ObjectJudged):
                found[record.place] = record.verdict
        return {(place.height, place.transaction, place.input): plain_verdict(it) for place, it in found.items()}

    def verdict(self, index=0, input=0):
        """Newest verdict on an object of the newest block, by index among the staged transactions."""
        place = (self.chain.height, index + 1, input)
        for record in reversed(self.records):
            if isinstance(record, ObjectJudged) and _place(record.place) == place:
                return record.verdict
        return None

    def compare(self):
        """The pipeline says what the oracle says."""
        known = Known(
            network=self.network,
            genesis_block=self.first_block,
            anchor_height=self.chain.anchor_height,
            anchor_time=ANCHOR_TIME,
            anchor_hash=self.chain.anchor_hash,
            leader=LEADER.x_only,
            rotation_key=ROTATION.x_only,
            l1_link=self.l1_link,
        )
        out = model(known, self.history, forced_id)
        selector = self.pipeline._selector.state
        assert [block.hash for block in self.executor.blocks] == [block.hash for block in out.blocks]
        assert self.pipeline.safe.hash == out.blocks[-1].hash
        assert selector.silent_since == out.silent_since
        assert self.pipeline.leader == (out.leader or LEADER.x_only)
        assert [_place(held.place) for held in selector.held] == [model_place(held.place) for held in out.held]
        desk, proven = self.pipeline._desk.state, self.pipeline._proven.state
        assert [_place(body.place) for body in desk.bodies] == [model_place(place) for place, _ in out.pending]
        assert (proven.head.height, proven.idle, proven.ended) == (out.proven, out.idle, out.ended)
        assert dict(selector.muted) == out.muted
        assert self.verdicts() == {model_place(place): verdict for place, verdict in out.verdicts.items()}
        found = sum(isinstance(record, EvidenceFound) for record in self.records)
        assert found <= out.evidence
        if self.settles:
            self.settlement.compare()
        return out


def model_place(place):
    """The model counts relevant transactions, the pipeline all: a coinbase stands before the staged ones."""
    return (place[0], place[1] + 1, place[2])


def plain_verdict(verdict):
    if isinstance(verdict, Accepted):
        return ("accepted", verdict.first, verdict.last)
    return "pending" if isinstance(verdict, Pending) else "rejected"


def _place(place):
    return (place.height, place.transaction, place.input)


def _height_of(record):
    if isinstance(record, L1Unwound):
        return record.height
    return record.height if hasattr(record, "height") else record.place.height
