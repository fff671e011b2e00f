"""Shows: what blocks of Ethereum's own chains have and this chain's have not is shown as geth shows it."""

from bedroll.api.quantity import show_data
from bedroll.api.render_ethereum import show_ommer
from bedroll.encoding.rlp import encode_rlp

EMPTY_TRIE = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
FIRST = {
    "parentHash": "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
    "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    "miner": "0x05a56e2d52c817161883f50c441c3228cfe54d9f",
    "stateRoot": "0xd67e4d450343046425ae4271474353857ab860dbc0a1dde64b41b5cd3a532bf3",
    "transactionsRoot": EMPTY_TRIE,
    "receiptsRoot": EMPTY_TRIE,
    "logsBloom": "0x" + "00" * 256,
    "difficulty": "0x3ff800000",
    "number": "0x1",
    "gasLimit": "0x1388",
    "gasUsed": "0x0",
    "timestamp": "0x55ba4224",
    "extraData": "0x476574682f76312e302e302f6c696e75782f676f312e342e32",
    "mixHash": "0x969b900de27b6ac6a67742365dd65f55a0526c41fd18e1b16f1a1215c2e66f59",
    "nonce": "0x539bd4979fef1ec4",
}
"""Header of Ethereum's first block, as any explorer shows it."""
FIRST_HASH = "0x88e96d4537bea4d9c05d12549907b32561d3bf31f45aae734cdc119f13406cb6"
NUMBERS = ("difficulty", "number", "gasLimit", "gasUsed", "timestamp")


def encoded(header):
    def value(member):
        digits = header[member][2:]
        if member not in NUMBERS:
            return bytes.fromhex(digits)
        number = int(digits, 16)
        return number.to_bytes((number.bit_length() + 7) // 8, "big")

    return encode_rlp([value(member) for member in header])


def test_an_uncle_is_shown_by_its_header_and_has_no_transactions():
    rlp = encoded(FIRST)
    # The block is 537 bytes: its header and two empty lists, in a list.
    assert show_ommer(rlp) == {"hash": FIRST_HASH, **FIRST, "size": "0x219", "uncles": []}


def test_an_uncle_from_london_on_has_a_base_fee():
    rlp = encode_rlp([*(bytes([1]) for _ in FIRST), (10**9).to_bytes(4, "big")])
    shown = show_ommer(rlp)
    assert shown["baseFeePerGas"] == "0x3b9aca00"
    assert shown["nonce"] == show_data(b"\x01")
