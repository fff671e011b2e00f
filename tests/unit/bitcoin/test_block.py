"""Shows that a block is tied to its header, and that proofs of inclusion cannot be forged in the known ways."""

import ctypes
import random
from dataclasses import replace

import pbk
import pbk.capi.bindings as kernel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedroll.bitcoin.block import (
    BadBlock,
    Block,
    commitment_hash,
    commitment_script,
    witness_commitment,
)
from bedroll.bitcoin.header import Header
from bedroll.bitcoin.inclusion import BadProof, InclusionProof
from bedroll.bitcoin.merkle import DuplicateTail, merkle_path, merkle_root, root_of_path
from bedroll.bitcoin.transaction import NULL_OUT_POINT, OutPoint, Transaction, TxIn, TxOut
from bedroll.crypto import double_sha256, sha256
from bedroll.da import scan_block
from bedroll.encoding import Cursor, Malformed
from bedroll.primitives import BlockHash, Invalid, Satoshi, Txid

LEAVES = [double_sha256(bytes((number,))) for number in range(40)]


def _transaction(number: int, *, witness: bool = True) -> Transaction:
    spent = OutPoint(Txid(sha256(number.to_bytes(4, "big"))), 0)
    return Transaction(
        (TxIn(spent, witness=(number.to_bytes(64, "big"),) if witness else ()),),
        (TxOut(Satoshi(number), b"\x51\x20" + b"\x07" * 32),),
    )


def _block(count: int, *, commit: bool = True, witness: bool = True) -> Block:
    """A block of `count` transactions beside the coinbase, without work."""
    rest = [_transaction(number, witness=witness) for number in range(count)]
    outputs = (TxOut(Satoshi(50), b"\x51"),)
    if commit:
        outputs += (TxOut(Satoshi(0), commitment_script(rest)),)
    coinbase = Transaction((TxIn(NULL_OUT_POINT, b"\x01\x01", witness=(bytes(32),) if commit else ()),), outputs)
    root = merkle_root([coinbase.txid, *(each.txid for each in rest)])
    return Block(Header(4, BlockHash(bytes(32)), root, 0, 0x207FFFFF, 0), (coinbase, *rest))


def _with_root(block: Block) -> Block:
    return replace(block, header=replace(block.header, merkle_root=merkle_root(block.txids)))


# --- blocks


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 252, 253])
def test_a_block_comes_back_and_holds(count: int) -> None:
    block = _block(count)
    block.check()
    parsed = Block.parse(block.raw)
    assert parsed == block
    parsed.check()
    assert parsed.weight == sum(each.weight for each in block.transactions) + 4 * (80 + (3 if count > 251 else 1))
    assert parsed.witness_root() == merkle_root(block.wtxids)


def test_bitcoin_core_reads_the_same_identifiers() -> None:
    block = _block(9)
    raw = block.raw
    handle = kernel.btck_block_create((ctypes.c_ubyte * len(raw)).from_buffer_copy(raw), len(raw))
    theirs = pbk.Block._from_handle(handle)
    assert bytes(theirs.block_hash) == block.hash
    assert [bytes(each.txid) for each in theirs.transactions] == block.txids


@settings(max_examples=200, deadline=None, derandomize=True)
@given(at=st.integers(0, 100_000), bit=st.integers(0, 7), cut=st.integers(0, 100_000))
def test_no_flipped_bit_passes_under_the_same_header(at: int, bit: int, cut: int) -> None:
    block = _block(3)
    raw = bytearray(block.raw)
    raw[80 + at % (len(raw) - 80)] ^= 1 << bit
    with pytest.raises(Malformed):
        Block.parse(block.raw[: cut % len(raw)])
    try:
        changed = Block.parse(bytes(raw))
    except Malformed:
        return
    with pytest.raises(Invalid):
        changed.check()


def _changed(block: Block, at: int, transaction: Transaction) -> Block:
    transactions = list(block.transactions)
    transactions[at] = transaction
    return replace(block, transactions=tuple(transactions))


def test_what_is_wrong_with_a_block_is_named_as_bitcoin_core_does() -> None:
    block = _block(3)
    coinbase, first = block.transactions[:2]
    extra = Transaction(coinbase.inputs, coinbase.outputs[:1], lock_time=1)
    heavy = Transaction(first.inputs, (TxOut(Satoshi(1), b"\x6a" + bytes(1_000_000)),))
    for broken, reason in (
        (replace(block, transactions=block.transactions[1:]), "bad-cb-missing"),
        (replace(block, transactions=()), "bad-cb-missing"),
        (replace(block, transactions=(*block.transactions, extra)), "bad-cb-multiple"),
        (_changed(block, 1, replace(first, lock_time=1)), "bad-txnmrklroot"),
        (_with_root(_changed(block, 1, heavy)), "bad-blk-weight"),
        (_changed(block, 1, first.with_witness(0, (b"other",))), "bad-witness-merkle-match"),
        (_changed(block, 0, coinbase.with_witness(0, (bytes(31),))), "bad-witness-nonce-size"),
        (_changed(block, 0, coinbase.with_witness(0, ())), "bad-witness-nonce-size"),
        (_changed(block, 0, coinbase.with_witness(0, (b"\x01" * 32,))), "bad-witness-merkle-match"),
        (_block(3, commit=False), "unexpected-witness"),
    ):
        with pytest.raises(BadBlock) as caught:
            broken.check()
        assert caught.value.reason == reason
    _block(3, commit=False, witness=False).check()
    assert _block(3, commit=False, witness=False).witness_root() is None


