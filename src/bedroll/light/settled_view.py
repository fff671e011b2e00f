"""The L2 chain as one proof file and Bitcoin's headers show it.

Reads: a proof file from anyone, the chain's genesis, a verifier.  Gives: `SettledView`.
Never: asks a node; takes a proof that is about another chain or by other programs.  Spec: docs/spec/light.md#check
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bedroll.bitcoin.work import WORK_RULES
from bedroll.crypto import double_sha256, sha256
from bedroll.da import Proof, ProofSystem, StatementKind
from bedroll.derivation.settled import SettledStatement, parse_settled
from bedroll.execution.genesis import Genesis
from bedroll.primitives import BlockHash, Invalid, L1Height
from bedroll.protocol import NETWORKS

from .anchor import AnchorFacts
from .header_run import HeaderRun
from .proof_file import ProofFile, refuse
from .settlement import LIMIT_BITS, BlockZero, parameters_of
from .trie_proof import Unproved
from .view import TrustedBlock


class SettlementVerifier(Protocol):
    """Verifies settlement proofs under the keys of one version (`bedroll.node.proof_verifier.Sp1Verifier`)."""

    @property
    def circuit(self) -> bytes:
        """Key of the Groth16 circuit that the network's proofs are judged under."""
        ...

    def program_digest(self, kind: StatementKind) -> bytes | None:
        """How statements name the program of a kind, 32 bytes."""
        ...

    def is_valid(self, proof: Proof) -> bool:
        """Whether the program of its statement's kind gave its public values."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledView:
    """What is known after the check.

    Attributes:
        statement: What was proved.
        system: By what.
        block: The L2 tip; what it shows of accounts and receipts is in `view`.
        newest: The newest L1 header, and the work after the settled block.
        finality_depth: Under how many L1 blocks the settled one is final.
    """

    statement: SettledStatement
    system: ProofSystem
    block: TrustedBlock
    newest: HeaderRun
    finality_depth: int

    @property
    def depth(self) -> int:
        """Under how many L1 blocks the settled one lies."""
        return self.newest.count

    @property
    def is_final(self) -> bool:
        """Whether no reorganisation that the network reckons with takes the L2 tip back."""
        return self.depth >= self.finality_depth

    @property
    def work(self) -> int:
        """Of the whole L1 chain after the anchor: of two views, the one with more is Bitcoin's."""
        return self.statement.l1_work + self.newest.work


def view_of_proof(
    raw: bytes,
    genesis: Genesis,
    verifier: SettlementVerifier,
    *,
    headers: Sequence[bytes] | None = None,
    now_seconds: int | None = None,
) -> SettledView:
    """Check a proof file; 0.1 s.

    Args:
        raw: The file.
        genesis: Of the chain that is asked about: this and the verifier's keys are all that is trusted.
        verifier: Under whose keys the proof must hold.
        headers: L1 headers of one's own, oldest first; they take the place of those in the file, and must hold the
            settled block or follow it.
        now_seconds: Clock; None leaves out the rule against headers from the future, and so does regtest.

    Raises:
        BadProofFile: The first thing that is wrong; `.reason` names the part.
    """
    file = ProofFile.decode(raw)
    network = genesis.network
    if file.network != network.number:
        known = {each.number: name for name, each in NETWORKS.items()}
        found = known.get(file.network, f"no known network ({file.network})")
        refuse("network", f"the proof is of {found}, the genesis of {network.name}", value=file.network)
    if file.system not in network.parameters.proof_systems:
        refuse("proof system", f"{network.name} takes no {file.system.name.lower()} proofs", value=int(file.system))
    statement = _statement(file)
    _check_programs(statement, verifier)
    anchor = _facts("anchor headers", file.anchor, genesis.anchor_height, genesis.anchor_hash, network.bitcoin)
    parameters = parameters_of(genesis, anchor, BlockZero.of(genesis), verifier.circuit)
    if statement.network != network.number or statement.parameters != sha256(parameters):
        refuse("parameters", "the proof is about another chain: its parameters are not this genesis's",
               value=statement.parameters, limit=sha256(parameters))  # fmt: skip
    if not verifier.is_valid(file.object):
        refuse("proof", "the proof does not show its public values under the settlement program's key")
    settled = _facts("settled headers", file.settled, statement.l1_height, statement.l1_hash, network.bitcoin)
    later = file.later if headers is None else _after(headers, settled)
    rule = WORK_RULES[network.bitcoin]
    # A chain of one's own may run ahead of the clock.
    newest = HeaderRun.after(settled, rule, later, None if rule.fixed else now_seconds)
    return SettledView(
        statement=statement,
        system=file.system,
        block=_block(file, statement),
        newest=newest,
        finality_depth=network.parameters.finality_depth,
    )


def _statement(file: ProofFile) -> SettledStatement:
    try:
        return parse_settled(file.values)
    except Invalid as error:
        refuse("public values", error.message, **error.fields)


def _check_programs(statement: SettledStatement, verifier: SettlementVerifier) -> None:
    """A statement stands for the ones before it only if all were made by the program that is verified now."""
    for kind, named in (
        (StatementKind.SETTLEMENT, statement.settlement_key),
        (StatementKind.BATCH, statement.batch_key),
    ):
        known = verifier.program_digest(kind)
        if named != known:
            refuse("program", f"the proof is by another {kind.name.lower()} program than this version's",
                   value=named, limit=known)  # fmt: skip


def _facts(part: str, headers: Sequence[bytes], height: int, block: bytes, bitcoin: str) -> AnchorFacts:
    try:
        facts = AnchorFacts.of_headers(height, headers, LIMIT_BITS[bitcoin])
    except Invalid as error:
        refuse(part, f"the {part} are not those that are needed", height=height, given=len(headers),
               why=error.message)  # fmt: skip
    if facts.hash != block:
        refuse(part, f"the {part} end with another block", value=facts.hash[::-1], limit=block[::-1])
    return facts


def _after(headers: Sequence[bytes], settled: AnchorFacts) -> Sequence[bytes]:
    """Of headers of one's own, those after the settled block."""
    if not headers:
        refuse("later headers", "there are no headers")
    if headers[0][4:36] == settled.hash:
        return headers
    place = next((at for at, header in enumerate(headers) if double_sha256(header) == settled.hash), None)
    if place is None:
        refuse("later headers", "the settled block is not among the headers: it may have left Bitcoin's best chain",
               block=BlockHash(settled.hash[::-1]), height=L1Height(settled.height))  # fmt: skip
    return headers[place + 1 :]


def _block(file: ProofFile, statement: SettledStatement) -> TrustedBlock:
    try:
        block = TrustedBlock.of_header(file.block, statement.tip)
    except Unproved as error:
        refuse("block", error.message, **error.fields)
    if (block.number, block.state_root) != (statement.height, statement.state_root):
        refuse("block", "the header is not the one that the statement describes", value=block.number,
               limit=statement.height)  # fmt: skip
    return block
