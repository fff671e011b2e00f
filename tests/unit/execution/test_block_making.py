"""Shows what a block holds, what its hash depends on, and that the same inputs give the same chain."""

import hashlib

import pytest
from eth_account import Account

from bedroll.crypto.keccak import keccak256
from bedroll.encoding.rlp import decode_rlp, encode_integer, encode_rlp
from bedroll.execution.engine import Engine
from bedroll.primitives import Invalid, Misconfigured, Unavailable
from bedroll.protocol import ADDRESS_BOOK, LIGHT_CLIENT, REGTEST, TIP_VAULT
from tests.framework.ledger import MAP_SIZE_BYTES, Ledger, address_of, genesis_for

TO = b"\x77" * 20
STORE_AND_RETURN = bytes.fromhex("602a600055600a8060106000396000f3") + bytes.fromhex("60005460005260206000f3")
LOGGING = bytes.fromhex("60aa60bb60205f5fa25f5ff3")


def deploy_code(runtime: bytes) -> bytes:
    """Init code that leaves `runtime` behind."""
    return bytes.fromhex("60") + bytes([len(runtime)]) + bytes.fromhex("80600b6000396000f3") + runtime


def ordered_root(leaves):
    """Root of the trie from rlp(index), written plainly: only what these tests need."""
    pairs = {nibbles(encode_rlp(encode_integer(index))): leaf for index, leaf in enumerate(leaves)}
    node = trie_node(pairs, 0)
    return keccak256(encode_rlp(node) if pairs else b"\x80")


def nibbles(key):
    return tuple(nibble for byte in key for nibble in (byte >> 4, byte & 15))


def compact(path, leaf):
    odd = len(path) % 2
    head = [2 * leaf + odd, *path] if odd else [2 * leaf, 0, *path]
    return bytes(16 * high + low for high, low in zip(head[::2], head[1::2], strict=True))


def child(pairs, depth):
    node = trie_node(pairs, depth)
    raw = encode_rlp(node)
    return node if len(raw) < 32 else keccak256(raw)


def trie_node(pairs, depth):
    if not pairs:
        return b""
    keys = list(pairs)
    if len(keys) == 1:
        return [compact(keys[0][depth:], 1), pairs[keys[0]]]
    common = depth
    while len({key[common] if common < len(key) else None for key in keys}) == 1:
        common += 1
    if common > depth:
        return [compact(keys[0][depth:common], 0), child(pairs, common)]
    slots = [
        child({key: leaf for key, leaf in pairs.items() if key[depth : depth + 1] == (slot,)}, depth + 1)
        if any(key[depth : depth + 1] == (slot,) for key in keys)
        else b""
        for slot in range(16)
    ]
    return [*slots, pairs.get(keys[0][:depth], b"")]


def test_a_transfer_moves_value_and_costs_its_gas(ledger):
    sender = ledger.keys[0]
    before = ledger.engine.view().balance(address_of(sender))
    block = ledger.block(ledger.sign(sender, to=TO, value=5, gas=21_000))
    receipt = block.receipts[-1]
    view = ledger.engine.view()
    assert (receipt.status, receipt.gas_used, receipt.data_gas) == (1, 21_000, 0)
    assert view.balance(TO) == 5
    assert view.balance(address_of(sender)) == before - 5 - 21_000 * receipt.effective_gas_price
    assert view.nonce(address_of(sender)) == 1


def test_a_contract_is_created_called_and_reverts_with_its_reason_kept(ledger):
    key = ledger.keys[0]
    created = ledger.block(ledger.sign(key, to=None, data=deploy_code(LOGGING))).receipts[-1]
    assert created.status == 1
    assert ledger.engine.view().code(created.contract) == LOGGING
    called = ledger.block(ledger.sign(key, to=created.contract)).receipts[-1]
    assert [log.topics for log in called.logs] == [[(0x20).to_bytes(32, "big"), (0xBB).to_bytes(32, "big")]]
    failing = ledger.block(ledger.sign(key, to=None, data=deploy_code(bytes.fromhex("63deadbeef5f526004601cfd"))))
    target = failing.receipts[-1].contract
    reverted = ledger.block(ledger.sign(key, to=target)).receipts[-1]
    assert (reverted.status, reverted.output) == (0, b"\xde\xad\xbe\xef")
    assert reverted.logs == []


