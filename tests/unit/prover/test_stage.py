"""Stages: what is done is not done again, a kill costs the running stage, no changed file is taken."""

import stat
import sys

import pytest

from bedroll.primitives import Corrupt, Invalid, Unavailable
from bedroll.prover.stage import Stage, record_of, run_stages
from bedroll.prover.tool import run_tool


def silent(_what, _done, _total):
    pass


class Scene:
    """Two stages, the second reading what the first left; `ran` tells which ran."""

    def __init__(self, folder):
        self.folder, self.ran, self.fails = folder, [], False

    def stages(self, memory_bytes=0, disk_bytes=0):
        return (
            Stage("first", "writes", ("one",), memory_bytes, disk_bytes, 1, self._first),
            Stage("second", "copies", ("two",), 0, 0, 1, self._second),
        )

    def _first(self, folder, _progress):
        self.ran.append("first")
        (folder / "one").write_bytes(b"content")
        return {"count": 7}

    def _second(self, folder, _progress):
        self.ran.append("second")
        if self.fails:
            raise KeyboardInterrupt
        (folder / "two").write_bytes((folder / "one").read_bytes())
        return {}

    def run(self, **fields):
        return run_stages(self.folder, self.stages(**fields), lambda _stage, _done: silent)


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path / "work")


def test_a_finished_stage_is_not_run_again(scene):
    first = scene.run()
    assert scene.run() == first
    assert scene.ran == ["first", "second"]
    assert first[0].told == {"count": 7}


def test_work_goes_on_with_the_stage_that_was_interrupted(scene):
    scene.fails = True
    with pytest.raises(KeyboardInterrupt):
        scene.run()
    scene.fails = False
    scene.run()
    assert scene.ran == ["first", "second", "second"]


def test_a_changed_file_is_not_taken(scene):
    scene.run()
    (scene.folder / "one").write_bytes(b"another")
    with pytest.raises(Corrupt) as found:
        scene.run()
    assert found.value.fields["path"] == scene.folder / "one"
    (scene.folder / "one").unlink()
    with pytest.raises(Corrupt):
        record_of(scene.folder, scene.stages()[0])


def test_a_broken_record_is_not_taken(scene):
    scene.run()
    (scene.folder / "first.stage.json").write_text("{")
    with pytest.raises(Corrupt, match="cannot be read"):
        scene.run()


@pytest.mark.parametrize("need", ["memory_bytes", "disk_bytes"])
def test_a_stage_without_its_memory_or_disk_does_not_begin(scene, need):
    with pytest.raises(Unavailable) as found:
        scene.run(**{need: 1 << 60})
    assert found.value.fields["limit"] == 1 << 60
    assert scene.ran == []


@pytest.fixture
def tool(tmp_path):
    def make(text):
        path = tmp_path / "tool"
        path.write_text(f"#!{sys.executable}\n{text}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return make


def test_a_program_tells_steps_and_ends_with_its_result(tool):
    lines = '{"step": "A", "done": 1, "all": 2}', '{"answer": 5}'
    steps = []
    program = tool(f"import os\nassert os.environ['GOGC'] == '20'\nfor line in {lines!r}: print(line)")
    assert run_tool(program, [], lambda *step: steps.append(step), {"GOGC": "20"}) == {"answer": 5}
    assert steps == [("A", 1, 2)]


def test_a_program_that_refuses_says_why(tool):
    with pytest.raises(Invalid) as found:
        run_tool(tool("import sys; sys.exit('error: no such circuit')"), [], silent, {})
    assert "no such circuit" in found.value.fields["reason"]


def test_a_program_that_is_killed_is_not_the_inputs_fault(tool):
    with pytest.raises(Unavailable) as found:
        run_tool(tool("import os; os.kill(os.getpid(), 9)"), [], silent, {})
    assert found.value.fields["signal"] == 9
