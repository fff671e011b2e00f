"""The Rust core: state transition, state, codec and parsers, behind plain types.

Every call that works longer than a few microseconds releases the interpreter lock. Byte strings are
`bytes`; hashes are 32 bytes, addresses 20; amounts are wei as `int`. Rule violations raise
`bedroll.primitives.Invalid` (or a leaf of it), broken stores `Corrupt`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import final

# --- execution ---------------------------------------------------------------------------------

@final
class Origin:
    """An L1 block as the first L2 block that refers to it takes it in.

    Attributes:
        height: L1 height.
        hash: 32 bytes, internal order.
        header: 80 bytes.
        witness_root: Root under the witness commitment, 32 bytes; zero where the block has none.
        median_time: Median time past of this block (BIP-0113), seconds.
        l1_rate: r, wei a witness byte (protocol.md 6).
        forced: Forced messages in L1 order: (id, payload, paid). `paid`: its Bitcoin transaction paid `forced_fee`.
    """

    height: int
    hash: bytes
    header: bytes
    witness_root: bytes
    median_time: int
    l1_rate: int
    forced: list[tuple[bytes, bytes, bool]]
    def __new__(
        cls,
        *,
        height: int,
        hash: bytes,
        header: bytes,
        witness_root: bytes,
        median_time: int,
        l1_rate: int,
        forced: Sequence[tuple[bytes, bytes, bool]],
    ) -> Origin: ...

@final
class Transaction:
    """A decoded transaction and what follows from it alone.

    Attributes:
        raw: EIP-2718 bytes with signature; where that is not known `0x7f ‖ sender ‖ payload`.
        hash: Ethereum hash; 32 bytes; keccak of `raw` in either case.
        is_attested: Whether the signature is not known here.
        signatures: Its own and those of its authorisations, each r ‖ s ‖ parity, 65 bytes; None where not known.
        sender: Recovered address.
        kind: EIP-2718 type: 0, 1, 2, 4 (0x7e: the L1-info call).
        chain_id: None for a legacy transaction without one.
        nonce, gas_limit, max_fee_per_gas, max_priority_fee_per_gas, value: As signed; a legacy or
            type-1 gas price is both fees.
        to: None for a creation.
        input: Call data.
        payload: Unsigned payload, what `transactionsRoot` holds after the sender.
        size: Bytes that `data gas` counts (protocol.md 6): the fixed estimate over sender ‖ payload.
        intrinsic_gas: What the transaction needs before it runs, the EIP-7623 floor included.
    """

    raw: bytes
    hash: bytes
    sender: bytes
    kind: int
    chain_id: int | None
    nonce: int
    gas_limit: int
    max_fee_per_gas: int
    max_priority_fee_per_gas: int
    value: int
    to: bytes | None
    input: bytes
    access_list: list[tuple[bytes, list[bytes]]]
    authorizations: list[tuple[int, bytes, int, bytes | None]]
    v: int
    r: int
    s: int
    payload: bytes
    size: int
    intrinsic_gas: int
    is_attested: bool
    signatures: bytes | None
    def with_signatures(self, signatures: bytes) -> Transaction:
        """The same with signatures as `signatures` gives them. Invalid: sender and payload are not what was signed."""

def decode_transaction(raw: bytes) -> Transaction:
    """Decode and recover one signed transaction.

    Raises:
        Invalid: Not canonical EIP-2718, blob type, high s, or no sender.
    """

def decode_transactions(raws: Sequence[bytes]) -> list[Transaction | str]:
    """The same for many, on all cores; a string is the reason why one is invalid."""

@final
class Log:
    address: bytes
    topics: list[bytes]
    data: bytes

@final
class Receipt:
    """What one included transaction did.

    Attributes:
        status: 1 success, 0 revert or halt.
        gas_used: EVM gas; 0 for the L1-info call.
        data_gas: Data gas; 0 for forced messages and the L1-info call.
        cumulative_gas_used: EVM gas up to and including this one, the consensus value.
        effective_gas_price: wei a gas.
        post_state: Root of the state after it, before Byzantium on a chain of Ethereum's own.
        contract: Address of a creation, also of one that failed.
        output: Return or revert data (kept for the newest blocks only; empty otherwise).
    """

    transaction_hash: bytes
    status: int
    gas_used: int
    data_gas: int
    cumulative_gas_used: int
    effective_gas_price: int
    contract: bytes | None
    post_state: bytes | None
    logs: list[Log]
    logs_bloom: bytes
    output: bytes

@final
class Header:
    """An L2 block header; Ethereum's fields (protocol.md 4.2).

    `origin_hash` is `parentBeaconBlockRoot`. `rlp` is its encoding, `hash` its keccak. `ethereum`: members that are
    alike in every header of this chain, as JSON shows them; those of other forks lack some.
    """

    rlp: bytes
    hash: bytes
    parent_hash: bytes
    state_root: bytes
    transactions_root: bytes
    receipts_root: bytes
    logs_bloom: bytes
    number: int
    gas_limit: int
    gas_used: int
    timestamp: int
    base_fee_per_gas: int
    prev_randao: bytes
    origin_hash: bytes
    ethereum: list[tuple[str, str]]

@final
class Block:
    """A sealed block with what is not in its header.

    Attributes:
        origin_height: L1 height of its origin.
        origin_step: Whether it is the first block of that origin.
        automatic: Whether derivation made it in silence (protocol.md 5.3).
        size: Bytes of its transactions, RLP.
        transactions: All included ones in order: L1-info call, forced, the leader's.
        receipts: Of the same order.
        forced: (queue index, id, status, transaction hash or None) of each message that ended in
            this block; status is "executed", "reverted", "skipped" or "ineligible".
        forced_reasons: Of the same order: why it did not run, or what it halted with; else empty.
        forced_count: How many of `transactions` are not the leader's: the L1-info call and forced ones.
        book_length: Addresses in the AddressBook after this block.
        queue_done, queue_enqueued: Counts after this block.
        is_ethereum: Whether it is one of Ethereum's own, imported.
        ommers: Headers of uncles in RLP; none on this chain.
        withdrawals: (index, validator, address, gwei); none on this chain, None before Shanghai.
    """

    header: Header
    origin_height: int
    is_ethereum: bool
    ommers: list[bytes]
    withdrawals: list[tuple[int, int, bytes, int]] | None
    origin_step: bool
    automatic: bool
    size: int
    transactions: list[Transaction]
    @property
    def transaction_count(self) -> int: ...
    def own_raws(self) -> list[bytes]:
        """EIP-2718 bytes of the leader's transactions."""

    def own_transactions(self) -> list[Transaction]:
        """The leader's transactions."""

    def own_attested(self) -> list[bytes]:
        """`0x7f ‖ sender ‖ payload` of the leader's transactions, whether their signatures are known or not."""

    def own_signatures(self) -> list[bytes | None]:
        """`Transaction.signatures` of each of the leader's."""

    def own_weight(self) -> tuple[int, int, int]:
        """Of the leader's transactions: count, bytes, gas limits as a batch counts them."""

    def forced_senders(self) -> list[bytes]:
        """Senders of the others."""

    receipts: list[Receipt]
    forced: list[tuple[int, bytes, str, bytes | None]]
    forced_reasons: list[str]
    forced_count: int
    book_length: int
    queue_done: int
    queue_enqueued: int

