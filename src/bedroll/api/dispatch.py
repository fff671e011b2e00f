"""From a body to its answer: every call of it is run, every error becomes an answer.

Reads: bytes of a stranger.  Gives: `Dispatcher`.
Never: lets one call's failure touch another, or answers a notification.  Spec: docs/spec/api.md#envelope
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, Counter, Histogram

from bedroll.primitives import BedrollError, Corrupt, Invalid, Unavailable

from . import (
    access_method,
    admin_method,
    bedroll_method,
    block_method,
    build_method,
    config_method,
    devnet_method,
    discover_method,
    fee_method,
    filter_method,
    log_method,
    node_method,
    ots_method,
    ots_search_method,
    parity_method,
    pool_method,
    proof_method,
    raw_method,
    replay_method,
    send_method,
    simulate_method,
    state_method,
    sync_method,
    trace_method,
    witness_method,
)
from .envelope import JSON_NULL, Body, Call, encode_answer, join_answers, parse_body
from .error import Code, RpcError, from_invalid, method_not_found, no_connection
from .method import MethodTable
from .openrpc import describe
from .quantity import show_data
from .service import Service
from .share import CLIENT
from .worker import SPENT

LOG: Final = logging.getLogger(__name__)

CONNECTION_METHODS: Final = frozenset(("eth_subscribe", "eth_unsubscribe"))
"""Served where a connection lasts: over WebSocket."""
_FREE_ANSWER_BYTES: Final = 10_000
_SECONDS_PER_BYTE: Final = 2e-8
"""Of making an answer, on the loop's thread."""
_CALLS_A_TURN: Final = 50
"""Calls of a batch after which others have the loop."""
Intercept = Callable[[Call], Awaitable[object]]
"""Runs a call that only makes sense on one connection; answers `NotImplemented` for every other."""


