"""The metrics of a node, by name and unit; each node has a registry of its own.

Reads: numbers.  Gives: `Metrics`.  Never: shares a registry between nodes of one process.
Spec: docs/spec/metrics.md#names
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Metrics:
    """Every metric of a node, named `bedroll_<package>_<what>_<unit>`; docs/spec/metrics.md says what each means."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"bedroll_{name}", text, registry=registry)

        def counter(name: str, text: str) -> Counter:
            return Counter(f"bedroll_{name}", text, registry=registry)

        def histogram(name: str, text: str) -> Histogram:
            return Histogram(f"bedroll_{name}", text, buckets=_SECONDS, registry=registry)

        self.head = Gauge("bedroll_node_head_height", "Newest L2 block of a class", ["block_class"], registry=registry)
        self.l1_tip = gauge("node_l1_tip_height", "Newest L1 block that Bitcoin has")
        self.l1_derived = gauge("node_l1_derived_height", "Newest L1 block that was derived")
        self.l1_blocks = counter("derivation_l1_blocks", "L1 blocks taken in")
        self.l1_unwound = counter("derivation_l1_unwound_blocks", "L1 blocks that left the best chain")
        self.objects = Counter(
            "bedroll_derivation_objects", "Objects on L1 by verdict", ["kind", "verdict"], registry=registry
        )
        self.divergences = counter("derivation_divergences", "Proofs that hold and contradict what was executed here")
        self.derive_seconds = histogram("derivation_l1_block_seconds", "Deriving one L1 block")
        self.l2_blocks = counter("node_blocks", "L2 blocks that became the tip")
        self.l2_transactions = counter("node_transactions", "Transactions in them, without L1-info calls")
        self.l2_gas = counter("node_evm_gas", "EVM gas in them")
        self.l2_removed = counter("node_removed_blocks", "L2 blocks that left the chain")
        self.pool_pending = gauge("mempool_pending_count", "Executable transactions that wait")
        self.pool_queued = gauge("mempool_queued_count", "Transactions that wait for a nonce")
        self.pool_bytes = gauge("mempool_size_bytes", "Raw bytes of both")
        self.backlog_bytes = gauge("sequencer_backlog_bytes", "Transactions made and not yet on L1")
        self.writer_waiting = gauge("writer_waiting_count", "Objects of which nothing was sent")
        self.writer_unconfirmed = gauge("writer_unconfirmed_count", "Objects sent and in no block")
        self.writer_rate = gauge("writer_fee_rate_sat", "Fee rate last paid, satoshi for 1,000 vB")
        self.writer_spent = gauge("writer_spent_sat", "Fees of everything that is in the chain")
        self.followers = gauge("sequencer_followers_count", "Followers connected to the stream")
        self.followers_dropped = gauge("sequencer_dropped_followers_count", "Followers that were too slow")
        self.subscribers = gauge("node_subscribers_count", "Readers of events in this process")

    def text(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self._registry)
