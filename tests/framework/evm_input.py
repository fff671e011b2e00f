"""Inputs for precompiles: valid ones, edges, and noise. Everything follows from the source of chance given."""

import hashlib
from functools import lru_cache

from coincurve import PrivateKey
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BN_FIELD = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47
BN_ORDER = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
BLS_FIELD = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
BLS_ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001

BN_G2 = bytes.fromhex(
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
)
BLS_G1_X = 0x17F1D3A73197D7942695638C4FA9AC0FC3688C4F9774B905A14E3A3F171BAC586C55E83FF97A1AEFFB3AF00ADB22C6BB
BLS_G1_Y = 0x08B3F481E3AAA0F1A09E30ED741D8AE4FCF5E095D5D00AF600DB18CB2C04B3EDD03CC744A2888AE40CAA232946C5E7E1
BLS_G2 = (
    0x024AA2B2F08F0A91260805272DC51051C6E47AD4FA403B02B4510B647AE3D1770BAC0326A805BBEFD48056C8C121BDB8,
    0x13E02B6052719F607DACD3A088274F65596BD0D09920B61AB5DA61BBDC7F5049334CF11213945D57E5AC7D055D042B7E,
    0x0CE5D527727D6E118CC9CDC6DA2E351AADFD9BAA8CBDD3A76D429A695160D12C923AC9CC3BACA289E193548608B82801,
    0x0606C4A02EA734CC32ACD2B02BC28B99CB3E287E85A763AF267492AB572E99AB3F370D275CEC1DA1AAA9075FF05F79BE,
)
P256 = 0x100


def _word(number):
    return (number % (1 << 256)).to_bytes(32, "big")


def _limb(number):
    return number.to_bytes(64, "big")


@lru_cache(maxsize=256)
def _p256_signed(key, digest):
    secret = ec.derive_private_key(key, ec.SECP256R1())
    how = ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True)
    r, s = decode_dss_signature(secret.sign(digest, how))
    place = secret.public_key().public_numbers()
    return r, s, place.x, place.y


def p256(rng):
    digest = hashlib.sha256(bytes([rng.randrange(4)])).digest()
    r, s, x, y = _p256_signed(rng.randrange(1, 5), digest)
    way = rng.random()
    if way < 0.2:
        s = P256_ORDER - s
    elif way < 0.3:
        r = rng.choice((0, P256_ORDER, P256_ORDER + 1, r + 1))
    elif way < 0.4:
        x, y = rng.choice(((0, 0), (x, y + 1), (y, x), ((1 << 256) - 1, y)))
    elif way < 0.45:
        s = rng.choice((0, P256_ORDER, s + 1))
    return digest + _word(r) + _word(s) + _word(x) + _word(y)


@lru_cache(maxsize=256)
def _recoverable(key, digest):
    return PrivateKey.from_int(key).sign_recoverable(digest, hasher=None)


def ecrecover(rng):
    digest = hashlib.sha256(bytes([rng.randrange(4)])).digest()
    signed = _recoverable(rng.randrange(1, 5), digest)
    v, r, s = signed[64] + 27, int.from_bytes(signed[:32], "big"), int.from_bytes(signed[32:64], "big")
    way = rng.random()
    if way < 0.15:
        v = rng.choice((0, 1, 26, 29, 255, 1 << 200))
    elif way < 0.3:
        r = rng.choice((0, ORDER, ORDER - 1, 1, r ^ 1))
    elif way < 0.5:
        s = rng.choice((0, ORDER, ORDER - s, s ^ 1))
    return digest + _word(v) + _word(r) + _word(s)


def modexp(rng):
    sizes = [rng.choice((0, 0, 1, 1, 2, 8, 31, 32, 33, 64, 65)) for _ in range(3)]
    parts = [bytearray(rng.randbytes(size)) for size in sizes]
    for part in parts:
        if part and rng.random() < 0.3:
            part[:] = bytes(len(part) - 1) + bytes([rng.randrange(3)])
    claims = list(sizes)
    if rng.random() < 0.15:
        claims[rng.randrange(3)] = rng.choice((1023, 1024, 1025, 1 << 16, 1 << 32, 1 << 64, (1 << 256) - 1))
    return b"".join(map(_word, claims)) + b"".join(map(bytes, parts))


def _bn_point(rng):
    x, y = rng.choice(((0, 0), (1, 2), (1, BN_FIELD - 2), (1, 2)))
    if rng.random() < 0.12:
        x, y = rng.choice(((1, 3), (BN_FIELD, 0), (BN_FIELD + 1, 2), (0, 1), ((1 << 256) - 1, 0)))
    return _word(x) + _word(y)


def bn_add(rng):
    return _bn_point(rng) + _bn_point(rng)


def bn_mul(rng):
    factor = rng.choice((0, 1, 2, 9, BN_ORDER, BN_ORDER - 1, (1 << 256) - 1, rng.getrandbits(256)))
    return _bn_point(rng) + _word(factor)


