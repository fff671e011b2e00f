"""Series of chunks: an object larger than one envelope, in parts that prove where they belong.

Reads: an object's bytes, or all chunks of a series.  Gives: chunks, or the object's bytes.
Never: keeps chunks that wait (`derivation.chunk_assembler` does).  Spec: docs/spec/da.md#chunks
"""

from collections.abc import Sequence
from typing import Final

from bedroll._core import _native
from bedroll.primitives import Invalid

from .envelope import BODY_MAX
from .object import Chunk

CHUNK_OVERHEAD_MAX: Final = 2 + 32 + 2 + 4 * 32
"""Bytes of a chunk object beside its part, at most."""
OBJECT_SIZE_MAX: Final = 4 << 20
"""Bytes of one object (`object_size_max`)."""


def split(raw: bytes, part_max: int = BODY_MAX - CHUNK_OVERHEAD_MAX) -> list[Chunk]:
    """Cut an object into a series of equal parts, as few as possible.

    Args:
        raw: The object's bytes.
        part_max: Bytes of one part.

    Raises:
        Invalid: The object is too large, or needs fewer than 2 or more than 16 parts.
    """
    if len(raw) > OBJECT_SIZE_MAX:
        raise Invalid("an object is too large", size=len(raw), limit=OBJECT_SIZE_MAX)
    count = -(-len(raw) // part_max)
    step = -(-len(raw) // max(count, 1))
    parts = [raw[start : start + step] for start in range(0, len(raw), max(step, 1))]
    root, paths = _native.chunk_paths(parts)
    return [
        Chunk(root=root, index=index, count=len(parts), path=tuple(path), data=part)
        for index, (part, path) in enumerate(zip(parts, paths, strict=True))
    ]


def assemble(chunks: Sequence[Chunk]) -> bytes:
    """The object that a complete series makes.

    Raises:
        Invalid: Chunks are missing, doubled or of different series, or the object is too large.
    """
    first = chunks[0] if chunks else None
    if first is None or any((chunk.root, chunk.count) != (first.root, first.count) for chunk in chunks):
        raise Invalid("chunks are not of one series", count=len(chunks))
    parts = {chunk.index: chunk.data for chunk in chunks}
    if len(chunks) != first.count or len(parts) != first.count:
        raise Invalid("a series is not complete", present=len(parts), count=first.count)
    size = sum(len(part) for part in parts.values())
    if size > OBJECT_SIZE_MAX:
        raise Invalid("an object is too large", size=size, limit=OBJECT_SIZE_MAX)
    return b"".join(parts[index] for index in range(first.count))
