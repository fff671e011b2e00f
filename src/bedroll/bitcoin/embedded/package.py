"""Packages: parents handed in together with the child that pays for them.

Reads: transactions in order, the child last.  Gives: for each what became of it, as `submitpackage` tells it.
Never: lets a parent's fee pay for its child.  Spec: docs/spec/bitcoin.md#client
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bedroll.primitives import Satoshi, Txid, VSize, Wtxid

from ..fee import MIN_RELAY_RATE
from ..refusal import Cause, Refused
from ..transaction import OutPoint, Transaction
from .admission import PACKAGE, SINGLE, TESTED_PACKAGE, Admission, Mode, check_fee_rate
from .candidate import Candidate
from .replacement import check_package_replacement
from .truc import check_package_truc

PACKAGE_COUNT_MAX: Final = 25
"""Transactions in a package."""
PACKAGE_WEIGHT_MAX_WU: Final = 404_000
"""Weight of a package."""
TOPOLOGY: Final = "package topology disallowed. not child-with-parents or parents depend on each other."
"""Refusal of what is not parents with one child."""


@dataclass
class Outcome:
    """What became of one transaction: taken with a fee and size, or an error text.

    Attributes:
        error: Empty where it was taken or was there before.
    """

    txid: Txid
    wtxid: Wtxid
    error: str = ""
    fee: Satoshi | None = None
    size: VSize | None = None


@dataclass
class PackageOutcome:
    """What became of a package.

    Attributes:
        message: `success`, `transaction failed`, or a fault of the package as a whole.
        transactions: In the order handed in.
        judged: Whether single transactions were looked at.
    """

    message: str
    transactions: list[Outcome] = field(default_factory=list)
    judged: bool = True


def submit_package(admission: Admission, package: Sequence[Transaction]) -> PackageOutcome:
    """Take in a child with its parents, each alone where it can, else all that is left together.

    Raises:
        Refused: The package has another shape.
    """
    if len(package) > 1 and not _is_child_with_parents(package):
        raise Refused(TOPOLOGY, package[-1].txid)
    outcomes = {each.txid: Outcome(each.txid, each.wtxid) for each in package}
    if fault := _find_shape_fault(package):
        for outcome in outcomes.values():
            outcome.error = "package-not-validated"
        return PackageOutcome(fault, list(outcomes.values()), judged=False)
    hopeless = False
    waiting = []
    for transaction in package:
        outcome = outcomes[transaction.txid]
        held = admission.pool.entries.get(transaction.txid)
        if held is not None:
            outcome.fee, outcome.size = held.fee, held.size
            continue
        if (refusal := _submit_alone(admission, transaction, outcome)) is None:
            continue
        if refusal.cause is Cause.RULE or len(package) == 1:
            hopeless = True
        else:
            waiting.append(transaction)
    message = "transaction failed" if hopeless else "success"
    if len(waiting) == 1 and not hopeless:
        # The others are in: what is left is no package any more.
        refused = _submit_alone(admission, waiting[0], outcomes[waiting[0].txid])
        message = "transaction failed" if refused else "success"
    elif waiting and not hopeless:
        message = _submit_together(admission, waiting, outcomes)
    return PackageOutcome(message, list(outcomes.values()))


def check_together(admission: Admission, package: Sequence[Transaction]) -> PackageOutcome:
    """Judge transactions that may rest on each other, changing nothing; each pays for itself."""
    outcomes = {each.txid: Outcome(each.txid, each.wtxid, "package-not-validated") for each in package}
    if fault := _find_shape_fault(package):
        return PackageOutcome(fault, list(outcomes.values()), judged=False)
    candidates: list[Candidate] = []
    message = "success"
    try:
        _check_all(admission, package, TESTED_PACKAGE, candidates)
        for candidate in candidates:
            admission.check_scripts(candidate)
            _settle(outcomes[candidate.entry.txid], candidate)
    except Refused as refusal:
        message = refusal.text() if refusal.cause is Cause.PACKAGE else "transaction failed"
        if refusal.cause is not Cause.PACKAGE:
            outcomes[Txid(refusal.txid)].error = refusal.text()
    return PackageOutcome(message, list(outcomes.values()))


def _submit_alone(admission: Admission, transaction: Transaction, outcome: Outcome) -> Refused | None:
    try:
        _settle(outcome, admission.accept(transaction, SINGLE))
    except Refused as refusal:
        outcome.error = refusal.text()
        return refusal
    return None


def _submit_together(admission: Admission, package: Sequence[Transaction], outcomes: dict[Txid, Outcome]) -> str:
    candidates: list[Candidate] = []
    try:
        replaced = _check_all(admission, package, PACKAGE, candidates)
        for candidate in candidates:
            admission.check_scripts(candidate)
    except Refused as refusal:
        if refusal.cause is Cause.PACKAGE:
            return refusal.text()
        outcomes[Txid(refusal.txid)].error = refusal.text()
        return "unspent-dust" if refusal.reason == "missing-ephemeral-spends" else "transaction failed"
    admission.pool.remove(replaced)
    for candidate in candidates:
        admission.pool.add(candidate.entry)
        _settle(outcomes[candidate.entry.txid], candidate)
    return "success"


def _check_all(
    admission: Admission, package: Sequence[Transaction], mode: Mode, candidates: list[Candidate]
) -> set[Txid]:
    """Everything but scripts; gives what would be replaced."""
    beside: dict[Txid, Transaction] = {}
    for transaction in package:
        candidates.append(admission.check(transaction, mode, beside))
        beside[transaction.txid] = transaction
    last = candidates[-1].entry.txid
    entries = [candidate.entry for candidate in candidates]
    replaced: set[Txid] = set()
    with _AsPackage():
        check_package_truc(admission.pool, candidates)
    if mode.package_fee:
        check_fee_rate(sum(entry.fee for entry in entries), sum(entry.size for entry in entries), last)
    with _AsPackage():
        if any(candidate.conflicts for candidate in candidates):
            replaced = check_package_replacement(admission.pool, candidates, MIN_RELAY_RATE)
        admission.check_cluster(entries, replaced, last)
    for candidate in candidates:
        admission.check_dust_spent(candidate, beside)
    return replaced


class _AsPackage:
    """Makes a refusal inside one of the package as a whole."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, failure: BaseException | None, __: object) -> None:
        if isinstance(failure, Refused):
            failure.cause = Cause.PACKAGE


def _settle(outcome: Outcome, candidate: Candidate) -> None:
    outcome.error = ""
    outcome.fee, outcome.size = candidate.entry.fee, candidate.entry.size


def _is_child_with_parents(package: Sequence[Transaction]) -> bool:
    *parents, child = package
    spent = {each.previous.txid for each in child.inputs}
    names = {parent.txid for parent in parents}
    return names <= spent and not any(each.previous.txid in names for parent in parents for each in parent.inputs)


def _find_shape_fault(package: Sequence[Transaction]) -> str:
    if len(package) > PACKAGE_COUNT_MAX:
        return "package-too-many-transactions"
    if len(package) > 1 and sum(each.weight for each in package) > PACKAGE_WEIGHT_MAX_WU:
        return "package-too-large"
    later = {each.txid for each in package}
    if len(later) < len(package):
        return "package-contains-duplicates"
    spent: set[OutPoint] = set()
    for transaction in package:
        names = {each.previous for each in transaction.inputs}
        if any(name.txid in later for name in names):
            return "package-not-sorted"
        later.discard(transaction.txid)
        if names & spent:
            return "conflict-in-package"
        spent |= names
    return ""
