"""Shows that the leader signs a height once: over restarts, torn writes, and a file restored from a backup."""

import shutil

import pytest

from bedroll.crypto import schnorr
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.primitives import Corrupt, L2Height, Misconfigured
from bedroll.sequencer.signer import BlockSigner, HeightSigned, block_digest
from bedroll.storage.crash_point import arm, disarm
from bedroll.storage.record_log import RecordLog

KEY = SecretKey(b"\x05" * 32)


def block(height: int, mark: int = 0) -> tuple[L2Height, bytes]:
    return L2Height(height), bytes([mark]) + height.to_bytes(31, "big")


def open_signer(path, resume_above=None):
    return BlockSigner(path / "signer.log", KEY, 3, resume_above)


def test_signatures_verify_over_network_height_and_hash(tmp_path):
    signer = open_signer(tmp_path)
    (signature,) = signer.sign([block(7)])
    assert schnorr.is_valid(KEY.x_only, block_digest(3, *block(7)), signature)
    for digest in (block_digest(2, *block(7)), block_digest(3, *block(8)), block_digest(3, *block(7, 1))):
        assert not schnorr.is_valid(KEY.x_only, digest, signature)


def test_a_signed_height_is_refused_even_for_the_same_block(tmp_path):
    signer = open_signer(tmp_path)
    signer.sign([block(1), block(2)])
    for again in (block(1), block(2), block(2, 9)):
        with pytest.raises(HeightSigned) as refusal:
            signer.sign([again])
        assert refusal.value.highest == 2
    assert len(signer.sign([block(3)])) == 1


def test_a_group_with_one_bad_height_signs_nothing(tmp_path):
    signer = open_signer(tmp_path)
    with pytest.raises(HeightSigned):
        signer.sign([block(5), block(5, 1)])
    assert signer.highest == 0
    assert len(signer.sign([block(5)])) == 1


def test_a_restart_remembers(tmp_path):
    first = open_signer(tmp_path)
    first.sign([block(1), block(9)])
    first.close()
    second = open_signer(tmp_path)
    assert second.highest == 9
    assert not second.may_sign(L2Height(9))


def test_a_kill_between_record_and_signature_loses_the_height_not_the_promise(tmp_path):
    class Killed(BaseException):
        pass

    def kill(_name: str) -> None:
        raise Killed

    signer = open_signer(tmp_path)
    arm("sequencer.after_signer_record", kill)
    with pytest.raises(Killed):
        signer.sign([block(4)])
    disarm()
    assert open_signer(tmp_path).highest == 4


@pytest.mark.parametrize("cut", range(1, 48))
def test_a_torn_last_record_was_never_signed(tmp_path, cut):
    signer = open_signer(tmp_path)
    signer.sign([block(1)])
    whole = (tmp_path / "signer.log").read_bytes()
    signer.sign([block(2)])
    written = (tmp_path / "signer.log").read_bytes()
    with (tmp_path / "signer.log").open("r+b") as file:
        file.truncate(len(written) - cut)
    assert len(written) - len(whole) == 48
    assert open_signer(tmp_path).highest == 1


def test_a_restored_file_does_not_sign_until_the_operator_says_from_where(tmp_path):
    signer = open_signer(tmp_path)
    signer.sign([block(1)])
    shutil.copy(tmp_path / "signer.log", tmp_path / "backup")
    signer.sign([block(2)])
    signer.close()
    (tmp_path / "signer.log").unlink()
    shutil.copy(tmp_path / "backup", tmp_path / "signer.log")
    with pytest.raises(Misconfigured) as refusal:
        open_signer(tmp_path)
    assert refusal.value.option == "signer-resume-above"
    resumed = open_signer(tmp_path, L2Height(500))
    assert not resumed.may_sign(L2Height(500))
    resumed.sign([block(501)])
    resumed.close()
    assert open_signer(tmp_path).highest == 501


def test_a_file_of_something_else_is_named(tmp_path):
    log = RecordLog(tmp_path / "signer.log")
    log.append([b"something else"])
    log.close()
    with pytest.raises(Corrupt, match="something else"):
        open_signer(tmp_path)


def test_the_file_stays_small(tmp_path):
    signer = open_signer(tmp_path)
    for start in range(1, 4_000, 500):
        signer.sign([block(height) for height in range(start, start + 500)])
    assert (tmp_path / "signer.log").stat().st_size < 100_000
    signer.close()
    assert open_signer(tmp_path).highest == 4_000
