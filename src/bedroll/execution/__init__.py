"""Blocks of this chain: what is in them, what they do to the state, what they cost.

Reads: signed transactions, origins (L1 blocks), genesis.  Gives: sealed blocks, views of the state, fees, the mempool.
Never: reads Bitcoin, a clock or a socket; the rules themselves are in the Rust core, once.
Spec: docs/spec/execution.md
"""
