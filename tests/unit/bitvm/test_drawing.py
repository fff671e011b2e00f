"""Shows that the page about disputes shows the graph and the leaves that the code has."""

import re
from pathlib import Path

from bedroll.bitvm.graph.drawing import draw
from tests.costs.dispute_price import facts_vb, stage

PAGE = Path(__file__).parents[3] / "docs/howto/watch_a_dispute.md"


def fact_table():
    """Kinds of deciding leaves: how many, what the first of them decides, largest spend."""
    _, book, _ = stage()
    rows = {}
    for leaves in book.fact_leaves:
        for name, leaf in leaves.items():
            kind = re.sub(r"(_\d+)+(?=_read|$)", "_…", re.sub(r"_read_\d$", "", name))
            count, text, size = rows.get(kind, (0, leaf.decides, 0))
            rows[kind] = count + 1, text, max(size, facts_vb()[name])
    lines = ["| leaf | how many | the first of them shows | ≤ vB |", "| --- | --- | --- | --- |"]
    lines += [f"| {kind} | {count} | {text} | {size:,} |" for kind, (count, text, size) in rows.items()]
    return "\n".join(lines)


def test_the_page_shows_the_graph_of_the_code():
    (drawn,) = re.findall(r"```mermaid\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    assert drawn == draw(stage()[0])


def test_the_page_shows_the_leaves_of_the_code():
    assert fact_table() in PAGE.read_text()


def test_a_small_game_is_drawn_without_a_second_search():
    from tests.unit.bitvm.test_graph import make_graph, make_terms

    drawn = draw(make_graph(make_terms(exponent=3)))
    assert "rounds 2" not in drawn
    assert drawn.count("challenger has the bond") == 1
