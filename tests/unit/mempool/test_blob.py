"""Shows which transactions with blobs a chain of Ethereum's own takes in, and that no stranger's bytes break it."""

import asyncio
import random
from contextlib import suppress
from dataclasses import replace

import pytest

from bedroll.execution.admission import Refused
from bedroll.execution.engine import decode_blob_transaction, decode_transaction
from bedroll.execution.mempool import Mempool, PoolLimit, add_blobs
from bedroll.primitives import Invalid
from tests.framework.blob_chain import (
    BLOB_SIZE,
    CELLS,
    FUNDS,
    GENERATOR,
    INFINITY,
    ONES,
    POOR,
    RANDOM,
    RANDOM_CELL_PROOFS,
    RANDOM_PROOF,
    ZEROS,
    BlobForm,
    add_block,
    call,
    open_blob_chain,
)
from tests.framework.evm_case import address_of
from tests.framework.seal_chain import SealChain

OSAKA = BlobForm()
PRAGUE = BlobForm(has_cell_proofs=False)
SIX = (ZEROS, ONES) * 3


@pytest.fixture(scope="module")
def chains(tmp_path_factory):
    made = {fork: open_blob_chain(tmp_path_factory.mktemp(fork), fork) for fork in ("Prague", "Osaka")}
    yield made
    for chain in made.values():
        chain.engine.close()


@pytest.fixture
def osaka(chains):
    chains["Osaka"].pool = Mempool(chains["Osaka"].network.chain_id)
    return chains["Osaka"]


@pytest.fixture
def prague(chains):
    chains["Prague"].pool = Mempool(chains["Prague"].network.chain_id)
    return chains["Prague"]


def send(chain, form):
    return asyncio.run(chain.send_transaction(form if isinstance(form, bytes) else form.network()))


def refusal(chain, form):
    waiting = len(chain.pool)
    with pytest.raises(Invalid) as caught:
        send(chain, form)
    assert len(chain.pool) == waiting
    return str(caught.value)


def test_each_fork_takes_its_own_form(osaka, prague):
    for chain, form in ((osaka, replace(OSAKA, blobs=SIX)), (prague, replace(PRAGUE, blobs=(*SIX, *SIX[:3])))):
        name = send(chain, form)
        waiting = chain.pool.get(name)
        assert waiting is not None
        assert (waiting.kind, waiting.raw) == (3, form.transaction())
        sidecar = chain.pool.sidecar(name)
        assert sidecar is not None
        assert sidecar.blobs == [body for body, _ in form.blobs]
        assert sidecar.commitments == [commitment for _, commitment in form.blobs]
        assert sidecar.proofs == [INFINITY] * (len(form.blobs) * (CELLS if form.has_cell_proofs else 1))
        assert chain.pool.size_bytes == len(waiting.raw) + sidecar.size_bytes


def test_proofs_of_a_blob_of_unlike_elements_are_held_against_each_other(osaka, prague):
    for chain, form in (
        (prague, replace(PRAGUE, blobs=(RANDOM,), proofs=RANDOM_PROOF)),
        (osaka, replace(OSAKA, blobs=(RANDOM,), proofs=RANDOM_CELL_PROOFS)),
    ):
        for wrong in (
            replace(form, proofs=(*form.proofs[1:], INFINITY)),
            replace(form, proofs=(*form.proofs[:-1], GENERATOR)),
            replace(form, bodies=(RANDOM[0][:-1] + bytes([RANDOM[0][-1] ^ 1]),)),
            replace(form, bodies=(RANDOM[0][32:] + RANDOM[0][:32],)),
        ):
            assert "KZG verification error: the proofs do not fit" in refusal(chain, wrong)
        send(chain, form)
    turned = (RANDOM_CELL_PROOFS[1], RANDOM_CELL_PROOFS[0], *RANDOM_CELL_PROOFS[2:])
    assert "KZG" in refusal(osaka, replace(OSAKA, nonce=1, blobs=(RANDOM,), proofs=turned))


def test_no_fork_takes_the_form_of_another(osaka, prague):
    assert "unexpected sidecar version, want: 1, got: 0" in refusal(osaka, PRAGUE)
    assert "unexpected sidecar version, want: 0, got: 1" in refusal(prague, OSAKA)


def test_a_chain_of_bedroll_refuses_blobs(tmp_path):
    chain = SealChain.open(tmp_path / "chain")
    raw = OSAKA.network()
    with pytest.raises(Invalid, match="blob transactions are not accepted"):
        decode_transaction(raw)
    with pytest.raises(Invalid, match="blob transactions are not accepted"):
        decode_blob_transaction(raw, chain.engine.view(), 1 << 17)
    chain.engine.close()


