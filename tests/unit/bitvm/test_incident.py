"""The incident classes of the field, each with a test by its name: what went wrong elsewhere does not go wrong here.

The names follow the list of published findings on Script verifiers, relay and protocol machines that the design was
made against; the number is the one of that list.
"""

import random
from itertools import pairwise

import pytest

from bedroll.bitcoin.fee import fee_of
from bedroll.bitcoin.opcode import Opcode
from bedroll.bitcoin.script import build_script, parse_script
from bedroll.bitcoin.transaction import Transaction
from bedroll.bitvm.game.fact import fact_of
from bedroll.bitvm.game.record import ExecuteMessage
from bedroll.bitvm.graph import TIMEOUT, BadSetup, Party, bond, close_name
from bedroll.bitvm.leaf import instruction_of
from bedroll.bitvm.lie.catalogue import lies
from bedroll.bitvm.lie.scene import Scene
from bedroll.bitvm.message import Layout, row_messages
from bedroll.bitvm.player.event import Policy
from bedroll.bitvm.player.setup import Setup
from bedroll.bitvm.search import Shape
from bedroll.bitvm.store import OneTimeStore
from bedroll.bitvm.winternitz import Signature, public_key_bytes, sign, witness_items
from bedroll.bitvm.winternitz.verify import parse_items
from bedroll.crypto import sha256
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.primitives import Invalid, Unavailable, VSize
from bedroll.storage import Database
from tests.costs.dispute_price import facts_vb, largest_items, stage
from tests.framework.dispute_game import INSTANCE, begin, book_of, honest
from tests.framework.leaf_play import game, opening, play, row_named, signed_for, with_field
from tests.framework.signed_leaf import digits_of, judged, run_body
from tests.reference.riscv_model import blake3
from tests.unit.bitvm.test_graph import make_graph, make_terms
from tests.unit.bitvm.test_lie import SCENE
from tests.unit.bitvm.test_lie import play as play_values

SEED = 20261121


def trace_hash_body(left, write, right):
    """Whether the trace_hash leaf calls H_k = `right` a lie."""
    leaf = game()[0].leaf("trace_hash")
    return run_body(leaf, {"left_hash": left, "write": write, "right_hash": right}) is not None


def test_incident_01_hash_in_script_is_right_where_every_carry_is_largest():
    for left, write in ((b"\xff" * 20, b"\xff" * 12), (bytes(20), bytes(12)), (b"\x0f" * 20, b"\xf0" * 12)):
        right = blake3(b"\x01" + left + write)[:20]
        assert not trace_hash_body(left, write, right)
        assert trace_hash_body(left, write, right[:-1] + bytes([right[-1] ^ 1]))


def test_incident_02_only_messages_of_one_block_and_one_size_are_hashed():
    layout = game()[0].layout
    sizes = {layout.messages[label].size_bytes for label in ("left_hash", "write")}
    assert sizes == {20, 12}
    assert 1 + sum(sizes) == 33 <= 64
    with pytest.raises(Invalid):
        run_body(game()[0].leaf("trace_hash"), {"left_hash": bytes(19), "write": bytes(12), "right_hash": bytes(20)})


def test_incident_03_an_ill_formed_digit_of_a_hint_proves_nothing():
    leaf, base = game()[0].leaf("opened_later_write"), signed_for(row_named("sw").step)
    store = row_named("sw").step
    messages = with_field(base, "opened", addr=0x40004, last_step=0)
    messages["step"] = game()[0].layout.messages["step"].encode(step=store)
    good = digits_of(leaf, opening(store))
    assert run_body(leaf, messages, good) is not None
    for name, digits in good.items():
        for wrong in (-1, 16, digits[0] + 16, digits[0] - 16, 255):
            assert run_body(leaf, messages, {**good, name: [wrong, *digits[1:]]}) is None, (name, wrong)


def test_incident_04_an_abort_is_never_a_proof_and_every_false_fact_runs_to_its_end():
    for name in ("trace_hash", "program_counter", "opcode_chunk_0", "input_word_0", "opened_wrong_hash"):
        leaf, spend, items = play(name)
        assert judged(spend, items).peak_items
        assert isinstance(judged(spend, items[1:]), str)
        with pytest.raises(Invalid, match="hints"):
            leaf.witness({}, {"another": 1}) if not leaf.messages else leaf.witness(
                {each.label: Signature(bytes(each.size_bytes), ()) for each in leaf.messages}, {"another": 1}
            )


