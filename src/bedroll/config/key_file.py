"""Secrets at rest: a key file, encrypted by a password, or readable by its owner alone.

Reads: key files, passwords.  Gives: `write_key`, `read_key`.
Never: overwrites a key, or reads one that others can read.  Spec: docs/spec/config.md#keys

A file is JSON. Encrypted: scrypt (N = 2^15, r = 8, p = 1; RFC 7914) makes the key of ChaCha20-Poly1305 (RFC 8439),
whose associated bytes are the kind of secret, so that one file cannot stand for another.
"""

import logging
import os
import stat
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from bedroll.primitives import Misconfigured

LOG: Final = logging.getLogger(__name__)
_VERSION: Final = 1
_SCRYPT_LOG_N: Final = 15
_SCRYPT_LOG_N_MAX: Final = 20
"""1 GiB of memory: a larger cost in a file is a mistake or an attack."""
_FILE_BYTES_MAX: Final = 4_096


class _KeyFile(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    version: int
    kind: str
    secret: str
    salt: str = ""
    nonce: str = ""
    scrypt_log_n: int = 0


def write_key(path: Path, kind: str, secret: bytes, password: str = "") -> None:
    """Store a secret in a new file of mode 0600, encrypted if there is a password.

    Args:
        path: Must not exist.
        kind: What the secret is for ("leader", "wallet").
        secret: The bytes.
        password: Empty: stored in the clear.

    Raises:
        Misconfigured: The file exists or cannot be made.
    """
    if password:
        salt, nonce = os.urandom(16), os.urandom(12)
        sealed = ChaCha20Poly1305(_stretch(password, salt, _SCRYPT_LOG_N)).encrypt(nonce, secret, kind.encode())
        file = _KeyFile(_VERSION, kind, sealed.hex(), salt.hex(), nonce.hex(), _SCRYPT_LOG_N)
    else:
        file = _KeyFile(_VERSION, kind, secret.hex())
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        text = f"cannot make the key file: {error.strerror}"
        raise Misconfigured(text, option=f"{kind} key", value=path, allowed="a new file") from None
    with os.fdopen(descriptor, "wb") as out:
        out.write(msgspec.json.encode(file))
        out.flush()
        os.fsync(out.fileno())


def read_key(path: Path, kind: str, password: str = "") -> bytes:
    """Read a secret; one that is not encrypted is warned about.

    Raises:
        Misconfigured: The file is missing, open to others, of another kind, or the password is wrong.
    """
    file = _load(path, kind)
    if not file.salt:
        LOG.warning("the key is not encrypted; set a password", extra={"key": kind, "path": str(path)})
        return _bytes(path, kind, file.secret)
    if not password:
        raise _refuse(path, kind, "the key file is encrypted", "a password (BEDROLL_KEY_PASSWORD)")
    if not 0 < file.scrypt_log_n <= _SCRYPT_LOG_N_MAX:
        raise _refuse(path, kind, f"scrypt cost 2^{file.scrypt_log_n}", f"at most 2^{_SCRYPT_LOG_N_MAX}")
    key = _stretch(password, _bytes(path, kind, file.salt), file.scrypt_log_n)
    try:
        nonce, sealed = _bytes(path, kind, file.nonce), _bytes(path, kind, file.secret)
        return ChaCha20Poly1305(key).decrypt(nonce, sealed, kind.encode())
    except (InvalidTag, ValueError):
        raise _refuse(path, kind, "the password is wrong, or the file is damaged", "the file's password") from None


def _load(path: Path, kind: str) -> _KeyFile:
    try:
        mode = path.stat().st_mode
        raw = path.read_bytes()
    except OSError as error:
        raise _refuse(path, kind, f"the key file cannot be read: {error.strerror}", "a key file") from None
    if stat.S_IMODE(mode) & 0o077:
        raise _refuse(path, kind, f"others may read the key file (mode {stat.S_IMODE(mode):04o})", "mode 0600")
    try:
        file = msgspec.json.decode(raw[:_FILE_BYTES_MAX], type=_KeyFile)
    except msgspec.DecodeError as error:
        raise _refuse(path, kind, f"this is no key file: {error}", "a key file") from None
    if file.version != _VERSION or file.kind != kind:
        raise _refuse(path, kind, f"the file holds a {file.kind} key of version {file.version}", f"a {kind} key")
    return file


def _bytes(path: Path, kind: str, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise _refuse(path, kind, "the key file is damaged", "hexadecimal") from None


def _stretch(password: str, salt: bytes, log_n: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=1 << log_n, r=8, p=1).derive(password.encode())


def _refuse(path: Path, kind: str, text: str, allowed: str) -> Misconfigured:
    return Misconfigured(text, option=f"{kind} key", value=path, allowed=allowed)