def test_an_account_takes_code_by_a_type_4_transaction(ledger):
    payer, owner = ledger.keys[:2]
    target = ledger.block(ledger.sign(payer, to=None, data=deploy_code(LOGGING))).receipts[-1].contract
    grant = owner.sign_authorization({"chainId": REGTEST.chain_id, "address": target, "nonce": 0})
    raw = ledger.sign(payer, to=address_of(owner), type=4, authorizationList=[grant], gas=200_000)
    receipt = ledger.block(raw).receipts[-1]
    view = ledger.engine.view()
    assert view.code(address_of(owner)) == b"\xef\x01\x00" + target
    assert view.nonce(address_of(owner)) == 1
    assert [log.address for log in receipt.logs] == [address_of(owner)]


def test_the_header_says_what_the_protocol_says(ledger):
    origin = ledger.next_origin()
    block = ledger.block(ledger.sign(ledger.keys[0], to=TO), origin=origin)
    header = block.header
    fields = decode_rlp(header.rlp)
    assert header.hash == keccak256(header.rlp)
    assert len(fields) == 21
    assert fields[1] == keccak256(b"\xc0")
    assert fields[2] == TIP_VAULT
    assert fields[12] == b""
    assert header.prev_randao == keccak256(origin.hash + (1).to_bytes(8, "big"))
    assert header.origin_hash == fields[19] == origin.hash
    assert (fields[17], fields[18]) == (b"", b"")
    assert fields[16] == keccak256(b"\x80")
    assert fields[20] == hashlib.sha256(b"").digest()
    assert header.gas_used == sum(receipt.gas_used for receipt in block.receipts) == 21_000


