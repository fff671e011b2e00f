"""Proofs: what anyone needs to prove derived blocks, and the newest proof of what Bitcoin settles.

Reads: the node's chain.  Gives: `TABLE`.  Never: proves.  Spec: docs/spec/api-chain.md#bedroll
"""

from typing import Final

from bedroll.primitives import Invalid

from .bedroll_method import parse_l2
from .block_tag import BlockRef, parse_block
from .error import from_invalid
from .method import MethodTable, required
from .quantity import show_data, show_quantity, show_reversed
from .service import Service

TABLE: Final = MethodTable()


@TABLE.method("bedroll_getProofInput", required("block", parse_block))
async def proof_input(service: Service, ref: BlockRef) -> object:
    """Input of the proved program for the batch or the automatic blocks that hold a block; null where none is known."""
    try:
        found = await service.backend.proof_range(parse_l2(service, ref))
    except Invalid as error:
        raise from_invalid(error) from None
    if found is None:
        return None
    return {
        "firstBlock": show_quantity(found.first),
        "lastBlock": show_quantity(found.last),
        "objectId": None if found.object_id is None else show_data(found.object_id),
        "input": None if found.given is None else show_data(found.given),
        "publicValues": None if found.stated is None else show_data(found.stated),
        "waiting": found.waits,
    }


@TABLE.method("bedroll_getSettlementProof")
async def settlement_proof(service: Service) -> object:
    """The newest settlement proof, as a file for light clients; null if there is none. The file proves itself."""
    found = await service.backend.settlement_proof()
    if found is None:
        return None
    return {
        "l1Height": found.l1_height,
        "l1Hash": show_reversed(found.l1_hash),
        "blockNumber": show_quantity(found.l2_height),
        "blockHash": show_data(found.l2_hash),
        "objectId": None if found.object_id is None else show_data(found.object_id),
        "file": show_data(found.file),
    }
