"""`debug_executionWitness`: what a block read of the state before it, to execute it again from that alone.

Reads: the engine, which writes JSON.  Gives: `TABLE`.
Never: runs beyond the limits of size, time and distance from the tip.  Spec: docs/spec/api-trace.md#witnesses
"""

from typing import Final

from .block_tag import BlockRef, need_height, parse_block
from .method import MethodTable, required
from .service import Service
from .trace_method import bounds_of, traced

TABLE: Final = MethodTable()


@TABLE.method("debug_executionWitness", required("block", parse_block))
async def execution_witness(service: Service, ref: BlockRef) -> object:
    """Trie nodes, codes, keys and headers that a block's execution reads, in the order of first use."""
    height = need_height(service, ref)
    engine = service.backend.engine
    limits = service.limits
    return await traced(
        service, engine.execution_witness, height, changes_max=limits.proof_changes, **bounds_of(service)
    )