@pytest.mark.parametrize("name", ["mulhu", "mulh", "div", "rem", "sra", "bltu", "sb"])
def test_incident_05_arithmetic_in_script_agrees_with_a_second_model_on_corners(name):
    """The model is `lie.replay`, tested against the machine; the leaf knows nothing of it."""
    from dataclasses import replace

    from bedroll.bitvm.lie.replay import replay

    leaf, true = game()[0].leaf(f"execute_{name}"), row_named(name)
    for one, two in ((0, 0), (2**32 - 1, 2**32 - 1), (2**31, 2**32 - 1), (2**31, 1), (1, 2**31), (7, 0)):
        if name == "sb":
            row = replay(replace(true, read_2=replace(true.read_2, value=two)))
        else:
            row = replay(replace(true, read_1=replace(true.read_1, value=one), read_2=replace(true.read_2, value=two)))
        messages = {**signed_for(true.step), **row_messages(game()[0].layout, row)}
        assert run_body(leaf, messages) is not None, (name, one, two)
        if row.write.addr:
            wrong = {**messages, **with_field(messages, "write", value=row.write.value ^ 1)}
            assert run_body(leaf, wrong) is None


def test_incident_06_a_one_time_signature_is_bound_in_every_part():
    _, spend, items = play("digit_1_1")
    message = game()[0].layout.messages["digit_1_1"]
    # Clamped: 9 is read as 7, by the script and by whoever reads the witness; the message does not change.
    zero = sign(b"s" * 32, message, b"\x00")
    assert witness_items(message, zero)[0] == b""
    assert parse_items(message, witness_items(message, zero)).message == b"\x00"
    for at, item in enumerate(items[:-1]):
        for wrong in (item + b"\x00", item[:-1], b"\x81", bytes(81)):
            changed = (*items[:at], wrong, *items[at + 1 :])
            if wrong == item or isinstance(judged(spend, changed, policy=False), str):
                continue
            # Written otherwise, it is read as the same message.
            assert at in (0, 2)
            assert parse_items(message, changed[:-1]).message == parse_items(message, items[:-1]).message
    hash_message = game()[0].layout.messages["left_hash"]
    signed = sign(b"s" * 32, hash_message, bytes(19) + b"\x00")
    assert parse_items(hash_message, witness_items(hash_message, signed)) == signed
    with pytest.raises(Invalid):
        parse_items(message, (b"", bytes(21), b"\x07", bytes(20)))


def test_incident_06_a_signer_who_knows_long_preimages_cannot_make_his_opponent_unable_to_relay():
    """A chain that begins with 300 bytes: its first node would have to be copied into the opponent's witness."""
    layout = Layout(Shape(8), 32)
    message, long = layout.messages["digit_1_1"], b"x" * 300
    leaf = game()[0].leaf("digit_1_1")
    from bedroll.bitvm.leaf import Keys
    from bedroll.bitvm.winternitz import derive_public_key
    from bedroll.bitvm.winternitz.key import _advance
    from tests.framework.tapscript import SECRET, Spend

    full = game()[0].layout
    one_time = {label: derive_public_key(sha256(label.encode()), each) for label, each in full.messages.items()}
    honest_part = sign(sha256(b"digit_1_1"), message, b"\x00")
    one_time["digit_1_1"] = _advance(long, 7) + one_time["digit_1_1"][20:]
    keys = Keys(full, both=SECRET.x_only, challenger=SECRET.x_only, one_time=one_time)
    spend = Spend(leaf.script(keys))
    items = (b"", long, *witness_items(message, honest_part)[2:], spend.signature())
    assert isinstance(judged(spend, items, policy=False), str)
    assert not spend.is_valid(items)


def test_incident_06_keys_of_another_size_are_refused(tmp_path):
    scene = SCENE
    book = book_of(scene)
    prover, challenger = SecretKey(b"p" * 32), SecretKey(b"c" * 32)
    terms = make_terms(exponent=scene.exponent)
    from bedroll.bitvm.player.ledger import MIGRATIONS, Ledger
    from bedroll.bitvm.store import MIGRATIONS as STORE

    store = OneTimeStore(Database.open(tmp_path / "s", STORE), b"s" * 32)
    setup = Setup(terms, Party.PROVER, prover, book, store, Ledger(Database.open(tmp_path / "g", MIGRATIONS)), bytes)
    right = sum(map(public_key_bytes, book.layout.of(Party.CHALLENGER)))
    for size in (0, right - 1, right + 1, 2 * right):
        with pytest.raises(BadSetup, match="wrong size"):
            setup.accept_offer(bytes(size))
    assert challenger.public == terms.challenger_key
    store.close()