@final
class Outcome:
    """Result of a call or simulation.

    Attributes:
        status: "success", "revert" or "halt".
        output: Return or revert data.
        gas_used: EVM gas after refunds.
        reason: Name of the halt, else empty.
        logs: Logs of a success.
    """

    status: str
    output: bytes
    gas_used: int
    reason: str
    logs: list[Log]

@final
class View:
    """State as of one block; never changes. Reading it does not wait for the writer."""

    height: int
    has_blobs: bool
    """Whether the rules of its block know blobs: on a chain of Ethereum's own from Cancun on."""
    def time_and_base_fee(self) -> tuple[int, int]:
        """Time and base fee of the block, open or sealed."""

    def balance(self, address: bytes) -> int: ...
    def nonce(self, address: bytes) -> int: ...
    def code(self, address: bytes) -> bytes: ...
    def storage(self, address: bytes, slot: int) -> bytes: ...
    def book_index(self, address: bytes) -> int | None: ...
    def call(
        self,
        *,
        sender: bytes,
        to: bytes | None,
        data: bytes,
        value: int,
        gas_limit: int,
        gas_price: int,
        access_list: Sequence[tuple[bytes, Sequence[bytes]]],
        overrides: str,
        block_overrides: str = "",
        authorizations: Sequence[tuple[int, bytes, int, int, int, int]] = ...,
        blob_hashes: Sequence[bytes] = ...,
        max_fee_per_blob_gas: int = 0,
    ) -> Outcome:
        """Run a call inside this block: with its height and time, and its base fee if the call has a price.

        `overrides` of accounts and `block_overrides`: JSON or "". `authorizations` of EIP-7702: chain id, address,
        nonce, y parity, r, s. `blob_hashes` only where the view `has_blobs`.
        """

    def trace_call(
        self,
        *,
        sender: bytes,
        to: bytes | None,
        data: bytes,
        value: int,
        gas_limit: int,
        gas_price: int,
        access_list: Sequence[tuple[bytes, Sequence[bytes]]],
        overrides: str,
        options: str,
        result_bytes: int,
        seconds: float,
        block_overrides: str = "",
        authorizations: Sequence[tuple[int, bytes, int, int, int, int]] = ...,
        script_command: Sequence[str] = ...,
        blob_hashes: Sequence[bytes] = ...,
        max_fee_per_blob_gas: int = 0,
    ) -> bytes:
        """Trace a call; JSON. `options`, bounds, command and errors as `Engine.trace`."""

    def replay_calls(
        self,
        calls: Sequence[
            tuple[
                bytes,
                bytes | None,
                bytes,
                int,
                int,
                int,
                Sequence[tuple[bytes, Sequence[bytes]]],
                Sequence[str],
                Sequence[tuple[int, bytes, int, int, int, int]],
            ]
        ],
        *,
        overrides: str,
        result_bytes: int,
        seconds: float,
    ) -> bytes:
        """Trace calls one after the other, each upon what those before it left, as `Engine.replay` tells; a JSON list.

        A call: sender, to, data, value, gas limit, gas price, access list, parts, authorisations. The bounds are for
        all together.
        """

    def estimate_gas(
        self,
        *,
        sender: bytes,
        to: bytes | None,
        data: bytes,
        value: int,
        gas_limit: int | None,
        max_fee_per_gas: int | None,
        access_list: Sequence[tuple[bytes, Sequence[bytes]]],
        overrides: str,
        block_overrides: str = "",
        authorizations: Sequence[tuple[int, bytes, int, int, int, int]] = ...,
        blob_hashes: Sequence[bytes] = ...,
        max_fee_per_blob_gas: int = 0,
    ) -> int | Outcome:
        """Least gas limit that succeeds, data gas at the padded base fee included; an Outcome if none does."""

    def simulate(self, request: str, *, gas: int, result_bytes: int, seconds: float, changes_max: int = ...) -> bytes:
        """Simulate blocks of calls on top of this sealed one (`eth_simulateV1`); JSON both ways.

        Below the tip the tries are put back as they were, in memory, for the roots; they are zero where more than
        `changes_max` accounts, or slots of one, changed since.

        Raises:
            Invalid: The request or a call breaks a rule, or a bound is reached; `reason` says which.
        """

    def build_block(
        self, attributes: str, transactions: Sequence[Transaction], *, leaves_out: bool, changes_max: int = ...
    ) -> tuple[Block, list[bytes]]:
        """Make a block upon this sealed one as the chain makes it, and keep nothing; it and its requests (EIP-7685).

        `attributes`: JSON of PayloadAttributesV3, with `extraData`. On a chain of Bedroll what its rules decide is zero
        or as they have it. `leaves_out`: transactions that cannot be executed are left out.

        Raises:
            Invalid: The attributes or, unless those are left out, a transaction breaks a rule; with reason `limit`:
                more than `changes_max` values changed since.
        """

    def proof(
        self, address: bytes, slots: Sequence[int], *, changes_max: int = ...
    ) -> tuple[list[bytes], int, int, bytes, bytes, list[tuple[int, int, list[bytes]]]]:
        """Account proof, balance, nonce, code hash, storage hash, [(slot, value, proof)]. EIP-1186.

        Below the tip the tries are put back as they were, in memory, and the root is compared with the header's.

        Raises:
            Invalid: Inside an open block; with reason `limit`: more than `changes_max` values changed since.
        """

