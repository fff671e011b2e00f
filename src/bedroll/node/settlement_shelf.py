"""The newest settlement proof that a node has, as light clients take it.

Reads: the pipeline's settled tip, proofs that were given to this node alone, L1 headers.  Gives: `SettlementShelf`.
Never: keeps a proof that it has not verified, or gives one whose L1 block has left the best chain.
Spec: docs/spec/node.md#settlement-proofs
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bedroll.api.port import SettlementProof
from bedroll.bitcoin.client import BitcoinClient
from bedroll.crypto import double_sha256, sha256
from bedroll.da import Proof, StatementKind, parse_object
from bedroll.derivation.port import ProofVerifier
from bedroll.derivation.settled import parse_settled
from bedroll.derivation.settlement_desk import SettlementTerms
from bedroll.execution.engine import Engine
from bedroll.execution.genesis import Genesis
from bedroll.light import BlockZero, ProofFile, SettlementVerifier, parameters_of
from bedroll.light.proof_file import LATER_HEADERS_MAX
from bedroll.primitives import BlockHash, Hash32, Invalid, L1Height, L2Height
from bedroll.storage.durable_file import write_durably

from .deriver import Deriver
from .engine_thread import EngineThread
from .header_walk import HeaderWalk, anchor_facts, first_of

KEPT_FILE: Final = "settlement.proof"
_KEPT_BYTES_MAX: Final = 4 << 20


def terms_of(genesis: Genesis, anchor: Sequence[bytes], verifier: SettlementVerifier) -> SettlementTerms | None:
    """What settlement proofs of a chain must be about; None where this version proves no such program."""
    batch = verifier.program_digest(StatementKind.BATCH)
    settlement = verifier.program_digest(StatementKind.SETTLEMENT)
    if batch is None or settlement is None:
        return None
    parameters = parameters_of(genesis, anchor_facts(genesis, tuple(anchor)), BlockZero.of(genesis), verifier.circuit)
    return SettlementTerms(parameters=bytes(sha256(parameters)), batch_key=batch, settlement_key=settlement)


class SettlementShelf:
    """One place for one proof: the posted one or the one that was kept, whichever speaks of the later L1 block."""

    def __init__(
        self,
        folder: Path,
        genesis: Genesis,
        anchor: Sequence[bytes],
        client: BitcoinClient,
        engine: Engine,
        thread: EngineThread,
        deriver: Deriver,
    ) -> None:
        self._file = folder / KEPT_FILE
        self._genesis = genesis
        self._anchor = tuple(anchor)
        self._walk = HeaderWalk(client)
        self._engine = engine
        self._thread = thread
        self._deriver = deriver
        self._kept: Proof | None = None

    def load(self, verifier: ProofVerifier) -> None:
        """Take over what an earlier run kept, if it still holds under this version's keys."""
        try:
            with self._file.open("rb") as file:
                found = parse_object(file.read(_KEPT_BYTES_MAX))
            if isinstance(found, Proof) and found.statement == StatementKind.SETTLEMENT and verifier.is_valid(found):
                parse_settled(found.public_values)
                self._kept = found
        except (FileNotFoundError, Invalid):
            self._kept = None

    def keep(self, proof: Proof) -> None:
        """Put a proof here that was verified."""
        write_durably(self._file, proof.encode())
        self._kept = proof

    def _posted(self) -> Proof | None:
        raw = self._deriver.settled_object()
        found = None if raw is None else parse_object(raw)
        return found if isinstance(found, Proof) else None

    async def newest(self) -> SettlementProof | None:
        """The newest proof with its headers.

        Raises:
            Unavailable: Bitcoin does not give the headers.
        """
        posted = await self._thread.run(self._posted)
        candidates = [each for each in (self._kept, posted) if each is not None]
        candidates.sort(key=lambda each: parse_settled(each.public_values).l1_height, reverse=True)
        for proof in candidates:
            found = await self._file_of(proof, is_posted=proof is posted)
            if found is not None:
                return found
        return None

    async def _file_of(self, proof: Proof, *, is_posted: bool) -> SettlementProof | None:
        """None where its L1 block is not of the best chain, or its L2 block not of ours."""
        said = parse_settled(proof.public_values)
        tip_height, tip = self._deriver.height, self._deriver.hash
        later = tip_height - said.l1_height
        header = await self._thread.run(self._engine.header, said.height)
        if not 0 <= later <= LATER_HEADERS_MAX or header is None or header.hash != said.tip:
            return None
        leading = said.l1_height - first_of(said.l1_height) + 1
        headers = await self._walk.back(tip, later + leading)
        if double_sha256(headers[leading - 1]) != said.l1_hash:
            return None
        file = ProofFile(
            network=self._genesis.network.number,
            system=proof.system,
            values=proof.public_values,
            proof=proof.proof,
            block=header.rlp,
            anchor=self._anchor,
            settled=tuple(headers[:leading]),
            later=tuple(headers[leading:]),
        )
        return SettlementProof(
            l1_height=L1Height(said.l1_height),
            l1_hash=BlockHash(said.l1_hash),
            l2_height=L2Height(said.height),
            l2_hash=Hash32(said.tip),
            object_id=Hash32(sha256(proof.encode())) if is_posted else None,
            file=file.encode(),
        )
