"""Second forms of the blocks that hash and multiply: other representations, no tables, no hints.

Reads: the same operands.  Gives: the same results, at a price nobody pays on the chain.
Never: used in a game: tests compare verdicts with the first form's.  Spec: docs/spec/bitvm.md#second-forms
"""