@final
class Sidecar:
    """What stands beside a transaction with blobs until it is in a block (EIP-4844, EIP-7594).

    Attributes:
        size_bytes: Of all that follows.
        blobs: In the order of the hashes that the transaction names.
        commitments: Of each blob its own.
        proofs: Of each blob its own, or from Osaka on those of its 128 cells.
    """

    size_bytes: int
    blobs: list[bytes]
    commitments: list[bytes]
    proofs: list[bytes]
    def verify(self) -> None:
        """Look whether the blobs are what the commitments say; milliseconds for each blob.

        Raises:
            Invalid: They are not.
        """

def decode_blob_transaction(raw: bytes, view: View, transaction_bytes: int) -> tuple[Transaction, Sidecar]:
    """Read a transaction of type 3 in the network form that the fork of the view's block has; proofs are not looked at.

    Raises:
        Invalid: It is in another form, is longer than `transaction_bytes` without its blobs, or breaks a rule.
    """

@final
class Mempool:
    """Transactions that wait for a block; `execution.mempool` says what each call means.

    Fees are given as base fee, L1 rate and the bytes that 21,000 gas pay for.
    """

    def __new__(
        cls,
        chain_id: int,
        *,
        size_bytes: int,
        count: int,
        account_count: int,
        nonce_gap: int,
        transaction_bytes: int,
        tip_min_wei: int,
    ) -> Mempool: ...
    def __len__(self) -> int: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def kept_bytes(self) -> int: ...
    def get(self, hash: bytes) -> Transaction | None: ...
    def kept(self, hash: bytes) -> Transaction | None: ...
    def sidecar(self, hash: bytes) -> Sidecar | None: ...
    def transactions(self) -> list[Transaction]: ...
    def all_kept(self) -> list[Transaction]: ...
    def check(self, transaction: Transaction, state: object) -> tuple[str, dict[str, object]] | None:
        """Why it would be refused, with facts, were there room."""

    def add(
        self,
        transaction: Transaction,
        state: object,
        base_fee: int,
        l1_rate: int,
        transfer_bytes: int,
        sidecar: Sidecar | None = None,
    ) -> list[Transaction] | tuple[str, dict[str, object]]:
        """What it replaced or evicted; or why it is refused, with facts. `state` has `nonce` and `balance`."""

    def take_ready(
        self, base_fee: int, l1_rate: int, transfer_bytes: int, gas_left: int, limit: int
    ) -> list[Transaction]: ...
    def executed(self, transaction: Transaction) -> None: ...
    def refused(self, transaction: Transaction) -> None: ...
    def wait(self, transaction: Transaction) -> None: ...
    def refresh(self) -> None: ...
    def reset(self, state: object, senders: Sequence[bytes] | None = None) -> list[Transaction]: ...
    def settle(self, block: Block) -> None:
        """The leader's transactions of a durable block need not be kept any more."""

    def forget_kept(self, hash: bytes) -> None: ...
    def next_nonce(self, sender: bytes, nonce: int) -> int: ...
    def count(self) -> tuple[int, int]: ...
    def account(self, sender: bytes) -> tuple[list[Transaction], list[Transaction]]: ...
    def senders(self, first: bytes, count: int) -> list[bytes]: ...

@final
class TransactionList:
    """Transactions that become Python's only where they are looked at."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Transaction: ...
    def __iter__(self) -> Iterator[Transaction]: ...
    def raws(self) -> list[bytes]:
        """EIP-2718 bytes of each."""

@final
class Desk:
    """Answers to the calls that are asked most, byte for byte the dispatcher's; `execution.desk` says more."""

    def __new__(cls, engine: Engine, mempool: Mempool | None) -> Desk: ...
    def serve(
        self,
        *,
        chain_id: int,
        client_version: str,
        body_bytes: int,
        batch_calls: int,
        response_bytes: int,
        call_gas: int,
        left_out: Sequence[str],
    ) -> None:
        """Say what is served: until then every body is others' to answer."""

    def refresh(self, base_fee: int, l1_rate: int, transfer_bytes: int) -> None:
        """Look at the open block anew."""

    def answer(
        self, bodies: Sequence[bytes], latest: int, safe: int, finalized: int, sends: bool
    ) -> tuple[list[tuple[bytes, dict[str, int], dict[str, int]] | None], TransactionList, list[int]]:
        """(answer, answered, refused) of each body, None for others to answer; what the mempool took, and from whom."""

    def execute(
        self, base_fee: int, l1_rate: int, transfer_bytes: int, limit: int, batch_gas_left: int
    ) -> tuple[TransactionList, int, bool, bool, list[tuple[bytes, str]]]:
        """Execute what is ready: now in the block, their batch gas, whether any was tried, is full, refused."""

