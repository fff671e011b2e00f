"""What one client may ask of the server: every bound in one place.

Reads: nothing.  Gives: `Limits`.  Never: a bound without a unit.  Spec: docs/spec/api.md#limits
"""

from dataclasses import dataclass

from bedroll.encoding.json import CONTAINERS_MAX, DEPTH_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of the JSON-RPC server. `config` fills the ones that an operator may change.

    Attributes:
        body_bytes: One HTTP body or WebSocket message.
        batch_calls: Calls in one batch.
        depth: Nesting of objects and arrays in one body.
        containers: Objects and arrays in one body, so that a small body cannot become a large heap.
        values: Values in one body, strings and numbers too.
        response_bytes: Answers of one batch together; calls beyond it are answered with an error.
        log_range_blocks: Blocks that one `eth_getLogs` covers.
        log_results: Logs that one `eth_getLogs` returns.
        call_gas: Gas limit of `eth_call` and `eth_estimateGas`.
        proof_changes: Values that `eth_getProof` of an earlier block puts back into the tries.
        trace_bytes: JSON that one trace gives; a trace that would need more ends in an error.
        trace_seconds: How long one trace may run; clients may ask for less.
        trace_scripts: Whether clients may send tracers in JavaScript.
        trace_range_blocks: Blocks that one `trace_filter` covers: each is run again.
        pending_shown: Waiting transactions up to which the block `pending` lists them; of more it lists none.
        pool_shown: Waiting transactions that one answer of `txpool_…` shows.
        pool_shown_bytes: Of them, as they were sent.
        sync_seconds: How long `eth_sendRawTransactionSync` waits for a receipt where the client does not say.
        sync_seconds_max: How long it waits at most.
        sync_waiting: Calls of it that wait at a time.
        sync_waiting_each: Of them, of one client.
        budget_units: Units a second of one client without a key (`bedroll.api.cost`); 0: no limit.
        budget_burst_seconds: So many seconds' units can be saved up, and owed.
        heavy_running: Calls into the engine that run at a time, each on a thread of its own.
        heavy_waiting: Calls that may wait for such a thread; more are refused.
        heavy_waiting_each: Of them, of one client. Clients take turns.
        connections: Open connections, HTTP and WebSocket together; more are closed at once.
        peer_connections: Of them, from one address.
        unread_bytes: Requests that are not answered yet, as far as they have arrived, of all connections together;
            beyond it the connection at hand is refused.
        unsent_bytes: Answers that wait for slow readers, all together; beyond it the slowest are dropped.
        idle_seconds: How long a connection may be silent between requests, or take for a request's head.
        subscriptions: Of one WebSocket connection.
        filters: Filters with an id that wait, of all clients together.
        filters_each: Of them, of one client.
        filter_seconds: How long a filter is kept that nobody asks for.
        filter_bytes: JSON that waits in all filters; beyond it the longest unasked are forgotten.
        backlog_messages: Messages that wait for a slow reader before its connection is dropped.
        read_seconds: How long a body may take to arrive.
        body_seconds: How long the calls of one body may take; those after it are refused.
        stop_seconds: How long requests in flight may take once the server stops.
    """

    body_bytes: int = 5 << 20
    batch_calls: int = 1_000
    depth: int = DEPTH_MAX
    containers: int = CONTAINERS_MAX
    values: int = 100_000
    response_bytes: int = 25 << 20
    log_range_blocks: int = 10_000
    log_results: int = 10_000
    call_gas: int = 50_000_000
    proof_changes: int = 100_000
    trace_bytes: int = 20 << 20
    trace_seconds: float = 10.0
    trace_scripts: bool = False
    trace_range_blocks: int = 100
    pending_shown: int = 1_000
    pool_shown: int = 5_000
    pool_shown_bytes: int = 4 << 20
    sync_seconds: float = 4.0
    sync_seconds_max: float = 30.0
    sync_waiting: int = 1_000
    sync_waiting_each: int = 250
    budget_units: int = 100_000
    budget_burst_seconds: float = 5.0
    heavy_running: int = 4
    heavy_waiting: int = 1_024
    heavy_waiting_each: int = 256
    connections: int = 1_000
    peer_connections: int = 250
    unread_bytes: int = 512 << 20
    unsent_bytes: int = 256 << 20
    idle_seconds: float = 60.0
    subscriptions: int = 128
    filters: int = 1_024
    filters_each: int = 256
    filter_seconds: float = 300.0
    filter_bytes: int = 32 << 20
    backlog_messages: int = 1_024
    read_seconds: float = 15.0
    body_seconds: float = 120.0
    stop_seconds: float = 5.0