def test_the_transactions_root_is_over_sender_and_unsigned_payload(ledger):
    raws = [ledger.sign(ledger.keys[n % 4], to=TO, value=n, nonce=n // 4, gas=21_000) for n in range(140)]
    block = ledger.block(*raws)
    assert block.header.transactions_root == ordered_root([tx.sender + tx.payload for tx in block.transactions])


def test_the_l1_call_comes_first_and_counts_nothing(ledger):
    origin = ledger.next_origin()
    block = ledger.block(ledger.sign(ledger.keys[0], to=TO, gas=21_000), origin=origin)
    first, receipt = block.transactions[0], block.receipts[0]
    assert (first.kind, first.to, first.nonce, first.gas_limit) == (0x7E, LIGHT_CLIENT, 1, 2**40)
    assert first.hash == keccak256(first.raw) == keccak256(first.payload)
    assert (receipt.status, receipt.gas_used, receipt.cumulative_gas_used, receipt.effective_gas_price) == (1, 0, 0, 0)
    assert ledger.read(LIGHT_CLIENT, "height()", gives="uint256") == 1
    assert ledger.read(LIGHT_CLIENT, "height_of(bytes32)", origin.hash, gives="uint256") == 1
    assert block.forced_count == 1


def test_the_system_contracts_know_parent_and_origin(ledger):
    first = ledger.block()
    second = ledger.block()
    history = bytes.fromhex("0000f90827f1c53a10cb7a02335b175320002935")
    beacon = bytes.fromhex("000f3df6d732807ef1319fb7b8bb8522d0beac02")
    call = {
        "sender": bytes(20), "value": 0, "gas_limit": 10**6, "gas_price": 0, "access_list": [], "overrides": "",
    }  # fmt: skip
    view = ledger.engine.view()
    assert view.call(to=history, data=(1).to_bytes(32, "big"), **call).output == first.header.hash
    timestamp = second.header.timestamp.to_bytes(32, "big")
    assert view.call(to=beacon, data=timestamp, **call).output == first.header.origin_hash


def other_signature(raw: bytes, key) -> bytes:
    """The same transaction by the same sender, signed with another nonce point."""
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    fields = decode_rlp(raw[1:])[:-3]
    digest = int.from_bytes(keccak256(b"\x02" + encode_rlp(fields)), "big")
    secret = 0x1234567
    point = Account.from_key(secret.to_bytes(32, "big"))._key_obj.public_key.to_bytes()
    x, y = int.from_bytes(point[:32], "big"), int.from_bytes(point[32:], "big")
    s = pow(secret, -1, order) * (digest + x * int.from_bytes(key.key, "big")) % order
    parity = y % 2
    if s > order // 2:
        s, parity = order - s, 1 - parity
    return b"\x02" + encode_rlp([*fields, encode_integer(parity), encode_integer(x), encode_integer(s)])


def test_block_hashes_do_not_depend_on_signatures(tmp_path):
    hashes = []
    for name in ("one", "other"):
        chain = Ledger.open(tmp_path / name)
        raw = chain.sign(chain.keys[0], to=TO, value=1, gas=21_000)
        if name == "other":
            again = other_signature(raw, chain.keys[0])
            assert again != raw
            raw = again
        hashes.append((chain.block(raw).header.hash, raw))
        chain.engine.close()
    assert hashes[0][0] == hashes[1][0]
    assert hashes[0][1] != hashes[1][1]


def busy_chain(folder, commit_every):
    """A dozen blocks of transfers, creations and forced messages."""
    chain = Ledger.open(folder)
    headers = []
    for number in range(12):
        forced = [(bytes([number]) * 32, b"junk", True)] if number % 3 == 0 else []
        origin = chain.next_origin(forced) if number % 2 == 0 else None
        raws = [chain.sign(key, to=TO, value=number) for key in chain.keys]
        raws.append(chain.sign(chain.keys[0], to=None, data=STORE_AND_RETURN, nonce=chain_nonce(chain) + 1))
        headers.append(chain.block(*raws, origin=origin).header.rlp)
        if number % commit_every == 0:
            chain.engine.commit()
    return chain, headers


def chain_nonce(chain):
    return chain.engine.view().nonce(address_of(chain.keys[0]))


def test_two_engines_agree_whatever_was_committed_when(tmp_path):
    one, headers = busy_chain(tmp_path / "one", commit_every=1)
    other, again = busy_chain(tmp_path / "other", commit_every=100)
    assert headers == again
    for chain in (one, other):
        chain.engine.close()


def test_unwinding_and_replaying_gives_the_same_blocks(tmp_path):
    chain, headers = busy_chain(tmp_path / "chain", commit_every=4)
    blocks = [chain.engine.block(height) for height in range(13)]
    roots = [chain.engine.view(height).balance(TO) for height in range(13)]
    for fork in (9, 3, 0):
        chain.engine.unwind_to(fork)
        assert chain.engine.tip().number == fork
        assert chain.engine.view().balance(TO) == roots[fork]
        assert chain.engine.block(fork + 1) is None
        chain.origin_height = blocks[fork].origin_height
        for block in blocks[fork + 1 :]:
            origin = None
            if block.origin_step:
                number = block.header.number - 1
                origin = chain.next_origin([(bytes([number]) * 32, b"junk", True)] if number % 3 == 0 else [])
            raws = [tx.raw for tx in block.transactions[block.forced_count :]]
            assert chain.block(*raws, origin=origin).header.rlp == headers[block.header.number - 1]
    chain.engine.close()


def test_an_engine_reopens_at_its_durable_tip(tmp_path):
    chain, headers = busy_chain(tmp_path / "chain", commit_every=6)
    durable = chain.engine.durable_height()
    assert 0 < durable < 12
    core = genesis_for(chain.keys).core_json()
    chain.engine.close()
    with pytest.raises(Unavailable):
        chain.engine.tip()
    engine = Engine.open(str(tmp_path / "chain"), core, map_size_bytes=MAP_SIZE_BYTES, sync=False)
    assert engine.tip().rlp == headers[durable - 1]
    stored = engine.block(durable)
    assert stored.header.rlp == headers[durable - 1]
    assert len(stored.transactions) == len(stored.receipts)
    assert engine.find_transaction(stored.transactions[-1].hash) == (durable, len(stored.transactions) - 1)
    engine.close()


def test_a_store_of_another_genesis_and_a_second_opening_are_refused(tmp_path):
    chain = Ledger.open(tmp_path / "chain")
    with pytest.raises(Unavailable):
        Ledger.open(tmp_path / "chain")
    chain.engine.close()
    with pytest.raises(Misconfigured):
        Ledger.open(tmp_path / "chain", keys=5)


def test_a_refused_transaction_leaves_the_block_as_it_was(tmp_path):
    sealed = []
    for with_refused in (False, True):
        chain = Ledger.open(tmp_path / str(with_refused))
        good = chain.sign(chain.keys[0], to=TO, value=1)
        poor = Account.from_key(b"\x99" * 32)
        bad = [
            chain.sign(chain.keys[0], to=TO, nonce=7),
            chain.sign(poor, to=TO, value=1),
            chain.sign(chain.keys[1], to=TO, chainId=1),
            chain.sign(chain.keys[1], to=TO, gas=20_999),
            chain.sign(chain.keys[1], to=TO, maxFeePerGas=1),
            b"nonsense",
        ]
        chain.engine.begin(chain.engine.tip().timestamp + 1, chain.next_origin())
        refused = []
        for raw in bad if with_refused else []:
            with pytest.raises(Invalid) as caught:
                chain.engine.add(raw)
            refused.append(caught.value.reason)
        chain.engine.add(good)
        if with_refused:
            outcomes = chain.engine.add_many([good, *bad])
            assert all(isinstance(outcome, str) for outcome in outcomes)
            assert refused == ["nonce_high", "funds", "chain", "intrinsic", "fee", "encoding"]
        sealed.append(chain.engine.seal().header.hash)
        chain.engine.close()
    assert sealed[0] == sealed[1]


def test_a_legacy_transaction_without_chain_id_may_only_create(ledger):
    fields = {"nonce": 0, "gas": 100_000, "gasPrice": 2 * ledger.engine.next_base_fee(), "value": 0, "data": b"\0"}
    payment = bytes(ledger.keys[0].sign_transaction(fields | {"to": "0x" + TO.hex()}).raw_transaction)
    creation = bytes(ledger.keys[0].sign_transaction(fields).raw_transaction)
    ledger.engine.begin(ledger.engine.tip().timestamp + 1, ledger.next_origin())
    with pytest.raises(Invalid, match="chain id"):
        ledger.engine.add(payment)
    assert ledger.engine.add(creation).status == 1
    ledger.engine.seal()


def test_the_block_gas_limit_counts_evm_gas(ledger):
    limit = REGTEST.parameters.block_gas_limit
    ledger.engine.begin(ledger.engine.tip().timestamp + 1, ledger.next_origin())
    burner = bytes.fromhex("5b5f56")
    burnt = ledger.engine.add(ledger.sign(ledger.keys[0], to=None, data=burner, gas=18_000_000))
    assert (burnt.status, burnt.gas_used) == (0, 2**24)
    left = ledger.engine.gas_left()
    assert left == limit - 2**24
    with pytest.raises(Invalid) as caught:
        ledger.engine.add(ledger.sign(ledger.keys[1], to=TO, gas=left + 1))
    assert caught.value.reason == "block_full"
    assert ledger.engine.add(ledger.sign(ledger.keys[1], to=TO, gas=left)).gas_used == 21_000
    ledger.engine.abandon()
    assert ledger.engine.tip().number == 0


def test_addresses_are_booked_in_order_of_appearance(ledger):
    one, two = ledger.keys[:2]
    created_raw = ledger.sign(two, to=None, data=bytes.fromhex("5f5ffd"), gas=100_000)
    block = ledger.block(ledger.sign(one, to=TO), created_raw, ledger.sign(one, to=address_of(two), nonce=1))
    assert block.receipts[-2].status == 0
    would_be = block.receipts[-2].contract
    book = [address_of(one), TO, address_of(two), would_be]
    view = ledger.engine.view()
    assert [view.book_index(who) for who in book] == [0, 1, 2, 3]
    assert block.book_length == 4
    assert view.book_index(LIGHT_CLIENT) is None
    assert ledger.read(ADDRESS_BOOK, "index_of(address)", would_be, gives="uint256") == 3
    assert ledger.block(ledger.sign(one, to=TO)).book_length == 4


def test_blocks_cannot_be_opened_twice_or_sealed_unopened(ledger):
    with pytest.raises(Invalid):
        ledger.engine.seal()
    with pytest.raises(Invalid):
        ledger.engine.gas_left()
    ledger.engine.begin(ledger.engine.tip().timestamp, ledger.next_origin())
    with pytest.raises(Invalid):
        ledger.engine.begin(ledger.engine.tip().timestamp)
