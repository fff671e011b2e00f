"""Deciding a disputed run on Bitcoin: one-time signatures, Script leaves, the search, the game's transactions, players.

Reads: a program's trace, the opponent's transactions.  Gives: leaves, pre-signed graphs, moves.
Never: knows what the program is for.  Spec: docs/spec/dispute.md
"""
