"""What commands say: words for people, JSON for programs, never both."""

import json

from bedroll.cli.output import Output, flatten, show
from bedroll.primitives import Invalid, Misconfigured


def test_results_are_tables_or_json(capsys):
    Output(as_json=False).result({"a": {"b": 1_000, "c": None}, "d": [1, "x"], "e": True}, title="t")
    words = capsys.readouterr().out
    assert "a.b" in words
    assert "1000" in words
    Output(as_json=True).result({"a": {"b": 1_000}, "raw": b"\x01"}, title="t")
    assert json.loads(capsys.readouterr().out) == {"a": {"b": 1_000}, "raw": "01"}


def test_errors_name_option_value_and_range(capsys):
    error = Misconfigured("rpc.port cannot be this", option="rpc.port", value=70_000, allowed="0 to 65,535")
    Output(as_json=False).fail(error)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "rpc.port = 70000; allowed: 0 to 65,535" in captured.err
    Output(as_json=True).fail(Invalid("no", size=3, limit=2))
    assert json.loads(capsys.readouterr().out) == {"error": {"kind": "Invalid", "message": "no", "size": 3, "limit": 2}}


def test_markup_in_what_others_wrote_stays_text(capsys):
    output = Output(as_json=False)
    output.say("[bold]x[/bold]")
    output.result({"[red]k": "[link]v"})
    output.rows("t", ("c",), [("[green]",)])
    said = capsys.readouterr().out
    for text in ("[bold]x[/bold]", "[red]k", "[link]v", "[green]"):
        assert text in said


def test_programs_do_not_hear_what_is_for_people(capsys):
    output = Output(as_json=True)
    output.say("x")
    output.hint("y")
    with output.progress() as steps:
        steps.begin("z", 2).done()
    assert capsys.readouterr().out == ""


def test_values_are_shown_as_people_read_them():
    assert [show(value) for value in (None, True, 5_000, b"\xff", [], {"a": 1}, 1.5)] == [
        "-", "yes", "5000", "ff", "-", "a=1", "1.5",
    ]  # fmt: skip
    assert dict(flatten({"a": {"b": {"c": 1}}, "d": {}})) == {"a.b.c": "1", "d": "-"}


def test_an_id_is_never_folded(capsys):
    Output(as_json=False).result({"id": "0x" + "ab" * 100})
    assert "0x" + "ab" * 100 in capsys.readouterr().out


def test_what_others_wrote_does_not_reach_the_terminal_as_commands(capsys):
    output = Output(as_json=False)
    evil = "\x1b[2J\x9b1m\u202e\r\x07"
    output.say(evil)
    output.result({"a": evil, "b": [evil]}, title=evil)
    output.rows(evil, ["x"], [[evil]])
    output.fail(Invalid(evil, field=evil))
    output.warn(evil)
    output.hint(evil)
    captured = capsys.readouterr()
    assert not {"\x1b", "\x9b", "\u202e", "\r", "\x07"} & set(captured.out + captured.err)
    assert captured.out.count("\\x1b[2J") >= 4
