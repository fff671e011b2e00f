"""Shows that group signatures equal those of BIP-0327, that liars are named, and that no nonce signs twice.

Left out, because libsecp256k1 signs messages of 32 bytes: two signing cases and two nonce cases with other messages.
Deterministic signing is not used by anyone here.
"""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from coincurve._libsecp256k1 import ffi
from hypothesis import given, settings
from hypothesis import strategies as st

from bedroll.crypto import musig2, schnorr, sha256, tagged_hash
from bedroll.crypto.musig2 import (
    BadContribution,
    KeyAggregate,
    SecretNonce,
    Session,
    aggregate_nonces,
    sort_keys,
)
from bedroll.crypto.secp256k1 import SecretKey, parse_public, tweak_x_only
from bedroll.primitives import Invalid

FOLDER = Path(__file__).parents[2] / "vectors/bitcoin"
MESSAGE = sha256(b"message")


def _vectors(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"bip327-{name}_vectors.json").read_text())
    return found


def _pick(values: list[str], indices: list[int]) -> list[bytes]:
    return [bytes.fromhex(values[at]) for at in indices]


def _group(vectors: dict[str, Any], case: dict[str, Any]) -> KeyAggregate:
    group = KeyAggregate(_pick(vectors["pubkeys"], case["key_indices"]))
    for tweak, x_only in zip(case.get("tweak_indices", []), case.get("is_xonly", []), strict=True):
        group.tweak(bytes.fromhex(vectors["tweaks"][tweak]), x_only=x_only)
    return group


def _published_nonce(raw: str, key: SecretKey) -> SecretNonce:
    """A secret nonce of a vector, put into the library's form: magic, two scalars, the signer's point."""
    struct = ffi.new("secp256k1_musig_secnonce *")
    point = bytes(ffi.buffer(parse_public(bytes.fromhex(raw)[64:])))
    ffi.memmove(struct, bytes.fromhex("220edcf1") + bytes.fromhex(raw)[:64] + point, 132)
    nonce = SecretNonce.__new__(SecretNonce)
    nonce._nonce, nonce.key, nonce.public = struct, key.public, b""
    return nonce


def test_published_order_of_keys() -> None:
    vectors = _vectors("key_sort")
    assert [each.hex().upper() for each in sort_keys(_pick(vectors["pubkeys"], list(range(6))))] == vectors[
        "sorted_pubkeys"
    ]


def test_published_aggregate_keys() -> None:
    vectors = _vectors("key_agg")
    for case in vectors["valid_test_cases"]:
        assert _group(vectors, case).x_only.hex().upper() == case["expected"]
    for case in vectors["error_test_cases"]:
        if case["error"]["type"] == "invalid_contribution":
            with pytest.raises(BadContribution) as caught:
                _group(vectors, case)
            assert caught.value.signer == case["error"]["signer"]
        else:
            with pytest.raises(Invalid, match="tweak is not below the order, or cancels"):
                _group(vectors, case)


def test_published_sums_of_nonces() -> None:
    vectors = _vectors("nonce_agg")
    for case in vectors["valid_test_cases"]:
        assert aggregate_nonces(_pick(vectors["pnonces"], case["pnonce_indices"])).hex().upper() == case["expected"]
    for case in vectors["error_test_cases"]:
        with pytest.raises(BadContribution) as caught:
            aggregate_nonces(_pick(vectors["pnonces"], case["pnonce_indices"]))
        assert caught.value.signer == case["error"]["signer"]


