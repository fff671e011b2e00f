"""A proof file and headers show the tip, and each thing that is wrong with them is said; a real proof too.

The proof system is a stand-in (tests/framework/settled_file.py) but in the last test, which takes the stored proof.
"""

import random
from dataclasses import replace

import pytest

from bedroll._core._native import Settled
from bedroll.derivation.settled import SETTLED_SIZE, parse_settled
from bedroll.light import BadProofFile, view_of_proof
from bedroll.primitives import Invalid
from bedroll.protocol import MAINNET
from tests.framework.settled_file import SettledChain, StandIn, StoredVerifier, file_at, stored_file


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    made = SettledChain(tmp_path_factory.mktemp("settled"))
    yield made
    made.close()


def view(chain, file, **options):
    return view_of_proof(file.encode(), chain.genesis, StandIn(), **options)


def refusal(chain, file, **options):
    with pytest.raises(BadProofFile) as caught:
        view(chain, file, **options)
    return caught.value.reason


def test_the_tip_its_depth_and_the_work_are_known(chain):
    seen = view(chain, chain.file())
    safe = chain.site.pipeline.safe
    assert (seen.block.number, seen.block.hash) == (safe.height, safe.hash) == (2, safe.hash)
    assert seen.statement.l1_hash == chain.chain.hash_at(chain.settled_height)
    assert (seen.depth, seen.is_final) == (3, True)
    assert seen.newest.height == chain.chain.height
    assert seen.work == 2 * chain.chain.height


def test_a_proof_of_every_l1_block_is_taken_and_few_blocks_upon_it_are_not_final(chain):
    for height in range(1, chain.chain.height + 1):
        seen = view(chain, file_at(chain.site, height))
        assert seen.depth == chain.chain.height - height
        assert seen.is_final == (seen.depth >= 2)


def test_the_python_reader_of_statements_is_the_cores(chain):
    for step in chain.site.steps:
        said, core = parse_settled(step.statement), Settled.decode(step.statement)
        for name in said.__dataclass_fields__:
            assert getattr(said, name) == getattr(core, name), name
    true, chance = chain.site.steps[-1].statement, random.Random(3)
    for _ in range(2_000):
        raw = bytearray(true)
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        raw = bytes(raw[: chance.choice((SETTLED_SIZE, SETTLED_SIZE, SETTLED_SIZE - 1))])
        try:
            core = Settled.decode(raw)
        except Invalid:
            with pytest.raises(Invalid):
                parse_settled(raw)
        else:
            assert parse_settled(raw).l1_work == core.l1_work


def changed(raw, place):
    place %= len(raw)
    return raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        (lambda file: replace(file, network=1), "network"),
        (lambda file: replace(file, network=77), "network"),
        (lambda file: replace(file, values=changed(file.values, 0)), "public values"),
        (lambda file: replace(file, values=file.values[:-1]), "public values"),
        (lambda file: replace(file, values=changed(file.values, 1)), "parameters"),
        (lambda file: replace(file, values=changed(file.values, 2)), "parameters"),
        (lambda file: replace(file, values=changed(file.values, 34)), "program"),
        (lambda file: replace(file, values=changed(file.values, 66)), "program"),
        (lambda file: replace(file, values=changed(file.values, 98)), "proof"),
        (lambda file: replace(file, values=changed(file.values, -1)), "proof"),
        (lambda file: replace(file, proof=changed(file.proof, 0)), "proof"),
        (lambda file: replace(file, anchor=file.settled), "anchor headers"),
        (lambda file: replace(file, anchor=(changed(file.anchor[0], 79),)), "anchor headers"),
        (lambda file: replace(file, settled=file.settled[:-1]), "settled headers"),
        (lambda file: replace(file, settled=(*file.settled[:-1], changed(file.settled[-1], 79))), "settled headers"),
        (lambda file: replace(file, settled=file.settled[:1] * len(file.settled)), "settled headers"),
        (lambda file: replace(file, later=file.later[1:]), "later headers"),
        (lambda file: replace(file, later=(*file.later[:2], changed(file.later[2], 0))), "later headers"),
        (lambda file: replace(file, block=changed(file.block, 40)), "block"),
        (lambda file: replace(file, block=b"\x00"), "block"),
    ],
)
def test_each_part_that_is_wrong_is_named(chain, forge, said):
    assert refusal(chain, forge(chain.file())) == said


def test_a_statement_of_another_chain_is_refused(chain):
    other = replace(chain.genesis, leader_key=chain.genesis.rotation_key)
    with pytest.raises(BadProofFile, match="another chain"):
        view_of_proof(chain.file().encode(), other, StandIn())


def test_a_network_says_which_proofs_it_takes(chain):
    genesis = replace(chain.genesis, network=MAINNET)
    with pytest.raises(BadProofFile, match="mainnet takes no compressed proofs"):
        view_of_proof(chain.file(network=1).encode(), genesis, StandIn())


def test_another_circuit_is_another_chain(chain):
    verifier = StandIn()
    verifier.circuit = b"another"
    with pytest.raises(BadProofFile) as caught:
        view_of_proof(chain.file().encode(), chain.genesis, verifier)
    assert caught.value.reason == "parameters"


def test_a_header_that_the_statement_does_not_describe_is_refused(chain):
    assert refusal(chain, chain.file(block=chain.site.engine.header(1).rlp)) == "block"


def test_headers_of_ones_own_take_the_place_of_the_files(chain):
    file, own = chain.file(later=()), chain.file().later
    assert view(chain, file).depth == 0
    assert view(chain, file, headers=own).depth == 3
    assert view(chain, file, headers=[*file.settled, *own]).depth == 3
    assert view(chain, file, headers=file.settled).depth == 0
    for elsewhere in ([], own[1:], file.settled[:-1]):
        assert refusal(chain, file, headers=elsewhere) == "later headers"


def test_a_cheap_part_is_judged_before_the_proof_is_verified(chain):
    verifier = StandIn()
    with pytest.raises(BadProofFile):
        view_of_proof(chain.file(anchor=chain.file().settled).encode(), chain.genesis, verifier)
    assert verifier.asked == 0


def test_no_change_of_a_file_shows_another_tip_and_nothing_else_is_raised(chain):
    chance, file = random.Random(7), chain.file()
    true = view(chain, file)
    for _ in range(1_500):
        name = chance.choice(("values", "proof", "block", "anchor", "settled", "later"))
        part = getattr(file, name)
        if isinstance(part, bytes):
            forged = changed(part, chance.randrange(len(part)))
        else:
            place = chance.randrange(len(part))
            forged = (*part[:place], changed(part[place], chance.randrange(80)), *part[place + 1 :])
        try:
            seen = view(chain, replace(file, **{name: forged}))
        except BadProofFile:
            continue
        assert seen.block == true.block
        assert seen.depth == true.depth, "its last header may be another with the same work"


def test_a_real_settlement_proof_shows_its_tip_and_no_changed_one_does():
    verifier = StoredVerifier()
    file, genesis = stored_file(verifier)
    seen = view_of_proof(file.encode(), genesis, verifier)
    assert (seen.block.number, seen.depth, seen.is_final) == (0, 2, True)
    for place in (0, len(file.proof) // 2, len(file.proof) - 1):
        with pytest.raises(BadProofFile) as caught:
            view_of_proof(replace(file, proof=changed(file.proof, place)).encode(), genesis, verifier)
        assert caught.value.reason == "proof"