@final
class LogEnd:
    """The end of a record log to which the interpreter and a lane append; `storage.record_log` says more."""

    def __new__(cls, descriptor: int, size_bytes: int) -> LogEnd: ...
    @property
    def size_bytes(self) -> int: ...
    def append(self, records: Sequence[bytes], *, sync: bool) -> None:
        """Write records with one call.

        Raises:
            OSError: The disk is full or broken; the log is as before.
        """

    def replace(self, descriptor: int, size_bytes: int, aside: Path, path: Path, start: int) -> None:
        """Put the file `aside` in the log's place, durably, with what the log got behind `start` meanwhile.

        Raises:
            OSError: The disk is full or broken; the log is as before.
        """

@final
class Lane:
    """A thread that answers plain requests of connections that are lent to it; `api.port` says more."""

    def __new__(cls, desk: Desk, log: LogEnd | None, bell: int, idle_seconds: float) -> Lane: ...
    def announce(self, latest: int, safe: int, finalized: int, sends: bool) -> None:
        """Say which blocks there are, and whether transactions are taken."""

    def take(self, token: int, descriptor: int, client: str) -> None: ...
    def drop(self, token: int) -> None: ...
    def shut(self, client: str) -> None: ...
    def collect(self, gathers: bool) -> tuple[list[tuple[int, bytes, bytes, bool, bool]], TransactionList]: ...
    def count(self) -> tuple[list[tuple[str, dict[str, int], dict[str, int]]], float]: ...
    def stop(self) -> None: ...