NO_FORM = "not a blob transaction with its blobs beside it: "
OTHER_HASH = b"\x01" + bytes(31)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (replace(OSAKA, proofs=(GENERATOR,) * CELLS), "KZG verification error: the proofs do not fit"),
        (replace(OSAKA, proofs=(b"\xff" * 48,) * CELLS), "KZG verification error: CError"),
        (replace(OSAKA, bodies=(b"\xff" * BLOB_SIZE,)), "KZG verification error: CError"),
        (replace(OSAKA, bodies=(ONES[0],)), "KZG verification error: the proofs do not fit"),
        (replace(OSAKA, blobs=(ZEROS, ONES), bodies=(ONES[0], ZEROS[0])), "KZG verification error"),
        (replace(OSAKA, commitments=(GENERATOR,)), "blob 0: computed hash 0x01"),
        (replace(OSAKA, hashes=(OTHER_HASH,)), "mismatches transaction one 0x0100000000"),
        (replace(OSAKA, hashes=()), "blobless blob transaction"),
        (replace(OSAKA, blobs=(*SIX, ZEROS)), "transaction blob limit exceeded: blob count 7, limit 6"),
        (replace(OSAKA, hashes=(OTHER_HASH,) * 3_000), "transaction blob limit exceeded: blob count 3000, limit 6"),
        (replace(OSAKA, hashes=(OTHER_HASH,) * 4_000), "oversized data: transaction size 132"),
        (replace(OSAKA, version=b"\x02"), NO_FORM + "its version is 0x02"),
        (replace(OSAKA, version=b"\x01" * 70_000), NO_FORM + "its version is 0x0101"),
        (replace(OSAKA, version=b""), NO_FORM + "its version is 0x"),
        (replace(OSAKA, bodies=()), NO_FORM + "0 bytes of blobs, where 1 have 131076"),
        (replace(OSAKA, bodies=(ZEROS[0],) * 2), NO_FORM + "262152 bytes of blobs, where 1 have 131076"),
        (replace(OSAKA, bodies=(b"",) * 131_076), NO_FORM + "a string of 0 bytes"),
        (replace(OSAKA, commitments=(INFINITY,) * 2), NO_FORM + "98 bytes of commitments, where 1 have 49"),
        (replace(OSAKA, commitments=(b"",) * 49), NO_FORM + "a string of 0 bytes"),
        (replace(OSAKA, proofs=(INFINITY,)), NO_FORM + "49 bytes of proofs, where 128 have 6272"),
        (replace(OSAKA, proofs=(INFINITY,) * 129), NO_FORM + "6321 bytes of proofs, where 128 have 6272"),
        (replace(OSAKA, proofs=(b"",) * 1_000_000), NO_FORM + "1000000 bytes of proofs, where 128 have 6272"),
        (replace(OSAKA, more=((),)), NO_FORM + "it has more lists than three beside"),
        (OSAKA.network() + b"\0", NO_FORM + "1 bytes follow it"),
        (OSAKA.transaction(), "missing sidecar in blob transaction"),
        (replace(OSAKA, gas=(1 << 24) + 1), "transaction gas limit too high (cap: 16777216, tx: 16777217)"),
        (replace(OSAKA, blob_cap=0), "transaction underpriced: blob fee cap 0, minimum needed 1"),
        (replace(OSAKA, blob_cap=FUNDS), "insufficient funds for gas * price + value: balance"),
        (replace(OSAKA, key=POOR), "insufficient funds for gas * price + value: balance 0, tx cost 152072000000000"),
        (replace(OSAKA, gas=20_999), "intrinsic gas too low: gas 20999, minimum needed 21000"),
        (replace(OSAKA, nonce=1), "nonce too high: tx nonce 1, gapped nonce 0"),
        (replace(OSAKA, tip=10**9 + 1), "max priority fee per gas higher than max fee per gas"),
    ],
)  # fmt: skip
def test_what_is_not_right_is_refused_in_words(osaka, form, words):
    assert words in refusal(osaka, form)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (replace(PRAGUE, proofs=(GENERATOR,)), "KZG verification error: the proofs do not fit"),
        (replace(PRAGUE, bodies=(b"\xff" * BLOB_SIZE,)), "KZG verification error: CError"),
        (replace(PRAGUE, commitments=(GENERATOR,)), "blob 0: computed hash 0x01"),
        (replace(PRAGUE, proofs=(INFINITY,) * 2), NO_FORM + "98 bytes of proofs, where 1 have 49"),
        (replace(PRAGUE, blobs=SIX[:2] * 5), "transaction blob limit exceeded: blob count 10, limit 9"),
    ],
)
def test_the_same_before_osaka(prague, form, words):
    assert words in refusal(prague, form)


