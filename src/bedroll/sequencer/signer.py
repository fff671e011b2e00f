"""The leader's word on a block: one signature a height, ever.

Reads: the leader's key, a file.  Gives: `BlockSigner`, `block_digest`.
Never: signs a height at or below one it has signed, or gives a signature before the height is on disk.
Spec: docs/spec/sequencer.md#signer

File: a record log of `height u64 ‖ block hash 32`, first record `"identity" ‖ device u64 ‖ inode u64`. A copy that
was restored from a backup lies in another inode: it may be older than what was signed, so it is refused until the
operator says above which height nothing was signed. A second name beside it (`.anchor`) keeps the inode from being
given to another file once the first name is gone.
"""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bedroll.crypto import schnorr, tagged_hash
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.primitives import Corrupt, Hash32, Invalid, L2Height, Misconfigured
from bedroll.storage.crash_point import crash_point
from bedroll.storage.record_log import RecordLog, sync_folder

_IDENTITY: Final = b"identity"
_COMPACT_BYTES: Final = 64 << 10
"""Beyond this the file is rewritten with its newest record alone."""


class HeightSigned(Invalid):
    """The height, or a higher one, was signed already; `.highest` is the newest signed one."""

    highest: int


def block_digest(network: int, height: L2Height, block_hash: bytes) -> Hash32:
    """What the leader signs for a block: tagged hash `bedroll/block` of network u8 ‖ height u64 ‖ hash, big-endian."""
    return tagged_hash("bedroll/block", bytes([network]), height.to_bytes(8, "big"), block_hash)


class BlockSigner:
    """Signs blocks of rising heights. One process holds its file (the data folder's lock)."""

    def __init__(self, path: Path, key: SecretKey, network: int, resume_above: L2Height | None = None) -> None:
        """Open or make the file.

        Args:
            path: Of the file.
            key: The leader's.
            network: Number of the network.
            resume_above: The operator's word that nothing above this height was signed; for a restored file.

        Raises:
            Misconfigured: The file was restored or moved, and the operator has not said where to resume.
            Corrupt: The file holds something else.
        """
        self._key = key
        self._network = network
        self._path = path
        self._log = RecordLog(path)
        records = self._log.take_records()
        self._highest = L2Height(0)
        if records:
            self._read(records, resume_above)
        if not records or resume_above is not None:
            if resume_above is not None:
                self._highest = max(self._highest, resume_above)
            self._rewrite()
        self._hold_inode(path)

    @property
    def x_only(self) -> bytes:
        """Public key, 32 bytes."""
        return self._key.x_only

    @property
    def highest(self) -> L2Height:
        """Newest signed height; 0 if none."""
        return self._highest

    def may_sign(self, height: L2Height) -> bool:
        """Whether a block of this height can be signed. Those that cannot go to followers unsigned."""
        return height > self._highest

    def sign(self, blocks: Sequence[tuple[L2Height, bytes]]) -> list[bytes]:
        """Sign blocks of rising heights, with one write to disk for all.

        Raises:
            HeightSigned: A height is not above the newest signed one. Nothing was signed.
        """
        highest = self._highest
        records = []
        for height, block_hash in blocks:
            if height <= highest:
                raise HeightSigned("this height was signed already", height=height, highest=highest)
            highest = height
            records.append(height.to_bytes(8, "big") + block_hash)
        if not records:
            return []
        self._log.append(records, sync=True)
        self._highest = highest
        crash_point("sequencer.after_signer_record")
        if self._log.size_bytes > _COMPACT_BYTES:
            self._rewrite()
        return [
            schnorr.sign(self._key, block_digest(self._network, height, block_hash)) for height, block_hash in blocks
        ]

    def close(self) -> None:
        """Close the file."""
        self._log.close()

    def _read(self, records: list[bytes], resume_above: L2Height | None) -> None:
        first = records[0]
        if not first.startswith(_IDENTITY) or any(len(record) != 40 for record in records[1:]):
            raise Corrupt("the signer's file holds something else", path=str(self._path))
        if first != _identity(self._path) and resume_above is None:
            raise Misconfigured(
                "the signer's file was restored or moved: heights may have been signed that it does not know",
                option="signer-resume-above",
                value="not given",
                allowed="a height above which this key has signed nothing",
            )
        self._highest = L2Height(max((int.from_bytes(record[:8], "big") for record in records[1:]), default=0))

    def _rewrite(self) -> None:
        newest = self._highest.to_bytes(8, "big") + bytes(32)
        # The identity is of the file that will stand there: written aside first, so that its inode is known.
        aside = self._path.with_suffix(".next")
        aside.unlink(missing_ok=True)
        log = RecordLog(aside)
        log.append([_identity(aside), newest], sync=True)
        self._hold_inode(aside)
        os.replace(aside, self._path)
        sync_folder(self._path.parent)
        self._log.close()
        self._log = log

    def _hold_inode(self, path: Path) -> None:
        """Give the file its second name. Where the file system has none, the inode's number alone must do."""
        anchor, aside = self._path.with_suffix(".anchor"), self._path.with_suffix(".anchor.new")
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
            os.link(path, aside)
            os.replace(aside, anchor)
            # Renaming one name of a file onto another of the same file does nothing.
            aside.unlink(missing_ok=True)


def _identity(path: Path) -> bytes:
    status = path.stat()
    return _IDENTITY + status.st_dev.to_bytes(8, "big") + status.st_ino.to_bytes(8, "big")
