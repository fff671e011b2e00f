"""Shows that the record log survives cuts, the data folder has one owner, and crash points fire where armed."""

import subprocess
import sys

import pytest

from bedroll.primitives import Invalid, Misconfigured
from bedroll.storage.crash_point import CRASH_POINTS, arm, crash_point, disarm, passages
from bedroll.storage.folder import DataFolder
from bedroll.storage.record_log import RECORD_SIZE_MAX, RecordLog


@pytest.mark.parametrize("cut", range(30))
def test_a_log_cut_off_at_any_byte_keeps_every_whole_record(tmp_path, cut):
    path = tmp_path / "log"
    log = RecordLog(path)
    log.append([b"first", b"second"])
    whole = path.stat().st_size
    log.append([b"the third record, cut"])
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - cut)
    again = RecordLog(path)
    kept = [b"first", b"second"] + ([b"the third record, cut"] if cut == 0 else [])
    if cut <= 29:
        assert again.take_records() == kept[: len(kept)] or cut == 29
    if 0 < cut <= 29:
        assert path.stat().st_size == whole
    again.append([b"after"])
    assert RecordLog(path).take_records()[-1] == b"after"


def test_a_flipped_bit_ends_the_log_before_its_record(tmp_path):
    path = tmp_path / "log"
    RecordLog(path).append([b"first", b"second", b"third"])
    raw = bytearray(path.read_bytes())
    raw[8 + 5 + 8 + 2] ^= 1
    path.write_bytes(raw)
    assert RecordLog(path).take_records() == [b"first"]


def test_a_rewrite_replaces_everything_and_appends_go_on(tmp_path):
    log = RecordLog(tmp_path / "log")
    log.append([bytes(1_000)] * 10)
    log.rewrite(lambda: [b"kept"])
    log.append([b"new"])
    assert log.size_bytes == (tmp_path / "log").stat().st_size
    assert RecordLog(tmp_path / "log").take_records() == [b"kept", b"new"]


def test_a_kill_in_a_rewrite_leaves_the_old_log(tmp_path):
    class Killed(BaseException):
        pass

    def kill(_name: str) -> None:
        raise Killed

    log = RecordLog(tmp_path / "log")
    log.append([b"old"])
    arm("log.in_rewrite", kill)
    with pytest.raises(Killed):
        log.rewrite(lambda: [b"new"])
    disarm()
    assert RecordLog(tmp_path / "log").take_records() == [b"old"]


def test_a_record_beyond_the_limit_is_refused(tmp_path):
    with pytest.raises(Invalid) as refusal:
        RecordLog(tmp_path / "log").append([bytes(RECORD_SIZE_MAX + 1)])
    assert refusal.value.limit == RECORD_SIZE_MAX


def test_a_second_owner_of_a_folder_is_told_who_the_first_is(tmp_path):
    with DataFolder(tmp_path / "data", "the sequencer"):
        with pytest.raises(Misconfigured, match=r"in use by the sequencer \(process \d+\)"):
            DataFolder(tmp_path / "data", "a node")
        code = (
            "from pathlib import Path\nfrom bedroll.storage.folder import DataFolder\n"
            f"DataFolder(Path({str(tmp_path / 'data')!r}), 'another')"
        )
        second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "in use by the sequencer" in second.stderr
    with DataFolder(tmp_path / "data", "a node"):
        pass


def test_a_crash_point_of_the_environment_kills_the_process(tmp_path):
    code = (
        "from bedroll.storage.crash_point import crash_point\n"
        "crash_point('node.after_l1_block'); print('once', flush=True); crash_point('node.after_l1_block'); print('x')"
    )
    died = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={"BEDROLL_CRASH_POINT": "node.after_l1_block:2", "PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    assert (died.returncode, died.stdout) == (-9, "once\n")


def test_passages_are_counted_and_unknown_names_refused():
    disarm()
    crash_point("node.after_checkpoint")
    crash_point("node.after_checkpoint")
    assert passages() == {"node.after_checkpoint": 2}
    with pytest.raises(KeyError):
        arm("no.such_point", print)
    assert all(text for text in CRASH_POINTS.values())