@final
class Engine:
    """The L2 chain of one node: blocks, state, the queue of forced messages. One writer, many views."""

    @staticmethod
    def open(path: str, genesis: str, *, map_size_bytes: int = ..., sync: bool = True) -> Engine:
        """Open or make the store at `path`. `genesis` is the JSON of `execution.genesis`.

        Raises:
            Misconfigured: The store was made with another genesis.
            Corrupt: The store cannot be read.
            Unavailable: Another process holds it.
        """

    def close(self) -> None: ...
    def tip(self) -> Header: ...
    def header(self, height: int) -> Header | None: ...
    def block(self, height: int) -> Block | None: ...
    def height_of(self, block_hash: bytes) -> int | None: ...
    def find_transaction(self, hash: bytes) -> tuple[int, int] | None:
        """(height, index in the block) of an included transaction."""

    def logs(
        self, first: int, last: int, addresses: Sequence[bytes], topics: Sequence[Sequence[bytes]], limit: int
    ) -> list[tuple[int, int, int, Log, bytes, bytes, int]]:
        """(height, transaction index, log index in the block, log, transaction hash, block hash, timestamp) in order.

        Args:
            first: Block.
            last: Block.
            addresses: Emitters, one of which wrote it; none given: any.
            topics: For each position the topics of which it has one; none given: any.
            limit: More are refused.

        Raises:
            Invalid: With reason `limit`: more match.
        """

    def logs_json(
        self,
        first: int,
        last: int,
        addresses: Sequence[bytes],
        topics: Sequence[Sequence[bytes]],
        limit: int,
        *,
        result_bytes: int,
    ) -> bytes:
        """The same as the JSON array that `eth_getLogs` gives. Invalid with reason `size`: it would be longer."""

    def transaction(self, height: int, index: int) -> tuple[Transaction, Receipt] | None:
        """A transaction of a sealed block and what it did, without reading the others."""

    def appearances(
        self, address: bytes, *, before: int | None = None, after: int | None = None, limit: int
    ) -> tuple[list[tuple[int, int, int]], bool]:
        """Transactions in which an address appears: [(height, index, roles)], and whether there are more.

        With `before`, of blocks below it, the newest first; else of blocks above `after`, the oldest first. Whole
        blocks, until there are `limit`. Roles are bits: 1 it signed, 2 it is the recipient, 4 a contract was made
        there, 8 only what ran inside touched it.
        """

    def transaction_by_nonce(self, sender: bytes, nonce: int) -> tuple[int, int] | None:
        """(height, index) of the transaction that an account signed with a nonce."""

    def creation_of(self, address: bytes) -> tuple[int, int, bytes | None] | None:
        """(height, index, signer) of the newest transaction that made a contract at an address.

        The signer is None where not the transaction itself but something that ran inside it made the contract; a
        trace of the transaction tells what.
        """

    def view(self, height: int | None = None) -> View:
        """State as of a sealed block (None: the tip). Invalid below the oldest kept height."""

    def pending(self) -> View:
        """State inside the open block, or the tip's if none is open."""

    def next_base_fee(self, l1_rate: int | None = None) -> int:
        """Base fee of the block after the tip; `l1_rate` if that block takes a new origin."""

    def blob_fees(self, height: int) -> tuple[int, int, float] | None:
        """Wei a blob gas in a sealed block and in the one after it, and the share of the room for blobs that is used.

        None where there are no blobs; the price after it is that under the block's own rules.
        """

    def schedule(
        self,
    ) -> tuple[list[tuple[str, int | None, int | None]], list[tuple[int, int, int, int]], bytes | None] | None:
        """Forks of a chain of Ethereum's own (name, height, time), and the rest; None: the chain is Bedroll's.

        The rest: blobs (from when, target, most, update fraction), the deposit contract.
        """

    def begin(self, timestamp: int, origin: Origin | None = None, *, automatic: bool = False) -> None:
        """Open a block on the tip: L1-info call if `origin` is given, then its forced part.

        Raises:
            Invalid: Timestamp or origin breaks protocol.md 4.2.
        """

    def add(self, raw: bytes) -> Receipt:
        """Execute one signed transaction in the open block. On Invalid the block is unchanged."""

    def add_many(self, raws: Sequence[bytes | Transaction]) -> list[Receipt | str]:
        """The same in order, senders recovered on all cores; a string says why one was left out.

        A decoded transaction knows its sender: nothing is recovered again.
        """

    def gas_left(self) -> int: ...
    def abandon(self) -> None:
        """Forget the open block."""

    def seal(self) -> Block:
        """Close the open block: hooks, state root, header. It is the tip from now on, not yet durable."""

    def execution_witness(self, height: int, *, changes_max: int, result_bytes: int, seconds: float) -> bytes:
        """Execute a block again upon its parent's tries; what it read of them as JSON: state, codes, keys, headers.

        Raises:
            Invalid: No such block, its parent's state is not kept, more than `changes_max` accounts changed since, or a
                bound is reached.
        """

    def import_block(self, raw: bytes) -> Block:
        """Execute a block of Ethereum's own (RLP) upon the tip and make it the tip; its work is taken as given.

        Raises:
            Invalid: The chain is not of profile `ethereum`, or the block breaks a rule.
        """

    def commit(self) -> None:
        """Make every sealed block durable, in one write."""

    def rules_digest(self) -> bytes:
        """Digest of this chain's rules, as statements name it."""

    def facts_digest(self, height: int) -> bytes:
        """Digest of what the header of a sealed block does not say."""

    def sign_block(self, height: int, signatures: Sequence[bytes | None]) -> int:
        """Keep signatures (`Transaction.signatures`) of a block's own transactions, one or None each; counts new ones.

        From then on a transaction is found by its Ethereum hash, and still by what stood in for it.

        Raises:
            Invalid: There is no such block, another count, or one is another's; nothing was kept then.
        """

    def durable_height(self) -> int: ...
    def unwind_to(self, height: int) -> None:
        """Make `height` the tip again; later blocks and the open one are gone. Invalid below the oldest kept height."""

    def oldest_state(self) -> int:
        """Lowest height whose state can be viewed or unwound to."""

    def prune(self, keep_from: int) -> None:
        """Drop reverse diffs of blocks at or below `keep_from`."""

    def trace(
        self,
        height: int,
        index: int | None,
        options: str,
        *,
        result_bytes: int,
        seconds: float,
        script_command: Sequence[str] = ...,
    ) -> bytes:
        """Run a sealed block's transaction again as it ran there, or all of them (None), with one of geth's tracers.

        Args:
            height: Of the block.
            index: Of the transaction.
            options: JSON as of geth's `debug_traceTransaction`; `{}`: the struct logger.
            result_bytes: Longest answer; four times as much may be held while it is made.
            seconds: Longest time.
            script_command: Starts a process that calls `serve_scripts`, for tracers in JavaScript; the seconds of
                processor time that it may take are added. None: such tracers are refused.

        Returns:
            JSON: the trace, or for a block a list of `{txHash, result}`.

        Raises:
            Invalid: No such block or transaction; with reason `limit` beyond a bound, `tracer` for bad options.
        """

    def replay(
        self, height: int, index: int | None, parts: Sequence[str], *, result_bytes: int, seconds: float
    ) -> bytes:
        """The same as Parity's `trace_replay…` tells it. `parts`: of `trace`, `vmTrace`, `stateDiff`."""

    def flat_traces(self, height: int, index: int | None, *, result_bytes: int, seconds: float) -> bytes:
        """The same as Parity's `trace_transaction` and `trace_block` tell it: a list of calls."""

    def filter_traces(
        self,
        first: int,
        last: int,
        *,
        senders: Sequence[bytes],
        recipients: Sequence[bytes],
        both: bool,
        after: int,
        count: int | None,
        result_bytes: int,
        seconds: float,
    ) -> bytes:
        """Calls of a range of blocks by who calls and who is called; none given: anyone."""

    def forced_pending(self) -> list[tuple[int, bytes, bytes]]:
        """(index, id, payload) of messages that wait in the queue."""

# --- chain folders -------------------------------------------------------------------------------

@final
class ChainStore:
    """A chain's folder without its engine: checked, cut back, carried elsewhere. Long work comes in parts."""

    @staticmethod
    def open(path: str) -> ChainStore:
        """Open the store of a chain, whichever it is; an earlier schema is brought to this one.

        Raises:
            Unavailable: There is none, or another process holds it.
            Corrupt: It cannot be read.
        """

    def close(self) -> None: ...
    def genesis(self) -> bytes:
        """Hash of the genesis that the chain was made with."""

    def facts(self) -> tuple[int, bytes, int, list[tuple[str, int]]]:
        """Newest height, its hash, oldest height whose state is kept, rows of each table."""

    def prune(self, keep_from: int) -> None:
        """Drop reverse diffs of blocks at or below `keep_from`. Invalid above the tip."""

    def unwind_to(self, height: int) -> None:
        """Make `height` the tip again, durably. Invalid above the tip or below the oldest kept state."""

    def check_blocks(self, first: int, last: int) -> None:
        """Compare blocks with their hashes, links and roots, and with what is found by hash."""

    def check_tries(self, part: int) -> None:
        """Check every node of one of 256 parts of the state by its hash."""

    def check_flat(self, after: bytes | None, count: int) -> bytes | None:
        """Read the next flat values; where to go on, None at the end."""

    def check_postings(self, first: int) -> int | None:
        """Compare postings from a height on with the blocks; where to go on, None at the end."""

    def check_past(self, height: int) -> None:
        """Put an earlier state back in memory and compare its root."""

    def check_end(self) -> list[str]:
        """Compare what all parts counted; everything that is wrong, in words, at most 100."""

    def problems(self) -> list[str]:
        """What is wrong so far."""

    def accounts(self, after: bytes | None, count: int) -> list[tuple[bytes, int, int, bytes, list[tuple[int, int]]]]:
        """Accounts after an address: (address, nonce, balance, code, [(slot, value)])."""

    def secret(self) -> bytes:
        """16 bytes that the postings were made with."""

    def chunk(self, after: bytes | None = None) -> tuple[bytes, bytes | None]:
        """Rows of blocks and newest state that come after a key, and where to go on; None: that was all."""