def malformed():
    return [lie for lie in lies(3).values() if lie.name.startswith("malformed_")]


@pytest.mark.parametrize("lie", malformed(), ids=lambda lie: lie.name)
def test_incident_07_a_malformed_field_has_no_leaf_so_its_prover_is_silent_and_loses(lie):
    scene = SCENE
    book = book_of(scene)
    _, _, record = play_values(lie.make(scene), honest(scene, Party.CHALLENGER))
    assert isinstance(record.execute, ExecuteMessage)
    try:
        messages = row_messages(book.layout, record.execute.row)
    except Invalid:
        return
    messages |= {f"digit_1_{at}": bytes((digit,)) for at, digit in enumerate(record.digits, 1)}
    for leaf in book.move_leaves[7].values():
        assert run_body(leaf, messages, None if _derives(leaf, messages) else {}) is None, leaf.name


def _derives(leaf, messages):
    if leaf.derive is None:
        return True
    try:
        leaf.derive({each.label: each.decode(messages[each.label]) for each in leaf.messages if each.label in messages})
    except Invalid:
        return False
    return True


def test_incident_08_the_honest_row_is_always_taken_whatever_the_challenger_selects():
    scene = Scene.sample(INSTANCE)
    book, shape = book_of(scene), Shape(scene.exponent)
    for step in (1, 2, 7, 20, 33, 48, 61, 62, 200, 255, 256):
        row = scene.true_run.row_at(step)
        messages = row_messages(book.layout, row)
        messages |= {f"digit_1_{at}": bytes((digit,)) for at, digit in enumerate(shape.digits(step - 1), 1)}
        leaf = book.move_leaves[7][f"execute_{instruction_of(row.read_pc.opcode).name}"]
        assert run_body(leaf, messages) is not None, step
        other = {**messages, "digit_1_3": bytes(((messages["digit_1_3"][0] + 1) % 4,))}
        assert run_body(leaf, other) is None, step


def test_incident_09_no_transaction_needs_a_miners_goodwill():
    assert max(facts_vb().values()) * 4 <= 300_000


def test_incident_10_no_item_and_no_push_is_above_80_bytes():
    graph, book, keys = stage()
    for number in range(len(graph.outputs)):
        moves = book.move_leaves[number] if number < len(book.move_leaves) else {}
        for leaf in (*moves.values(), *book.fact_leaves[number].values()):
            assert max(map(len, largest_items(leaf))) <= 80
    for name in ("trace_hash", "opcode_chunk_0", "equivocation_end"):
        script = next(leaves[name] for leaves in book.fact_leaves if name in leaves).script(keys)
        assert max(len(element.push) for element in parse_script(script) if element.push is not None) <= 80


async def test_incident_11_fees_are_not_fixed_a_move_that_is_left_out_pays_more_in_each_block(embedded_chain, tmp_path):
    game_ = await begin(embedded_chain, tmp_path / "duel", SCENE, *(honest(SCENE, party) for party in Party))
    try:
        await game_.duel.step()
        fees = [game_.events[-1].fee_sat]
        for _ in range(4):
            tip = await embedded_chain.client.tip()
            await embedded_chain.mine_on(tip.hash)
            await game_.duel.step()
            fees.append(game_.events[-1].fee_sat)
        assert all(later >= 1.2 * before for before, later in pairwise(fees))
        prover = game_.duel.sides[Party.PROVER]
        prover.player._policy = Policy(
            rate_cap=game_.duel.sides[Party.PROVER].player.tables[game_.duel.terms.game].sent["input"].rate
        )
        for _ in range(2):
            await embedded_chain.mine_on((await embedded_chain.client.tip()).hash)
            await game_.duel.step()
        assert game_.events[-1].fee_sat == fees[-1], "the cap is a cap"
        assert {alarm.kind for alarm in prover.alarms} == {"fee"}
        entry = await embedded_chain.client.mempool_entry(game_.events[-1].transaction.txid)
        assert entry.descendants == 2
    finally:
        game_.duel.close()


def test_incident_12_no_transaction_has_64_bytes_so_none_can_be_an_inner_node():
    graph, _, _ = stage()
    assert min(len(step.transaction.stripped) for step in graph.planned.values()) > 64


class Outage:
    """A node that does not answer for some calls."""

    def __init__(self, client, failures):
        self._client, self.failures = client, failures

    def __getattr__(self, name):
        return getattr(self._client, name)

    async def broadcast(self, package):
        if self.failures:
            self.failures -= 1
            raise Unavailable("no node")
        await self._client.broadcast(package)