def test_a_doubled_tail_is_refused() -> None:
    block = _block(2)
    doubled = replace(block, transactions=(*block.transactions, block.transactions[-1]))
    assert _naive_root(doubled.txids) == block.header.merkle_root
    with pytest.raises(DuplicateTail):
        doubled.check()


def test_the_last_matching_output_is_the_commitment() -> None:
    block = _block(1)
    coinbase = block.transactions[0]
    decoy = TxOut(Satoshi(0), b"\x6a\x24\xaa\x21\xa9\xed" + bytes(32))
    short = TxOut(Satoshi(0), b"\x6a\x24\xaa\x21\xa9\xed" + bytes(31))
    expected = commitment_hash(merkle_root(block.wtxids), bytes(32))
    assert witness_commitment(replace(coinbase, outputs=(decoy, *coinbase.outputs, short))) == expected
    assert witness_commitment(replace(coinbase, outputs=(*coinbase.outputs, decoy))) == bytes(32)


def test_a_count_that_cannot_be_true_is_refused_before_it_is_read() -> None:
    raw = _block(1).raw
    with pytest.raises(Malformed, match="too large"):
        Block.parse(raw[:80] + b"\xfe\xff\xff\xff\x00" + raw[81:])
    with pytest.raises(Invalid, match="block is too long") as caught:
        Block.parse(bytes(4_000_001))
    assert caught.value.fields["limit"] == 4_000_000
    with pytest.raises(Malformed, match="not 80 bytes"):
        Header.parse(bytes(81))


# --- trees


def _naive_root(leaves: list[bytes]) -> bytes:
    """As in BIP-0037's first prose: double the last, hash pairs."""
    while len(leaves) > 1:
        leaves = leaves + leaves[-1:] * (len(leaves) & 1)
        leaves = [double_sha256(leaves[at] + leaves[at + 1]) for at in range(0, len(leaves), 2)]
    return leaves[0]


@pytest.mark.parametrize("count", range(1, 41))
def test_every_leaf_has_a_path_to_the_root(count: int) -> None:
    leaves = LEAVES[:count]
    root = merkle_root(leaves)
    assert root == _naive_root(list(leaves))
    for index in range(count):
        path = merkle_path(leaves, index)
        assert root_of_path(leaves[index], index, path) == root
        # Another position proves nothing, and one that the path cannot reach is refused.
        assert not _proves(leaves[index], index ^ 1, path, root)
        with pytest.raises(Invalid, match="does not fit"):
            root_of_path(leaves[index], index + (1 << len(path)), path)
        with pytest.raises(Invalid, match="does not fit"):
            root_of_path(leaves[index], -1, path)


def _proves(leaf: bytes, index: int, path: tuple[bytes, ...], root: bytes) -> bool:
    try:
        return root_of_path(leaf, index, path) == root
    except Invalid:
        return False


def test_the_copy_of_an_odd_tail_has_no_path() -> None:
    leaves = LEAVES[:3]
    path = merkle_path(leaves, 2)
    assert path[0] == leaves[2]
    with pytest.raises(DuplicateTail, match="copy of an odd tail"):
        root_of_path(leaves[2], 3, path)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6, 11])
def test_every_way_of_doubling_a_tail_is_seen(count: int) -> None:
    leaves = LEAVES[:count]
    found = 0
    for size in range(1, count + 1):
        longer = leaves + leaves[-size:]
        if _naive_root(longer) == merkle_root(leaves):
            found += 1
            with pytest.raises(DuplicateTail):
                merkle_root(longer)
    assert found or count in (1, 2)


def test_trees_without_leaves_and_paths_without_end_are_refused() -> None:
    with pytest.raises(Invalid, match="at least one leaf"):
        merkle_root([])
    with pytest.raises(Invalid, match="no such leaf"):
        merkle_path(LEAVES, 40)
    with pytest.raises(Invalid, match="too long"):
        root_of_path(LEAVES[0], 0, [bytes(32)] * 17)
    with pytest.raises(Invalid, match="not 32 bytes"):
        root_of_path(LEAVES[0], 0, [bytes(31)])


# --- inclusion


@pytest.mark.parametrize("count", [0, 1, 2, 6, 9])
def test_every_transaction_of_a_block_is_proved_with_its_witness(count: int) -> None:
    block = _block(count)
    for index, transaction in enumerate(block.transactions):
        for witness in (False, True):
            proof = InclusionProof.build(block, index, witness=witness)
            proof.verify(block.header, transaction)
            other = transaction.with_witness(0, (b"other",))
            if witness and index:
                with pytest.raises(BadProof, match="witness is not the block's"):
                    proof.verify(block.header, other)
            else:
                # Without the witness path, or of the coinbase, only the txid is proved.
                proof.verify(block.header, other)
            with pytest.raises(BadProof, match="not in the block"):
                proof.verify(block.header, replace(transaction, lock_time=9))


