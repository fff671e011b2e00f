"""Bitcoin Core's own validation in this process, through `py-bitcoinkernel`.

Reads: serialised blocks and transactions.  Gives: verdicts with Bitcoin Core's reasons, the chain, stored blocks.
Never: trusts the return value of `process_block`, or hands the library arguments on which it would abort the process.
Spec: docs/spec/bitcoin.md#client

One thread uses a `Kernel`; the C code releases the interpreter lock while it works.
"""

import ctypes
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pbk
import pbk.capi.bindings as capi
from pbk.script import PrecomputedTransactionData

from bedroll.primitives import BlockHash, Corrupt, Invalid, L1Height, Misconfigured

from ..block import BLOCK_SIZE_MAX
from ..client import RejectedBlock
from ..transaction import Transaction, TxOut

_VERDICT_MARK: Final = "BlockChecked: block hash="
"""Begins the library's log line that says what it found; none of its calls returns the reason."""


class Kernel:
    """A regtest chain under one folder, locked against every other process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._verdicts: dict[bytes, bool] = {}
        self._callbacks = pbk.ValidationInterfaceCallbacks(block_checked=self._note_verdict)
        self._manager: pbk.ChainstateManager | None = None
        self.open()

    def open(self) -> None:
        """Lock the folder and load the chain.

        Raises:
            Misconfigured: The folder is in use or cannot be read.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        log = _ThreadLog.begin()
        try:
            self._manager = pbk.load_chainman(self._folder, pbk.ChainType.REGTEST, self._callbacks)
        except RuntimeError as failure:
            raise Misconfigured(
                "the embedded Bitcoin chain cannot be opened",
                option="bitcoin.data",
                value=str(self._folder),
                allowed="a folder that no other process uses",
                reason="; ".join(line.removeprefix("[error] ").strip() for line in log.lines),
            ) from failure
        self._chain = self._manager.get_active_chain()

    def close(self) -> None:
        """Let go. This is also the only way to make the library write its state."""
        if self._manager is None:
            return
        del self._chain
        manager, self._manager = self._manager, None
        # The library frees and flushes in the object's destructor, so no other reference may live on.
        manager.__exit__(None, None, None)

    @property
    def manager(self) -> pbk.ChainstateManager:
        """The library's object; views taken from it must not outlive `close`."""
        if self._manager is None:
            raise Corrupt("the embedded Bitcoin chain is used after it was closed", folder=str(self._folder))
        return self._manager

    def tip(self) -> tuple[L1Height, BlockHash]:
        """Height and hash of the active chain's last block."""
        height = self._chain.height
        return L1Height(height), BlockHash(bytes(self._chain.block_tree_entries[height].block_hash))

    def hash_at(self, height: int) -> BlockHash | None:
        """Hash at a height of the active chain; None outside it."""
        if not 0 <= height <= self._chain.height:
            return None
        return BlockHash(bytes(self._chain.block_tree_entries[height].block_hash))

    def header(self, block: bytes) -> tuple[bytes, L1Height]:
        """Header and height of any known block.

        Raises:
            Invalid: It is unknown.
        """
        entry = self._entry(block)
        return bytes(entry.block_header), L1Height(entry.height)

    def knows(self, block: bytes) -> bool:
        """Whether the block is in the tree, valid or not."""
        return len(block) == 32 and pbk.BlockHash(block) in self.manager.block_tree_entries

    def read(self, block: bytes) -> bytes:
        """Serialised block from the library's files.

        Raises:
            Invalid: It is unknown.
        """
        entry = self._entry(block)
        try:
            # Never `entry in manager.blocks`: that reads the block and leaks it.
            return bytes(self.manager.blocks[entry])
        except RuntimeError as failure:
            raise Invalid("block is known by its header only", block=block) from failure

    def submit(self, raw: bytes) -> bool:
        """Validate a block and, if its chain has most work, make it the tip.

        Returns:
            Whether it was new.

        Raises:
            RejectedBlock: It, or a block between it and the active chain, breaks a rule.
        """
        block = _load_block(raw)
        block_hash = bytes(block.block_hash)
        self._verdicts.clear()
        log = _ThreadLog.begin()
        try:
            new = self.manager.process_block(block)
        except pbk.ProcessBlockException as failure:
            raise log.rejection(block_hash) from failure
        # True only says that the block was stored; what connecting it found arrives by callback.
        if not all(self._verdicts.values()):
            raise log.rejection(block_hash)
        return new

    def find_bad_input(self, transaction: Transaction, spent: Sequence[TxOut]) -> int | None:
        """Check a loose transaction's scripts by consensus rules.

        Args:
            transaction: Any.
            spent: The outputs it spends, in the order of its inputs.

        Returns:
            Position of the first input whose script fails; None where all pass.
        """
        if len(spent) != len(transaction.inputs):
            raise Invalid("spent outputs do not match the inputs", spent=len(spent), inputs=len(transaction.inputs))
        raw = transaction.raw
        handle = capi.btck_transaction_create(_buffer(raw), len(raw))
        if not handle:
            raise Invalid("transaction does not parse", size=len(raw))
        loaded = pbk.Transaction._from_handle(handle)
        outputs = [pbk.TransactionOutput(pbk.ScriptPubkey(each.script), each.value) for each in spent]
        shared = PrecomputedTransactionData(loaded, outputs)
        for position, (output, each) in enumerate(zip(outputs, spent, strict=True)):
            flags = pbk.ScriptVerificationFlags.ALL
            if not output.script_pubkey.verify(each.value, loaded, shared, position, flags):
                return position
        return None

    def _entry(self, block: bytes) -> pbk.BlockTreeEntry:
        if len(block) != 32:
            raise Invalid("block hash is not 32 bytes", size=len(block))
        try:
            return self.manager.block_tree_entries[pbk.BlockHash(block)]
        except KeyError as failure:
            raise Invalid("unknown block", block=block) from failure

    def _note_verdict(self, _: object, block: pbk.Block, state: pbk.BlockValidationState) -> None:
        # Runs inside validation, and an exception here would be swallowed: only take down the result.
        self._verdicts[bytes(block.block_hash)] = state.validation_mode == pbk.ValidationMode.VALID


