"""MuSig2: one signature of many keys (BIP-0327), by libsecp256k1.

Reads: keys, public nonces, partial signatures from anyone; entropy from the caller.  Gives: nonces, signatures.
Never: signs twice with a nonce, keeps or pickles a secret nonce.  Spec: docs/spec/crypto.md#musig2

```text
sort_keys → KeyAggregate → tweak …  (each signer) SecretNonce → aggregate_nonces → Session
Session.sign (each signer) → Session.verify (each partial signature) → Session.aggregate
```

A session that is interrupted begins again with new nonces: a secret nonce lives in memory only. Who signs must have
built the message from data he agreed to. A partial signature that does not verify names its signer.
"""

from collections.abc import Sequence
from typing import Any, Final, NoReturn

from coincurve._libsecp256k1 import ffi, lib

from bedroll.primitives import Invalid

from .secp256k1 import CONTEXT, SecretKey, parse_public, serialize_public

NONCE_SIZE: Final = 66
"""A public or aggregate nonce: two points, bytes."""
PARTIAL_SIZE: Final = 32
"""A partial signature: a scalar, bytes."""
SIGNERS_MAX: Final = 1_000
"""Most keys of one aggregate: bounds the work that a message can ask for."""


class BadContribution(Invalid):
    """A signer's key, nonce or partial signature is malformed; `.signer` is his position."""

    signer: int


def sort_keys(keys: Sequence[bytes]) -> list[bytes]:
    """Order in which the keys of a group are aggregated (KeySort): by their 33 bytes."""
    return sorted(keys)


class KeyAggregate:
    """The aggregate of several keys, with tweaks.

    Attributes:
        keys: Compressed keys, 33 bytes, in order; the order matters, and a key may stand twice.
    """

    __slots__ = ("_cache", "_parsed", "keys")

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Aggregate compressed keys.

        Raises:
            Invalid: There are none, or too many.
            BadContribution: A key is not on the curve.
        """
        if not 1 <= len(keys) <= SIGNERS_MAX:
            raise Invalid("no such number of signers", signers=len(keys), limit=SIGNERS_MAX)
        self.keys = tuple(keys)
        self._parsed = [_parse_key(key, signer) for signer, key in enumerate(keys)]
        self._cache = ffi.new("secp256k1_musig_keyagg_cache *")
        pointers = ffi.new("secp256k1_pubkey *[]", self._parsed)
        if not lib.secp256k1_musig_pubkey_agg(CONTEXT, ffi.NULL, self._cache, pointers, len(keys)):
            raise Invalid("keys cancel each other", signers=len(keys))

    @property
    def cache(self) -> Any:
        """The library's state of the aggregation."""
        return self._cache

    @property
    def public(self) -> bytes:
        """Aggregate key after all tweaks, compressed, 33 bytes. Its parity goes into a control block."""
        key = ffi.new("secp256k1_pubkey *")
        lib.secp256k1_musig_pubkey_get(CONTEXT, key, self._cache)
        return serialize_public(key)

    @property
    def x_only(self) -> bytes:
        """Aggregate key after all tweaks, 32 bytes."""
        return self.public[1:]

    def tweak(self, tweak: bytes, *, x_only: bool = True) -> None:
        """Add tweak × G.

        Args:
            tweak: 32 bytes.
            x_only: Whether to lift the key to an even one before (BIP-0341) or not (BIP-0032).

        Raises:
            Invalid: The tweak is not below the order, or cancels the key.
        """
        apply = lib.secp256k1_musig_pubkey_xonly_tweak_add if x_only else lib.secp256k1_musig_pubkey_ec_tweak_add
        kept = ffi.new("secp256k1_musig_keyagg_cache *")
        ffi.memmove(kept, self._cache, ffi.sizeof("secp256k1_musig_keyagg_cache"))
        if len(tweak) != 32 or not apply(CONTEXT, ffi.NULL, self._cache, tweak):
            self._cache = kept
            raise Invalid("tweak is not below the order, or cancels the key", tweak=tweak)

    def parsed(self, signer: int) -> Any:
        """The library's form of one key."""
        return self._parsed[signer]