def bn_pairing(rng):
    way = rng.random()
    if way < 0.1:
        return _word(1) + _word(2) + BN_G2 + _word(1) + _word(BN_FIELD - 2) + BN_G2
    pair = rng.choice((bytes(192), bytes(64) + BN_G2, _word(1) + _word(2) + bytes(128), _bn_point(rng) + bytes(128)))
    if way < 0.3:
        pair = pair[:64] + _word(rng.choice((1, BN_FIELD, BN_FIELD - 1))) + pair[96:]
    return pair * rng.randrange(3) + bytes(rng.choice((0, 0, 0, 1, 191)))


def blake2f(rng):
    rounds = rng.choice((0, 1, 2, 12, 20, 300))
    last = rng.choice((0, 1, 1, 0, 2))
    made = rounds.to_bytes(4, "big") + rng.randbytes(208) + bytes([last])
    return made[: rng.choice((213, 213, 213, 213, 212))] + bytes(rng.choice((0, 0, 0, 0, 1)))


def point_evaluation(rng):
    commitment = proof = b"\xc0" + bytes(47)
    z, y = _word(rng.randrange(5)), _word(rng.choice((0, 0, 1, BLS_ORDER)))
    versioned = b"\x01" + hashlib.sha256(commitment).digest()[1:]
    if rng.random() < 0.6:
        versioned = rng.choice((bytes(32), b"\x02" + versioned[1:], versioned[:31] + b"\0"))
    return versioned + z + y + commitment + proof


def _bls_g1(rng):
    x, y = rng.choice(((0, 0), (BLS_G1_X, BLS_G1_Y), (BLS_G1_X, BLS_FIELD - BLS_G1_Y)))
    if rng.random() < 0.12:
        x, y = rng.choice(((0, 2), (0, 1), (BLS_FIELD, 0), (BLS_G1_X, BLS_G1_Y + 1), (1 << 400, 0), (4, 10)))
    return _limb(x) + _limb(y)


def _bls_g2(rng):
    way = rng.random()
    if way < 0.4:
        return bytes(256)
    limbs = list(BLS_G2)
    if way < 0.55:
        limbs[2:] = [BLS_FIELD - limbs[2], BLS_FIELD - limbs[3]]
    elif way < 0.65:
        limbs[rng.randrange(4)] = rng.choice((0, 1, BLS_FIELD, 1 << 390))
    return b"".join(map(_limb, limbs))


def _bls_factor(rng):
    return _word(rng.choice((0, 1, 2, BLS_ORDER - 1, BLS_ORDER, (1 << 256) - 1, rng.getrandbits(16))))


def bls_g1_add(rng):
    return _bls_g1(rng) + _bls_g1(rng)


def bls_g1_msm(rng):
    return b"".join(_bls_g1(rng) + _bls_factor(rng) for _ in range(rng.choice((0, 1, 1, 2))))


def bls_g2_add(rng):
    return _bls_g2(rng) + _bls_g2(rng)


def bls_g2_msm(rng):
    return b"".join(_bls_g2(rng) + _bls_factor(rng) for _ in range(rng.choice((0, 1, 1))))


def bls_pairing(rng):
    way = rng.random()
    if way < 0.05:
        g2 = b"".join(map(_limb, BLS_G2))
        negative = _limb(BLS_G1_X) + _limb(BLS_FIELD - BLS_G1_Y)
        return _limb(BLS_G1_X) + _limb(BLS_G1_Y) + g2 + negative + g2
    g1, g2 = (bytes(128), _bls_g2(rng)) if way < 0.5 else (_bls_g1(rng), bytes(256))
    return (g1 + g2) * rng.randrange(2)


def bls_map_g1(rng):
    return _limb(rng.choice((0, 1, BLS_FIELD - 1, BLS_FIELD, rng.getrandbits(380) % BLS_FIELD)))


def bls_map_g2(rng):
    return bls_map_g1(rng) + bls_map_g1(rng)


def noise(rng):
    return rng.randbytes(rng.choice((0, 1, 31, 32, 33, 64, 100)))


KINDS = {
    1: (ecrecover, 9), 2: (noise, 4), 3: (noise, 4), 4: (noise, 6), 5: (modexp, 12), 6: (bn_add, 6), 7: (bn_mul, 4),
    8: (bn_pairing, 2), 9: (blake2f, 6), 10: (point_evaluation, 2), 11: (bls_g1_add, 4), 12: (bls_g1_msm, 2),
    13: (bls_g2_add, 3), 14: (bls_g2_msm, 1), 15: (bls_pairing, 1), 16: (bls_map_g1, 1), 17: (bls_map_g2, 1),
    18: (noise, 1), P256: (p256, 10), 0x101: (noise, 1),
}  # fmt: skip
"""Of each address: what makes its input, and how often it is called. Two are next to the last ones and none."""


def draw(rng):
    """(address, input) of a call to a precompile."""
    number = rng.choices(list(KINDS), [share for _, share in KINDS.values()])[0]
    made = KINDS[number][0](rng)
    way = rng.random()
    if way < 0.06:
        made = made[: rng.randrange(len(made) + 1)]
    elif way < 0.1:
        made += rng.randbytes(rng.choice((1, 32)))
    return number, made
