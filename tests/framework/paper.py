"""Paper leaves: they verify every signature that a real leaf does and decide nothing, for tests of all around them."""

from bedroll.bitvm.game.book import Book, by_name
from bedroll.bitvm.graph import Kind, moves
from bedroll.bitvm.leaf import BOTH, CHALLENGER, build_leaf
from bedroll.bitvm.leaf.move import digit_leaf, hashes_leaf, input_leaf
from bedroll.bitvm.message import Layout
from bedroll.bitvm.search import Shape


def paper_book(exponent, input_words):
    layout = Layout(Shape(exponent), input_words)
    of = layout.messages
    every = moves(layout.shape)
    row = [
        of[label]
        for label in ("step", "left_hash", "right_hash", "read_1", "read_2", "read_3", "read_pc", "write", "witness")
    ]

    def leaf(name, signer, verified):
        return build_leaf(name, "paper", signer, verified=verified)

    plays, facts = [], []
    for move in every:
        if move.kind is Kind.INPUT:
            plays.append([input_leaf(layout)])
        elif move.kind is Kind.HASHES:
            plays.append([hashes_leaf(layout, move.search, move.round)])
        elif move.kind is Kind.DIGIT:
            plays.append([digit_leaf(layout, move.search, move.round)])
        elif move.kind is Kind.EXECUTE:
            plays.append([leaf("execute", BOTH, [*row, *layout.answers(1)])])
        elif move.kind is Kind.OPENING:
            plays.append([leaf("opening", BOTH, [of["opened"], of["digit_2_1"]])])
        else:
            labels = ("step_2", "left_hash_2", "right_hash_2")
            plays.append([leaf("execute_2", BOTH, [*(of[label] for label in labels), *layout.answers(2)])])
        facts.append([])
    names = ["trace_hash", "trace_hash_zero"]
    facts[[move.kind for move in every].index(Kind.OPENING)] = [
        leaf(name, CHALLENGER, [of["right_hash"]]) for name in names
    ]
    facts.append([leaf("opened_wrong_value", CHALLENGER, [of["right_hash_2"]])])
    return Book(
        layout, tuple(by_name(each, BOTH) for each in plays), tuple(by_name(each, CHALLENGER) for each in facts)
    )