def test_bytes_of_any_kind_are_refused_and_nothing_else(osaka):
    """Cut, changed and made-up bytes: each is refused as `Invalid`, or was not changed where it matters."""
    seed = 20_261_122
    print("seed", seed)
    rng, view, raw = random.Random(seed), osaka.engine.view(), OSAKA.network()
    taken = 0
    for _ in range(400):
        spoiled = bytearray(raw[: rng.randrange(len(raw))] if rng.random() < 0.3 else raw)
        for _ in range(rng.choice((0, 1, 4))):
            at = rng.randrange(min(400, len(spoiled) or 1)) if rng.random() < 0.7 else rng.randrange(len(spoiled) or 1)
            if at < len(spoiled):
                spoiled[at] = rng.choice((0, 0x7F, 0x80, 0xB8, 0xBF, 0xC0, 0xF8, 0xFF, rng.randrange(256)))
        with suppress(Invalid):
            decode_blob_transaction(bytes(spoiled), view, 1 << 17)
            taken += 1
    for header in (b"", b"\x03", b"\x03\xc0", b"\x03\xff" + b"\xff" * 8, b"\x03\xc1\xc0", b"\x03\xbf" + b"\xff" * 8):
        with pytest.raises(Invalid):
            decode_blob_transaction(header, view, 1 << 17)
    assert taken < 300


def test_blobs_are_replaced_by_twice_the_price_and_by_blobs_alone(osaka):
    send(osaka, OSAKA)
    for form in (
        replace(OSAKA, cap=2 * 10**9, tip=1, blob_cap=2 * 10**9),
        replace(OSAKA, cap=2 * 10**9, tip=2, blob_cap=2 * 10**9 - 1),
        replace(OSAKA, cap=2 * 10**9 - 1, tip=2, blob_cap=2 * 10**9),
    ):
        with pytest.raises(Refused, match="replacement transaction underpriced"):
            send(osaka, form)
    with pytest.raises(Refused, match="cannot replace each other"):
        send(osaka, call(POOR.to_bytes(20, "big")))
    name = send(osaka, replace(OSAKA, blobs=SIX[:2], cap=2 * 10**9, tip=2, blob_cap=2 * 10**9))
    assert [one.hash for one in osaka.pool.transactions()] == [name]
    waiting = osaka.pool.get(name)
    assert osaka.pool.size_bytes == len(waiting.raw) + osaka.pool.sidecar(name).size_bytes
    with pytest.raises(Refused, match="already known"):
        send(osaka, replace(OSAKA, blobs=SIX[:2], cap=2 * 10**9, tip=2, blob_cap=2 * 10**9))


def test_a_sender_has_sixteen_with_blobs_waiting_at_most(osaka):
    for nonce in range(16):
        send(osaka, replace(OSAKA, nonce=nonce))
    with pytest.raises(Refused, match="account limit exceeded"):
        send(osaka, replace(OSAKA, nonce=16))
    assert osaka.pool.count() == (16, 0)


def test_room_is_counted_with_the_blobs(osaka):
    view, fee = osaka.engine.view(), osaka.fee()
    pool = Mempool(osaka.network.chain_id, PoolLimit(size_bytes=2 * BLOB_SIZE))
    transaction = add_blobs(pool, OSAKA.network(), view, fee)
    with pytest.raises(Refused, match=r"transaction underpriced .*full"):
        add_blobs(pool, replace(OSAKA, nonce=1).network(), view, fee)
    pool.refused(transaction)
    assert (len(pool), pool.size_bytes, pool.sidecar(transaction.hash)) == (0, 0, None)


def test_what_is_in_a_block_waits_no_more_and_its_blobs_are_gone(tmp_path):
    chain = open_blob_chain(tmp_path / "chain")
    name = send(chain, OSAKA)
    block = add_block(chain, OSAKA.network())
    assert [one.hash for one in block.transactions] == [name]
    dropped = chain.pool.reset(chain.engine.view())
    assert [one.hash for one in dropped] == [name]
    assert (len(chain.pool), chain.pool.size_bytes, chain.pool.sidecar(name)) == (0, 0, None)
    with pytest.raises(Refused, match="nonce too low: next nonce 1, tx nonce 0"):
        send(chain, OSAKA)
    assert chain.engine.view().balance(address_of(POOR)) == 0
    chain.engine.close()