class _ThreadLog(threading.local):
    """The library's log lines of one call on this thread. The library has one log for the whole process."""

    lines: list[str]

    @classmethod
    def begin(cls) -> "_ThreadLog":
        """Start to collect for the call that follows."""
        _connect_log()
        _LOG.lines = []
        return _LOG

    def rejection(self, block: bytes) -> RejectedBlock:
        """The refusal that the lines tell of."""
        states = [line.rsplit(" state=", 1)[1].strip() for line in self.lines if _VERDICT_MARK in line]
        reason, _, detail = next((state for state in states if state != "Valid"), "rejected").partition(", ")
        return RejectedBlock("block refused", reason=reason, detail=detail, block=block)


_LOG: Final = _ThreadLog()
_LINES_MAX: Final = 1_000
"""A reorganisation writes a line a block; the first refusal is among the first lines."""
_CONNECT_LOCK: Final = threading.Lock()
_connection: list[pbk.LoggingConnection] = []


def _connect_log() -> None:
    with _CONNECT_LOCK:
        if _connection:
            return
        pbk.logging_set_options(pbk.LoggingOptions(log_timestamps=False))
        # Without the category, the library does not say why a block is refused.
        pbk.set_log_level_category(pbk.LogCategory.VALIDATION, pbk.LogLevel.DEBUG)
        pbk.enable_log_category(pbk.LogCategory.VALIDATION)
        _connection.append(pbk.LoggingConnection(_note_line))


def _note_line(line: str) -> None:
    lines = _LOG.__dict__.get("lines")
    if lines is not None and len(lines) < _LINES_MAX and (_VERDICT_MARK in line or "[error]" in line):
        lines.append(line)


def _buffer(raw: bytes) -> ctypes.Array[ctypes.c_ubyte]:
    return (ctypes.c_ubyte * len(raw)).from_buffer_copy(raw)


def _load_block(raw: bytes) -> pbk.Block:
    # The library's own constructor unpacks byte by byte: 36 ms for 390 kB instead of 0.4 ms.
    if len(raw) > BLOCK_SIZE_MAX:
        raise Invalid("block is too long", size=len(raw), limit=BLOCK_SIZE_MAX)
    handle = capi.btck_block_create(_buffer(raw), len(raw))
    if not handle:
        raise Invalid("block does not parse", size=len(raw))
    return pbk.Block._from_handle(handle)
