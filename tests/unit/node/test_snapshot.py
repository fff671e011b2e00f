"""Snapshots carry a chain whole: what was exported is imported and verified; anything else leaves no folder."""

import hashlib
import os
import random
import signal
import subprocess
import sys

import pytest

from bedroll.execution.engine import ChainStore, Engine
from bedroll.node.snapshot import export_snapshot, import_snapshot, read_allocation, read_head
from bedroll.primitives import BedrollError, Invalid, Misconfigured, Unavailable
from tests.framework.ledger import MAP_SIZE_BYTES, Ledger, accounts, address_of, genesis_for

# Stores what it is called with at the slot of the first word, and logs it; a creation of 19 bytes with a return.
RUNTIME = bytes.fromhex("60403560005260403560003555602035600035602060 00a200".replace(" ", ""))
CREATION = bytes.fromhex(f"60{len(RUNTIME):02x}600c60003960{len(RUNTIME):02x}6000f3") + RUNTIME


def word(number):
    return number.to_bytes(32, "big")


@pytest.fixture
def chain(tmp_path):
    """Folder of a closed chain with transfers, a contract with slots, logs and a waiting forced message."""
    ledger = Ledger.open(tmp_path / "chain")
    maker = ledger.block(ledger.sign(ledger.keys[0], to=None, data=CREATION)).receipts[-1].contract
    for number in range(12):
        data = word(number % 5) + word(number) + word(number % 3)
        ledger.block(
            ledger.sign(ledger.keys[number % 4], to=maker, data=data),
            ledger.sign(ledger.keys[(number + 1) % 4], to=bytes([number + 1]) * 20, value=number + 1),
            origin=ledger.next_origin([(bytes([number]) * 32, b"no transaction", True)]) if number == 8 else None,
        )
    ledger.engine.commit()
    ledger.engine.close()
    return tmp_path / "chain"


def answers(folder):
    """What an engine says of the newest state and of all blocks."""
    engine = Engine.open(str(folder), genesis_for(accounts(4)).core_json(), map_size_bytes=MAP_SIZE_BYTES, sync=False)
    view, tip = engine.view(), engine.tip()
    told = {"tip": (tip.number, tip.hash), "waiting": engine.forced_pending()}
    for who in [address_of(key) for key in accounts(4)]:
        told[who] = (view.balance(who), view.nonce(who), view.proof(who, []), engine.appearances(who, limit=999))
    logs = engine.logs(0, tip.number, [], [], 999)
    maker = logs[0][3].address
    told["logs"] = engine.logs_json(0, tip.number, [maker], [], 999, result_bytes=1 << 20)
    told["slots"] = view.proof(maker, list(range(6)))
    told["creation"] = engine.creation_of(maker)
    told["index"] = [
        engine.find_transaction(one.hash)
        for height in range(tip.number + 1)
        for one in engine.block(height).transactions
    ]
    engine.close()
    return told


def check_whole(folder):
    store = ChainStore.open(str(folder))
    height, _, oldest, _ = store.facts()
    store.check_blocks(0, height)
    for part in range(256):
        store.check_tries(part)
    after = store.check_flat(None, 7)
    while after is not None:
        after = store.check_flat(after, 7)
    at = 0
    while at is not None:
        at = store.check_postings(at)
    store.check_past(oldest)
    problems = store.check_end()
    store.close()
    return problems


def test_a_chain_is_carried_whole(chain, tmp_path):
    digest = export_snapshot(chain, tmp_path / "snapshot", genesis="{}")
    written = (tmp_path / "snapshot").read_bytes()
    assert hashlib.sha256(written[:-32]).digest() == written[-32:] == digest
    head = read_head(tmp_path / "snapshot")
    assert import_snapshot(tmp_path / "snapshot", tmp_path / "copy", block_hash=head.block_hash) == head
    assert check_whole(chain) == check_whole(tmp_path / "copy") == []
    assert answers(tmp_path / "copy") == answers(chain)


def test_a_snapshots_state_is_read_for_a_chain_that_begins_with_it(chain, tmp_path):
    export_snapshot(chain, tmp_path / "snapshot")
    head, found = read_allocation(tmp_path / "snapshot", tmp_path)
    core = genesis_for(accounts(4)).core_json()
    engine = Engine.open(str(chain), core, map_size_bytes=MAP_SIZE_BYTES, sync=False)
    view = engine.view()
    assert head.block_hash == engine.tip().hash
    for address, entry in found.items():
        assert (entry.balance, entry.nonce, entry.code) == (
            view.balance(address),
            view.nonce(address),
            view.code(address),
        )
        assert {slot: view.storage(address, slot) for slot in entry.storage} == {
            slot: word(value) for slot, value in entry.storage.items()
        }
    assert {address_of(key) for key in accounts(4)} < found.keys()
    assert sum(len(entry.storage) for entry in found.values()) > 20
    assert not list(tmp_path.glob("*.importing"))
    engine.close()


def test_an_import_ends_with_a_compact_file_and_no_other(chain, tmp_path):
    export_snapshot(chain, tmp_path / "snapshot")
    import_snapshot(tmp_path / "snapshot", tmp_path / "copy")
    names = {path.name for path in (tmp_path / "copy").iterdir()}
    assert names == {"accounts", "data.mdb", "journal", "lock", "lock.mdb"}
    # Entries of LMDB's list of free pages, and the transaction, in both of the first pages (`mdb.c`: MDB_meta).
    metas = (tmp_path / "copy" / "data.mdb").read_bytes()[:8192]
    newest = max((metas[:4096], metas[4096:]), key=lambda meta: int.from_bytes(meta[144:152], "little"))
    assert int.from_bytes(newest[72:80], "little") == 0