def test_an_inner_node_does_not_pass_for_a_transaction() -> None:
    # An attacker grinds a pair of txids whose concatenation parses as a transaction. Here it is simply given to him.
    fake = Transaction(
        (TxIn(OutPoint(Txid(bytes(32)), 0), b"\x51" * 3),),
        (TxOut(Satoshi(1), b"\x51"),),
    )
    assert len(fake.stripped) == 64
    rest = [_transaction(1), _transaction(2), _transaction(3)]
    coinbase = Transaction((TxIn(NULL_OUT_POINT, b"\x01\x01"),), (TxOut(Satoshi(50), b"\x51"),))
    left = double_sha256(coinbase.txid + rest[0].txid)
    root = double_sha256(left + fake.txid)
    header = Header(4, BlockHash(bytes(32)), root, 0, 0x207FFFFF, 0)
    deep = (rest[0].txid, fake.txid)
    proof = InclusionProof(1, (left,), coinbase, deep, None)
    with pytest.raises(BadProof, match="64-byte"):
        proof.verify(header, fake)
    # And one level up, whatever its size: the coinbase shows how deep leaves lie.
    larger = replace(fake, inputs=(TxIn(OutPoint(Txid(bytes(32)), 0), b"\x51" * 4),))
    root = double_sha256(left + larger.txid)
    proof = InclusionProof(1, (left,), coinbase, (rest[0].txid, larger.txid), None)
    with pytest.raises(BadProof, match="different depths"):
        proof.verify(replace(header, merkle_root=root), larger)


def test_a_proof_needs_a_real_coinbase_and_a_commitment() -> None:
    block = _block(3)
    proof = InclusionProof.build(block, 2, witness=True)
    target = block.transactions[2]
    with pytest.raises(BadProof, match="not a coinbase"):
        replace(proof, coinbase=block.transactions[1]).verify(block.header, target)
    with pytest.raises(BadProof, match="coinbase is not in the block"):
        replace(proof, coinbase=replace(proof.coinbase, lock_time=1)).verify(block.header, target)
    assert proof.witness_path is not None
    with pytest.raises(BadProof, match="txid and wtxid"):
        replace(proof, witness_path=proof.witness_path[:1]).verify(block.header, target)
    bare = _block(3, commit=False, witness=False)
    with pytest.raises(Invalid, match="commits to no witness"):
        InclusionProof.build(bare, 1, witness=True)
    plain = InclusionProof.build(bare, 1)
    with pytest.raises(BadProof, match="commits to no witness"):
        replace(plain, witness_path=plain.path).verify(bare.header, bare.transactions[1])


def test_a_block_is_read_to_its_last_byte() -> None:
    with pytest.raises(Malformed, match="bytes follow"):
        Block.parse(_block(1).raw + b"\0")
    cursor = Cursor(_block(1).raw)
    assert Header.parse(cursor.take(80)).raw == _block(1).header.raw


def _repaired(raw: bytes) -> bytes:
    """The same with the header's root mended, so that deeper rules are reached."""
    try:
        return _with_root(Block.parse(raw)).raw
    except Invalid:
        return raw


def _mutated(source: random.Random) -> bytes:
    block = _block(source.randrange(5), commit=bool(source.randrange(4)), witness=bool(source.randrange(3)))
    raw = bytearray(block.raw)
    for _ in range(source.randrange(1, 3)):
        at = source.randrange(len(raw))
        match source.randrange(4):
            case 0:
                raw[at] ^= 1 << source.randrange(8)
            case 1:
                raw[at] = source.choice((0, 1, 0xFD, 0xFE, 0xFF))
            case 2:
                del raw[at : at + source.randrange(1, 4)]
            case 3:
                raw[at:at] = raw[at : at + source.randrange(1, 40)]
    return _repaired(bytes(raw)) if source.randrange(3) else bytes(raw)


@pytest.mark.parametrize("seed", [5, pytest.param(6, marks=pytest.mark.slow)])
def test_derivation_takes_and_refuses_the_same_blocks(seed: int) -> None:
    rounds = 3_000 if seed == 5 else 40_000
    print(f"seed {seed}")
    source, taken = random.Random(seed), 0
    for _ in range(rounds):
        raw = _mutated(source)
        try:
            ours = Block.parse(raw)
            ours.check()
        except Invalid:
            with pytest.raises(Invalid):
                scan_block(raw, b"\xbe")
            continue
        theirs = scan_block(raw, b"\xbe")
        assert (theirs.hash, theirs.witness_root) == (ours.hash, ours.witness_root() or bytes(32))
        assert theirs.coinbase_value == ours.transactions[0].output_value
        taken += 1
    assert taken > rounds // 20