class Dispatcher:
    """Runs calls against one node."""

    def __init__(self, service: Service, *, devnet: bool = False, registry: CollectorRegistry | None = None) -> None:
        self.service = service
        self._guard = service.guard
        self.table = method_table(devnet=devnet)
        service.document = cache(lambda: msgspec.Raw(msgspec.json.encode(describe(self.table))))
        service.modules = tuple(sorted({name.partition("_")[0] for name in self.table.methods if "_" in name}))
        self.registry = registry or CollectorRegistry()
        self._calls = Counter("bedroll_api_calls", "Calls answered", ["method", "result"], registry=self.registry)
        self._faults = Counter("bedroll_api_faults", "Faults of the node's own", ["place"], registry=self.registry)
        self._noted: dict[tuple[str, str], Counter] = {}
        self._seconds = Histogram("bedroll_api_body_seconds", "Time to answer a body", registry=self.registry)

    async def answer(self, raw: bytes, intercept: Intercept | None = None, client: str = "") -> bytes | None:
        """Answer a body; None if it holds notifications alone.

        Args:
            raw: The body.
            intercept: Runs calls that only make sense on the connection at hand.
            client: Who asks: address, and after a blank what he showed as a key.
        """
        CLIENT.set(self._guard.client_of(client).name)
        with self._seconds.time():
            try:
                body = parse_body(raw, self.service.limits)
            except RpcError as error:
                return encode_answer(JSON_NULL, error)
            answers: list[bytes] = []
            room = self.service.limits.response_bytes
            end = time.monotonic() + self.service.limits.body_seconds
            sent = await self._send_together(body, client)
            for position, call in enumerate(body.calls):
                result = sent.get(position)
                if result is None:
                    over = self._is_over(room, end)
                    result = over if over is not None else await self._run(call, intercept, client)
                if call.id is not None:
                    answers.append(self._encode(call.id, result))
                    room -= len(answers[-1])
                    if len(answers[-1]) > _FREE_ANSWER_BYTES:
                        self._guard.spend(client, len(answers[-1]) * _SECONDS_PER_BYTE)
                if position % _CALLS_A_TURN == _CALLS_A_TURN - 1:
                    await asyncio.sleep(0)
            if not answers:
                return None
            return join_answers(answers) if body.batch else answers[0]

    def _is_over(self, room: int, end: float) -> RpcError | None:
        """Why no further call of a body is run."""
        if room <= 0:
            return RpcError(Code.LIMIT, "response too large")
        if time.monotonic() > end:
            return RpcError(Code.LIMIT, f"batch took too long, at most {self.service.limits.body_seconds:g} s")
        return None

    async def _send_together(self, body: Body, client: str) -> dict[int, object]:
        """Results of a batch that hands in transactions and does nothing else: their senders are recovered at once."""
        name = "eth_sendRawTransaction"
        if len(body.calls) < 2 or not all(call.method == name and call.error is None for call in body.calls):
            return {}
        results: dict[int, object] = {}
        raws: dict[int, bytes] = {}
        for position, call in enumerate(body.calls):
            refused = self._guard.admit(client, name)
            if refused is not None:
                results[position] = refused
                continue
            try:
                (raws[position],) = self.table.methods[name].bind(call.params)  # type: ignore[assignment]
            except RpcError as error:
                results[position] = error
        try:
            answers = await self.service.backend.send_transactions(list(raws.values()))
        except Unavailable as error:
            return results | dict.fromkeys(raws, _from_error(name, error))
        for position, answer in zip(raws, answers, strict=True):
            results[position] = from_invalid(answer) if isinstance(answer, Invalid) else show_data(answer)
        for result in results.values():
            self._calls.labels(name, "refused" if isinstance(result, RpcError) else "answered").inc()
        return results

    def note(self, answered: Mapping[str, int], refused: Mapping[str, int]) -> None:
        """Count calls that the core answered."""
        for result, methods in (("answered", answered), ("refused", refused)):
            for method, count in methods.items():
                counter = self._noted.get((method, result))
                if counter is None:
                    counter = self._noted[method, result] = self._calls.labels(method, result)
                counter.inc(count)

    def fault(self, place: str, error: BaseException, **facts: str) -> RpcError:
        """Note a fault of the node's own; what the client is told of it.

        Args:
            place: What could not be done: a `call`, or a `body` as a whole.
            error: What was raised.
            facts: For the log.
        """
        LOG.error("%s failed", place, extra=facts, exc_info=error)
        self._faults.labels(place).inc()
        return RpcError(Code.INTERNAL, "internal error")

    def _encode(self, call_id: msgspec.Raw, result: object) -> bytes:
        answer = encode_answer(call_id, result)
        if len(answer) > self.service.limits.response_bytes:
            return encode_answer(call_id, RpcError(Code.LIMIT, f"response too large: {len(answer)} bytes"))
        return answer

    async def _run(self, call: Call, intercept: Intercept | None, client: str) -> object:
        """Result of one call, or the error it is answered with."""
        spent: list[float] = []
        SPENT.set(spent)
        try:
            return await self._run_counted(call, intercept, client)
        finally:
            if spent:
                self._guard.spend(client, sum(spent))

    async def _run_counted(self, call: Call, intercept: Intercept | None, client: str) -> object:
        known = call.method in self.table.methods
        label = call.method if known else "unknown"
        try:
            if call.error is not None:
                raise call.error
            refused = self._guard.admit(client, call.method if known or call.method in CONNECTION_METHODS else "")
            if refused is not None:
                raise refused
            result = NotImplemented if intercept is None else await intercept(call)
            if result is NotImplemented:
                if not known:
                    raise (
                        no_connection(call.method)
                        if call.method in CONNECTION_METHODS
                        else method_not_found(call.method)
                    )
                method = self.table.methods[call.method]
                result = await method.run(self.service, *method.bind(call.params))
        except RpcError as error:
            self._calls.labels(label, "refused").inc()
            return error
        except BedrollError as error:
            self._calls.labels(label, "refused").inc()
            return _from_error(call.method, error)
        except Exception as error:
            # The top of the service loop: a fault of ours in one call must not take the others down.
            self._calls.labels(label, "failed").inc()
            return self.fault("call", error, method=call.method[:100])
        self._calls.labels(label, "answered").inc()
        return result


def method_table(*, devnet: bool) -> MethodTable:
    """All methods that a node serves."""
    table = MethodTable()
    for module in (
        block_method,
        state_method,
        fee_method,
        log_method,
        send_method,
        node_method,
        bedroll_method,
        proof_method,
        trace_method,
        parity_method,
        raw_method,
        access_method,
        filter_method,
        pool_method,
        sync_method,
        config_method,
        replay_method,
        ots_method,
        ots_search_method,
        admin_method,
        discover_method,
        simulate_method,
        witness_method,
    ):
        table.include(module.TABLE)
    if devnet:
        table.include(send_method.DEVNET_TABLE)
        table.include(devnet_method.TABLE)
        table.include(build_method.TABLE)
    return table


def _from_error(method: str, error: BedrollError) -> RpcError:
    if isinstance(error, Invalid):
        return from_invalid(error)
    if isinstance(error, Unavailable):
        return RpcError(Code.UNAVAILABLE, str(error))
    if isinstance(error, Corrupt):
        LOG.error("the store is damaged", extra={"method": method[:100], "error": str(error)})
        return RpcError(Code.INTERNAL, "internal error")
    return RpcError(Code.SERVER, str(error))
