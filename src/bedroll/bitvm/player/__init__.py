"""Parties that play: setup with the opponent, following the chain, moves with fees, alarms.

Reads: a node, the opponent's setup messages.  Gives: transactions at the node, in time; a verdict.
Never: answers a move before its depth, or signs with a key before the store has the message.
Spec: docs/spec/dispute.md#players

```text
ledger → setup       what both sides agree on and sign, durable
follower, purse → player → service
```
"""
