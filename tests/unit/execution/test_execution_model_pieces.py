"""Shows that the parts of the execution model give what was published of tries, transactions and fees."""

import pytest

from tests.reference.execution_record import eip1559, slot_of
from tests.reference.merkle_patricia import keccak, list_root, rlp, secure_root, trie_root
from tests.reference.signed_transaction import ORDER, NoTransaction, Signed, decode, lz_length, sign, with_signature

TRIES = [
    # ethereum/tests, TrieTests/trieanyorder.json and trieanyorder_secureTrie.json
    ({"A": "a" * 50}, "d23786fb4a010da3ce639d66d5e904a11dbc02746d1ce25029e53290cabf28ab",
     "e9e2935138352776cad724d31c9fa5266a5c593bb97726dd2a908fe6d53284df"),
    ({"doe": "reindeer", "dog": "puppy", "dogglesworth": "cat"},
     "8aad789dff2f538bca5d8ea56e8abe10f4c7ba3a5dea95fea4cd6e7c3a1168d3",
     "d4cd937e4a4368d7931a9cf51686b7e10abb3dce38a39000fd7902a092b64585"),
    ({"do": "verb", "horse": "stallion", "doge": "coin", "dog": "puppy"},
     "5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84",
     "29b235a58c3c25ab83010c327d5932bcf05324b7d6b1185e650798034783ca9d"),
    ({"foo": "bar", "food": "bass"}, "17beaa1648bafa633cda809c90c04af50fc8aed3cb40d16efbddee6fdf63c4c3",
     "1385f23a33021025d9e87cca5c66c00de06178807b96a9acc92b7d651ccde842"),
]  # fmt: skip
EMPTY_ROOT = "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"

# The example of EIP-155.
EXAMPLE = Signed(0, 1, 9, 20 * 10**9, 20 * 10**9, 21_000, b"\x35" * 20, 10**18, b"")
EXAMPLE_PAYLOAD = "ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080"
EXAMPLE_RAW = (
    "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025"
    "a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"
    "a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
)


@pytest.mark.parametrize(("pairs", "plain", "secure"), TRIES)
def test_tries_have_their_published_roots(pairs, plain, secure):
    items = {key.encode(): value.encode() for key, value in pairs.items()}
    assert trie_root(items).hex() == plain
    assert secure_root(items).hex() == secure


def test_nothing_has_the_empty_root():
    assert trie_root({}).hex() == list_root([]).hex() == EMPTY_ROOT


def test_rlp_gives_the_yellow_papers_examples():
    assert rlp(b"dog").hex() == "83646f67"
    assert rlp([b"cat", b"dog"]).hex() == "c88363617483646f67"
    assert rlp([[], [[]], [[], [[]]]]).hex() == "c7c0c1c0c3c0c1c0"
    assert (rlp(0), rlp(15), rlp(1024)) == (b"\x80", b"\x0f", b"\x82\x04\x00")
    assert rlp(b"a" * 56)[:2].hex() == "b838"


def test_the_example_of_eip_155_is_signed_and_read():
    assert EXAMPLE.payload.hex() == EXAMPLE_PAYLOAD
    raw = sign(EXAMPLE, b"\x46" * 32)
    assert raw.hex() == EXAMPLE_RAW
    assert decode(raw).sender.hex() == "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"
    assert decode(raw).hash == keccak(raw)


def test_the_other_half_of_the_signatures_is_refused():
    found = sign(EXAMPLE, b"\x46" * 32)
    r, s = (int.from_bytes(found[-65:-33], "big"), int.from_bytes(found[-32:], "big"))
    assert with_signature(EXAMPLE, 0, r, s) == found
    for parity, bad_r, bad_s in [(1, r, ORDER - s), (0, 0, s), (0, r, 0), (0, ORDER, s)]:
        with pytest.raises(NoTransaction):
            decode(with_signature(EXAMPLE, parity, bad_r, bad_s))


@pytest.mark.parametrize("raw", ["", "c0", "80", "03c0", "02", "05c0", EXAMPLE_RAW + "00", EXAMPLE_RAW[:-2]])
def test_other_bytes_are_no_transaction(raw):
    with pytest.raises(NoTransaction):
        decode(bytes.fromhex(raw))


def test_a_contract_stands_where_its_maker_and_nonce_say():
    maker = bytes.fromhex("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0")
    made = Signed(2, 1, 0, 0, 0, 0, b"", 0, b"", sender=maker)
    assert made.contract.hex() == "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"


@pytest.mark.parametrize(
    ("base_fee", "gas_used", "gas_limit", "expected"),
    [
        (10**9, 30_025_257, 30_029_122, 1_124_967_822),  # Ethereum's blocks 12,965,000 and 12,965,001
        (10**9, 10_000_000, 20_000_000, 10**9),
        (10**9, 9_000_000, 20_000_000, 987_500_000),
        (10**9, 11_000_000, 20_000_000, 1_012_500_000),
        (1, 20_000_000, 20_000_000, 2),
        (7, 0, 20_000_000, 7),
    ],
)
def test_the_base_fee_moves_as_published(base_fee, gas_used, gas_limit, expected):
    assert eip1559(base_fee, gas_used, gas_limit) == expected


def test_gas_before_execution_is_that_of_the_eips():
    transfer = Signed(1, 1, 0, 0, 0, 0, b"\1" * 20, 0, b"\0\0\1", [[b"\2" * 20, [bytes(32)] * 3]])
    assert transfer.intrinsic_gas == 21_000 + 2 * 4 + 16 + 2_400 + 3 * 1_900
    assert transfer.floor_gas == 21_000 + 2 * 10 + 40
    creation = Signed(2, 1, 0, 0, 0, 0, b"", 0, b"\1" * 33)
    assert creation.intrinsic_gas == 53_000 + 33 * 16 + 2 * 2


def test_repetitions_count_three_bytes():
    assert lz_length(b"") == 0
    assert lz_length(b"abcd" * 2) == 4 + 3
    assert lz_length(b"a" * 265) == 1 + 3
    assert lz_length(b"a" * 266) == 1 + 3 + 1
    assert lz_length(bytes(range(256))) == 256
    for gap, added in ((8_188, 4), (8_187, 3)):
        far = b"\x01\x02\x03\x04" + bytes(gap) + b"\x01\x02\x03\x04"
        assert lz_length(far) == lz_length(far[:-4]) + added


def test_maps_of_vyper_hash_the_place_first():
    assert slot_of(1, b"\x05") == int.from_bytes(keccak((1).to_bytes(32, "big") + (5).to_bytes(32, "big")), "big")