def test_published_partial_signatures() -> None:
    vectors = _vectors("sign_verify")
    key = SecretKey(bytes.fromhex(vectors["sk"]))
    done = 0
    for case in vectors["valid_test_cases"]:
        message = bytes.fromhex(vectors["msgs"][case["msg_index"]])
        if len(message) != 32:
            continue
        session = Session(_group(vectors, case), bytes.fromhex(vectors["aggnonces"][case["aggnonce_index"]]), message)
        part = session.sign(_published_nonce(vectors["secnonces"][0], key), key)
        assert part.hex().upper() == case["expected"]
        signer = case["signer_index"]
        nonces = _pick(vectors["pnonces"], case["nonce_indices"])
        assert session.is_valid(part, signer, nonces[signer])
        done += 1
    assert done == 4
    for case in vectors["verify_fail_test_cases"] + vectors["verify_error_test_cases"]:
        nonces = _pick(vectors["pnonces"], case["nonce_indices"])
        signer, message = case["signer_index"], bytes.fromhex(vectors["msgs"][case["msg_index"]])
        if case.get("error", {}).get("contrib") == "pubkey":
            with pytest.raises(BadContribution):
                _group(vectors, case)
            continue
        if "error" in case:
            with pytest.raises(BadContribution):
                aggregate_nonces(nonces)
            continue
        session = Session(_group(vectors, case), aggregate_nonces(nonces), message)
        assert not session.is_valid(bytes.fromhex(case["sig"]), signer, nonces[signer])


def test_published_refusals_to_sign() -> None:
    vectors = _vectors("sign_verify")
    key = SecretKey(bytes.fromhex(vectors["sk"]))
    refused = []
    for case in vectors["sign_error_test_cases"]:
        if case["secnonce_index"] == 1:
            # A zeroed nonce cannot be had from here: it is given away once (test_a_nonce_signs_once).
            continue
        message = bytes.fromhex(vectors["msgs"][case["msg_index"]])
        with pytest.raises(Invalid) as caught:
            Session(_group(vectors, case), bytes.fromhex(vectors["aggnonces"][case["aggnonce_index"]]), message).sign(
                _published_nonce(vectors["secnonces"][0], key), key
            )
        refused.append(caught.value.message)
    assert refused == [
        "signer is not of the group",
        "public key is not on the curve",
        *["sum of nonces is malformed"] * 3,
    ]


def test_published_tweaks() -> None:
    vectors = _vectors("tweak")
    key = SecretKey(bytes.fromhex(vectors["sk"]))
    for case in vectors["valid_test_cases"]:
        nonces = _pick(vectors["pnonces"], case["nonce_indices"])
        session = Session(_group(vectors, case), aggregate_nonces(nonces), bytes.fromhex(vectors["msg"]))
        part = session.sign(_published_nonce(vectors["secnonce"], key), key)
        assert part.hex().upper() == case["expected"]
        assert session.is_valid(part, case["signer_index"], nonces[case["signer_index"]])
    for case in vectors["error_test_cases"]:
        with pytest.raises(Invalid):
            _group(vectors, case)


def test_published_signatures() -> None:
    vectors = _vectors("sig_agg")
    message = bytes.fromhex(vectors["msg"])
    for case in vectors["valid_test_cases"]:
        group = _group(vectors, case)
        assert aggregate_nonces(_pick(vectors["pnonces"], case["nonce_indices"])).hex().upper() == case["aggnonce"]
        signature = Session(group, bytes.fromhex(case["aggnonce"]), message).aggregate(
            _pick(vectors["psigs"], case["psig_indices"])
        )
        assert signature.hex().upper() == case["expected"]
        schnorr.verify(group.x_only, message, signature)
    for case in vectors["error_test_cases"]:
        with pytest.raises(BadContribution) as caught:
            Session(_group(vectors, case), bytes.fromhex(case["aggnonce"]), message).aggregate(
                _pick(vectors["psigs"], case["psig_indices"])
            )
        assert caught.value.signer == case["error"]["signer"]


def _group_with_key(x_only: str) -> KeyAggregate:
    """A group whose aggregate key is overwritten inside the library's state, as no keys are known that give it."""
    group = KeyAggregate([SecretKey(MESSAGE).public])
    ffi.buffer(group.cache)[4:68] = bytes(ffi.buffer(parse_public(b"\x02" + bytes.fromhex(x_only))))
    return group