def test_an_imported_chain_grows_and_unwinds_to_where_it_began(chain, tmp_path):
    export_snapshot(chain, tmp_path / "snapshot")
    head = import_snapshot(tmp_path / "snapshot", tmp_path / "copy")
    core = genesis_for(accounts(4)).core_json()
    ledger = Ledger(
        Engine.open(str(tmp_path / "copy"), core, map_size_bytes=MAP_SIZE_BYTES, sync=False), accounts(4), 2
    )
    before = ledger.engine.view().proof(address_of(ledger.keys[0]), [])
    ledger.block(ledger.sign(ledger.keys[0], to=b"\x99" * 20, value=5))
    ledger.engine.commit()
    ledger.engine.unwind_to(head.height)
    assert ledger.engine.view().proof(address_of(ledger.keys[0]), []) == before
    with pytest.raises(Invalid):
        ledger.engine.unwind_to(head.height - 1)
    ledger.engine.close()


def test_a_damaged_snapshot_leaves_no_folder(chain, tmp_path):
    export_snapshot(chain, tmp_path / "snapshot")
    good = (tmp_path / "snapshot").read_bytes()
    chance = random.Random(7)
    places = [chance.randrange(len(good)) for _ in range(40)]
    bad = [good[:at] + bytes([good[at] ^ 1 << at % 8]) + good[at + 1 :] for at in places]
    bad += [good[:at] for at in places[:10]] + [b"", good + b"\0"]
    for one in bad:
        (tmp_path / "bad").write_bytes(one)
        with pytest.raises(BedrollError):
            import_snapshot(tmp_path / "bad", tmp_path / "copy")
        assert not (tmp_path / "copy").exists()
        assert not (tmp_path / "copy.importing").exists()


def test_another_block_a_held_folder_and_a_full_one_are_refused(chain, tmp_path):
    export_snapshot(chain, tmp_path / "snapshot")
    with pytest.raises(Invalid, match="another block"):
        import_snapshot(tmp_path / "snapshot", tmp_path / "copy", block_hash=b"\x01" * 32)
    with pytest.raises(Misconfigured, match="there already"):
        import_snapshot(tmp_path / "snapshot", chain)
    with pytest.raises(Misconfigured, match="there already"):
        export_snapshot(chain, tmp_path / "snapshot")
    held = ChainStore.open(str(chain))
    with pytest.raises(Unavailable, match="in use"):
        export_snapshot(chain, tmp_path / "other")
    held.close()
    with pytest.raises(Unavailable):
        ChainStore.open(str(tmp_path / "nothing"))


KILLED = """
import os, signal, sys
from pathlib import Path
from bedroll.node.snapshot import import_snapshot
count = 0
def report(what, done, of):
    global count
    count += 1
    if count == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
import_snapshot(Path(sys.argv[1]), Path(sys.argv[2]), report=report)
"""


def test_an_import_that_is_killed_leaves_nothing_that_could_be_opened(chain, tmp_path):
    export_snapshot(chain, tmp_path / "snapshot")
    ends = []
    for count in (1, 2, 3, 4, 5):
        run = subprocess.run(
            [sys.executable, "-c", KILLED, str(tmp_path / "snapshot"), str(tmp_path / "copy"), str(count)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            check=False,
        )
        ends.append(run.returncode)
        if run.returncode == -signal.SIGKILL:
            assert not (tmp_path / "copy").exists()
    assert ends[0] == -signal.SIGKILL
    if not (tmp_path / "copy").exists():
        import_snapshot(tmp_path / "snapshot", tmp_path / "copy")
    assert check_whole(tmp_path / "copy") == []


def damage(chain, old, new):
    """Replace bytes in the files, wherever they are, and check."""
    files = {path: path.read_bytes() for path in [chain / "data.mdb", *(chain / "accounts").iterdir()]}
    assert any(old in good for good in files.values())
    for path, good in files.items():
        path.write_bytes(good.replace(old, new))
    problems = check_whole(chain)
    for path, good in files.items():
        path.write_bytes(good)
    return problems


def test_a_check_names_what_is_damaged(chain):
    engine = Engine.open(str(chain), genesis_for(accounts(4)).core_json(), map_size_bytes=MAP_SIZE_BYTES, sync=False)
    raw = engine.block(5).transactions[0].raw
    root_node = engine.view().proof(bytes(20), [])[0][0]
    engine.close()
    assert check_whole(chain) == []
    assert damage(chain, raw, raw[:40] + bytes([raw[40] ^ 1]) + raw[41:])[0].startswith("block 5: ")
    flat = b"\x05" * 20 + b"\x00\x05"
    problems = damage(chain, flat, flat[:-1] + b"\x06")
    assert any("accounts: the record at" in problem for problem in problems), problems
    problems = damage(chain, root_node, root_node[:-2] + bytes([root_node[-2] ^ 1]) + root_node[-1:])
    assert any("accounts: the record at" in problem for problem in problems)
    assert check_whole(chain) == []