async def test_incident_13_a_refutation_that_did_not_get_out_is_sent_again_until_a_block_has_it(
    embedded_chain, tmp_path
):
    liar = lies(3)["wrong_input"].make(SCENE)
    game_ = await begin(embedded_chain, tmp_path / "duel", SCENE, liar, honest(SCENE, Party.CHALLENGER))
    try:
        prover, challenger = (game_.duel.sides[party].player for party in Party)
        client = Outage(embedded_chain.client, 0)
        challenger._client = client
        for _ in range(60):
            await prover.step()
            client.failures = 1
            for _ in range(2):
                try:
                    await challenger.step()
                except Unavailable:
                    continue
            position = challenger.tables[game_.duel.terms.game].position
            if position is not None and position.end is not None:
                break
            await embedded_chain.mine()
        assert position.winner is Party.CHALLENGER
    finally:
        game_.duel.close()


def test_incident_14_bonds_leave_only_by_both_keys_or_by_the_games_own_leaves():
    graph, book, keys = stage()
    both, challenger = graph.terms.both, graph.terms.challenger_key[1:]
    check = build_script(Opcode.OP_CHECKSIGVERIFY)
    for number, output in enumerate(graph.outputs):
        assert output.taproot.internal_key == both
        moves = book.move_leaves[number] if number < len(book.move_leaves) else {}
        assert set(output.names) - {TIMEOUT} == {*moves, *book.fact_leaves[number]}
        for leaf in moves.values():
            assert leaf.script(keys).startswith(b"\x20" + both + check)
        for leaf in book.fact_leaves[number].values():
            assert leaf.script(keys).startswith(b"\x20" + challenger + check)


def test_incident_15_hostile_bytes_are_refused_and_halt_nothing():
    rng = random.Random(SEED)
    leaf, _, items = play("hashes_1_9")
    for _ in range(300):
        hostile = list(items[:-1])
        for _ in range(rng.randrange(1, 4)):
            hostile[rng.randrange(len(hostile))] = rng.randbytes(rng.choice([0, 1, 2, 4, 5, 20, 80]))
        try:
            leaf.read(hostile)
        except Invalid:
            continue
    for size in (0, 1, 64, 1_000):
        with pytest.raises(Invalid):
            Transaction.parse(rng.randbytes(size))


async def test_incident_16_a_claim_without_its_input_gives_the_bond_to_the_challenger(embedded_chain, tmp_path):
    liar = lies(3)["silent_input"].make(SCENE)
    game_ = await begin(embedded_chain, tmp_path / "duel", SCENE, liar, honest(SCENE, Party.CHALLENGER))
    try:
        position = await game_.play()
        assert position.winner is Party.CHALLENGER
        assert position.by == TIMEOUT
        won = position.ended.transaction.output_value
        assert won >= bond.challenge_bond_sat()
    finally:
        game_.duel.close()


def test_incident_17_one_label_has_another_key_in_each_game(tmp_path):
    from bedroll.bitvm.store import MIGRATIONS

    store = OneTimeStore(Database.open(tmp_path / "s", MIGRATIONS), b"s" * 32)
    names = [sha256(bytes([at])) for at in range(30)]
    assert len({store.secret(name, "digit_1_1") for name in names}) == 30
    terms = [make_terms(exponent=exponent) for exponent in (3, 4, 8)]
    assert len({each.game for each in terms}) == 3
    store.close()


def test_incident_18_bonds_follow_costs_and_any_bond_can_be_agreed():
    assert bond.worst_cost_sat(1_000, 2, 50) == (1_000 + 2 * bond.CHILD_VB) * 50
    assert bond.seat_bond_sat() > bond.challenge_bond_sat()
    assert fee_of(VSize(bond.PROVER_WORST_VB), 100_000) <= bond.challenge_bond_sat()
    from dataclasses import replace

    for value in (330, 1_000_000, 2_000_000_000):
        graph = make_graph(replace(make_terms(exponent=3), bond_sat=value))
        assert graph.planned[close_name(2)].transaction.outputs[0].value == value + 330


def test_every_lie_has_a_leaf_by_which_it_ends():
    _, book, _ = stage()
    names = {name for leaves in book.fact_leaves for name in leaves} | {TIMEOUT, "close"}
    for lie in lies(9).values():
        assert any(name.startswith(lie.ends_by) for name in names), lie.name
    assert fact_of is not None