@final
class ChainImport:
    """A folder that is being filled with chunks; no chain before `finish`."""

    @staticmethod
    def begin(
        path: str, genesis: bytes, secret: bytes, height: int, block_hash: bytes, address_book: bytes
    ) -> ChainImport:
        """Begin in an empty folder. `height` and `block_hash` are of the newest block.

        Accounts whose slots in the AddressBook came before them are marked, so that a block need not look for these.
        """

    def put_chunk(self, chunk: bytes) -> int:
        """Take rows in; how many. Corrupt: they are malformed."""

    def index_blocks(self, count: int) -> int | None:
        """Check the next blocks and index them; the next height, None where all are done."""

    def build_tries(self) -> int | None:
        """Put the next values into the tries; slots so far, None where all are done."""

    def finish(self) -> None:
        """Compare the state's root with the newest header's; make it a chain's folder, on the disk."""

    def close(self) -> None: ...

# --- hashing -------------------------------------------------------------------------------------

def keccak256(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it, 32 bytes."""

# --- data on Bitcoin -----------------------------------------------------------------------------

@final
class RelevantTransaction:
    """A transaction whose wtxid begins with the tag, with every object its inputs carry.

    Attributes:
        index: Position in the block.
        txid, wtxid: 32 bytes, internal order.
        fee_paid: Sum of its outputs to the fee script, satoshi.
        objects: (input index, object bytes or None, reason) of each input that spends by a tapscript leaf: None with
            the reason where the leaf is no envelope.
    """

    index: int
    txid: bytes
    wtxid: bytes
    fee_paid: int
    objects: list[tuple[int, bytes | None, str]]

@final
class BlockScan:
    """What derivation needs of one L1 block.

    Attributes:
        hash: 32 bytes, internal order.
        header: 80 bytes.
        time: Of the header, seconds.
        witness_root: Under the witness commitment; zero where there is none (then nothing is relevant).
        coinbase_value: Sum of the coinbase's outputs, satoshi.
        transaction_count: Transactions in the block.
        ambiguous: Positions of 64-byte transactions: a proof could pass one off as an inner node (CVE-2017-12842).
        relevant: In block order.
    """

    hash: bytes
    header: bytes
    previous: bytes
    time: int
    witness_root: bytes
    coinbase_value: int
    transaction_count: int
    ambiguous: list[int]
    relevant: list[RelevantTransaction]

def scan_block(raw: bytes, tag: bytes) -> BlockScan:
    """Parse a serialised L1 block and find its relevant transactions (protocol.md 3).

    Raises:
        Invalid: Not a block, or its transactions do not hash to its header.
    """

def parse_envelope(script: bytes) -> bytes:
    """Body of the envelope that a leaf script is.

    Raises:
        Invalid: The script breaks the grammar.
    """

def parse_object(raw: bytes) -> tuple[object, ...]:
    """The number of an object's kind, then its fields in wire order.

    A batch's are: its header's fields as one tuple, key, signature, body.

    Raises:
        Invalid: The bytes are no object.
    """

def encode_batch_header(
    network: int,
    parent_l2_hash: bytes,
    first_height: int,
    block_count: int,
    first_origin: int,
    last_origin: int,
    tip_l2_hash: bytes,
    body_hash: bytes,
    form: int,
) -> tuple[bytes, bytes]:
    """A batch's header and the hash that is signed; Invalid, as every `encode_…`, for what `parse_object` refuses."""

def encode_batch_object(header: bytes, leader_key: bytes, signature: bytes, body: bytes) -> bytes: ...
def encode_commitment_object(
    parent_tip: bytes, new_tip: bytes, block_count: int, last_origin: int, anchor_hash: bytes, signature: bytes
) -> tuple[bytes, bytes]:
    """The object and the hash that is signed; so below."""

def encode_forced_object(network: int, payload: bytes) -> bytes: ...
def encode_proof_object(statement: int, system: int, public_values: bytes, proof: bytes) -> bytes: ...
def encode_rotate_object(network: int, n: int, key: bytes, signature: bytes) -> tuple[bytes, bytes]: ...
def encode_upgrade_object(
    network: int, n: int, rules: bytes, activation_height: int, rotation_signature: bytes, upgrade_signature: bytes
) -> tuple[bytes, bytes]: ...
def encode_chunk_object(root: bytes, index: int, count: int, path: list[bytes], content: bytes) -> bytes: ...
def chunk_paths(chunks: list[bytes]) -> tuple[bytes, list[list[bytes]]]:
    """Root of a series of parts, and the path of each.

    Raises:
        Invalid: Not 2 to 16 parts, or one is empty.
    """

def l1_rate(fees: Sequence[int], previous: int | None) -> int:
    """L1 rate r of an origin, wei a witness byte (protocol.md 6).

    Args:
        fees: max(0, coinbase outputs − subsidy) of the newest min(144, …) origins, this one last, satoshi.
        previous: Rate of the origin before; None for the first.
    """

@final
class DecodedBatch:
    """A batch body, decoded and inside its limits, before execution.

    Attributes:
        form: 0 with signatures, 1 without.
        blocks: (timestamp, origin step, count of transactions) of each block.
        gas_limit: Sum of min(gas limit, 2^24) of the transactions: no less than their EVM gas limits.
        expanded_size: Bytes once decoded, by the codec's count.
    """

    form: int
    blocks: list[tuple[int, bool, int]]
    gas_limit: int
    expanded_size: int
    def transactions(self, index: int, base_fees: Sequence[int]) -> list[bytes]:
        """Transactions of one block: EIP-2718, or without signatures `0x7f ‖ sender ‖ unsigned payload`.

        Args:
            index: Of the block, from 0.
            base_fees: Base fee of this block and of up to 10 before it, newest first.

        Raises:
            Invalid: There is no such block, or a fee refers to a base fee that is not given.
        """

    def attested(self, index: int, base_fees: Sequence[int]) -> list[Transaction]:
        """The same of a body without signatures, each with the sender that the body names: on a proof's word only.

        Raises:
            Invalid: As `transactions`, or the body holds signatures.
        """

def encode_batch(engine: Engine, first: int, last: int, *, form: int = 0) -> bytes:
    """Body for the blocks `first` to `last` of the engine's chain, with signatures or (form 1) without.

    Raises:
        Invalid: No such blocks, the state before them is not kept, or they are beyond a limit of batches.
    """

def decode_batch(engine: Engine, parent: int, block_count: int, body: bytes, *, form: int = 0) -> DecodedBatch:
    """Decode a body that follows block `parent`.

    Raises:
        Invalid: Not an encoding of any blocks, or beyond a limit.
    """

def block_zero(genesis: str) -> list[bytes]:
    """RLP of block 0's header, digest of its facts, digest of the rules (32 bytes each), from genesis alone.

    Raises:
        Misconfigured: It is no genesis.
    """

def settlement_parameters(
    *,
    network: int,
    rules: bytes,
    tag: bytes,
    numbers: list[int],
    proof_systems: bytes,
    circuit: bytes,
    keys: tuple[bytes, bytes, bytes],
    work: tuple[int, bool, bool, bool],
    anchor: tuple[int, bytes, list[int], int, int, int, int],
    genesis_header: bytes,
    genesis_facts: bytes,
) -> bytes:
    """RLP of what two runs of the settlement program must agree on (docs/spec/settlement.md#parameters).

    Args:
        network: Its number.
        rules: Digest of the network's rules.
        tag: Prefix of the wtxid of a relevant transaction.
        numbers: The seventeen of the table, in its order.
        proof_systems: Systems whose proofs count, a byte each.
        circuit: Verification key of the Groth16 circuit, as gnark writes it.
        keys: Leader's, rotation and upgrade key, x-only.
        work: Easiest target, compact; whether it is allowed after a pause; whether it never changes; BIP-0094.
        anchor: Height, hash, times, target, time and target of its period's first block, regular target.
        genesis_header: RLP of block 0's header.
        genesis_facts: Digest of what it does not say.
    """

def settlement_genesis(parameters: bytes) -> bytes:
    """RLP of the settlement program's state at the anchor.

    Raises:
        Invalid: They are no parameters.
    """

def settlement_block(raw: bytes, tag: bytes) -> bytes:
    """RLP of what matters of a serialised L1 block.

    Raises:
        Invalid: It is no block, or not what its header commits to.
    """

def settlement_input(
    *,
    parameters: bytes,
    batch_key: bytes,
    settlement_key: bytes,
    previous: bytes,
    state: bytes,
    blocks: list[bytes],
    verdicts: list[bytes],
    headers: list[bytes],
) -> bytes:
    """RLP of all that the settlement program reads; see `bedroll.light.Settlement`.

    Raises:
        Invalid: A part is not what it is called.
    """

def run_settlement(
    input: bytes, proved: list[tuple[bytes, bytes]], shown: list[tuple[bytes, bytes, bytes]]
) -> tuple[bytes, bytes]:
    """Run the settlement program: its statement, and RLP of the state that the next run is given.

    Args:
        input: From `settlement_input`.
        proved: (verification key, statement) of what may be taken for proved.
        shown: (verification key, statement, proof) of posted proofs that are valid.

    Raises:
        Invalid: It does not hold together; nothing is said.
    """

class Settled:
    """What a settlement statement says (docs/spec/settlement.md#statement)."""

    @staticmethod
    def decode(encoded: bytes) -> Settled:
        """Read a statement.

        Raises:
            Invalid: The bytes are none.
        """
    @property
    def network(self) -> int: ...
    @property
    def parameters(self) -> bytes: ...
    @property
    def batch_key(self) -> bytes: ...
    @property
    def settlement_key(self) -> bytes: ...
    @property
    def l1_hash(self) -> bytes: ...
    @property
    def l1_height(self) -> int: ...
    @property
    def l1_work(self) -> int: ...
    @property
    def tip(self) -> bytes: ...
    @property
    def height(self) -> int: ...
    @property
    def state_root(self) -> bytes: ...
    @property
    def origin_height(self) -> int: ...
    @property
    def queue(self) -> tuple[int, int]: ...
    @property
    def state(self) -> bytes: ...

def program_input(
    engine: Engine,
    origins: Sequence[Origin],
    *,
    header: bytes | None = None,
    body: bytes | None = None,
    signatures: bytes | None = None,
    parent: int | None = None,
    changes_max: int = ...,
) -> tuple[bytes, bytes]:
    """Run the proved program upon a block, changing nothing: its input, witness included, and its statement.

    Args:
        engine: Stands at the parent or above it.
        origins: That the blocks take in, in order.
        header: The 118 bytes of a batch's header; without it the blocks are automatic ones.
        body: Of the batch.
        signatures: What a body of the proven form leaves out: `Transaction.signatures` of its transactions, joined.
        parent: Height of the parent; without it the tip.
        changes_max: Accounts that may have changed since the parent.

    Raises:
        Invalid: The batch is not one upon the parent with these origins, a signature is missing or another's, or the
            parent's state is not kept.
    """

def run_program(input: bytes) -> bytes:
    """Run the proved program from its input alone: the bytes of its statement.

    Raises:
        Invalid: The input does not hold together, so that nothing can be said.
    """

@final
class Statement:
    """Public values of the proved program (docs/spec/proof.md).

    Attributes:
        network: Number of the network.
        rules: Digest of its rules.
        header_id: Signing hash of the batch's header; zeros for an automatic range.
        parent: Hash of the block before.
        parent_facts: Digest of what its header does not say.
        l1: Digest of the origins that are taken in.
        queue_before, queue_after: Forced messages taken in and ended.
        tip: Hash of the last block; None where the batch was rejected.
        rejection: Number of the kind of rule that it breaks, or None.
    """

    @staticmethod
    def decode(encoded: bytes) -> Statement:
        """Raises Invalid: it is no statement."""
    @property
    def network(self) -> int: ...
    @property
    def rules(self) -> bytes: ...
    @property
    def header_id(self) -> bytes: ...
    @property
    def parent(self) -> bytes: ...
    @property
    def parent_facts(self) -> bytes: ...
    @property
    def l1(self) -> bytes: ...
    @property
    def queue_before(self) -> tuple[int, int]: ...
    @property
    def queue_after(self) -> tuple[int, int]: ...
    @property
    def tip(self) -> bytes | None: ...
    @property
    def rejection(self) -> int | None: ...

@final
class ChainTable:
    """What the codec asks of the chain, as a table: for tests and for reading batches beside the chain.

    `book` is the AddressBook's addresses, joined; accounts that `nonces` lacks have nonce 0.
    """

    def __new__(
        cls, *, chain_id: int, parent_timestamp: int, book: bytes, nonces: Sequence[tuple[bytes, int]]
    ) -> ChainTable: ...

def encode_body(
    chain: ChainTable,
    blocks: Sequence[tuple[int, bool, Sequence[int], Sequence[tuple[bytes, bytes]]]],
    *,
    form: int = 0,
) -> bytes:
    """Body for blocks beside the chain: (timestamp, origin step, base fees newest first, [(sender, raw)])."""

def decode_body(chain: ChainTable, block_count: int, body: bytes, *, form: int = 0) -> DecodedBatch:
    """Decode a body beside the chain. Raises Invalid as `decode_batch`."""

# --- riscv -------------------------------------------------------------------------------------

@final
class RiscvProgram:
    """A program of an ELF file, checked.

    An outcome is a tuple (kind, step, value, trap, asked): "halted" (first halted step, a0), "trapped" (the step that
    there is not, program counter, why, what it asked for), "running" (the limit).

    Attributes:
        entry: Address of the first instruction.
        input_size: Bytes of input that it takes.
    """

    @property
    def entry(self) -> int: ...
    @property
    def input_size(self) -> int: ...
    def __new__(cls, raw: bytes) -> RiscvProgram:
        """Parse. Raises Invalid with `value` and `limit` for the first rule that the file breaks."""

    def sections(self) -> list[tuple[str, str, int, int, list[int] | None]]:
        """By address: (name, kind, start, size in bytes, declared words or None)."""

    def run(self, input: bytes, limit: int) -> tuple[str, int, int, str, int]:
        """Outcome of at most `limit` steps. Raises Invalid where the input has another length."""

    def profile(
        self, input: bytes, limit: int
    ) -> tuple[tuple[str, int, int, str, int], list[tuple[int, str, int]], int, int, list[tuple[int, int, int, int]]]:
        """Outcome, (address, mnemonic, steps) of each instruction that ran, words touched, bytes of stack used, calls.

        Calls are a tree, callers first: (caller's place, address, calls, steps without those of the functions called).
        """

    def dependence(self, input: bytes, limit: int) -> tuple[tuple[str, int, int, str, int], list[tuple[int, str, int]]]:
        """Outcome and (address, mnemonic, steps) of each instruction at which the input decided what comes next."""

@final
class RiscvTrace:
    """A run of 2^T steps that answers for any of them.

    Attributes:
        exponent: T.
        last_step: 2^T, less where the run trapped.
    """

    @property
    def exponent(self) -> int: ...
    @property
    def last_step(self) -> int: ...
    def __new__(cls, program: RiscvProgram, input: bytes, *, instance_id: bytes, exponent: int) -> RiscvTrace:
        """Run and record: one hash a step. Raises Invalid for lengths and a T out of range."""

    def outcome(self) -> tuple[str, int, int, str, int]:
        """How the run ended."""

    def hash_at(self, step: int) -> bytes:
        """H after `step` steps, 20 bytes. Raises Invalid where the run has no such step."""

    def row_at(self, step: int) -> tuple[int, list[tuple[int, int, int]], tuple[int, int], tuple[int, int], int, int]:
        """(step, three reads (addr, value, last_step), (pc, opcode), (addr, value) written, next pc, witness).

        Raises:
            Invalid: The run has no such step.
        """

def serve_scripts() -> None:
    """Run tracers in JavaScript for the node at standard input and output, until it hangs up."""

def riscv_mnemonic(word: int) -> str:
    """Mnemonic of an instruction word; "illegal" where it is none."""

def riscv_symbols(raw: bytes) -> list[tuple[str, int, int]]:
    """Functions that an ELF file names, by address: (name, start, size)."""
