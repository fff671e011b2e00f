"""API keys: who may call the methods that not everybody may call. The file holds hashes; a key is shown once.

Reads: a key file, what a client shows.  Gives: `ApiKeys`, `make_key`, `read_keys`, `write_keys`.
Never: keeps a key itself, or tells by its time how much of a guess was right.  Spec: docs/spec/api.md#keys

A key is `bedroll_` and 32 random bytes in base64url: a plain SHA-256 of so much chance cannot be guessed from.
A line of the file is `name sha256-in-hexadecimal`; lines that begin with # are left out.
"""

import hmac
import logging
import os
import re
import secrets
from hashlib import sha256
from pathlib import Path
from typing import Final

from bedroll.primitives import Misconfigured

LOG: Final = logging.getLogger(__name__)
_PREFIX: Final = "bedroll_"
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_HASH: Final = re.compile(r"[0-9a-f]{64}\Z")
_FILE_BYTES_MAX: Final = 1 << 20
_KEY_CHARACTERS_MAX: Final = 200


def make_key() -> str:
    """A new key."""
    return _PREFIX + secrets.token_urlsafe(32)


def hash_key(key: str) -> str:
    """What the file holds of a key."""
    return sha256(key.encode()).hexdigest()


def check_name(name: str) -> str:
    """The name if keys can be named so.

    Raises:
        Misconfigured: It cannot stand in a line of the file.
    """
    if not _NAME.match(name):
        allowed = "1 to 64 letters, digits, dots, dashes and underscores"
        raise Misconfigured("a key cannot be named so", option="name", value=name[:80], allowed=allowed)
    return name


def read_keys(path: Path) -> dict[str, str]:
    """Hashes by name; none where there is no file.

    Raises:
        Misconfigured: The file cannot be read, or a line of it.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _refuse(path, error.strerror or str(error)) from None
    if len(raw) > _FILE_BYTES_MAX:
        raise _refuse(path, f"more than {_FILE_BYTES_MAX} bytes")
    keys: dict[str, str] = {}
    for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2 or not _NAME.match(words[0]) or not _HASH.match(words[1]) or words[0] in keys:
            raise _refuse(path, f"line {number} is no new name with the SHA-256 of its key")
        keys[words[0]] = words[1]
    return keys


def write_keys(path: Path, keys: dict[str, str]) -> None:
    """Replace the file, mode 0600, at once or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("# API keys of a Bedroll node: name and SHA-256 of each (docs/howto/secure_the_api.md)\n")
        file.writelines(f"{name} {digest}\n" for name, digest in keys.items())
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


class ApiKeys:
    """The keys of a file, read again when it changes."""

    def __init__(self, path: Path | None = None) -> None:
        """Read the file.

        Raises:
            Misconfigured: It cannot be read.
        """
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._keys: list[tuple[str, str]] = []
        if path is not None:
            self._stamp, self._keys = _stamp(path), list(read_keys(path).items())

    def __bool__(self) -> bool:
        return bool(self._keys)

    def name_of(self, key: str) -> str | None:
        """Name of the key that a client shows; None if there is none such. Every key is compared, whichever fits."""
        self._reload()
        if len(key) > _KEY_CHARACTERS_MAX:
            return None
        shown = hash_key(key)
        found: str | None = None
        for name, digest in self._keys:
            if hmac.compare_digest(digest, shown):
                found = name
        return found

    def _reload(self) -> None:
        if self._path is None:
            return
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._keys = list(read_keys(self._path).items())
        except Misconfigured as error:
            # Who edits the file of a running node must not lock everybody out by a slip.
            LOG.warning("the API keys stay as they were", extra={"reason": str(error)})


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Changes with the file; None while there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _refuse(path: Path, why: str) -> Misconfigured:
    text = f"the API keys cannot be read: {why}"
    return Misconfigured(text, option="rpc.keys", value=str(path), allowed="a key file")
