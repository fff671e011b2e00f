"""Inputs of the proved program for blocks that were derived, upon the state of their time.

Reads: the engine, derivation's records.  Gives: `ProofSource`.
Never: changes the chain; gives an input whose header is not of the chain.  Spec: docs/spec/node.md#proofs
"""

from collections.abc import Callable

from bedroll.api.port import ProofRange
from bedroll.crypto import sha256
from bedroll.da import BatchHeader
from bedroll.da.codec import encode_batch
from bedroll.derivation.record import BatchAccepted
from bedroll.execution.engine import Engine, Origin
from bedroll.execution.proof import program_input
from bedroll.primitives import Corrupt, Hash32, L1Height, L2Height
from bedroll.protocol import Network

from .store import NodeStore


class ProofSource:
    """Witnesses of derived blocks; on the engine's thread."""

    def __init__(
        self, engine: Engine, store: NodeStore, network: Network, origin: Callable[[L1Height], Origin]
    ) -> None:
        self._engine = engine
        self._store = store
        self._network = network
        self._origin = origin

    def range_of(self, height: L2Height) -> ProofRange | None:
        """The batch or automatic blocks that hold a block; None where it is not derived.

        Raises:
            Invalid: The state before them is not kept.
        """
        found = self._store.batch_at(height)
        if found is None:
            return None
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