class SecretNonce:
    """A signer's secret for one signature. Made once, used once, never stored.

    Attributes:
        public: What the other signers get, 66 bytes.
        key: Compressed key of the signer.
    """

    __slots__ = ("_nonce", "key", "public")

    _nonce: Any
    public: bytes
    key: bytes

    def __init__(
        self,
        key: SecretKey,
        entropy: bytes,
        *,
        aggregate: KeyAggregate | None = None,
        message: bytes | None = None,
        extra: bytes | None = None,
    ) -> None:
        """Make a nonce.

        Args:
            key: The signer's.
            entropy: 32 fresh random bytes. Never the same twice: that would give the key away.
            aggregate: The group, where it is known.
            message: 32 bytes, where known.
            extra: 32 more bytes that go in.

        Raises:
            Invalid: A length is wrong.
        """
        for name, part in (("entropy", entropy), ("message", message), ("extra", extra)):
            if part is not None and len(part) != 32:
                raise Invalid("input of a nonce is not 32 bytes", part=name, size=len(part))
        self._nonce, self.public = _generate(key.secret, key.public, entropy, aggregate, message, extra)
        self.key = key.public

    def spend(self) -> Any:
        """Give the library's nonce away, for the one signature.

        Raises:
            Invalid: It was given away before. (The library would end the process.)
        """
        if self._nonce is None:
            raise Invalid("secret nonce was used before", key=self.key)
        nonce, self._nonce = self._nonce, None
        return nonce

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret nonce is not pickled")


def aggregate_nonces(nonces: Sequence[bytes]) -> bytes:
    """Sum of the signers' public nonces, 66 bytes, in any order.

    Raises:
        Invalid: There are none, or too many.
        BadContribution: One is malformed.
    """
    if not 1 <= len(nonces) <= SIGNERS_MAX:
        raise Invalid("no such number of signers", signers=len(nonces), limit=SIGNERS_MAX)
    parsed = [_parse_nonce(nonce, signer) for signer, nonce in enumerate(nonces)]
    total = ffi.new("secp256k1_musig_aggnonce *")
    lib.secp256k1_musig_nonce_agg(CONTEXT, total, ffi.new("secp256k1_musig_pubnonce *[]", parsed), len(parsed))
    out = ffi.new("unsigned char[66]")
    lib.secp256k1_musig_aggnonce_serialize(CONTEXT, out, total)
    return bytes(out)


