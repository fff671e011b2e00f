"""What a command says: tables and colours for people, one JSON document a result for programs.

Reads: results.  Gives: `Output`.
Never: mixes the two: with `--json`, standard output holds JSON lines alone.  Spec: docs/spec/cli.md#output
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec
from rich.console import Console
from rich.markup import escape as escape_markup
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from bedroll.primitives import BedrollError, Misconfigured


class Output:
    """Standard output for results, standard error for everything on the way there."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.console = Console(soft_wrap=True, highlight=False)
        self.aside = Console(stderr=True, soft_wrap=True, highlight=False)

    def result(self, fields: Mapping[str, object], title: str = "") -> None:
        """Show what a command found."""
        if self.as_json:
            self.line(fields)
            return
        # Lines, not a table: a folded id could not be copied.
        rows = list(flatten(fields))
        width = max((len(name) for name, _ in rows), default=0)
        if title:
            self.console.print(escape(title), style="bold")
        for name, text in rows:
            for number, line in enumerate(text.split("\n")):
                shown = name if number == 0 else ""
                self.console.print(f"[cyan]{escape(shown):<{width}}[/cyan]  {escape(line)}")

    def rows(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Show a table; with `--json` a list of objects."""
        if self.as_json:
            self.line({title: [dict(zip(columns, row, strict=True)) for row in rows]})
            return
        table = Table(title=escape(title), title_justify="left")
        for column in columns:
            table.add_column(escape(column), overflow="fold")
        for row in rows:
            table.add_row(*(escape(show(cell)) for cell in row))
        self.console.print(table)

    def line(self, fields: Mapping[str, object]) -> None:
        """Write one JSON document on a line of its own."""
        sys.stdout.write(msgspec.json.encode(_for_json(fields)).decode() + "\n")
        sys.stdout.flush()

    def say(self, text: str, style: str = "") -> None:
        """Tell people what happens; programs do not hear it."""
        if not self.as_json:
            self.console.print(escape(text), style=style)

    def hint(self, text: str, *, aside: bool = False) -> None:
        """Tell people what they may want to do next; `aside` after an error."""
        if not self.as_json:
            (self.aside if aside else self.console).print(f"next: {escape(text)}", style="dim")

    def warn(self, text: str) -> None:
        """Tell everyone what should not stay so."""
        self.aside.print(f"warning: {escape(text)}", style="yellow")

    def fail(self, error: BedrollError) -> None:
        """Say why the command ends."""
        if self.as_json:
            self.line({"error": {"kind": type(error).__name__, "message": error.message} | _plain(error.fields)})
            return
        self.aside.print(f"error: {escape(str(error.message))}", style="bold red")
        if isinstance(error, Misconfigured):
            self.aside.print(
                f"  {escape(error.option)} = {escape(show(error.value))}; allowed: {escape(error.allowed)}"
            )
            return
        for name, value in error.fields.items():
            self.aside.print(f"  {escape(name)}: {escape(show(value))}")

    @contextmanager
    def progress(self) -> Iterator["Steps"]:
        """Show bars for long work, on standard error."""
        bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.aside,
            disable=self.as_json,
        )
        with bars:
            yield Steps(bars)


class Steps:
    """Bars of one piece of long work, each a step of it."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars

    def begin(self, text: str, total: int | None = None) -> "Step":
        """Begin a step; `total` None: its length is unknown."""
        return Step(self._bars, self._bars.add_task(escape(text), total=total))


class Step:
    """One bar."""

    def __init__(self, bars: Progress, task: TaskID) -> None:
        self._bars = bars
        self._task = task

    def advance(self, count: int = 1) -> None:
        """Count more work as done."""
        self._bars.advance(self._task, count)

    def done(self, text: str | None = None) -> None:
        """End the step, with other words if they are given."""
        task = self._bars.tasks[self._task]
        total = task.total or max(task.completed, 1)
        self._bars.update(self._task, completed=total, total=total, description=escape(text or task.description))


def escape(text: str) -> str:
    r"""Text as text: no markup, and what a terminal would obey (but for line ends) as its escape sequence.

    Example:
        >>> escape("a\x1b[2Jb")
        'a\\x1b[2Jb'
    """
    if not text.isprintable():
        text = "".join(
            each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode() for each in text
        )
    return escape_markup(text)


def flatten(fields: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested members as dotted names."""
    for name, value in fields.items():
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, show(value)


def show(value: object) -> str:
    """A value as people read it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return "\n".join(show(item) for item in value) or "-"
    if isinstance(value, Mapping):
        return " ".join(f"{name}={show(item)}" for name, item in value.items()) or "-"
    return str(value)


def _plain(fields: Mapping[str, object]) -> dict[str, object]:
    return {
        name: value if isinstance(value, int | float | bool | None) else show(value) for name, value in fields.items()
    }


def _for_json(value: object) -> object:
    """JSON's own types; bytes as hexadecimal, anything else as text."""
    if isinstance(value, Mapping):
        return {str(name): _for_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_for_json(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, str | int | float | bool | None) else str(value)
