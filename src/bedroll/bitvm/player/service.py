"""Playing until told to stop: a step after each block, and again with back-off while the node does not answer.

Reads: a node's tip.  Gives: `serve`.  Never: ends because of one game, or because of an outage.
Spec: docs/spec/dispute.md#players
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

from bedroll.bitcoin.client import BitcoinClient
from bedroll.primitives import Unavailable

from .player import Player

POLL_SECONDS: Final = 30.0
"""Longest wait for a block before the chain is looked at anyhow."""
BACK_OFF_SECONDS: Final = (1.0, 2.0, 5.0, 15.0, 30.0)

_LOG = logging.getLogger(__name__)


async def serve(player: Player, client: BitcoinClient, stop: asyncio.Event) -> None:
    """Play all games of a player.

    Args:
        player: With its games joined.
        client: The node that it plays on.
        stop: Set it to end; the step under way is finished.
    """
    outages = 0
    while not stop.is_set():
        try:
            await player.step()
            tip = await client.tip()
            outages = 0
            await _first(stop, client.wait_for_tip(tip.hash, POLL_SECONDS))
        except Unavailable as error:
            wait = BACK_OFF_SECONDS[min(outages, len(BACK_OFF_SECONDS) - 1)]
            _LOG.warning("the node does not answer, next try in %s s: %s", wait, error)
            outages += 1
            await _first(stop, asyncio.sleep(wait))


async def _first(stop: asyncio.Event, other: Coroutine[Any, Any, object]) -> None:
    """Wait for the end or for something else, whichever is first."""
    ended = asyncio.ensure_future(stop.wait())
    waited = asyncio.ensure_future(other)
    try:
        await asyncio.wait({ended, waited}, return_when=asyncio.FIRST_COMPLETED)
        if waited.done():
            waited.result()
    finally:
        ended.cancel()
        waited.cancel()
