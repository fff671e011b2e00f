"""Which block a client means: a height, a tag, a hash, or an EIP-1898 object.

Reads: JSON values of a stranger.  Gives: `BlockRef`, `parse_block`, `find_height`, `view_at`.
Never: answers about a block that is not in the chain.  Spec: docs/spec/api-chain.md#blocks
"""

from dataclasses import dataclass
from typing import Final, Literal

from bedroll.execution.engine import View
from bedroll.primitives import Invalid

from .error import Code, RpcError
from .quantity import parse_bool, parse_hash, parse_quantity, refuse
from .service import Service

Tag = Literal["latest", "pending", "safe", "finalized", "earliest"]
_TAGS: Final[tuple[Tag, ...]] = ("latest", "pending", "safe", "finalized", "earliest")


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A block as the client named it: exactly one of the three is set."""

    tag: Tag | None = None
    number: int | None = None
    hash: bytes | None = None

    def __str__(self) -> str:
        if self.hash is not None:
            return "0x" + self.hash.hex()
        return self.tag or hex(self.number or 0)


LATEST: Final = BlockRef(tag="latest")


def parse_number(value: object, name: str = "block number") -> BlockRef:
    """Decode a tag or a height."""
    for tag in _TAGS:
        if value == tag:
            return BlockRef(tag=tag)
    if not isinstance(value, str) or not value.startswith("0x"):
        raise refuse(name, value, f"a quantity or one of {', '.join(_TAGS)}")
    return BlockRef(number=parse_quantity(value, name, bits=64))


def parse_block(value: object, name: str = "block") -> BlockRef:
    """Decode a tag, a height, a block hash, or an object of EIP-1898."""
    if isinstance(value, dict):
        known = {"blockNumber", "blockHash", "requireCanonical"}
        if not value.keys() <= known or ("blockNumber" in value) == ("blockHash" in value):
            raise refuse(name, value, "an object with blockNumber or blockHash (EIP-1898)")
        if "requireCanonical" in value:
            parse_bool(value["requireCanonical"], "requireCanonical")
        if "blockHash" in value:
            return BlockRef(hash=parse_hash(value["blockHash"], "blockHash"))
        return parse_number(value["blockNumber"], "blockNumber")
    if isinstance(value, str) and len(value) == 66:
        return BlockRef(hash=parse_hash(value, name))
    return parse_number(value, name)


def find_height(service: Service, ref: BlockRef) -> int | None:
    """Height of the block that is meant; None if the chain has none. `pending` is the tip here."""
    backend = service.backend
    heads = backend.heads()
    if ref.hash is not None:
        return backend.engine.height_of(ref.hash)
    if ref.number is not None:
        return ref.number if ref.number <= heads.latest.height else None
    if ref.tag == "earliest":
        return 0
    if ref.tag == "safe":
        return heads.safe.height
    return heads.finalized.height if ref.tag == "finalized" else heads.latest.height


def need_height(service: Service, ref: BlockRef) -> int:
    """Height of the block that is meant.

    Raises:
        RpcError: The chain has no such block ("header not found", as geth).
    """
    height = find_height(service, ref)
    if height is None:
        raise RpcError(Code.SERVER, f"header not found: {ref}")
    return height


def view_at(service: Service, ref: BlockRef) -> View:
    """State as of the block that is meant; `pending`: inside the open block.

    Raises:
        RpcError: No such block, or its state is no longer kept.
    """
    if ref.tag == "pending":
        return service.backend.pending_view()
    height = need_height(service, ref)
    engine = service.backend.engine
    try:
        return engine.view(height)
    except Invalid:
        text = f"missing trie node: state of block {height} is not kept, the oldest is {engine.oldest_state()}"
        raise RpcError(Code.SERVER, text) from None
