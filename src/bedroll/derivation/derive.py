"""The chain as one function of Bitcoin.

Reads: genesis, raw L1 blocks above the anchor.  Gives: what each of them brought.  Never: asks for more.
Spec: docs/spec/derivation.md#derive
"""

from collections.abc import Iterable, Iterator, Sequence

from bedroll.execution.genesis import Genesis

from .pipeline import Pipeline, Step
from .port import Executor, ProofVerifier
from .settlement_desk import SettlementTerms


def derive(
    genesis: Genesis,
    median_times: Sequence[int],
    blocks: Iterable[bytes],
    executor: Executor,
    verifier: ProofVerifier | None = None,
    terms: SettlementTerms | None = None,
) -> Iterator[Step]:
    """Derive the chain from L1 blocks; the L2 blocks lie in the executor afterwards.

    Args:
        genesis: What names the chain.
        median_times: Header times of up to 11 L1 blocks that end with the anchor, oldest first.
        blocks: Serialised L1 blocks in order, the first a child of the anchor.
        executor: Holds block 0 of this genesis, and nothing else that counts.
        verifier: Verifies proofs under the network's keys; without one none counts.
        terms: What settlement proofs must be about; without them none counts, which changes no block.

    Returns:
        One step an L1 block.
    """
    pipeline = Pipeline(genesis, median_times, executor, verifier=verifier, terms=terms)
    for raw in blocks:
        yield pipeline.advance(raw)
