"""The table of options, and the frozen values that it fills.

Reads: nothing.  Gives: `OPTIONS`, `Config` and its parts.
Never: names an option twice: a field of a part is the option of that section.  Spec: docs/spec/config.md#table
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bedroll.api import Limits
from bedroll.protocol import NETWORKS
from bedroll.sdk import DEVNET_MNEMONIC

from .option import Option

_LIMITS: Final = Limits()

OPTIONS: Final = (
    Option(name="network", kind=str, default="regtest", choices=tuple(NETWORKS), help="Network to take part in."),
    Option(name="folder", kind=Path, default=Path("~/.bedroll"), help="Where chain, keys and queue are kept."),
    Option(
        name="genesis",
        kind=Path,
        default=None,
        help="Genesis file of the chain; without it `genesis.json` in the folder.",
    ),
    Option(
        name="circuit",
        kind=Path,
        default=None,
        help="Key of a Groth16 circuit of one's own, on regtest alone; without it the published ceremony's.",
    ),
    Option(
        name="key_password",
        kind=str,
        default="",
        secret=True,
        help="Password of the key files; without it they are kept in the clear, mode 0600.",
    ),
    # --- bitcoin
    Option(
        name="bitcoin.source",
        kind=str,
        default="rpc",
        choices=("rpc", "embedded"),
        help="bitcoind by JSON-RPC, or Bitcoin Core's consensus in this process (regtest only).",
    ),
    Option(
        name="bitcoin.url",
        kind=str,
        default="",
        help="JSON-RPC address of bitcoind, http://host:port; without it 127.0.0.1 and the network's usual port.",
    ),
    Option(
        name="bitcoin.cookie",
        kind=Path,
        default=None,
        help="Cookie file of bitcoind; without it and without a user, the one in ~/.bitcoin.",
    ),
    Option(name="bitcoin.user", kind=str, default="", help="User for bitcoind's JSON-RPC."),
    Option(name="bitcoin.password", kind=str, default="", secret=True, help="Password for bitcoind's JSON-RPC."),
    Option(name="bitcoin.zmq", kind=str, default="", help="bitcoind's `zmqpubsequence` address; empty: long poll."),
    Option(
        name="bitcoin.timeout_seconds",
        kind=float,
        default=30.0,
        unit="seconds",
        low=1.0,
        high=600.0,
        help="How long one call to bitcoind may take.",
    ),
    Option(
        name="bitcoin.serve_port",
        kind=int,
        default=18_443,
        low=0,
        high=65_535,
        help="Loopback port on which an embedded chain answers as bitcoind does; 0: any free one.",
    ),
    # --- rpc
    Option(
        name="rpc.host",
        kind=str,
        default="127.0.0.1",
        aliases=("--host",),
        help="Address that the JSON-RPC server listens on.",
    ),
    Option(
        name="rpc.port",
        kind=int,
        default=8_545,
        low=0,
        high=65_535,
        aliases=("-p", "--port"),
        help="Port of HTTP, WebSocket, /healthz and /metrics; 0: any free one.",
    ),
    Option(
        name="rpc.origins",
        kind=tuple,
        default=("*",),
        help="Web origins that may use the server from a browser (CORS); * is all.",
    ),
    Option(
        name="rpc.body_bytes",
        kind=int,
        default=_LIMITS.body_bytes,
        unit="bytes",
        low=1 << 10,
        high=64 << 20,
        help="Largest request.",
    ),
    Option(
        name="rpc.batch_calls",
        kind=int,
        default=_LIMITS.batch_calls,
        unit="calls",
        low=1,
        high=10_000,
        help="Calls in one batch.",
    ),
    Option(
        name="rpc.log_range_blocks",
        kind=int,
        default=_LIMITS.log_range_blocks,
        unit="blocks",
        low=1,
        high=1_000_000,
        help="Blocks that one eth_getLogs covers.",
    ),
    Option(
        name="rpc.log_results",
        kind=int,
        default=_LIMITS.log_results,
        unit="logs",
        low=1,
        high=1_000_000,
        help="Logs that one eth_getLogs returns.",
    ),
    Option(
        name="rpc.call_gas",
        kind=int,
        default=_LIMITS.call_gas,
        unit="gas",
        low=21_000,
        high=1_000_000_000,
        help="Gas that eth_call and eth_estimateGas may use.",
    ),
    Option(
        name="rpc.proof_changes",
        kind=int,
        default=_LIMITS.proof_changes,
        unit="values",
        low=0,
        high=10_000_000,
        help="Values changed since that one eth_getProof of an earlier block puts back; about 1 kB of memory each.",
    ),
    Option(
        name="rpc.trace_seconds",
        kind=float,
        default=_LIMITS.trace_seconds,
        unit="seconds",
        low=0.1,
        high=600.0,
        help="How long one trace may take.",
    ),
    Option(
        name="rpc.trace_range_blocks",
        kind=int,
        default=_LIMITS.trace_range_blocks,
        unit="blocks",
        low=1,
        high=100_000,
        help="Blocks that one trace_filter covers.",
    ),
    Option(
        name="rpc.trace_scripts",
        kind=bool,
        default=_LIMITS.trace_scripts,
        help="Run tracers that clients write in JavaScript (debug_trace…), each request in a process of its own.",
    ),
    Option(
        name="rpc.heavy_running",
        kind=int,
        default=_LIMITS.heavy_running,
        unit="threads",
        low=1,
        high=256,
        help="Calls into the engine that run at a time.",
    ),
    Option(
        name="rpc.connections",
        kind=int,
        default=_LIMITS.connections,
        unit="connections",
        low=1,
        high=100_000,
        help="Open connections.",
    ),
    Option(
        name="rpc.budget_units",
        kind=int,
        default=_LIMITS.budget_units,
        unit="units",
        low=0,
        high=1_000_000_000,
        help="What a client without a key may ask for in a second; a unit is 10 µs of a core; 0: no limit.",
    ),
    Option(
        name="rpc.keys",
        kind=Path,
        default=None,
        help="File of API keys (`bedroll key new`); without it `api_keys` in the folder.",
    ),
    Option(
        name="rpc.keyed",
        kind=tuple,
        default=(),
        help="Methods that need an API key beside admin_: names, or beginnings of names such as debug_.",
    ),
    Option(
        name="rpc.sync_seconds",
        kind=float,
        default=_LIMITS.sync_seconds,
        unit="seconds",
        low=0.1,
        high=_LIMITS.sync_seconds_max,
        help="How long eth_sendRawTransactionSync waits where the client does not say.",
    ),
    Option(
        name="rpc.peer_connections",
        kind=int,
        default=_LIMITS.peer_connections,
        unit="connections",
        low=1,
        high=100_000,
        help="Open connections of one address; behind a proxy all clients have the proxy's.",
    ),
    # --- follow
    Option(
        name="follow.url",
        kind=str,
        default="",
        help="Address of a sequencer's stream, followed for `latest`; empty: Bitcoin alone.",
    ),
    Option(
        name="follow.signatures",
        kind=tuple,
        default=(),
        help="JSON-RPC addresses of nodes that are asked for signatures which proven batches leave out.",
    ),
    # --- sequencer
    Option(
        name="sequencer.block_time_seconds",
        kind=float,
        default=2.0,
        unit="seconds",
        low=0.0,
        high=60.0,
        aliases=("-b", "--block-time"),
        help="Between blocks; below 0.2 only 0 is meant: a block after each transaction, on a devnet.",
    ),
    Option(
        name="sequencer.batch_age_seconds",
        kind=float,
        default=600.0,
        unit="seconds",
        low=1.0,
        high=86_400.0,
        help="Oldest unposted block before a batch is posted.",
    ),
    Option(
        name="sequencer.batch_bytes",
        kind=int,
        default=300_000,
        unit="bytes",
        low=1_000,
        high=4 << 20,
        help="Size of the unposted transactions at which a batch is posted before its time.",
    ),
    Option(
        name="sequencer.fee_rate_high",
        kind=int,
        default=100_000,
        unit="sat/kvB",
        low=1_000,
        high=10_000_000,
        help="Fee rate above which batches wait longer.",
    ),
    Option(
        name="sequencer.batch_age_high_seconds",
        kind=float,
        default=3_600.0,
        unit="seconds",
        low=1.0,
        high=86_400.0,
        help="Oldest unposted block before a batch is posted while the fee rate is high.",
    ),
    Option(
        name="sequencer.commitments",
        kind=bool,
        default=True,
        help="Post a commitment to new blocks with every Bitcoin block.",
    ),
    Option(
        name="sequencer.form",
        kind=str,
        default="signed",
        choices=("signed", "proven"),
        help="Form of batches: with signatures, or without, which waits for somebody's proof.",
    ),
    Option(
        name="sequencer.carrier",
        kind=str,
        default="branch",
        choices=("branch", "drop"),
        help="Form of the envelopes on Bitcoin; drop where nodes around do not relay the other.",
    ),
    Option(
        name="sequencer.fee_rate_max",
        kind=int,
        default=300,
        unit="sat/vB",
        low=1,
        high=100_000,
        help="Highest fee rate that a posting is ever lifted to.",
    ),
    Option(
        name="sequencer.stream_host",
        kind=str,
        default="127.0.0.1",
        help="Address on which followers find the stream of signed blocks.",
    ),
    Option(
        name="sequencer.stream_port",
        kind=int,
        default=8_546,
        low=0,
        high=65_535,
        help="Port of the stream; 0: any free one.",
    ),
    Option(
        name="sequencer.resume_above",
        kind=int,
        default=None,
        unit="blocks",
        low=0,
        high=2**63 - 1,
        help="After a backup was restored: no block above this height was signed.",
    ),
    # --- prover
    Option(
        name="prover.url",
        kind=str,
        default="http://127.0.0.1:8545",
        aliases=("--rpc",),
        help="Node that the prover follows.",
    ),
    Option(
        name="prover.key",
        kind=str,
        default="",
        secret=True,
        help="API key of that node, to give it finished proofs (`bedroll key new`); without it they stay files.",
    ),
    Option(
        name="prover.memory_bytes",
        kind=int,
        default=18 << 30,
        unit="bytes",
        low=17 << 30,
        high=1 << 44,
        help="Most memory that proving may hold; a worker that holds more is ended.",
    ),
    Option(
        name="prover.worker",
        kind=Path,
        default=None,
        help="Program that proves; without it the one that `make prover` built, or bedroll-prover-core on the path.",
    ),
    Option(
        name="prover.program",
        kind=Path,
        default=None,
        help="ELF file that is proved; without it crates/guest/elf/batch.elf of the sources.",
    ),
    Option(
        name="prover.executor",
        kind=Path,
        default=None,
        help="Program that counts cycles; without it that of `make prover`, or bedroll-executor on the path.",
    ),
    Option(
        name="prover.ray",
        kind=str,
        default=None,
        aliases=("--ray",),
        help="Ray cluster that proves: HOST:PORT of its head, auto, or local for workers of this machine.",
    ),
    Option(
        name="prover.workers",
        kind=int,
        default=None,
        unit="workers",
        low=1,
        high=10_000,
        aliases=("--workers",),
        help="Workers on the cluster; without it one for each machine.",
    ),
    Option(
        name="prover.cycles_max",
        kind=int,
        default=60_000_000,
        unit="cycles",
        low=2_000_000,
        high=2_000_000_000,
        help="Longest run that one proof covers where it can be cut: batches without signatures, runs of settlement.",
    ),
    Option(
        name="prover.uncut_cycles_max",
        kind=int,
        default=1_500_000_000,
        unit="cycles",
        low=2_000_000,
        high=1_000_000_000_000,
        help="Longest run that is proved where it cannot be cut: one L1 block, a batch that stands on Bitcoin.",
    ),
    Option(
        name="prover.groth16_keys",
        kind=Path,
        default=None,
        help="Folder of the published ceremony's circuit and keys: proofs for networks that take Groth16 alone.",
    ),
    Option(
        name="prover.groth16_sha256",
        kind=str,
        default=None,
        help="Hash of that folder's proving key as its publisher says it, 64 hexadecimal digits.",
    ),
    # --- mempool
    Option(
        name="mempool.size_bytes",
        kind=int,
        default=256 << 20,
        unit="bytes",
        low=1 << 20,
        high=16 << 30,
        help="Waiting transactions.",
    ),
    Option(
        name="mempool.account_count",
        kind=int,
        default=4_096,
        unit="transactions",
        low=1,
        high=1_000_000,
        help="Waiting transactions of one sender.",
    ),
    Option(
        name="mempool.tip_min_wei",
        kind=int,
        default=0,
        unit="wei",
        low=0,
        high=10**18,
        help="Least tip a gas that a transaction must offer.",
    ),
    # --- history
    Option(
        name="history.mode",
        kind=str,
        default="pruned",
        choices=("pruned", "archive"),
        help="State of old blocks: as far back as a reorganisation may go, or of every block from now on.",
    ),
    Option(
        name="history.keep_blocks",
        kind=int,
        default=0,
        unit="blocks",
        low=0,
        high=2**63 - 1,
        help="Newest blocks whose state a pruned node keeps anyway.",
    ),
    # --- devnet
    Option(
        name="devnet.accounts",
        kind=int,
        default=20,
        unit="accounts",
        low=1,
        high=1_000,
        aliases=("-a", "--accounts"),
        help="Funded accounts.",
    ),
    Option(
        name="devnet.balance_btc",
        kind=int,
        default=10_000,
        unit="BTC",
        low=1,
        high=20_000_000,
        aliases=("--balance",),
        help="Balance of each at genesis.",
    ),
    Option(
        name="devnet.mnemonic",
        kind=str,
        default=DEVNET_MNEMONIC,
        aliases=("--mnemonic", "-m"),
        help="Words of the funded accounts; the default is that of anvil and Hardhat.",
    ),
    Option(
        name="devnet.mine_seconds",
        kind=float,
        default=10.0,
        unit="seconds",
        low=0.0,
        high=3_600.0,
        help="Between Bitcoin blocks; 0: only when asked (bedroll_mine).",
    ),
    Option(
        name="devnet.no_mining",
        kind=bool,
        default=False,
        aliases=("--no-mining",),
        help="Make L2 blocks when asked (bedroll_makeBlock), not by time.",
    ),
    # --- log
    Option(
        name="log.level",
        kind=str,
        default="info",
        choices=("debug", "info", "warning", "error"),
        help="What is worth a line.",
    ),
    Option(name="log.format", kind=str, default="text", choices=("text", "json"), help="How a line looks."),
)
"""Every option of every command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BitcoinConfig:
    """The Bitcoin node to use."""

    source: str
    url: str
    cookie: Path | None
    user: str
    password: str
    zmq: str
    timeout_seconds: float
    serve_port: int

    def __repr__(self) -> str:
        """Leave the password out."""
        return f"BitcoinConfig(source={self.source!r}, url={self.url!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcConfig:
    """The JSON-RPC server."""

    host: str
    port: int
    origins: tuple[str, ...]
    body_bytes: int
    batch_calls: int
    log_range_blocks: int
    log_results: int
    call_gas: int
    proof_changes: int
    trace_seconds: float
    trace_scripts: bool
    trace_range_blocks: int
    heavy_running: int
    connections: int
    budget_units: int
    keys: Path | None
    keyed: tuple[str, ...]
    sync_seconds: float
    peer_connections: int

    def limits(self) -> Limits:
        """The server's bounds."""
        return Limits(
            body_bytes=self.body_bytes,
            batch_calls=self.batch_calls,
            log_range_blocks=self.log_range_blocks,
            log_results=self.log_results,
            call_gas=self.call_gas,
            proof_changes=self.proof_changes,
            trace_seconds=self.trace_seconds,
            trace_scripts=self.trace_scripts,
            trace_range_blocks=self.trace_range_blocks,
            heavy_running=self.heavy_running,
            connections=self.connections,
            budget_units=self.budget_units,
            sync_seconds=self.sync_seconds,
            peer_connections=self.peer_connections,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowConfig:
    """Where `latest` comes from, and what Bitcoin does not hold."""

    url: str
    signatures: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SequencerConfig:
    """When blocks are made and posted."""

    block_time_seconds: float
    batch_age_seconds: float
    batch_bytes: int
    fee_rate_high: int
    batch_age_high_seconds: float
    commitments: bool
    form: str
    carrier: str
    fee_rate_max: int
    stream_host: str
    stream_port: int
    resume_above: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProverConfig:
    """What proves, and within what."""

    url: str
    key: str = field(repr=False)
    memory_bytes: int
    worker: Path | None
    program: Path | None
    executor: Path | None
    ray: str | None
    workers: int | None
    cycles_max: int
    uncut_cycles_max: int
    groth16_keys: Path | None
    groth16_sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MempoolConfig:
    """How much may wait."""

    size_bytes: int
    account_count: int
    tip_min_wei: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryConfig:
    """How far back state is kept."""

    mode: str
    keep_blocks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DevnetConfig:
    """A chain of one's own."""

    accounts: int
    balance_btc: int
    mnemonic: str
    mine_seconds: float
    no_mining: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig:
    """Log lines."""

    level: str
    format: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All options of one process."""

    network: str
    folder: Path
    genesis: Path | None
    circuit: Path | None
    key_password: str = field(repr=False)
    bitcoin: BitcoinConfig
    rpc: RpcConfig
    follow: FollowConfig
    sequencer: SequencerConfig
    prover: ProverConfig
    mempool: MempoolConfig
    history: HistoryConfig
    devnet: DevnetConfig
    log: LogConfig


SECTIONS: Final = {
    "bitcoin": BitcoinConfig,
    "rpc": RpcConfig,
    "follow": FollowConfig,
    "sequencer": SequencerConfig,
    "prover": ProverConfig,
    "mempool": MempoolConfig,
    "history": HistoryConfig,
    "devnet": DevnetConfig,
    "log": LogConfig,
}
"""Class of each section of the file."""