def test_published_nonces() -> None:
    vectors = _vectors("nonce_gen")
    done = 0
    for case in vectors["test_cases"]:
        secret, message, extra = (case[name] and bytes.fromhex(case[name]) for name in ("sk", "msg", "extra_in"))
        if message is not None and len(message) != 32:
            continue
        group = case["aggpk"] and _group_with_key(case["aggpk"])
        entropy, public = bytes.fromhex(case["rand_"]), bytes.fromhex(case["pk"])
        _, announced = musig2._generate(secret, public, entropy, group, message, extra)
        assert announced.hex().upper() == case["expected_pubnonce"]
        if secret is not None:
            nonce = SecretNonce(SecretKey(secret), entropy, aggregate=group, message=message, extra=extra)
            assert nonce.public == announced
        done += 1
    assert done == 2


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    count=st.integers(1, 9), root=st.binary(max_size=32), liar=st.integers(0, 8), seed=st.binary(min_size=4, max_size=4)
)
def test_a_group_signs_for_its_taproot_output_and_names_a_liar(count: int, root: bytes, liar: int, seed: bytes) -> None:
    signers = {key.public: key for key in (SecretKey(sha256(seed + bytes((at,)))) for at in range(count))}
    group = KeyAggregate(sort_keys(list(signers)))
    internal = group.x_only
    tweak = tagged_hash("TapTweak", internal, root)
    group.tweak(tweak)
    assert (group.x_only, group.public[0] & 1) == tweak_x_only(internal, tweak)
    nonces = [
        SecretNonce(signers[key], sha256(seed + b"nonce" + key), aggregate=group, message=MESSAGE) for key in group.keys
    ]
    session = Session(group, aggregate_nonces([each.public for each in nonces]), MESSAGE)
    parts = [session.sign(nonce, signers[nonce.key]) for nonce in nonces]
    assert all(session.is_valid(part, at, nonces[at].public) for at, part in enumerate(parts))
    schnorr.verify(group.x_only, MESSAGE, session.aggregate(parts))
    liar %= count
    lie = bytearray(parts[liar])
    lie[31] ^= 1
    parts[liar] = bytes(lie)
    assert [session.is_valid(part, at, nonces[at].public) for at, part in enumerate(parts)].index(False) == liar
    assert not schnorr.is_valid(group.x_only, MESSAGE, session.aggregate(parts))


def test_a_nonce_signs_once() -> None:
    key = SecretKey(sha256(b"one"))
    group = KeyAggregate([key.public])
    nonce = SecretNonce(key, sha256(b"entropy"), aggregate=group)
    session = Session(group, nonce.public, MESSAGE)
    session.sign(nonce, key)
    with pytest.raises(Invalid, match="used before"):
        session.sign(nonce, key)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(nonce)


def test_what_does_not_belong_together_is_refused() -> None:
    key, other = SecretKey(sha256(b"one")), SecretKey(sha256(b"other"))
    group = KeyAggregate([key.public, other.public])
    nonce = SecretNonce(key, sha256(b"entropy"))
    session = Session(group, nonce.public, MESSAGE)
    for why, wrong in (
        ("another signer's", lambda: session.sign(nonce, other)),
        ("not of the group", lambda: session.sign(nonce, SecretKey(sha256(b"stranger")))),
        ("each signer gives one part", lambda: session.aggregate([bytes(32)])),
        ("not 32 bytes", lambda: Session(group, nonce.public, b"short")),
        ("malformed", lambda: Session(group, bytes(65), MESSAGE)),
        ("all zero", lambda: SecretNonce(key, bytes(32))),
        ("not 32 bytes", lambda: SecretNonce(key, bytes(31))),
        ("number of signers", lambda: KeyAggregate([])),
        ("number of signers", lambda: aggregate_nonces([])),
        ("not compressed", lambda: KeyAggregate([key.x_only])),
    ):
        with pytest.raises(Invalid, match=why):
            wrong()
    assert not session.is_valid(b"short", 0, nonce.public)
    assert not session.is_valid(bytes(32), 0, b"short")
