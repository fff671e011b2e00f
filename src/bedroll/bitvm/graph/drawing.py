"""A graph as a picture: what documents show is drawn from the code.

Reads: a graph.  Gives: Mermaid text.  Never: draws what is not there: each arrow is an output that is spent.
Spec: docs/spec/dispute.md#transactions
"""

from collections.abc import Iterator

from .graph import Graph, close_name, is_prover_turn
from .move import Kind, Move, Party
from .output import TIMEOUT


def draw(graph: Graph) -> str:
    """Flow chart of a game; the rounds of a search are one box."""
    lines = ["flowchart TD", '    claim["Claim"]']
    groups = list(_groups(graph))
    before = "claim"
    for name, numbers in groups:
        lines.append(f'    {name}["{_label(graph, numbers)}"]')
        lines.append(f"    {before} -->|{'root: the bond' if before == 'claim' else 'bond'}| {name}")
        before = name
    lines.append('    taken(["challenger has the bond"])')
    lines.append('    close["Close<br/>prover has the bond and the gate"]')
    lines.append('    burn["Burn<br/>the claim frees nothing"]')
    for name, numbers in [("claim", [0]), *((name, [number + 1 for number in numbers]) for name, numbers in groups)]:
        lines += [f"    {name} {arrow}" for arrow in _ends(graph, numbers)]
    lines.append("    claim -->|gate| close")
    lines.append(f"    claim -->|gate and prize, after {graph.terms.burn_blocks:,} blocks| burn")
    return "\n".join(lines) + "\n"


def _groups(graph: Graph) -> Iterator[tuple[str, list[int]]]:
    """Boxes: a move, or all rounds of a search; with the numbers of their moves."""
    rounds: list[int] = []
    for number, move in enumerate(graph.terms.moves):
        if move.kind in (Kind.HASHES, Kind.DIGIT):
            rounds.append(number)
            continue
        if rounds:
            yield f"search_{graph.terms.moves[rounds[0]].search}", rounds
            rounds = []
        yield move.name, [number]
    if rounds:
        yield "search", rounds


def _label(graph: Graph, numbers: list[int]) -> str:
    first = graph.terms.moves[numbers[0]]
    if len(numbers) > 1:
        last = graph.terms.moves[numbers[-1]]
        return (
            f"rounds {first.round} to {last.round}<br/>hashes (prover), digit (challenger)"
            f"<br/>{len(numbers)} transactions"
        )
    leaves = len([name for name in graph.outputs[numbers[0]].names if _plays(graph, numbers[0], name)])
    ways = f", {leaves} leaves" if leaves > 1 else ""
    return f"{_title(first)}<br/>{first.mover.value}{ways}"


def _plays(graph: Graph, number: int, leaf: str) -> bool:
    move = graph.terms.moves[number].name
    return any(slot.transaction == move and slot.leaf == leaf for slot in graph.slots)


def _title(move: Move) -> str:
    return {Kind.INPUT: "Input", Kind.EXECUTE: "Execute", Kind.OPENING: "Opening", Kind.EXECUTE_2: "Execute2"}[
        move.kind
    ]


def _ends(graph: Graph, numbers: list[int]) -> Iterator[str]:
    """Ways out of the outputs that a box makes."""
    clock = graph.terms.clock
    waits = {Party.PROVER: False, Party.CHALLENGER: False}
    for number in numbers:
        waits[Party.PROVER if is_prover_turn(graph.terms, number) else Party.CHALLENGER] = True
        facts = [name for name in graph.outputs[number].names if name != TIMEOUT]
        if number < len(graph.terms.moves):
            facts = [name for name in facts if not _plays(graph, number, name)]
        if facts:
            yield f"-.->|a false fact: {len(facts)} leaves| taken"
        assert (close_name(number) in graph.planned) is not is_prover_turn(graph.terms, number)
    blocks = clock.input_blocks if numbers[0] == 0 else clock.delta_blocks
    if waits[Party.PROVER]:
        yield f"-.->|prover silent, {blocks:,} blocks| taken"
    if waits[Party.CHALLENGER]:
        yield f"-.->|challenger silent, {clock.delta_blocks:,} blocks| close"
