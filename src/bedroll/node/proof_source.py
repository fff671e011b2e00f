"""Inputs of the proved program for blocks on Bitcoin, upon the state of their time.

Reads: the engine, derivation's records, bodies that wait for their proof.  Gives: `ProofSource`, `batch_input`.
Never: changes the chain; gives an input whose header is not of the chain.  Spec: docs/spec/node.md#proofs
"""

from collections.abc import Callable

from bedroll.api.port import ProofRange
from bedroll.crypto import sha256
from bedroll.da import Batch, BatchHeader
from bedroll.da.codec import encode_batch
from bedroll.derivation.record import BatchAccepted
from bedroll.execution.engine import Engine, Origin
from bedroll.execution.proof import program_input
from bedroll.primitives import Corrupt, Hash32, L1Height, L2Height
from bedroll.protocol import Network

from .store import NodeStore


class ProofSource:
    """Witnesses of blocks; on the engine's thread."""

    def __init__(
        self,
        engine: Engine,
        store: NodeStore,
        network: Network,
        origin: Callable[[L1Height], Origin],
        waiting: Callable[[L2Height], tuple[bytes, Batch] | None],
    ) -> None:
        self._engine = engine
        self._store = store
        self._network = network
        self._origin = origin
        self._waiting = waiting

    def range_of(self, height: L2Height) -> ProofRange | None:
        """The batch or automatic blocks that hold a block; None where no batch that can be proved here holds it.

        Raises:
            Invalid: The state before them is not kept.
        """
        found = self._store.batch_at(height)
        if found is None:
            return self._waiting_range(height)
        if isinstance(found, BatchAccepted) and found.proof is not None:
            return ProofRange(first=L2Height(found.first), last=L2Height(found.last), object_id=Hash32(found.object_id))
        parent, first = self._engine.block(found.first - 1), self._engine.block(found.first)
        last = self._engine.block(found.last)
        if parent is None or first is None or last is None:
            raise Corrupt("a derived block is missing", first=found.first, last=found.last)
        origins = [self._origin(L1Height(at)) for at in range(parent.origin_height + 1, last.origin_height + 1)]
        header = body = None
        if isinstance(found, BatchAccepted):
            # As our encoder makes it: of a batch that another one made, the statement names another header.
            body = encode_batch(self._engine, found.first, found.last)
            header = BatchHeader(
                network=self._network.number,
                parent_l2_hash=parent.header.hash,
                first_height=found.first,
                block_count=found.last - found.first + 1,
                first_origin=first.origin_height,
                last_origin=last.origin_height,
                tip_l2_hash=last.header.hash,
                body_hash=sha256(body),
            ).encode()
        given, stated = program_input(self._engine, origins, header=header, body=body, parent=found.first - 1)
        return ProofRange(
            first=L2Height(found.first),
            last=L2Height(found.last),
            object_id=Hash32(found.object_id) if isinstance(found, BatchAccepted) else None,
            given=given,
            stated=stated,
        )

    def _waiting_range(self, height: L2Height) -> ProofRange | None:
        """A batch without signatures whose blocks this node has from their leader, signatures and all."""
        waiting = self._waiting(height)
        if waiting is None:
            return None
        object_id, batch = waiting
        header = batch.header
        last = header.first_height + header.block_count - 1
        tip = self._engine.header(last)
        if tip is None or tip.hash != header.tip_l2_hash:
            return None
        made = batch_input(self._engine, self._origin, batch)
        if made is None:
            return None
        given, stated = made
        return ProofRange(
            first=L2Height(header.first_height),
            last=L2Height(last),
            object_id=Hash32(object_id),
            given=given,
            stated=stated,
            waits=True,
        )


def batch_input(engine: Engine, origin: Callable[[L1Height], Origin], batch: Batch) -> tuple[bytes, bytes] | None:
    """Input of the proved program for a batch whose blocks the engine has, and its public values; on its thread.

    None where the engine does not have the parent, a block or a signature.

    Raises:
        Invalid: The state before the batch is not kept.
    """
    header = batch.header
    parent = engine.block(header.first_height - 1)
    if parent is None:
        return None
    signatures: list[bytes] = []
    for number in range(header.first_height, header.first_height + header.block_count):
        block = engine.block(number)
        own = [None] if block is None else block.own_signatures()
        known = [each for each in own if each is not None]
        if len(known) < len(own):
            return None
        signatures += known
    return program_input(
        engine,
        [origin(L1Height(at)) for at in range(parent.origin_height + 1, header.last_origin + 1)],
        header=header.encode(),
        body=batch.body,
        signatures=b"".join(signatures),
        parent=header.first_height - 1,
    )