class Session:
    """One message, one group, one sum of nonces."""

    __slots__ = ("_aggregate", "_session")

    def __init__(self, aggregate: KeyAggregate, nonce: bytes, message: bytes) -> None:
        """Open a session.

        Args:
            aggregate: The group, all tweaks applied.
            nonce: Sum of the public nonces.
            message: 32 bytes.

        Raises:
            Invalid: Sum or message is malformed.
        """
        if len(message) != 32:
            raise Invalid("message is not 32 bytes", size=len(message))
        total = ffi.new("secp256k1_musig_aggnonce *")
        if len(nonce) != NONCE_SIZE or not lib.secp256k1_musig_aggnonce_parse(CONTEXT, total, nonce):
            raise Invalid("sum of nonces is malformed", nonce=nonce)
        self._aggregate = aggregate
        self._session = ffi.new("secp256k1_musig_session *")
        lib.secp256k1_musig_nonce_process(CONTEXT, self._session, total, message, aggregate.cache)

    def sign(self, nonce: SecretNonce, key: SecretKey) -> bytes:
        """One signer's part, 32 bytes; the nonce is used up, whatever happens.

        Raises:
            Invalid: The nonce was used before, is another signer's, or the signer is not of the group.
        """
        if key.public not in self._aggregate.keys:
            raise Invalid("signer is not of the group", key=key.public)
        if nonce.key != key.public:
            raise Invalid("nonce is another signer's", key=key.public)
        part = ffi.new("secp256k1_musig_partial_sig *")
        lib.secp256k1_musig_partial_sign(CONTEXT, part, nonce.spend(), key.pair, self._aggregate.cache, self._session)
        out = ffi.new("unsigned char[32]")
        lib.secp256k1_musig_partial_sig_serialize(CONTEXT, out, part)
        return bytes(out)

    def is_valid(self, part: bytes, signer: int, public_nonce: bytes) -> bool:
        """Whether a part is right for a signer's key and the nonce he announced.

        Args:
            part: 32 bytes.
            signer: Position of his key in the group.
            public_nonce: 66 bytes.
        """
        parsed = ffi.new("secp256k1_musig_partial_sig *")
        nonce = ffi.new("secp256k1_musig_pubnonce *")
        if len(part) != PARTIAL_SIZE or not lib.secp256k1_musig_partial_sig_parse(CONTEXT, parsed, part):
            return False
        if len(public_nonce) != NONCE_SIZE or not lib.secp256k1_musig_pubnonce_parse(CONTEXT, nonce, public_nonce):
            return False
        return bool(
            lib.secp256k1_musig_partial_sig_verify(
                CONTEXT, parsed, nonce, self._aggregate.parsed(signer), self._aggregate.cache, self._session
            )
        )

    def aggregate(self, parts: Sequence[bytes]) -> bytes:
        """The signature, 64 bytes, of one part a signer; check it, or each part, before use.

        Raises:
            Invalid: Not one part a signer.
            BadContribution: One is malformed.
        """
        if len(parts) != len(self._aggregate.keys):
            raise Invalid("each signer gives one part", parts=len(parts), signers=len(self._aggregate.keys))
        parsed = [_parse_part(part, signer) for signer, part in enumerate(parts)]
        out = ffi.new("unsigned char[64]")
        pointers = ffi.new("secp256k1_musig_partial_sig *[]", parsed)
        lib.secp256k1_musig_partial_sig_agg(CONTEXT, out, self._session, pointers, len(parsed))
        return bytes(out)


def _generate(
    secret: bytes | None,
    public: bytes,
    entropy: bytes,
    aggregate: KeyAggregate | None,
    message: bytes | None,
    extra: bytes | None,
) -> tuple[Any, bytes]:
    nonce, announced = ffi.new("secp256k1_musig_secnonce *"), ffi.new("secp256k1_musig_pubnonce *")
    done = lib.secp256k1_musig_nonce_gen(
        CONTEXT, nonce, announced, ffi.new("unsigned char[32]", entropy), secret or ffi.NULL, parse_public(public),
        message or ffi.NULL, aggregate.cache if aggregate else ffi.NULL, extra or ffi.NULL,
    )  # fmt: skip
    if not done:
        raise Invalid("entropy of a nonce is all zero")
    out = ffi.new("unsigned char[66]")
    lib.secp256k1_musig_pubnonce_serialize(CONTEXT, out, announced)
    return nonce, bytes(out)


def _parse_key(raw: bytes, signer: int) -> Any:
    try:
        if len(raw) == 33:
            return parse_public(raw)
    except Invalid as error:
        raise BadContribution("public key is not on the curve", signer=signer, key=raw) from error
    raise BadContribution("public key is not compressed", signer=signer, size=len(raw))


def _parse_nonce(raw: bytes, signer: int) -> Any:
    nonce = ffi.new("secp256k1_musig_pubnonce *")
    if len(raw) != NONCE_SIZE or not lib.secp256k1_musig_pubnonce_parse(CONTEXT, nonce, raw):
        raise BadContribution("public nonce is malformed", signer=signer, nonce=raw)
    return nonce


def _parse_part(raw: bytes, signer: int) -> Any:
    part = ffi.new("secp256k1_musig_partial_sig *")
    if len(raw) != PARTIAL_SIZE or not lib.secp256k1_musig_partial_sig_parse(CONTEXT, part, raw):
        raise BadContribution("partial signature is malformed", signer=signer, part=raw)
    return part
