"""How a command runs: options to `Config`, errors to exit codes, signals to a clean end.

Reads: arguments, signals.  Gives: `Context`, `declare`, `run_service`, `run_once`.
Never: leaves a service behind.  Spec: docs/spec/cli.md#running
"""

import asyncio
import contextlib
import functools
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import uvloop

from bedroll.config import OPTIONS, Config, Source, load
from bedroll.primitives import BedrollError, Corrupt, Invalid, Misconfigured, Unavailable

from .log import set_up_logs
from .output import Output
from .page import PagedCommand, flag_of

T = TypeVar("T")

EXIT_CODES: Final = ((Misconfigured, 2), (Unavailable, 3), (Corrupt, 4), (Invalid, 1))
"""Exit code by branch of the error tree."""


QUIET: Final = {"log.level": "warning"}
"""Defaults of commands that end by themselves: what they do is in their result."""


@dataclass(slots=True)
class Context:
    """What every command has."""

    output: Output
    file: Path | None
    sources: Mapping[str, Source] = field(default_factory=dict)

    def load(self, flags: dict[str, object], defaults: Mapping[str, Any] | None = None) -> Config:
        """Put the options together, and set the logs up by them."""
        given = {name: value for name, value in flags.items() if value not in (None, ())}
        loaded = load(self.file, flags=given, defaults=defaults)
        self.sources = loaded.sources
        set_up_logs(loaded.config.log)
        return loaded.config


def declare(name: str, *sections: str, group: click.Group | None = None) -> Callable[[Callable[..., None]], Any]:
    """Make a function a command with the flags of some sections, and `--json`.

    The function gets the `Context`, the flags as a dictionary by option name, and what other decorators add. An
    error of ours becomes words and an exit code.
    """
    rows = [option for option in OPTIONS if option.name in sections or option.name.rpartition(".")[0] in sections]

    def decorate(function: Callable[..., None]) -> click.Command:
        @functools.wraps(function)
        def call(context: Context, *, as_json: bool, **kwargs: Any) -> None:
            context.output.as_json |= as_json
            flags = {option.name: kwargs.pop(option.attribute) for option in rows}
            try:
                function(context, flags, **kwargs)
            except BedrollError as error:
                context.output.fail(error)
                if isinstance(error, Unavailable) and "url" in error.fields and "url" in kwargs:
                    context.output.hint("start a chain with `bedroll devnet`, or name a node by --rpc URL", aside=True)
                sys.exit(exit_code(error))

        decorated: Callable[..., Any] = click.pass_obj(call)
        for option in reversed(rows):
            decorated = flag_of(option, name)(decorated)
        decorated = click.option("--json", "as_json", is_flag=True, help="Write results as JSON.")(decorated)
        sentence = (function.__doc__ or "").split("\n", 1)[0]
        command = click.command(name, cls=PagedCommand, short_help=sentence)(decorated)
        if group is not None:
            group.add_command(command)
        return command

    return decorate


def exit_code(error: BedrollError) -> int:
    """What the command ends with."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 1)


def run_once(work: Coroutine[Any, Any, T]) -> T:
    """Run something that ends by itself; SIGTERM ends it as SIGINT does, with everything closed."""

    async def main() -> T:
        task = asyncio.current_task()
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(main())
        except asyncio.CancelledError:
            sys.exit(128 + signal.SIGTERM)


def run_service(serve: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run something that ends when it is told to: SIGINT and SIGTERM set the event, a second one ends at once."""

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()

        def on_signal() -> None:
            if stop.is_set() and task is not None:
                task.cancel()
            stop.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, on_signal)
        with contextlib.suppress(asyncio.CancelledError):
            await serve(stop)

    run_once(main())
