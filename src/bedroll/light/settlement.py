"""The settlement program's input, step by step, and the program itself.

Reads: L1 blocks, statements of the batch program.  Gives: `SettlementStep`s.
Never: asks for a proof (whoever proves does).  Spec: docs/spec/settlement.md
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bedroll._core import _native
from bedroll.execution.genesis import L1_RATE_FIRST, Genesis
from bedroll.protocol import Network

from .anchor import AnchorFacts

_HALVING_BLOCKS: Final = {"regtest": 150}
_HALVING_BLOCKS_DEFAULT: Final = 210_000
LIMIT_BITS: Final = {"main": 0x1D00FFFF, "testnet4": 0x1D00FFFF, "regtest": 0x207FFFFF}
"""Easiest target of each Bitcoin network, compact (Bitcoin Core, `chainparams.cpp`)."""


@dataclass(frozen=True, slots=True)
class BlockZero:
    """Where L2 begins.

    Attributes:
        header: RLP of block 0's header.
        facts: Digest of what its header does not say, 32 bytes.
        rules: Digest of the network's rules, 32 bytes.
    """

    header: bytes
    facts: bytes
    rules: bytes

    @classmethod
    def of(cls, genesis: Genesis) -> "BlockZero":
        """Built from genesis, without a store."""
        return cls(*map(bytes, _native.block_zero(genesis.core_json())))


def parameters_of(genesis: Genesis, anchor: AnchorFacts, zero: BlockZero, circuit: bytes = b"") -> bytes:
    """RLP of everything that two runs of the program must agree on.

    Args:
        genesis: Of the chain.
        anchor: Its L1 anchor.
        zero: Its block 0.
        circuit: Verification key of the Groth16 circuit; empty where no such proof counts.
    """
    return bytes(
        _native.settlement_parameters(
            network=genesis.network.number,
            rules=zero.rules,
            tag=genesis.network.parameters.tag,
            numbers=_numbers(genesis.network),
            proof_systems=bytes(genesis.network.parameters.proof_systems),
            circuit=circuit,
            keys=(genesis.leader_key, genesis.rotation_key, genesis.upgrade_key),
            work=_work(genesis.network.bitcoin),
            anchor=(
                anchor.height,
                anchor.hash,
                list(anchor.times),
                anchor.bits,
                anchor.period_time,
                anchor.period_bits,
                anchor.regular_bits,
            ),
            genesis_header=zero.header,
            genesis_facts=zero.facts,
        )
    )


def _numbers(network: Network) -> list[int]:
    numbers = network.parameters
    return [
        _HALVING_BLOCKS.get(network.bitcoin, _HALVING_BLOCKS_DEFAULT),
        numbers.finality_depth,
        numbers.max_origin_lag,
        numbers.proof_ttl,
        numbers.auto_block_window,
        numbers.auto_block_step,
        numbers.upgrade_delay,
        numbers.object_size_max,
        numbers.pending_size_max,
        numbers.chunk_charge_min,
        numbers.held_batches_max,
        numbers.forced_fee,
        numbers.proof_fee,
        numbers.proofs_max,
        numbers.exodus_window if numbers.proofs_required else 0,
        numbers.l1_rate_window,
        L1_RATE_FIRST,
    ]


def _work(bitcoin: str) -> tuple[int, bool, bool, bool]:
    """Easiest target, easy blocks after a pause, target never changes, BIP-0094."""
    return (LIMIT_BITS[bitcoin], bitcoin != "main", bitcoin == "regtest", bitcoin == "testnet4")


@dataclass(frozen=True, slots=True)
class SettlementStep:
    """What a run of the program gives.

    Attributes:
        statement: Public values, 362 bytes.
        state: RLP of what the next run is given; the statement names its digest.
        input: What the run was given.
    """

    statement: bytes
    state: bytes
    input: bytes


class Settlement:
    """Runs of the program, one after another.

    Args:
        parameters: From `parameters_of`.
        tag: Prefix of the wtxid of a relevant transaction.
        batch_key: Verification key of the batch program, 32 bytes.
        settlement_key: Verification key of the settlement program, 32 bytes.
        last: Where to go on; None: at the anchor.
    """

    def __init__(
        self,
        parameters: bytes,
        tag: bytes,
        *,
        batch_key: bytes,
        settlement_key: bytes,
        last: SettlementStep | None = None,
    ) -> None:
        self._parameters = parameters
        self._tag = tag
        self._batch_key = batch_key
        self._settlement_key = settlement_key
        self.last = last

    def advance(
        self,
        blocks: Sequence[bytes],
        verdicts: Sequence[bytes],
        headers: Sequence[bytes],
        shown: Sequence[tuple[bytes, bytes]] = (),
    ) -> SettlementStep:
        """Run the program over the next L1 blocks.

        Args:
            blocks: Serialised, in order.
            verdicts: Statements of the batch program, in the order in which derivation asks for them; whoever calls
                has verified their proofs.
            headers: RLP of the last header of each automatic range in order, and of the tip at the end.
            shown: (statement, proof) of posted proofs that are valid.

        Raises:
            Invalid: It does not hold together.
        """
        state = _native.settlement_genesis(self._parameters) if self.last is None else self.last.state
        previous = b"" if self.last is None else self.last.statement
        given = _native.settlement_input(
            parameters=self._parameters,
            batch_key=self._batch_key,
            settlement_key=self._settlement_key,
            previous=previous,
            state=state,
            blocks=[_native.settlement_block(block, self._tag) for block in blocks],
            verdicts=list(verdicts),
            headers=list(headers),
        )
        proved = [(self._batch_key, verdict) for verdict in verdicts]
        if previous:
            proved.append((self._settlement_key, previous))
        valid = [(self._batch_key, said, proof) for said, proof in shown]
        statement, after = _native.run_settlement(given, proved, valid)
        self.last = SettlementStep(bytes(statement), bytes(after), bytes(given))
        return self.last
