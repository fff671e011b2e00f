"""A node behind its API until it is told to stop.

Reads: an open node, options, a stop event.  Gives: `serving`, `run_until`, `need_port`.
Never: swallows why a service ended.  Spec: docs/spec/cli.md#running
"""

import asyncio
import logging
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bedroll.api import Server, ServerOptions, Service
from bedroll.api.key import ApiKeys
from bedroll.api.port import Backend
from bedroll.config import Config
from bedroll.primitives import Address, Misconfigured
from bedroll.sdk import Account

from .port_holder import holder_of, why_taken

LOG: Final = logging.getLogger(__name__)
_ALLOWED_PORTS: Final = "a free port (--port), or 0 for any"
_OTHER_FILES: Final = 512
"""That a node has open beside connections, at most."""


@asynccontextmanager
async def serving(
    node: Backend,
    config: Config,
    accounts: Mapping[Address, Account] | None = None,
    faucet: Callable[[str, int], Awaitable[bytes]] | None = None,
) -> AsyncIterator[Server]:
    """Serve a node; with accounts as a devnet, which signs for them and gives everybody all there is.

    Raises:
        Misconfigured: The port is taken; by whom is said where it is known.
    """
    rpc, is_devnet = config.rpc, accounts is not None
    limits = replace(rpc.limits(), budget_units=0) if is_devnet else rpc.limits()
    keys = ApiKeys(keys_path(config))
    allow_files(limits.connections + _OTHER_FILES)
    service = Service(node, limits, accounts or {}, faucet, keys=keys, keyed=rpc.keyed)
    options = ServerOptions(host=rpc.host, port=rpc.port, origins=rpc.origins, devnet=is_devnet)
    server = Server(service, options)
    try:
        await server.start()
    except Misconfigured as error:
        raise _told_who(error, rpc.port) from None
    try:
        yield server
    finally:
        await server.stop()


def allow_files(count: int) -> None:
    """Let this process have so many files and connections open, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= count:
        return
    allowed = count if hard == resource.RLIM_INFINITY else min(count, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < count:
        LOG.warning("fewer files may be open than rpc.connections needs", extra={"allowed": allowed, "needed": count})


def keys_path(config: Config) -> Path:
    """Where a node's API keys are."""
    return config.rpc.keys or config.folder / "api_keys"


def need_port(config: Config) -> None:
    """Make sure that the port is free, before anything that takes long is done.

    Raises:
        Misconfigured: It is not.
    """
    host, port = config.rpc.host, config.rpc.port
    why = why_taken(host, port) if port else ""
    if why:
        text = f"cannot listen on {host}:{port}: {why}"
        raise Misconfigured(text, option="rpc.port", value=port, allowed=_ALLOWED_PORTS)


def _told_who(error: Misconfigured, port: int) -> Misconfigured:
    holder = holder_of(port)
    text = f"{error.message}; {holder} has it" if holder else str(error.message)
    return Misconfigured(text, option=error.option, value=error.value, allowed=_ALLOWED_PORTS)


async def run_until(work: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    """Run a service until it ends or `stop` is set; then it is cancelled and has ended.

    Raises:
        BaseException: What the service ended with, taken out of its group.
    """
    running = asyncio.create_task(work, name="service")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        failed = running.done()
        for task in (running, stopping):
            task.cancel()
        await asyncio.gather(running, stopping, return_exceptions=True)
    if failed and not running.cancelled() and (error := running.exception()) is not None:
        raise first_of(error)


def first_of(error: BaseException) -> BaseException:
    """The first error in nested groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
